// The segments of one log in their order, and how they leave it: dropped at the start, or replaced by compaction. Files go
// out of use by a rename to `.deleted` and are unlinked after file.delete.delay.ms, as Kafka does.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
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
    this.#retire(segment.baseOffset, ['.log', '.index', '.timeindex', '.txnindex', '.snapshot'], fileDeleteDelayMs)
  }

  /**
   * Puts `cleaned`, whose files are `.swap` durably, in the place of `sources`, all in one step. The caller makes the
   * directory durable. Start-up finishes this from any point on (log-directory.ts).
   */
  replace(sources: readonly Segment[], cleaned: Segment, fileDeleteDelayMs: number): void {
    const { disk } = this.#host
    for (const segment of sources) {
      segment.close()
      // The snapshot at the start of the merged segment is still one at the start of a segment.
      const suffixes = ['.log', '.index', '.timeindex', '.txnindex']
      const isFirst = segment.baseOffset === cleaned.baseOffset
      this.#retire(segment.baseOffset, isFirst ? suffixes : [...suffixes, '.snapshot'], fileDeleteDelayMs)
    }
    // The log first: while it is a `.swap`, start-up takes final files for originals.
    for (const suffix of ['.log', '.index', '.timeindex', '.txnindex']) {
      const path = `${this.#directory}/${segmentFileName(cleaned.baseOffset, suffix)}`
      if (disk.stat(`${path}.swap`) !== undefined) disk.rename(`${path}.swap`, path)
    }
    this.all.splice(this.all.indexOf(sources[0]), sources.length, cleaned)
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
