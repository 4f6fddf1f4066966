// What a log knows of its producers: the last batches of each, by which retries are recognized and gaps refused, and its
// open transactions, which hold back the last stable offset. A pure function of the batches in the log, so it is
// rebuilt from them, with a snapshot file as a head start (Kafka's ProducerStateManager). Entries are replaced, never
// changed, so that `undo` can put the old ones back.

import { crc32c } from '../kernels/crc32c.ts'
import { KafkaError } from '../protocol/errors.ts'
import { BATCH_OVERHEAD, type BatchHeader } from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'
import { AwaitedSequences } from './awaited-sequences.ts'

/** Batches remembered per producer: what may be in flight at once (KIP-98). */
const WINDOW = 5
const MAX_SEQUENCE = 2 ** 31 - 1

interface BatchNote {
  readonly firstSequence: number
  readonly lastSequence: number
  readonly lastOffset: number
  readonly offsetDelta: number
  readonly timestamp: number // ms
}

interface ProducerEntry {
  readonly epoch: number
  readonly batches: readonly BatchNote[] // oldest first
  readonly lastTimestamp: number // ms
  readonly coordinatorEpoch: number
  readonly transactionStart: number // −1: no open transaction
}

export interface ProducerDescription {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** −1 when no transaction is open. */
  readonly currentTransactionStartOffset: number
}

export interface LastBatch {
  readonly lastOffset: number
  readonly epoch: number
}

/** A transaction whose marker came. */
export interface EndedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Of the marker. */
  readonly lastOffset: number
  readonly isAborted: boolean
  /** The start of the first transaction still open, else behind the marker. */
  readonly lastStableOffset: number
}

export interface DuplicateOf {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly timestamp: number
}

export class ProducerState {
  readonly awaited = new AwaitedSequences()
  #producers = new Map<bigint, ProducerEntry>()
  /** Start offset of each open transaction, and of those whose marker stands at `end`. */
  readonly #open = new Map<bigint, number>()
  #ended: { readonly start: number; readonly end: number }[] = []
  #undoLog: { readonly producerId: bigint; readonly entry: ProducerEntry | undefined; readonly offset: number }[] = []

  get size(): number {
    return this.#producers.size
  }

