import { describe, expect, it, vi } from 'vitest'
import { type LogConfig, defaultLogConfig } from '../../src/storage/log-config.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, append, batch, durable, keyed, manualClock, openStore, openTopic, readAll, turn, values } from './fixtures.ts'

describe('what is visible', () => {
  it('shows a record once it is synced, not when it is appended or written', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine))
    const { lastOffset } = log.append(batch(['a']), 'client')
    expect([log.logEndOffset, log.highWatermark]).toEqual([1, 0])
    log.writeOut()
    expect(log.highWatermark).toBe(0)
    expect(values(log)).toEqual([])
    await log.safe(lastOffset + 1)
    expect(log.highWatermark).toBe(1)
    expect(values(log)).toEqual(['a'])
  })

  it('shows a record once it is written when no sync is asked for, as Kafka does by default', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine), defaultLogConfig)
    machine.fault = (operation) => {
      if (operation === 'sync') throw new Error('no sync was asked for')
    }
    await append(log, ['a', 'b'])
    expect(values(log)).toEqual(['a', 'b'])
  })

  it('takes many appends of one turn to the disk with one write and one sync', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine))
    await append(log, ['first'])
    const operations: string[] = []
    machine.fault = (operation, path) => {
      if (path.endsWith('.log')) operations.push(operation)
    }
    const all = Array.from({ length: 50 }, (_, index) => append(log, [String(index)]))
    await Promise.all(all)
    expect(operations).toEqual(['write', 'sync'])
    expect(values(log)).toHaveLength(51)
  })

  it('syncs after so many messages or so long when flush.messages or flush.ms say so', async () => {
    const machine = new SimulatedMachine()
    const clock = manualClock()
    const log = await openTopic(await openStore(machine, { clock }), { ...defaultLogConfig, flushMessages: 3, flushMs: 1000 })
    let syncs = 0
    machine.fault = (operation, path) => {
      if (operation === 'sync' && path.endsWith('.log')) syncs++
    }
    await append(log, ['a'])
    await append(log, ['b'])
    expect(syncs).toBe(0)
    await append(log, ['c'])
    expect(syncs).toBe(1)
    while (log.recoveryPoint < 3) await turn()
    await append(log, ['d'])
    expect(syncs).toBe(1)
    clock.advance(1000)
    expect(syncs).toBe(2)
  })

  it('wakes listeners when the high watermark moves, and no more after they left', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    const seen: number[] = []
    const leave = log.onChange(() => seen.push(log.highWatermark))
    await append(log, ['a'])
    leave()
    await append(log, ['b'])
    expect(seen).toEqual([1])
  })

  it('refuses to promise what was never appended', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    await expect(log.safe(1)).rejects.toMatchObject({ error: 'KAFKA_STORAGE_ERROR' })
  })
})

