// The files of one partition's directory: which segments and snapshots there are, work that was interrupted and is
// finished or dropped, and the quarantine, where bytes go that recovery takes out of a log. It lies inside the
// partition's directory, because Apache's broker refuses a data directory with folders it cannot name.

import type { Disk } from './disk.ts'
import { DiskError } from './disk.ts'
import { scanBatches } from './batch-scan.ts'
import { segmentFileName } from './segment.ts'

export const QUARANTINE = 'quarantine'
const COPY_CHUNK_BYTES = 1024 * 1024
const SEGMENT_FILE = /^(\d{20})\.(log|index|timeindex|txnindex|snapshot)(\.cleaned|\.swap|\.deleted|)$/

interface SegmentFile {
  readonly name: string
  readonly baseOffset: number
  readonly kind: string
  readonly suffix: string
}

export interface LogFiles {
  /** Base offsets of the segments, ascending. */
  readonly segments: readonly number[]
  /** Offsets of the producer snapshots, ascending. */
  readonly snapshots: readonly number[]
}

/** Finishes or drops what a crash interrupted (Kafka's LogLoader, first passes), then says what is there. */
export function tidyLogDirectory(disk: Disk, directory: string): LogFiles {
  const files = segmentFiles(disk, directory)
  const remove = (file: SegmentFile) => disk.remove(`${directory}/${file.name}`)
  const cleaned = files.filter((file) => file.suffix === '.cleaned')
  // A swap at or above a file still being cleaned belongs to the same unfinished group.
  const firstCleaned = Math.min(...cleaned.map((file) => file.baseOffset))
  const swaps = files.filter((file) => file.suffix === '.swap')
  for (const file of files) if (file.suffix === '.deleted') remove(file)
  for (const file of [...cleaned, ...swaps.filter((swap) => swap.baseOffset >= firstCleaned)]) remove(file)
  finishSwaps(disk, directory, files, swaps.filter((swap) => swap.baseOffset < firstCleaned))

  const left = segmentFiles(disk, directory)
  const segments = left.filter((file) => file.kind === 'log').map((file) => file.baseOffset)
  for (const file of left) {
    if (file.kind !== 'log' && file.kind !== 'snapshot' && !segments.includes(file.baseOffset)) remove(file)
  }
  return { segments, snapshots: left.filter((file) => file.kind === 'snapshot').map((file) => file.baseOffset) }
}

/** Swapped files are a finished compaction: the segments they were made from go, the new ones get their names. */
function finishSwaps(disk: Disk, directory: string, files: SegmentFile[], swaps: SegmentFile[]): void {
  if (swaps.length === 0) return
  const first = Math.min(...swaps.map((swap) => swap.baseOffset))
  const end = Math.max(...swaps.filter((swap) => swap.kind === 'log').map((swap) => nextOffset(disk, directory, swap)))
  for (const file of files) {
    const isOriginal = file.suffix === '' && file.baseOffset >= first && file.baseOffset < end
    if (isOriginal && file.kind !== 'snapshot') disk.remove(`${directory}/${file.name}`)
  }
  for (const swap of swaps) disk.rename(`${directory}/${swap.name}`, `${directory}/${swap.name.slice(0, -'.swap'.length)}`)
}

function nextOffset(disk: Disk, directory: string, swap: SegmentFile): number {
  const file = disk.open(`${directory}/${swap.name}`, 'read')
  try {
    let next = swap.baseOffset
    scanBatches(file, { from: 0, to: file.size(), minOffset: next, checkCrc: false }, (header) => {
      next = header.baseOffset + header.lastOffsetDelta + 1
      return true
    })
    return next
  } finally {
    file.close()
  }
}

function segmentFiles(disk: Disk, directory: string): SegmentFile[] {
  return disk.list(directory).flatMap(({ name, kind }) => {
    const match = kind === 'file' ? SEGMENT_FILE.exec(name) : null
    return match ? [{ name, baseOffset: Number(match[1]), kind: match[2], suffix: match[3] }] : []
  })
}

/** Moves all files of a segment into the quarantine. */
export async function quarantineSegment(disk: Disk, directory: string, baseOffset: number, stamp: string): Promise<void> {
  const quarantine = `${directory}/${QUARANTINE}`
  disk.makeDirectory(quarantine)
  // The log last: as long as it is there, recovery finds the segment again and repeats this.
  for (const suffix of ['.index', '.timeindex', '.txnindex', '.log']) {
    const name = segmentFileName(baseOffset, suffix)
    if (disk.stat(`${directory}/${name}`) === undefined) continue
    disk.rename(`${directory}/${name}`, `${quarantine}/${name}.${stamp}`)
  }
  await disk.syncDirectory(quarantine)
  await disk.syncDirectory(directory)
}

/**
 * Copies the bytes of a segment from `position` on into the quarantine, durably. False when there was nothing but zeros
 * or no space: a full disk must not keep a log from starting.
 */
export async function quarantineTail(
  disk: Disk,
  directory: string,
  baseOffset: number,
  position: number,
  stamp: string,
): Promise<boolean> {
  const name = segmentFileName(baseOffset, '.log')
  const quarantine = `${directory}/${QUARANTINE}`
  const target = `${quarantine}/${name}.from-${position}.${stamp}`
  const source = disk.open(`${directory}/${name}`, 'read')
  try {
    const size = source.size()
    if (isAllZeros(source.read.bind(source), position, size)) return false
    disk.makeDirectory(quarantine)
    disk.remove(target)
    const copy = disk.open(target, 'create')
    try {
      const chunk = Buffer.allocUnsafe(COPY_CHUNK_BYTES)
      for (let at = position; at < size; ) {
        const length = source.read(chunk.subarray(0, Math.min(chunk.length, size - at)), at)
        if (length === 0) break
        copy.write([chunk.subarray(0, length)], at - position)
        at += length
      }
      await copy.sync()
    } finally {
      copy.close()
    }
    await disk.syncDirectory(quarantine)
    await disk.syncDirectory(directory)
    return true
  } catch (error) {
    if (!(error instanceof DiskError) || error.reason !== 'noSpace') throw error
    disk.remove(target)
    return false
  } finally {
    source.close()
  }
}

function isAllZeros(read: (into: Buffer, position: number) => number, from: number, to: number): boolean {
  const chunk = Buffer.allocUnsafe(COPY_CHUNK_BYTES)
  for (let at = from; at < to; ) {
    const length = read(chunk.subarray(0, Math.min(chunk.length, to - at)), at)
    if (length === 0) return true
    for (let index = 0; index < length; index++) if (chunk[index] !== 0) return false
    at += length
  }
  return true
}
