// A file of written bytes, kept for the day the disk is full: then it is given up, so that the logs the broker itself
// needs (metadata, groups, transactions) and its checkpoints can go on for a while.

import { type Disk, DiskError } from './disk.ts'

const CHUNK_BYTES = 1024 * 1024

export class Reserve {
  readonly #disk: Disk
  readonly #path: string
  readonly #size: number
  #isThere = false

  /** `size` in bytes; 0: there is none. */
  constructor(disk: Disk, path: string, size: number) {
    this.#disk = disk
    this.#path = path
    this.#size = size
  }

  /** Makes the file if it is not there; false when there is no space for it. */
  fill(): boolean {
    if (this.#isThere || this.#size === 0) return true
    try {
      if (this.#disk.stat(this.#path)?.size !== this.#size) this.#make()
      this.#isThere = true
      return true
    } catch (error) {
      if (!(error instanceof DiskError) || error.reason !== 'noSpace') throw error
      this.#disk.remove(this.#path)
      return false
    }
  }

  /** Gives the space free; whether there was any to give. */
  giveUp(): boolean {
    if (!this.#isThere) return false
    this.#isThere = false
    this.#disk.remove(this.#path)
    return true
  }

  #make(): void {
    this.#disk.remove(this.#path)
    const file = this.#disk.open(this.#path, 'create')
    try {
      // Written, not merely allocated: holes and unwritten extents are no reserve on every file system.
      const zeros = Buffer.alloc(CHUNK_BYTES)
      for (let at = 0; at < this.#size; at += CHUNK_BYTES) {
        file.write([zeros.subarray(0, Math.min(CHUNK_BYTES, this.#size - at))], at)
      }
    } finally {
      file.close()
    }
  }
}
