// Writes records of format v2 straight into the buffer of a batch: no object per record. The caller owns the buffer and
// the batch's header; offset deltas are the count of records so far.

import { copy, LOOP_BELOW, move, offsetOf } from './memory.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from './varint.ts'
import type { LineReader } from './line-reader.ts'

/** A batch being filled: records end at `at`, and may reach up to `limit`. */
export interface RecordArea {
  readonly bytes: Buffer
  readonly limit: number
  at: number
  count: number
}

/** The header section of a record without headers. */
export const NO_HEADERS = Buffer.from([0])

/**
 * Appends one record; false and nothing written when it does not fit. A start of −1 is null. `headers` is a whole
 * header section, its count in front (encodeHeaders). `timestampDelta` in ms, from the batch's base timestamp.
 */
export function writeRecord(
  area: RecordArea,
  timestampDelta: number,
  source: Buffer,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
  headers: Buffer,
): boolean {
  const keySize = keyStart < 0 ? -1 : keyEnd - keyStart
  const valueSize = valueStart < 0 ? -1 : valueEnd - valueStart
  const size = bodySize(timestampDelta, area.count, keySize, valueSize, headers.length)
  const { bytes } = area
  let at = area.at
  if (at + varintSize(size) + size > area.limit) return false
  at = writeVarint(bytes, at, size)
  bytes[at++] = 0 // attributes
  at = writeVarlong(bytes, at, timestampDelta)
  at = writeVarint(bytes, at, area.count)
  at = writeVarint(bytes, at, keySize)
  if (keySize > 0) at = copy(bytes, at, source, keyStart, keyEnd)
  at = writeVarint(bytes, at, valueSize)
  if (valueSize > 0) at = copy(bytes, at, source, valueStart, valueEnd)
  area.at = copy(bytes, at, headers, 0, headers.length)
  area.count++
  return true
}

/** Bytes that `writeRecord` takes for a record at index `count`; null sizes are −1. */
export function recordSize(timestampDelta: number, count: number, keySize: number, valueSize: number, headersSize: number): number {
  const size = bodySize(timestampDelta, count, keySize, valueSize, headersSize)
  return varintSize(size) + size
}

/**
 * Appends the reader's current line and those after it as records with a null key and no headers, one a line.
 * True: the reader has no more lines. False: its current line is not written, because it does not fit or was dropped.
 */
export function encodeLines(area: RecordArea, lines: LineReader, timestampDelta: number): boolean {
  const { bytes, limit } = area
  const deltaSize = varlongSize(timestampDelta)
  const source = lines.bytes
  const base = offsetOf(bytes)
  const sourceBase = offsetOf(source)
  const canMove = base >= 0 && sourceBase >= 0
  let { at, count } = area
  let more = true
  do {
    const start = lines.lineStart
    const end = lines.lineEnd
    const length = end - start
    // attributes, delta, offset, key length of −1, value, no headers
    const size = 3 + deltaSize + varintSize(count) + varintSize(length) + length
    if (at + 5 + size > limit || lines.droppedBytes > 0) {
      more = false
      break
    }
    at = writeVarint(bytes, at, size)
    bytes[at++] = 0
    at = deltaSize === 1 ? writeSmall(bytes, at, timestampDelta) : writeVarlong(bytes, at, timestampDelta)
    at = writeVarint(bytes, at, count)
    bytes[at++] = 1
    at = writeVarint(bytes, at, length)
    if (canMove && length >= LOOP_BELOW) {
      move(base + at, sourceBase + start, sourceBase + end)
      at += length
    } else at = copy(bytes, at, source, start, end)
    bytes[at++] = 0
    count++
  } while (lines.next())
  area.at = at
  area.count = count
  return more
}

/**
 * Appends up to `most` records with a null key and no headers, whose values are the pieces of `size` bytes from `start` on
 * in `source`. Gives how many there was room for.
 */
export function encodePieces(area: RecordArea, source: Buffer, start: number, size: number, most: number, timestampDelta: number): number {
  const { bytes, limit } = area
  const fixed = 3 + varlongSize(timestampDelta) + varintSize(size) + size // attributes, key length of −1, no headers
  const base = offsetOf(bytes)
  const sourceBase = offsetOf(source)
  const canMove = base >= 0 && sourceBase >= 0 && size >= LOOP_BELOW
  let { at, count } = area
  let from = start
  let written = 0
  for (; written < most; written++) {
    const body = fixed + varintSize(count)
    if (at + varintSize(body) + body > limit) break
    at = writeVarint(bytes, at, body)
    bytes[at++] = 0
    at = writeVarlong(bytes, at, timestampDelta)
    at = writeVarint(bytes, at, count++)
    bytes[at++] = 1
    at = writeVarint(bytes, at, size)
    if (canMove) {
      move(base + at, sourceBase + from, sourceBase + from + size)
      at += size
    } else at = copy(bytes, at, source, from, from + size)
    from += size
    bytes[at++] = 0
  }
  area.at = at
  area.count = count
  return written
}

/** A header section: count, then key and value of each. A null value is allowed, a null key is not. */
export function encodeHeaders(headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[]): Buffer {
  if (headers.length === 0) return NO_HEADERS
  let size = 5
  for (const { key, value } of headers) size += 10 + key.length + (value === null ? 0 : value.length)
  const bytes = Buffer.allocUnsafe(size)
  let at = writeVarint(bytes, 0, headers.length)
  for (const { key, value } of headers) {
    at = writeVarint(bytes, at, key.length)
    at += key.copy(bytes, at)
    at = writeVarint(bytes, at, value === null ? -1 : value.length)
    if (value !== null) at += value.copy(bytes, at)
  }
  return bytes.subarray(0, at)
}

function bodySize(timestampDelta: number, count: number, keySize: number, valueSize: number, headersSize: number): number {
  return (
    1 + varlongSize(timestampDelta) + varintSize(count) +
    varintSize(keySize) + Math.max(keySize, 0) +
    varintSize(valueSize) + Math.max(valueSize, 0) +
    headersSize
  ) // prettier-ignore
}

function writeSmall(bytes: Buffer, at: number, value: number): number {
  bytes[at] = ((value << 1) ^ (value >> 31)) >>> 0
  return at + 1
}
