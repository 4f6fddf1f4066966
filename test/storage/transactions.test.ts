// Transactions in a log: what holds the last stable offset back, and how aborted ones are found again.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Log } from '../../src/storage/log.ts'
import type { LogConfig } from '../../src/storage/log-config.ts'
import { TXN_ENTRY_BYTES } from '../../src/storage/txn-index.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { append, batch, durable, marker, openStore, openTopic } from './fixtures.ts'

const A = { producerId: 9n, producerEpoch: 0 }
const B = { producerId: 10n, producerEpoch: 0 }
const SMALL: LogConfig = { ...durable, segmentBytes: 300 }
const refusal = (error: string): unknown => expect.objectContaining({ error })

const sequences = new WeakMap<Log, Map<string, number>>()

/** One record in a transaction of the producer. */
function write(log: Log, producer: typeof A): void {
  const known = sequences.get(log) ?? new Map<string, number>()
  sequences.set(log, known)
  const key = `${producer.producerId}/${producer.producerEpoch}`
  const baseSequence = known.get(key) ?? 0
  known.set(key, baseSequence + 1)
  log.append(batch(['x'], { ...producer, baseSequence, isTransactional: true }), 'client')
}

async function end(log: Log, kind: 'commit' | 'abort', producer: typeof A): Promise<number> {
  const { lastOffset } = log.append(marker(kind, producer), 'coordinator')
  await log.safe(lastOffset + 1)
  return lastOffset
}

const offsets = (log: Log, from: number, upTo: number) =>
  log.abortedTransactions(from, upTo).map(({ producerId, firstOffset }) => [Number(producerId), firstOffset])

describe('aborted transactions', () => {
  it('are listed for every reader whose records they may touch, and only for those', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()), SMALL)
    write(log, A) // 0
    write(log, B) // 1
    await append(log, ['plain']) // 2
    await end(log, 'abort', A) // 3
    write(log, A) // 4
    await end(log, 'commit', B) // 5
    await end(log, 'abort', A) // 6
    await append(log, ['plain']) // 7
    expect(offsets(log, 0, 8)).toEqual([[9, 0], [9, 4]])
    expect(offsets(log, 0, 4)).toEqual([[9, 0]])
    expect(offsets(log, 4, 8)).toEqual([[9, 4]])
    expect(offsets(log, 7, 8)).toEqual([])
    expect(log.abortedTransactions(0, 8).map(({ lastOffset, lastStableOffset }) => [lastOffset, lastStableOffset])).toEqual([[3, 1], [6, 7]])
  })

  it.each(['clean', 'killed', 'power'] as const)('are known after a restart: %s', async (how) => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, SMALL)
    for (let round = 0; round < 10; round++) {
      write(log, A)
      write(log, B)
      await end(log, round % 2 === 0 ? 'abort' : 'commit', A)
      await end(log, round % 3 === 0 ? 'abort' : 'commit', B)
    }
    write(log, A)
    await append(log, ['x'])
    const before = log.abortedTransactions(0, 100)
    expect(before).toHaveLength(9)
    const { highWatermark, lastStableOffset } = log
    if (how === 'clean') await store.close()
    if (how === 'power') machine.restart()
    else machine.kill()
    const again = await openTopic(await openStore(machine), SMALL)
    expect(again.abortedTransactions(0, 100)).toEqual(before)
    expect([again.highWatermark, again.lastStableOffset]).toEqual([highWatermark, lastStableOffset])
    expect(again.hasOpenTransaction(9n)).toBe(true)
  })

  it('are listed again when their index is garbage', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, SMALL)
    for (let round = 0; round < 10; round++) {
      write(log, A)
      await end(log, 'abort', A)
    }
    const before = log.abortedTransactions(0, 100)
    await store.close()
    const files = machine.names('/data/t-0').filter((name) => name.endsWith('.txnindex'))
    expect(files.length).toBeGreaterThan(2)
    for (const name of files.slice(1)) machine.put(`/data/t-0/${name}`, Buffer.alloc(50, 1))
    machine.kill()
    expect((await openTopic(await openStore(machine), SMALL)).abortedTransactions(0, 100)).toEqual(before)
  })

  it('leave no file where there are none', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, SMALL)
    for (let round = 0; round < 10; round++) {
      write(log, A)
      await end(log, 'commit', A)
    }
    await store.close()
    expect(machine.names('/data/t-0').filter((name) => name.endsWith('.txnindex'))).toEqual([])
  })

  it('go with their segment', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine), SMALL)
    for (let round = 0; round < 10; round++) {
      write(log, A)
      await end(log, 'abort', A)
    }
    await log.deleteRecordsBefore(15)
    expect(machine.names('/data/t-0').filter((name) => name.endsWith('.txnindex'))[0] > '00000000000000000010').toBe(true)
    expect(offsets(log, 15, 20).length).toBeGreaterThan(0)
  })

  it('are taken back with the batches when there is no space', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine), { ...SMALL, segmentBytes: 10_000 })
    write(log, A)
    await log.safe(1)
    machine.capacity = 0
    const { lastOffset } = log.append(marker('abort', A), 'coordinator')
    await expect(log.safe(lastOffset + 1)).rejects.toEqual(refusal('KAFKA_STORAGE_ERROR'))
    expect(offsets(log, 0, 100)).toEqual([])
    expect([log.hasOpenTransaction(9n), log.lastStableOffset]).toEqual([true, 0])
  })

  it('of which the index does not fit on the disk are looked for again at the next start', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine), { ...SMALL, segmentBytes: 10_000, segmentMs: 1000 })
    write(log, A)
    await end(log, 'abort', A)
    machine.fault = (operation, path) => {
      if (path.endsWith('.txnindex')) machine.capacity = operation === 'open' ? 0 : machine.capacity
    }
    log.append(batch(['x'], {}, 1_700_000_002_000), 'client')
    await log.safe(3)
    machine.fault = undefined
    machine.capacity = Infinity
    const before = log.abortedTransactions(0, 10)
    expect(before).toHaveLength(1)
    machine.restart()
    expect((await openTopic(await openStore(machine), SMALL)).abortedTransactions(0, 10)).toEqual(before)
  })
})

