// Reading a log's segments: whole batches from an offset, and records by timestamp. Nothing here changes a log. Bytes
// that an earlier life wrote are checked once before they are served.

import { KafkaError, ProtocolError } from '../protocol/errors.ts'
import { BATCH_OVERHEAD, type BatchHeader, hasValidCrc, readBatchHeader, recordsOf } from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'
import { MAX_BATCH_BYTES } from './batch-scan.ts'
import type { Segment } from './segment.ts'

export interface TimestampOffset {
  readonly offset: number
  readonly timestamp: number // ms
  readonly leaderEpoch: number
}

export interface ReadOptions {
  /** The first batch is returned even when it is larger than maxBytes (KIP-74). */
  readonly atLeastOneBatch: boolean
  /** Only batches wholly below this offset. */
  readonly until: number
  /** Gives memory of so many bytes to read into. */
  readonly allocate?: (size: number) => Buffer
}

const NOTHING = Buffer.alloc(0)
// Of a batch looked into for one record; what was stored passed this limit when it came (batch-validator.ts).
const MAX_RECORDS_BYTES = MAX_BATCH_BYTES

/** Whole batches of one segment, from the one with `offset` or the next after it; empty when none is below `until`. */
export function readBatches(
  segments: readonly Segment[],
  offset: number,
  maxBytes: number,
  options: ReadOptions,
): Buffer {
  for (let index = segmentIndexOf(segments, offset); index < segments.length; index++) {
    const segment = segments[index]
    const found = segment.locate(offset)
    if (found === undefined) continue
    if ('problem' in found) throw corrupt(segment, offset, found.problem)
    if (found.header.baseOffset + found.header.lastOffsetDelta >= options.until) return NOTHING
    return readFrom(segment, found.position, found.header, maxBytes, options)
  }
  return NOTHING
}

/** The segment an offset belongs to: the last that begins at or before it, the first when none does. */
export function segmentIndexOf(segments: readonly Segment[], offset: number): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (segments[middle].baseOffset <= offset) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}

function readFrom(
  segment: Segment,
  position: number,
  first: BatchHeader,
  maxBytes: number,
  { atLeastOneBatch, until, allocate = (bytes) => Buffer.allocUnsafe(bytes) }: ReadOptions,
): Buffer {
  if (first.size > maxBytes && !atLeastOneBatch) return NOTHING
  const size = Math.max(first.size, Math.min(maxBytes, segment.writtenSize - position))
  const buffer = allocate(size)
  const bytes = buffer.subarray(0, segment.read(buffer, position))
  const { end, nextOffset, problem } = wholeBatches(bytes, until, segment.needsCheck(position, position + bytes.length))
  if (end === 0) {
    if (problem !== undefined) throw corrupt(segment, first.baseOffset, problem)
    return NOTHING
  }
  segment.markChecked(position, position + end)
  segment.hint(nextOffset, position + end)
  return bytes.subarray(0, end)
}

/** How far `bytes` holds whole, sound batches below `until`. */
function wholeBatches(
  bytes: Buffer,
  until: number,
  checkCrc: boolean,
): { end: number; nextOffset: number; problem: string | undefined } {
  let end = 0
  let nextOffset = -1
  while (end + BATCH_OVERHEAD <= bytes.length) {
    // By hand rather than readBatchHeader: this runs for each small batch of a large read.
    const size = bytes.readInt32BE(end + 8) + 12
    if (size < BATCH_OVERHEAD || bytes[end + 16] !== 2) return { end, nextOffset, problem: 'no batch header' }
    if (end + size > bytes.length) break
    const after = bytes.readUInt32BE(end) * 0x100000000 + bytes.readUInt32BE(end + 4) + bytes.readInt32BE(end + 23) + 1
    if (after > until) break
    if (checkCrc && !hasValidCrc(bytes, end, size)) return { end, nextOffset, problem: 'wrong checksum' }
    end += size
    nextOffset = after
  }
  return { end, nextOffset, problem: undefined }
}

/** The first record at or after `from` with a timestamp of `timestamp` or more. */
export function findByTimestamp(
  segments: readonly Segment[],
  timestamp: number,
  from: number,
): TimestampOffset | undefined {
  for (let index = segmentIndexOf(segments, from); index < segments.length; index++) {
    const segment = segments[index]
    if (segment.greatestTimestamp().timestamp < timestamp) continue
    // All up to the entry's offset are at or below its timestamp, so the record is there or behind it.
    const start = segment.indexedPosition(Math.max(segment.timeIndex.lookup(timestamp).offset, from))
    let found: TimestampOffset | undefined
    const result = segment.scan({ from: start }, (header, _bytes, _at, position) => {
      if (header.maxTimestamp < timestamp || header.baseOffset + header.lastOffsetDelta < from) return true
      found = recordIn(segment, header, position, (time, offset) => time >= timestamp && offset >= from)
      return found === undefined
    })
    if (result.problem !== undefined) throw corrupt(segment, from, result.problem)
    if (found !== undefined) return found
  }
  return undefined
}

/** The first record of those with the greatest timestamp; undefined in an empty log. */
export function findGreatestTimestamp(segments: readonly Segment[], from: number): TimestampOffset | undefined {
  let best: Segment | undefined
  for (const segment of segments) {
    if (segment.writtenSize === 0 || segment.nextOffset <= from) continue
    if (best === undefined || segment.greatestTimestamp().timestamp > best.greatestTimestamp().timestamp) best = segment
  }
  if (best === undefined) return undefined
  const { timestamp, offset } = best.greatestTimestamp()
  const found = best.locate(Math.max(offset, from))
  if (found === undefined || 'problem' in found) return undefined
  const record = recordIn(best, found.header, found.position, (time) => time === timestamp)
  return record ?? greatestLeft(segments, from)
}

/** The same by looking at every batch: the one that was named has lost its records to compaction or the log start. */
function greatestLeft(segments: readonly Segment[], from: number): TimestampOffset | undefined {
  let best: { segment: Segment; header: BatchHeader; position: number } | undefined
  for (const segment of segments) {
    segment.scan({}, (header, _bytes, _at, position) => {
      if (header.recordCount === 0 || header.baseOffset + header.lastOffsetDelta < from) return true
      if (best === undefined || header.maxTimestamp > best.header.maxTimestamp) best = { segment, header, position }
      return true
    })
  }
  if (best === undefined) return undefined
  const { segment, header, position } = best
  return recordIn(segment, header, position, (time) => time === header.maxTimestamp)
}

/** Reads one batch and looks for a record in it. */
function recordIn(
  segment: Segment,
  header: BatchHeader,
  position: number,
  isWanted: (timestamp: number, offset: number) => boolean,
): TimestampOffset | undefined {
  const bytes = Buffer.allocUnsafe(header.size)
  segment.read(bytes, position)
  try {
    const whole = readBatchHeader(bytes, 0)
    const cursor = new RecordCursor(whole, recordsOf(bytes, 0, whole, MAX_RECORDS_BYTES))
    while (cursor.next()) {
      if (!isWanted(cursor.timestamp, cursor.offset)) continue
      return { offset: cursor.offset, timestamp: cursor.timestamp, leaderEpoch: header.leaderEpoch }
    }
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof KafkaError) throw corrupt(segment, header.baseOffset, error.message)
    throw error
  }
}

function corrupt(segment: Segment, offset: number, problem: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `${segment.path} is damaged at offset ${offset}: ${problem}`)
}
