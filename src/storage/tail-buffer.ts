// Bytes appended to a segment and not yet written. Small batches are gathered in a pooled buffer, so that one write
// takes them all; large ones are kept as they came, without a copy.

const STAGE_BYTES = 256 * 1024
const KEEP_BYTES = 64 * 1024 // from here on copying costs more than a further piece of a write
const MAX_POOLED = 16

const pool: Buffer[] = []

export class TailBuffer {
  #pieces: Buffer[] = []
  #stages: Buffer[] = []
  #used = 0 // of the last stage
  #pieceStart = 0 // where the piece under way begins in it
  size = 0

  /** Holds `bytes` until `clear`; from 64 KiB on by reference: the caller must not touch them before. */
  append(bytes: Buffer): void {
    this.size += bytes.length
    if (bytes.length >= KEEP_BYTES) {
      this.#endPiece()
      this.#pieces.push(bytes)
      return
    }
    if (this.#stages.length === 0 || this.#used + bytes.length > STAGE_BYTES) {
      this.#endPiece()
      this.#stages.push(pool.pop() ?? Buffer.allocUnsafeSlow(STAGE_BYTES))
      this.#used = this.#pieceStart = 0
    }
    this.#stages[this.#stages.length - 1].set(bytes, this.#used)
    this.#used += bytes.length
  }

  /** All bytes in their order. */
  pieces(): readonly Buffer[] {
    this.#endPiece()
    return this.#pieces
  }

  clear(): void {
    for (const stage of this.#stages) if (pool.length < MAX_POOLED) pool.push(stage)
    this.#pieces = []
    this.#stages = []
    this.#used = this.#pieceStart = this.size = 0
  }

  #endPiece(): void {
    if (this.#used === this.#pieceStart) return
    this.#pieces.push(this.#stages[this.#stages.length - 1].subarray(this.#pieceStart, this.#used))
    this.#pieceStart = this.#used
  }
}
