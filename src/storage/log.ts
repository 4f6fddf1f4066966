// One partition's log: its segments, producers and leader epochs, and how far they are appended, written and synced.
// Appending is one synchronous step in memory; once per turn of the event loop the store has the tail written, and
// synced where the settings ask. The high watermark follows the synced end when each record is to be synced, else the
// written one; nothing above it is shown, and `safe` is the only promise a reply waits for.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { KafkaError } from '../protocol/errors.ts'
import { stampOffset } from '../protocol/record-batch.ts'
import { type ValidBatch, trustedBatch, validateClientBatch } from './batch-validator.ts'
import { writeEpochCheckpoint } from './checkpoints.ts'
import { type Disk, DiskError, replaceFile } from './disk.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import {
  type ReadOptions, type TimestampOffset, findByTimestamp, findGreatestTimestamp, readBatches, segmentIndexOf,
} from './log-reader.ts' // prettier-ignore
import type { OpenFiles } from './open-files.ts'
import type { ProducerDescription, ProducerState } from './producer-state.ts'
import type { Damage, RecoveredLog } from './recovery.ts'
import { Segment, segmentFileName } from './segment.ts'

export type { ReadOptions, TimestampOffset } from './log-reader.ts'
export type { ProducerDescription } from './producer-state.ts'
export { RecordValidationError } from './batch-validator.ts'

// 'client': all checks. 'coordinator' and 'metadata': batches of our own making.
export type AppendOrigin = 'client' | 'coordinator' | 'metadata'

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** In ms; −1 unless the topic stamps LogAppendTime. */
  readonly logAppendTime: number
  readonly isDuplicate: boolean
}

/** What a log needs of the store it lies in. */
export interface LogHost {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly files: OpenFiles
  /** Has `writeOut` called at the end of this turn of the event loop. */
  needsWrite(log: Log): void
  /** A sync failed, or a write for another reason than space: everything stops. */
  fail(error: unknown): void
  readonly fatal: KafkaError | undefined
  /** Whether writes may be tried; false for a while after space was wanting. */
  hasRoom(): boolean
  /** Space was wanting; whether some was made, so that the write may be tried again. */
  makeRoom(log: Log): boolean
  /** Recovery points and log starts, durable. */
  checkpoint(): Promise<void>
}

// Beyond this the tail is written at once, without waiting for the turn's end.
const MAX_PENDING_BYTES = 4 * 1024 * 1024

interface Waiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: KafkaError) => void
}

export interface LogIdentity {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
}

export class Log {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  /** Set by the broker, like leaderEpoch; applies from the next append on. */
  config: LogConfig
  leaderEpoch = 0
  readonly #host: LogHost
  readonly #segments: Segment[]
  readonly #producers: ProducerState
  readonly #epochs: LeaderEpochs
  readonly #damage: Damage | undefined
  readonly #listeners = new Set<() => void>()
  #waiters: Waiter[] = []
  #logStartOffset: number
  #durableLogStart: number // what the checkpoint is to say, ahead of #logStartOffset while it is written
  #appended: number
  #written: number
  #synced: number
  #highWatermark: number
  #unwritten: Segment[] = []
  #unsynced = new Set<Segment>()
  #madeFiles = false
  #isSyncing = false
  #snapshots: { readonly offset: number; readonly bytes: Buffer }[] = []
  #epochsToWrite = false
  #epochsWriting: Promise<void> | undefined
  #oldestUnsyncedMs: number | undefined // monotonic
  #awaitsFlushTime = false
  #isClosed = false
  #hasToldDamage = false
  #idle: (() => void)[] = [] // called when no sync is under way

