// One partition's log: its segments, producers and leader epochs, and how far they are appended, written and synced.
// Appending is one synchronous step in memory; once per turn of the event loop the store has the tail written, and
// synced where the settings ask. The high watermark follows the synced end when each record is to be synced, else the
// written one; nothing above it is shown, and `safe` is the only promise a reply waits for.

import { KafkaError } from '../protocol/errors.ts'
import { stampOffset } from '../protocol/record-batch.ts'
import type { Beginning } from './awaited-sequences.ts'
import { type ValidBatch, trustedBatch, validateClientBatch } from './batch-validator.ts'
import { DiskError } from './disk.ts'
import type { CleanableLog } from './cleanable.ts'
import type { SourceSegment } from './cleaner.ts'
import { EpochFile } from './epoch-file.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogConfig } from './log-config.ts'
import { LogFlush } from './log-flush.ts'
import { LogHead } from './log-head.ts'
import type { LogHost, LogIdentity } from './log-host.ts'
import {
  type ReadOptions,
  type TimestampOffset,
  findByTimestamp,
  findGreatestTimestamp,
  readBatches,
  segmentIndexOf,
} from './log-reader.ts'
import { LogSegments } from './log-segments.ts'
import type { LastBatch, ProducerDescription, ProducerState } from './producer-state.ts'
import type { Damage, RecoveredLog } from './recovery.ts'
import { countExpired } from './retention.ts'
import { Segment } from './segment.ts'
import { type AbortedTransaction, collectAborted } from './txn-index.ts'
import { Unsynced, isWantOfSpace } from './unsynced.ts'
import { Watermark } from './watermark.ts'

// 'client': all checks. 'coordinator' and 'metadata': batches of our own making.
export type AppendOrigin = 'client' | 'coordinator' | 'metadata'

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** In ms; −1 unless the topic stamps LogAppendTime. */
  readonly logAppendTime: number
  readonly isDuplicate: boolean
}

// Beyond this the tail is written at once, without waiting for the turn's end.
const MAX_PENDING_BYTES = 4 * 1024 * 1024

export class Log {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  /** Set by the broker, like leaderEpoch; applies from the next append on. */
  config: LogConfig
  leaderEpoch = 0
  readonly #host: LogHost
  readonly #segments: LogSegments
  readonly #producers: ProducerState
  readonly #epochs: LeaderEpochs
  readonly #epochFile: EpochFile
  readonly #damage: Damage | undefined
  readonly #visible: Watermark
  readonly #head: LogHead
  #appended: number
  #written: number
  #unwritten: Segment[] = []
  readonly #unsynced: Unsynced
  readonly #flush: LogFlush
  #isClosed = false
  #hasToldDamage = false

  constructor(host: LogHost, identity: LogIdentity, config: LogConfig, recovered: RecoveredLog) {
    this.#host = host
    this.topic = identity.topic
    this.partition = identity.partition
    this.topicId = identity.topicId
    this.directory = identity.directory
    this.config = config
    this.#segments = new LogSegments(host, identity.directory, recovered.segments)
    this.#producers = recovered.producers
    this.#epochs = recovered.epochs
    this.#unsynced = new Unsynced(host.disk, identity.directory, host.logger)
    this.#head = new LogHead(host, identity.directory, this.#segments, this.#unsynced, recovered.logStartOffset)
    const attempt = this.#unsynced.unlessFull.bind(this.#unsynced)
    this.#epochFile = new EpochFile(host.disk, this.directory, recovered.epochs, attempt, (error) => host.fail(error))
    this.#damage = recovered.damage
    const end = recovered.damage?.offset ?? this.#active.nextOffset
    this.#appended = this.#written = end
    this.#visible = new Watermark(end)
    this.#flush = new LogFlush(host, this.#unsynced, this, end)
  }

  get name(): string {
    return `${this.topic}-${this.partition}`
  }

  get logStartOffset(): number {
    return this.#head.offset
  }

  /** Behind the last batch appended. */
  get logEndOffset(): number {
    return this.#appended
  }

  /** Behind the last batch that is as durable as the settings promise: what readers may see. */
  get highWatermark(): number {
    return this.#visible.offset
  }

  /** The high watermark; of a damaged log what it would be, so that readers go on to the damage and are told. */
  get promisedEndOffset(): number {
    return this.#damage?.promisedEnd ?? this.#visible.offset
  }

  /** The high watermark, or the start of the first transaction not yet decided. */
  get lastStableOffset(): number {
    const unstable = this.#producers.firstUnstableOffset(this.#visible.offset)
    return unstable === undefined ? this.#visible.offset : Math.min(unstable, this.#visible.offset)
  }

  get writtenEnd(): number {
    return this.#written
  }

  /** Below it everything was synced. A damaged log keeps what it promised before. */
  get recoveryPoint(): number {
    return this.#unsynced.recoveryPoint(this.#flush.end)
  }

