// Memory that records are read into for a reply, used again when the socket has taken the reply. New memory for each read
// presses on V8's heap, which is then marked and compacted again and again: half of what a fetch costs (DECISIONS.md).
// A buffer is lent until somebody who knows that nobody reads it any more gives it back. One that never comes back (the
// client is gone, the fetch waits and reads anew) is the collector's, so nothing has to be undone anywhere.

const SMALLEST = 64 * 1024 // below, a request costs more than its memory
const LARGEST = 8 * 1024 * 1024
const MAX_FREE_BYTES = 8 * 1024 * 1024
const IDLE_MS = 5000

export class ReplyBuffers {
  readonly #free: Buffer[] = [] // powers of two; the one that came back last is the last
  readonly #lent = new WeakSet<ArrayBufferLike>()
  #freeBytes = 0
  #isUsed = false // since the last `tidy`
  #usedAt = 0

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** `size` bytes, not cleared; a larger piece of memory may stand behind them. */
  take(size: number): Buffer {
    if (size < SMALLEST || size > LARGEST) return Buffer.allocUnsafe(size)
    this.#isUsed = true
    const rounded = 2 ** Math.ceil(Math.log2(size))
    const at = this.#free.findLastIndex(({ length }) => length === rounded)
    const whole = at < 0 ? Buffer.allocUnsafeSlow(rounded) : this.#free.splice(at, 1)[0]
    if (at >= 0) this.#freeBytes -= rounded
    this.#lent.add(whole.buffer)
    return whole.subarray(0, size)
  }

  /** Takes back what was lent, of which `pieces` are parts; the others are left alone. Nobody may use them any more. */
  give(pieces: readonly Buffer[]): void {
    for (const { buffer } of pieces) {
      if (!this.#lent.delete(buffer)) continue
      this.#free.push(Buffer.from(buffer))
      this.#freeBytes += buffer.byteLength
    }
    while (this.#freeBytes > MAX_FREE_BYTES) this.#drop()
  }

  /** Called every second or so, with monotonic ms: when nobody took any for some seconds, all go to the collector. */
  tidy(now: number): void {
    if (this.#isUsed) this.#usedAt = now
    this.#isUsed = false
    while (now - this.#usedAt > IDLE_MS && this.#freeBytes > 0) this.#drop()
  }

  #drop(): void {
    this.#freeBytes -= this.#free.shift()?.length ?? 0
  }
}
