// A segment as compaction writes it: `.cleaned` files, which count for nothing until they are renamed. Durable when
// `finish` resolves, but for their names.

import type { BatchHeader } from '../protocol/record-batch.ts'
import type { Disk, DiskFile } from './disk.ts'
import { OffsetIndex } from './offset-index.ts'
import { segmentFileName } from './segment.ts'
import { TimeIndex } from './time-index.ts'
import { type AbortedTransaction, TxnIndex } from './txn-index.ts'

export const SEGMENT_SUFFIXES = ['.log', '.index', '.timeindex', '.txnindex'] as const
const WRITE_BYTES = 1024 * 1024

export class CleanedSegment {
  readonly baseOffset: number
  readonly #disk: Disk
  readonly #indexIntervalBytes: number
  readonly #paths: readonly string[]
  readonly #file: DiskFile
  readonly #offsetIndex: OffsetIndex
  readonly #timeIndex: TimeIndex
  readonly #txnIndex: TxnIndex
  #pieces: Buffer[] = []
  #pendingBytes = 0
  #written = 0
  #bytesSinceIndexEntry = 0
  #maxTimestamp = -1
  #maxTimestampOffset: number
  #isClosed = false

  /** What an earlier attempt left is removed. */
  constructor(disk: Disk, directory: string, baseOffset: number, indexIntervalBytes: number) {
    this.#disk = disk
    this.baseOffset = this.#maxTimestampOffset = baseOffset
    this.#indexIntervalBytes = indexIntervalBytes
    const paths = SEGMENT_SUFFIXES.map((suffix) => `${directory}/${segmentFileName(baseOffset, suffix)}`)
    for (const path of paths) disk.remove(`${path}.swap`)
    this.#paths = paths.map((path) => `${path}.cleaned`)
    this.#remove()
    const [log, index, timeIndex, txnIndex] = this.#paths
    this.#file = disk.open(log, 'create')
    this.#offsetIndex = new OffsetIndex(disk, index, baseOffset, true)
    this.#timeIndex = new TimeIndex(disk, timeIndex, baseOffset, true)
    this.#txnIndex = new TxnIndex(disk, txnIndex, true)
  }

  get size(): number {
    return this.#written + this.#pendingBytes
  }

  /** Takes a batch by reference, with the aborted transactions it ends. */
  append(batch: Buffer, header: BatchHeader, aborted: readonly AbortedTransaction[]): void {
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    // A header without records has nothing to be found by its timestamp.
    if (header.maxTimestamp > this.#maxTimestamp && header.recordCount > 0) {
      this.#maxTimestamp = header.maxTimestamp
      this.#maxTimestampOffset = lastOffset
    }
    if (this.#bytesSinceIndexEntry > this.#indexIntervalBytes) {
      this.#offsetIndex.append(lastOffset, this.size)
      this.#timeIndex.append(this.#maxTimestamp, this.#maxTimestampOffset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += batch.length
    for (const transaction of aborted) this.#txnIndex.append(transaction)
    this.#pieces.push(batch)
    this.#pendingBytes += batch.length
    if (this.#pendingBytes >= WRITE_BYTES) this.#write()
  }

  #write(): void {
    if (this.#pendingBytes > 0) this.#file.write(this.#pieces, this.#written)
    this.#written += this.#pendingBytes
    this.#pieces = []
    this.#pendingBytes = 0
  }

  async finish(): Promise<void> {
    this.#write()
    if (this.#maxTimestamp >= 0) this.#timeIndex.append(this.#maxTimestamp, this.#maxTimestampOffset)
    const indexes = [this.#offsetIndex, this.#timeIndex, this.#txnIndex]
    for (const index of indexes) index.flush()
    for (const file of [this.#file, ...indexes]) await file.sync()
    this.#close()
  }

  /** Removes what there is. */
  discard(): void {
    this.#close()
    this.#remove()
  }

  #close(): void {
    if (!this.#isClosed) this.#file.close()
    this.#isClosed = true
  }

  #remove(): void {
    for (const path of this.#paths) this.#disk.remove(path)
  }
}
