// What a produced batch must be before it may stand in a log: Kafka's checks in Kafka's order, with Kafka's codes
// (UnifiedLog.analyzeAndValidateRecords, then LogValidator). More bytes than a batch, which Kafka lets pass, are refused,
// because they make a topic unreadable for some clients. Offset deltas that don't count up by one are set right, which
// Kafka does for compressed batches alone.

import { KafkaError, ProtocolError } from '../protocol/errors.ts'
import { compress } from '../protocol/compression/index.ts'
import {
  BATCH_OVERHEAD,
  type BatchHeader,
  CODEC_MASK,
  CODECS,
  batchSizeAt,
  hasValidCrc,
  readBatchHeader,
  recordsOf,
  stampTimestamps,
} from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'
import type { LogConfig } from './log-config.ts'
import { renumbered } from './renumber.ts'

// Of one batch after decompression: 64 times what max.message.bytes lets a batch have, and what one hostile batch can
// make us hold for a moment.
const MAX_RECORDS_BYTES = 64 * 1024 * 1024
const SHOWN_ERRORS = 3
const MAX_ERRORS = 1000 // kept of one batch, which can have millions of records

/** Which records of a batch were refused and why; Produce v8 and later answers them one by one. */
export class RecordValidationError extends KafkaError {
  readonly recordErrors: readonly { readonly batchIndex: number; readonly message: string }[]

  constructor(
    error: 'INVALID_RECORD' | 'INVALID_TIMESTAMP',
    message: string,
    recordErrors: RecordValidationError['recordErrors'],
  ) {
    super(error, message)
    this.recordErrors = recordErrors
  }
}

export interface ValidBatch {
  /** The batch as it is to be stored: the caller's bytes, or new ones when it was recompressed. */
  readonly bytes: Buffer
  readonly header: BatchHeader
}

/**
 * Checks a client's batch and brings timestamps and compression to what the topic asks; offsets are not stamped yet.
 * `bytes` is exactly what the client sent for the partition. The codecs of batch and topic must be prepared.
 */
export function validateClientBatch(bytes: Buffer, name: string, config: LogConfig, nowMs: number): ValidBatch {
  const header = checkedHeader(bytes, name, config)
  const isLogAppendTime = config.timestampType === 'LogAppendTime'
  if (header.isLogAppendTime && !isLogAppendTime) {
    throw new KafkaError(
      'INVALID_TIMESTAMP',
      `Invalid timestamp type in message in topic partition ${name}. Producer should not set timestamp type to LogAppendTime.`,
    )
  }
  const records = decompressed(bytes, header, name)
  const { maxTimestamp, countsUp } = checkRecords(header, records, name, config, nowMs)
  const stored = recompressed(bytes, header, countsUp ? records : renumbered(header, records), !countsUp, config)
  const wanted = isLogAppendTime ? nowMs : maxTimestamp
  if (stored !== bytes || wanted !== header.maxTimestamp || isLogAppendTime !== header.isLogAppendTime) {
    stampTimestamps(stored, 0, stored.length, wanted, isLogAppendTime)
    const result = { bytes: stored, header: readBatchHeader(stored, 0) }
    if (stored.length > config.maxMessageBytes) throw tooLarge(stored.length, name, config)
    checkSegmentSize(stored.length, name, config)
    return result
  }
  checkSegmentSize(stored.length, name, config)
  return { bytes: stored, header }
}

/** A batch of our own making: trusted but for its shape. */
export function trustedBatch(bytes: Buffer): ValidBatch {
  return { bytes, header: readBatchHeader(bytes, 0) }
}

/** Everything that the header alone can say. */
function checkedHeader(bytes: Buffer, name: string, config: LogConfig): BatchHeader {
  const header = readHeader(bytes, name)
  if (header.baseOffset !== 0) {
    throw invalid(`The baseOffset of the record batch in the append to ${name} should be 0, but it is ${header.baseOffset}`)
  }
  if (header.size > config.maxMessageBytes) throw tooLarge(header.size, name, config)
  if (!hasValidCrc(bytes, 0, header.size)) {
    throw new KafkaError('CORRUPT_MESSAGE', `Record is corrupt (stored crc = ${header.crc}) in topic partition ${name}.`)
  }
  const { lastOffsetDelta, recordCount } = header
  if (lastOffsetDelta < 0) {
    throw invalid(`Batch has an invalid offset range: [0, ${lastOffsetDelta}] in topic partition ${name}`)
  }
  if (recordCount <= 0) {
    throw invalid(`Invalid reported count for record batch: ${recordCount} in topic partition ${name}`)
  }
  if (lastOffsetDelta + 1 !== recordCount) {
    throw invalid(
      `Inconsistent batch offset range [0, ${lastOffsetDelta}] and count of records ${recordCount} in topic partition ${name}`,
    )
  }
  if (header.isControl) throw invalid(`Clients are not allowed to write control records in topic partition ${name}`)
  if (header.producerId >= 0n && header.baseSequence < 0) {
    throw invalid(
      `Invalid sequence number ${header.baseSequence} in record batch with producerId ${header.producerId} in topic partition ${name}`,
    )
  }
  return header
}

