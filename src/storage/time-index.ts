// `.timeindex`: the greatest timestamp so far and the last offset of the batch that has it. Its last entry, written when
// the segment is closed, is the greatest of the whole segment.

import type { Disk } from './disk.ts'
import { IndexFile } from './index-file.ts'

// int64 timestamp in ms, int32 offset from the segment's base.
export const TIME_ENTRY_BYTES = 12

export class TimeIndex extends IndexFile {
  readonly #baseOffset: number

  constructor(disk: Disk, path: string, baseOffset: number, isNew: boolean) {
    super(disk, path, TIME_ENTRY_BYTES, isNew)
    this.#baseOffset = baseOffset
  }

  /** Adds an entry when `timestamp` is greater than all before. */
  append(timestamp: number, offset: number): void {
    if (timestamp <= this.last().timestamp) return
    const at = this.grow()
    const bytes = this.load()
    bytes.writeBigInt64BE(BigInt(timestamp), at)
    bytes.writeInt32BE(offset - this.#baseOffset, at + 8)
  }

  /** The entry with the greatest timestamp at or below `timestamp`; −1 and the base offset when there is none. */
  lookup(timestamp: number): { timestamp: number; offset: number } {
    return this.#entry(this.findLast((bytes, at) => Number(bytes.readBigInt64BE(at)) <= timestamp))
  }

  last(): { timestamp: number; offset: number } {
    return this.#entry(this.count - 1)
  }

  #entry(index: number): { timestamp: number; offset: number } {
    if (index < 0) return { timestamp: -1, offset: this.#baseOffset }
    const bytes = this.load()
    const at = index * TIME_ENTRY_BYTES
    return { timestamp: Number(bytes.readBigInt64BE(at)), offset: this.#baseOffset + bytes.readInt32BE(at + 8) }
  }

  protected override follows(bytes: Buffer, at: number, before: number): boolean {
    const timestamp = bytes.readBigInt64BE(at)
    const offset = bytes.readInt32BE(at + 8)
    if (before < 0) return timestamp >= 0n && offset >= 0 && (timestamp > 0n || !isZero(bytes, at + TIME_ENTRY_BYTES))
    return timestamp > bytes.readBigInt64BE(before) && offset > bytes.readInt32BE(before + 8)
  }
}

/** Whether all of a preallocated file's rest is zeros: then an entry of zeros is none either. */
function isZero(bytes: Buffer, from: number): boolean {
  return bytes.subarray(from).every((byte) => byte === 0)
}
