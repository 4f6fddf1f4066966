// Any sequence of what producers of both protocols do, restarts among it, beside a model of one line a record: readers of
// committed records see exactly what was committed, in order, up to the first transaction still open.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { testBroker } from '../../support/broker.ts'
import { GroupClient } from '../../support/group-client.ts'
import type { RawClient } from '../../support/raw-client.ts'
import { SimulatedMachine } from '../../support/simulated-disk.ts'
import { NEW_PROTOCOL, OLD_PROTOCOL, TransactionClient, valuesIn } from '../../support/transaction-client.ts'

type Step =
  | { readonly kind: 'send'; readonly who: number; readonly partition: number }
  | { readonly kind: 'offset'; readonly who: number }
  | { readonly kind: 'end'; readonly who: number; readonly isCommit: boolean }
  | { readonly kind: 'replace'; readonly who: number }
  | { readonly kind: 'plain'; readonly partition: number }
  | { readonly kind: 'restart' }

interface Transaction {
  state: 'open' | 'committed' | 'aborted'
}

interface Producer {
  client: TransactionClient
  readonly added: Set<string>
  transaction: Transaction | undefined
  offset: number | undefined
}

const PARTITIONS = [0, 1]
const properties = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '2' }
const who = fc.constantFrom(0, 1)
const partition = fc.constantFrom(...PARTITIONS)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), who, partition }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('offset' as const), who }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end' as const), who, isCommit: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replace' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('plain' as const), partition }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
)

class World {
  readonly #machine = new SimulatedMachine()
  readonly #producers: Producer[] = []
  /** By partition, in the order of their offsets; a record outside of transactions has one that is committed. */
  readonly #records = PARTITIONS.map((): { readonly value: string; readonly transaction: Transaction }[] => [])
  #connection: RawClient | undefined
  #committed = -1
  #values = 0

  async run(steps: readonly Step[]): Promise<void> {
    await this.#start(['t:2'])
    await new GroupClient(this.#client, 'g').findCoordinator()
    for (const [index, versions] of [OLD_PROTOCOL, NEW_PROTOCOL].entries()) {
      const client = new TransactionClient(this.#client, `id ${index}`, versions)
      this.#producers.push({ client, added: new Set(), transaction: undefined, offset: undefined })
      expect(await client.init()).toBe('NONE')
    }
    for (const step of steps) {
      await this.#do(step)
      await this.#check()
    }
  }

  get #client(): RawClient {
    if (this.#connection === undefined) throw new Error('not started')
    return this.#connection
  }

  async #start(topics: readonly string[] = []): Promise<void> {
    const { connect } = await testBroker({ disk: this.#machine.disk, properties, topics })
    this.#connection = await connect()
  }

  async #do(step: Step): Promise<void> {
    switch (step.kind) {
      case 'send':
        return this.#send(this.#producers[step.who], step.partition)
      case 'offset':
        return this.#commitOffset(this.#producers[step.who])
      case 'end':
        return this.#end(this.#producers[step.who], step.isCommit)
      case 'replace':
        return this.#replace(step.who)
      case 'plain': {
        const value = `v${this.#values++}`
        const plain = new TransactionClient(this.#client, '')
        expect(await plain.sendPlain('t', [value], step.partition)).toBe('NONE')
        this.#records[step.partition].push({ value, transaction: { state: 'committed' } })
        return
      }
      case 'restart':
        this.#client.close()
        this.#machine.restart()
        await this.#start()
        for (const producer of this.#producers) producer.client = producer.client.on(this.#client)
    }
  }

  async #add(producer: Producer, name: string, add: () => Promise<unknown>): Promise<Transaction> {
    if (producer.client.versions === OLD_PROTOCOL && !producer.added.has(name)) {
      await add()
      producer.added.add(name)
    }
    return (producer.transaction ??= { state: 'open' })
  }

  async #send(producer: Producer, partition: number): Promise<void> {
    const { client } = producer
    const transaction = await this.#add(producer, `t-${partition}`, () => client.add('t', [partition]))
    const value = `v${this.#values++}`
    expect(await client.send('t', [value], { partition })).toBe('NONE')
    this.#records[partition].push({ value, transaction })
  }

  async #commitOffset(producer: Producer): Promise<void> {
    const { client } = producer
    // Of two open ones the later in the log would count; one at a time is enough here.
    if (this.#producers.some((other) => other !== producer && other.offset !== undefined)) return
    await this.#add(producer, 'g', () => client.addOffsets('g'))
    producer.offset = this.#values++
    expect(await client.commitOffset('g', 't', producer.offset)).toBe('NONE')
  }

  async #end(producer: Producer, isCommit: boolean): Promise<void> {
    const { transaction, client } = producer
    if (transaction === undefined) return
    expect(await client.end(isCommit)).toBe('NONE')
    this.#over(producer, isCommit)
  }

  async #replace(index: number): Promise<void> {
    const producer = this.#producers[index]
    const next = new TransactionClient(this.#client, producer.client.id, producer.client.versions)
    expect(await next.init()).toBe(producer.transaction === undefined ? 'NONE' : 'CONCURRENT_TRANSACTIONS')
    if (producer.transaction !== undefined) expect(await next.init()).toBe('NONE')
    expect(await producer.client.end(true)).toBe('PRODUCER_FENCED')
    producer.client = next
    this.#over(producer, false)
  }

  #over(producer: Producer, isCommit: boolean): void {
    if (producer.transaction !== undefined) producer.transaction.state = isCommit ? 'committed' : 'aborted'
    if (isCommit) this.#committed = producer.offset ?? this.#committed
    producer.transaction = producer.offset = undefined
    producer.added.clear()
  }

  async #check(): Promise<void> {
    for (const partition of PARTITIONS) {
      const records = this.#records[partition]
      const firstOpen = records.findIndex(({ transaction }) => transaction.state === 'open')
      const stable = firstOpen < 0 ? records : records.slice(0, firstOpen)
      const wanted = stable.filter(({ transaction }) => transaction.state === 'committed').map(({ value }) => value)
      expect(await valuesIn(this.#client, 't', 'committed', partition)).toEqual(wanted)
      expect(await valuesIn(this.#client, 't', 'all', partition)).toEqual(records.map(({ value }) => value))
    }
    const { offset, error } = await new GroupClient(this.#client, 'g').committed('t', 9, true)
    const isOpen = this.#producers.some((producer) => producer.offset !== undefined)
    expect([error, offset]).toEqual(isOpen ? ['UNSTABLE_OFFSET_COMMIT', -1] : ['NONE', this.#committed])
  }
}

test('readers see exactly what was committed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => new World().run(steps)),
    { numRuns: 15 },
  )
}, 120_000)
