// A sparse index beside a segment: fixed entries, growing in every field. A hint and nothing more: it is rebuilt from
// the log at any doubt, and what it says is checked against the batch it points to. Kafka preallocates its index files,
// so a tail of zeros is the end, not an entry. Entries live in memory while in use and are written when let go.

import { type Disk, DiskError, type DiskFile } from './disk.ts'

const FIRST_CAPACITY = 512

export abstract class IndexFile {
  readonly path: string
  readonly #disk: Disk
  readonly #entrySize: number
  #bytes: Buffer | undefined // undefined: let go, the file has it all
  #count = 0
  #written = 0 // entries the file has
  #isWhole = true // whether the file ends with its last entry

  constructor(disk: Disk, path: string, entrySize: number, isNew: boolean) {
    this.#disk = disk
    this.path = path
    this.#entrySize = entrySize
    if (isNew) {
      this.#bytes = Buffer.alloc(0)
      this.#isWhole = false
    }
  }

  /** Whether the entry at `at` may follow the one at `before` (−1: it is the first). */
  protected abstract follows(bytes: Buffer, at: number, before: number): boolean

  get count(): number {
    this.load()
    return this.#count
  }

  /** Whether the file exists. */
  protected get isThere(): boolean {
    return this.#disk.stat(this.path) !== undefined
  }

  /** Whether the file ends with its last entry; otherwise something in it is none. */
  get isWhole(): boolean {
    this.load()
    return this.#isWhole
  }

  /** Whether the file has every entry. */
  get isWritten(): boolean {
    return this.#bytes === undefined || this.#written === this.#count
  }

  get memoryBytes(): number {
    return this.#bytes?.length ?? 0
  }

  /** Drops the entries from `count` on. */
  truncate(count: number): void {
    this.load()
    if (count >= this.#count) return
    this.#count = count
    if (this.#written > count) {
      this.#written = count
      this.#isWhole = false
    }
  }

  /** Writes what the file lacks. */
  flush(): void {
    if (this.#bytes === undefined || (this.#isWhole && this.#written === this.#count)) return
    const file = this.#openOrCreate()
    try {
      const from = this.#written * this.#entrySize
      const to = this.#count * this.#entrySize
      if (to > from) file.write([this.#bytes.subarray(from, to)], from)
      if (!this.#isWhole) file.truncate(to)
    } finally {
      file.close()
    }
    this.#written = this.#count
    this.#isWhole = true
  }

  /** Makes what is written durable. */
  async sync(): Promise<void> {
    const file = this.#openOrCreate()
    try {
      await file.sync()
    } finally {
      file.close()
    }
  }

  /** Writes what the file lacks and gives the memory back; the next use reads the file. */
  release(): void {
    this.flush()
    this.#bytes = undefined
    this.#count = 0
  }

  /** The entries in memory, `count` of them valid. */
  protected load(): Buffer {
    this.#bytes ??= this.#read()
    return this.#bytes
  }

  /** Room for one more entry; returns where it goes. The caller fills it at once. */
  protected grow(): number {
    const bytes = this.load()
    const at = this.#count * this.#entrySize
    if (at + this.#entrySize > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_CAPACITY * this.#entrySize, bytes.length * 2))
      bytes.copy(larger, 0, 0, at)
      this.#bytes = larger
    }
    this.#count++
    return at
  }

  /** The last entry for which `isBefore` holds; −1 when there is none. It must hold for a first part of them only. */
  protected findLast(isBefore: (bytes: Buffer, at: number) => boolean): number {
    const bytes = this.load()
    let low = 0
    let high = this.#count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(bytes, middle * this.#entrySize)) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  #read(): Buffer {
    const size = this.#disk.stat(this.path)?.size ?? 0
    const bytes = Buffer.allocUnsafeSlow(size - (size % this.#entrySize))
    if (size > 0) {
      const file = this.#disk.open(this.path, 'read')
      try {
        bytes.fill(0, file.read(bytes, 0))
      } finally {
        file.close()
      }
    }
    let end = 0
    while (end < bytes.length && this.follows(bytes, end, end - this.#entrySize)) end += this.#entrySize
    this.#count = this.#written = end / this.#entrySize
    this.#isWhole = end === size
    return bytes.subarray(0, end)
  }

  #openOrCreate(): DiskFile {
    try {
      return this.#disk.open(this.path, 'write')
    } catch (error) {
      if (error instanceof DiskError && error.reason === 'notFound') return this.#disk.open(this.path, 'create')
      throw error
    }
  }
}
