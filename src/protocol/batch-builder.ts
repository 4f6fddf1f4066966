// Builds one record batch in one growing buffer: no object per record. The first 61 bytes are kept free for the
// header, so that an uncompressed batch leaves without a copy.

import { assert } from '../base/assert.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../kernels/varint.ts'
import { type CompressionCodec, compress } from './compression/index.ts'
import { BATCH_OVERHEAD, CODECS, CONTROL_FLAG, TRANSACTIONAL_FLAG, writeBatchHeader } from './record-batch.ts'
import type { RecordHeader } from './record-cursor.ts'

const FIRST_CAPACITY = 1024

export interface BatchOptions {
  readonly codec: CompressionCodec
  readonly level?: number
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
  readonly isControl?: boolean
  readonly leaderEpoch?: number
  readonly baseOffset?: number
}

export class BatchBuilder {
  readonly #limit: number
  #buffer: Buffer | undefined
  #capacity = FIRST_CAPACITY // of the next buffer
  #at = BATCH_OVERHEAD
  #count = 0
  #baseTimestamp = 0
  #maxTimestamp = 0

  /** `limit`: bytes of the whole batch before compression; only a single record may be larger. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes of the whole batch before compression. */
  get size(): number {
    return this.#at
  }

  get count(): number {
    return this.#count
  }

  /** Adds a record; false when it does not fit any more. `timestamp` in ms, a safe integer. An empty builder takes any. */
  append(key: Buffer | null, value: Buffer | null, headers: readonly RecordHeader[], timestamp: number): boolean {
    const delta = this.#count === 0 ? 0 : timestamp - this.#baseTimestamp
    assert(Number.isSafeInteger(timestamp) && Number.isSafeInteger(delta), `timestamp ${timestamp} out of range`)
    const body =
      1 + varlongSize(delta) + varintSize(this.#count) + fieldSize(key) + fieldSize(value) + headersSize(headers)
    const size = varintSize(body) + body
    if (this.#count > 0 && this.#at + size > this.#limit) return false

    const bytes = this.#room(size)
    let at = writeVarint(bytes, this.#at, body)
    bytes[at++] = 0 // attributes
    at = writeVarlong(bytes, at, delta)
    at = writeVarint(bytes, at, this.#count)
    at = writeField(bytes, at, key)
    at = writeField(bytes, at, value)
    at = writeHeaders(bytes, at, headers)
    assert(at === this.#at + size, `record of ${size} bytes took ${at - this.#at}`)

    if (this.#count === 0) {
      this.#baseTimestamp = this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) {
      this.#maxTimestamp = timestamp
    }
    this.#at = at
    this.#count++
    return true
  }

  /** The whole batch, its checksum included; the builder is empty afterwards. The codec must be prepared. */
  finish(options: BatchOptions): Buffer {
    assert(this.#count > 0 && this.#buffer !== undefined, 'a batch needs a record')
    const batch = this.#stored(this.#buffer, options)
    writeBatchHeader(batch, 0, {
      baseOffset: options.baseOffset ?? 0,
      size: batch.length,
      leaderEpoch: options.leaderEpoch ?? -1,
      attributes:
        CODECS.indexOf(options.codec) |
        (options.isTransactional ? TRANSACTIONAL_FLAG : 0) |
        (options.isControl ? CONTROL_FLAG : 0),
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId ?? -1n,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      recordCount: this.#count,
    })
    this.reset()
    return batch
  }

  /** Forgets the records added. */
  reset(): void {
    this.#at = BATCH_OVERHEAD
    this.#count = 0
  }

  /** The records in a batch whose header is still to be written. */
  #stored(buffer: Buffer, options: BatchOptions): Buffer {
    if (options.codec === 'none') {
      this.#buffer = undefined // it is the caller's now
      return buffer.subarray(0, this.#at)
    }
    const records = compress(options.codec, buffer.subarray(BATCH_OVERHEAD, this.#at), options.level)
    const batch = Buffer.allocUnsafe(BATCH_OVERHEAD + records.length)
    records.copy(batch, BATCH_OVERHEAD)
    return batch
  }

  /** A buffer with `size` bytes free at #at, holding what was written so far. */
  #room(size: number): Buffer {
    const needed = this.#at + size
    if (this.#buffer !== undefined && needed <= this.#buffer.length) return this.#buffer
    // Doubles up to the limit, and remembers: the next batch of a busy partition is as large as this one.
    const doubled = this.#buffer === undefined ? this.#capacity : Math.min(this.#buffer.length * 2, this.#limit)
    const larger = Buffer.allocUnsafeSlow(Math.max(doubled, needed))
    this.#buffer?.copy(larger, BATCH_OVERHEAD, BATCH_OVERHEAD, this.#at)
    this.#buffer = larger
    this.#capacity = Math.max(FIRST_CAPACITY, Math.min(larger.length, this.#limit))
    return larger
  }
}

function fieldSize(bytes: Buffer | null): number {
  return bytes === null ? 1 : varintSize(bytes.length) + bytes.length
}

function headersSize(headers: readonly RecordHeader[]): number {
  let size = varintSize(headers.length)
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key)
    size += varintSize(keyLength) + keyLength + fieldSize(value)
  }
  return size
}

function writeField(bytes: Buffer, at: number, field: Buffer | null): number {
  if (field === null) return writeVarint(bytes, at, -1)
  at = writeVarint(bytes, at, field.length)
  bytes.set(field, at)
  return at + field.length
}

function writeHeaders(bytes: Buffer, at: number, headers: readonly RecordHeader[]): number {
  at = writeVarint(bytes, at, headers.length)
  for (const { key, value } of headers) {
    const keyLength = Buffer.byteLength(key)
    at = writeVarint(bytes, at, keyLength)
    bytes.write(key, at, keyLength)
    at = writeField(bytes, at + keyLength, value)
  }
  return at
}
