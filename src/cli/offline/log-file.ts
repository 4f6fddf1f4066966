// The batches of a log file or a snapshot as they lie there, sound or not: nothing is checked but what must be to go on, so
// that a damaged file shows where it is damaged. Formats 0 to 2. Where the walk ends is Kafka's FileLogInputStream: at the
// first batch that is not whole.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { CompressionCodec } from '../../protocol/compression/index.ts'
import { decompress, prepareCodec } from '../../protocol/compression/index.ts'
import { KafkaError, ProtocolError } from '../../protocol/errors.ts'
import { CODECS, hasValidCrc, LOG_APPEND_TIME_FLAG, readBatchHeader, recordsOf, type BatchHeader } from '../../protocol/record-batch.ts'
import { RecordCursor } from '../../protocol/record-cursor.ts'

/** Beyond any batch that a broker takes; neither what a damaged one says of its length nor what it unpacks to is believed. */
const MOST_UNPACKED = 1 << 28
const LONGEST_BATCH = 1 << 30
const HEADER_TO_MAGIC = 17
const LOG_OVERHEAD = 12
/** crc, magic, attributes, and the lengths of key and value. */
const SMALLEST_RECORD = 14
const NO_SEQUENCE = -1
const LAST_SEQUENCE = 2 ** 31 - 1

export type TimestampType = 'CreateTime' | 'LogAppendTime' | 'NoTimestampType'

export interface LogRecord {
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly sequence: number
  readonly headerKeys: readonly string[]
  /** Of formats 0 and 1, where each record has a checksum. */
  readonly checksum?: { readonly crc: number; readonly isValid: boolean }
}

export interface LogBatch {
  readonly position: number
  readonly size: number
  readonly magic: number
  readonly lastOffset: number
  readonly timestampType: TimestampType
  readonly maxTimestamp: number
  readonly codec: CompressionCodec
  readonly crc: number
  readonly isValid: boolean
  /** Of format 2. */
  readonly header: BatchHeader | undefined
  readonly lastSequence: number
  /** Throws LogFileError where the bytes are none. */
  records(): Iterable<LogRecord>
}

/** The bytes are no batch or no records. `kind` is the nature of the thing, `message` says what. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError'
  readonly kind: 'tooSmall' | 'codec' | 'record' | 'size' | 'file'

  constructor(kind: LogFileError['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** A file that is open for reading; errors are Node's, with code and path, and LogFileError for what is no file. */
export class LogFile {
  readonly path: string
  readonly size: number
  readonly #fd: number

  constructor(path: string) {
    this.path = path
    const found = statSync(path)
    // A pipe would be waited for.
    if (!found.isFile()) throw new LogFileError('file', found.isDirectory() ? 'Is a directory' : 'Is no regular file')
    this.#fd = openSync(path, 'r')
    this.size = fstatSync(this.#fd).size
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** Fewer bytes only at the end. */
  read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.max(Math.min(length, this.size - position), 0))
    let done = 0
    while (done < bytes.length) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, position + done)
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  }

  /**
   * The batches from `from` to `end`. Throws LogFileError at a length that none can have. Codecs are prepared on the way,
   * so that records() can be read at once.
   */
  async *batches(from = 0, end = this.size): AsyncGenerator<LogBatch> {
    for (let position = from; position < end - HEADER_TO_MAGIC; ) {
      const head = this.read(position, HEADER_TO_MAGIC)
      const length = head.readInt32BE(8)
      if (length < SMALLEST_RECORD) {
        const text = `Found record size ${length} smaller than minimum record overhead (${SMALLEST_RECORD}) in file ${this.path}.`
        throw new LogFileError('tooSmall', text)
      }
      if (position > end - LOG_OVERHEAD - length) return
      if (length > LONGEST_BATCH) throw new LogFileError('size', `Found a batch of ${length} bytes at position ${position} in file ${this.path}.`)
      const bytes = this.read(position, LOG_OVERHEAD + length)
      const batch = head.readInt8(16) < 2 ? legacyBatch(bytes, position) : currentBatch(bytes, position)
      if (batch.codec !== 'none') await prepareCodec(batch.codec)
      yield batch
      position += bytes.length
    }
  }
}

function currentBatch(bytes: Buffer, position: number): LogBatch {
  const header = headerOf(bytes)
  const { baseSequence, lastOffsetDelta } = header
  return {
    position,
    size: bytes.length,
    magic: header.magic,
    lastOffset: header.baseOffset + lastOffsetDelta,
    timestampType: header.isLogAppendTime ? 'LogAppendTime' : 'CreateTime',
    maxTimestamp: header.maxTimestamp,
    codec: header.codec,
    crc: header.crc,
    isValid: hasValidCrc(bytes, 0, bytes.length),
    header,
    lastSequence: sequenceAt(baseSequence, lastOffsetDelta),
    records: () => currentRecords(bytes, header),
  }
}

