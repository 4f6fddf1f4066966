// What a transaction is after the machine was cut at any moment of it: all or nothing, in every partition and in the
// group's offsets, and all when the answer said so. Nothing is left open.

import { describe, expect, test } from 'vitest'
import { testBroker } from '../../support/broker.ts'
import { GroupClient } from '../../support/group-client.ts'
import { SimulatedMachine } from '../../support/simulated-disk.ts'
import { NEW_PROTOCOL, OLD_PROTOCOL, TransactionClient, valuesIn } from '../../support/transaction-client.ts'

const PROTOCOLS = [
  ['the old protocol', OLD_PROTOCOL],
  ['the new protocol', NEW_PROTOCOL],
] as const
const properties = { 'offsets.topic.num.partitions': '1', 'transaction.state.log.num.partitions': '1' }
const STATE = '__transaction_state-0'

async function brokerOn(machine: SimulatedMachine) {
  const found = await testBroker({ disk: machine.disk, properties, topics: machine.operations === 0 ? ['t:2'] : [] })
  return { ...found, client: await found.connect() }
}

/** With everything there that a transaction needs, so that only its own writes are counted. */
async function begun(machine: SimulatedMachine, protocol: typeof OLD_PROTOCOL) {
  const found = await brokerOn(machine)
  await new GroupClient(found.client, 'g').findCoordinator()
  const producer = new TransactionClient(found.client, 'id', protocol)
  expect(await producer.init()).toBe('NONE')
  return { ...found, producer }
}

/** Rejects when the machine is cut. */
async function write(producer: TransactionClient): Promise<void> {
  const isOld = producer.versions === OLD_PROTOCOL
  if (isOld) await producer.add('t', [0, 1])
  expect(await producer.send('t', ['a'])).toBe('NONE')
  expect(await producer.send('t', ['b'], { partition: 1 })).toBe('NONE')
  if (isOld) await producer.addOffsets('g')
  expect(await producer.commitOffset('g', 't', 5)).toBe('NONE')
}

/** What a reader of committed records finds when the id's next producer has begun. */
async function outcome(machine: SimulatedMachine) {
  const { broker, client } = await brokerOn(machine)
  const next = new TransactionClient(client, 'id')
  await expect.poll(() => next.init(), { interval: 5 }).toBe('NONE')
  const { offset, error } = await new GroupClient(client, 'g').committed('t', 9, true)
  const values = [...(await valuesIn(client, 't')), ...(await valuesIn(client, 't', 'committed', 1))]
  for (const { log } of broker.partitions.all()) expect(log.lastStableOffset).toBe(log.highWatermark)
  // It goes on.
  expect(await next.send('t', ['next'])).toBe('NONE')
  expect(await next.end(true)).toBe('NONE')
  expect(await valuesIn(client, 't')).toContain('next')
  await broker.stop()
  return { values, offset, error }
}

const ALL = { values: ['a', 'b'], offset: 5, error: 'NONE' }
const NOTHING = { values: [], offset: -1, error: 'NONE' }