  /** For the log start checkpoint. */
  get durableLogStart(): number {
    return this.#head.durable
  }

  /** What the files say of where the log starts. */
  get firstSegmentBase(): number {
    const [{ exists, baseOffset }] = this.#segments.all
    return exists || baseOffset === 0 ? baseOffset : -1
  }

  get sizeBytes(): number {
    return this.#segments.sizeBytes
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
    return this.#segments.active
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
    if (origin === 'coordinator') this.#producers.checkCoordinated(header, batch, this.name)
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
    if (this.#epochs.assign(this.leaderEpoch, this.#appended)) this.#epochFile.changed()
    const ended = this.#producers.update(header, bytes, 0)
    this.#active.append(bytes, header, this.config.indexIntervalBytes)
    if (ended?.isAborted === true) this.#active.txnIndex.append(ended)
    if (this.#unwritten.at(-1) !== this.#active) this.#unwritten.push(this.#active)
    this.#appended = lastOffset + 1
    this.#host.needsWrite(this)
  }

  #roll(nowMs: number): void {
    const { disk, files } = this.#host
    this.#unsynced.closed(this.#active, this.#appended, this.#producers.snapshot())
    this.#segments.all.push(new Segment(disk, files, this.directory, this.#appended, nowMs))
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
    this.#epochFile.write()
    this.#flush.wrote()
    this.synced()
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
      const isNew = !segment.exists
      segment.write()
      this.#unsynced.wrote(segment, isNew)
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
        this.#segments.all.splice(this.#segments.all.indexOf(segment), 1)
        this.#unsynced.reopened(this.#active, segment.baseOffset)
      }
    } catch (error) {
      this.#host.fail(error)
      return false
    }
    this.#unwritten = []
    this.#appended = this.#written
    this.#producers.undo(this.#written)
    this.#epochs.truncateFromEnd(this.#written)
    this.#visible.reject(storageError(`no space left for ${this.name}`), this.#written)
    return true
  }

  /** The written or the synced end moved: shows what may be seen. */
  synced(): void {
    this.#visible.advance(this.config.flushMessages === 1 ? this.#flush.end : this.#written)
  }

  /** Resolves when everything below `offset` is as durable as the settings promise; KAFKA_STORAGE_ERROR if it won't be. */
  safe(offset: number): Promise<void> {
    if (offset <= this.#visible.offset) return Promise.resolve()
    if (this.#host.fatal !== undefined) return Promise.reject(this.#host.fatal)
    if (offset > this.#appended) return Promise.reject(storageError(`offset ${offset - 1} of ${this.name} was not written`))
    return this.#visible.wait(offset)
  }

  /** Calls `listener` when the high watermark or the log start moved, or the log failed or was closed; returns its removal. */
  onChange(listener: () => void): () => void {
    return this.#visible.onChange(listener)
  }

  /**
   * Whole batches from the one with `offset` on, at most `maxBytes`; empty when there is none below `until` and the high
   * watermark. KafkaError OFFSET_OUT_OF_RANGE; CORRUPT_MESSAGE at damage, KAFKA_STORAGE_ERROR when the file can't be read.
   */
  read(offset: number, maxBytes: number, options: ReadOptions): Buffer {
    if (this.#damage !== undefined && offset >= this.#damage.offset) {
      throw new KafkaError('CORRUPT_MESSAGE', this.failure?.message)
    }
    if (offset < this.#head.offset || offset > this.#appended) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `Received request for offset ${offset} for partition ${this.name}, but we only have log segments from offset ${this.#head.offset} to ${this.#appended}.`,
      )
    }
    const until = Math.min(options.until, this.#visible.offset)
    if (offset >= until) return Buffer.alloc(0)
    return this.#reading(() => readBatches(this.#segments.all, offset, maxBytes, { ...options, until }))
  }

  /** The first visible record with a timestamp (ms) of `timestamp` or more. */
  offsetForTimestamp(timestamp: number): TimestampOffset | undefined {
    const found = this.#reading(() => findByTimestamp(this.#segments.all, timestamp, this.#head.offset))
    return found !== undefined && found.offset < this.#visible.offset ? found : undefined
  }

  /** The record with the greatest timestamp, the first if there are several; undefined when the log is empty. */
  maxTimestamp(): TimestampOffset | undefined {
    const found = this.#reading(() => findGreatestTimestamp(this.#segments.all, this.#head.offset))
    return found !== undefined && found.offset < this.#visible.offset ? found : undefined
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

  /**
   * Where `epoch` ended (OffsetForLeaderEpoch): the greatest known epoch at or below it; −1, −1 when none is known.
   * The leader's own is known before anything was written under it.
   */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    if (epoch === this.leaderEpoch && epoch > this.latestEpoch()) return { epoch, endOffset: this.#appended }
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

  /**
   * The aborted transactions of which records may lie in [from, upTo): what a reader of committed records leaves out.
   * In the order of their markers.
   */
  abortedTransactions(from: number, upTo: number): AbortedTransaction[] {
    const found: AbortedTransaction[] = []
    const { all } = this.#segments
    for (let index = segmentIndexOf(all, from); index < all.length; index++) {
      if (this.#reading(() => collectAborted(all[index].txnIndex, from, upTo, found))) break
    }
    return found
  }

  /** Whether a producer, and of this epoch if one is given, has a transaction open in this partition. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    return this.#producers.hasOpenTransaction(producerId, epoch)
  }

  /** A batch that begins a transaction came, and waits to be let in: none with a higher sequence may be appended before it. */
  awaitTransaction(beginning: Beginning, nowMs: number): void {
    this.#producers.awaited.await(beginning, nowMs)
  }

  /** The epoch a producer last wrote with, here; undefined when it is not known. */
  producerEpoch(producerId: bigint): number | undefined {
    return this.#producers.epochOf(producerId)
  }

  describeProducers(): ProducerDescription[] {
    return this.#producers.describe()
  }

  /** The last batch of each producer. */
  lastBatches(): Map<bigint, LastBatch> {
    return this.#producers.lastBatches()
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
    if (offset > this.#visible.offset) {
      const text = `Cannot increment the log start offset to ${offset} of partition ${this.name} since it is larger than the high watermark ${this.#visible.offset}`
      throw new KafkaError('OFFSET_OUT_OF_RANGE', text)
    }
    if (!(await this.#head.moveTo(offset))) return
    if (this.#epochs.truncateFromStart(offset)) this.#epochFile.changed()
    this.#epochFile.write()
    this.#head.dropSegments(this.config.fileDeleteDelayMs)
    this.#visible.changed()
  }

  /** Drops the segments that the settings let go (retention.ts); how many. Errors as deleteRecordsBefore. */
  async deleteOldSegments(): Promise<number> {
    if (this.#damage !== undefined || this.#isClosed || this.#host.fatal !== undefined) return 0
    const { all } = this.#segments
    const nowMs = this.#host.clock.now()
    const bounds = { logStartOffset: this.#head.offset, highWatermark: this.#visible.offset, nowMs }
    const count = this.#reading(() => countExpired(this.#segments.facts(this.#appended), this.config, bounds))
    if (count === 0) return 0
    const start = count < all.length ? all[count].baseOffset : this.#appended
    if (count === all.length) {
      this.#roll(nowMs)
      this.#unwritten.push(this.#active)
      this.#host.needsWrite(this)
    }
    await this.deleteRecordsBefore(start)
    this.#head.dropSegments(this.config.fileDeleteDelayMs)
    return count
  }

  /** For compaction (cleanable.ts). Nothing is said to be durable above its limit. */
  cleanable(): CleanableLog {
    return {
      segments: this.#segments.cleanable(),
      logStartOffset: this.#head.offset,
      logEndOffset: this.#appended,
      limit: Math.min(this.lastStableOffset, this.recoveryPoint),
    }
  }

  /** While held, by compaction, no segment leaves the log but by `replaceSegments`. */
  holdSegments(isHeld: boolean): void {
    if (this.#isClosed) return
    this.#head.hold(isHeld)
    this.#head.dropSegments(this.config.fileDeleteDelayMs)
  }

  /** Puts what compaction made in the place of what it was made from; durable when it resolves. */
  replaceSegments(cleaned: SourceSegment, sources: readonly SourceSegment[]): Promise<void> {
    return this.#head.replace(cleaned, sources, this.config.fileDeleteDelayMs)
  }

  /** Tells everybody who waits that the store has failed. */
  failed(error: KafkaError): void {
    this.#visible.reject(error)
    this.#visible.changed()
  }

  /** No more appends. With `keep` everything appended is written, synced and noted; without, the log is going away. */
  async close(keep: boolean): Promise<void> {
    if (this.#isClosed) return
    if (keep) this.writeOut()
    this.#isClosed = true
    this.#head.hold(true)
    await this.#flush.close()
    await this.#epochFile.settled()
    try {
      if (keep && this.#host.fatal === undefined && this.#damage === undefined) await this.#finish()
      if (!keep) this.#unwritten.forEach((segment) => segment.undo())
    } finally {
      this.#visible.reject(storageError(`${this.name} is closed`))
      this.#segments.close()
      this.#visible.changed()
    }
  }

  /** Leaves the files as Kafka does at a clean stop. */
  async #finish(): Promise<void> {
    await this.#flush.round()
    if (!this.#active.exists) return
    if (await this.#unsynced.finish(this.#active, this.#appended, this.#producers.snapshot())) return
    throw storageError(`no space for the aborted transactions of ${this.name}`)
  }
}

function storageError(message: string): KafkaError {
  return new KafkaError('KAFKA_STORAGE_ERROR', message)
}

