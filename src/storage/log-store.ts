// A data directory: who holds it, which logs lie in it, and when their bytes become durable. One process at a time
// (the lock); the clean-shutdown mark is gone, durably, before anything is written and comes back only when everything
// is. The first failed sync, or write failing otherwise than for want of space, ends the store: nothing is retried.

import { dirname } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import { type Logger, silentLogger } from '../base/logger.ts'
import { randomUuid } from '../base/uuid.ts'
import { KafkaError } from '../protocol/errors.ts'
import { CheckpointError, readOffsetCheckpoint, writeOffsetCheckpoint } from './checkpoints.ts'
import { type Disk, DiskError, type DiskLock, replaceFile } from './disk.ts'
import { LogCleaner } from './log-cleaner.ts'
import { Log } from './log.ts'
import type { LogConfig } from './log-config.ts'
import type { LogHost, TailedLog } from './log-host.ts'
import {
  type MetaProperties,
  MetaPropertiesError,
  readMetaProperties,
  writeMetaProperties,
} from './meta-properties.ts'
import { nodeDisk } from './node-disk.ts'
import { OpenFiles } from './open-files.ts'
import {
  type PartitionDirectory,
  deletedDirectories,
  outOfUseName,
  partitionDirectories,
  readTopicId,
  refuseImpostors,
  removeTree,
  writeTopicId,
} from './partition-directory.ts'
import { recoverLog } from './recovery.ts'
import { Reserve } from './reserve.ts'

export interface LogStoreOptions {
  readonly directory: string
  readonly disk?: Disk
  readonly clock?: Clock
  readonly logger?: Logger
  /** For a new directory; an existing one must agree. */
  readonly clusterId?: string | undefined
  readonly nodeId: number
  /** Bytes kept aside for internal logs when the disk is full. Default 4 MiB; 0: none. */
  readonly reserveBytes?: number
  /** Segment files open at once. Default 256. */
  readonly maxOpenSegments?: number
}

/** A directory that must not be used, and why. */
export class LogStoreError extends Error {
  override readonly name = 'LogStoreError'
  readonly reason: 'locked' | 'newerVersion' | 'otherNode' | 'otherCluster' | 'unreadable' | 'notADataDirectory'

