// Reads a metadata directory, `__cluster_metadata-0`, without writing to it: the newest snapshot, then the log's batches
// behind it. A broker looks before it locks or repairs anything, so that a directory it can't serve stays as it is.

import { join } from 'node:path'

import { BATCH_OVERHEAD, batchSizeAt, hasValidCrc, readBatchHeader } from '../../protocol/record-batch.ts'
import type { BatchHeader } from '../../protocol/record-batch.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { Disk, DiskFile } from '../../storage/disk.ts'
import { refuseImpostors } from '../../storage/partition-directory.ts'
import { bootstrapRecords, MIN_ISR_RECORD } from './features.ts'
import { ELR_VERSION, type NewRecord } from './records.ts'
import { MetadataLogError, MetadataReplay } from './replay.ts'

const SNAPSHOT_NAME = /^(\d{20})-(\d{10})\.checkpoint$/
const SEGMENT_NAME = /^(\d{20})\.log$/
const FIRST_WINDOW = 1024 * 1024
const LARGEST_BATCH = 16 * 1024 * 1024 // Raft's own limit is 8 MiB

export interface QuorumState {
  readonly leaderEpoch: number
  readonly dataVersion: number
}

export interface MetadataOnDisk {
  readonly replay: MetadataReplay
  /** Where the next batch goes. */
  readonly endOffset: number
  /** What the log has to start with; undefined when it has started. */
  readonly bootstrap: readonly NewRecord[] | undefined
  /** -1: none. */
  readonly snapshotOffset: number
  /** Read behind the snapshot. */
  readonly bytesSinceSnapshot: number
  readonly quorumState: QuorumState | undefined
}

export interface SnapshotFile {
  readonly name: string
  readonly offset: number
  readonly epoch: number
}

/** A new cluster in a directory with topics would look like the loss of all of them. */
function refuseTopicsWithoutMetadata(disk: Disk, dataDirectory: string): void {
  if (disk.stat(join(dataDirectory, 'meta.properties')) === undefined) return // the store refuses it, if it must
  const topic = disk.list(dataDirectory).find(({ name }) => /-\d+$/.test(name) && !name.startsWith('__cluster_metadata-'))
  if (topic === undefined) return
  throw new MetadataLogError(
    `${dataDirectory} holds topics (${topic.name}), but its metadata log, __cluster_metadata-0, is missing or empty`,
  )
}

/** Throws MetadataLogError when the directory is damaged, another node's, or of a version unknown here. */
export function readMetadata(disk: Disk, dataDirectory: string, nodeId: number): MetadataOnDisk {
  const directory = join(dataDirectory, '__cluster_metadata-0')
  const replay = new MetadataReplay()
  const isThere = disk.stat(directory) !== undefined
  if (isThere) refuseImpostors(disk, directory)
  const names = isThere ? disk.list(directory).map((entry) => entry.name) : []
  const snapshot = snapshotsIn(names).at(-1)
  if (snapshot !== undefined) readSnapshot(disk, directory, snapshot, replay)
  const snapshotOffset = snapshot?.offset ?? -1
  const log = readSegments(disk, directory, names, replay, Math.max(snapshotOffset, 0))
  if (log.endOffset < snapshotOffset && log.bytes > 0) {
    throw new MetadataLogError(`the metadata log ends at ${log.endOffset}, before its snapshot ${snapshot?.name}`)
  }
  refuseOtherNodes(replay, nodeId)
  if (log.endOffset <= 0 && snapshot === undefined) refuseTopicsWithoutMetadata(disk, dataDirectory)
  return {
    replay,
    endOffset: Math.max(log.endOffset, snapshotOffset, 0),
    bootstrap: replay.image.features.size === 0 ? readBootstrap(disk, dataDirectory) : undefined,
    snapshotOffset,
    bytesSinceSnapshot: log.bytes,
    quorumState: readQuorumState(disk, join(directory, 'quorum-state')),
  }
}

/** The complete snapshots among `names`, oldest first. */
export function snapshotsIn(names: readonly string[]): SnapshotFile[] {
  const found: SnapshotFile[] = []
  for (const name of names) {
    const match = SNAPSHOT_NAME.exec(name)
    if (match !== null) found.push({ name, offset: Number(match[1]), epoch: Number(match[2]) })
  }
  return found.sort((a, b) => a.offset - b.offset || a.epoch - b.epoch)
}

function readSnapshot(disk: Disk, directory: string, snapshot: SnapshotFile, replay: MetadataReplay): void {
  const file = disk.open(join(directory, snapshot.name), 'read')
  try {
    const end = readBatches(file, (bytes, at, header) => replay.applyBatch(bytes, at, header))
    if (end < file.size() || !replay.sawSnapshotFooter) {
      throw new MetadataLogError(`the metadata snapshot ${file.path} is damaged at byte ${end}`)
    }
  } finally {
    file.close()
  }
  replay.epoch = Math.max(replay.epoch, snapshot.epoch)
}

/** What `kafka-storage format` left for the first start, or else what this broker starts with. */
function readBootstrap(disk: Disk, dataDirectory: string): NewRecord[] {
  const path = join(dataDirectory, 'bootstrap.checkpoint')
  if (disk.stat(path) === undefined) return bootstrapRecords()
  const replay = new MetadataReplay()
  const file = disk.open(path, 'read')
  try {
    const end = readBatches(file, (bytes, at, header) => replay.applyBatch(bytes, at, header))
    if (end < file.size()) throw new MetadataLogError(`${path} is damaged at byte ${end}`)
  } finally {
    file.close()
  }
  // With ELR a cluster has min.insync.replicas from its first moment (ActivationRecordsGenerator).
  const safety = (replay.image.features.get(ELR_VERSION) ?? 0) > 0 ? [MIN_ISR_RECORD] : []
  return [
    { name: 'BeginTransactionRecord', value: { name: 'Bootstrap records' } },
    ...replay.image.records(),
    ...safety,
    { name: 'EndTransactionRecord', value: {} },
  ]
}