function headerOf(bytes: Buffer): BatchHeader {
  try {
    return readBatchHeader(bytes, 0)
  } catch (error) {
    throw error instanceof ProtocolError ? new LogFileError('codec', withCapital(error.message)) : error
  }
}

function* currentRecords(bytes: Buffer, header: BatchHeader): Generator<LogRecord> {
  try {
    const cursor = new RecordCursor(header, recordsOf(bytes, 0, header, MOST_UNPACKED))
    while (cursor.next()) {
      yield {
        offset: cursor.offset,
        timestamp: cursor.timestamp,
        key: cursor.key(),
        value: cursor.value(),
        sequence: sequenceAt(header.baseSequence, cursor.offset - header.baseOffset),
        headerKeys: cursor.headers().map(({ key }) => key),
      }
    }
  } catch (error) {
    throw error instanceof KafkaError ? new LogFileError('record', error.message) : error
  }
}

/** Sequences go round behind the largest. */
function sequenceAt(base: number, delta: number): number {
  if (base === NO_SEQUENCE) return NO_SEQUENCE
  return base > LAST_SEQUENCE - delta ? delta - (LAST_SEQUENCE - base) - 1 : base + delta
}

/** An entry of formats 0 and 1: offset, length, crc, magic, attributes, [timestamp,] key, value. */
interface LegacyEntry {
  readonly offset: number
  readonly magic: number
  readonly attributes: number
  readonly timestamp: number
  readonly crc: number
  readonly isValid: boolean
  readonly key: Buffer | null
  readonly value: Buffer | null
}

function legacyBatch(bytes: Buffer, position: number): LogBatch {
  const entry = legacyEntry(bytes)
  const { magic, attributes, offset, timestamp, crc, isValid } = entry
  const codec = CODECS[attributes & 7] as CompressionCodec | undefined
  if (codec === undefined) throw new LogFileError('codec', `Unknown compression type id: ${attributes & 7}`)
  return {
    position,
    size: bytes.length,
    magic,
    lastOffset: offset,
    timestampType: legacyType(entry),
    maxTimestamp: timestamp,
    codec,
    crc,
    isValid,
    header: undefined,
    lastSequence: NO_SEQUENCE,
    records: () => legacyRecords(entry, codec),
  }
}

function legacyType({ magic, attributes }: LegacyEntry): TimestampType {
  if (magic === 0) return 'NoTimestampType'
  return (attributes & LOG_APPEND_TIME_FLAG) === 0 ? 'CreateTime' : 'LogAppendTime'
}

function legacyEntry(bytes: Buffer): LegacyEntry {
  const magic = bytes.readInt8(16)
  const crc = bytes.readUInt32BE(12)
  let at = magic === 0 ? 18 : 26
  const field = (): Buffer | null => {
    const size = at + 4 <= bytes.length ? bytes.readInt32BE(at) : 0
    at += 4
    if (size < 0) return null
    if (size > bytes.length - at) throw new LogFileError('record', `a field of ${size} bytes with ${bytes.length - at} left`)
    return bytes.subarray(at, (at += size))
  }
  return {
    offset: Number(bytes.readBigInt64BE(0)),
    magic,
    attributes: bytes.readInt8(17),
    timestamp: magic === 0 ? -1 : Number(bytes.readBigInt64BE(18)),
    crc,
    isValid: crc32(bytes.subarray(16)) === crc,
    key: field(),
    value: field(),
  }
}

/** A compressed entry holds others; those of format 1 count from the start of theirs, and its own offset is the last one's. */
function legacyRecords(entry: LegacyEntry, codec: CompressionCodec): LogRecord[] {
  if (codec === 'none' || entry.value === null) return [legacyRecord(entry, entry.offset, entry.timestamp)]
  const inner = legacyEntries(decompress(codec, entry.value, MOST_UNPACKED))
  const last = inner.at(-1)?.offset ?? 0
  const base = entry.magic === 0 ? 0 : entry.offset - last
  const appended = legacyType(entry) === 'LogAppendTime' ? entry.timestamp : undefined
  return inner.map((one) => legacyRecord(one, base + one.offset, appended ?? one.timestamp))
}

function legacyRecord({ key, value, crc, isValid }: LegacyEntry, offset: number, timestamp: number): LogRecord {
  return { offset, timestamp, key, value, sequence: NO_SEQUENCE, headerKeys: [], checksum: { crc, isValid } }
}

function legacyEntries(bytes: Buffer): LegacyEntry[] {
  const entries: LegacyEntry[] = []
  for (let at = 0; at + LOG_OVERHEAD + SMALLEST_RECORD <= bytes.length; ) {
    const end = at + LOG_OVERHEAD + bytes.readInt32BE(at + 8)
    if (end > bytes.length || end < at + LOG_OVERHEAD + SMALLEST_RECORD) break
    entries.push(legacyEntry(bytes.subarray(at, end)))
    at = end
  }
  return entries
}

function withCapital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
