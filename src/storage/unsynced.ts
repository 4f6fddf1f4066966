// What of one log is written and not durable yet: segments with bytes, segments that were closed, producer snapshots that
// wait for the bytes they speak of. One round makes all of it durable, in the order that a crash may interrupt anywhere.

import type { Logger } from '../base/logger.ts'
import { type Disk, DiskError, replaceFile } from './disk.ts'
import { type Segment, segmentFileName } from './segment.ts'

interface Snapshot {
  readonly offset: number
  readonly bytes: Buffer
}

export class Unsynced {
  readonly #disk: Disk
  readonly #directory: string
  readonly #logger: Logger
  #segments = new Set<Segment>()
  readonly #closed = new Set<Segment>()
  readonly #unfinished = new Set<Segment>() // closed; no space for their aborted transactions
  #madeFiles = false
  #snapshots: Snapshot[] = []

  constructor(disk: Disk, directory: string, logger: Logger) {
    this.#disk = disk
    this.#directory = directory
    this.#logger = logger
  }

  /** Whether a segment was closed and all of it is written: to be synced at once, so that the recovery point passes it. */
  get hasClosed(): boolean {
    for (const segment of this.#closed) if (segment.pendingBytes === 0) return true
    return false
  }

  /** The recovery point, when what is below `synced` is. */
  recoveryPoint(synced: number): number {
    // A segment whose aborted transactions could not be written has to be looked through again.
    let point = synced
    for (const { baseOffset } of this.#unfinished) point = Math.min(point, baseOffset)
    return point
  }

  has(segment: Segment): boolean {
    return this.#segments.has(segment)
  }

  wrote(segment: Segment, isNew: boolean): void {
    this.#segments.add(segment)
    if (isNew) this.#madeFiles = true
  }

  /** `segment` is closed; `producers` is the producer state behind it. */
  closed(segment: Segment, offset: number, producers: Buffer): void {
    this.#closed.add(segment)
    this.#snapshots.push({ offset, bytes: producers })
  }

  /** A segment that began at `offset` is no more, and `active` the last again. */
  reopened(active: Segment, offset: number): void {
    this.#closed.delete(active)
    this.#snapshots = this.#snapshots.filter((snapshot) => snapshot.offset !== offset)
  }

  /** The segment leaves the log. */
  forget(segment: Segment): void {
    this.#closed.delete(segment)
    this.#unfinished.delete(segment)
  }

  /**
   * Makes durable what is written, and calls `synced` then; everything below `target` is. Then the snapshots are written
   * and, when a segment was closed, `checkpoint` called. Want of space for files that can be made anew is passed over.
   */
  async round(target: number, synced: () => void, checkpoint: () => Promise<void>): Promise<void> {
    const segments = [...this.#segments]
    const closed = [...this.#closed].filter((segment) => segment.pendingBytes === 0)
    const snapshots = this.#snapshots.filter(({ offset }) => offset <= target)
    const madeFiles = this.#madeFiles
    this.#segments = new Set()
    for (const segment of closed) this.#closed.delete(segment)
    this.#snapshots = this.#snapshots.filter(({ offset }) => offset > target)
    this.#madeFiles = false
    const indexes = [...this.#unfinished, ...closed]
      .filter((segment) => this.finishIndexes(segment))
      .flatMap(({ offsetIndex, timeIndex, txnIndex }) => [offsetIndex, timeIndex, txnIndex])
    // All of them end before anything is said, so that no file is closed under a sync.
    const results = await Promise.allSettled([...segments, ...indexes].map((file) => file.sync()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    if (madeFiles || indexes.length > 0) await this.#disk.syncDirectory(this.#directory)
    synced()
    for (const { offset, bytes } of snapshots) await this.writeSnapshot(offset, bytes)
    if (closed.length > 0) await this.unlessFull(`recovery point of ${this.#directory}`, checkpoint)
  }

  /**
   * Writes a closed segment's indexes; false when there was no space. Two are hints, made anew when needed; without the
   * third the recovery point stays behind.
   */
  finishIndexes(segment: Segment): boolean {
    try {
      this.#unfinished.delete(segment)
      segment.finishIndexes()
      return true
    } catch (error) {
      if (!isWantOfSpace(error)) throw error
      if (!segment.txnIndex.isWritten) this.#unfinished.add(segment)
      this.#logger.warn(`${segment.path}: no space for its indexes`)
      return false
    }
  }

  async writeSnapshot(offset: number, bytes: Buffer): Promise<void> {
    const path = `${this.#directory}/${segmentFileName(offset, '.snapshot')}`
    await this.unlessFull(path, () => replaceFile(this.#disk, path, bytes))
  }

  /** For files that are made anew when they are missing. */
  async unlessFull(path: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isWantOfSpace(error)) throw error
      this.#logger.warn(`${path}: not written: ${error.message}`)
    }
  }

  /** A clean stop: the active segment's indexes and the producers. KafkaError is left to the caller: false for no space. */
  async finish(active: Segment, offset: number, producers: Buffer): Promise<boolean> {
    this.finishIndexes(active)
    if (this.#unfinished.size > 0) return false
    await active.txnIndex.sync()
    await this.writeSnapshot(offset, producers)
    return true
  }
}

/** ENOSPC and its kin; files and descriptors that are not to be had count as space. */
export function isWantOfSpace(error: unknown): error is DiskError {
  return error instanceof DiskError && (error.reason === 'noSpace' || error.reason === 'tooManyOpen')
}
