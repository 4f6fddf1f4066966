// Why a broker could not start, in one line that a person can act on.

import type { DiskError } from '../storage/disk.ts'

export class StartError extends Error {
  override readonly name = 'StartError'
}

const ELSEWHERE = 'name another directory with --data-dir'

const DISK_ERRORS: ReadonlyMap<string, string> = new Map([
  ['ENOTDIR', `a part of that path is not a directory; ${ELSEWHERE}`],
  ['EEXIST', `something that is no directory has that name; ${ELSEWHERE}`],
  ['ENOENT', `it is not there and can't be made; ${ELSEWHERE}`],
  ['ELOOP', `a symbolic link stands where a file or directory belongs; put the real one there, or ${ELSEWHERE}`],
  ['ENAMETOOLONG', `the path is too long for this system; ${ELSEWHERE}`],
  ['EROFS', `the file system is read-only; mount it writable, or ${ELSEWHERE}`],
  ['EACCES', `not permitted; give this user the directory, or ${ELSEWHERE}`],
  ['EPERM', `not permitted; give this user the directory, or ${ELSEWHERE}`],
  ['ENOSPC', `no space left; make some, or ${ELSEWHERE}`],
  ['EDQUOT', `the quota is used up; make room, or ${ELSEWHERE}`],
  ['EMFILE', 'too many open files; raise the limit (ulimit -n)'],
])

/** The system's words, where known, in terms of a data directory. */
export function diskStartError(error: DiskError): StartError {
  const text = DISK_ERRORS.get(error.code)
  const isOurs = !error.message.startsWith(error.code) // it says all there is to say
  return new StartError(text === undefined || isOurs ? error.message : `can't use ${error.path}: ${text}`, { cause: error })
}