  /**
   * Checks a client's batch: the original when it is a retry of one remembered, undefined when it may be appended,
   * else KafkaError. Duplicates come first, as in Kafka: a retry is answered even after a newer epoch's error.
   */
  check(header: BatchHeader, name: string): DuplicateOf | undefined {
    const entry = this.#producers.get(header.producerId)
    if (entry === undefined) {
      this.awaited.check(header, false, name)
      return undefined
    }
    const first = header.baseSequence
    const last = addToSequence(first, header.lastOffsetDelta)
    if (header.producerEpoch === entry.epoch) {
      const same = entry.batches.find((batch) => batch.firstSequence === first && batch.lastSequence === last)
      if (same) {
        return { baseOffset: same.lastOffset - same.offsetDelta, lastOffset: same.lastOffset, timestamp: same.timestamp }
      }
    }
    const of = `producer ${header.producerId}`
    if (header.producerEpoch < entry.epoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `Epoch of ${of} in ${name} is ${header.producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`,
      )
    }
    this.awaited.check(header, true, name)
    if (header.producerEpoch > entry.epoch && first !== 0) {
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Invalid sequence number for new epoch of ${of} in partition ${name}: ${header.producerEpoch} (request epoch), ${first} (seq. number), ${entry.epoch} (current producer epoch)`,
      )
    }
    // A producer known only from a transaction marker starts at 0.
    const current = entry.batches.at(-1)?.lastSequence ?? -1
    if (header.producerEpoch === entry.epoch && first !== addToSequence(current, 1)) {
      throw new KafkaError(
        'OUT_OF_ORDER_SEQUENCE_NUMBER',
        `Out of order sequence number for ${of} in partition ${name}: ${first} (incoming seq. number), ${current} (current end sequence number)`,
      )
    }
    checkSameKind(entry, header, name)
    return undefined
  }

  /** Checks a coordinator's batch: it has no sequences, but epochs, its producer's and in a marker its own. */
  checkCoordinated(header: BatchHeader, bytes: Buffer, name: string): void {
    const entry = this.#producers.get(header.producerId)
    if (entry === undefined) return
    const of = `producer ${header.producerId}`
    if (header.producerEpoch < entry.epoch) {
      throw new KafkaError(
        'INVALID_PRODUCER_EPOCH',
        `Epoch of ${of} in ${name} is ${header.producerEpoch}, which is smaller than the last seen epoch ${entry.epoch}`,
      )
    }
    if (!header.isControl) {
      checkSameKind(entry, header, name)
      return
    }
    const marker = transactionMarker(header, bytes, 0)
    if (marker === undefined || marker.coordinatorEpoch >= entry.coordinatorEpoch) return
    throw new KafkaError(
      'TRANSACTION_COORDINATOR_FENCED',
      `Invalid coordinator epoch for ${of} in partition ${name}: ${marker.coordinatorEpoch} (zombie), ${entry.coordinatorEpoch} (current)`,
    )
  }

  /** Counts in the batch at `at`, which is in the log with its offsets. The transaction that it ends, if it does. */
  update(header: BatchHeader, bytes: Buffer, at: number): EndedTransaction | undefined {
    const { producerId } = header
    if (producerId < 0n) return undefined
    this.awaited.appended(header)
    const marker = header.isControl ? transactionMarker(header, bytes, at) : undefined
    if (header.isControl && marker === undefined) return undefined
    const before = this.#producers.get(producerId)
    this.#undoLog.push({ producerId, entry: before, offset: header.baseOffset })
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    if (marker !== undefined) {
      const start = before?.transactionStart ?? -1
      if (start >= 0) this.#ended.push({ start, end: lastOffset })
      this.#open.delete(producerId)
      this.#producers.set(producerId, {
        epoch: header.producerEpoch,
        // A marker of a newer epoch starts the sequences over.
        batches: before?.epoch === header.producerEpoch ? before.batches : [],
        lastTimestamp: header.maxTimestamp,
        coordinatorEpoch: marker.coordinatorEpoch,
        transactionStart: -1,
      })
      if (start < 0) return undefined
      const lastStableOffset = this.#firstOpen() ?? lastOffset + 1
      return { producerId, firstOffset: start, lastOffset, isAborted: marker.isAbort, lastStableOffset }
    }
    const sameEpoch = before?.epoch === header.producerEpoch
    const transactionStart = header.isTransactional
      ? (before?.transactionStart ?? -1) >= 0 && before !== undefined
        ? before.transactionStart
        : header.baseOffset
      : -1
    if (transactionStart >= 0) this.#open.set(producerId, transactionStart)
    const note: BatchNote = {
      firstSequence: header.baseSequence,
      lastSequence: lastSequenceOf(header),
      lastOffset,
      offsetDelta: header.lastOffsetDelta,
      timestamp: header.maxTimestamp,
    }
    const kept = sameEpoch ? before.batches : []
    this.#producers.set(producerId, {
      epoch: header.producerEpoch,
      batches: kept.length < WINDOW ? [...kept, note] : [...kept.slice(1 - WINDOW), note],
      lastTimestamp: header.maxTimestamp,
      coordinatorEpoch: before?.coordinatorEpoch ?? -1,
      transactionStart,
    })
    return undefined
  }

  /** Puts earlier batches, oldest first, before what a snapshot gave: it has only the last batch of each producer. */
  completeWindow(headers: readonly BatchHeader[]): void {
    const found = new Map<bigint, BatchNote[]>()
    for (const header of headers) {
      const entry = this.#producers.get(header.producerId)
      if (entry?.epoch !== header.producerEpoch || header.isControl) continue
      const notes = found.get(header.producerId) ?? []
      found.set(header.producerId, notes)
      notes.push({
        firstSequence: header.baseSequence,
        lastSequence: lastSequenceOf(header),
        lastOffset: header.baseOffset + header.lastOffsetDelta,
        offsetDelta: header.lastOffsetDelta,
        timestamp: header.maxTimestamp,
      })
    }
    for (const [producerId, notes] of found) {
      const entry = this.#producers.get(producerId)
      if (entry === undefined) continue
      const oldest = entry.batches.at(0)?.lastOffset ?? Infinity
      const earlier = notes.filter((note) => note.lastOffset < oldest)
      this.#producers.set(producerId, { ...entry, batches: [...earlier, ...entry.batches].slice(-WINDOW) })
    }
  }

  /** What was updated up to here stays: `undo` won't go back behind it. */
  settle(): void {
    this.#undoLog = []
  }

  /** The log ends at `endOffset` again, which was so at the last `settle` or after it. */
  undo(endOffset: number): void {
    for (const { producerId, entry, offset } of this.#undoLog.reverse()) {
      if (offset < endOffset) break
      if (entry === undefined) this.#producers.delete(producerId)
      else this.#producers.set(producerId, entry)
      if (entry === undefined || entry.transactionStart < 0) this.#open.delete(producerId)
      else this.#open.set(producerId, entry.transactionStart)
    }
    this.#undoLog = []
    this.#ended = this.#ended.filter((transaction) => transaction.end < endOffset)
  }

  /** Start of the first transaction that is open, or whose marker is not below `highWatermark` yet. */
  firstUnstableOffset(highWatermark: number): number | undefined {
    if (this.#open.size === 0 && this.#ended.length === 0) return undefined
    this.#ended = this.#ended.filter((transaction) => transaction.end >= highWatermark)
    let first = this.#firstOpen()
    for (const { start } of this.#ended) if (first === undefined || start < first) first = start
    return first
  }

  #firstOpen(): number | undefined {
    let first: number | undefined
    for (const start of this.#open.values()) if (first === undefined || start < first) first = start
    return first
  }

  /** Whether a producer, and of this epoch if one is given, has a transaction open here. */
  hasOpenTransaction(producerId: bigint, epoch?: number): boolean {
    const entry = this.#producers.get(producerId)
    return entry !== undefined && entry.transactionStart >= 0 && (epoch === undefined || epoch === entry.epoch)
  }

  epochOf(producerId: bigint): number | undefined {
    return this.#producers.get(producerId)?.epoch
  }

  /** Offset of each producer's last batch of records (−1: only a marker is known) and its epoch: compaction keeps them. */
  lastBatches(): Map<bigint, LastBatch> {
    return new Map(
      Array.from(this.#producers, ([producerId, { epoch, batches }]) => [
        producerId,
        { lastOffset: batches.at(-1)?.lastOffset ?? -1, epoch },
      ]),
    )
  }

  /** Forgets producers without an open transaction that wrote nothing since `beforeMs`. */
  expire(beforeMs: number): void {
    this.awaited.expire(beforeMs)
    for (const [producerId, entry] of this.#producers) {
      if (entry.transactionStart < 0 && entry.lastTimestamp < beforeMs) this.#producers.delete(producerId)
    }
  }

  describe(): ProducerDescription[] {
    return Array.from(this.#producers, ([producerId, entry]) => ({
      producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTransactionStartOffset: entry.transactionStart,
    }))
  }

  /** A `.snapshot` file of this state. */
  snapshot(): Buffer {
    const bytes = Buffer.alloc(SNAPSHOT_OVERHEAD + this.#producers.size * SNAPSHOT_ENTRY)
    bytes.writeInt16BE(SNAPSHOT_VERSION, 0)
    bytes.writeInt32BE(this.#producers.size, 6)
    let at = SNAPSHOT_OVERHEAD
    for (const [producerId, entry] of this.#producers) {
      const last = entry.batches.at(-1)
      at = bytes.writeBigInt64BE(producerId, at)
      at = bytes.writeInt16BE(entry.epoch, at)
      at = bytes.writeInt32BE(last?.lastSequence ?? -1, at)
      at = bytes.writeBigInt64BE(BigInt(last?.lastOffset ?? -1), at)
      at = bytes.writeInt32BE(last?.offsetDelta ?? 0, at)
      at = bytes.writeBigInt64BE(BigInt(entry.lastTimestamp), at)
      at = bytes.writeInt32BE(entry.coordinatorEpoch, at)
      at = bytes.writeBigInt64BE(BigInt(entry.transactionStart), at)
    }
    bytes.writeUInt32BE(crc32c(bytes, 6, bytes.length), 2)
    return bytes
  }

  /** The state in a `.snapshot` file; undefined when the bytes are not one. */
  static fromSnapshot(bytes: Buffer): ProducerState | undefined {
    if (bytes.length < SNAPSHOT_OVERHEAD || bytes.readInt16BE(0) !== SNAPSHOT_VERSION) return undefined
    const count = bytes.readInt32BE(6)
    if (bytes.length !== SNAPSHOT_OVERHEAD + count * SNAPSHOT_ENTRY) return undefined
    if (crc32c(bytes, 6, bytes.length) !== bytes.readUInt32BE(2)) return undefined
    const state = new ProducerState()
    for (let at = SNAPSHOT_OVERHEAD; at < bytes.length; at += SNAPSHOT_ENTRY) {
      const producerId = bytes.readBigInt64BE(at)
      const lastSequence = bytes.readInt32BE(at + 10)
      const offsetDelta = bytes.readInt32BE(at + 22)
      const lastTimestamp = Number(bytes.readBigInt64BE(at + 26))
      const transactionStart = Number(bytes.readBigInt64BE(at + 38))
      const note: BatchNote = {
        firstSequence: lastSequence < 0 ? -1 : addToSequence(lastSequence, -offsetDelta),
        lastSequence,
        lastOffset: Number(bytes.readBigInt64BE(at + 14)),
        offsetDelta,
        timestamp: lastTimestamp,
      }
      state.#producers.set(producerId, {
        epoch: bytes.readInt16BE(at + 8),
        batches: note.lastOffset >= 0 ? [note] : [],
        lastTimestamp,
        coordinatorEpoch: bytes.readInt32BE(at + 34),
        transactionStart,
      })
      if (transactionStart >= 0) state.#open.set(producerId, transactionStart)
    }
    return state
  }
}

/** Transactional and other batches don't mix while a transaction is open (48, KIP-98). */
function checkSameKind(entry: ProducerEntry, header: BatchHeader, name: string): void {
  if (entry.transactionStart < 0 || header.isTransactional) return
  const of = `producer ${header.producerId}`
  throw new KafkaError('INVALID_TXN_STATE', `Expected transactional write from ${of} in partition ${name}`)
}

/** What an end-transaction marker says; undefined for other control batches and for those that compaction emptied. */
export function transactionMarker(
  header: BatchHeader,
  bytes: Buffer,
  at: number,
): { readonly isAbort: boolean; readonly coordinatorEpoch: number } | undefined {
  const cursor = new RecordCursor(header, bytes.subarray(at + BATCH_OVERHEAD, at + header.size))
  if (header.codec !== 'none' || !cursor.next()) return undefined
  const key = cursor.key()
  const value = cursor.value()
  // Key: version, type (0 abort, 1 commit), int16 each. Value: version int16, coordinator epoch int32.
  if (key === null || key.length < 4 || key.readInt16BE(2) > 1 || value === null || value.length < 6) return undefined
  return { isAbort: key.readInt16BE(2) === 0, coordinatorEpoch: value.readInt32BE(2) }
}

// Version int16, CRC-32C uint32 of what follows, count int32; then the entries.
const SNAPSHOT_VERSION = 1
const SNAPSHOT_OVERHEAD = 10
const SNAPSHOT_ENTRY = 46

/** Sequences wrap from 2147483647 to 0. */
function addToSequence(sequence: number, delta: number): number {
  const sum = sequence + delta
  if (sum > MAX_SEQUENCE) return sum - MAX_SEQUENCE - 1
  return sum < 0 && sequence >= 0 ? sum + MAX_SEQUENCE + 1 : sum
}

/** Coordinators' batches have no sequence: −1. */
function lastSequenceOf(header: BatchHeader): number {
  return header.baseSequence < 0 ? -1 : addToSequence(header.baseSequence, header.lastOffsetDelta)
}
