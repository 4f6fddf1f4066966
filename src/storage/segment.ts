// One segment of a log: a file of batches with its indexes. Appending is memory only; `write` puts what was appended
// into the file, and until it has succeeded `undo` takes it back. Files are made at the first write and opened when
// needed. Nothing here is durable before `sync` resolves.

import { assert } from '../base/assert.ts'
import type { BatchHeader } from '../protocol/record-batch.ts'
import { type BatchVisitor, type ScanOptions, type ScanResult, scanBatches } from './batch-scan.ts'
import type { Disk, DiskFile } from './disk.ts'
import type { LogConfig } from './log-config.ts'
import { OFFSET_ENTRY_BYTES, OffsetIndex } from './offset-index.ts'
import type { OpenFiles } from './open-files.ts'
import { TailBuffer } from './tail-buffer.ts'
import { TIME_ENTRY_BYTES, TimeIndex } from './time-index.ts'
import { TxnIndex } from './txn-index.ts'

// Positions in indexes are int32.
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1
// Of an index made anew in doubt: Kafka's default.
const REBUILT_INTERVAL_BYTES = 4096
const REWRITE_CHUNK_BYTES = 1024 * 1024

/** What `undo` goes back to. */
interface Mark {
  readonly nextOffset: number
  readonly maxTimestamp: number
  readonly maxTimestampOffset: number
  readonly firstTimestamp: number | undefined
  readonly bytesSinceIndexEntry: number
  readonly offsetEntries: number
  readonly timeEntries: number
  readonly txnEntries: number
}

export function segmentFileName(baseOffset: number, suffix: string): string {
  return `${String(baseOffset).padStart(20, '0')}${suffix}`
}

export class Segment {
  readonly baseOffset: number
  readonly path: string
  readonly offsetIndex: OffsetIndex
  readonly timeIndex: TimeIndex
  readonly txnIndex: TxnIndex
  /** Behind the last batch appended. */
  nextOffset: number
  /** Of the batches written or scanned in this life, and the last offset of the batch that has it. */
  maxTimestamp = -1
  maxTimestampOffset: number
  /** Bytes from the start of the file that another life wrote and this one has not checked. */
  uncheckedBytes: number
  /** A sync is under way: the file must stay open. */
  isSyncing = false
  readonly #disk: Disk
  readonly #files: OpenFiles
  readonly #createdMs: number
  readonly #jitter = Math.random()
  readonly #tail = new TailBuffer()
  #file: DiskFile | undefined
  #exists: boolean
  #writtenSize: number
  #firstTimestamp: number | undefined
  #bytesSinceIndexEntry = 0
  #mark: Mark | undefined
  #checkedFrom = 0 // of the unchecked bytes, what readers have checked meanwhile
  #checkedTo = 0
  #hintOffset = -1 // where the last look-up ended: readers mostly go on from there
  #hintPosition = 0

  /** `size`: bytes of an existing file, undefined for a segment to be made. */
  constructor(disk: Disk, files: OpenFiles, directory: string, baseOffset: number, nowMs: number, size?: number) {
    this.#disk = disk
    this.#files = files
    this.baseOffset = this.nextOffset = this.maxTimestampOffset = baseOffset
    this.path = `${directory}/${segmentFileName(baseOffset, '.log')}`
    this.#createdMs = nowMs
    this.#exists = size !== undefined
    this.#writtenSize = this.uncheckedBytes = size ?? 0
    const indexPath = (suffix: string) => `${directory}/${segmentFileName(baseOffset, suffix)}`
    this.offsetIndex = new OffsetIndex(disk, indexPath('.index'), baseOffset, size === undefined)
    this.timeIndex = new TimeIndex(disk, indexPath('.timeindex'), baseOffset, size === undefined)
    this.txnIndex = new TxnIndex(disk, indexPath('.txnindex'), size === undefined)
  }

  /** Bytes appended. */
  get size(): number {
    return this.#writtenSize + this.#tail.size
  }

  get writtenSize(): number {
    return this.#writtenSize
  }

