// Kafka Streams on our broker: Apache's WordCountDemo over its repartition and changelog topics, two instances. As it is; and
// exactly once, with the broker killed while the group rebalances and while transactions are open, and an instance killed:
// the counts of each word in the output are then 1, 2, 3, … to what a batch computation gives, none missing, none twice.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { kafkajs } from '../support/foreign-records.ts'
import { MortalBroker, openTransactions, SCALE } from '../support/mortal-broker.ts'
import { java, kcat, output, tryPeer } from '../support/peers.ts'
import { type Program, start, until } from '../support/program.ts'

const DEMO = 'org.apache.kafka.streams.examples.wordcount.WordCountDemo'
const INPUT = 'streams-plaintext-input'
const OUTPUT = 'streams-wordcount-output'
const PARTITIONS = 4
const WORDS = 1000
const BROKER_KILLS = SCALE.kills > 3 ? 8 : 2 // beside the one in a rebalance
const MINUTE = 60_000

const peer = tryPeer('Apache Kafka', java)
const isThere = peer !== undefined && tryPeer('kcat', kcat) !== undefined

class WordCount {
  readonly broker: MortalBroker
  readonly #directory: string
  readonly #instances = new Set<Program>()
  readonly #settings: readonly string[]

  constructor(broker: MortalBroker, directory: string, settings: readonly string[]) {
    this.broker = broker
    this.#directory = directory
    this.#settings = settings
  }

