// Reads Kafka's primitive types from a Buffer it does not own. Every read is checked against the end, so that
// hostile bytes give a ProtocolError and nothing else; byte strings come back as views, not copies.

import { ProtocolError } from './errors.ts'

// Elements of all arrays in one message together: an element costs its reader far more memory than its sender bytes.
const MAX_ELEMENTS = 1_000_000
/** Of a request: more would keep a broker from everybody else for longer than a second. */
export const MAX_REQUEST_ELEMENTS = 100_000

export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

export class Reader {
  readonly #bytes: Buffer
  readonly #end: number
  readonly #maxElements: number
  #elements = 0
  position: number

  constructor(bytes: Buffer, position = 0, end = bytes.length, maxElements = MAX_ELEMENTS) {
    this.#maxElements = maxElements
    this.#bytes = bytes
    this.position = position
    this.#end = end
  }

  get remaining(): number {
    return this.#end - this.position
  }

  /** Advances by `size` and returns where the run of bytes starts. */
  take(size: number): number {
    const start = this.position
    if (size < 0 || size > this.#end - start) {
      throw new ProtocolError(`${size} bytes wanted at ${start}, ${this.#end - start} left`)
    }
    this.position = start + size
    return start
  }

  bool(): boolean {
    return this.int8() !== 0
  }

  int8(): number {
    return this.#bytes.readInt8(this.take(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.take(2))
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.take(4))
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.take(4))
  }

  /** As a number, saturating at ±(2^53−1): for offsets and timestamps, whose range checks then answer with Kafka's code. */
  int64(): number {
    const at = this.take(8)
    const high = this.#bytes.readInt32BE(at)
    const low = this.#bytes.readUInt32BE(at + 4)
    if (high >= 0x200000) return Number.MAX_SAFE_INTEGER
    if (high < -0x200000) return -Number.MAX_SAFE_INTEGER
    return Math.max(high * 0x100000000 + low, -Number.MAX_SAFE_INTEGER)
  }

  exactInt64(): bigint {
    return this.#bytes.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.#bytes.readDoubleBE(this.take(8))
  }

  uuid(): string {
    const at = this.take(16)
    return this.#bytes.toString('base64url', at, at + 16)
  }

  /** An unsigned varint of at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.take(1)]
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw new ProtocolError('varint of more than 32 bits')
  }

  /** `size` bytes as a view. */
  view(size: number): Buffer {
    const at = this.take(size)
    return this.#bytes.subarray(at, at + size)
  }

  text(size: number): string {
    const at = this.take(size)
    return this.#bytes.toString('utf8', at, at + size)
  }

  /** Checks an array's declared length before anything is allocated for it. */
  elements(count: number): number {
    this.#elements += count
    if (count < 0 || count > this.remaining || this.#elements > this.#maxElements) {
      throw new ProtocolError(`array of ${count} elements with ${this.remaining} bytes left`)
    }
    return count
  }
}
