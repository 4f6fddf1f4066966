// A data directory: who holds it, which logs lie in it, and when their bytes become durable. SKELETON of the face.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Disk } from './disk.ts'
import type { LogConfig } from './log-config.ts'
import type { Log } from './log.ts'

export interface LogStoreOptions {
  readonly directory: string
  readonly disk?: Disk
  readonly clock?: Clock
  readonly logger?: Logger
  /** For a new directory; for an existing one it must agree. */
  readonly clusterId?: string
  readonly nodeId: number
  /** Bytes kept aside so that internal logs can go on when the disk is full. Default 4 MiB; 0: none. */
  readonly reserveBytes?: number
}

/** A directory that must not be opened: somebody else's, of a newer version, held by another process, not a data directory. */
export class LogStoreError extends Error {
  override readonly name = 'LogStoreError'
  readonly reason: 'locked' | 'newerVersion' | 'otherNode' | 'otherCluster' | 'unreadable' | 'notADataDirectory'

  constructor(reason: LogStoreError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** A partition's directory on disk that no log is open for. */
export interface PartitionDirectory {
  readonly name: string
  readonly topic: string
  readonly partition: number
  /** undefined when partition.metadata is missing or unreadable. */
  readonly topicId: string | undefined
}

export interface LogStore {
  readonly directory: string
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
  /** Whether the last user stopped cleanly (true for a new directory). */
  readonly wasClean: boolean
  readonly isNew: boolean
  /** `startOffset`: where a log without any segment begins (a metadata log behind a snapshot). */
  openLog(topic: string, partition: number, topicId: string, config: LogConfig, options?: { startOffset?: number }): Promise<Log>
  logs(): Iterable<Log>
  /** Directories of partitions that are not open as logs. */
  unopened(): PartitionDirectory[]
  /** Renames one to `<name>.<uuid>-stray`, as Kafka does; it is kept. */
  moveAside(directory: PartitionDirectory): Promise<void>
  /** Out of use at once and durably (renamed to `-delete`); unlinked after file.delete.delay.ms. */
  deleteLog(log: Log): Promise<void>
  /** Bytes of all logs. */
  readonly directoryBytes: number
  readonly freeBytes: number
  /** A sync or a write failed for another reason than space: the process must stop. Called once; at once if it happened. */
  onFatal(listener: (error: Error) => void): void
  /** A clean stop: everything durable, checkpoints and the clean-shutdown mark written, lock released. */
  close(options?: { brokerEpoch?: number }): Promise<void>
}

export function openLogStore(_options: LogStoreOptions): Promise<LogStore> {
  return Promise.reject(new Error('not written yet'))
}
