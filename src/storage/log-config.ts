// What a log does by the settings of its topic, in Kafka's words. The broker resolves names, defaults and synonyms
// (broker/config/); here they are values that can be used as they stand.

import type { CompressionCodec } from '../protocol/compression/index.ts'

export interface LogConfig {
  /** A segment is closed before it would grow beyond this many bytes. */
  readonly segmentBytes: number
  /** A segment is closed when a record is this much younger than the segment's first, in ms. */
  readonly segmentMs: number
  /** Up to this much is taken off segmentMs, another amount for each segment, so that logs don't roll all at once. */
  readonly segmentJitterMs: number
  /** Bytes an index may have before its segment is closed. */
  readonly segmentIndexBytes: number
  /** An index entry for about each so many bytes of log. */
  readonly indexIntervalBytes: number
  /** Of one batch, header included. */
  readonly maxMessageBytes: number
  /** Sync when so many records wait; 1: each record is synced before it is visible. Above 2^53: never for this reason. */
  readonly flushMessages: number
  /** Sync when a record has waited so long, in ms. Above 2^53: never for this reason. */
  readonly flushMs: number
  /** −1: for ever. */
  readonly retentionMs: number
  /** −1: no limit. */
  readonly retentionBytes: number
  /** Between taking a file or directory out of use and unlinking it, in ms. */
  readonly fileDeleteDelayMs: number
  readonly cleanupPolicy: ReadonlySet<'compact' | 'delete'>
  /** Which part of a compacted log must be new before it is looked at again: 0 to 1. */
  readonly minCleanableDirtyRatio: number
  /** How long a record stays as it came, and after how long it must have been looked at, in ms. */
  readonly minCompactionLagMs: number
  readonly maxCompactionLagMs: number
  /** How long a tombstone stays behind the compaction that saw it first, in ms. */
  readonly deleteRetentionMs: number
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** How far a record's timestamp may be behind or ahead of the clock, in ms. */
  readonly timestampBeforeMaxMs: number
  readonly timestampAfterMaxMs: number
  /** 'producer': as it came. Others: batches that came otherwise are recompressed; the codec must be prepared. */
  readonly compressionType: CompressionCodec | 'producer'
  readonly compressionLevels: Readonly<Partial<Record<CompressionCodec, number>>>
  /** Known and answered for Kafka's sake; our files grow as they are written. */
  readonly preallocate: boolean
}

/** Kafka's defaults, flush.messages included: the daemon puts 1 there (DECISIONS.md, Flush). */
export const defaultLogConfig: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  indexIntervalBytes: 4096,
  maxMessageBytes: 1_048_588,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  retentionBytes: -1,
  fileDeleteDelayMs: 60_000,
  cleanupPolicy: new Set(['delete']),
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 24 * 60 * 60 * 1000,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: 60 * 60 * 1000,
  compressionType: 'producer',
  compressionLevels: {},
  preallocate: false,
}
