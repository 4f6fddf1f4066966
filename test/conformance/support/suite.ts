// Test suites of other projects, run against our broker and judged by an allow-list: what is on the list passes, and
// every other test has its reason in FINDINGS.md. FINDINGS.md says how to add a suite.
//
// KTOOL_SUITE_NO_BROKER=1    runs once with nobody at the address and records what passes all the same (NAME.brokerless):
//                            such tests say nothing of a broker, and no figure counts them.
// KTOOL_SUITE_ADDRESS=H:P    runs against that broker (Apache's, to compare), prints the results and judges nothing.

import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { freePorts } from './apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './broker.ts'
import { type Peer, tryPeer } from './peers.ts'

export type Outcome = 'passed' | 'failed' | 'skipped'
export type Results = ReadonlyMap<string, Outcome>

export interface Place {
  /** HOST:PORT of the broker. */
  readonly address: string
  /** For files of the run; gone after a run without complaints. */
  readonly directory: string
  /** These tests alone, as far as the suite can: a second try of what failed. Undefined: all. */
  readonly only: readonly string[] | undefined
  /** False: nobody is at the address, so that waiting long is of no use. */
  readonly hasBroker: boolean
}

export interface Suite<Home> {
  /** Of the list suites/NAME.allow and the chapter of FINDINGS.md. */
  readonly name: string
  /** Finds or fetches the suite (see `placed` and the peers' `install`); throws what to do when it cannot be had. */
  readonly home: () => Home
  /** What our daemon is started with besides `--ephemeral`. */
  readonly brokerArgs?: readonly string[]
  /** For the daemon, besides `ktoolEnv`. */
  readonly brokerEnv?: NodeJS.ProcessEnv
  /** Of the whole run, milliseconds; for the test around it. The suite's own programs must be ended earlier (`execute`). */
  readonly limitMs: number
  /** Runs the suite. Tests that were not reached are left out. */
  readonly run: (home: Home, place: Place) => Promise<Results>
}

const SUITES = new URL('../suites/', import.meta.url).pathname
const FINDINGS = new URL('../FINDINGS.md', import.meta.url).pathname

/** Directory of a suite that only a repository has. Throws how to place it. */
export function placed(name: string, repository: string, tag: string): string {
  const root = process.env.KTOOL_SUITES
  const directory = join(root ?? '$KTOOL_SUITES', name)
  if (root !== undefined && existsSync(directory)) return directory
  throw new Error(`${directory} is not there. Set KTOOL_SUITES to a directory, and place the suite in it:
  git clone --depth 1 --branch ${tag} https://github.com/${repository} "$KTOOL_SUITES/${name}"`)
}

/** Declares the one test of a suite. */
export function testSuite<Home>(suite: Suite<Home>): void {
  const home = tryPeer(`the suite ${suite.name}`, suite.home)
  describe.skipIf(home === undefined)(suite.name, () => {
    test('passes what its allow-list names', { timeout: 2 * suite.limitMs + 60_000 }, async () => {
      if (home === undefined) return
      const directory = mkdtempSync(join(tmpdir(), `ktool-suite-${suite.name}-`))
      console.log(`${suite.name}: files of this run in ${directory}`)
      const hasBroker = process.env.KTOOL_SUITE_NO_BROKER !== '1'
      const run = (address: string, only?: readonly string[]) => suite.run(home, { address, directory, only, hasBroker })
      if (!hasBroker) await recordBrokerless(suite.name, run)
      else if (process.env.KTOOL_SUITE_ADDRESS !== undefined) report(suite.name, await run(process.env.KTOOL_SUITE_ADDRESS))
      else await judge(suite, directory, run)
      rmSync(directory, { recursive: true, force: true })
    })
  })
}

type Run = (address: string, only?: readonly string[]) => Promise<Results>

async function recordBrokerless(name: string, run: Run): Promise<void> {
  const [port] = await freePorts(1)
  const passed = named(await run(`127.0.0.1:${port}`), 'passed')
  writeFileSync(list(name, 'brokerless'), passed.map((line) => `${line}\n`).join(''))
  console.log(`${name}: ${passed.length} pass with no broker at all`)
}

function report(name: string, results: Results): void {
  for (const outcome of ['passed', 'skipped', 'failed'] as const) {
    const names = named(results, outcome)
    console.log(`${name}: ${names.length} ${outcome}${outcome === 'passed' ? '' : names.map((line) => `\n  ${line}`).join('')}`)
  }
}

