// `.index`: for about each 4 KiB of log, the last offset of a batch and the position where that batch begins.

import type { Disk } from './disk.ts'
import { IndexFile } from './index-file.ts'

// int32 offset from the segment's base, int32 position in the segment.
export const OFFSET_ENTRY_BYTES = 8

export class OffsetIndex extends IndexFile {
  readonly #baseOffset: number

  constructor(disk: Disk, path: string, baseOffset: number, isNew: boolean) {
    super(disk, path, OFFSET_ENTRY_BYTES, isNew)
    this.#baseOffset = baseOffset
  }

  append(lastOffset: number, position: number): void {
    const at = this.grow()
    const bytes = this.load()
    bytes.writeInt32BE(lastOffset - this.#baseOffset, at)
    bytes.writeInt32BE(position, at + 4)
  }

  /** The entry with the greatest offset at or below `offset`; the start of the segment when there is none. */
  lookup(offset: number): { lastOffset: number; position: number } {
    const relative = offset - this.#baseOffset
    return this.#entry(this.findLast((bytes, at) => bytes.readInt32BE(at) <= relative))
  }

  /** The entry with the greatest position at or below `position`; the start of the segment when there is none. */
  lookupPosition(position: number): { lastOffset: number; position: number } {
    return this.#entry(this.findLast((bytes, at) => bytes.readInt32BE(at + 4) <= position))
  }

  last(): { lastOffset: number; position: number } {
    return this.#entry(this.count - 1)
  }

  #entry(index: number): { lastOffset: number; position: number } {
    if (index < 0) return { lastOffset: this.#baseOffset - 1, position: 0 }
    const bytes = this.load()
    const at = index * OFFSET_ENTRY_BYTES
    return { lastOffset: this.#baseOffset + bytes.readInt32BE(at), position: bytes.readInt32BE(at + 4) }
  }

  protected override follows(bytes: Buffer, at: number, before: number): boolean {
    const offset = bytes.readInt32BE(at)
    const position = bytes.readInt32BE(at + 4)
    // The first batch of a segment never has an entry: there are no bytes before it.
    if (before < 0) return offset >= 0 && position > 0
    return offset > bytes.readInt32BE(before) && position > bytes.readInt32BE(before + 4)
  }
}
