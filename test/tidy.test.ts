// The house rules that a machine can check: who may import whom, who alone may touch what, no cycles, no long files,
// nothing exported for nobody.
// The rules are these tables; change them together with the design.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** The layers a layer may import, besides itself. Everyone may import base and kernels. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  kernels: [],
  protocol: [],
  client: ['protocol'],
  storage: ['protocol'],
  broker: ['protocol', 'storage'],
  cli: ['protocol', 'client'],
  'cli/offline': ['protocol', 'client', 'cli', 'storage'],
  commands: ['cli', 'cli/offline'],
  // A face is a rendering of Kafka's admin API, which is client/admin.ts: no verb could stand between them.
  'commands/kafka': ['cli', 'cli/offline', 'client'],
  testing: ['protocol', 'client', 'cli'],
  build: ['cli', 'commands', 'commands/kafka'],
  mains: ['protocol', 'client', 'storage', 'broker', 'cli', 'cli/offline', 'commands', 'commands/kafka'],
}

/** What only some files may import, by the module's name; a pattern ending in / is a directory. */
const ONLY_IMPORTERS: readonly { readonly modules: RegExp; readonly files: readonly string[] }[] = [
  { modules: /^kafkajs(\/|$)/, files: ['src/client/kafkajs-wire.ts'] },
  { modules: /^(chalk|cli-table3)$/, files: ['src/cli/output.ts'] },
  { modules: /^inquirer$/, files: ['src/cli/ask.ts'] },
  { modules: /^@oclif\//, files: ['src/cli/base-command.ts', 'src/cli/broker-command.ts', 'src/cli/command-table.ts', 'src/cli/help.ts', 'src/cli/run.ts', 'commands/'] },
  { modules: /^dot-properties$/, files: ['src/client/properties-file.ts'] },
  { modules: /^esbuild$/, files: ['src/build/'] },
  { modules: /^node:(net|tls|dgram|http|https)$/, files: ['src/client/', 'src/broker/server.ts', 'src/broker/tls-door.ts', 'src/broker/control.ts', 'src/cli/control.ts'] },
  // The broker's files are behind storage/disk.ts; but for the directories of an ephemeral broker and of the control socket.
  // The commands have files of their own: what is produced, key stores, logs.
  { modules: /^node:fs(\/promises)?$/, files: ['src/storage/node-disk.ts', 'src/storage/file-lock.ts', 'src/client/', 'src/cli/', 'src/broker/daemon.ts', 'src/broker/control.ts', 'src/build/'] },
  { modules: /^node:child_process$/, files: ['src/cli/local-broker.ts', 'src/cli/secrets.ts', 'src/storage/file-lock.ts', 'src/build/'] },
]

/** Words in the code (comments aside) that only some files may use. */
const ONLY_USERS: readonly { readonly words: RegExp; readonly files: readonly string[] }[] = [
  {
    words: /(?<!\.)\b(setTimeout|setInterval|Date\.now|performance\.now)\b|\bnew Date\(\)/,
    // The daemon's interval holds the process and measures nothing.
    files: ['src/base/clock.ts', 'src/broker/daemon.ts', 'src/build/'],
  },
  // The daemon has the process to itself: a second signal, an error that got past everybody.
  { words: /\bprocess\.exit\(/, files: ['src/main.ts', 'src/broker/daemon.ts', 'src/build/'] },
  { words: /\bimport\.meta\b|^(const .* = )?await /m, files: ['src/main.ts', 'src/daemon-main.ts', 'src/build/'] },
]

/** Lines with code in them; tables are exempt. */
const LONGEST_FILE = 500
const TABLES: readonly RegExp[] = [/^src\/broker\/config\/.*-configs?\.ts$/]

/** Declarations: the tests look at whatever these folders export. */
const FOUND_BY_FOLDER = /^src\/protocol\/(apis|records)\//

interface Source {
  readonly path: string
  readonly code: string
  readonly lines: number
  /** Static imports that exist at run time, and all of them. */
  readonly runTime: readonly string[]
  readonly all: readonly string[]
}

const sources = ['src', 'commands'].flatMap(filesBelow).map(readSource)

test('there is something to check', () => {
  expect(sources.length).toBeGreaterThan(50)
})

test('layers import only what is below them', () => {
  const wrong = sources.flatMap(({ path, all }) => {
    const layer = layerOf(path)
    const allowed = new Set(['base', 'kernels', layer, ...(MAY_IMPORT[layer] ?? [])])
    return local(path, all)
      .filter((target) => /^(src|commands)\//.test(target) && !allowed.has(layerOf(target)))
      .map((target) => `${path} imports ${target}`)
  })
  expect(wrong).toEqual([])
})

describe('only their owners import', () => {
  test.each(ONLY_IMPORTERS)('$modules', ({ modules, files }) => {
    const wrong = sources.filter(({ path, all }) => all.some((name) => modules.test(name)) && !isAmong(path, files))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })
})

describe('only their owners use', () => {
  test.each(ONLY_USERS)('$words', ({ words, files }) => {
    const wrong = sources.filter(({ path, code }) => words.test(code) && !isAmong(path, files))
    expect(wrong.map(({ path }) => path)).toEqual([])
  })
})

test('no import cycles at run time', () => {
  const imports = new Map(sources.map(({ path, runTime }) => [path, local(path, runTime)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' -> '))
    if (done.has(path) || trail.includes(path)) return
    for (const target of imports.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of imports.keys()) visit(path, [])
  expect(cycles).toEqual([])
})

test(`no file has more than ${LONGEST_FILE} lines of code`, () => {
  const long = sources.filter(({ path, lines }) => lines > LONGEST_FILE && !TABLES.some((table) => table.test(path)))
  expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([])
})

test('values that are exported are used by another file', () => {
  const everywhere = [...sources, ...filesBelow('test').map(readSource)]
  const users = new Map<string, Set<string>>()
  for (const { path, code } of everywhere) {
    for (const [word] of code.matchAll(/\b[A-Za-z]\w*/g)) users.set(word, (users.get(word) ?? new Set()).add(path))
  }
  const unused = sources.filter(({ path }) => !FOUND_BY_FOLDER.test(path)).flatMap(({ path, code }) => {
    const names = [...code.matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)].map(([, name = '']) => name)
    return names.filter((name) => users.get(name)?.size === 1).map((name) => `${path}: ${name}`)
  })
  expect(unused).toEqual([])
})

test('relative imports name their file with its extension', () => {
  const wrong = sources.flatMap(({ path, all }) => {
    return all.filter((name) => name.startsWith('.') && !/\.(ts|mjs|json|wasm)$/.test(name)).map((name) => `${path}: ${name}`)
  })
  expect(wrong).toEqual([])
})

function filesBelow(directory: string): string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => `${directory}/${name}`)
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  // Whole-line comments only: enough for what is looked for, and no string is mistaken for a comment.
  const code = text.replace(/^\s*(\/\/|\/?\*).*$/gm, '')
  const runTime: string[] = []
  const all: string[] = []
  const statements = /^(?:import|export)( type)?\s+(?:([\w*{][^'"=()]*?)\s+from\s+)?'([^']+)'/gm
  for (const [, isType, clause = '', name = ''] of code.matchAll(statements)) {
    all.push(name)
    const onlyTypes = /^\s*\{\s*(type [^,}]+,?\s*)+\}\s*$/.test(clause)
    if (!isType && !onlyTypes) runTime.push(name)
  }
  for (const [, name = ''] of code.matchAll(/\bimport\('([^']+)'\)/g)) all.push(name)
  return { path, code, lines: code.split('\n').filter((line) => line.trim() !== '').length, runTime, all }
}

function local(from: string, names: readonly string[]): string[] {
  return names.filter((name) => name.startsWith('.')).map((name) => relative(root, join(root, dirname(from), name)))
}

function layerOf(path: string): string {
  if (path.startsWith('commands/kafka/')) return 'commands/kafka'
  if (path.startsWith('commands/')) return 'commands'
  if (path.startsWith('src/cli/offline/')) return 'cli/offline'
  const [, layer = '', ...rest] = path.split('/')
  return rest.length === 0 ? 'mains' : layer
}

function isAmong(path: string, files: readonly string[]): boolean {
  return files.some((file) => (file.endsWith('/') ? path.startsWith(file) : path === file))
}