function readHeader(bytes: Buffer, name: string): BatchHeader {
  try {
    const magic = bytes.length > 16 ? bytes.readInt8(16) : -1
    if (magic === 0 || magic === 1) {
      throw invalid('Produce requests with version 3 or later are only allowed to contain record batches with magic version 2')
    }
    const size = batchSizeAt(bytes, 0)
    if (size >= 0 && size < bytes.length) {
      throw invalid('Produce requests with version 3 or later are only allowed to contain exactly one record batch per partition')
    }
    return readBatchHeader(bytes, 0)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new KafkaError('CORRUPT_MESSAGE', `${error.message} in append to ${name}`, { cause: error })
  }
}

function decompressed(bytes: Buffer, header: BatchHeader, name: string): Buffer {
  try {
    return recordsOf(bytes, 0, header, MAX_RECORDS_BYTES)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    throw new KafkaError('INVALID_RECORD', `${error.message} in topic partition ${name}`, { cause: error })
  }
}

/** Walks all records: the greatest timestamp, and whether their offsets are 0, 1, 2 and so on. */
function checkRecords(
  header: BatchHeader,
  records: Buffer,
  name: string,
  config: LogConfig,
  nowMs: number,
): { maxTimestamp: number; countsUp: boolean } {
  const needsKeys = config.cleanupPolicy.has('compact')
  const earliest = config.timestampType === 'CreateTime' ? nowMs - config.timestampBeforeMaxMs : -Infinity
  const latest = config.timestampType === 'CreateTime' ? nowMs + config.timestampAfterMaxMs : Infinity
  const errors: { batchIndex: number; message: string }[] = []
  let badTimestamps = 0
  let errorCount = 0
  let maxTimestamp = -1
  let countsUp = true
  let index = 0
  for (const cursor = new RecordCursor(header, records); cursor.next(); index++) {
    if (cursor.offset !== header.baseOffset + index) countsUp = false
    const timestamp = cursor.timestamp
    if (timestamp > maxTimestamp) maxTimestamp = timestamp
    if (needsKeys && cursor.keyStart < 0) {
      if (++errorCount > MAX_ERRORS) continue
      const message = `Compacted topic cannot accept message without key in topic partition ${name}`
      errors.push({ batchIndex: index, message })
    } else if (timestamp !== -1 && (timestamp < earliest || timestamp > latest)) {
      badTimestamps++
      if (++errorCount > MAX_ERRORS) continue
      const message = `Timestamp ${timestamp} of message with offset ${cursor.offset} is out of range. The timestamp should be within [${earliest}, ${latest}]`
      errors.push({ batchIndex: index, message })
    }
  }
  if (errors.length === 0) return { maxTimestamp, countsUp }
  if (badTimestamps > 0) {
    throw new RecordValidationError(
      'INVALID_TIMESTAMP',
      'One or more records have been rejected due to invalid timestamp',
      errors,
    )
  }
  const shown = errors.slice(0, SHOWN_ERRORS)
  const listed = shown.map((each) => `RecordError(batchIndex=${each.batchIndex}, message='${each.message}')`).join(', ')
  throw new RecordValidationError(
    'INVALID_RECORD',
    `One or more records have been rejected due to ${errorCount} record errors in total, and only showing the first three errors at most: [${listed}]`,
    errors,
  )
}

/** The batch with these records in the topic's codec: the same bytes when it is so already. The checksum is left to the caller. */
function recompressed(
  bytes: Buffer,
  header: BatchHeader,
  records: Buffer,
  isChanged: boolean,
  config: LogConfig,
): Buffer {
  const codec = config.compressionType === 'producer' ? header.codec : config.compressionType
  if (codec === header.codec && !isChanged) return bytes
  const stored = codec === 'none' ? records : compress(codec, records, config.compressionLevels[codec])
  const batch = Buffer.allocUnsafe(BATCH_OVERHEAD + stored.length)
  bytes.copy(batch, 0, 0, BATCH_OVERHEAD)
  stored.copy(batch, BATCH_OVERHEAD)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt16BE((header.attributes & ~CODEC_MASK) | CODECS.indexOf(codec), 21)
  return batch
}

function checkSegmentSize(size: number, name: string, config: LogConfig): void {
  if (size <= config.segmentBytes) return
  throw new KafkaError(
    'RECORD_LIST_TOO_LARGE',
    `Message batch size is ${size} bytes in append to partition ${name}, which exceeds the maximum configured segment size of ${config.segmentBytes}.`,
  )
}

function tooLarge(size: number, name: string, config: LogConfig): KafkaError {
  return new KafkaError(
    'MESSAGE_TOO_LARGE',
    `The record batch size in the append to ${name} is ${size} bytes which exceeds the maximum configured value of ${config.maxMessageBytes}).`,
  )
}

function invalid(message: string): KafkaError {
  return new KafkaError('INVALID_RECORD', message)
}
