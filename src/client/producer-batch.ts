// One batch of a producer: a slot of memory that kernels write records into, kept uncompressed until it is
// acknowledged, so that a repeat is a second send of the same bytes and a batch too large can be cut in two.

import { assert } from '../base/assert.ts'
import { type RecordArea, writeRecord } from '../kernels/record-writer.ts'
import { varintSize } from '../kernels/varint.ts'
import type { CompressionCodec } from '../protocol/compression/index.ts'
import { BATCH_OVERHEAD, readBatchHeader, sealBatch } from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'

const TRANSACTIONAL = 0x10 // of a batch's attributes
const MAX_RECORD_OVERHEAD = 21 // DefaultRecord: length, attributes, timestamp and offset delta

export interface ProducerIdentity {
  readonly producerId: bigint // -1n: not idempotent
  readonly epoch: number
}

export const NO_IDENTITY: ProducerIdentity = { producerId: -1n, epoch: -1 }

/** A record's, in bytes; −1: null. */
export interface RecordSizes {
  readonly keySize: number
  readonly valueSize: number
}

export class ProducerBatch implements RecordArea {
  readonly bytes: Buffer
  readonly limit: number
  readonly partition: number
  /** Time of the first record, ms; timestamps are deltas from it. */
  readonly baseTimestamp: number
  /** Monotonic ms: when it was opened, and when to give up on it. */
  readonly openedAt: number
  readonly deadline: number
  at = BATCH_OVERHEAD
  count = 0
  largestDelta = -Infinity // of the records; all of them may be older than the base of a batch that was split
  attempts = 0
  identity: ProducerIdentity = NO_IDENTITY
  sequence = -1
  // Line numbers in runs: at index #runs[2i] and after, lines count up from #runs[2i + 1].
  readonly #runs: number[] = []
  #sealed: Buffer | undefined

  /** `limit`: how much of `bytes` may be used. */
  constructor(
    partition: number,
    bytes: Buffer,
    limit: number,
    baseTimestamp: number,
    openedAt: number,
    deadline: number,
  ) {
    this.bytes = bytes
    this.limit = limit
    this.partition = partition
    this.baseTimestamp = baseTimestamp
    this.openedAt = openedAt
    this.deadline = deadline
  }

  /** The next record is line `line` of the input, those after it the lines after it. */
  noteLine(line: number): void {
    const last = this.#runs.length - 2
    if (last >= 0 && line - this.#runs[last + 1] === this.count - this.#runs[last]) return
    this.#runs.push(this.count, line)
  }

  /** The line that record `index` came from; 0 when nobody said. */
  lineOf(index: number): number {
    let line = 0
    for (let run = 0; run < this.#runs.length && this.#runs[run] <= index; run += 2) {
      line = this.#runs[run + 1] + index - this.#runs[run]
    }
    return line
  }

  /** The delta of a record stamped `now`, wall time in ms. */
  deltaAt(now: number): number {
    const delta = now - this.baseTimestamp
    if (delta > this.largestDelta) this.largestDelta = delta
    return delta
  }

  /** The batch as it goes over the wire. The codec must be prepared. The same bytes again until `assign`. */
  sealed(codec: CompressionCodec, level: number | undefined, isTransactional = false): Buffer {
    return (this.#sealed ??= this.#seal(codec, level, isTransactional))
  }

  /** How large the records are, in their order; −1 is null. */
  *sizes(): Generator<RecordSizes, void, undefined> {
    const cursor = new RecordCursor(readBatchHeader(this.#seal('none', undefined), 0), this.bytes.subarray(BATCH_OVERHEAD, this.at))
    while (cursor.next()) {
      const { keyStart, keyEnd, valueStart, valueEnd } = cursor
      yield { keySize: keyStart < 0 ? -1 : keyEnd - keyStart, valueSize: valueStart < 0 ? -1 : valueEnd - valueStart }
    }
  }

  /** Gives the batch its place in the producer's sequence. */
  assign(identity: ProducerIdentity, sequence: number): void {
    this.identity = identity
    this.sequence = sequence
    this.#sealed = undefined
  }

  /** The records in two batches of half as many each; they keep lines, deadline and place in the sequence. */
  split(allocate: (size: number) => Buffer): [ProducerBatch, ProducerBatch] {
    assert(this.count > 1, 'one record cannot be split')
    const half = this.count >>> 1
    const header = readBatchHeader(this.#seal('none', undefined), 0)
    const cursor = new RecordCursor(header, this.bytes.subarray(BATCH_OVERHEAD, this.at))
    const first = this.#part(cursor, half, 0, allocate)
    const second = this.#part(cursor, this.count - half, half, allocate)
    return [first, second]
  }

  #part(cursor: RecordCursor, count: number, from: number, allocate: (size: number) => Buffer): ProducerBatch {
    // Smaller offset deltas take no more room, so what the whole batch needed is enough.
    const bytes = allocate(this.limit)
    const part = new ProducerBatch(this.partition, bytes, this.limit, this.baseTimestamp, this.openedAt, this.deadline)
    for (let index = 0; index < count && cursor.next(); index++) {
      part.noteLine(this.lineOf(from + index))
      const headersAt = cursor.headersStart - varintSize(cursor.headerCount)
      const headers = cursor.bytes.subarray(headersAt, cursor.recordEnd)
      const delta = part.deltaAt(cursor.timestamp)
      const { keyStart, keyEnd, valueStart, valueEnd } = cursor
      const fits = writeRecord(part, delta, cursor.bytes, keyStart, keyEnd, valueStart, valueEnd, headers)
      assert(fits, 'half a batch is larger than the whole')
    }
    part.attempts = this.attempts
    if (this.sequence >= 0) part.assign(this.identity, nextSequence(this.sequence, from))
    return part
  }

  #seal(codec: CompressionCodec, level: number | undefined, isTransactional = false): Buffer {
    return sealBatch(this.bytes, this.at, codec, level, {
      baseOffset: 0,
      leaderEpoch: -1,
      attributes: isTransactional ? TRANSACTIONAL : 0,
      lastOffsetDelta: this.count - 1,
      baseTimestamp: this.baseTimestamp,
      maxTimestamp: this.baseTimestamp + this.largestDelta,
      producerId: this.identity.producerId,
      producerEpoch: this.identity.epoch,
      baseSequence: this.sequence,
      recordCount: this.count,
    })
  }
}

/** Sequences wrap to 0 behind the largest int32, as Java's do. */
export function nextSequence(sequence: number, count: number): number {
  return sequence > 0x7fffffff - count ? count - (0x7fffffff - sequence) - 1 : sequence + count
}

/** What Java compares with max.request.size: a batch of one record at the widest its numbers can get. Null sizes are −1. */
export function serializedSize(keySize: number, valueSize: number, headersSize: number): number {
  return BATCH_OVERHEAD + MAX_RECORD_OVERHEAD + fieldSize(keySize) + fieldSize(valueSize) + headersSize
}

function fieldSize(size: number): number {
  return varintSize(size) + Math.max(size, 0)
}
