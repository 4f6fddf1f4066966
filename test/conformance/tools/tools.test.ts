// Every play in every column, against the answers that Apache's tool has given on Apache's broker: see play.ts.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, type RunnerTask, test } from 'vitest'
import { FACE_NAMES } from '../../../src/cli/apache/face-names.ts'
import { kafkaTools, tryPeer } from '../support/peers.ts'
import type { Answer } from '../support/tools-jvm.ts'
import { type Column, COLUMNS, formatted, type NamedStep, type Played, playColumn, stepsOf } from './columns.ts'
import { type Play, wordsOf } from './play.ts'
import { oldSpellings } from './old-spellings.ts'
import { emptyRow, report, type Row, shortages } from './report.ts'

const HERE = new URL('.', import.meta.url).pathname
const IS_RECORDING = process.env.KTOOL_RECORD === '1'
/** Plays that go on at once: two cores, and much waiting. */
const AT_ONCE = 4

const directory = mkdtempSync(join(tmpdir(), 'ktool-plays-'))
const hasApache = tryPeer('Apache Kafka', () => [kafkaTools(), formatted()]) !== undefined
const names = readdirSync(HERE).filter((file) => file.endsWith('.play.ts')).map((file) => file.slice(0, -'.play.ts'.length)).sort()
const plays = await Promise.all(names.map(async (name) => ({ name, play: ((await import(`./${name}.play.ts`)) as { play: Play }).play })))
const rows: Row[] = []

/** What runs, in the order of the tests; each begins as soon as one before it is done. */
const running = new Map<string, Promise<(Played | undefined)[]>>()
const waiting: (() => void)[] = []
let free = AT_ONCE

function begin(name: string, play: Play, column: Column): void {
  const run = async (): Promise<(Played | undefined)[]> => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    const home = join(directory, `${name}-${column}`)
    try {
      return await playColumn(play, column, home)
    } finally {
      rmSync(home, { recursive: true, force: true })
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
  const answers = run()
  answers.catch(() => undefined) // its test says it
  running.set(`${name} ${column}`, answers)
}

/** All that this run wants, which may be less with -t; the first test starts it. */
function beginAll({ tasks }: { readonly tasks: readonly RunnerTask[] }): void {
  if (running.size > 0) return
  for (const { name, play } of plays) {
    const group = tasks.find((task) => task.name === name)
    if (group?.type !== 'suite') continue
    for (const task of group.tasks) if (task.mode === 'run') begin(name, play, task.name as Column)
  }
}

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
  process.stdout.write(report(rows, hasApache))
})

for (const { name, play } of plays) {
  describe(name, () => {
    for (const column of COLUMNS) {
      const isPlayed = hasApache ? play.isOffline !== true || column === 'apache' || column === 'ours' : column === 'ours'
      test.skipIf(!isPlayed)(column, async ({ task }) => {
        beginAll(task.file)
        const answers = (await running.get(`${name} ${column}`)) ?? []
        if (IS_RECORDING && column === 'apache') record(name, stepsOf(play), answers)
        compare({ name, play }, column, answers)
      })
    }
  })
}

/** They are no tools that end with an answer: test/cli/quickstart.test.ts has them. */
const SERVERS = ['kafka-server-start', 'kafka-server-stop']

describe('all', () => {
  test('faces: each is played', () => {
    const played = new Set([...plays.map(({ play }) => play.tool), ...SERVERS])
    expect(FACE_NAMES.filter((name) => !played.has(name))).toEqual([])
  })
  test('ours: enough of every kind', ({ skip }) => {
    if (plays.some(({ name }) => !running.has(`${name} ours`))) skip('not all plays were run')
    expect(shortages(rows)).toEqual([])
  })
  test('ours: every old spelling is played', () => {
    const played = plays.flatMap(({ play }) => stepsOf(play).filter(({ old }) => old !== undefined).map(({ words, tool = play.tool }) => ({ tool, words: wordsOf(words) })))
    const missing = Object.entries(oldSpellings).flatMap(([tool, spellings]) => {
      const words = new Set(played.filter((one) => one.tool === tool).flatMap((one) => one.words))
      return spellings.filter((spelling) => !words.has(spelling)).map((spelling) => `${tool} ${spelling}`)
    })
    expect(missing).toEqual([])
  })
})

