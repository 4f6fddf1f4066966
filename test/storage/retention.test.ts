// What retention drops and what it keeps (brokers.md §3.5), on a clock moved by hand.

import { describe, expect, it } from 'vitest'
import { DiskError } from '../../src/storage/disk.ts'
import { type LogConfig, defaultLogConfig } from '../../src/storage/log-config.ts'
import type { Log } from '../../src/storage/log.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, batch, durable, manualClock, openStore, openTopic, turn, values } from './fixtures.ts'

const DAY = 24 * 60 * 60 * 1000
// Two batches of one record fill a segment.
const CONFIG: LogConfig = { ...durable, segmentBytes: 170, fileDeleteDelayMs: 60_000, retentionMs: DAY, segmentMs: 100 * DAY, timestampAfterMaxMs: Number.MAX_SAFE_INTEGER }

async function fill(log: Log, count: number, timestamp: (index: number) => number = () => NOW): Promise<void> {
  for (let index = 0; index < count; index++) {
    const at = log.logEndOffset
    log.append(batch([String(at)], {}, timestamp(index)), 'client')
    await log.safe(at + 1)
  }
}

const logFiles = (machine: SimulatedMachine) => machine.names('/data/t-0').filter((name) => name.endsWith('.log'))

async function start(config: LogConfig, machine = new SimulatedMachine()) {
  const clock = manualClock()
  const store = await openStore(machine, { clock })
  return { machine, clock, store, log: await openTopic(store, config) }
}

describe('by time', () => {
  it('drops segments of which the youngest record is older than retention.ms, from the oldest on', async () => {
    const { machine, clock, log } = await start(CONFIG)
    await fill(log, 6, (index) => NOW + index * 1000)
    clock.advance(DAY + 1000)
    expect(await log.deleteOldSegments()).toBe(0) // the first ends at NOW + 1000: not older, as old
    clock.advance(1)
    expect(await log.deleteOldSegments()).toBe(1)
    expect([log.logStartOffset, values(log)]).toEqual([2, ['2', '3', '4', '5']])
    expect(machine.names('/data/t-0').filter((name) => name.endsWith('.deleted'))).toContain('00000000000000000000.log.deleted')
    clock.advance(60_000)
    expect(machine.names('/data/t-0').filter((name) => name.includes('00000000000000000000'))).toEqual([])
  })

  it('keeps what stands behind a record of the future', async () => {
    const { clock, log } = await start(CONFIG)
    await fill(log, 6, (index) => (index === 3 ? NOW + 5 * DAY : NOW))
    clock.advance(2 * DAY)
    expect(await log.deleteOldSegments()).toBe(1)
    expect(log.logStartOffset).toBe(2)
  })

  it.each([['synced', durable.flushMessages], ['not synced', defaultLogConfig.flushMessages]])(
    'begins an empty segment when all are old: %s',
    async (_name, flushMessages) => {
      const machine = new SimulatedMachine()
      const config = { ...CONFIG, flushMessages }
      const { clock, store, log } = await start(config, machine)
      await fill(log, 5)
      clock.advance(2 * DAY)
      expect(await log.deleteOldSegments()).toBe(3)
      while (logFiles(machine).length > 1) {
        await turn()
        await log.deleteOldSegments()
      }
      expect([log.logStartOffset, log.logEndOffset, logFiles(machine)]).toEqual([5, 5, ['00000000000000000005.log']])
      expect(await log.deleteOldSegments()).toBe(0) // an empty last segment stays
      await fill(log, 1, () => NOW + 2 * DAY)
      expect(values(log)).toEqual(['5'])
      await store.close()
      machine.kill()
      const again = await openTopic(await openStore(machine), config)
      expect([again.failure, again.logStartOffset, values(again)]).toEqual([undefined, 5, ['5']])
    },
  )

  it('goes by the time of the file where no record has a timestamp', async () => {
    const { clock, log } = await start(CONFIG)
    await fill(log, 4, () => -1)
    clock.advance(2 * DAY) // the simulated disk says 1970
    expect(await log.deleteOldSegments()).toBe(2)
  })

  it('keeps everything with −1', async () => {
    const { clock, log } = await start({ ...CONFIG, retentionMs: -1 })
    await fill(log, 5)
    clock.advance(1000 * DAY)
    expect(await log.deleteOldSegments()).toBe(0)
  })
})