function readSegments(
  disk: Disk,
  directory: string,
  names: readonly string[],
  replay: MetadataReplay,
  fromOffset: number,
): { endOffset: number; bytes: number } {
  const segments = names.filter((name) => SEGMENT_NAME.test(name)).sort()
  let next = -1
  let behindSnapshot = 0
  segments.forEach((name, index) => {
    const base = Number(SEGMENT_NAME.exec(name)?.[1])
    const file = disk.open(join(directory, name), 'read')
    try {
      if (next < 0 && base > fromOffset) {
        throw new MetadataLogError(`the metadata log starts at ${base}, and no snapshot holds what was before`)
      }
      if (next >= 0 && base !== next) throw new MetadataLogError(`the metadata log lacks offsets ${next} to ${base}`)
      next = base
      const end = readBatches(file, (bytes, at, header) => {
        if (header.baseOffset !== next) {
          throw new MetadataLogError(`${file.path}: offset ${header.baseOffset} follows ${next - 1}`)
        }
        next = header.baseOffset + header.lastOffsetDelta + 1
        if (next <= fromOffset) return
        replay.applyBatch(bytes, at, header, fromOffset)
        behindSnapshot += header.size
      })
      refuseDamage(file, end, index === segments.length - 1)
    } finally {
      file.close()
    }
  })
  return { endOffset: next, bytes: behindSnapshot }
}

/** Bytes that are no batch are a write cut short only where nothing whole comes behind them. */
function refuseDamage(file: DiskFile, end: number, isLast: boolean): void {
  const left = file.size() - end
  if (left === 0) return
  if (!isLast || hasBatchBehind(file, end)) {
    throw new MetadataLogError(`the metadata log is damaged: ${file.path} at byte ${end}`)
  }
}

function hasBatchBehind(file: DiskFile, from: number): boolean {
  const bytes = Buffer.allocUnsafe(Math.min(file.size() - from, LARGEST_BATCH))
  const size = file.read(bytes, from)
  for (let at = 1; at + BATCH_OVERHEAD <= size; at++) {
    if (bytes[at + 16] !== 2) continue // the magic byte: most of the garbage ends here
    const batchSize = 12 + bytes.readInt32BE(at + 8)
    if (batchSize < BATCH_OVERHEAD || at + batchSize > size) continue
    if (hasValidCrc(bytes, at, batchSize)) return true
  }
  return false
}

/** Calls `take` for each whole, valid batch from the start of `file`; returns where the first other byte is. */
function readBatches(file: DiskFile, take: (bytes: Buffer, at: number, header: BatchHeader) => void): number {
  const size = file.size()
  let position = 0
  let window = FIRST_WINDOW
  while (position < size) {
    const bytes = Buffer.allocUnsafe(Math.min(window, size - position))
    const whole = bytes.subarray(0, file.read(bytes, position))
    const used = takeBatches(whole, take)
    position += used.bytes
    if (used.isBad) return position
    if (used.bytes > 0) {
      window = FIRST_WINDOW
    } else {
      if (whole.length < window || window >= LARGEST_BATCH) return position
      window = LARGEST_BATCH
    }
  }
  return position
}

function takeBatches(
  bytes: Buffer,
  take: (bytes: Buffer, at: number, header: BatchHeader) => void,
): { bytes: number; isBad: boolean } {
  let at = 0
  for (;;) {
    let size: number
    let header: BatchHeader
    try {
      size = batchSizeAt(bytes, at)
      if (size < 0) return { bytes: at, isBad: false }
      header = readBatchHeader(bytes, at)
    } catch (error) {
      if (error instanceof ProtocolError) return { bytes: at, isBad: true }
      throw error
    }
    if (!hasValidCrc(bytes, at, size)) return { bytes: at, isBad: true }
    take(bytes, at, header)
    at += size
  }
}

function refuseOtherNodes({ image, voters }: MetadataReplay, nodeId: number): void {
  const others = new Set<number>()
  for (const id of [...voters, ...image.brokers.keys(), ...image.controllers.keys()]) if (id !== nodeId) others.add(id)
  for (const topic of image.topics()) {
    for (const partition of topic.partitions.values()) {
      for (const id of partition.replicas) if (id !== nodeId) others.add(id)
    }
  }
  if (others.size > 0) {
    const names = [...others].sort((a, b) => a - b).join(', ')
    throw new MetadataLogError(
      `the data directory belongs to a cluster with node ${names}; this broker is node ${nodeId} and runs alone`,
    )
  }
}

/** undefined when there is none or it says nothing: Kafka starts without it too. */
function readQuorumState(disk: Disk, path: string): QuorumState | undefined {
  if (disk.stat(path) === undefined) return undefined
  const file = disk.open(path, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(file.size(), 64 * 1024))
    file.read(bytes, 0)
    const state = JSON.parse(bytes.toString()) as { leaderEpoch?: unknown; data_version?: unknown }
    const leaderEpoch = typeof state.leaderEpoch === 'number' ? state.leaderEpoch : 0
    return { leaderEpoch, dataVersion: state.data_version === 1 ? 1 : 0 }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  } finally {
    file.close()
  }
}