  static async prepare(settings: readonly string[]): Promise<WordCount> {
    const directory = mkdtempSync(join(tmpdir(), 'ktool-streams-'))
    const count = new WordCount(await MortalBroker.start(directory), directory, settings)
    onTestFinished(async () => {
      await count.stop('SIGKILL')
      await count.broker.stop('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    })
    const topics = [INPUT, OUTPUT].map((topic) => ({ topic, numPartitions: PARTITIONS }))
    await count.admin((admin) => admin.createTopics({ topics, waitForLeaders: true }))
    const lines = Array.from({ length: SCALE.records }, (_, at) => `${word(at)}\n`).join('')
    output(kcat(), ['-P', '-b', count.broker.address, '-t', INPUT, '-X', 'enable.idempotence=true', '-X', 'sticky.partitioning.linger.ms=0'], { input: lines })
    return count
  }

  async admin<T>(use: (admin: ReturnType<ReturnType<typeof kafkajs>['admin']>) => Promise<T>): Promise<T> {
    const admin = kafkajs(this.broker.address).admin()
    await admin.connect()
    try {
      return await use(admin)
    } finally {
      await admin.disconnect()
    }
  }

  /** A process of its own with state of its own, which it keeps over its death. */
  instance(name: string): Program {
    const config = join(this.#directory, `${name}.properties`)
    const state = join(this.#directory, `state-${name}`)
    const lines = ['application.id=wordcount', `bootstrap.servers=${this.broker.address}`, `state.dir=${state}`, ...this.#settings]
    writeFileSync(config, lines.join('\n'))
    const program = start([...(peer ?? (['java'] as const)), DEMO], [config], { log: join(this.#directory, `${name}.log`) })
    this.#instances.add(program)
    return program
  }

  async kill(instance: Program): Promise<void> {
    this.#instances.delete(instance)
    await instance.stop('SIGKILL')
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await Promise.all([...this.#instances].map((instance) => instance.stop(signal)))
  }

  /** Waits until so many records of the input are processed and committed. */
  async processed(count: number): Promise<void> {
    const committed = async () => {
      const topics = await this.admin((admin) => admin.fetchOffsets({ groupId: 'wordcount', topics: [INPUT] }))
      return topics.flatMap(({ partitions }) => partitions).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
    }
    await until(`${count} processed`, [...this.#instances], 5 * MINUTE, async () => (await committed()) >= count)
  }

  async groupState(): Promise<string> {
    const { groups } = await this.admin((admin) => admin.describeGroups(['wordcount']))
    return groups[0].state
  }

  /** Waits until the output has that many lines, `word count`; by partition and offset. */
  async results(lines: number): Promise<string[]> {
    const args = ['-C', '-b', this.broker.address, '-t', OUTPUT, '-o', 'beginning', '-e', '-q', '-f', '%k %s\n', '-s', 'value=>q']
    const read = () => output(kcat(), [...args, '-X', 'isolation.level=read_committed']).split('\n').slice(0, -1)
    let found: string[] = []
    let askAt = 0
    await until(`${lines} lines of output`, [...this.#instances], 5 * MINUTE, () => {
      if (Date.now() < askAt) return false
      found = read()
      askAt = Date.now() + 2000
      return found.length >= lines
    })
    return found
  }
}

/** Words of uneven frequency. */
function word(at: number): string {
  return `word${((at * at) % 7919) % WORDS}`
}

function batchComputation(): Map<string, number> {
  const counts = new Map<string, number>()
  for (let at = 0; at < SCALE.records; at++) counts.set(word(at), (counts.get(word(at)) ?? 0) + 1)
  return counts
}

describe.skipIf(!isThere)('Kafka Streams', () => {
  test('two instances of WordCount count as a batch does', { timeout: 20 * MINUTE }, async () => {
    const count = await WordCount.prepare(['commit.interval.ms=500'])
    count.instance('a')
    count.instance('b')
    await count.processed(SCALE.records)
    const last = new Map<string, number>()
    for (const line of await count.results(SCALE.records)) last.set(line.split(' ')[0], Number(line.split(' ')[1]))
    expect(last).toEqual(batchComputation())
    await count.stop()
    count.broker.expectHealthy()
  })

  test('exactly once over the death of the broker and of an instance', { timeout: 40 * MINUTE }, async () => {
    const began = Date.now()
    const count = await WordCount.prepare([
      'processing.guarantee=exactly_once_v2', 'commit.interval.ms=200', 'max.poll.records=500',
      'consumer.session.timeout.ms=30000', 'consumer.heartbeat.interval.ms=2000', 'producer.transaction.timeout.ms=30000',
    ]) // prettier-ignore
    const { broker } = count
    let a = count.instance('a')
    await count.processed(1)
    // The first instance can't answer the rebalance that the second asks for, so that it stays open.
    process.kill(a.pid, 'SIGSTOP')
    count.instance('b')
    await expect.poll(() => count.groupState(), { timeout: MINUTE, interval: 50 }).toBe('PreparingRebalance')
    await broker.kill()
    process.kill(a.pid, 'SIGCONT')
    await broker.start()

    const phases = new Map<string, number>()
    for (let kill = 1; kill <= BROKER_KILLS; kill++) {
      await count.processed((SCALE.records / (BROKER_KILLS + 1)) * kill)
      const [phase] = await broker.killWhile(() => {
        const open = openTransactions(broker.data)
        return open.size > 0 ? [...open.values()] : undefined
      })
      phases.set(phase, (phases.get(phase) ?? 0) + 1)
      await broker.start()
      if (kill === BROKER_KILLS / 2) {
        await count.kill(a)
        a = count.instance('a')
      }
    }
    await count.processed(SCALE.records)
    const results = await count.results(SCALE.records)
    await count.stop()
    expect(broken(results)).toEqual([])
    const totals = new Map(results.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]))
    expect(totals).toEqual(batchComputation())
    broker.expectHealthy()
    const kills = [...phases].map(([phase, times]) => `${times} in ${phase}`).join(', ')
    console.log(`streams: ${SCALE.records} records in ${Math.round((Date.now() - began) / 1000)} s; kills: 1 in a rebalance, ${kills}; 1 of an instance`)
  })
})

/** The lines whose count is not one more than the count before it of the same word. */
function broken(lines: readonly string[]): string[] {
  const last = new Map<string, number>()
  return lines.filter((line) => {
    const [key, value] = line.split(' ')
    const isNext = Number(value) === (last.get(key) ?? 0) + 1
    last.set(key, Number(value))
    return !isNext
  })
}
