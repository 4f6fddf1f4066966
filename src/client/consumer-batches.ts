// From the bytes of a fetch to the batches whose records count: checksums compared, control batches and aborted
// transactions left out, compressed records unpacked. Positions are moved by whole batches, so gaps never hold them up.

import { type CompressionCodec } from '../protocol/compression/index.ts'
import { KafkaError, ProtocolError } from '../protocol/errors.ts'
import { type BatchHeader, batchSizeAt, hasValidCrc, readBatchHeader, recordsOf } from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'

/** What one partition gave in one answer. */
export interface FetchedRecords {
  readonly topic: string
  readonly partition: number
  readonly bytes: Buffer
  /** Records with from ≤ offset < until were asked for; a batch may hold others. */
  readonly from: number
  readonly until: number
  /** The offset behind all of `bytes`, markers and gaps included. */
  readonly next: number
  readonly aborted: readonly AbortedTransaction[]
  readonly codecs: ReadonlySet<CompressionCodec>
  /** Of the partition, as the answer has them. */
  readonly ends?: { readonly logStart: number; readonly lastStable: number; readonly highWatermark: number }
}

export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
}

export interface FetchedBatch {
  readonly header: BatchHeader
  /** Uncompressed, as RecordCursor takes them. */
  readonly records: Buffer
}

// Unpacked, one batch: as much as the bundled broker takes in.
const LARGEST_BATCH = 64 * 1024 * 1024
const ABORT_MARKER = 0

/** The offset behind the last whole batch of `bytes`, and the codecs in use. */
export function scanBatches(bytes: Buffer): { next: number; codecs: Set<CompressionCodec> } {
  const codecs = new Set<CompressionCodec>()
  let next = -1
  for (let at = 0; ; ) {
    const size = batchSizeAt(bytes, at)
    if (size < 0) break
    const header = readBatchHeader(bytes, at)
    codecs.add(header.codec)
    next = header.baseOffset + header.lastOffsetDelta + 1
    at += size
  }
  if (next < 0 && bytes.length > 0) throw new ProtocolError(`fetched ${bytes.length} bytes without a whole batch`)
  return { next, codecs }
}

/**
 * The batches with records for the application. The codecs must be prepared. KafkaError CORRUPT_MESSAGE on a bad checksum,
 * MESSAGE_TOO_LARGE on a batch that unpacks to more than 64 MiB, or than `partitionMaxBytes` where that is more.
 */
export function* batchesOf(
  fetched: FetchedRecords,
  checkCrcs: boolean,
  partitionMaxBytes = 0,
): Generator<FetchedBatch, void, undefined> {
  const largest = Math.max(LARGEST_BATCH, partitionMaxBytes)
  const { bytes } = fetched
  const pending = [...fetched.aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<bigint>()
  for (let at = 0, size = batchSizeAt(bytes, 0); size >= 0; at += size, size = batchSizeAt(bytes, at)) {
    const header = readBatchHeader(bytes, at)
    const last = header.baseOffset + header.lastOffsetDelta
    while (pending.length > 0 && pending[0].firstOffset <= last) aborting.add(pending.shift()?.producerId ?? -1n)
    if (last < fetched.from) continue
    if (header.baseOffset >= fetched.until) return
    if (checkCrcs && !hasValidCrc(bytes, at, size)) {
      const where = `${fetched.topic}-${fetched.partition}`
      throw new KafkaError('CORRUPT_MESSAGE', `The batch at offset ${header.baseOffset} of ${where} has a wrong checksum`)
    }
    if (header.isControl) {
      if (aborting.has(header.producerId) && isAbortMarker(bytes, at, header, largest)) aborting.delete(header.producerId)
      continue
    }
    if (header.recordCount === 0 || (header.isTransactional && aborting.has(header.producerId))) continue
    yield { header, records: recordsOf(bytes, at, header, largest) }
  }
}

/** A control record's key is its version and its type, both int16. */
function isAbortMarker(bytes: Buffer, at: number, header: BatchHeader, largest: number): boolean {
  const cursor = new RecordCursor(header, recordsOf(bytes, at, header, largest))
  if (!cursor.next() || cursor.keyStart < 0 || cursor.keyEnd - cursor.keyStart < 4) return false
  return cursor.bytes.readInt16BE(cursor.keyStart + 2) === ABORT_MARKER
}