  get pendingBytes(): number {
    return this.#tail.size
  }

  get exists(): boolean {
    return this.#exists
  }

  get isIdle(): boolean {
    return this.#tail.size === 0 && !this.isSyncing
  }

  get memoryBytes(): number {
    return this.offsetIndex.memoryBytes + this.timeIndex.memoryBytes + this.txnIndex.memoryBytes
  }

  /** Whether a batch must go into a new segment (Kafka's LogSegment.shouldRoll). Sizes in bytes. */
  shouldRoll(config: LogConfig, size: number, maxTimestamp: number, lastOffset: number, nowMs: number): boolean {
    if (lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return true
    if (this.size === 0) return false
    if (this.size > config.segmentBytes - size) return true
    const first = this.#firstTimestamp ?? -1
    const waited = first >= 0 ? maxTimestamp - first : nowMs - this.#createdMs
    // A compacted log's records are to be looked at in time, and the active segment never is (LogConfig.maxSegmentMs).
    const isCompacted = config.cleanupPolicy.has('compact') && config.maxCompactionLagMs > 0
    const segmentMs = isCompacted ? Math.min(config.maxCompactionLagMs, config.segmentMs) : config.segmentMs
    const jitter = Math.floor(this.#jitter * Math.min(config.segmentJitterMs, config.segmentMs))
    if (waited > segmentMs - jitter) return true
    return (
      this.offsetIndex.count >= Math.floor(config.segmentIndexBytes / OFFSET_ENTRY_BYTES) ||
      this.timeIndex.count >= Math.floor(config.segmentIndexBytes / TIME_ENTRY_BYTES) - 1
    )
  }

  /** Takes a batch that is validated and stamped; large ones by reference (TailBuffer). Memory only: cannot fail. */
  append(bytes: Buffer, header: BatchHeader, indexIntervalBytes: number): void {
    this.#mark ??= {
      nextOffset: this.nextOffset,
      maxTimestamp: this.maxTimestamp,
      maxTimestampOffset: this.maxTimestampOffset,
      firstTimestamp: this.#firstTimestamp,
      bytesSinceIndexEntry: this.#bytesSinceIndexEntry,
      offsetEntries: this.offsetIndex.count,
      timeEntries: this.timeIndex.count,
      txnEntries: this.txnIndex.count,
    }
    this.#account(header, this.size, indexIntervalBytes)
    this.#tail.append(bytes)
  }

  /** Counts a batch that stands at `position` into ends, timestamps and indexes. */
  #account(header: BatchHeader, position: number, indexIntervalBytes: number): void {
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    if (header.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = header.maxTimestamp
      this.maxTimestampOffset = lastOffset
    }
    this.#firstTimestamp ??= header.maxTimestamp
    // Kafka's order: the entry first, then the batch's bytes count towards the next.
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(lastOffset, position)
      this.timeIndex.append(this.maxTimestamp, this.maxTimestampOffset)
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += header.size
    this.nextOffset = lastOffset + 1
  }

