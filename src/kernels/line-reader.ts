// Cuts a stream of bytes into lines inside one buffer it owns, without an object per line. A line ends at \n, \r or
// \r\n, as Java's BufferedReader has it; the last one may be unterminated. Bytes are kept as they are. A line longer
// than `longest` is not kept: it is counted, and its bytes are dropped as they come.

import { allocate, release } from './memory.ts'

const LF = 10
const CR = 13
const NONE = Infinity

export class LineReader {
  /** The current line is `bytes[lineStart, lineEnd)`; valid until the next call of `space` or `push`. */
  bytes: Buffer
  lineStart = 0
  lineEnd = 0
  /** Of the current line, from 1. Counts every line, too long ones as well. */
  lineNumber = 0
  /** Length of the current line when it was too long to keep (it then shows as empty); else 0. */
  droppedBytes = 0

  readonly #longest: number
  readonly #chunk: number
  #start = 0 // of what has not been cut into lines yet
  #end = 0 // of what has been read
  #nextCr = NONE // the first \r at or after #start; NONE when there is none before #end
  #skipLf = false // the last line ended at \r, and a \n right after belongs to it
  #dropped = 0 // bytes thrown away of the line being read
  #isFinished = false

  /** `chunk`: bytes that `space` offers at least. */
  constructor(longest: number, chunk = 256 * 1024) {
    this.#longest = longest
    this.#chunk = chunk
    this.bytes = allocate(2 * chunk)
  }

  /** Where the next bytes go; say `filled` afterwards. Only when `next` has returned false. */
  space(): Buffer {
    this.#dropTooLong()
    const kept = this.#end - this.#start
    if (this.bytes.length - this.#end < this.#chunk) {
      if (kept + this.#chunk <= this.bytes.length) this.bytes.copyWithin(0, this.#start, this.#end)
      else {
        const larger = allocate(2 * (kept + this.#chunk))
        this.bytes.copy(larger, 0, this.#start, this.#end)
        release(this.bytes)
        this.bytes = larger
      }
      this.#start = 0
      this.#end = kept
      this.#nextCr = NONE // it was NONE already: `next` has returned false
    }
    return this.bytes.subarray(this.#end)
  }

  /** `size` bytes were put where `space` said. */
  filled(size: number): void {
    const from = this.#end
    this.#end += size
    if (this.#nextCr === NONE) this.#nextCr = this.#find(CR, from)
  }

  /** Takes as much of `chunk` as there is room for, by copy, and returns how much. Only when `next` has returned false. */
  push(chunk: Buffer, from: number): number {
    const space = this.space()
    const size = Math.min(space.length, chunk.length - from)
    chunk.copy(space, 0, from, from + size)
    this.filled(size)
    return size
  }

  /** No more bytes will come: what is left over is the last line. */
  finish(): void {
    this.#isFinished = true
  }

  /** Moves to the next line. False: there is none until more bytes come. */
  next(): boolean {
    let start = this.#start
    if (this.#skipLf && start < this.#end) {
      if (this.bytes[start] === LF) this.#start = ++start
      this.#skipLf = false
    }
    if (this.#nextCr < start) this.#nextCr = this.#find(CR, start)
    const lf = this.#find(LF, start)
    let end = lf < this.#nextCr ? lf : this.#nextCr
    if (end === NONE) {
      if (!this.#isFinished || (start === this.#end && this.#dropped === 0)) return false
      this.#start = end = this.#end
    } else {
      this.#skipLf = end !== lf
      this.#start = end + 1
    }
    this.lineStart = start
    this.lineEnd = end
    this.lineNumber++
    this.droppedBytes = 0
    if (this.#dropped > 0 || end - start > this.#longest) {
      this.droppedBytes = this.#dropped + end - start
      this.lineStart = end
      this.#dropped = 0
    }
    return true
  }

  #dropTooLong(): void {
    const kept = this.#end - this.#start
    if (kept <= this.#longest && this.#dropped === 0) return
    this.#dropped += kept
    this.#start = this.#end
  }

  #find(byte: number, from: number): number {
    const at = this.bytes.indexOf(byte, from)
    return at === -1 || at >= this.#end ? NONE : at
  }
}
