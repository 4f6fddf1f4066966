// An exclusive lock on a file for the life of this process, against other ktools and against Apache's broker. Node has
// no lock call, so a short-lived child takes it on a descriptor that it inherits: flock and OFD locks belong to the open
// file, which stays ours when the child is gone and ends with us, kill -9 included (measured).
//
// Apache locks with fcntl (FileChannel.tryLock). On Linux flock and fcntl locks don't see each other; an OFD lock and
// an fcntl lock do, so perl, which nearly every machine has, takes both kinds. Without perl flock(1) takes the one and
// /proc/locks is searched for the other: we then notice Apache, Apache does not notice us. On macOS both are one kind.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { DiskError, type DiskLock } from './disk.ts'

// Exit codes of the child.
const HELD_ELSEWHERE = 1
const CANNOT = 3

// F_OFD_SETLK is 37 on Linux; struct flock there (64 bit): short type (1 = F_WRLCK), short whence, pad, start, len, pid.
const PERL = `
open(my $f, '+<&=', 3) or exit ${CANNOT};
flock($f, 2 | 4) or exit ${HELD_ELSEWHERE};
if ($^O eq 'linux') {
  my $l = pack('s s x4 q q i x4', 1, 0, 0, 0, 0);
  fcntl($f, 37, $l) or do { exit($!{EAGAIN} || $!{EACCES} ? ${HELD_ELSEWHERE} : 0) };
}
exit 0;`

/** Takes the lock, making the file `path` (mode 0600) when needed; DiskError 'locked' when another process has it. */
export function lockFile(path: string): DiskLock {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW
  const descriptor = fs.openSync(path, flags, 0o600)
  try {
    const holder = foreignHolder(descriptor)
    if (holder !== undefined) throw locked(path, ` by process ${holder}`)
    const taken = takeWith('perl', ['-MErrno', '-e', PERL], descriptor) ?? takeWith('flock', ['-xn', '3'], descriptor)
    if (taken === false) throw locked(path, '')
    if (taken === undefined) return lockByName(path, descriptor)
    // Somebody may have removed and made the file anew between open and lock: then this lock guards nothing.
    if (fs.fstatSync(descriptor).ino !== fs.statSync(path, { throwIfNoEntry: false })?.ino) throw locked(path, '')
    return { release: () => fs.closeSync(descriptor) }
  } catch (error) {
    fs.closeSync(descriptor)
    throw error
  }
}

/** Whether the child took the lock; undefined when it could not try. */
function takeWith(command: string, args: string[], descriptor: number): boolean | undefined {
  const child = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'ignore', descriptor], timeout: 10_000 })
  if (child.status === 0) return true
  return child.status === HELD_ELSEWHERE ? false : undefined
}

/** The process that holds an fcntl lock on the open file; found on Linux only. */
function foreignHolder(descriptor: number): number | undefined {
  let table: string
  try {
    table = fs.readFileSync('/proc/locks', 'utf8')
  } catch {
    return undefined // not Linux
  }
  const { dev, ino } = fs.fstatSync(descriptor, { bigint: true })
  // Device numbers as glibc packs them: 12 bits of major above 8 of minor, the rest further up.
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  const name = `${major.toString(16).padStart(2, '0')}:${minor.toString(16).padStart(2, '0')}:${ino}`
  for (const line of table.split('\n')) {
    const [, kind, , access, pid, file] = line.split(/\s+/)
    if (kind === 'POSIX' && access === 'WRITE' && file === name && Number(pid) !== process.pid) return Number(pid)
  }
  return undefined
}

/** Where neither tool exists: a second file names the holder. Weaker: a new process may bear a dead one's number. */
function lockByName(path: string, descriptor: number): DiskLock {
  const owner = `${path}.owner`
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      fs.writeFileSync(owner, `${process.pid}\n`, { flag: 'wx', mode: 0o600 })
      return {
        release() {
          fs.rmSync(owner, { force: true })
          fs.closeSync(descriptor)
        },
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const pid = Number(fs.readFileSync(owner, 'utf8'))
      if (pid !== process.pid && isRunning(pid)) throw locked(path, ` by process ${pid}`)
      fs.rmSync(owner, { force: true })
    }
  }
  throw locked(path, '')
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function locked(path: string, by: string): DiskError {
  return new DiskError('locked', path, 'EAGAIN', `${path} is locked${by}: another broker runs on this directory`)
}
