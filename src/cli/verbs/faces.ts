// Links Apache's tool names to ktool in a directory for the PATH. What somebody else put there stays.

import { lstat, readlink, realpath, rm, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FACE_NAMES, OTHER_NAMES } from '../apache/face-names.ts'
import { operationError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'

export interface LinkedFaces {
  /** Absolute. */
  readonly directory: string
  /** The tools' names; each is also there with `.sh`. */
  readonly names: readonly string[]
}

const MAKE_ERRORS: Readonly<Record<string, string>> = {
  EEXIST: 'a file has that name',
  ENOTDIR: 'what it is to lie in is a file',
  ENOENT: 'none can be made there', // as in /proc
  EACCES: 'permission denied',
  EROFS: 'nothing can be written there',
}

/** `main`: the program that the links lead to. Throws when a name is taken by something that is no link of ktool's. */
export async function linkFaces(directory: string, main: string): Promise<LinkedFaces> {
  const target = await realpath(main)
  const names = [...FACE_NAMES, ...Object.keys(OTHER_NAMES)].sort()
  const links = names.flatMap((name) => [name, `${name}.sh`]).map((name) => join(directory, name))
  await makeDirectory(directory).catch((error: unknown) => {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw operationError('NO_DIRECTORY', `can't make the directory ${directory}: ${MAKE_ERRORS[code] ?? message}`, 'choose another --dir')
  })
  const taken = await Promise.all(links.map(async (path) => ((await isForeign(path)) ? path : undefined)))
  const first = taken.find((path) => path !== undefined)
  if (first !== undefined) {
    throw operationError('FILE_EXISTS', `${first} is there already and is not ktool's`, 'nothing was changed; choose another --dir')
  }
  for (const path of links) {
    await rm(path, { force: true })
    await symlink(target, path)
  }
  return { directory: resolve(directory), names: [...FACE_NAMES] }
}

/** Whether something is there that is no link to a ktool, this one or an older. */
async function isForeign(path: string): Promise<boolean> {
  try {
    if (!(await lstat(path)).isSymbolicLink()) return true
    return !(await readlink(path)).endsWith('/main.js')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
