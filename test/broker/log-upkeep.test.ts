// What the broker does for its logs from time to time, on a clock moved by hand.

import { expect, test } from 'vitest'
import type { Log } from '../../src/storage/log.ts'
import { testBroker } from '../support/broker.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf } from '../support/raw-client.ts'

const MiB = 1024 * 1024

async function fill(log: Log, keys: readonly string[], timestamp: number): Promise<void> {
  for (const key of keys) {
    log.append(batchOf([{ key, value: 'x'.repeat(0.4 * MiB) }], { timestamp }), 'client')
    await log.safe(log.logEndOffset)
  }
}

test('old segments go at the next look, every log.retention.check.interval.ms', async () => {
  const clock = manualClock()
  const properties = { 'log.retention.ms': '1000', 'log.segment.bytes': String(MiB), 'log.retention.check.interval.ms': '60000' }
  const { broker, lines } = await testBroker({ clock, properties, topics: ['t'] })
  const { log } = broker.partitions.get('t', 0)
  await fill(log, ['a', 'b', 'c', 'd', 'e'], clock.now())
  clock.advance(59_999)
  expect(log.logStartOffset).toBe(0)
  clock.advance(1)
  await expect.poll(() => log.logStartOffset).toBe(5)
  expect(log.logEndOffset).toBe(5)
  expect(lines.join('\n')).toContain('t-0: 3 old segments dropped, the log starts at 5')
  await fill(log, ['f'], clock.now())
  expect(log.logEndOffset).toBe(6)
})

test('logs are compacted every log.cleaner.backoff.ms, the dirtiest first, until none is due', async () => {
  const clock = manualClock()
  const properties = { 'log.cleanup.policy': 'compact', 'log.segment.bytes': String(MiB), 'log.cleaner.backoff.ms': '1000' }
  const { broker, lines } = await testBroker({ clock, properties, topics: ['t:2'] })
  const logs = [0, 1].map((index) => broker.partitions.get('t', index).log)
  await fill(logs[0], ['a', 'a', 'a', 'b', 'a', 'a', 'a'], clock.now())
  await fill(logs[1], ['a', 'b', 'c', 'd', 'e', 'f', 'a'], clock.now())
  const before = logs.map(({ sizeBytes }) => sizeBytes)
  clock.advance(1000)
  await expect.poll(() => lines.filter((line) => line.includes('compacted up to')).length).toBe(2)
  expect(logs.map(({ sizeBytes }, at) => before[at] - sizeBytes > 0.3 * MiB)).toEqual([true, false])
  expect(logs[0].read(0, 1, { atLeastOneBatch: true, until: 100 }).readBigInt64BE(0)).toBe(3n)
  expect(logs[0].logStartOffset).toBe(0)
})

test('no compaction with log.cleaner.enable=false', async () => {
  const clock = manualClock()
  const { broker } = await testBroker({ clock, properties: { 'log.cleaner.enable': 'false' }, topics: ['t'] })
  const { pending } = clock
  clock.advance(16_000)
  expect(clock.pending).toBe(pending)
  await broker.stop()
})