  /** Writes what was appended. When it throws, part of it may be in the file: `undo`. */
  write(): void {
    if (this.#tail.size > 0 || !this.#exists) {
      const file = this.#open()
      if (this.#tail.size > 0) file.write(this.#tail.pieces(), this.#writtenSize)
      this.#writtenSize += this.#tail.size
      this.#tail.clear()
    }
    this.#mark = undefined
  }

  /** Takes back what was appended since the last write; DiskError when the file cannot be cut. */
  undo(): void {
    this.#tail.clear()
    const mark = this.#mark
    this.#mark = undefined
    if (mark !== undefined) {
      this.nextOffset = mark.nextOffset
      this.maxTimestamp = mark.maxTimestamp
      this.maxTimestampOffset = mark.maxTimestampOffset
      this.#firstTimestamp = mark.firstTimestamp
      this.#bytesSinceIndexEntry = mark.bytesSinceIndexEntry
      this.offsetIndex.truncate(mark.offsetEntries)
      this.timeIndex.truncate(mark.timeEntries)
      this.txnIndex.truncate(mark.txnEntries)
    }
    if (this.#exists) this.#open().truncate(this.#writtenSize)
  }

  /** Makes the bytes written before the call durable. */
  async sync(): Promise<void> {
    assert(!this.isSyncing, 'one sync at a time')
    const file = this.#open()
    this.isSyncing = true
    try {
      await file.sync()
    } finally {
      this.isSyncing = false
    }
  }

  /** The last time-index entry, which names the greatest timestamp of all; then the index files, written. */
  finishIndexes(): void {
    this.txnIndex.flush()
    if (this.size > 0) this.timeIndex.append(this.maxTimestamp, this.maxTimestampOffset)
    this.offsetIndex.flush()
    this.timeIndex.flush()
  }

  /** Reads up to the end of what is written; returns how many bytes. */
  read(into: Buffer, position: number): number {
    const length = Math.min(into.length, this.#writtenSize - position)
    return length <= 0 ? 0 : this.#open().read(into.subarray(0, length), position)
  }

  /** Walks the written batches from a position; see batch-scan.ts. */
  scan(options: Partial<ScanOptions>, visit: BatchVisitor): ScanResult {
    const range = { from: 0, to: this.#writtenSize, minOffset: this.baseOffset, checkCrc: false, ...options }
    return range.from >= range.to ? { end: range.from, problem: undefined } : scanBatches(this.#open(), range, visit)
  }

  /**
   * Position and header of the first written batch whose last offset is `offset` or more. undefined: none; a problem:
   * damage stands before it.
   */
  locate(offset: number): { position: number; header: BatchHeader } | { problem: string } | undefined {
    let found: { position: number; header: BatchHeader } | undefined
    const visit: BatchVisitor = (header, _bytes, _at, position) => {
      if (header.baseOffset + header.lastOffsetDelta < offset) return true
      found = { position, header }
      return false
    }
    const hinted = offset === this.#hintOffset
    const from = hinted ? this.#hintPosition : this.indexedPosition(offset)
    let { problem } = this.scan({ from }, visit)
    if (problem !== undefined && from > 0) {
      // The index may be what is wrong.
      this.#doubtIndexes()
      problem = this.scan({}, visit).problem
    }
    return found ?? (problem === undefined ? undefined : { problem })
  }

  /** Whether the checksums of batches in this range have still to be looked at. Positions in bytes. */
  needsCheck(from: number, to: number): boolean {
    return from < this.uncheckedBytes && !(from >= this.#checkedFrom && to <= this.#checkedTo)
  }

  /** Says that the batches in this range are sound. One range is remembered: most readers go from front to back. */
  markChecked(from: number, to: number): void {
    if (from <= this.#checkedTo && to >= this.#checkedFrom) {
      this.#checkedFrom = Math.min(from, this.#checkedFrom)
      this.#checkedTo = Math.max(to, this.#checkedTo)
    } else {
      this.#checkedFrom = from
      this.#checkedTo = to
    }
  }

  /** Says where the batch that begins with `offset` is, for the next `locate`. */
  hint(offset: number, position: number): void {
    this.#hintOffset = offset
    this.#hintPosition = position
  }

  /** A position at or before the batch with `offset`: the index's word, if the batch there agrees. */
  indexedPosition(offset: number): number {
    const { lastOffset, position } = this.offsetIndex.lookup(offset)
    if (position === 0) return 0
    const there: number[] = []
    this.scan({ from: position }, (header) => {
      there.push(header.baseOffset + header.lastOffsetDelta)
      return false
    })
    if (there[0] === lastOffset) return position
    return this.#doubtIndexes() ? this.offsetIndex.lookup(offset).position : 0
  }

  /** Makes the indexes anew unless batches wait to be written; whether it did. */
  #doubtIndexes(): boolean {
    if (this.#tail.size > 0) return false
    this.rebuildIndexes(REBUILT_INTERVAL_BYTES)
    return true
  }

  /** Makes ends, timestamps and both indexes anew from the batches; stops where they stop being sound. */
  rebuildIndexes(indexIntervalBytes: number, visit?: BatchVisitor, checkCrc = false): ScanResult {
    assert(this.#tail.size === 0, 'only written batches can be indexed anew')
    this.offsetIndex.truncate(0)
    this.timeIndex.truncate(0)
    this.nextOffset = this.maxTimestampOffset = this.baseOffset
    this.maxTimestamp = -1
    this.#firstTimestamp = undefined
    this.#bytesSinceIndexEntry = 0
    return this.scan({ checkCrc }, (header, bytes, at, position) => {
      this.#account(header, position, indexIntervalBytes)
      return visit?.(header, bytes, at, position) ?? true
    })
  }

  /** The greatest timestamp and the last offset of the batch that has it; −1 in an empty segment. */
  greatestTimestamp(): { timestamp: number; offset: number } {
    if (this.maxTimestamp < 0 && this.#writtenSize > 0 && this.#tail.size === 0) {
      // Not scanned in this life: the index file's last entry says it, if it is there.
      const { timestamp, offset } = this.timeIndex.last()
      if (timestamp < 0) this.rebuildIndexes(REBUILT_INTERVAL_BYTES)
      else [this.maxTimestamp, this.maxTimestampOffset] = [timestamp, offset]
    }
    return { timestamp: this.maxTimestamp, offset: this.maxTimestampOffset }
  }

  /** The greatest timestamp of the first batch, in ms; −1 without a batch. */
  firstTimestamp(): number {
    if (this.#firstTimestamp === undefined) {
      this.scan({}, (header) => {
        this.#firstTimestamp = header.maxTimestamp
        return false
      })
    }
    return this.#firstTimestamp ?? -1
  }

  /** Writes the bytes from `position` on over themselves: after a failed sync memory may have what the disk has not. */
  rewrite(position: number): void {
    const file = this.#open()
    const chunk = Buffer.allocUnsafe(REWRITE_CHUNK_BYTES)
    for (let at = position; at < this.#writtenSize; ) {
      const length = file.read(chunk.subarray(0, Math.min(chunk.length, this.#writtenSize - at)), at)
      if (length === 0) return
      file.write([chunk.subarray(0, length)], at)
      at += length
    }
  }

  /** Cuts the file to `size` bytes, which must end at a batch that was scanned last. */
  truncate(size: number): void {
    this.#open().truncate(size)
    this.#writtenSize = size
    this.uncheckedBytes = Math.min(this.uncheckedBytes, size)
  }

  /** Ends the log before damaged bytes that stay in the file. */
  endAt(position: number): void {
    this.#writtenSize = position
    this.uncheckedBytes = Math.min(this.uncheckedBytes, position)
  }

  /** Takes over what a scan from `position` on found; the indexes are known to be good. */
  resumeAt(nextOffset: number, maxTimestamp: number, maxTimestampOffset: number, bytesSinceIndexEntry: number): void {
    this.nextOffset = nextOffset
    this.maxTimestamp = maxTimestamp
    this.maxTimestampOffset = maxTimestampOffset
    this.#bytesSinceIndexEntry = bytesSinceIndexEntry
    this.firstTimestamp() // so that an append finds it
  }

  /** Gives file and memory back; the next use takes them again. */
  release(): void {
    this.offsetIndex.release()
    this.timeIndex.release()
    this.txnIndex.release()
    this.close()
  }

  /** Takes the segment out of the directory. */
  discard(): void {
    this.close()
    for (const { path } of [this.offsetIndex, this.timeIndex, this.txnIndex, this]) this.#disk.remove(path)
    this.#exists = false
  }

  close(): void {
    assert(!this.isSyncing, 'closing a file that is being synced')
    this.#files.forget(this)
    const file = this.#file
    this.#file = undefined
    file?.close()
  }

  #open(): DiskFile {
    this.#files.use(this)
    this.#file ??= this.#disk.open(this.path, this.#exists ? 'write' : 'create')
    this.#exists = true
    return this.#file
  }
}
