// Where a log starts, and how segments leave it: dropped below the start, or replaced by compaction. The start is durable
// before a file goes, so that nothing comes back after a crash.

import { KafkaError } from '../protocol/errors.ts'
import type { SourceSegment } from './cleaner.ts'
import type { LogHost } from './log-host.ts'
import { segmentIndexOf } from './log-reader.ts'
import type { LogSegments } from './log-segments.ts'
import { Segment } from './segment.ts'
import type { Unsynced } from './unsynced.ts'

export class LogHead {
  readonly #host: LogHost
  readonly #directory: string
  readonly #segments: LogSegments
  readonly #unsynced: Unsynced
  #offset: number
  #durable: number // ahead of #offset while it is written
  #isHeld = false

  constructor(host: LogHost, directory: string, segments: LogSegments, unsynced: Unsynced, offset: number) {
    this.#host = host
    this.#directory = directory
    this.#segments = segments
    this.#unsynced = unsynced
    this.#offset = this.#durable = offset
  }

  /** The first offset that is served. */
  get offset(): number {
    return this.#offset
  }

  /** What the checkpoint is to say. */
  get durable(): number {
    return this.#durable
  }

  /** Moves the start forward, durably; false when it is there already. KAFKA_STORAGE_ERROR when it could not be stored. */
  async moveTo(offset: number): Promise<boolean> {
    if (offset <= this.#offset) return false
    if (this.#host.fatal !== undefined) throw this.#host.fatal
    this.#durable = Math.max(this.#durable, offset)
    try {
      await this.#host.checkpoint()
    } catch (error) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', `the log start in ${this.#directory} could not be stored`, { cause: error })
    }
    if (offset <= this.#offset) return false
    this.#offset = offset
    return true
  }

  /** Drops the segments wholly below the start; one that is being synced, and all while they are held, at the next call. */
  dropSegments(fileDeleteDelayMs: number): void {
    if (this.#isHeld) return
    for (let count = segmentIndexOf(this.#segments.all, this.#offset); count > 0; count--) {
      const [first] = this.#segments.all
      if (!first.isIdle || this.#unsynced.has(first)) return
      this.#unsynced.forget(first)
      this.#segments.dropFirst(fileDeleteDelayMs)
    }
  }

  /** While held no segment leaves the log but by `replace`. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
  }

  /** Puts what compaction made in the place of what it was made from; durable when it resolves. */
  async replace(cleaned: SourceSegment, sources: readonly SourceSegment[], fileDeleteDelayMs: number): Promise<void> {
    const { disk, files, clock } = this.#host
    this.#segments.promote(cleaned.baseOffset)
    await disk.syncDirectory(this.#directory)
    try {
      const segment = new Segment(disk, files, this.#directory, cleaned.baseOffset, clock.now(), cleaned.size)
      segment.nextOffset = cleaned.endOffset
      segment.uncheckedBytes = 0
      const bases = sources.map(({ baseOffset }) => baseOffset)
      this.#segments.replace(bases, segment, fileDeleteDelayMs)
      await disk.syncDirectory(this.#directory)
    } catch (error) {
      this.#host.fail(error) // between two states: the next start finishes it
      throw error
    }
  }
}