describe('read', () => {
  it('starts with the batch that holds the offset and returns whole batches only', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    const first = batch(['a', 'b', 'c'])
    log.append(first, 'client')
    await append(log, ['d'])
    const bytes = log.read(1, first.length + 10, { atLeastOneBatch: false, until: Infinity })
    expect(bytes).toHaveLength(first.length)
    expect(bytes.readBigInt64BE(0)).toBe(0n)
  })

  it('returns a batch larger than asked for only when at least one is wanted', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    await append(log, ['x'.repeat(500)])
    expect(log.read(0, 10, { atLeastOneBatch: false, until: Infinity })).toHaveLength(0)
    expect(log.read(0, 10, { atLeastOneBatch: true, until: Infinity }).length).toBeGreaterThan(500)
  })

  it('stops below `until`', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    for (const value of ['a', 'b', 'c']) await append(log, [value])
    const bytes = log.read(0, 10_000, { atLeastOneBatch: true, until: 2 })
    expect(bytes).toHaveLength(2 * batch(['a']).length)
  })

  it('answers OFFSET_OUT_OF_RANGE below the start and above the end, nothing at the end', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    await append(log, ['a', 'b', 'c'])
    await append(log, ['d'])
    await log.deleteRecordsBefore(3)
    for (const offset of [0, 2, 5, -1]) {
      expect(() => log.read(offset, 100, { atLeastOneBatch: true, until: Infinity })).toThrow(
        expect.objectContaining({ error: 'OFFSET_OUT_OF_RANGE' }),
      )
    }
    expect(log.read(4, 100, { atLeastOneBatch: true, until: Infinity })).toHaveLength(0)
    expect(values(log)).toEqual(['d'])
  })

  it('goes on through segments, with small and large reads', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()), { ...durable, segmentBytes: 300, indexIntervalBytes: 100 })
    const expected = Array.from({ length: 40 }, (_, index) => `value ${index}`)
    for (const value of expected) await append(log, [value])
    for (const maxBytes of [1, 100, 250, 10_000]) {
      expect(readAll(log, 0, maxBytes).map((record) => record.value)).toEqual(expected)
    }
    for (const offset of [7, 20, 39]) expect(readAll(log, offset)[0]).toEqual({ offset, value: `value ${offset}` })
  })

  it('reads into memory of the caller', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    await append(log, ['a'])
    const memory = Buffer.alloc(1000)
    const allocate = (size: number) => memory.subarray(0, size)
    const bytes = log.read(0, 1000, { atLeastOneBatch: true, until: Infinity, allocate })
    expect(bytes.buffer).toBe(memory.buffer)
  })
})

describe('timestamps', () => {
  it('finds the first record at or after a timestamp, across batches and segments', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()), { ...durable, segmentBytes: 400, indexIntervalBytes: 50 })
    // Out of order within and between batches.
    const times = [[10, 30, 20], [15], [40, 35], [5], [60, 50], [55], [70]]
    for (const batchTimes of times) {
      const { lastOffset } = log.append(keyed(batchTimes.map((time) => [null, String(time), time])), 'client')
      await log.safe(lastOffset + 1)
    }
    const flat = times.flat()
    for (let timestamp = 0; timestamp <= 75; timestamp++) {
      const offset = flat.findIndex((time) => time >= timestamp)
      const found = log.offsetForTimestamp(timestamp)
      if (offset < 0) expect(found).toBeUndefined()
      else expect(found).toMatchObject({ offset, timestamp: flat[offset] })
    }
    expect(log.maxTimestamp()).toMatchObject({ offset: 10, timestamp: 70 })
  })

  it('looks into a compressed batch for the record', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    const { lastOffset } = log.append(keyed([[null, 'a', 1], [null, 'b', 9], [null, 'c', 5]], { codec: 'gzip' }), 'client')
    await log.safe(lastOffset + 1)
    expect(log.offsetForTimestamp(2)).toMatchObject({ offset: 1, timestamp: 9 })
    expect(log.maxTimestamp()).toMatchObject({ offset: 1, timestamp: 9 })
  })

  it('knows no timestamp in an empty log', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    expect(log.maxTimestamp()).toBeUndefined()
    expect(log.offsetForTimestamp(0)).toBeUndefined()
  })

  it('passes over records below the log start', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    const { lastOffset } = log.append(keyed([[null, 'a', 1], [null, 'b', 2], [null, 'c', 3]]), 'client')
    await log.safe(lastOffset + 1)
    await log.deleteRecordsBefore(2)
    expect(log.offsetForTimestamp(0)).toMatchObject({ offset: 2, timestamp: 3 })
  })
})

