// Walks the records of one batch without an object per record: `next` moves the fields on. All of a record is checked
// before it is shown, so what the positions name lies within `bytes`. Anything else is INVALID_RECORD, as in Kafka.

import { readVarint, readVarlong, varintEnd } from '../kernels/varint.ts'
import { KafkaError } from './errors.ts'
import type { BatchHeader } from './record-batch.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export class RecordCursor {
  readonly bytes: Buffer
  offset = -1
  timestamp = -1 // ms; the batch's append time when it has one
  keyStart = -1 // -1: null
  keyEnd = -1
  valueStart = -1 // -1: null
  valueEnd = -1
  headerCount = 0
  headersStart = 0 // just behind the count
  recordStart = 0 // at the length
  recordEnd = 0
  readonly #baseOffset: number
  readonly #baseTimestamp: number
  readonly #appendTime: number | undefined
  #left: number // records still to come
  #at = 0
  #end = 0 // of what #varint may read

  /** `records` is what recordsOf gave for the batch with this header. */
  constructor(header: BatchHeader, records: Buffer) {
    this.bytes = records
    this.#baseOffset = header.baseOffset
    this.#baseTimestamp = header.baseTimestamp
    this.#appendTime = header.isLogAppendTime ? header.maxTimestamp : undefined
    this.#left = header.recordCount
  }

  /** Moves to the next record; false behind the last. KafkaError INVALID_RECORD when the bytes are not records. */
  next(): boolean {
    if (this.#left === 0) {
      if (this.#at !== this.bytes.length) throw invalid(`${this.bytes.length - this.#at} bytes behind the last record`)
      return false
    }
    this.#left--
    this.recordStart = this.#at
    this.#end = this.bytes.length
    const size = this.#varint()
    if (size < 0 || size > this.bytes.length - this.#at) {
      throw invalid(`record of ${size} bytes with ${this.bytes.length - this.#at} left`)
    }
    this.recordEnd = this.#end = this.#at + size
    this.#at++ // attributes: unused
    const timestampDelta = this.#varlong()
    this.timestamp = this.#appendTime ?? this.#baseTimestamp + timestampDelta
    this.offset = this.#baseOffset + this.#varint()
    this.keyStart = this.#bytesField(this.#varint())
    this.keyEnd = this.keyStart < 0 ? -1 : this.#at
    this.valueStart = this.#bytesField(this.#varint())
    this.valueEnd = this.valueStart < 0 ? -1 : this.#at
    this.headerCount = this.#varint()
    this.headersStart = this.#at
    this.#skipHeaders()
    if (this.#at !== this.recordEnd) throw invalid(`record ends at ${this.#at}, not at ${this.recordEnd}`)
    return true
  }

  /** The key as a view of `bytes`. */
  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.bytes.subarray(this.keyStart, this.keyEnd)
  }

  /** The value as a view of `bytes`. */
  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.bytes.subarray(this.valueStart, this.valueEnd)
  }

  /** The headers of this record in their order; values are views of `bytes`. */
  headers(): { key: string; value: Buffer | null }[] {
    return this.rawHeaders().map(({ key, value }) => ({ key: key.toString(), value }))
  }

  /** The same with keys as views of `bytes`: they need not be UTF-8. */
  rawHeaders(): { key: Buffer; value: Buffer | null }[] {
    const after = this.#at
    this.#at = this.headersStart
    this.#end = this.recordEnd
    const headers = []
    for (let index = 0; index < this.headerCount; index++) {
      const keyStart = this.#bytesField(this.#varint())
      const key = this.bytes.subarray(keyStart, this.#at)
      const valueStart = this.#bytesField(this.#varint())
      headers.push({ key, value: valueStart < 0 ? null : this.bytes.subarray(valueStart, this.#at) })
    }
    this.#at = after
    return headers
  }

  #skipHeaders(): void {
    if (this.headerCount < 0) throw invalid(`record with ${this.headerCount} headers`)
    // A header takes two bytes or more, so the loop ends with the record.
    for (let index = 0; index < this.headerCount; index++) {
      if (this.#bytesField(this.#varint()) < 0) throw invalid('header without a key')
      this.#bytesField(this.#varint())
    }
  }

  /** Steps over `size` bytes and returns where they start, −1 for null. */
  #bytesField(size: number): number {
    if (size < 0) return -1
    const start = this.#at
    if (size > this.#end - start) throw invalid(`field of ${size} bytes with ${this.#end - start} left`)
    this.#at = start + size
    return start
  }

  #varint(): number {
    const start = this.#at
    const first = start < this.#end ? this.bytes[start] : 0x80
    if (first < 0x80) {
      this.#at = start + 1
      return (first >>> 1) ^ -(first & 1)
    }
    const end = varintEnd(this.bytes, start, this.#end, 5)
    if (end < 0) throw invalid(`no varint at ${start}`)
    this.#at = end
    return readVarint(this.bytes, start, end)
  }

  #varlong(): number {
    const start = this.#at
    const end = varintEnd(this.bytes, start, this.#end, 10)
    if (end < 0) throw invalid(`no varlong at ${start}`)
    this.#at = end
    return readVarlong(this.bytes, start, end)
  }
}

function invalid(what: string): KafkaError {
  return new KafkaError('INVALID_RECORD', `Found invalid record: ${what}`)
}
