// Bytes on their way out, gathered in one buffer that is written when it is full. It grows only for a single record
// larger than itself; whoever fills it looks at `isFull` between records.

import { allocate, copy, offsetOf, release } from './memory.ts'

export class ByteOutput {
  bytes: Buffer
  at = 0
  /** Where `bytes` lies in the kernels' memory, or −1. */
  base: number
  readonly #size: number

  /** Full from `size` bytes on. */
  constructor(size = 256 * 1024) {
    this.#size = size
    this.bytes = allocate(2 * size)
    this.base = offsetOf(this.bytes)
  }

  get isFull(): boolean {
    return this.at >= this.#size
  }

  /** Makes sure that `size` more bytes fit. */
  reserve(size: number): void {
    if (this.at + size <= this.bytes.length) return
    const larger = allocate(2 * (this.at + size))
    this.bytes.copy(larger, 0, 0, this.at)
    release(this.bytes)
    this.bytes = larger
    this.base = offsetOf(larger)
  }

  /** Appends `source[start, end)`. */
  range(source: Buffer, start: number, end: number): void {
    this.reserve(end - start)
    this.at = copy(this.bytes, this.at, source, start, end)
  }

  all(source: Buffer): void {
    this.range(source, 0, source.length)
  }

  text(text: string): void {
    const size = Buffer.byteLength(text)
    this.reserve(size)
    this.at += this.bytes.write(text, this.at, size)
  }

  /** Gives away the buffer, whose first `at` bytes count, and goes on in `spare`, or in a new one. */
  swap(spare?: Buffer): Buffer {
    const { bytes } = this
    this.bytes = spare ?? allocate(2 * this.#size)
    this.base = offsetOf(this.bytes)
    this.at = 0
    return bytes
  }
}
