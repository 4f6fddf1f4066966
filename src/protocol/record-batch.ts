// Record batches, format v2 (magic 2): the header, its checksum, and what a broker stamps into it. Batches stay the
// bytes they are; base offset and leader epoch lie outside the checksum, everything else inside.
// Records are walked by record-cursor.ts and written by kernels/record-writer.ts.

import { crc32c } from '../kernels/crc32c.ts'
import { type CompressionCodec, compress, decompress } from './compression/index.ts'
import { ProtocolError } from './errors.ts'

/** Bytes of header before the records. */
export const BATCH_OVERHEAD = 61

// Where the fields are, from the start of the batch (DefaultRecordBatch).
const LENGTH = 8
const LEADER_EPOCH = 12
const MAGIC = 16
const CRC = 17
const ATTRIBUTES = 21
const LAST_OFFSET_DELTA = 23
const BASE_TIMESTAMP = 27
const MAX_TIMESTAMP = 35
const PRODUCER_ID = 43
const PRODUCER_EPOCH = 51
const BASE_SEQUENCE = 53
const RECORD_COUNT = 57

const LOG_OVERHEAD = LENGTH + 4 // what the length does not count
const MAGIC_V2 = 2

export const CODEC_MASK = 0x07
export const LOG_APPEND_TIME_FLAG = 0x08
export const TRANSACTIONAL_FLAG = 0x10
export const CONTROL_FLAG = 0x20
export const DELETE_HORIZON_FLAG = 0x40

/** Codecs by their id in the attributes. */
export const CODECS: readonly CompressionCodec[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** What a header says, less what its place and its other fields give. Offsets and timestamps saturate at ±(2^53−1). */
export interface BatchFields {
  baseOffset: number
  size: number // of the whole batch, bytes
  leaderEpoch: number
  attributes: number
  lastOffsetDelta: number
  baseTimestamp: number // ms; the delete horizon when hasDeleteHorizon
  maxTimestamp: number // ms; the append time when isLogAppendTime
  producerId: bigint // -1n: none
  producerEpoch: number
  baseSequence: number
  recordCount: number
}

export interface BatchHeader extends BatchFields {
  magic: number
  crc: number
  codec: CompressionCodec
  isTransactional: boolean
  isControl: boolean
  isLogAppendTime: boolean
  hasDeleteHorizon: boolean
}

/** The header of the batch at `at`; ProtocolError when it cannot be a v2 batch that lies whole within `bytes`. */
export function readBatchHeader(bytes: Buffer, at: number): BatchHeader {
  if (batchSizeAt(bytes, at) < 0) throw new ProtocolError(`batch is cut off: ${bytes.length - at} bytes left`)
  return peekBatchHeader(bytes, at)
}

/** The same where only the 61 bytes of the header need to be there: for walking a file without reading the records. */
export function peekBatchHeader(bytes: Buffer, at: number): BatchHeader {
  if (at + BATCH_OVERHEAD > bytes.length) throw new ProtocolError(`header is cut off: ${bytes.length - at} bytes left`)
  const size = LOG_OVERHEAD + bytes.readInt32BE(at + LENGTH)
  if (size < BATCH_OVERHEAD) throw new ProtocolError(`batch of ${size} bytes is smaller than its header`)
  const magic = bytes.readInt8(at + MAGIC)
  if (magic !== MAGIC_V2) throw new ProtocolError(`batch has magic ${magic}, not 2`)
  const attributes = bytes.readInt16BE(at + ATTRIBUTES)
  const codec = CODECS[attributes & CODEC_MASK] as CompressionCodec | undefined
  if (codec === undefined) throw new ProtocolError(`unknown compression type id: ${attributes & CODEC_MASK}`)
  const recordCount = bytes.readInt32BE(at + RECORD_COUNT)
  if (recordCount < 0) throw new ProtocolError(`batch has ${recordCount} records`)
  return {
    baseOffset: readInt64(bytes, at),
    size,
    leaderEpoch: bytes.readInt32BE(at + LEADER_EPOCH),
    magic,
    crc: bytes.readUInt32BE(at + CRC),
    attributes,
    lastOffsetDelta: bytes.readInt32BE(at + LAST_OFFSET_DELTA),
    baseTimestamp: readInt64(bytes, at + BASE_TIMESTAMP),
    maxTimestamp: readInt64(bytes, at + MAX_TIMESTAMP),
    producerId: bytes.readBigInt64BE(at + PRODUCER_ID),
    producerEpoch: bytes.readInt16BE(at + PRODUCER_EPOCH),
    baseSequence: bytes.readInt32BE(at + BASE_SEQUENCE),
    recordCount,
    codec,
    isTransactional: (attributes & TRANSACTIONAL_FLAG) !== 0,
    isControl: (attributes & CONTROL_FLAG) !== 0,
    isLogAppendTime: (attributes & LOG_APPEND_TIME_FLAG) !== 0,
    hasDeleteHorizon: (attributes & DELETE_HORIZON_FLAG) !== 0,
  }
}

// Single fields, for hot paths that need no whole header; `bytes` has one from `at` on.

export function attributesAt(bytes: Buffer, at: number): number {
  return bytes.readInt16BE(at + ATTRIBUTES)
}

/** Without one: -1n, and -1. */
export function producerAt(bytes: Buffer, at: number): { producerId: bigint; epoch: number } {
  return { producerId: bytes.readBigInt64BE(at + PRODUCER_ID), epoch: bytes.readInt16BE(at + PRODUCER_EPOCH) }
}

export function baseSequenceAt(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at + BASE_SEQUENCE)
}

