// Takes records out of a batch, as compaction does (Kafka's MemoryRecords.filterTo): offsets, sequences and the last offset
// stay what they were, so that a producer's next batch and a reader's position still fit. The first time a batch with
// tombstones is seen it gets a delete horizon: the time after which they may go, kept in place of the base timestamp.

import { readVarint, readVarlong, varintEnd, varintSize, varlongSize, writeVarint, writeVarlong } from '../kernels/varint.ts'
import { compress } from '../protocol/compression/index.ts'
import {
  BATCH_OVERHEAD,
  type BatchHeader,
  CONTROL_FLAG,
  DELETE_HORIZON_FLAG,
  LOG_APPEND_TIME_FLAG,
  TRANSACTIONAL_FLAG,
  recordsOf,
  writeBatchHeader,
} from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'

export interface FilterRules {
  /** Whether the record the cursor stands at stays. */
  keeps(cursor: RecordCursor): boolean
  /** Keeps a header without records when none of them stays. */
  readonly keepsEmpty: boolean
  /** The delete horizon (ms) of a batch that gets one now. */
  readonly horizonMs: number
  /** Gives it one even without tombstones: a marker of a transaction of which nothing is left. */
  readonly startsHorizon: boolean
  /** Of its records, decompressed. */
  readonly maxBytes: number
}

/**
 * What stays of the batch at `at`: its own bytes when all does, undefined when nothing does. The codec must be prepared.
 * KafkaError when the records cannot be read.
 */
export function filterBatch(bytes: Buffer, at: number, header: BatchHeader, rules: FilterRules): Buffer | undefined {
  const records = recordsOf(bytes, at, header, rules.maxBytes)
  const spans: number[] = [] // start and end of runs of records that stay
  let count = 0
  let maxTimestamp = -1
  let hasTombstones = false
  const cursor = new RecordCursor(header, records)
  while (cursor.next()) {
    if (!rules.keeps(cursor)) continue
    count++
    if (cursor.timestamp > maxTimestamp) maxTimestamp = cursor.timestamp
    if (cursor.valueStart < 0) hasTombstones = true
    if (spans.at(-1) === cursor.recordStart) spans[spans.length - 1] = cursor.recordEnd
    else spans.push(cursor.recordStart, cursor.recordEnd)
  }
  if (count === 0) return rules.keepsEmpty ? emptyBatch(header) : undefined
  const getsHorizon = !header.hasDeleteHorizon && (hasTombstones || rules.startsHorizon)
  if (count === header.recordCount && !getsHorizon) return bytes.subarray(at, at + header.size)
  const kept = Buffer.concat(spans.flatMap((start, index) => (index % 2 === 0 ? [records.subarray(start, spans[index + 1])] : [])))
  return rebuilt(
    {
      ...header,
      recordCount: count,
      maxTimestamp: header.isLogAppendTime ? header.maxTimestamp : maxTimestamp,
      // Without a new horizon the base stays, and with it every record's bytes.
      baseTimestamp: getsHorizon ? rules.horizonMs : header.baseTimestamp,
      attributes: header.attributes | (getsHorizon ? DELETE_HORIZON_FLAG : 0),
    },
    getsHorizon ? rebased(kept, header.baseTimestamp - rules.horizonMs) : kept,
  )
}

function rebuilt(header: BatchHeader, records: Buffer): Buffer {
  const stored = header.codec === 'none' ? records : compress(header.codec, records)
  const batch = Buffer.allocUnsafe(BATCH_OVERHEAD + stored.length)
  stored.copy(batch, BATCH_OVERHEAD)
  writeBatchHeader(batch, 0, { ...header, size: batch.length })
  return batch
}

/** As Kafka writes it: no codec, no base timestamp. */
function emptyBatch(header: BatchHeader): Buffer {
  const attributes = header.attributes & (LOG_APPEND_TIME_FLAG | TRANSACTIONAL_FLAG | CONTROL_FLAG)
  const batch = Buffer.allocUnsafe(BATCH_OVERHEAD)
  writeBatchHeader(batch, 0, { ...header, attributes, size: BATCH_OVERHEAD, baseTimestamp: -1, recordCount: 0 })
  return batch
}

/** The records with `delta` (ms) added to each timestamp delta. */
function rebased(records: Buffer, delta: number): Buffer {
  const pieces: Buffer[] = []
  for (let at = 0; at < records.length; ) {
    const sizeEnd = varintEnd(records, at, records.length, 5)
    const timestampStart = sizeEnd + 1 // behind the attributes
    const timestampEnd = varintEnd(records, timestampStart, records.length, 10)
    const timestamp = readVarlong(records, timestampStart, timestampEnd) + delta
    const end = sizeEnd + readVarint(records, at, sizeEnd)
    const body = 1 + varlongSize(timestamp) + end - timestampEnd
    const head = Buffer.allocUnsafe(varintSize(body) + 1 + varlongSize(timestamp))
    const attributesAt = writeVarint(head, 0, body)
    head[attributesAt] = records[sizeEnd]
    writeVarlong(head, attributesAt + 1, timestamp)
    pieces.push(head, records.subarray(timestampEnd, end))
    at = end
  }
  return Buffer.concat(pieces)
}
