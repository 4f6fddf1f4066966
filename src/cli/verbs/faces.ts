// Links Apache's tool names to ktool in a directory for the PATH. What somebody else put there stays.

import { lstat, mkdir, readlink, realpath, rm, symlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FACE_NAMES, OTHER_NAMES } from '../apache/face-names.ts'
import { operationError } from '../errors.ts'

export interface LinkedFaces {
  /** Absolute. */
  readonly directory: string
  /** The tools' names; each is also there with `.sh`. */
  readonly names: readonly string[]
}

/** `main`: the program that the links lead to. Throws when a name is taken by something that is no link of ktool's. */
export async function linkFaces(directory: string, main: string): Promise<LinkedFaces> {
  const target = await realpath(main)
  const names = [...FACE_NAMES, ...Object.keys(OTHER_NAMES)].sort()
  const links = names.flatMap((name) => [name, `${name}.sh`]).map((name) => join(directory, name))
  await mkdir(directory, { recursive: true })
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
