// Builds dist/ once before the tests, when a source is newer than it.

import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

export default function setup(): void {
  const built = statSync(join(root, 'dist', 'main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = ['src', 'commands'].flatMap((directory) => {
    return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map((name) => join(root, directory, name))
  })
  if ([...sources, join(root, 'package.json')].every((path) => statSync(path).mtimeMs < built)) return
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'src', 'build', 'build.mjs')], { encoding: 'utf8' })
  if (status !== 0) console.error(`dist/ could not be built; tests of the bin will fail:\n${stderr}`)
}