  constructor(host: LogHost, identity: LogIdentity, config: LogConfig, recovered: RecoveredLog) {
    this.#host = host
    this.topic = identity.topic
    this.partition = identity.partition
    this.topicId = identity.topicId
    this.directory = identity.directory
    this.config = config
    this.#segments = recovered.segments
    this.#producers = recovered.producers
    this.#epochs = recovered.epochs
    this.#damage = recovered.damage
    this.#logStartOffset = this.#durableLogStart = recovered.logStartOffset
    const end = recovered.damage?.offset ?? this.#active.nextOffset
    this.#appended = this.#written = this.#synced = this.#highWatermark = end
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  get logStartOffset(): number {
    return this.#logStartOffset
  }

  /** Behind the last batch appended. */
  get logEndOffset(): number {
    return this.#appended
  }

  /** Behind the last batch that is as durable as the settings promise: what readers may see. */
  get highWatermark(): number {
    return this.#highWatermark
  }

  /** The high watermark; of a damaged log what it would be, so that readers go on to the damage and are told. */
  get promisedEndOffset(): number {
    return this.#damage?.promisedEnd ?? this.#highWatermark
  }

  /** The high watermark, or the start of the first transaction not yet decided. */
  get lastStableOffset(): number {
    const unstable = this.#producers.firstUnstableOffset(this.#highWatermark)
    return unstable === undefined ? this.#highWatermark : Math.min(unstable, this.#highWatermark)
  }

  /** Below it everything was synced. A damaged log keeps what it promised before. */
  get recoveryPoint(): number {
    return this.#synced
  }

  /** For the log start checkpoint. */
  get durableLogStart(): number {
    return this.#durableLogStart
  }

  get firstSegmentBase(): number {
    return this.#segments[0].baseOffset
  }

  get sizeBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  get isDamaged(): boolean {
    return this.#damage !== undefined
  }

  /** Why appends are refused now; undefined when they aren't. */
  get failure(): KafkaError | undefined {
    if (this.#damage !== undefined) {
      const { file, position, offset, problem } = this.#damage
      return storageError(`${this.name} is damaged from offset ${offset} on (${file} at ${position}: ${problem})`)
    }
    if (this.#isClosed) return storageError(`${this.name} is closed`)
    if (this.#host.fatal !== undefined) return this.#host.fatal
    return this.#isInternal || this.#host.hasRoom() ? undefined : storageError(`no space left for ${this.name}`)
  }

  get #active(): Segment {
    return this.#segments[this.#segments.length - 1]
  }

  get #isInternal(): boolean {
    return this.topic.startsWith('__')
  }

  /**
   * Appends one batch in one synchronous step: validated, sequence checked, stamped in place. KafkaError otherwise, and
   * nothing changed but, maybe, bytes of `batch`. From 64 KiB on the bytes are kept by reference: the caller must leave
   * them alone until `safe`. The codecs of the batch and of the topic must be prepared.
   */
  append(batch: Buffer, origin: AppendOrigin): AppendResult {
    this.#checkWritable()
    const nowMs = this.#host.clock.now()
    const valid = origin === 'client' ? validateClientBatch(batch, this.name, this.config, nowMs) : trustedBatch(batch)
    const { header } = valid
    if (origin === 'client' && header.producerId >= 0n) {
      const original = this.#producers.check(header, this.name)
      if (original !== undefined) {
        const logAppendTime = this.config.timestampType === 'LogAppendTime' ? original.timestamp : -1
        return { baseOffset: original.baseOffset, lastOffset: original.lastOffset, logAppendTime, isDuplicate: true }
      }
    }
    if (this.#active.pendingBytes + valid.bytes.length > MAX_PENDING_BYTES) {
      this.writeOut()
      this.#checkWritable()
    }
    this.#place(valid, nowMs)
    return {
      baseOffset: header.baseOffset,
      lastOffset: this.#appended - 1,
      logAppendTime: header.isLogAppendTime && origin === 'client' ? header.maxTimestamp : -1,
      isDuplicate: false,
    }
  }

  #checkWritable(): void {
    const failure = this.failure
    if (failure !== undefined) throw failure
  }