async function judge<Home>(suite: Suite<Home>, directory: string, run: Run): Promise<void> {
  const allowed = readList(suite.name, 'allow')
  const results = new Map(await onOurBroker(suite, directory, run))
  report(suite.name, results)

  const missing = () => allowed.filter((name) => results.get(name) !== 'passed')
  if (missing().length > 0 && missing().length < allowed.length) {
    // Their clocks are not ours: what passes at the second try is named, and counts.
    const again = await onOurBroker(suite, directory, (address) => run(address, missing()))
    const mended = missing().filter((name) => again.get(name) === 'passed')
    for (const name of mended) results.set(name, 'passed')
    if (mended.length > 0) console.log(`${suite.name}: passed at the second try only: ${mended.join(', ')}`)
  }

  const brokerless = new Set(readList(suite.name, 'brokerless'))
  const unlisted = named(results, 'passed').filter((name) => !allowed.includes(name))
  if (unlisted.length > 0) console.log(`${suite.name}: passed, and not on the list:\n  ${unlisted.join('\n  ')}`)
  const counted = [...results.keys()].filter((name) => !brokerless.has(name) && results.get(name) !== 'skipped')
  const figure = counted.filter((name) => results.get(name) === 'passed' && allowed.includes(name)).length
  console.log(`${suite.name}: ${figure} of the ${counted.length} tests that ran and need a broker pass`)
  expect(missing(), 'on the allow-list and not passed').toEqual([])
  const known = knownIn(readFileSync(FINDINGS, 'utf8'), suite.name)
  const unknown = [...results.keys()].filter((name) => !allowed.includes(name) && !known(name))
  expect(unknown, 'neither on the allow-list nor in FINDINGS.md').toEqual([])
}

/** A run on a broker of its own, which must be alive and without complaints afterwards. */
async function onOurBroker<Home>(suite: Suite<Home>, directory: string, run: Run): Promise<Results> {
  const broker = await startBroker(['--ephemeral', ...(suite.brokerArgs ?? [])], { ...ktoolEnv(directory), ...suite.brokerEnv })
  try {
    const results = await run(broker.address)
    console.log(`${suite.name}: the broker's memory peaked at ${peakMegabytes(broker)} MB`)
    expect(complaintsIn(broker.said()), "in the broker's log").toEqual([])
    return results
  } finally {
    writeFileSync(join(directory, 'broker.log'), broker.said(), { flag: 'a' })
    await broker.stop()
  }
}

/** Lines of a broker's log that no test of others may cause. */
export function complaintsIn(log: string): string[] {
  return log.split('\n').filter((line) => / ERROR |^\s+at |Error:/.test(line))
}

/** Throws when the broker is not there any more. */
function peakMegabytes(broker: OurBroker): number {
  const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8')
  return Math.round(Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? NaN) / 1024)
}

/** Whether a chapter of FINDINGS.md names a test: in backticks, `*` standing for anything. */
function knownIn(findings: string, chapter: string): (name: string) => boolean {
  const text = findings.split(/^## /m).find((part) => part.startsWith(`${chapter}\n`)) ?? ''
  const patterns = [...text.matchAll(/`([^`\n]+)`/g)].map(([, pattern]) => {
    return new RegExp(`^${pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`)
  })
  return (name) => patterns.some((pattern) => pattern.test(name))
}

function named(results: Results, outcome: Outcome): string[] {
  return [...results].flatMap(([name, what]) => (what === outcome ? [name] : [])).sort()
}

function list(name: string, kind: 'allow' | 'brokerless'): string {
  return join(SUITES, `${name}.${kind}`)
}

function readList(name: string, kind: 'allow' | 'brokerless'): string[] {
  const file = list(name, kind)
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter((line) => line !== '') : []
}

export interface ExecuteOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** After this the program and all it started are killed, and what it said until then is the answer. */
  readonly limitMs: number
  /** File for stdout and stderr together, appended to. */
  readonly log: string
}

/** Runs a program beside the broker (which must not be kept waiting for its own output) and gives its stdout. */
export async function execute([command, ...first]: Peer, args: readonly string[], options: ExecuteOptions): Promise<string> {
  const { limitMs, log, ...rest } = options
  const child = spawn(command, [...first, ...args], { ...rest, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const file = createWriteStream(log, { flags: 'a' })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    file.write(chunk)
  })
  child.stderr.on('data', (chunk: Buffer) => file.write(chunk))
  const killAll = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // Nothing of it is left.
    }
  }
  const late = setTimeout(() => {
    console.log(`${command} was ended after ${limitMs / 1000} s`)
    killAll()
  }, limitMs)
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve)).finally(() => {
    clearTimeout(late)
    killAll()
  })
  file.end()
  await finished(file)
  return Buffer.concat(chunks).toString()
}
