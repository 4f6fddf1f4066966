// The files beside a segment as they lie there: offset index, time index, aborted transactions, snapshot of the producers.
// Entries are read whatever they say. Kafka preallocates its indexes, so that zeros behind the first entry are the end.

import { readFileSync } from 'node:fs'
import { crc32c } from '../../kernels/crc32c.ts'
import { OFFSET_ENTRY_BYTES } from '../../storage/offset-index.ts'
import { TIME_ENTRY_BYTES } from '../../storage/time-index.ts'
import { TXN_ENTRY_BYTES } from '../../storage/txn-index.ts'

export interface Index<E> {
  readonly entries: readonly E[]
  /** Of the file. */
  readonly bytes: number
  readonly entryBytes: number
}

export interface OffsetEntry {
  readonly offset: number
  readonly position: number
}

export interface TimeEntry {
  readonly timestamp: number
  readonly offset: number
}

export interface AbortedEntry {
  readonly version: number
  readonly producerId: bigint
  readonly firstOffset: bigint
  readonly lastOffset: bigint
  readonly lastStableOffset: bigint
}

/** Every entry of the file, zeros at its end too. Errors are Node's. */
export function readOffsetIndex(path: string, baseOffset: number): Index<OffsetEntry> {
  return readIndex(path, OFFSET_ENTRY_BYTES, (bytes, at) => {
    return { offset: baseOffset + bytes.readInt32BE(at), position: bytes.readInt32BE(at + 4) }
  })
}

export function readTimeIndex(path: string, baseOffset: number): Index<TimeEntry> {
  return readIndex(path, TIME_ENTRY_BYTES, (bytes, at) => {
    return { timestamp: Number(bytes.readBigInt64BE(at)), offset: baseOffset + bytes.readInt32BE(at + 8) }
  })
}

export function readAbortedIndex(path: string): Index<AbortedEntry> {
  return readIndex(path, TXN_ENTRY_BYTES, (bytes, at) => ({
    version: bytes.readInt16BE(at),
    producerId: bytes.readBigInt64BE(at + 2),
    firstOffset: bytes.readBigInt64BE(at + 10),
    lastOffset: bytes.readBigInt64BE(at + 18),
    lastStableOffset: bytes.readBigInt64BE(at + 26),
  }))
}

function readIndex<E>(path: string, entryBytes: number, entry: (bytes: Buffer, at: number) => E): Index<E> {
  const bytes = readFileSync(path)
  const entries = Array.from({ length: Math.floor(bytes.length / entryBytes) }, (_, index) => entry(bytes, index * entryBytes))
  return { entries, bytes: bytes.length, entryBytes }
}

/** Where to read from for `offset`: the position of the last entry at or before it. */
export function lookUp({ entries }: Index<OffsetEntry>, offset: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (entries[middle].offset <= offset) low = middle + 1
    else high = middle
  }
  return low === 0 ? 0 : entries[low - 1].position
}

export interface ProducerSnapshotEntry {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number
  readonly coordinatorEpoch: number
  /** Below 0: none is open. */
  readonly currentTxnFirstOffset: number
}

/** A snapshot of producers that can't be used; the message is Kafka's. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
}

const SNAPSHOT_VERSION = 1
const SNAPSHOT_HEAD_BYTES = 10 // version, crc, count
const PRODUCER_BYTES = 46

export function readProducerSnapshot(path: string): ProducerSnapshotEntry[] {
  const bytes = readFileSync(path)
  const malformed = (why: string) => new SnapshotError(`Snapshot failed schema validation: ${why}`)
  if (bytes.length < 2) throw malformed('null')
  const version = bytes.readInt16BE(0)
  if (version !== SNAPSHOT_VERSION) throw malformed(`Snapshot contained an unknown file version ${version}`)
  if (bytes.length < SNAPSHOT_HEAD_BYTES) throw malformed('null')
  const count = bytes.readInt32BE(6)
  if (count < 0 || count * PRODUCER_BYTES > bytes.length - SNAPSHOT_HEAD_BYTES) throw malformed('null')
  const stored = bytes.readUInt32BE(2)
  const computed = crc32c(bytes, 6, bytes.length)
  if (stored !== computed) throw new SnapshotError(`Snapshot is corrupt (CRC is no longer valid). Stored crc: ${stored}. Computed crc: ${computed}`)
  return Array.from({ length: count }, (_, index) => {
    const at = SNAPSHOT_HEAD_BYTES + index * PRODUCER_BYTES
    return {
      producerId: bytes.readBigInt64BE(at),
      producerEpoch: bytes.readInt16BE(at + 8),
      lastSequence: bytes.readInt32BE(at + 10),
      lastOffset: Number(bytes.readBigInt64BE(at + 14)),
      offsetDelta: bytes.readInt32BE(at + 22),
      timestamp: Number(bytes.readBigInt64BE(at + 26)),
      coordinatorEpoch: bytes.readInt32BE(at + 34),
      currentTxnFirstOffset: Number(bytes.readBigInt64BE(at + 38)),
    }
  })
}
