// Writes Kafka's primitive types into Buffers of its own. Large byte strings are not copied: they become pieces of
// their own in the result, which goes to the socket as a list.

import { assert } from '../base/assert.ts'

const FIRST_CHUNK = 512
const COPY_BELOW = 1024

export class Writer {
  readonly #pieces: Buffer[] = []
  #chunk: Buffer
  #start = 0 // of the part of the chunk that is not in #pieces yet
  #at = 0
  #finished = 0 // bytes in #pieces

  constructor(sizeHint = FIRST_CHUNK) {
    this.#chunk = Buffer.allocUnsafe(sizeHint)
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#finished + this.#at - this.#start
  }

  /** Everything written, in order. The writer must not be used afterwards. */
  finish(): Buffer[] {
    this.#cut()
    return this.#pieces
  }

  /** Reserves `size` bytes and returns where they start in `this.chunk`. */
  #room(size: number): number {
    if (this.#at + size > this.#chunk.length) {
      this.#cut()
      this.#chunk = Buffer.allocUnsafe(Math.max(this.#chunk.length * 2, size, FIRST_CHUNK))
      this.#start = this.#at = 0
    }
    const at = this.#at
    this.#at += size
    return at
  }

  #cut(): void {
    if (this.#at > this.#start) {
      this.#pieces.push(this.#chunk.subarray(this.#start, this.#at))
      this.#finished += this.#at - this.#start
      this.#start = this.#at
    }
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  int8(value: number): void {
    const at = this.#room(1)
    this.#chunk.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#room(2)
    this.#chunk.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#room(4)
    this.#chunk.writeUInt32BE(value, at)
  }

  /** `value` must be a safe integer. */
  int64(value: number): void {
    assert(Number.isSafeInteger(value), `int64 ${value} is not a safe integer`)
    const at = this.#room(8)
    this.#chunk.writeInt32BE(Math.floor(value / 0x100000000), at)
    this.#chunk.writeUInt32BE(value - Math.floor(value / 0x100000000) * 0x100000000, at + 4)
  }

  exactInt64(value: bigint): void {
    const at = this.#room(8)
    this.#chunk.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#room(8)
    this.#chunk.writeDoubleBE(value, at)
  }

  uuid(value: string): void {
    const at = this.#room(16)
    const written = this.#chunk.write(value, at, 16, 'base64url')
    assert(written === 16, `not a uuid: ${value}`)
  }

  uvarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      const at = this.#room(1) // may replace the chunk, so it comes first
      this.#chunk[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.#room(1)
    this.#chunk[at] = rest
  }

  text(value: string, size: number): void {
    const at = this.#room(size)
    this.#chunk.write(value, at, size, 'utf8')
  }

  /** Appends `value`; from 1 KiB on without a copy, so the caller must leave it alone until it is sent. */
  bytes(value: Buffer): void {
    if (value.length < COPY_BELOW) {
      const at = this.#room(value.length)
      value.copy(this.#chunk, at)
      return
    }
    this.#cut()
    this.#pieces.push(value)
    this.#finished += value.length
  }
}
