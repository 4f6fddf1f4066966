// Compaction of one log (Kafka's Cleaner, brokers.md §3.7): reads segment files, writes `.cleaned` ones, and says what they
// take the place of. It knows files and facts only, no live log, so that it can run beside one, in this thread or another.
// Two passes: the last offset of each key in the dirty part; then a copy of everything without the records that
// a later one replaces, expired tombstones, aborted data and spent markers.

import { KafkaError } from '../protocol/errors.ts'
import { prepareCodec } from '../protocol/compression/index.ts'
import { type BatchHeader, readBatchHeader, recordsOf } from '../protocol/record-batch.ts'
import { RecordCursor } from '../protocol/record-cursor.ts'
import { BatchWalker, MAX_BATCH_BYTES } from './batch-scan.ts'
import { filterBatch } from './batch-filter.ts'
import { CleanedSegment } from './cleaned-segment.ts'
import { type Disk, DiskError } from './disk.ts'
import { OffsetMap } from './offset-map.ts'
import type { LastBatch } from './producer-state.ts'
import { segmentFileName } from './segment.ts'
import { TransactionSieve } from './transaction-sieve.ts'
import type { AbortedTransaction } from './txn-index.ts'

export interface SourceSegment {
  readonly baseOffset: number
  /** Where the next segment begins. */
  readonly endOffset: number
  readonly size: number // bytes
}

export interface CleaningInput {
  readonly disk: Disk
  readonly directory: string
  /** All segments up to `endOffset`, in their order. */
  readonly sources: readonly SourceSegment[]
  readonly firstDirtyOffset: number
  readonly endOffset: number
  readonly segmentBytes: number
  readonly indexIntervalBytes: number
  readonly deleteRetentionMs: number
  /** Of the sources, from their indexes. */
  readonly aborted: readonly AbortedTransaction[]
  /** The last batch of each live producer: its header stays. */
  readonly lastBatches: ReadonlyMap<bigint, LastBatch>
  readonly mapBytes: number
  readonly nowMs: number
  /** Lets others run; rejects to stop the work. */
  readonly turn: () => Promise<void>
  /** Puts the finished files of `cleaned` in the place of `sources`. */
  readonly swap: (cleaned: SourceSegment, sources: readonly SourceSegment[]) => Promise<void>
}

/** A log that cannot be compacted: its files are not sound or can't be read. */
export class CleaningError extends Error {
  override readonly name = 'CleaningError'
}

// Between turns, in bytes of batches; a record costs as much as so many bytes, whatever its size when compressed.
const SLICE_COST = 256 * 1024
const RECORD_COST = 100
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1

/** Cleans what fits the map; returns the offset up to which the log is clean now. */
export async function cleanLog(input: CleaningInput): Promise<number> {
  const map = await mapOffsets(input)
  const sieve = new TransactionSieve(input.aborted)
  const sources = input.sources.filter(({ baseOffset }) => baseOffset < map.endOffset)
  for (const group of groupSources(sources, input.segmentBytes)) await cleanGroup(input, group, map, sieve)
  return map.endOffset
}

async function mapOffsets(input: CleaningInput): Promise<OffsetMap> {
  const { firstDirtyOffset, sources } = input
  const map = new OffsetMap(input.mapBytes, input.endOffset - firstDirtyOffset)
  map.endOffset = firstDirtyOffset
  const dirty = sources.filter(({ endOffset }) => endOffset > firstDirtyOffset)
  const start = dirty.at(0)?.baseOffset ?? 0
  const sieve = new TransactionSieve(input.aborted.filter(({ lastOffset }) => lastOffset >= start))
  for (const source of dirty) {
    const isWhole = await walk(input, source, (header, bytes, at) => {
      if (header.isControl) sieve.isSpentMarker(header, bytes, at)
      else if (!sieve.isAborted(header) && !mapBatch(map, firstDirtyOffset, header, bytes, at)) return false
      map.endOffset = Math.max(map.endOffset, header.baseOffset + header.lastOffsetDelta + 1)
      return true
    })
    if (!isWhole) break
    map.endOffset = source.endOffset
  }
  return map
}

/** False when the map is full: the batch is left to the next time. */
function mapBatch(map: OffsetMap, from: number, header: BatchHeader, bytes: Buffer, at: number): boolean {
  const cursor = new RecordCursor(header, recordsOf(bytes, at, header, MAX_BATCH_BYTES))
  while (cursor.next()) {
    if (cursor.keyStart < 0 || cursor.offset < from) continue
    if (!map.put(cursor.bytes, cursor.keyStart, cursor.keyEnd, cursor.offset)) return false
  }
  return true
}

