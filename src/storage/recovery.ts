// From the files of a partition to a log that can be used. After a clean stop only the end is looked at; otherwise every
// batch from the segment with the recovery point on is checked, and indexes, transactions, producers and epochs are made
// anew from it.
//
// Two kinds of bad bytes (DECISIONS.md, Recovery): at or after the recovery point nothing was promised, so they are a
// torn tail and are cut, kept in quarantine/; before it they are damage: nothing is touched, and the log ends there
// with a failure.

import type { BatchHeader } from '../protocol/record-batch.ts'
import { CheckpointError, readEpochCheckpoint } from './checkpoints.ts'
import { type Disk, readFile } from './disk.ts'
import { type LogFiles, quarantineSegment, quarantineTail, tidyLogDirectory } from './log-directory.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import type { OpenFiles } from './open-files.ts'
import { ProducerState } from './producer-state.ts'
import { Segment, segmentFileName } from './segment.ts'

export interface RecoveryInput {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly directory: string
  readonly wasClean: boolean
  /** Below this offset everything was durable; undefined: not known (no readable checkpoint). */
  readonly recoveryPoint: number | undefined
  /** From the checkpoint, 0 without one. */
  readonly logStartOffset: number
  /** Where a log without segments begins. */
  readonly startOffset: number
  readonly indexIntervalBytes: number
  /** Compaction leaves gaps between segments, also above the recovery point that was last noted. */
  readonly isCompacted: boolean
  readonly nowMs: number
}

export interface Damage {
  /** First offset that cannot be served. */
  readonly offset: number
  /** Behind the last record known to have been durable: greater than `offset`. */
  readonly promisedEnd: number
  readonly file: string
  readonly position: number
  readonly problem: string
}

export interface RecoveredLog {
  /** At least one, ascending, up to the damage if there is any. */
  readonly segments: Segment[]
  readonly logStartOffset: number
  readonly producers: ProducerState
  readonly epochs: LeaderEpochs
  readonly damage: Damage | undefined
  /** For the broker's log: what was cut or made anew. */
  readonly notes: readonly string[]
}

// At a clean start so much of the end is checked, and searched for the producers' last batches.
const CHECKED_TAIL_BYTES = 1024 * 1024
const MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024

export function recoverLog(input: RecoveryInput): Promise<RecoveredLog> {
  return new Recovery(input).run()
}

class Recovery {
  readonly #input: RecoveryInput
  readonly #notes: string[] = []
  readonly #stamp: string
  #segments: Segment[] = []
  #snapshots: readonly number[]
  #recoveryPoint: number
  #producers = new ProducerState()
  #epochs = new LeaderEpochs()
  #damage: Damage | undefined
  #dirty: Segment[] = []

  constructor(input: RecoveryInput) {
    this.#input = input
    const { disk, files, directory, nowMs } = input
    this.#stamp = new Date(nowMs).toISOString().replace(/[:.]/g, '-')
    const found: LogFiles = tidyLogDirectory(disk, directory)
    this.#snapshots = found.snapshots
    for (const baseOffset of found.segments) {
      const size = disk.stat(`${directory}/${segmentFileName(baseOffset, '.log')}`)?.size ?? 0
      this.#segments.push(new Segment(disk, files, directory, baseOffset, nowMs, size))
    }
    // Without a checkpoint closed segments count as durable: they were synced when they were closed.
    this.#recoveryPoint = input.recoveryPoint ?? this.#segments.at(-1)?.baseOffset ?? 0
  }

  async run(): Promise<RecoveredLog> {
    this.#sealAllButLast()
    this.#loadEpochs()
    const hasScanned = this.#input.wasClean && this.#checkCleanEnd()
    if (!hasScanned) await this.#scan()
    this.#repairTxnIndexes()
    await this.#checkExtent()
    await this.#finish()
    const logStartOffset = Math.max(this.#input.logStartOffset, this.#segments[0].baseOffset)
    this.#epochs.truncateFromEnd(this.#endOffset())
    this.#epochs.truncateFromStart(logStartOffset)
    this.#producers.settle()
    return {
      segments: this.#segments,
      logStartOffset,
      producers: this.#producers,
      epochs: this.#epochs,
      damage: this.#damage,
      notes: this.#notes,
    }
  }

  #endOffset(): number {
    return this.#segments.at(-1)?.nextOffset ?? this.#input.startOffset
  }

