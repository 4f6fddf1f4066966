// The committed manual pages are those of the commands and of the faces. Run with -u to write them anew.

import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { commands } from '../../commands/index.ts'
import { facePages } from '../../src/build/face-pages.ts'
import { manualPages } from '../../src/build/man.ts'

const directory = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'man')
const pages = new Map([...manualPages(commands), ...(await facePages())])
const hasMandoc = spawnSync('mandoc', ['-h']).error === undefined

test('every page is the one in man/', async () => {
  for (const [name, text] of pages) await expect(text).toMatchFileSnapshot(join(directory, name))
})

test('no page has a section twice, nor tells of clusters where a tool knows none', () => {
  for (const [name, text] of pages) {
    const headings = text.match(/^\.SH .*/gm) ?? []
    expect([name, headings]).toEqual([name, [...new Set(headings)]])
  }
  for (const name of ['kafka-server-start.1', 'kafka-server-stop.1', 'kafka-storage.1']) expect(pages.get(name)).not.toMatch(/zookeeper|cluster that its words/)
  expect(pages.get('kafka-server-stop.1')).toContain('.SH OPTIONS\n.nf\nkafka\\-server\\-stop [')
  expect(pages.get('ktool.1')).toContain('.SH SEE ALSO\n.BR kafka\\-acls (1),\n')
  expect(pages.get('ktool-consume.1')).toMatch(/\.SH EXIT STATUS\n[^]*\n\.B 4\n/)
})

test('man/ holds no other page, and npm installs them all', () => {
  const names = [...pages.keys()].sort()
  expect(readdirSync(directory).sort()).toEqual(names)
  expect([...packageJson.man].sort()).toEqual(names.map((name) => `man/${name}`))
})

test.runIf(hasMandoc)('mandoc finds nothing to complain about', () => {
  for (const name of pages.keys()) {
    const { stdout } = spawnSync('mandoc', ['-Tlint', '-Wwarning', join(directory, name)], { encoding: 'utf8' })
    expect(stdout).toBe('')
  }
})

test('every page has its exit status and an example, which test/cli/examples.test.ts and quickstart.test.ts run', () => {
  for (const [name, text] of pages) {
    if (name === 'ktool.1') continue // its pages have them
    expect(text, name).toContain('.SH EXIT STATUS\n')
    expect(text, name).toMatch(/^\.SH EXAMPLES?$/m)
  }
})