  constructor(reason: LogStoreError['reason'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

export interface LogStore {
  readonly directory: string
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
  /** Whether the last user stopped cleanly (true for a new directory). */
  readonly wasClean: boolean
  readonly isNew: boolean
  /**
   * The log of a partition, recovered, or a new one. A directory of that name with another topic id is moved aside.
   * `startOffset`: where a log without any segment begins (a metadata log behind a snapshot).
   */
  openLog(
    topic: string,
    partition: number,
    topicId: string,
    config: LogConfig,
    options?: { readonly startOffset?: number },
  ): Promise<Log>
  logs(): Iterable<Log>
  /** Directories of partitions that are not open as logs. */
  unopened(): PartitionDirectory[]
  /** Renames one to `<name>.<id>-stray`, as Kafka does; it is kept. */
  moveAside(directory: PartitionDirectory): Promise<void>
  /** Out of use at once and durably (renamed to `-delete`); unlinked after file.delete.delay.ms. */
  deleteLog(log: Log): Promise<void>
  readonly cleaner: LogCleaner
  /** Bytes of all logs. */
  readonly directoryBytes: number
  readonly freeBytes: number
  /** A sync or a write failed for another reason than space: the process must stop. Called once; at once if it happened. */
  onFatal(listener: (error: Error) => void): void
  /** A clean stop: everything durable, checkpoints and the clean-shutdown mark written, lock released. Rejects if it can't. */
  close(options?: { readonly brokerEpoch?: number }): Promise<void>
}

const CHECKPOINT_INTERVAL_MS = 60_000 // Kafka's log.flush.offset.checkpoint.interval.ms
const ROOM_RETRY_MS = 1000
const RESERVE_BYTES = 4 * 1024 * 1024
const MAX_OPEN_SEGMENTS = 256
const CLOSED_AT_ONCE = 16

const META_PROPERTIES = 'meta.properties'
const CLEAN_SHUTDOWN = '.kafka_cleanshutdown'
const RECOVERY_POINT = 'recovery-point-offset-checkpoint'
const LOG_START = 'log-start-offset-checkpoint'
const HIGH_WATERMARK = 'replication-offset-checkpoint'

// What may lie in a directory that is to become a data directory: dot files, a half-made meta.properties, a daemon's log.
const HARMLESS = /^\.|\.tmp$|^lost\+found$|\.log(\.\d+)?$/

/** Opens `directory`, making it if need be. LogStoreError when it must not be used, DiskError when it can't be. */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { directory, disk = nodeDisk, clock = systemClock } = options
  if (disk.stat(directory) === undefined) {
    disk.makeDirectory(directory)
    await disk.syncDirectory(dirname(directory))
  }
  const lock = lockDirectory(disk, directory)
  try {
    const found = readMeta(disk, `${directory}/${META_PROPERTIES}`)
    checkIdentity(found, options)
    const meta = {
      version: 1,
      clusterId: found?.clusterId ?? options.clusterId ?? randomUuid(),
      nodeId: options.nodeId,
      directoryId: found?.directoryId ?? randomUuid(),
    }
    if (found?.directoryId === undefined) {
      await writeMetaProperties(disk, `${directory}/${META_PROPERTIES}`, meta, new Date(clock.now()))
    }
    const mark = `${directory}/${CLEAN_SHUTDOWN}`
    const wasClean = found === undefined || disk.stat(mark) !== undefined
    disk.remove(mark)
    await disk.syncDirectory(directory)
    const store = new DirectoryStore(options, disk, clock, lock, meta, { wasClean, isNew: found === undefined })
    store.start()
    return store
  } catch (error) {
    lock.release()
    throw error
  }
}

function lockDirectory(disk: Disk, directory: string): DiskLock {
  try {
    return disk.lock(`${directory}/.lock`)
  } catch (error) {
    if (error instanceof DiskError && error.reason === 'locked') {
      throw new LogStoreError('locked', error.message, { cause: error })
    }
    throw error
  }
}

function readMeta(disk: Disk, path: string): ReturnType<typeof readMetaProperties> {
  try {
    return readMetaProperties(disk, path)
  } catch (error) {
    if (error instanceof MetaPropertiesError) throw new LogStoreError(error.reason, error.message, { cause: error })
    throw error
  }
}

function checkIdentity(found: ReturnType<typeof readMetaProperties>, options: LogStoreOptions): void {
  const { directory, disk = nodeDisk } = options
  if (found === undefined) {
    const strange = disk.list(directory).find(({ name }) => !HARMLESS.test(name))
    if (strange === undefined) return
    throw new LogStoreError('notADataDirectory', `${directory} has no ${META_PROPERTIES}, but it is not empty (${strange.name})`)
  }
  if (found.nodeId !== options.nodeId) {
    throw new LogStoreError('otherNode', `${directory} belongs to node ${found.nodeId}, this is node ${options.nodeId}`)
  }
  if (options.clusterId !== undefined && options.clusterId !== found.clusterId) {
    throw new LogStoreError('otherCluster', `${directory} belongs to cluster ${found.clusterId}, not ${options.clusterId}`)
  }
}

class DirectoryStore implements LogStore, LogHost {
  readonly directory: string
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
  readonly wasClean: boolean
  readonly isNew: boolean
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly files: OpenFiles
  readonly cleaner: LogCleaner
  readonly #lock: DiskLock
  readonly #reserve: Reserve
  readonly #logs = new Map<string, Log>()
  #recoveryPoints: Map<string, number> | undefined // as loaded; undefined: not readable
  #logStarts = new Map<string, number>()
  readonly #checkpointed = new Map<string, string>() // file name → what it says
  #dirty = new Set<TailedLog>()
  #checkpoints: Promise<void> = Promise.resolve()
  #nextCheckpoint: Promise<void> | undefined
  #timers = new Set<{ cancel(): void }>()
  #roomRetryAt: number | undefined // monotonic; while space is wanting
  #fatal: KafkaError | undefined
  #fatalCause: Error | undefined
  #fatalListeners: ((error: Error) => void)[] = []
  #hasUnopened = false // a log that should have been
  #isClosed = false

  constructor(
    options: LogStoreOptions,
    disk: Disk,
    clock: Clock,
    lock: DiskLock,
    meta: MetaProperties,
    state: { wasClean: boolean; isNew: boolean },
  ) {
    this.directory = options.directory
    this.disk = disk
    this.clock = clock
    this.logger = options.logger ?? silentLogger
    this.files = new OpenFiles(options.maxOpenSegments ?? MAX_OPEN_SEGMENTS)
    this.clusterId = meta.clusterId
    this.nodeId = meta.nodeId
    this.directoryId = meta.directoryId
    this.wasClean = state.wasClean
    this.isNew = state.isNew
    this.cleaner = new LogCleaner(this, options.directory)
    this.#lock = lock
    this.#reserve = new Reserve(disk, `${this.directory}/.reserve`, options.reserveBytes ?? RESERVE_BYTES)
  }

  /** Reads the checkpoints and finishes deletions that a crash interrupted. */
  start(): void {
    this.#recoveryPoints = this.#load(RECOVERY_POINT)
    this.#logStarts = this.#load(LOG_START) ?? new Map<string, number>()
    // Their deletion was durable before they got this name.
    for (const name of deletedDirectories(this.disk, this.directory)) removeTree(this.disk, `${this.directory}/${name}`)
    this.cleaner.load()
    if (!this.#reserve.fill()) this.#roomRetryAt = this.clock.monotonic() + ROOM_RETRY_MS
    this.#checkpointLater()
  }

  #load(name: string): Map<string, number> | undefined {
    try {
      return readOffsetCheckpoint(this.disk, `${this.directory}/${name}`) ?? new Map<string, number>()
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      this.logger.warn(`${error.message}: passed over`)
      return undefined
    }
  }

  async openLog(
    topic: string,
    partition: number,
    topicId: string,
    config: LogConfig,
    options: { readonly startOffset?: number } = {},
  ): Promise<Log> {
    try {
      return await this.#openLog(topic, partition, topicId, config, options.startOffset ?? 0)
    } catch (error) {
      this.#hasUnopened = true
      throw error
    }
  }

  async #openLog(topic: string, partition: number, topicId: string, config: LogConfig, startOffset: number): Promise<Log> {
    const name = `${topic}-${partition}`
    const directory = `${this.directory}/${name}`
    if (this.disk.stat(directory) !== undefined) {
      refuseImpostors(this.disk, directory)
      const found = readTopicId(this.disk, directory)
      if (found !== undefined && found !== topicId) {
        this.logger.warn(`${directory} belongs to topic id ${found}, not ${topicId}: moved aside`)
        await this.moveAside({ name, topic, partition, topicId: found })
      } else if (found === undefined) {
        await writeTopicId(this.disk, directory, topicId)
      }
    }
    if (this.disk.stat(directory) === undefined) await this.#makeLogDirectory(name, topicId)
    const recovered = await recoverLog({
      disk: this.disk,
      files: this.files,
      directory,
      wasClean: this.wasClean,
      recoveryPoint: this.#recoveryPoints === undefined ? undefined : (this.#recoveryPoints.get(name) ?? 0),
      logStartOffset: this.#logStarts.get(name) ?? 0,
      startOffset,
      indexIntervalBytes: config.indexIntervalBytes,
      isCompacted: config.cleanupPolicy.has('compact'),
      nowMs: this.clock.now(),
    })
    for (const note of recovered.notes) this.logger.warn(note)
    const log = new Log(this, { topic, partition, topicId, directory }, config, recovered)
    if (recovered.damage !== undefined) this.logger.error(log.failure?.message ?? '')
    this.#logs.set(name, log)
    return log
  }

  async #makeLogDirectory(name: string, topicId: string): Promise<void> {
    const directory = `${this.directory}/${name}`
    // What the checkpoints say of an earlier log of this name must not be believed of the new one after a crash.
    const known = (this.#recoveryPoints?.delete(name) ?? false) || this.#logStarts.has(name)
    this.#logStarts.delete(name)
    if (known) await this.checkpoint()
    await this.cleaner.forget(name)
    this.disk.makeDirectory(directory)
    await writeTopicId(this.disk, directory, topicId)
    await this.disk.syncDirectory(this.directory)
  }

  logs(): Iterable<Log> {
    return this.#logs.values()
  }

  unopened(): PartitionDirectory[] {
    return partitionDirectories(this.disk, this.directory).filter(({ name }) => !this.#logs.has(name))
  }

  async moveAside({ name }: PartitionDirectory): Promise<void> {
    this.disk.rename(`${this.directory}/${name}`, `${this.directory}/${outOfUseName(name, '-stray')}`)
    await this.disk.syncDirectory(this.directory)
  }

  async deleteLog(log: Log): Promise<void> {
    await this.cleaner.leave(log)
    await log.close(false)
    this.#logs.delete(log.name)
    this.#dirty.delete(log)
    this.#recoveryPoints?.delete(log.name)
    this.#logStarts.delete(log.name)
    const target = `${this.directory}/${outOfUseName(log.name, '-delete')}`
    this.disk.rename(log.directory, target)
    await this.disk.syncDirectory(this.directory)
    await this.checkpoint()
    const timer = this.clock.after(log.config.fileDeleteDelayMs, () => {
      this.#timers.delete(timer)
      try {
        removeTree(this.disk, target)
      } catch (error) {
        this.logger.warn(`${target}: ${messageOf(error)}`)
      }
    })
    this.#timers.add(timer)
  }

  get directoryBytes(): number {
    let sum = 0
    for (const log of this.#logs.values()) sum += log.sizeBytes
    return sum
  }

  get freeBytes(): number {
    return this.disk.freeBytes(this.directory)
  }

  needsWrite(log: TailedLog): void {
    if (this.#dirty.size === 0) setImmediate(() => this.#writeDirty())
    this.#dirty.add(log)
  }

  #writeDirty(): void {
    const dirty = this.#dirty
    this.#dirty = new Set()
    for (const log of dirty) log.writeOut()
  }

  get fatal(): KafkaError | undefined {
    return this.#fatal
  }

  fail(error: unknown): void {
    if (this.#fatal !== undefined) return
    this.#fatalCause = error instanceof Error ? error : new Error(messageOf(error))
    this.#fatal = new KafkaError('KAFKA_STORAGE_ERROR', `the log directory has failed: ${this.#fatalCause.message}`, { cause: error })
    this.logger.error(`${this.directory} has failed: ${this.#fatalCause.message}`)
    for (const log of this.#logs.values()) log.failed(this.#fatal)
    for (const listener of this.#fatalListeners.splice(0)) listener(this.#fatalCause)
  }

  onFatal(listener: (error: Error) => void): void {
    if (this.#fatalCause !== undefined) listener(this.#fatalCause)
    else this.#fatalListeners.push(listener)
  }

  hasRoom(): boolean {
    if (this.#roomRetryAt === undefined) return true
    if (this.clock.monotonic() < this.#roomRetryAt) return false
    // There is room again when what was given up fits again.
    try {
      if (this.#reserve.fill()) this.#roomRetryAt = undefined
      else this.#roomRetryAt = this.clock.monotonic() + ROOM_RETRY_MS
    } catch (error) {
      this.fail(error)
    }
    return this.#roomRetryAt === undefined
  }

  makeRoom(log: TailedLog): boolean {
    this.#roomRetryAt = this.clock.monotonic() + ROOM_RETRY_MS
    return log.topic.startsWith('__') && this.#giveUpReserve()
  }

  #giveUpReserve(): boolean {
    if (!this.#reserve.giveUp()) return false
    this.#roomRetryAt = this.clock.monotonic() + ROOM_RETRY_MS
    this.logger.warn(`${this.directory}: no space left; the reserve is given up for internal logs`)
    return true
  }

  #checkpointLater(): void {
    const timer = this.clock.after(CHECKPOINT_INTERVAL_MS, () => {
      this.#timers.delete(timer)
      this.checkpoint().catch((error: unknown) => this.logger.warn(`checkpoints not written: ${messageOf(error)}`))
      this.#checkpointLater()
    })
    this.#timers.add(timer)
  }

  /** One at a time; who asks while one is being written gets the next, which has what is known by then. */
  checkpoint(): Promise<void> {
    this.#nextCheckpoint ??= this.#checkpoints.then(() => {
      this.#nextCheckpoint = undefined
      const done = this.#writeCheckpoints()
      this.#checkpoints = done.catch(() => {})
      return done
    })
    return this.#nextCheckpoint
  }

  async #writeCheckpoints(): Promise<void> {
    if (this.#fatal !== undefined) throw this.#fatal
    const logs = [...this.#logs.values()]
    const recovery = new Map(this.#recoveryPoints)
    const starts = new Map(this.#logStarts)
    for (const log of logs) {
      if (!log.isDamaged) recovery.set(log.name, log.recoveryPoint)
      if (log.durableLogStart > log.firstSegmentBase) starts.set(log.name, log.durableLogStart)
      else if (!log.isDamaged) starts.delete(log.name)
    }
    await this.#writeCheckpoint(LOG_START, starts)
    await this.#writeCheckpoint(RECOVERY_POINT, recovery)
    await this.#writeCheckpoint(HIGH_WATERMARK, new Map(logs.map((log) => [log.name, log.highWatermark])))
  }

  async #writeCheckpoint(file: string, offsets: ReadonlyMap<string, number>): Promise<void> {
    const entries = Array.from(offsets, ([name, offset]) => {
      const dash = name.lastIndexOf('-')
      return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)), offset }
    })
    const content = JSON.stringify(entries)
    if (this.#checkpointed.get(file) === content) return
    const write = () => writeOffsetCheckpoint(this.disk, `${this.directory}/${file}`, entries)
    try {
      await write().catch((error: unknown) => {
        if (error instanceof DiskError && error.reason === 'noSpace' && this.#giveUpReserve()) return write()
        throw error
      })
    } catch (error) {
      if (!(error instanceof DiskError && error.reason === 'noSpace')) this.fail(error)
      throw error
    }
    this.#checkpointed.set(file, content)
  }

  async close({ brokerEpoch = -1 }: { readonly brokerEpoch?: number } = {}): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#timers) timer.cancel()
    try {
      await this.cleaner.close()
      const logs = [...this.#logs.values()]
      for (let at = 0; at < logs.length; at += CLOSED_AT_ONCE) {
        // All are closed, whatever becomes of one: the lock is given back only when no file is open any more.
        const results = await Promise.allSettled(logs.slice(at, at + CLOSED_AT_ONCE).map((log) => log.close(true)))
        for (const result of results) if (result.status === 'rejected') this.fail(result.reason)
      }
      if (this.#fatal !== undefined) throw this.#fatal
      for (const name of [...(this.#recoveryPoints?.keys() ?? []), ...this.#logStarts.keys()]) {
        if (this.disk.stat(`${this.directory}/${name}`) !== undefined) continue
        this.#recoveryPoints?.delete(name)
        this.#logStarts.delete(name)
      }
      await this.checkpoint()
      // A damaged log, or one that could not be opened, must be looked at at the next start, by us or by Apache.
      if (this.#hasUnopened || logs.some((log) => log.isDamaged)) return
      const mark = Buffer.from(JSON.stringify({ version: 0, brokerEpoch }))
      await replaceFile(this.disk, `${this.directory}/${CLEAN_SHUTDOWN}`, mark)
    } finally {
      this.#lock.release()
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
