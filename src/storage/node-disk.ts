// Disk over node:fs. Reads and writes are synchronous: on the page cache they take microseconds, the thread pool twenty
// times that (1.5 against 31 µs for 1 KiB; DECISIONS.md, Append); only syncs, which wait for a device, go to the pool.

import fs from 'node:fs'
import { dirname } from 'node:path'
import { type Disk, DiskError, type DiskErrorReason, type DiskFile } from './disk.ts'
import { lockFile } from './file-lock.ts'

// writev takes at most IOV_MAX (1024 on Linux and macOS) pieces at once.
const MAX_PIECES = 1000

const REASONS = new Map<string, DiskErrorReason>([
  ['ENOSPC', 'noSpace'],
  ['EDQUOT', 'noSpace'],
  ['EFBIG', 'noSpace'],
  ['ENOENT', 'notFound'],
  ['EEXIST', 'exists'],
  ['EACCES', 'notPermitted'],
  ['EPERM', 'notPermitted'],
  ['EROFS', 'readOnly'],
  ['EMFILE', 'tooManyOpen'],
  ['ENFILE', 'tooManyOpen'],
])

// A link in place of a data file is somebody's mistake or attack.
const NO_FOLLOW = fs.constants.O_NOFOLLOW
const OPEN_FLAGS = {
  read: fs.constants.O_RDONLY | NO_FOLLOW,
  write: fs.constants.O_RDWR | NO_FOLLOW,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | NO_FOLLOW,
}

export const nodeDisk: Disk = {
  open: (path, mode) => guard(path, () => nodeFile(path, fs.openSync(path, OPEN_FLAGS[mode], 0o600))),
  stat(path) {
    const stats = guard(path, () => fs.lstatSync(path, { throwIfNoEntry: false }))
    return stats && { kind: kindOf(stats), size: stats.size, modifiedMs: Math.floor(stats.mtimeMs) }
  },
  list: (directory) =>
    guard(directory, () =>
      fs
        .readdirSync(directory, { withFileTypes: true })
        .map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1)),
    ),
  makeDirectory: (path) => guard(path, () => makeDirectory(path)),
  rename: (from, to) => guard(from, () => fs.renameSync(from, to)),
  remove: (path) => guard(path, () => fs.rmSync(path, { force: true })),
  removeDirectory: (path) => guard(path, () => fs.rmdirSync(path)),
  async syncDirectory(path) {
    const descriptor = guard(path, () => fs.openSync(path, fs.constants.O_RDONLY))
    try {
      await new Promise<void>((resolve, reject) => fs.fsync(descriptor, settle(path, resolve, reject)))
    } finally {
      fs.closeSync(descriptor)
    }
  },
  freeBytes(directory) {
    const { bavail, bsize } = guard(directory, () => fs.statfsSync(directory))
    return bavail * bsize
  },
  readSettingsFile: (path, maxBytes) =>
    guard(path, () => {
      const { size } = fs.statSync(path)
      if (size > maxBytes) throw new DiskError('failed', path, 'EFBIG', `${path} has ${size} bytes`)
      return fs.readFileSync(path)
    }),
  lock: (path) => guard(path, () => lockFile(path)),
}

function nodeFile(path: string, descriptor: number): DiskFile {
  return {
    path,
    read: (into, position) => guard(path, () => readAll(descriptor, into, position)),
    write: (pieces, position) => guard(path, () => writeAll(descriptor, pieces, position)),
    truncate: (size) => guard(path, () => fs.ftruncateSync(descriptor, size)),
    size: () => guard(path, () => fs.fstatSync(descriptor).size),
    sync: () => new Promise<void>((resolve, reject) => fs.fdatasync(descriptor, settle(path, resolve, reject))),
    close: () => guard(path, () => fs.closeSync(descriptor)),
  }
}

/** Not mkdir's `recursive`: below /proc, where mkdir says ENOENT of a parent that is there, it never returns (Node 20). */
function makeDirectory(path: string): void {
  const parent = dirname(path)
  if (parent !== path && fs.statSync(parent, { throwIfNoEntry: false }) === undefined) makeDirectory(parent)
  try {
    fs.mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if (fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}

function readAll(descriptor: number, into: Buffer, position: number): number {
  let done = 0
  while (done < into.length) {
    const count = fs.readSync(descriptor, into, done, into.length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** A write may be short without an error (at the end of the space, for one): the next call then says why. */
function writeAll(descriptor: number, pieces: readonly Buffer[], position: number): void {
  let at = position
  for (let next = 0; next < pieces.length; ) {
    const group = pieces.length === 1 ? pieces : pieces.slice(next, next + MAX_PIECES)
    next += group.length
    let rest: readonly Buffer[] = group
    while (rest.length > 0) {
      const count =
        rest.length === 1
          ? fs.writeSync(descriptor, rest[0], 0, rest[0].length, at)
          : fs.writevSync(descriptor, [...rest], at)
      at += count
      rest = remainder(rest, count)
    }
  }
}

/** What is left of `pieces` behind their first `count` bytes. */
function remainder(pieces: readonly Buffer[], count: number): readonly Buffer[] {
  let index = 0
  while (index < pieces.length && count >= pieces[index].length) count -= pieces[index++].length
  if (count === 0) return pieces.slice(index)
  return [pieces[index].subarray(count), ...pieces.slice(index + 1)]
}

function kindOf(entry: { isFile(): boolean; isDirectory(): boolean }): 'file' | 'directory' | 'other' {
  return entry.isFile() ? 'file' : entry.isDirectory() ? 'directory' : 'other'
}

function guard<T>(path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw diskError(path, error)
  }
}

function settle(path: string, resolve: () => void, reject: (error: DiskError) => void) {
  return (error: NodeJS.ErrnoException | null) => (error ? reject(diskError(path, error)) : resolve())
}

function diskError(path: string, error: unknown): DiskError {
  if (error instanceof DiskError) return error
  const { code, message } = error as NodeJS.ErrnoException
  const text = message.includes(path) ? message : `${message} '${path}'` // by descriptor: the system names no file
  return new DiskError(REASONS.get(code ?? '') ?? 'failed', path, code ?? 'UNKNOWN', text, { cause: error })
}
