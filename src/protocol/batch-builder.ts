// Builds one record batch in one growing buffer, for batches of our own making: a producer's records are written by
// kernels into its slots (client/producer-batch.ts). The first 61 bytes are kept free for the header, so that an
// uncompressed batch leaves without a copy.

import { assert } from '../base/assert.ts'
import { encodeHeaders, recordSize, writeRecord } from '../kernels/record-writer.ts'
import type { CompressionCodec } from './compression/index.ts'
import { BATCH_OVERHEAD, CONTROL_FLAG, sealBatch, TRANSACTIONAL_FLAG } from './record-batch.ts'
import type { RecordHeader } from './record-cursor.ts'

const FIRST_CAPACITY = 1024
const NOTHING = Buffer.alloc(0)

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
    const section = encodeHeaders(headers.map((header) => ({ key: Buffer.from(header.key), value: header.value })))
    const size = recordSize(delta, this.#count, key?.length ?? -1, value?.length ?? -1, section.length)
    const end = this.#at + size
    if (this.#count > 0 && end > this.#limit) return false

    const area = { bytes: this.#room(size), limit: end, at: this.#at, count: this.#count }
    const source = key === null ? (value ?? NOTHING) : value === null ? key : Buffer.concat([key, value])
    const split = key?.length ?? 0
    writeRecord(area, delta, source, key === null ? -1 : 0, split, value === null ? -1 : split, source.length, section)
    assert(area.at === end, `record of ${size} bytes took ${area.at - this.#at}`)

    if (this.#count === 0) {
      this.#baseTimestamp = this.#maxTimestamp = timestamp
    } else if (timestamp > this.#maxTimestamp) {
      this.#maxTimestamp = timestamp
    }
    this.#at = end
    this.#count++
    return true
  }

  /** The whole batch, its checksum included; the builder is empty afterwards. The codec must be prepared. */
  finish(options: BatchOptions): Buffer {
    assert(this.#count > 0 && this.#buffer !== undefined, 'a batch needs a record')
    const batch = sealBatch(this.#buffer, this.#at, options.codec, options.level, {
      baseOffset: options.baseOffset ?? 0,
      leaderEpoch: options.leaderEpoch ?? -1,
      attributes: (options.isTransactional ? TRANSACTIONAL_FLAG : 0) | (options.isControl ? CONTROL_FLAG : 0),
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId ?? -1n,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      recordCount: this.#count,
    })
    if (options.codec === 'none') this.#buffer = undefined // it is the caller's now
    this.reset()
    return batch
  }

  /** Forgets the records added. */
  reset(): void {
    this.#at = BATCH_OVERHEAD
    this.#count = 0
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
