// The one door to the file system for everything a broker does. Faults come out as DiskError with a reason, because
// what to do next depends on it: want of space is answered and waited out, a failed sync ends the process.
// Bytes, file names and directory entries are durable only after sync and syncDirectory; test/support/simulated-disk.ts
// holds callers to that.

export type DiskErrorReason =
  | 'noSpace' // ENOSPC, EDQUOT, EFBIG
  | 'notFound'
  | 'exists'
  | 'notPermitted'
  | 'readOnly'
  | 'tooManyOpen' // EMFILE, ENFILE
  | 'locked'
  | 'failed'

export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly reason: DiskErrorReason
  readonly path: string
  /** The system's name for it, 'EIO' for example. */
  readonly code: string

  constructor(reason: DiskErrorReason, path: string, code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
    this.path = path
    this.code = code
  }
}

// Not the system's: it has no name for a link or a directory where a file belongs.
export const NOT_REGULAR = 'ENOTREG'

/** An open file. Positions and sizes in bytes; each call may throw DiskError. */
export interface DiskFile {
  readonly path: string
  /** Fills `into` from `position`; fewer bytes only at the end of the file. Returns how many. */
  read(into: Buffer, position: number): number
  /** Writes all of `pieces`, one after another, from `position`. On an error any part of them may be written. */
  write(pieces: readonly Buffer[], position: number): void
  truncate(size: number): void
  size(): number
  /** Makes bytes and size durable (fdatasync), off this thread. What is written after the call is not covered. */
  sync(): Promise<void>
  close(): void
}

export interface DiskEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'other'
}

export interface DiskStat {
  readonly kind: 'file' | 'directory' | 'other'
  readonly size: number // bytes
  readonly modifiedMs: number // ms since 1970
}

export interface DiskLock {
  release(): void
}

export interface Disk {
  /** `create` makes a new file (mode 0600) and fails with 'exists' when there is one; `write` needs one. */
  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile
  /** undefined when there is nothing of this name; a symbolic link is 'other', whatever it points to. */
  stat(path: string): DiskStat | undefined
  /** Sorted by name. */
  list(directory: string): DiskEntry[]
  /** Mode 0700; parents are made as needed. */
  makeDirectory(path: string): void
  rename(from: string, to: string): void
  /** Of a file; nothing happens when there is none. */
  remove(path: string): void
  /** Of an empty directory. */
  removeDirectory(path: string): void
  /** Makes the directory's entries durable: files made, renamed and removed in it. */
  syncDirectory(path: string): Promise<void>
  freeBytes(directory: string): number
  /** A file of the user's, outside the data: links are followed. DiskError 'failed' when it has more than `maxBytes`. */
  readSettingsFile(path: string, maxBytes: number): Buffer
  /** An exclusive lock for the life of the process, made with the file `path`; DiskError 'locked' when held elsewhere. */
  lock(path: string): DiskLock
}

/** Puts `bytes` in place of the file `path`, durably: after a crash the file is the old one or the new one, whole. */
export async function replaceFile(disk: Disk, path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.tmp`
  disk.remove(temporary)
  try {
    const file = disk.open(temporary, 'create')
    try {
      file.write([bytes], 0)
      await file.sync()
    } finally {
      file.close()
    }
    disk.rename(temporary, path)
  } catch (error) {
    disk.remove(temporary)
    throw error
  }
  await disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
}

/**
 * All bytes of a file, undefined when there is none; DiskError 'failed' when there is something else in its place (ENOTREG:
 * a link, a directory) or when it has more than `limit` (EFBIG).
 */
export function readFile(disk: Disk, path: string, limit: number): Buffer | undefined {
  const stat = disk.stat(path)
  if (stat === undefined) return undefined
  if (stat.kind !== 'file') throw new DiskError('failed', path, NOT_REGULAR, `${path} is not a regular file`)
  const file = disk.open(path, 'read')
  try {
    const size = file.size()
    if (size > limit) throw new DiskError('failed', path, 'EFBIG', `${path} has ${size} bytes, at most ${limit} expected`)
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, file.read(bytes, 0))
  } finally {
    file.close()
  }
}
