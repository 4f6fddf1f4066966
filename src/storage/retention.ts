// Which segments a log may drop (Kafka's UnifiedLog.deleteOldSegments): those below the log start, then those that make it
// larger than retention.bytes, then those with nothing younger than retention.ms. From the oldest on, and never one above
// the high watermark.

import type { LogConfig } from './log-config.ts'

export interface SegmentFacts {
  /** Where the next segment begins; for the last, where the log ends. */
  readonly endOffset: number
  readonly size: number // bytes
  /** In ms; when no record has a timestamp, when the file was last changed. */
  largestTimestamp(): number
}

export interface RetentionBounds {
  readonly logStartOffset: number
  readonly highWatermark: number
  readonly nowMs: number
}

/** How many segments, from the first on, are to go. All: a new active one is needed first. Never an empty last one. */
export function countExpired(segments: readonly SegmentFacts[], config: LogConfig, bounds: RetentionBounds): number {
  const last = segments.length - 1
  const isDroppable = (at: number) =>
    segments[at].endOffset <= bounds.highWatermark && !(at === last && segments[at].size === 0)
  let count = 0
  const dropWhile = (isExpired: (segment: SegmentFacts, at: number) => boolean) => {
    while (count <= last && isDroppable(count) && isExpired(segments[count], count)) count++
  }
  dropWhile(({ endOffset }, at) => at < last && endOffset <= bounds.logStartOffset)
  if (!config.cleanupPolicy.has('delete')) return count
  if (config.retentionBytes >= 0) {
    let excess = segments.slice(count).reduce((sum, { size }) => sum + size, 0) - config.retentionBytes
    dropWhile(({ size }) => (excess -= size) >= 0)
  }
  if (config.retentionMs >= 0) {
    // A timestamp ahead of the clock pins its segment and all behind it.
    dropWhile((segment) => bounds.nowMs - segment.largestTimestamp() > config.retentionMs)
  }
  return count
}
