// Gives the records of a batch the offset deltas that they must have: a record has one offset, and each offset within
// the batch one record. Compaction, lookups by time and readers that go on behind what they have seen rely on it.

import { varintEnd, varintSize, writeVarint } from '../kernels/varint.ts'
import type { BatchHeader } from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'

const LONGEST_VARINT = 5

/** The records, which a cursor has walked already, with deltas that count up from 0 and all else as it was. */
export function renumbered(header: BatchHeader, records: Buffer): Buffer {
  // Both the delta and the record's length, which counts it, may take more bytes than they did.
  const out = Buffer.allocUnsafe(records.length + header.recordCount * 2 * LONGEST_VARINT)
  let at = 0
  let delta = 0
  for (const cursor = new RecordCursor(header, records); cursor.next(); delta++) {
    const attributes = varintEnd(records, cursor.recordStart, cursor.recordEnd, 5)
    const oldDelta = varintEnd(records, attributes + 1, cursor.recordEnd, 10)
    const rest = varintEnd(records, oldDelta, cursor.recordEnd, 5)
    at = writeVarint(out, at, oldDelta - attributes + varintSize(delta) + cursor.recordEnd - rest)
    at += records.copy(out, at, attributes, oldDelta)
    at = writeVarint(out, at, delta)
    at += records.copy(out, at, rest, cursor.recordEnd)
  }
  return out.subarray(0, at)
}
