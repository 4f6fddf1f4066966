// Compaction, rule by rule (brokers.md §3.7) and against a model; every one of Kafka's codecs.

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { CODECS, type BatchHeader, readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { OffsetMap } from '../../src/storage/offset-map.ts'
import { groupSources } from '../../src/storage/cleaner.ts'
import { planCleaning } from '../../src/storage/cleanable.ts'
import { type LogConfig, defaultLogConfig } from '../../src/storage/log-config.ts'
import type { LogStore } from '../../src/storage/log-store.ts'
import type { Log } from '../../src/storage/log.ts'
import { DiskError } from '../../src/storage/disk.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, durable, keyed, manualClock, marker, openStore, openTopic, turn } from './fixtures.ts'

const DAY = 24 * 60 * 60 * 1000
const MAP_BYTES = 1024 * 1024
const CONFIG: LogConfig = {
  ...durable,
  cleanupPolicy: new Set(['compact']),
  segmentBytes: 400,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: DAY,
  segmentMs: 1000 * DAY,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  fileDeleteDelayMs: 0,
}

beforeAll(async () => {
  for (const codec of CODECS) await prepareCodec(codec)
})

interface StoredBatch {
  readonly header: BatchHeader
  readonly records: { offset: number; key: string | null; value: string | null; timestamp: number; headers: number }[]
}

function batches(log: Log): StoredBatch[] {
  const found: StoredBatch[] = []
  for (let next = log.logStartOffset; ; ) {
    const bytes = log.read(next, 10_000, { atLeastOneBatch: true, until: Infinity })
    if (bytes.length === 0) return found
    for (let at = 0; at < bytes.length; ) {
      const header = readBatchHeader(bytes, at)
      const cursor = new RecordCursor(header, recordsOf(bytes, at, header, 1 << 24))
      const records: StoredBatch['records'] = []
      while (cursor.next()) {
        const [key, value] = [cursor.key(), cursor.value()]
        records.push({ offset: cursor.offset, key: key?.toString() ?? null, value: value?.toString() ?? null, timestamp: cursor.timestamp, headers: cursor.headerCount })
      }
      found.push({ header, records })
      at += header.size
      next = header.baseOffset + header.lastOffsetDelta + 1
    }
  }
}

/** offset → key=value of all records but those of control batches. */
function data(log: Log): [number, string][] {
  return batches(log).flatMap(({ header, records }) =>
    header.isControl ? [] : records.map(({ offset, key, value }): [number, string] => [offset, `${key}=${value}`]),
  )
}

function put(log: Log, pairs: readonly (readonly [string, string | null])[], options: Parameters<typeof keyed>[1] = {}, timestamp = NOW) {
  return log.append(keyed(pairs.map(([key, value]) => [key, value, timestamp]), options), 'client')
}

async function start(config: LogConfig = CONFIG, machine = new SimulatedMachine()) {
  const clock = manualClock()
  const store = await openStore(machine, { clock })
  const log = await openTopic(store, { ...config, segmentBytes: 100_000 })
  return { machine, clock, store, log }
}

const clean = (store: LogStore, bytes = MAP_BYTES) => store.cleaner.cleanDirtiest(store.logs(), bytes)
const files = (machine: SimulatedMachine, suffix: string) => machine.names('/data/t-0').filter((name) => name.endsWith(suffix))

/** Appends, closes the segment and begins the next with a record of another key. */
async function sealed(log: Log, append: () => void): Promise<void> {
  append()
  const { config } = log
  log.config = { ...config, segmentBytes: 1 }
  const { lastOffset } = log.append(keyed([[`seal ${log.logEndOffset}`, '', NOW]]), 'coordinator')
  log.config = config
  await log.safe(lastOffset + 1)
  while (log.recoveryPoint < lastOffset + 1) await turn()
}

const userData = (log: Log) => data(log).filter(([, text]) => !text.startsWith('seal'))

describe('records', () => {
  it('stay only when no later one has their key, at their offsets', async () => {
    const { store, log } = await start()
    await sealed(log, () => {
      put(log, [['a', '1'], ['b', '1'], ['c', '1']])
      put(log, [['a', '2'], ['b', '2']], { codec: 'gzip' })
    })
    await sealed(log, () => put(log, [['a', '3']], { codec: 'zstd' }))
    expect(await clean(store)).toBe(true)
    expect(userData(log)).toEqual([[2, 'c=1'], [4, 'b=2'], [6, 'a=3']])
    expect(await clean(store)).toBe(false)
    expect(log.read(0, 1, { atLeastOneBatch: true, until: 100 }).readBigInt64BE(0)).toBe(0n)
  })

  it('of the active segment and above the last stable offset are left alone', async () => {
    const { store, log } = await start()
    await sealed(log, () => put(log, [['a', '1']]))
    await sealed(log, () => put(log, [['a', '2']], { producerId: 7n, producerEpoch: 0, baseSequence: 0, isTransactional: true }))
    put(log, [['a', '3']])
    await log.safe(log.logEndOffset)
    await clean(store)
    expect(userData(log)).toEqual([[0, 'a=1'], [2, 'a=2'], [4, 'a=3']])
  })

  it('without a key are dropped; those with headers keep them', async () => {
    const { store, log } = await start({ ...CONFIG, cleanupPolicy: new Set(['delete']) })
    await sealed(log, () => log.append(keyed([[null, 'none', NOW], ['a', '1', NOW]]), 'client'))
    log.config = { ...log.config, cleanupPolicy: new Set(['compact']) }
    await clean(store)
    expect(userData(log)).toEqual([[1, 'a=1']])
  })

  it('keep their timestamps, and are found by them', async () => {
    const { store, log } = await start()
    await sealed(log, () => {
      put(log, [['a', '1']], {}, NOW + 5000)
      put(log, [['b', '1']], { codec: 'lz4' }, NOW + 1000)
      put(log, [['a', '2']], {}, NOW + 2000)
      put(log, [['d', null]], { codec: 'snappy' }, NOW + 3000)
    })
    await clean(store)
    expect(batches(log).flatMap(({ records }) => records.map(({ timestamp }) => timestamp - NOW)).slice(0, 3)).toEqual([1000, 2000, 3000])
    expect(log.offsetForTimestamp(NOW)?.offset).toBe(1)
    expect(log.offsetForTimestamp(NOW + 2500)?.offset).toBe(3)
  })
})

describe('tombstones', () => {
  it('delete what came before, and go themselves after delete.retention.ms', async () => {
    const { store, clock, log } = await start()
    await sealed(log, () => put(log, [['a', '1'], ['b', '1']]))
    await sealed(log, () => put(log, [['a', null]]))
    await clean(store)
    expect(userData(log)).toEqual([[1, 'b=1'], [3, 'a=null']])
    const horizon = batches(log).find(({ header }) => header.hasDeleteHorizon)
    expect([horizon?.header.baseTimestamp, horizon?.records[0].timestamp]).toEqual([NOW + DAY, NOW])
    clock.advance(DAY - 1)
    await sealed(log, () => put(log, [['x', '1']]))
    await clean(store)
    expect(userData(log).map(([offset]) => offset)).toContain(3)
    clock.advance(1)
    await sealed(log, () => put(log, [['y', '1']]))
    await clean(store)
    expect(userData(log).map(([offset]) => offset)).not.toContain(3)
  })
})

describe('transactions', () => {
  const A = { producerId: 7n, producerEpoch: 0 }
  const write = (log: Log, key: string, baseSequence: number) => put(log, [[key, 'txn']], { ...A, baseSequence, isTransactional: true })

  it('aborted ones go at once, their marker when it is spent and its horizon has passed', async () => {
    const { machine, store, clock, log } = await start()
    await sealed(log, () => {
      put(log, [['a', 'plain']]) // 0
      write(log, 'a', 0) // 1
      log.append(marker('abort', A), 'coordinator') // 2
      write(log, 'b', 1) // 3
      log.append(marker('commit', A), 'coordinator') // 4
    }) // 5: the seal
    const controls = () => batches(log).filter(({ header }) => header.isControl).map(({ header, records }) => [header.baseOffset, records.length])
    await clean(store)
    expect(userData(log)).toEqual([[0, 'a=plain'], [3, 'b=txn']])
    expect(controls()).toEqual([[2, 1], [4, 1]])
    expect(log.abortedTransactions(0, 10)).toHaveLength(1)
    expect(files(machine, '.txnindex')).toHaveLength(1)
    await sealed(log, () => put(log, [['x', '1']]))
    await clean(store) // nothing of the aborted one is left: its marker gets a horizon, its entry goes
    expect(log.abortedTransactions(0, 10)).toEqual([])
    expect(batches(log).filter(({ header }) => header.hasDeleteHorizon).map(({ header }) => header.baseOffset)).toEqual([2])
    clock.advance(DAY)
    await sealed(log, () => put(log, [['b', 'newer']]))
    await clean(store)
    // The last batch of the producer (3) lost its record and keeps its header, so its marker stays, too.
    expect(controls()).toEqual([[4, 1]])
    expect(batches(log).find(({ header }) => header.baseOffset === 3)).toMatchObject({ records: [], header: { producerId: 7n, baseSequence: 1 } })
  })
})

describe('producers', () => {
  it("keep their last batch's header, so that the next sequence fits after any restart", async () => {
    const { machine, store, log } = await start()
    const P = { producerId: 9n, producerEpoch: 3 }
    await sealed(log, () => {
      put(log, [['a', '1']], { ...P, baseSequence: 0 })
      put(log, [['a', '2'], ['a', '3']], { ...P, baseSequence: 1, codec: 'gzip' })
    })
    await sealed(log, () => put(log, [['a', 'other']]))
    await clean(store)
    expect(userData(log)).toEqual([[4, 'a=other']])
    expect(batches(log)[0].header).toMatchObject({ baseOffset: 1, lastOffsetDelta: 1, baseSequence: 1, producerEpoch: 3, recordCount: 0 })
    for (const name of files(machine, '.snapshot')) machine.disk.remove(`/data/t-0/${name}`)
    machine.kill()
    const again = await openTopic(await openStore(machine), CONFIG)
    expect(again.describeProducers()).toMatchObject([{ producerId: 9n, lastSequence: 2 }])
    expect(put(again, [['a', '2'], ['a', '3']], { ...P, baseSequence: 1 }).isDuplicate).toBe(true)
    expect(put(again, [['a', 'next']], { ...P, baseSequence: 3 }).isDuplicate).toBe(false)
  })
})

describe('what is cleaned', () => {
  it('small neighbours become one segment, which keeps its name and loses the others', async () => {
    const { machine, store, log } = await start()
    for (let round = 0; round < 6; round++) await sealed(log, () => put(log, [['a', String(round)]]))
    expect(files(machine, '.log').length).toBeGreaterThan(5)
    await clean(store)
    expect(files(machine, '.log')).toHaveLength(2)
    expect(machine.contents('/data/cleaner-offset-checkpoint').toString()).toBe(`0\n1\nt 0 ${store.cleaner.cleanedTo(log)}\n`)
  })

  it('groups by segment.bytes and by the reach of an offset in an index', () => {
    const source = (baseOffset: number, endOffset: number, size: number) => ({ baseOffset, endOffset, size })
    const bases = (...sources: ReturnType<typeof source>[]) => groupSources(sources, 100).map((group) => group.map(({ baseOffset }) => baseOffset))
    expect(bases(source(0, 5, 50), source(5, 9, 50), source(9, 10, 1))).toEqual([[0, 5], [9]])
    expect(bases(source(0, 5, 1), source(5, 2 ** 31, 1), source(2 ** 31, 2 ** 31 + 1, 1))).toEqual([[0, 5], [2 ** 31]])
  })

  it.each([
    ['the ratio of new bytes', {}, { minCleanableDirtyRatio: 0.5 }, 2, { isDue: false, dirtyRatio: 0.5 }],
    ['the ratio passed', {}, { minCleanableDirtyRatio: 0.49 }, 2, { isDue: true, endOffset: 4 }],
    ['nothing new', {}, {}, 4, undefined],
    ['a checkpoint above the end', {}, {}, 999, { firstDirtyOffset: 0, dirtyRatio: 1 }],
    ['a checkpoint below the start', { logStartOffset: 3 }, {}, 1, { firstDirtyOffset: 3 }],
    ['min.compaction.lag.ms', {}, { minCompactionLagMs: 1500 }, 0, { endOffset: 2 }],
    ['max.compaction.lag.ms', {}, { maxCompactionLagMs: 2500, minCleanableDirtyRatio: 1 }, 0, { isDue: true }],
    ['not yet max.compaction.lag.ms', {}, { maxCompactionLagMs: 5000, minCleanableDirtyRatio: 1 }, 0, { isDue: false }],
    ['an open transaction', { limit: 3 }, {}, 0, { endOffset: 2 }],
  ])('%s', (_name, facts, config, cleanedTo, expected) => {
    const segment = (baseOffset: number, timestamp: number) => ({ baseOffset, endOffset: baseOffset + 2, size: 100, firstTimestamp: () => timestamp, largestTimestamp: () => timestamp })
    const log = { segments: [segment(0, NOW - 3000), segment(2, NOW - 1000)], logStartOffset: 0, logEndOffset: 5, limit: 5, ...facts }
    const plan = planCleaning(log, { ...defaultLogConfig, minCleanableDirtyRatio: 0, ...config }, cleanedTo, NOW)
    if (expected === undefined) expect(plan).toBeUndefined()
    else expect(plan).toMatchObject(expected)
  })

  it('goes on where the map was full', async () => {
    const { store, log } = await start()
    await sealed(log, () => {
      for (let index = 0; index < 40; index++) put(log, [[`k${index % 20}`, String(index)]])
    })
    const mapBytes = 24 * 12
    let rounds = 0
    while (await clean(store, mapBytes)) rounds++
    expect(rounds).toBeGreaterThan(1)
    expect(userData(log)).toEqual(Array.from({ length: 20 }, (_, index) => [20 + index, `k${index}=${20 + index}`]))
  })

  it('leaves a log alone whose files are damaged, and the others go on', async () => {
    const { machine, store, log } = await start()
    await sealed(log, () => put(log, [['a', '1'], ['a', '2']]))
    const before = userData(log)
    machine.contents('/data/t-0/00000000000000000000.log')[70] ^= 1
    expect(await clean(store)).toBe(false)
    expect(await clean(store)).toBe(false)
    machine.contents('/data/t-0/00000000000000000000.log')[70] ^= 1
    expect([userData(log), log.failure, files(machine, '.cleaned')]).toEqual([before, undefined, []])
  })

  it('tries again after want of space, with nothing left behind', async () => {
    const { machine, store, log } = await start()
    await sealed(log, () => put(log, [['a', '1'], ['a', '2']]))
    machine.fault = (operation, path) => {
      if (operation === 'open' && path.endsWith('.cleaned')) throw new DiskError('noSpace', path, 'ENOSPC', 'full')
    }
    expect(await clean(store)).toBe(false)
    expect([log.failure, files(machine, '.cleaned')]).toEqual([undefined, []])
    machine.fault = undefined
    expect(await clean(store)).toBe(true)
  })

  it('gaps are no lost tail, also above a recovery point that Apache noted long ago', async () => {
    const { machine, store, log } = await start()
    for (let round = 0; round < 4; round++) {
      await sealed(log, () => {
        put(log, [['a', 'x'.repeat(50_000)]])
        put(log, [[`k${round}`, 'x'.repeat(50_000)]])
        put(log, [['a', 'y']])
      })
    }
    await clean(store)
    expect(files(machine, '.log').length).toBeGreaterThan(2)
    const before = data(log)
    for (const name of ['recovery-point-offset-checkpoint', 'cleaner-offset-checkpoint']) machine.disk.remove(`/data/${name}`)
    machine.kill()
    const again = await openTopic(await openStore(machine), CONFIG)
    expect([again.failure, data(again), again.logEndOffset]).toEqual([undefined, before, log.logEndOffset])
  })

  it('a topic deleted meanwhile is left; made again, it starts dirty', async () => {
    const { machine, store, log } = await start()
    await sealed(log, () => put(log, [['a', '1'], ['a', '2']]))
    await clean(store)
    await sealed(log, () => put(log, [['a', '3']]))
    const cleaning = clean(store)
    await store.deleteLog(log)
    expect(await cleaning).toBe(false)
    const again = await openTopic(store, CONFIG)
    expect([store.cleaner.cleanedTo(again), data(again)]).toEqual([undefined, []])
    expect(files(machine, '.log')).toEqual([])
  })

  it('records deleted meanwhile are gone afterwards', async () => {
    const { machine, store, log } = await start({ ...CONFIG, cleanupPolicy: new Set(['compact', 'delete']) })
    for (let round = 0; round < 4; round++) await sealed(log, () => put(log, [[`k${round}`, 'x']]))
    const cleaning = clean(store)
    await log.deleteRecordsBefore(log.highWatermark)
    expect(await cleaning).toBe(true)
    expect([data(log), files(machine, '.log')]).toEqual([[], [`0000000000000000000${log.highWatermark - 1}.log`]])
  })
})

describe('the map of offsets', () => {
  it('knows the last offset of each key, and when it is full', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.nat()), { maxLength: 3000 }), (pairs) => {
        const map = new OffsetMap(1024 * 1024, 10)
        const model = new Map<string, number>()
        for (const [key, offset] of pairs) {
          const bytes = Buffer.from(key)
          expect(map.put(bytes, 0, bytes.length, offset)).toBe(true)
          model.set(bytes.toString('hex'), offset)
        }
        expect(map.size).toBe(model.size)
        for (const [key, offset] of model) expect(map.get(Buffer.from(key, 'hex'), 0, key.length / 2)).toBe(offset)
        expect(map.get(Buffer.from('another key'), 0, 11)).toBe(-1)
      }),
      { numRuns: 20 },
    )
    const small = new OffsetMap(240, 1000)
    const put = (key: number) => small.put(Buffer.from([key]), 0, 1, key)
    expect(Array.from({ length: 12 }, (_, key) => put(key))).toEqual([...Array(9).fill(true), false, false, false])
    expect(put(3)).toBe(true)
  })
})
