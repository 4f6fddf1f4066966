// Keeps the number of open segment files and the memory of their indexes within bounds: the least recently used give
// theirs back and take it again when needed.

import { DiskError } from './disk.ts'

export interface Releasable {
  /** Whether it can be released now; one with unwritten bytes or a sync under way can't. */
  readonly isIdle: boolean
  readonly memoryBytes: number
  release(): void
}

const MAX_INDEX_BYTES = 32 * 1024 * 1024
const LOOK_AT_MEMORY_EACH = 64 // uses

export class OpenFiles {
  readonly #limit: number
  readonly #used = new Set<Releasable>() // oldest use first
  #latest: Releasable | undefined
  #uses = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Says that `item` is in use now, before its file is opened. */
  use(item: Releasable): void {
    if (item === this.#latest) return
    this.#latest = item
    this.#used.delete(item)
    this.#used.add(item)
    if (this.#used.size > this.#limit) this.#release((count) => count > this.#limit)
    else if (++this.#uses % LOOK_AT_MEMORY_EACH === 0) this.#releaseMemory()
  }

  forget(item: Releasable): void {
    this.#used.delete(item)
    if (this.#latest === item) this.#latest = undefined
  }

  #release(goOn: (count: number) => boolean): void {
    for (const item of this.#used) {
      if (!goOn(this.#used.size)) return
      if (item === this.#latest || !item.isIdle) continue
      this.#let(item)
    }
  }

  #releaseMemory(): void {
    let bytes = 0
    for (const item of this.#used) bytes += item.memoryBytes
    if (bytes <= MAX_INDEX_BYTES) return
    for (const item of this.#used) {
      if (bytes <= MAX_INDEX_BYTES) return
      if (item === this.#latest || !item.isIdle) continue
      bytes -= item.memoryBytes
      this.#let(item)
    }
  }

  #let(item: Releasable): void {
    try {
      item.release()
      this.#used.delete(item)
    } catch (error) {
      // Its index could not be written for want of space: it keeps what it has.
      if (!(error instanceof DiskError) || error.reason !== 'noSpace') throw error
    }
  }
}
