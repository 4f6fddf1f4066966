// Go test packages from the module proxy: compiled once in the peers' cache, run, and their results by top-level test.

import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { install, output, PEERS } from '../support/peers.ts'
import { execute, type Outcome, type Place, type Results } from '../support/suite.ts'

const GO_ENV = { ...process.env, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' }
const BINARY = 'package.test'
/** Of compiling with nothing in Go's cache, on a busy machine. */
const COMPILE_MS = 600_000
/** For one test with no broker: those that need none take less than a second. */
const BROKERLESS_MS = 15_000

/** Directory of one package of a module, with its tests compiled. `prepare` may change the copy of the module before. */
export function franzGo(module: string, version: string, path: string, prepare: (module: string) => void = () => undefined): string {
  const home = join(PEERS, `${module.replaceAll('/', '+')}@${version}+${path.replaceAll('/', '+')}`)
  install(home, (directory) => {
    const cwd = directory
    const found = JSON.parse(output(['go'], ['mod', 'download', '-json', `${module}@${version}`], { cwd, env: GO_ENV, timeoutMs: COMPILE_MS }))
    cpSync(found.Dir, join(directory, 'module'), { recursive: true })
    output(['chmod'], ['-R', 'u+w', join(directory, 'module')])
    prepare(join(directory, 'module'))
    output(['go'], ['test', '-c', '-o', BINARY, '.'], { cwd: join(directory, 'module', path), env: GO_ENV, timeoutMs: COMPILE_MS })
  })
  return join(home, 'module', path)
}

interface TestEvent {
  readonly Action: string
  readonly Test?: string
}

const OUTCOMES: Readonly<Record<string, Outcome | undefined>> = { pass: 'passed', fail: 'failed', skip: 'skipped' }

/** Runs the compiled tests in `home`. What hangs at the limit has failed; what never began is left out. */
export async function runGoTests(home: string, place: Place, env: NodeJS.ProcessEnv, limitMs: number): Promise<Results> {
  if (place.hasBroker) return run(home, place, env, limitMs, place.only)
  // Without a broker some tests end the whole process and others wait for ever: each gets a process of its own.
  const names = output([`./${BINARY}`], ['-test.list', '.'], { cwd: home }).split('\n').filter((name) => /^Test/.test(name))
  const results = new Map<string, Outcome>()
  const worker = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const [one] = await run(home, place, env, BROKERLESS_MS, [name])
      results.set(...one)
    }
  }
  await Promise.all(Array.from({ length: 4 }, worker))
  return results
}

async function run(
  home: string, place: Place, env: NodeJS.ProcessEnv, limitMs: number, names: readonly string[] | undefined,
): Promise<Results> { // prettier-ignore
  const only = names === undefined ? [] : ['-test.run', `^(${names.join('|')})$`]
  const args = ['tool', 'test2json', '-t', `./${BINARY}`, '-test.v=test2json', '-test.timeout', `${limitMs}ms`, ...only]
  const log = join(place.directory, 'output.log')
  const said = await execute(['go'], args, { cwd: home, env: { ...GO_ENV, ...env }, limitMs: limitMs + 15_000, log })
  const results = new Map<string, Outcome>()
  for (const line of said.split('\n')) {
    if (!line.startsWith('{')) continue
    const event = JSON.parse(line) as TestEvent
    if (event.Test === undefined || event.Test.includes('/')) continue
    if (event.Action === 'run') results.set(event.Test, 'failed')
    const outcome = OUTCOMES[event.Action]
    if (outcome !== undefined) results.set(event.Test, outcome)
  }
  return results
}
