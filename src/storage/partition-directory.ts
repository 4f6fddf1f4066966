// Names of partition directories in a data directory, and partition.metadata, which says whose topic one is.

import { randomBytes } from 'node:crypto'
import { QUARANTINE } from './log-directory.ts'
import { type Disk, DiskError, NOT_REGULAR, readFile, replaceFile } from './disk.ts'

/** A partition's directory on disk that no log is open for. */
export interface PartitionDirectory {
  readonly name: string
  readonly topic: string
  readonly partition: number
  /** undefined when partition.metadata is missing or unreadable. */
  readonly topicId: string | undefined
}

const MAX_METADATA_BYTES = 4096
const MAX_NAME_BYTES = 255
const LOG_FILE = /^(\d{20}(-\d{10})?\.[a-z.]+|leader-epoch-checkpoint|quorum-state|partition\.metadata)$/
const DELETED = /\.[0-9a-f]{32}-delete$/

export function partitionDirectories(disk: Disk, directory: string): PartitionDirectory[] {
  return disk.list(directory).flatMap(({ name, kind }) => {
    const match = kind === 'directory' ? /^(.{1,249})-(\d{1,10})$/.exec(name) : null
    if (match === null) return []
    return [{ name, topic: match[1], partition: Number(match[2]), topicId: topicIdIfReadable(disk, `${directory}/${name}`) }]
  })
}

export function deletedDirectories(disk: Disk, directory: string): string[] {
  return disk.list(directory).flatMap(({ name, kind }) => (kind === 'directory' && DELETED.test(name) ? [name] : []))
}

/** `name` with Kafka's ending for directories out of use; shortened, because a file name has 255 bytes at most. */
export function outOfUseName(name: string, ending: '-delete' | '-stray'): string {
  const suffix = `.${randomBytes(16).toString('hex')}${ending}`
  return name.slice(0, MAX_NAME_BYTES - suffix.length) + suffix
}

export function readTopicId(disk: Disk, directory: string): string | undefined {
  const text = readFile(disk, `${directory}/partition.metadata`, MAX_METADATA_BYTES)?.toString('latin1')
  return text && /^version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\s*$/.exec(text)?.[1]
}

/** Looking around must not fail for one of many; who opens the partition is told. */
function topicIdIfReadable(disk: Disk, directory: string): string | undefined {
  try {
    return readTopicId(disk, directory)
  } catch (error) {
    if (error instanceof DiskError) return undefined
    throw error
  }
}

/**
 * DiskError when `directory` or a file in it that the log would use is a link or something else that doesn't belong there:
 * followed, it would have us write elsewhere; passed over, the log would look empty.
 */
export function refuseImpostors(disk: Disk, directory: string): void {
  if (disk.stat(directory)?.kind !== 'directory') {
    throw new DiskError('failed', directory, 'ENOTDIR', `${directory} is a link or a file, not a directory`)
  }
  for (const { name, kind } of disk.list(directory)) {
    const wanted = name === QUARANTINE ? 'directory' : LOG_FILE.test(name) ? 'file' : kind
    if (kind === wanted) continue
    const path = `${directory}/${name}`
    throw new DiskError('failed', path, NOT_REGULAR, `${path} is not a ${wanted === 'file' ? 'regular file' : 'directory'}`)
  }
}

export async function writeTopicId(disk: Disk, directory: string, topicId: string): Promise<void> {
  await replaceFile(disk, `${directory}/partition.metadata`, Buffer.from(`version: 0\ntopic_id: ${topicId}`))
}

/** Unlinks a directory with all that is in it. */
export function removeTree(disk: Disk, directory: string): void {
  for (const { name, kind } of disk.list(directory)) {
    if (kind === 'directory') removeTree(disk, `${directory}/${name}`)
    else disk.remove(`${directory}/${name}`)
  }
  disk.removeDirectory(directory)
}
