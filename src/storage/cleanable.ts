// Which part of a log compaction may look at, and whether it is time (Kafka's LogCleanerManager). Whole segments only,
// never the active one, nothing above the last stable offset or the recovery point, nothing younger than
// min.compaction.lag.ms.

import type { LogConfig } from './log-config.ts'

export interface CleanableSegment {
  readonly baseOffset: number
  /** Where the next segment begins. */
  readonly endOffset: number
  readonly size: number // bytes
  /** Of its first batch, in ms; −1 when it has none. */
  firstTimestamp(): number
  /** In ms; −1 when it has none. */
  largestTimestamp(): number
}

export interface CleanableLog {
  /** Without the active one. */
  readonly segments: readonly CleanableSegment[]
  readonly logStartOffset: number
  readonly logEndOffset: number
  /** The last stable offset or the recovery point, the lower one: a crash must not find a gap above it. */
  readonly limit: number
}

export interface CleaningPlan {
  readonly firstDirtyOffset: number
  /** Where the part that may be cleaned ends. */
  readonly endOffset: number
  /** Bytes that were not looked at yet in those that may be cleaned: 0 to 1. */
  readonly dirtyRatio: number
  readonly isDue: boolean
}

/** `cleanedTo`: what the checkpoint says. undefined: there is nothing to clean. */
export function planCleaning(
  log: CleanableLog,
  config: LogConfig,
  cleanedTo: number | undefined,
  nowMs: number,
): CleaningPlan | undefined {
  const known = cleanedTo ?? log.logStartOffset
  const firstDirtyOffset = known < log.logStartOffset || known > log.logEndOffset ? log.logStartOffset : known
  let cleanBytes = 0
  let dirtyBytes = 0
  let endOffset = firstDirtyOffset
  let oldest = Infinity
  for (const segment of log.segments) {
    if (segment.endOffset > log.limit) break
    const isDirty = segment.endOffset > firstDirtyOffset
    if (isDirty && config.minCompactionLagMs > 0 && segment.largestTimestamp() > nowMs - config.minCompactionLagMs) break
    if (isDirty) {
      dirtyBytes += segment.size
      endOffset = segment.endOffset
      if (config.maxCompactionLagMs < Number.MAX_SAFE_INTEGER) {
        const timestamp = segment.firstTimestamp()
        if (timestamp > 0) oldest = Math.min(oldest, timestamp)
      }
    } else {
      cleanBytes += segment.size
    }
  }
  if (dirtyBytes === 0) return undefined
  const dirtyRatio = dirtyBytes / (cleanBytes + dirtyBytes)
  const isOverdue = oldest < nowMs - config.maxCompactionLagMs
  return { firstDirtyOffset, endOffset, dirtyRatio, isDue: isOverdue || dirtyRatio > config.minCleanableDirtyRatio }
}