/** Writes a header before records that stand at `at` + 61 already, with the right checksum. */
export function writeBatchHeader(bytes: Buffer, at: number, header: BatchFields): void {
  writeInt64(bytes, at, header.baseOffset)
  bytes.writeInt32BE(header.size - LOG_OVERHEAD, at + LENGTH)
  bytes.writeInt32BE(header.leaderEpoch, at + LEADER_EPOCH)
  bytes.writeInt8(MAGIC_V2, at + MAGIC)
  bytes.writeInt16BE(header.attributes, at + ATTRIBUTES)
  bytes.writeInt32BE(header.lastOffsetDelta, at + LAST_OFFSET_DELTA)
  writeInt64(bytes, at + BASE_TIMESTAMP, header.baseTimestamp)
  writeInt64(bytes, at + MAX_TIMESTAMP, header.maxTimestamp)
  bytes.writeBigInt64BE(header.producerId, at + PRODUCER_ID)
  bytes.writeInt16BE(header.producerEpoch, at + PRODUCER_EPOCH)
  bytes.writeInt32BE(header.baseSequence, at + BASE_SEQUENCE)
  bytes.writeInt32BE(header.recordCount, at + RECORD_COUNT)
  stampCrc(bytes, at, header.size)
}

/**
 * The batch whose records stand in `bytes` from 61 to `end`: with codec none it is made in place and is a view of `bytes`,
 * else a new Buffer. `fields.attributes` are the flags; the codec, which must be prepared, is put to them.
 */
export function sealBatch(
  bytes: Buffer,
  end: number,
  codec: CompressionCodec,
  level: number | undefined,
  fields: Omit<BatchFields, 'size'>,
): Buffer {
  let batch = bytes.subarray(0, end)
  if (codec !== 'none') {
    const records = compress(codec, bytes.subarray(BATCH_OVERHEAD, end), level)
    batch = Buffer.allocUnsafe(BATCH_OVERHEAD + records.length)
    records.copy(batch, BATCH_OVERHEAD)
  }
  const attributes = fields.attributes | CODECS.indexOf(codec)
  writeBatchHeader(batch, 0, { ...fields, attributes, size: batch.length })
  return batch
}

/**
 * Bytes of the batch at `at`, −1 when not all of it is within `bytes`. Works for any magic of 2 or more;
 * ProtocolError for a length no such batch can have.
 */
export function batchSizeAt(bytes: Buffer, at: number): number {
  if (at + LOG_OVERHEAD > bytes.length) return -1
  const size = LOG_OVERHEAD + bytes.readInt32BE(at + LENGTH)
  if (size < BATCH_OVERHEAD) throw new ProtocolError(`batch of ${size} bytes is smaller than its header`)
  return at + size > bytes.length ? -1 : size
}

export function hasValidCrc(bytes: Buffer, at: number, size: number): boolean {
  return crc32c(bytes, at + ATTRIBUTES, at + size) === bytes.readUInt32BE(at + CRC)
}

/** What a broker fills in on append; the checksum does not cover it. */
export function stampOffset(bytes: Buffer, at: number, baseOffset: number, leaderEpoch: number): void {
  writeInt64(bytes, at, baseOffset)
  bytes.writeInt32BE(leaderEpoch, at + LEADER_EPOCH)
}

/** Sets the maximum timestamp and the timestamp type, and the checksum that covers them. */
export function stampTimestamps(
  bytes: Buffer,
  at: number,
  size: number,
  maxTimestamp: number,
  isLogAppendTime: boolean,
): void {
  const attributes = bytes.readInt16BE(at + ATTRIBUTES)
  const flag = isLogAppendTime ? LOG_APPEND_TIME_FLAG : 0
  bytes.writeInt16BE((attributes & ~LOG_APPEND_TIME_FLAG) | flag, at + ATTRIBUTES)
  writeInt64(bytes, at + MAX_TIMESTAMP, maxTimestamp)
  stampCrc(bytes, at, size)
}

/**
 * The records of the batch at `at`, decompressed: a view of `bytes` when the codec is none. KafkaError MESSAGE_TOO_LARGE
 * for more than `maxBytes` after decompression, CORRUPT_MESSAGE for what the codec cannot read.
 */
export function recordsOf(bytes: Buffer, at: number, header: BatchHeader, maxBytes: number): Buffer {
  const stored = bytes.subarray(at + BATCH_OVERHEAD, at + header.size)
  return header.codec === 'none' ? stored : decompress(header.codec, stored, maxBytes)
}

function stampCrc(bytes: Buffer, at: number, size: number): void {
  bytes.writeUInt32BE(crc32c(bytes, at + ATTRIBUTES, at + size), at + CRC)
}

function readInt64(bytes: Buffer, at: number): number {
  const high = bytes.readInt32BE(at)
  if (high >= 0x200000) return Number.MAX_SAFE_INTEGER
  if (high < -0x200000) return -Number.MAX_SAFE_INTEGER
  return Math.max(high * 0x100000000 + bytes.readUInt32BE(at + 4), -Number.MAX_SAFE_INTEGER)
}

function writeInt64(bytes: Buffer, at: number, value: number): void {
  const high = Math.floor(value / 0x100000000)
  bytes.writeInt32BE(high, at)
  bytes.writeUInt32BE(value - high * 0x100000000, at + 4)
}