describe.each(PROTOCOLS)('a machine that is cut in a transaction of %s', (_, protocol) => {
  test.each([['commits', true], ['aborts', false]] as const)('which %s, at any operation', async (_name, isCommit) => { // prettier-ignore
    const whole = new SimulatedMachine()
    const { producer } = await begun(whole, protocol)
    const from = whole.operations
    await write(producer)
    await producer.end(isCommit)
    const operations = whole.operations - from
    expect(operations).toBeGreaterThan(15)
    const seen = new Set<string>()
    for (let at = 1; at <= operations; at += isCommit ? 1 : 4) seen.add(await cutAfter(at, isCommit))
    expect([...seen].sort()).toEqual(isCommit ? ['all', 'nothing'] : ['nothing'])
  }, 120_000)

  async function cutAfter(operations: number, isCommit: boolean): Promise<string> {
    const machine = new SimulatedMachine()
    const { client, producer } = await begun(machine, protocol)
    machine.cutAt = machine.operations + operations
    let isOver = false
    let told = ''
    const talking = write(producer)
      .then(async () => (told = await producer.end(isCommit)))
      .catch(() => '')
      .finally(() => (isOver = true))
    await expect.poll(() => isOver || machine.isOff, { interval: 1 }).toBe(true)
    client.close()
    await talking
    machine.restart()
    const found = await outcome(machine)
    if (told === 'NONE') expect(found).toEqual(isCommit ? ALL : NOTHING)
    expect([ALL, NOTHING]).toContainEqual(found)
    return found.values.length > 0 ? 'all' : 'nothing'
  }

  test('while it is ongoing: it goes on, and commits', async () => {
    const machine = new SimulatedMachine()
    const { producer } = await begun(machine, protocol)
    await write(producer)
    machine.restart()
    const { client } = await brokerOn(machine)
    const again = new TransactionClient(client, 'id', protocol)
    Object.assign(again, { producerId: producer.producerId, epoch: producer.epoch })
    expect(await again.phase()).toBe('Ongoing')
    expect(await valuesIn(client, 't')).toEqual([])
    expect(await again.send('t', ['c'], { sequence: 1 })).toBe('NONE')
    expect(await again.end(true)).toBe('NONE')
    expect(await valuesIn(client, 't')).toEqual(['a', 'c'])
    expect(await new GroupClient(client, 'g').committed('t', 9, true)).toMatchObject({ offset: 5 })
  })

  test.each([['CompleteCommit', true], ['CompleteAbort', false]] as const)('in %s: it is not opened again, and what was fenced is', async (state, isCommit) => { // prettier-ignore
    const machine = new SimulatedMachine()
    const { client, producer } = await begun(machine, protocol)
    const fenced = producer.on(client) // of an epoch ago
    expect(await producer.init()).toBe('NONE')
    await write(producer)
    const ended = producer.on(client)
    expect(await producer.end(isCommit)).toBe('NONE')
    await expect.poll(() => producer.phase(), { interval: 5 }).toBe(state)
    machine.restart()
    const { client: after, broker } = await brokerOn(machine)
    const again = producer.on(after)
    expect(await again.phase()).toBe(state)
    for (const { log } of broker.partitions.all()) expect(log.lastStableOffset).toBe(log.highWatermark)
    expect(await valuesIn(after, 't')).toEqual(isCommit ? ['a'] : [])
    expect(await new GroupClient(after, 'g').committed('t', 9, true)).toMatchObject({ offset: isCommit ? 5 : -1, error: 'NONE' })
    expect(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']).toContain(await fenced.on(after).end(isCommit))
    expect(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED']).toContain(await fenced.on(after).send('t', ['late']))
    // Whoever did not hear the answer asks again.
    expect(await ended.on(after).end(isCommit)).toBe('NONE')
    expect(await ended.on(after).end(!isCommit)).toBe('INVALID_TXN_STATE')
  })

  test.each([
    ['the decision is written, no marker', (path: string) => path.includes('t-0'), true],
    ['half of the markers are', (path: string) => path.includes('t-1'), true],
    ['all markers are, not the completion', (path: string) => path.includes(STATE), false],
  ])('when %s', async (_name, isNext, isFirst) => {
    for (const isCommit of [true, false]) {
      const machine = new SimulatedMachine()
      const { client, producer } = await begun(machine, protocol)
      await write(producer)
      let decided = 0
      machine.fault = (operation, path) => {
        if (operation !== 'write' || !path.endsWith('.log')) return
        if (decided > 0 && isNext(path)) machine.cutAt = machine.operations
        if (path.includes(STATE)) decided++
      }
      const ended = producer.end(isCommit).catch(() => 'cut')
      await expect.poll(() => machine.isOff, { interval: 1 }).toBe(true)
      client.close()
      await ended // with an answer or without: it is decided
      expect(decided).toBe(isFirst ? 1 : 2)
      machine.fault = undefined
      machine.cutAt = Infinity
      machine.restart()
      expect(await outcome(machine)).toEqual(isCommit ? ALL : NOTHING)
    }
  })
})