describe('markers', () => {
  it('of an older coordinator or an older epoch of the producer are refused', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    write(log, { ...A, producerEpoch: 3 })
    expect(log.hasOpenTransaction(9n, 3)).toBe(true)
    expect(log.hasOpenTransaction(9n, 4)).toBe(false)
    log.append(marker('commit', { ...A, producerEpoch: 4 }, { coordinatorEpoch: 7 }), 'coordinator')
    expect(log.hasOpenTransaction(9n)).toBe(false)
    expect(() => log.append(marker('commit', { ...A, producerEpoch: 4 }, { coordinatorEpoch: 6 }), 'coordinator')).toThrow(
      refusal('TRANSACTION_COORDINATOR_FENCED'),
    )
    expect(() => log.append(marker('abort', { ...A, producerEpoch: 3 }, { coordinatorEpoch: 7 }), 'coordinator')).toThrow(
      refusal('INVALID_PRODUCER_EPOCH'),
    )
    // Again, of the same epoch: harmless, there is nothing to end.
    log.append(marker('abort', { ...A, producerEpoch: 4 }, { coordinatorEpoch: 7 }), 'coordinator')
    expect(offsets(log, 0, 100)).toEqual([])
  })

  it('keep plain and transactional batches of a producer apart', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    write(log, A)
    const plain = (epoch: number, baseSequence: number) => () =>
      log.append(batch(['x'], { ...A, producerEpoch: epoch, baseSequence }), 'client')
    expect(plain(0, 1)).toThrow(refusal('INVALID_TXN_STATE'))
    expect(plain(1, 0)).toThrow(refusal('INVALID_TXN_STATE'))
    expect(plain(0, 5)).toThrow(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    await end(log, 'commit', A)
    expect(plain(0, 1)).not.toThrow()
  })

  it("end what a coordinator wrote without sequences (a group's offsets)", async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store)
    log.append(batch(['offset'], { ...A, isTransactional: true }), 'coordinator')
    await log.safe(1)
    expect(log.lastStableOffset).toBe(0)
    await store.close()
    machine.kill()
    const again = await openTopic(await openStore(machine))
    expect([again.lastStableOffset, again.describeProducers()[0].lastSequence]).toEqual([0, -1])
    await end(again, 'abort', A)
    expect(again.lastStableOffset).toBe(2)
    expect(offsets(again, 0, 2)).toEqual([[9, 0]])
  })
})

it('a reader of committed records sees what a model of a few lines says, over any restart', async () => {
  const step = fc.record({ who: fc.nat(2), what: fc.constantFrom('write', 'write', 'commit', 'abort', 'plain', 'clean', 'kill', 'power') })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const machine = new SimulatedMachine()
      let store = await openStore(machine)
      let log = await openTopic(store, SMALL)
      const sequence = [0, 0, 0]
      const open = new Map<number, number>()
      const state: ('open' | 'aborted' | 'committed')[] = []
      const owner: number[] = []
      for (const { who, what } of steps) {
        const producer = { producerId: BigInt(who), producerEpoch: 0 }
        const isPlain = what === 'plain'
        if (what === 'write' || isPlain) {
          const options = isPlain ? {} : { ...producer, baseSequence: sequence[who]++, isTransactional: true }
          await append(log, [String(state.length)], options)
          if (!isPlain && !open.has(who)) open.set(who, state.length)
          owner.push(isPlain ? -1 : who)
          state.push(isPlain ? 'committed' : 'open')
        } else if (what === 'commit' || what === 'abort') {
          await end(log, what, producer)
          if (open.delete(who)) owner.forEach((each, at) => {
            if (each === who && state[at] === 'open') state[at] = what === 'abort' ? 'aborted' : 'committed'
          })
          owner.push(-1)
          state.push('committed')
        } else {
          if (what === 'clean') await store.close()
          if (what === 'power') machine.restart()
          else machine.kill()
          store = await openStore(machine)
          log = await openTopic(store, SMALL)
        }
      }
      const firstOpen = Math.min(...open.values(), state.length)
      expect([log.lastStableOffset, log.highWatermark]).toEqual([firstOpen, state.length])
      for (const from of [0, state.length >> 1]) {
        const aborted = log.abortedTransactions(from, firstOpen)
        const hidden = (offset: number) =>
          aborted.some((each) => Number(each.producerId) === owner[offset] && each.firstOffset <= offset && offset < each.lastOffset)
        for (let offset = from; offset < firstOpen; offset++) expect([offset, hidden(offset)]).toEqual([offset, state[offset] === 'aborted'])
      }
    }),
    { numRuns: 60 },
  )
})

it('an entry is 34 bytes: version, producer, first and last offset, last stable offset', async () => {
  const machine = new SimulatedMachine()
  const store = await openStore(machine)
  const log = await openTopic(store)
  write(log, A)
  await end(log, 'abort', A)
  await store.close()
  const bytes = machine.contents('/data/t-0/00000000000000000000.txnindex')
  expect(bytes.length).toBe(TXN_ENTRY_BYTES)
  expect([bytes.readInt16BE(0), ...[2, 10, 18, 26].map((at) => Number(bytes.readBigInt64BE(at)))]).toEqual([0, 9, 0, 1, 2])
})