function compare({ name, play }: (typeof plays)[number], column: Column, answers: readonly (Played | undefined)[]): void {
  const steps = stepsOf(play)
  const recorded = recordsOf(name)
  const differences: string[] = []
  for (const [index, step] of steps.entries()) {
    const answer = answers[index]
    if (answer === undefined) continue
    const expected = expectedOf(step, column, recorded.get(step.name))
    const why = allowance(step, column)
    const isEqual = JSON.stringify(shown(answer)) === JSON.stringify(expected)
    const row = rowOf(step.tool ?? play.tool, column)
    row.steps++
    if (step.old !== undefined) row.old++
    if (answer.isOnline === true) row.online++
    if (answer.exit === 0) row.successes++
    else row.failures++
    if (isEqual && why === undefined) row.equal++
    else if (!isEqual && why !== undefined) row.allowed++
    else row.differs++
    if (process.env.KTOOL_SHOW) process.stdout.write(`$ ${step.name}\n${answer.stdout.slice(0, 3000)}${answer.stderr.slice(0, 3000)}-> ${answer.exit}\n`)
    if (isEqual && why !== undefined) differences.push(`$ ${step.name}\nis the same by now, although "${why}"`)
    if (!isEqual && why === undefined) differences.push(`$ ${step.name}\n${difference(expected, shown(answer))}`)
  }
  // All at once; where in this file is of no interest.
  if (differences.length > 0) throw Object.assign(new Error(`${differences.length} differ\n\n${differences.join('\n\n')}`), { stack: undefined })
}

function rowOf(tool: string, column: Column): Row {
  const found = rows.find((row) => row.tool === tool && row.column === column)
  if (found !== undefined) return found
  const row = emptyRow(tool, column)
  rows.push(row)
  return row
}

function difference(expected: Shown | undefined, got: Shown): string {
  if (expected === undefined) return 'is not recorded yet: KTOOL_RECORD=1'
  const of = (what: keyof Shown): string => {
    const [wanted, seen] = [expected[what], got[what]].map((text) => (Array.isArray(text) ? text.map((line) => `    ${line}`).join('\n') : String(text)))
    return wanted === seen ? '' : `  ${what} expected:\n${wanted}\n  ${what} got:\n${seen}\n`
  }
  return `${of('exit')}${of('stdout')}${of('stderr')}`
}

/** Why a step may differ in a column; undefined: it may not. */
function allowance({ allowed = {} }: NamedStep, column: Column): string | undefined {
  const face = column === 'face' || column === 'ours' ? allowed.face : undefined
  const broker = column === 'broker' || column === 'ours' ? allowed.broker : undefined
  return face ?? broker ?? (column === 'ours' ? allowed.ours : undefined)
}

/** With lines in lists, as they are recorded: readable in a diff. */
interface Shown {
  readonly exit: number | null
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
}

function shown({ exit, stdout, stderr }: Answer): Shown {
  return { exit, stdout: stdout.split('\n'), stderr: stderr.split('\n') }
}

function expectedOf({ old }: NamedStep, column: Column, recorded: Shown | undefined): Shown | undefined {
  if (old === undefined || column === 'apache' || column === 'broker') return recorded
  if (old.answer !== undefined) return shown({ stdout: '', stderr: '', ...old.answer })
  if (recorded === undefined || old.says === undefined) return recorded
  return { ...recorded, stderr: [...old.says.split('\n'), ...recorded.stderr] }
}

function recordsOf(name: string): Map<string, Shown> {
  const file = join(HERE, `${name}.answers.json`)
  if (!existsSync(file)) return new Map()
  return new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, Shown>))
}

function record(name: string, steps: readonly NamedStep[], answers: readonly (Answer | undefined)[]): void {
  const entries = steps.flatMap(({ name }, index) => {
    const answer = answers[index]
    return answer === undefined ? [] : [[name, shown(answer)]]
  })
  // A line to a line of output.
  const text = JSON.stringify(Object.fromEntries(entries), undefined, 1)
  writeFileSync(join(HERE, `${name}.answers.json`), `${text}\n`)
}