describe('segments', () => {
  it('begins a new one by size, by the age of records and when an index is full', async () => {
    const machine = new SimulatedMachine()
    const bases = (name: string) =>
      machine.names(`/data/${name}`).flatMap((file) => (file.endsWith('.log') ? [Number(file.slice(0, 20))] : []))
    const own = await openStore(machine)
    const bySize = await own.openLog('size', 0, 'AAAAAAAAAAAAAAAAAAAAAg', { ...durable, segmentBytes: 150 })
    for (const value of ['a', 'b', 'c']) await append(bySize, [value])
    expect(bases('size-0')).toEqual([0, 2])

    const byTime = await own.openLog('time', 0, 'AAAAAAAAAAAAAAAAAAAAAg', { ...durable, segmentMs: 1000 })
    for (const time of [0, 1000, 1001]) {
      const { lastOffset } = byTime.append(batch([String(time)], {}, NOW + time), 'client')
      await byTime.safe(lastOffset + 1)
    }
    expect(bases('time-0')).toEqual([0, 2])

    const byIndex = await own.openLog('index', 0, 'AAAAAAAAAAAAAAAAAAAAAg', { ...durable, indexIntervalBytes: 0, segmentIndexBytes: 16 })
    for (const value of ['a', 'b', 'c', 'd', 'e']) await append(byIndex, [value])
    expect(bases('index-0').length).toBeGreaterThan(1)
    expect(values(byIndex)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('begins a new one by the clock where records have no timestamps, but only when something is appended', async () => {
    const machine = new SimulatedMachine()
    const clock = manualClock()
    const log = await openTopic(await openStore(machine, { clock }), { ...durable, segmentMs: 1000 })
    const files = () => machine.names('/data/t-0').filter((name) => name.endsWith('.log')).length
    const without = async () => log.safe(log.append(batch(['x'], {}, -1), 'client').lastOffset + 1)
    await without()
    clock.advance(1000)
    await without()
    expect(files()).toBe(1)
    clock.advance(1)
    await turn()
    expect(files()).toBe(1)
    await without()
    expect(files()).toBe(2)
  })

  it('begins a new one after max.compaction.lag.ms when the topic is compacted, and after less with segment.jitter.ms', async () => {
    const rolls = async (config: Partial<LogConfig>, afterMs: number) => {
      const machine = new SimulatedMachine()
      const log = await openTopic(await openStore(machine), { ...durable, segmentMs: 10_000, ...config })
      for (const time of [0, afterMs]) log.append(keyed([['k', 'v', NOW + time]]), 'client')
      await log.safe(2)
      return machine.names('/data/t-0').filter((name) => name.endsWith('.log')).length > 1
    }
    expect(await rolls({ cleanupPolicy: new Set(['compact']), maxCompactionLagMs: 500 }, 501)).toBe(true)
    expect(await rolls({ cleanupPolicy: new Set(['compact']), maxCompactionLagMs: 500 }, 500)).toBe(false)
    expect(await rolls({ cleanupPolicy: new Set(['delete']), maxCompactionLagMs: 500 }, 501)).toBe(false)
    vi.spyOn(Math, 'random').mockReturnValue(0.5)
    expect(await rolls({ segmentJitterMs: 4000 }, 8001)).toBe(true)
    expect(await rolls({ segmentJitterMs: 4000 }, 8000)).toBe(false)
  })

  it('begins a new one before an offset is too far from the first for an index', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine))
    const far = keyed([['k', 'v', NOW]])
    far.writeInt32BE(2 ** 31 - 1, 23) // the last offset delta; trusted from a coordinator
    log.append(far, 'coordinator')
    await log.safe(2 ** 31)
    expect(log.logEndOffset).toBe(2 ** 31)
    await append(log, ['next'])
    expect(machine.names('/data/t-0').filter((name) => name.endsWith('.log'))).toEqual(['00000000000000000000.log', '00000000002147483648.log'])
  })

  it('leaves no index of a closed one behind, however its bytes were synced', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, { ...durable, segmentBytes: 170 })
    for (const value of ['a', 'b', 'c', 'd', 'e']) await append(log, [value])
    while (log.recoveryPoint < 5) await turn()
    await store.close()
    const of = (suffix: string) => machine.names('/data/t-0').filter((name) => name.endsWith(suffix)).length
    expect([of('.log'), of('.index'), of('.timeindex')]).toEqual([3, 3, 3])
    expect(machine.contents('/data/t-0/00000000000000000000.timeindex').readBigInt64BE(0)).toBe(BigInt(NOW))
  })

  it('notes the recovery point and the producers when one is closed', async () => {
    const machine = new SimulatedMachine()
    const log = await openTopic(await openStore(machine), { ...defaultLogConfig, segmentBytes: 150 })
    for (const value of ['a', 'b', 'c']) await append(log, [value])
    while (!machine.names('/data').includes('recovery-point-offset-checkpoint')) await turn()
    expect(machine.contents('/data/recovery-point-offset-checkpoint').toString()).toBe('0\n1\nt 0 3\n')
    expect(machine.names('/data/t-0')).toContain('00000000000000000002.snapshot')
    expect(machine.names('/data/t-0')).toContain('leader-epoch-checkpoint')
  })

  it('keeps few files open, whatever the number of logs', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine, { maxOpenSegments: 3 })
    const logs = await Promise.all([...Array(12).keys()].map((partition) => openTopic(store, durable, partition)))
    for (let round = 0; round < 3; round++) for (const log of logs) await append(log, [`${log.partition}-${round}`])
    for (const log of logs) expect(values(log)).toEqual([0, 1, 2].map((round) => `${log.partition}-${round}`))
  })
})