  /** Gives a valid batch its offsets and its place. Memory only: cannot fail. */
  #place({ bytes, header }: ValidBatch, nowMs: number): void {
    const lastOffset = this.#appended + header.lastOffsetDelta
    if (this.#active.shouldRoll(this.config, header.size, header.maxTimestamp, lastOffset, nowMs)) this.#roll(nowMs)
    stampOffset(bytes, 0, this.#appended, this.leaderEpoch)
    header.baseOffset = this.#appended
    header.leaderEpoch = this.leaderEpoch
    if (this.#epochs.assign(this.leaderEpoch, this.#appended)) this.#epochsToWrite = true
    this.#producers.update(header, bytes, 0)
    this.#active.append(bytes, header, this.config.indexIntervalBytes)
    if (this.#unwritten.at(-1) !== this.#active) this.#unwritten.push(this.#active)
    this.#appended = lastOffset + 1
    this.#host.needsWrite(this)
  }

  #roll(nowMs: number): void {
    const { disk, files } = this.#host
    this.#snapshots.push({ offset: this.#appended, bytes: this.#producers.snapshot() })
    // Wholly written, perhaps synced, but as the active one: its indexes are still to be finished.
    if (this.#active.exists && this.#active.pendingBytes === 0) this.#unsynced.add(this.#active)
    this.#segments.push(new Segment(disk, files, this.directory, this.#appended, nowMs))
  }

  /** Writes the tail; called by the store once per turn. */
  writeOut(): void {
    if (this.#unwritten.length === 0 || this.#host.fatal !== undefined) return
    try {
      this.#writeSegments()
    } catch (error) {
      if (!this.#writeWithLessSpace(error)) return
    }
    this.#producers.settle()
    this.#oldestUnsyncedMs ??= this.#host.clock.monotonic()
    if (this.#epochsToWrite) this.#writeEpochs()
    if (this.#wantsSync()) void this.#sync()
    else this.#awaitFlushTime()
    this.#advance()
  }

  /** After a failed write: whether the log can go on, with all of its tail written or with none. */
  #writeWithLessSpace(cause: unknown): boolean {
    let error = cause
    try {
      // What the failed write left is overwritten by the same bytes.
      if (isWantOfSpace(error) && this.#host.makeRoom(this)) {
        this.#writeSegments()
        return true
      }
    } catch (second) {
      error = second
    }
    if (isWantOfSpace(error)) return this.#cutToWritten(error)
    this.#host.fail(error)
    return false
  }

  #writeSegments(): void {
    while (this.#unwritten.length > 0) {
      const segment = this.#unwritten[0]
      if (!segment.exists) this.#madeFiles = true
      segment.write()
      this.#unsynced.add(segment)
      this.#written = segment.nextOffset
      this.#unwritten.shift()
    }
  }

  /** Want of space: the log ends where it was written to, as if the rest had never been appended. False: it has failed. */
  #cutToWritten(cause: DiskError): boolean {
    this.#host.logger.warn(`${this.name}: ${cause.message}: offsets ${this.#written} to ${this.#appended - 1} not written`)
    try {
      for (const segment of this.#unwritten.reverse()) {
        segment.undo()
        if (segment.baseOffset <= this.#written) continue
        segment.discard()
        this.#segments.splice(this.#segments.indexOf(segment), 1)
        this.#snapshots = this.#snapshots.filter(({ offset }) => offset !== segment.baseOffset)
      }
    } catch (error) {
      this.#host.fail(error)
      return false
    }
    this.#unwritten = []
    this.#appended = this.#written
    this.#producers.undo(this.#written)
    this.#epochs.truncateFromEnd(this.#written)
    this.#rejectWaiters(storageError(`no space left for ${this.name}`), (offset) => offset > this.#written)
    return true
  }

  #wantsSync(): boolean {
    if (this.#written === this.#synced) return false
    if (this.#written - this.#synced >= this.config.flushMessages) return true
    // A closed segment is synced at once, so that the recovery point can pass it.
    if (this.#unsynced.size > 1 || !this.#unsynced.has(this.#active)) return true
    const since = this.#oldestUnsyncedMs
    return since !== undefined && this.#host.clock.monotonic() - since >= this.config.flushMs
  }

  #awaitFlushTime(): void {
    const since = this.#oldestUnsyncedMs
    if (this.config.flushMs === Number.MAX_SAFE_INTEGER || since === undefined || this.#written === this.#synced) return
    if (this.#awaitsFlushTime) return
    this.#awaitsFlushTime = true
    const wait = since + this.config.flushMs - this.#host.clock.monotonic()
    this.#host.clock.after(Math.max(0, wait), () => {
      this.#awaitsFlushTime = false
      if (this.#isClosed || this.#host.fatal !== undefined) return
      if (this.#wantsSync()) void this.#sync()
      else this.#awaitFlushTime()
    })
  }

  /** Syncs what is written, round after round while the settings ask for it: writes during a round wait for the next. */
  async #sync(): Promise<void> {
    if (this.#isSyncing) return
    this.#isSyncing = true
    try {
      while (this.#wantsSync()) await this.#syncRound()
    } catch (error) {
      this.#host.fail(error)
    } finally {
      this.#isSyncing = false
      for (const resolve of this.#idle.splice(0)) resolve()
    }
  }

  async #syncRound(): Promise<void> {
    const target = this.#written
    const segments = [...this.#unsynced]
    const closed = segments.filter((segment) => segment !== this.#active)
    const snapshots = this.#snapshots.filter(({ offset }) => offset <= target)
    const madeFiles = this.#madeFiles
    this.#unsynced = new Set()
    this.#snapshots = this.#snapshots.filter(({ offset }) => offset > target)
    this.#madeFiles = false
    this.#oldestUnsyncedMs = undefined
    const indexes = closed
      .filter((segment) => this.#finishIndexes(segment))
      .flatMap((segment) => [segment.offsetIndex, segment.timeIndex])
    // All of them end before anything is said, so that no file is closed under a sync.
    const results = await Promise.allSettled([...segments, ...indexes].map((file) => file.sync()))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    if (madeFiles || closed.length > 0) await this.#host.disk.syncDirectory(this.directory)
    this.#synced = target
    this.#advance()
    for (const { offset, bytes } of snapshots) await this.#writeSnapshot(offset, bytes)
    if (closed.length > 0) await this.#unlessFull('recovery point of ' + this.name, () => this.#host.checkpoint())
  }

  /** Writes a closed segment's indexes; false when there was no space: they are hints, and made anew when needed. */
  #finishIndexes(segment: Segment): boolean {
    try {
      segment.finishIndexes()
      return true
    } catch (error) {
      if (!isWantOfSpace(error)) throw error
      this.#host.logger.warn(`${segment.path}: no space for its indexes`)
      return false
    }
  }

  async #writeSnapshot(offset: number, bytes: Buffer): Promise<void> {
    const path = `${this.directory}/${segmentFileName(offset, '.snapshot')}`
    await this.#unlessFull(path, () => replaceFile(this.#host.disk, path, bytes))
  }

  #writeEpochs(): void {
    if (this.#epochsWriting !== undefined) return
    const path = `${this.directory}/leader-epoch-checkpoint`
    const write = async () => {
      while (this.#epochsToWrite) {
        this.#epochsToWrite = false
        const entries = [...this.#epochs.entries]
        await this.#unlessFull(path, () => writeEpochCheckpoint(this.#host.disk, path, entries))
      }
    }
    this.#epochsWriting = write()
      .catch((error: unknown) => this.#host.fail(error))
      .finally(() => (this.#epochsWriting = undefined))
  }

  /** For files that are made anew when they are missing. */
  async #unlessFull(path: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isWantOfSpace(error)) throw error
      this.#host.logger.warn(`${path}: not written: ${error.message}`)
    }
  }

  #advance(): void {
    const reached = this.config.flushMessages === 1 ? this.#synced : this.#written
    if (reached <= this.#highWatermark) return
    this.#highWatermark = reached
    const waiting = this.#waiters
    this.#waiters = []
    for (const waiter of waiting) {
      if (waiter.offset <= reached) waiter.resolve()
      else this.#waiters.push(waiter)
    }
    this.#changed()
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }

  #rejectWaiters(error: KafkaError, isHit: (offset: number) => boolean): void {
    const waiting = this.#waiters
    this.#waiters = waiting.filter(({ offset }) => !isHit(offset))
    for (const waiter of waiting) if (isHit(waiter.offset)) waiter.reject(error)
  }

  /** Resolves when everything below `offset` is as durable as the settings promise; KAFKA_STORAGE_ERROR if it won't be. */
  safe(offset: number): Promise<void> {
    if (offset <= this.#highWatermark) return Promise.resolve()
    if (this.#host.fatal !== undefined) return Promise.reject(this.#host.fatal)
    if (offset > this.#appended) return Promise.reject(storageError(`offset ${offset - 1} of ${this.name} was not written`))
    return new Promise((resolve, reject) => this.#waiters.push({ offset, resolve, reject }))
  }

  /** Calls `listener` when the high watermark or the log start moved, or the log failed or was closed; returns its removal. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Whole batches from the one with `offset` on, at most `maxBytes`; empty when there is none below `until` and the high
   * watermark. KafkaError OFFSET_OUT_OF_RANGE; CORRUPT_MESSAGE at damage, KAFKA_STORAGE_ERROR when the file can't be read.
   */
  read(offset: number, maxBytes: number, options: ReadOptions): Buffer {
    if (this.#damage !== undefined && offset >= this.#damage.offset) {
      throw new KafkaError('CORRUPT_MESSAGE', this.failure?.message)
    }
    if (offset < this.#logStartOffset || offset > this.#appended) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Received request for offset ${offset} for partition ${this.name}, but we only have log segments from offset ${this.#logStartOffset} to ${this.#appended}.`,
      )
    }
    const until = Math.min(options.until, this.#highWatermark)
    if (offset >= until) return Buffer.alloc(0)
    return this.#reading(() => readBatches(this.#segments, offset, maxBytes, { ...options, until }))
  }

  /** The first visible record with a timestamp (ms) of `timestamp` or more. */
  offsetForTimestamp(timestamp: number): TimestampOffset | undefined {
    const found = this.#reading(() => findByTimestamp(this.#segments, timestamp, this.#logStartOffset))
    return found !== undefined && found.offset < this.#highWatermark ? found : undefined
  }

  /** The record with the greatest timestamp, the first if there are several; undefined when the log is empty. */
  maxTimestamp(): TimestampOffset | undefined {
    const found = this.#reading(() => findGreatestTimestamp(this.#segments, this.#logStartOffset))
    return found !== undefined && found.offset < this.#highWatermark ? found : undefined
  }

  #reading<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof KafkaError && error.error === 'CORRUPT_MESSAGE' && !this.#hasToldDamage) {
        this.#hasToldDamage = true // once: readers come back
        this.#host.logger.error(error.message)
      }
      if (!(error instanceof DiskError)) throw error
      throw new KafkaError('KAFKA_STORAGE_ERROR', `${this.name} cannot be read: ${error.message}`, { cause: error })
    }
  }

  /** Where `epoch` ended (OffsetForLeaderEpoch): the greatest known epoch at or below it; −1, −1 when none is known. */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#epochs.endOffsetFor(epoch, this.#appended)
  }

  /** The epoch of the first record; −1 when none is known. */
  earliestEpoch(): number {
    return this.#epochs.entries.at(0)?.epoch ?? -1
  }

  latestEpoch(): number {
    return this.#epochs.latest?.epoch ?? -1
  }

  /** The epoch `offset` was written under; −1 when none is known. */
  epochOf(offset: number): number {
    return this.#epochs.epochOf(offset)
  }

  describeProducers(): ProducerDescription[] {
    return this.#producers.describe()
  }

  /** Forgets producers that wrote nothing since `beforeMs` (producer.id.expiration.ms). */
  expireProducers(beforeMs: number): void {
    this.#producers.expire(beforeMs)
  }

  /**
   * Moves the log start to `offset`, at most the high watermark (else OFFSET_OUT_OF_RANGE); durable when it resolves.
   * Segments wholly below it are dropped. Nothing happens when it is there already.
   */
  async deleteRecordsBefore(offset: number): Promise<void> {
    if (offset > this.#highWatermark) {
      const text = `Cannot increment the log start offset to ${offset} of partition ${this.name} since it is larger than the high watermark ${this.#highWatermark}`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', text)
    }
    if (offset <= this.#logStartOffset) return
    if (this.#host.fatal !== undefined) throw this.#host.fatal
    this.#durableLogStart = Math.max(this.#durableLogStart, offset)
    try {
      await this.#host.checkpoint()
    } catch (error) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', `the log start of ${this.name} could not be stored`, { cause: error })
    }
    if (offset <= this.#logStartOffset) return
    this.#logStartOffset = offset
    if (this.#epochs.truncateFromStart(offset)) {
      this.#epochsToWrite = true
      this.#writeEpochs()
    }
    this.#dropSegmentsBelowStart()
    this.#changed()
  }

  #dropSegmentsBelowStart(): void {
    const { disk, clock, logger } = this.#host
    // A segment that is being synced goes at the next occasion.
    const keep = segmentIndexOf(this.#segments, this.#logStartOffset)
    for (const segment of this.#segments.slice(0, keep)) {
      if (!segment.isIdle || this.#unsynced.has(segment)) return
      this.#segments.shift()
      segment.close()
      const paths = ['.log', '.index', '.timeindex', '.txnindex', '.snapshot']
        .map((suffix) => `${this.directory}/${segmentFileName(segment.baseOffset, suffix)}`)
        .filter((path) => disk.stat(path) !== undefined)
      for (const path of paths) disk.rename(path, `${path}.deleted`)
      clock.after(this.config.fileDeleteDelayMs, () => {
        try {
          if (!this.#isClosed) for (const path of paths) disk.remove(`${path}.deleted`)
        } catch (error) {
          logger.warn(`${segment.path}.deleted: ${error instanceof Error ? error.message : String(error)}`)
        }
      })
    }
  }

  /** Tells everybody who waits that the store has failed. */
  failed(error: KafkaError): void {
    this.#rejectWaiters(error, () => true)
    this.#changed()
  }

  /** No more appends. With `keep` everything appended is written, synced and noted; without, the log is going away. */
  async close(keep: boolean): Promise<void> {
    if (this.#isClosed) return
    if (keep) this.writeOut()
    this.#isClosed = true
    while (this.#isSyncing) await new Promise<void>((resolve) => this.#idle.push(resolve))
    await this.#epochsWriting
    try {
      if (keep && this.#host.fatal === undefined && this.#damage === undefined) await this.#finish()
      if (!keep) this.#unwritten.forEach((segment) => segment.undo())
    } finally {
      this.#rejectWaiters(storageError(`${this.name} is closed`), () => true)
      for (const segment of this.#segments) segment.close()
      this.#changed()
    }
  }

  /** Leaves the files as Kafka does at a clean stop. */
  async #finish(): Promise<void> {
    await this.#syncRound()
    if (!this.#active.exists) return
    this.#finishIndexes(this.#active)
    await this.#writeSnapshot(this.#appended, this.#producers.snapshot())
  }
}

function isWantOfSpace(error: unknown): error is DiskError {
  return error instanceof DiskError && (error.reason === 'noSpace' || error.reason === 'tooManyOpen')
}

function storageError(message: string): KafkaError {
  return new KafkaError('KAFKA_STORAGE_ERROR', message)
}