/** Neighbours that fit one segment together become one. */
export function groupSources(sources: readonly SourceSegment[], segmentBytes: number): SourceSegment[][] {
  const groups: SourceSegment[][] = []
  let bytes = 0
  for (const source of sources) {
    const group = groups.at(-1)
    const fits =
      group !== undefined &&
      bytes + source.size <= segmentBytes &&
      source.endOffset - 1 - group[0].baseOffset <= MAX_RELATIVE_OFFSET
    if (fits) {
      group.push(source)
      bytes += source.size
    } else {
      groups.push([source])
      bytes = source.size
    }
  }
  return groups
}

async function cleanGroup(
  input: CleaningInput,
  group: readonly SourceSegment[],
  map: OffsetMap,
  sieve: TransactionSieve,
): Promise<void> {
  const { baseOffset } = group[0]
  const cleaned = new CleanedSegment(input.disk, input.directory, baseOffset, input.indexIntervalBytes)
  try {
    for (const source of group) {
      await walk(input, source, (header, bytes, at) => {
        const batch = cleanBatch(input, map, sieve, header, bytes, at)
        const kept = sieve.takeKept()
        // A copy: the bytes are the walker's.
        if (batch !== undefined) cleaned.append(Buffer.from(batch), readBatchHeader(batch, 0), kept)
        return true
      })
    }
    await cleaned.finish()
    await input.turn()
  } catch (error) {
    cleaned.discard()
    throw error
  }
  const last = group[group.length - 1]
  await input.swap({ baseOffset, endOffset: last.endOffset, size: cleaned.size }, group)
}

function cleanBatch(
  input: CleaningInput,
  map: OffsetMap,
  sieve: TransactionSieve,
  header: BatchHeader,
  bytes: Buffer,
  at: number,
): Buffer | undefined {
  const { nowMs } = input
  // The horizon of a batch that has none yet is only set this time.
  const isExpired = header.hasDeleteHorizon && header.baseTimestamp <= nowMs
  const isSpent = header.isControl && sieve.isSpentMarker(header, bytes, at)
  const dropsAll = header.isControl ? isSpent && isExpired : sieve.isAborted(header)
  return filterBatch(bytes, at, header, {
    keeps: (cursor) => {
      if (dropsAll) return false
      if (header.isControl || cursor.offset >= map.endOffset) return true
      if (cursor.keyStart < 0) return false
      if (cursor.offset < map.get(cursor.bytes, cursor.keyStart, cursor.keyEnd)) return false
      return cursor.valueStart >= 0 || !isExpired
    },
    keepsEmpty: isLastOfProducer(input, header) || header.baseOffset + header.lastOffsetDelta + 1 === input.endOffset,
    horizonMs: nowMs + input.deleteRetentionMs,
    startsHorizon: isSpent,
    maxBytes: MAX_BATCH_BYTES,
  })
}

/** Whether what is known of a live producer comes from this batch: it must be there to be found again. */
function isLastOfProducer({ lastBatches }: CleaningInput, header: BatchHeader): boolean {
  const last = header.producerId < 0n ? undefined : lastBatches.get(header.producerId)
  if (last === undefined) return false
  if (last.lastOffset >= 0) return header.baseOffset + header.lastOffsetDelta === last.lastOffset
  return header.isControl && header.producerEpoch === last.epoch
}

/** Walks a source, checked; `visit` returns false to end, and then so does this. */
async function walk(
  input: CleaningInput,
  source: SourceSegment,
  visit: (header: BatchHeader, bytes: Buffer, at: number) => boolean,
): Promise<boolean> {
  if (source.size === 0) return true
  const path = `${input.directory}/${segmentFileName(source.baseOffset, '.log')}`
  const file = reading(path, () => input.disk.open(path, 'read'))
  try {
    const walker = new BatchWalker(file, { from: 0, to: source.size, minOffset: source.baseOffset, checkCrc: true })
    let cost = 0
    for (let header = reading(path, () => walker.next()); header !== undefined; header = reading(path, () => walker.next())) {
      const preparing = prepareCodec(header.codec)
      if (preparing !== undefined) await preparing
      const here = header
      if (!sound(path, () => visit(here, walker.bytes, walker.at))) return false
      cost += header.size + header.recordCount * RECORD_COST
      if (cost < SLICE_COST) continue
      cost = 0
      await input.turn()
    }
    if (walker.problem !== undefined) throw new CleaningError(`${path} at ${walker.position}: ${walker.problem}`)
    return true
  } finally {
    file.close()
  }
}

/** What can't be read is no reason to stop the broker, other than what can't be written. */
function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof DiskError) throw new CleaningError(`${path}: ${error.message}`, { cause: error })
    throw error
  }
}

function sound<T>(path: string, visit: () => T): T {
  try {
    return visit()
  } catch (error) {
    if (error instanceof KafkaError) throw new CleaningError(`${path}: ${error.message}`, { cause: error })
    throw error
  }
}
