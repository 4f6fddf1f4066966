// Directories that a person names. Not mkdir's own `recursive`: below /proc, where mkdir says ENOENT of a parent that is there, it
// never returns (Node 20).

import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** With those above it; one that is there already is fine. Rejects with Node's errors. */
export async function makeDirectory(path: string): Promise<void> {
  const found = (place: string) => stat(place).catch(() => undefined) // making it tells why
  const parent = dirname(path)
  if (parent !== path && (await found(parent)) === undefined) await makeDirectory(parent)
  try {
    await mkdir(path)
  } catch (error) {
    if ((await found(path))?.isDirectory() !== true) throw error
  }
}
