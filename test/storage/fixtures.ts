// What the storage tests share: batches, a store on a simulated machine, and reading a log to its end.

import type { Clock } from '../../src/base/clock.ts'
import { BatchBuilder, type BatchOptions } from '../../src/protocol/batch-builder.ts'
import { readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import type { Log } from '../../src/storage/log.ts'
import { type LogConfig, defaultLogConfig } from '../../src/storage/log-config.ts'
import { type LogStore, type LogStoreOptions, openLogStore } from '../../src/storage/log-store.ts'
import type { SimulatedMachine } from '../support/simulated-disk.ts'

export const TOPIC_ID = 'Tn9u3dAJSGe0TcPVCbVM4A'
export const NOW = 1_700_000_000_000

/** Sync before anything is visible: the daemon's setting. */
export const durable: LogConfig = { ...defaultLogConfig, flushMessages: 1 }

export interface ManualClock extends Clock {
  advance(ms: number): void
}

/** Time that stands still until it is moved. */
export function manualClock(start = NOW): ManualClock {
  let time = 0
  const timers = new Set<{ at: number; action: () => void }>()
  return {
    now: () => start + time,
    monotonic: () => time,
    after(delayMs, action) {
      const timer = { at: time + delayMs, action }
      timers.add(timer)
      return { cancel: () => timers.delete(timer) }
    },
    advance(ms) {
      time += ms
      for (const timer of [...timers].sort((a, b) => a.at - b.at)) {
        if (timer.at > time || !timers.delete(timer)) continue
        timer.action()
      }
    },
  }
}

/** A batch of these values, without keys, at NOW. */
export function batch(values: readonly string[], options: Partial<BatchOptions> = {}, timestamp = NOW): Buffer {
  return keyed(values.map((value) => [null, value, timestamp]), options)
}

export function keyed(
  records: readonly (readonly [key: string | null, value: string | null, timestamp: number])[],
  options: Partial<BatchOptions> = {},
): Buffer {
  const builder = new BatchBuilder(64 * 1024 * 1024)
  const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
  for (const [key, value, timestamp] of records) builder.append(bytes(key), bytes(value), [], timestamp)
  return builder.finish({ codec: 'none', ...options })
}

/** An end-transaction marker. */
export function marker(
  kind: 'commit' | 'abort',
  producer: { producerId: bigint; producerEpoch: number },
  { coordinatorEpoch = 0, timestamp = NOW }: { coordinatorEpoch?: number; timestamp?: number } = {},
): Buffer {
  const builder = new BatchBuilder(1024)
  const value = Buffer.alloc(6)
  value.writeInt32BE(coordinatorEpoch, 2)
  builder.append(Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0]), value, [], timestamp)
  return builder.finish({ codec: 'none', ...producer, isTransactional: true, isControl: true })
}

export function openStore(machine: SimulatedMachine, options: Partial<LogStoreOptions> = {}): Promise<LogStore> {
  return openLogStore({
    directory: '/data',
    disk: machine.disk,
    clock: manualClock(),
    nodeId: 1,
    reserveBytes: 0,
    ...options,
  })
}

export function openTopic(store: LogStore, config: LogConfig = durable, partition = 0): Promise<Log> {
  return store.openLog('t', partition, TOPIC_ID, config)
}

/** Appends and waits until it is safe; the base offset. */
export async function append(log: Log, values: readonly string[], options: Partial<BatchOptions> = {}): Promise<number> {
  const { baseOffset, lastOffset } = log.append(batch(values, options), 'client')
  await log.safe(lastOffset + 1)
  return baseOffset
}

export interface Seen {
  readonly offset: number
  readonly value: string
}

/** All visible records from `offset` on. */
export function readAll(log: Log, offset = log.logStartOffset, maxBytes = 1000): Seen[] {
  const seen: Seen[] = []
  for (let next = offset; ; ) {
    const bytes = log.read(next, maxBytes, { atLeastOneBatch: true, until: Infinity })
    if (bytes.length === 0) return seen
    for (const record of records(bytes)) if (record.offset >= next) seen.push(record)
    next = (seen.at(-1)?.offset ?? next) + 1
  }
}

export function values(log: Log): string[] {
  return readAll(log).map((record) => record.value)
}

function records(bytes: Buffer): Seen[] {
  const seen: Seen[] = []
  for (let at = 0; at < bytes.length; ) {
    const header = readBatchHeader(bytes, at)
    const cursor = new RecordCursor(header, recordsOf(bytes, at, header, 64 * 1024 * 1024))
    while (cursor.next()) seen.push({ offset: cursor.offset, value: cursor.value()?.toString() ?? 'null' })
    at += header.size
  }
  return seen
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** A small generator of pseudo-random numbers (mulberry32), so that a seed is a test case. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
