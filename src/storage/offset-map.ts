// The last offset of each key in the part of a log that compaction looks at. Keys are known by 128 bits of a hash under a
// random key, as Kafka knows them by MD5: 24 bytes each, whatever their length. Grows up to its limit, then says that
// it is full.

import { randomFillSync } from 'node:crypto'
import { halfSipHash } from '../kernels/half-sip-hash.ts'

const ENTRY_BYTES = 24
const FIRST_BYTES = 8 * 1024 * 1024 // growing further costs a pause
const LOAD = 0.75 // while it can grow
const FULL_LOAD = 0.9 // Kafka's log.cleaner.io.buffer.load.factor

export class OffsetMap {
  /** Behind the last offset that the map speaks of. */
  endOffset = 0
  readonly #maxSlots: number
  readonly #secret = randomFillSync(new Int32Array(4))
  readonly #hash = new Int32Array(4)
  #hashes: Int32Array // four a slot
  #offsets: Float64Array // −1: free
  #slots: number
  #count = 0

  /** `maxBytes` limits it; for at most `maxKeys` keys it need not be so large. */
  constructor(maxBytes: number, maxKeys: number) {
    this.#maxSlots = Math.max(2, Math.floor(maxBytes / ENTRY_BYTES))
    this.#slots = Math.min(Math.ceil((maxKeys + 2) / LOAD), Math.floor(FIRST_BYTES / ENTRY_BYTES), this.#maxSlots)
    this.#hashes = new Int32Array(this.#slots * 4)
    this.#offsets = new Float64Array(this.#slots).fill(-1)
  }

  get size(): number {
    return this.#count
  }

  /** Puts the offset of the key bytes[start, end); false when there is no room for another key. */
  put(bytes: Buffer, start: number, end: number, offset: number): boolean {
    this.#hashKey(bytes, start, end)
    let slot = this.#find(this.#hash, 0)
    if (this.#offsets[slot] < 0) {
      if (this.#count >= this.#slots * LOAD && this.#slots < this.#maxSlots) {
        this.#grow()
        slot = this.#find(this.#hash, 0)
      }
      if (this.#count + 1 > this.#slots * FULL_LOAD) return false
      this.#count++
      this.#hashes.set(this.#hash, slot * 4)
    }
    this.#offsets[slot] = offset
    return true
  }

  /** The last offset put for the key bytes[start, end); −1 when there is none. */
  get(bytes: Buffer, start: number, end: number): number {
    this.#hashKey(bytes, start, end)
    return this.#offsets[this.#find(this.#hash, 0)]
  }

  #hashKey(bytes: Buffer, start: number, end: number): void {
    const secret = this.#secret
    halfSipHash(bytes, start, end, secret[0], secret[1], this.#hash, 0)
    halfSipHash(bytes, start, end, secret[2], secret[3], this.#hash, 2)
  }

  /** The slot with the hash at `at`, or the free one where it belongs. */
  #find(hash: Int32Array, at: number): number {
    let slot = (hash[at] >>> 0) % this.#slots
    while (this.#offsets[slot] >= 0 && !this.#has(slot, hash, at)) slot = slot + 1 === this.#slots ? 0 : slot + 1
    return slot
  }

  #has(slot: number, hash: Int32Array, at: number): boolean {
    const hashes = this.#hashes
    const first = slot * 4
    return (
      hashes[first] === hash[at] &&
      hashes[first + 1] === hash[at + 1] &&
      hashes[first + 2] === hash[at + 2] &&
      hashes[first + 3] === hash[at + 3]
    )
  }

  #grow(): void {
    const hashes = this.#hashes
    const offsets = this.#offsets
    this.#slots = Math.min(this.#slots * 2, this.#maxSlots)
    this.#hashes = new Int32Array(this.#slots * 4)
    this.#offsets = new Float64Array(this.#slots).fill(-1)
    for (let slot = 0; slot < offsets.length; slot++) {
      if (offsets[slot] < 0) continue
      const target = this.#find(hashes, slot * 4)
      this.#offsets[target] = offsets[slot]
      this.#hashes.set(hashes.subarray(slot * 4, slot * 4 + 4), target * 4)
    }
  }
}
