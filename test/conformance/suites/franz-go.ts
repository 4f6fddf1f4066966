// Go test packages from the module proxy: compiled once in the peers' cache, run, and their results by top-level test.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { install, output, PEERS } from '../support/peers.ts'
import { execute, type Outcome, type Place, type Results } from '../support/suite.ts'

export const GO_ENV = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod -buildvcs=false' }
const BINARY = 'package.test'
/** Of compiling with nothing in Go's cache, on a busy machine. */
const COMPILE_MS = 600_000
/** For one test with no broker: those that need none take less than a second. */
const BROKERLESS_MS = 6000

/** How the copy of a module is changed before its tests are compiled. */
export interface Change {
  /** Another text for another change. */
  readonly version: string
  readonly apply: (module: string) => void
}

/** Directory of one package of a module, with its tests compiled. */
export function franzGo(module: string, version: string, path: string, change?: Change): string {
  const parts = [module, version, path, change?.version ?? ''].filter((part) => part !== '')
  const home = join(PEERS, parts.join('@').replaceAll('/', '+'))
  install(home, (directory) => {
    const fetch = ['mod', 'download', '-json', `${module}@${version}`]
    const found = JSON.parse(output(['go'], fetch, { cwd: directory, env: GO_ENV, timeoutMs: COMPILE_MS }))
    cpSync(found.Dir, join(directory, 'module'), { recursive: true })
    output(['chmod'], ['-R', 'u+w', join(directory, 'module')])
    change?.apply(join(directory, 'module'))
    output(['go'], ['test', '-c', '-o', BINARY, '.'], { cwd: join(directory, 'module', path), env: GO_ENV, timeoutMs: COMPILE_MS })
  })
  return join(home, 'module', path)
}

/** What a test says, after a byte that only the test package writes. */
// eslint-disable-next-line no-control-regex -- that byte
const EVENT = /\x16(?:===|\s*---) (RUN|PASS|FAIL|SKIP):? +([^\s/]+)(\/?)/g
const OUTCOMES: Readonly<Record<string, Outcome>> = { RUN: 'failed', PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' }

/**
 * Runs the compiled tests in `home`; what hangs at the limit has failed, what never began is left out. Each by itself: in
 * a process of its own and with the limit for each, because one would take the others with it.
 */
export async function runGoTests(
  home: string, place: Place, env: NodeJS.ProcessEnv, limitMs: number, how: 'together' | 'each by itself' = 'together',
): Promise<Results> { // prettier-ignore
  // With no broker some tests end the whole process, and others wait for ever.
  if (place.hasBroker && how === 'together') return run(home, place, env, limitMs, place.only)
  const all = output([`./${BINARY}`], ['-test.list', '.'], { cwd: home }).split('\n').filter((name) => /^Test/.test(name))
  const names = all.filter((name) => place.only?.includes(name) ?? true)
  const results = new Map<string, Outcome>()
  const worker = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const one = await run(home, place, env, place.hasBroker ? limitMs : BROKERLESS_MS, [name])
      results.set(name, one.get(name) ?? 'failed')
    }
  }
  await Promise.all(Array.from({ length: place.hasBroker ? 4 : 12 }, worker))
  return results
}

async function run(
  home: string, place: Place, env: NodeJS.ProcessEnv, limitMs: number, names: readonly string[] | undefined,
): Promise<Results> { // prettier-ignore
  const only = names === undefined ? [] : ['-test.run', `^(${names.join('|')})$`]
  const args = ['-test.v=test2json', '-test.timeout', `${limitMs}ms`, ...only]
  const log = join(place.directory, names?.length === 1 ? `${names[0]}.log` : 'output.log')
  const said = await execute([`./${BINARY}`], args, { cwd: home, env: { ...process.env, ...env }, limitMs: limitMs + 15_000, log })
  const results = new Map<string, Outcome>()
  const inPart = new Set<string>()
  for (const [, what, test, slash] of said.matchAll(EVENT)) {
    if (slash === '') results.set(test, OUTCOMES[what])
    else if (what === 'SKIP') inPart.add(test)
  }
  if (inPart.size > 0) console.log(`parts of them skipped: ${[...inPart].join(', ')}`)
  return results
}