  /** Until they are scanned, closed segments end where the next one begins. */
  #sealAllButLast(): void {
    this.#segments.forEach((segment, index) => {
      const next = this.#segments.at(index + 1)
      if (next) segment.nextOffset = next.baseOffset
    })
  }

  #loadEpochs(): void {
    const path = `${this.#input.directory}/leader-epoch-checkpoint`
    let entries
    try {
      entries = readEpochCheckpoint(this.#input.disk, path)
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      this.#notes.push(`${error.message}: made anew from the batches`)
    }
    this.#epochs = new LeaderEpochs(entries)
    if (entries !== undefined) return
    for (const segment of this.#segments.slice(0, -1)) {
      segment.scan({}, (header) => {
        this.#epochs.assign(header.leaderEpoch, header.baseOffset)
        return true
      })
    }
  }

  /** After a clean stop: whether the end is as it was left. The state is then complete; otherwise nothing is touched. */
  #checkCleanEnd(): boolean {
    const segment = this.#segments.at(-1)
    if (segment === undefined) return true
    const from = segment.offsetIndex.lookupPosition(Math.max(0, segment.size - CHECKED_TAIL_BYTES))
    const lastEntry = segment.offsetIndex.last()
    const tail: BatchHeader[] = []
    let { timestamp, offset } = segment.timeIndex.last()
    let nextOffset = segment.baseOffset
    let sinceEntry = 0
    const result = segment.scan({ from: from.position, checkCrc: true }, (header, _bytes, _at, position) => {
      const lastOffset = header.baseOffset + header.lastOffsetDelta
      if (position === from.position && position > 0 && lastOffset !== from.lastOffset) return false
      if (position === lastEntry.position) sinceEntry = 0
      sinceEntry += header.size
      if (header.maxTimestamp > timestamp) [timestamp, offset] = [header.maxTimestamp, lastOffset]
      if (header.producerId >= 0n) tail.push(header)
      this.#epochs.assign(header.leaderEpoch, header.baseOffset)
      nextOffset = lastOffset + 1
      return true
    })
    const isMissing = segment.size > 0 && (timestamp < 0 || nextOffset === segment.baseOffset)
    if (result.problem !== undefined || result.end !== segment.size || isMissing) return false
    segment.resumeAt(nextOffset, timestamp, offset, sinceEntry)
    if (from.position === 0) segment.uncheckedBytes = 0
    this.#replayProducers(nextOffset)
    this.#producers.completeWindow(tail)
    return true
  }

  /** Checks every batch from the segment with the recovery point on. */
  async #scan(): Promise<void> {
    const { indexIntervalBytes } = this.#input
    const first = Math.max(
      0,
      this.#segments.findLastIndex((segment) => segment.baseOffset <= this.#recoveryPoint),
    )
    const firstBase = this.#segments.at(first)?.baseOffset ?? 0
    this.#replayProducers(firstBase)
    for (let index = first; index < this.#segments.length; index++) {
      const segment = this.#segments[index]
      const previous = this.#segments.at(index - 1)
      if (index > 0 && previous !== undefined && this.#isTornBetween(previous, segment)) {
        const problem = `segment ${segment.baseOffset} does not follow offset ${previous.nextOffset - 1}`
        await this.#cutSegments(index, problem)
        return
      }
      let rewriteFrom = segment.size
      segment.txnIndex.truncate(0)
      const result = segment.rebuildIndexes(
        indexIntervalBytes,
        (header, bytes, at, position) => {
          if (header.baseOffset + header.lastOffsetDelta >= this.#recoveryPoint) {
            rewriteFrom = Math.min(rewriteFrom, position)
          }
          const ended = this.#producers.update(header, bytes, at)
          if (ended?.isAborted === true) segment.txnIndex.append(ended)
          this.#epochs.assign(header.leaderEpoch, header.baseOffset)
          return true
        },
        true,
      )
      this.#producers.settle()
      segment.uncheckedBytes = 0
      if (result.problem !== undefined) {
        if (segment.nextOffset < this.#recoveryPoint) {
          this.#markDamage(index, result.end, result.problem)
          return
        }
        await this.#cutTail(index, result.end, result.problem)
      }
      // What a failed sync left in memory only must reach the disk before it is served.
      if (!this.#input.wasClean && rewriteFrom < segment.size) segment.rewrite(rewriteFrom)
      this.#dirty.push(segment)
    }
  }

  /** A gap at or after the recovery point: the earlier segment's end was lost. Below it compaction makes gaps. */
  #isTornBetween(previous: Segment, segment: Segment): boolean {
    if (previous.nextOffset > segment.baseOffset) return true
    if (this.#input.isCompacted) return false
    return previous.nextOffset < segment.baseOffset && segment.baseOffset > this.#recoveryPoint
  }

  /** Aborted transactions must not be forgotten: an index with bytes that are no entries is made anew. */
  #repairTxnIndexes(): void {
    const bad = this.#segments.filter((segment) => !segment.txnIndex.isWhole && !this.#dirty.includes(segment))
    if (bad.length === 0) return
    for (const { txnIndex } of bad) txnIndex.truncate(0)
    const producers = new ProducerState()
    for (const segment of this.#segments.slice(0, this.#segments.indexOf(bad[bad.length - 1]) + 1)) {
      const isBad = bad.includes(segment)
      segment.scan({}, (header, bytes, at) => {
        const ended = producers.update(header, bytes, at)
        if (isBad && ended?.isAborted === true) segment.txnIndex.append(ended)
        return true
      })
      producers.settle()
      if (isBad) this.#notes.push(`${segment.txnIndex.path}: not a transaction index, made anew from the batches`)
    }
    for (const { txnIndex } of bad) txnIndex.flush()
  }

  #markDamage(index: number, position: number, problem: string): void {
    const segment = this.#segments[index]
    const promisedEnd = Math.max(this.#recoveryPoint, segment.nextOffset + 1)
    this.#damage = { offset: segment.nextOffset, promisedEnd, file: segment.path, position, problem }
    segment.endAt(position)
    this.#segments.length = index + 1
  }

  async #cutTail(index: number, position: number, problem: string): Promise<void> {
    const { disk, directory } = this.#input
    const segment = this.#segments[index]
    await this.#cutSegments(index + 1, problem)
    const kept = await quarantineTail(disk, directory, segment.baseOffset, position, this.#stamp)
    this.#notes.push(
      `${segment.path}: cut ${segment.size - position} bytes at ${position} (${problem})${kept ? ', kept in quarantine/' : ''}`,
    )
    segment.truncate(position)
  }

  /** Takes the segments from `index` on out of the log, the last one first: a crash on the way leaves a sound beginning. */
  async #cutSegments(index: number, problem: string): Promise<void> {
    const { disk, directory } = this.#input
    for (const segment of this.#segments.splice(index).reverse()) {
      segment.close()
      await quarantineSegment(disk, directory, segment.baseOffset, this.#stamp)
      this.#notes.push(`${segment.path}: moved to quarantine/ (${problem})`)
    }
  }

  /** That the log reaches as far as was promised, and that it has a segment to append to. */
  async #checkExtent(): Promise<void> {
    const { disk, files, directory, nowMs, startOffset, logStartOffset } = this.#input
    const end = this.#endOffset()
    // Below the log start nothing needs to be there: not even a file, when all was dropped and no more came.
    if (this.#damage === undefined && Math.max(end, logStartOffset) < (this.#input.recoveryPoint ?? 0)) {
      const problem = `records up to offset ${this.#recoveryPoint - 1} were durable and are not there`
      const last = this.#segments.at(-1)
      this.#damage = { offset: end, promisedEnd: this.#recoveryPoint, file: last?.path ?? directory, position: last?.size ?? 0, problem }
    } else if (this.#damage === undefined && this.#segments.length > 0 && end < logStartOffset) {
      await this.#cutSegments(0, `all of it is below the log start offset ${logStartOffset}`)
      this.#producers = new ProducerState()
    }
    if (this.#segments.length === 0) {
      const base = this.#damage ? end : Math.max(startOffset, logStartOffset)
      this.#segments.push(new Segment(disk, files, directory, base, nowMs))
    }
  }

  /** Drops snapshots of what is no more, then makes all that was done here durable. */
  async #finish(): Promise<void> {
    const { disk, directory, wasClean } = this.#input
    if (this.#damage) return
    const stale = this.#snapshots.filter((offset) => offset > this.#endOffset())
    for (const offset of stale) disk.remove(`${directory}/${segmentFileName(offset, '.snapshot')}`)
    for (const segment of this.#dirty) {
      if (!this.#segments.includes(segment)) continue
      await segment.sync()
      segment.offsetIndex.flush()
      segment.timeIndex.flush()
      segment.txnIndex.flush()
      await segment.txnIndex.sync()
    }
    if (!wasClean || stale.length > 0 || this.#dirty.length > 0) await disk.syncDirectory(directory)
  }

  /** Producer state at `endOffset`: the newest good snapshot at or below it, and the batches from there on. */
  #replayProducers(endOffset: number): void {
    const { disk, directory } = this.#input
    let from = 0
    for (const offset of this.#snapshots.filter((each) => each <= endOffset).reverse()) {
      const path = `${directory}/${segmentFileName(offset, '.snapshot')}`
      const state = ProducerState.fromSnapshot(readFile(disk, path, MAX_SNAPSHOT_BYTES) ?? Buffer.alloc(0))
      if (state !== undefined) {
        this.#producers = state
        from = offset
        break
      }
      this.#notes.push(`${path}: not a producer snapshot, passed over`)
    }
    for (const segment of this.#segments) {
      if (segment.nextOffset <= from || segment.baseOffset >= endOffset) continue
      const start = segment.indexedPosition(from - 1)
      segment.scan({ from: start }, (header, bytes, at) => {
        if (header.baseOffset >= endOffset) return false
        if (header.baseOffset >= from) this.#producers.update(header, bytes, at)
        return true
      })
    }
    this.#producers.settle()
  }
}