describe('by size', () => {
  it('drops a segment only when the log stays at or above retention.bytes', async () => {
    const { log } = await start({ ...CONFIG, retentionMs: -1 })
    await fill(log, 6)
    const segment = log.sizeBytes / 3
    log.config = { ...log.config, retentionBytes: 2 * segment + 1 }
    expect(await log.deleteOldSegments()).toBe(0)
    log.config = { ...log.config, retentionBytes: 2 * segment }
    expect(await log.deleteOldSegments()).toBe(1)
    log.config = { ...log.config, retentionBytes: 1 }
    expect(await log.deleteOldSegments()).toBe(1)
    expect(values(log)).toEqual(['4', '5'])
    log.config = { ...log.config, retentionBytes: 0 }
    expect(await log.deleteOldSegments()).toBe(1)
    expect([log.logStartOffset, log.logEndOffset]).toEqual([6, 6])
  })
})

describe('cleanup.policy', () => {
  it.each([
    ['delete', ['delete'], 2],
    ['compact,delete', ['compact', 'delete'], 2],
    ['compact', ['compact'], 0],
    ['none', [], 0],
  ] as const)('%s', async (_name, policy, dropped) => {
    const { clock, log } = await start(CONFIG)
    await fill(log, 4)
    await fill(log, 1, () => NOW + 2 * DAY - 1)
    clock.advance(2 * DAY)
    log.config = { ...log.config, cleanupPolicy: new Set(policy) }
    expect(await log.deleteOldSegments()).toBe(dropped)
  })

  it('drops what is below the log start in any case', async () => {
    const { machine, log } = await start({ ...CONFIG, cleanupPolicy: new Set(['compact']), flushMessages: 1000 })
    const keyedBatch = (index: number) => log.append(batch([String(index)]), 'coordinator')
    for (let index = 0; index < 6; index++) keyedBatch(index)
    await log.safe(6)
    await log.deleteRecordsBefore(5)
    while (logFiles(machine).length > 1) {
      await turn()
      await log.deleteOldSegments()
    }
    expect(values(log)).toEqual(['5'])
  })
})

it('keeps what is above the high watermark', async () => {
  const { clock, log } = await start(CONFIG)
  await fill(log, 2)
  for (let index = 0; index < 4; index++) log.append(batch([String(index)]), 'client')
  clock.advance(2 * DAY)
  expect(log.highWatermark).toBe(2)
  const dropped = log.deleteOldSegments()
  await log.safe(6)
  expect(await dropped).toBe(1)
  expect(log.logStartOffset).toBe(2)
})

it('a power cut at any operation: the log starts where it did or where it was to, and nothing behind is lost', async () => {
  for (let cut = 1; ; cut++) {
    const machine = new SimulatedMachine()
    const { clock, log } = await start(CONFIG, machine)
    await fill(log, 5)
    await fill(log, 2, () => NOW + DAY)
    clock.advance(DAY + 1)
    const all = cut % 2 === 0
    if (all) clock.advance(2 * DAY)
    machine.cutAt = machine.operations + Math.ceil(cut / 2)
    const dropped = await log.deleteOldSegments().catch(() => undefined)
    if (!machine.isOff && dropped !== undefined) clock.advance(60_000)
    const isDone = !machine.isOff
    if (cut % 3 === 0) machine.kill()
    else machine.restart()
    const again = await openTopic(await openStore(machine), CONFIG)
    expect(again.failure).toBeUndefined()
    expect([0, all ? 7 : 4]).toContain(again.logStartOffset)
    if (dropped !== undefined) expect(again.logStartOffset).toBe(all ? 7 : 4)
    expect(again.logEndOffset).toBe(7)
    expect(values(again)).toEqual(Array.from({ length: 7 - again.logStartOffset }, (_, at) => String(at + again.logStartOffset)))
    if (isDone && all) break
  }
})

it('drops all of a log on a full disk, too; it goes on there after a crash', async () => {
  const machine = new SimulatedMachine()
  const { clock, store, log } = await start(CONFIG, machine)
  await fill(log, 5)
  clock.advance(2 * DAY)
  machine.capacity = 0
  machine.fault = (operation, path) => {
    if (operation === 'open' && path.endsWith('00005.log')) throw new DiskError('noSpace', path, 'ENOSPC', 'full')
    if (path.includes('checkpoint')) machine.capacity = Infinity
  }
  expect(await log.deleteOldSegments()).toBe(3)
  await expect.poll(() => logFiles(machine)).toEqual([])
  await turn()
  clock.advance(60_000) // checkpoints
  for (let turns = 0; turns < 20; turns++) await turn()
  expect(store.directoryBytes).toBe(0)
  machine.fault = undefined
  machine.restart()
  const again = await openTopic(await openStore(machine), CONFIG)
  expect([again.failure, again.logStartOffset, again.logEndOffset]).toEqual([undefined, 5, 5])
})
