// The segments of one log in their order, and how they leave it: dropped at the start, or replaced by compaction. Files go
// out of use by a rename to `.deleted` and are unlinked after file.delete.delay.ms, as Kafka does.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { CleanableSegment } from './cleanable.ts'
import { SEGMENT_SUFFIXES } from './cleaned-segment.ts'
import type { Disk } from './disk.ts'
import type { SegmentFacts } from './retention.ts'
import { type Segment, segmentFileName } from './segment.ts'

export interface SegmentsHost {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
}

export class LogSegments {
  readonly all: Segment[]
  readonly #host: SegmentsHost
  readonly #directory: string
  #isClosed = false

  /** At least one; the last is the active one. */
  constructor(host: SegmentsHost, directory: string, segments: Segment[]) {
    this.#host = host
    this.#directory = directory
    this.all = segments
  }

  get active(): Segment {
    return this.all[this.all.length - 1]
  }

  get sizeBytes(): number {
    return this.all.reduce((sum, segment) => sum + segment.size, 0)
  }

  /** For retention; `logEnd` is where the last one ends. */
  facts(logEnd: number): SegmentFacts[] {
    return this.all.map((segment, at) => ({
      endOffset: at + 1 < this.all.length ? this.all[at + 1].baseOffset : logEnd,
      size: segment.size,
      largestTimestamp: () => {
        const { timestamp } = segment.greatestTimestamp()
        return timestamp >= 0 ? timestamp : (this.#host.disk.stat(segment.path)?.modifiedMs ?? this.#host.clock.now())
      },
    }))
  }

  /** Takes the first one out of use, with its producer snapshot. */
  dropFirst(fileDeleteDelayMs: number): void {
    const [segment] = this.all.splice(0, 1)
    segment.close()
    this.#retire(segment.baseOffset, [...SEGMENT_SUFFIXES, '.snapshot'], fileDeleteDelayMs)
  }

  /** Those that compaction may look at. */
  cleanable(): CleanableSegment[] {
    return this.all.slice(0, -1).map((segment, at) => ({
      baseOffset: segment.baseOffset,
      endOffset: this.all[at + 1].baseOffset,
      size: segment.size,
      firstTimestamp: () => segment.firstTimestamp(),
      largestTimestamp: () => segment.greatestTimestamp().timestamp,
    }))
  }

  /** `.cleaned` files become `.swap`: once that is durable the compaction is done, whatever happens. */
  promote(baseOffset: number): void {
    const { disk } = this.#host
    for (const suffix of SEGMENT_SUFFIXES) {
      const path = `${this.#directory}/${segmentFileName(baseOffset, suffix)}`
      if (disk.stat(`${path}.cleaned`) !== undefined) disk.rename(`${path}.cleaned`, `${path}.swap`)
    }
  }

  /**
   * Puts `cleaned`, whose files are `.swap` durably, in the place of the segments that begin at `bases`, all in one step. The caller makes the
   * directory durable. Start-up finishes this from any point on (log-directory.ts).
   */
  replace(bases: readonly number[], cleaned: Segment, fileDeleteDelayMs: number): void {
    const { disk } = this.#host
    const first = this.all.findIndex(({ baseOffset }) => baseOffset === bases[0])
    const sources = this.all.slice(first, first + bases.length)
    for (const segment of sources) {
      segment.close()
      // The snapshot at the start of the merged segment is still one at the start of a segment.
      const isFirst = segment.baseOffset === cleaned.baseOffset
      this.#retire(segment.baseOffset, isFirst ? SEGMENT_SUFFIXES : [...SEGMENT_SUFFIXES, '.snapshot'], fileDeleteDelayMs)
    }
    // The log first: while it is a `.swap`, start-up takes final files for originals.
    for (const suffix of SEGMENT_SUFFIXES) {
      const path = `${this.#directory}/${segmentFileName(cleaned.baseOffset, suffix)}`
      if (disk.stat(`${path}.swap`) !== undefined) disk.rename(`${path}.swap`, path)
    }
    this.all.splice(first, sources.length, cleaned)
  }

  #retire(baseOffset: number, suffixes: readonly string[], delayMs: number): void {
    const { disk, clock, logger } = this.#host
    const paths = suffixes
      .map((suffix) => `${this.#directory}/${segmentFileName(baseOffset, suffix)}`)
      .filter((path) => disk.stat(path) !== undefined)
    for (const path of paths) disk.rename(path, `${path}.deleted`)
    clock.after(delayMs, () => {
      try {
        if (!this.#isClosed) for (const path of paths) disk.remove(`${path}.deleted`)
      } catch (error) {
        logger.warn(`${paths[0]}.deleted: ${error instanceof Error ? error.message : String(error)}`)
      }
    })
  }

  close(): void {
    this.#isClosed = true
    for (const segment of this.all) segment.close()
  }
}