describe('deleting records', () => {
  it('drops segments wholly below the new start and keeps the start over a crash', async () => {
    const machine = new SimulatedMachine()
    const config = { ...durable, segmentBytes: 150 }
    const clock = manualClock()
    const log = await openTopic(await openStore(machine, { clock }), config)
    for (const value of ['a', 'b', 'c', 'd', 'e']) await append(log, [value])
    await log.deleteRecordsBefore(3)
    expect(log.logStartOffset).toBe(3)
    expect(values(log)).toEqual(['d', 'e'])
    expect(machine.names('/data/t-0')).not.toContain('00000000000000000000.log')
    clock.advance(60_000)
    expect(machine.names('/data/t-0').filter((name) => name.endsWith('.deleted'))).toEqual([])
    machine.restart()
    const again = await openTopic(await openStore(machine), config)
    expect(values(again)).toEqual(['d', 'e'])
    expect(again.logStartOffset).toBe(3)
  })

  it('refuses an offset above the high watermark', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    await append(log, ['a'])
    await expect(log.deleteRecordsBefore(2)).rejects.toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
  })
})

describe('leader epochs', () => {
  it('stamps batches with the epoch and answers where each ended, also after a restart', async () => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store)
    await append(log, ['a', 'b'])
    log.leaderEpoch = 3
    await append(log, ['c'])
    const check = (each: typeof log) => {
      expect(each.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 2 })
      expect(each.endOffsetForEpoch(2)).toEqual({ epoch: 0, endOffset: 2 })
      expect(each.endOffsetForEpoch(3)).toEqual({ epoch: 3, endOffset: 3 })
      expect(each.endOffsetForEpoch(4)).toEqual({ epoch: -1, endOffset: -1 })
      expect([each.earliestEpoch(), each.epochOf(1), each.epochOf(2)]).toEqual([0, 0, 3])
    }
    check(log)
    await store.close()
    check(await openTopic(await openStore(machine)))
  })
})

it.each([1, 7])('leaves every segment with its indexes, when %i appends are under way at a time', async (atOnce) => {
  const machine = new SimulatedMachine()
  const store = await openStore(machine)
  const log = await openTopic(store, { ...durable, segmentBytes: 2000, indexIntervalBytes: 200 })
  for (let i = 0; i < 60; i += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => append(log, ['x'.repeat(150)])))
  }
  await store.close()
  const names = machine.disk.list('/data/t-0').map(({ name }) => name)
  const bases = (suffix: string) => names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, 20))
  expect(bases('.log').length).toBeGreaterThan(3)
  expect(bases('.index')).toEqual(bases('.log'))
  expect(bases('.timeindex')).toEqual(bases('.log'))
})
