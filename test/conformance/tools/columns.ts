// Plays a play in one column: a cluster that is new, and each step by Apache's tool or by our face. A step that has no
// part in a column has no answer there.

import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startApache } from '../support/apache.ts'
import { ktool, ktoolEnv, startBroker } from '../support/broker.ts'
import { openDoor } from '../support/door.ts'
import { masked, sortedJson } from '../support/masks.ts'
import { classOfTool, install, KAFKA_VERSION, type KafkaTool, kafkaTool, output, PEERS } from '../support/peers.ts'
import { type Answer, startTools, type ToolsJvm } from '../support/tools-jvm.ts'
import { type Act, type OldSpelling, type Play, type Step, wordsOf } from './play.ts'

export const COLUMNS = ['apache', 'face', 'broker', 'ours'] as const
/** Which tool on which broker: see play.ts. */
export type Column = (typeof COLUMNS)[number]

const STEP_MS = 30_000
/** Apache's broker learns of a change a little after the controller has answered. */
const SETTLE_MS = 200
const ONLY_READS = /(^|\s)(--)?(list|describe|help|version|verify|status)\b/

export interface NamedStep extends Step {
  /** What is typed, for the report; unique within its play. */
  readonly name: string
}

export interface Played extends Answer {
  /** Whether it came to the broker, measured in the column 'ours' alone. A member that an act left may come by meanwhile. */
  readonly isOnline?: boolean
}

/** The steps of a play, acts aside. */
export function stepsOf(play: Play): readonly NamedStep[] {
  const seen = new Map<string, number>()
  return play.steps.flatMap((step) => {
    if (isAct(step)) return []
    const whole: Step = typeof step === 'string' || isWords(step) ? { words: step } : step
    const words = typeof whole.words === 'string' ? whole.words : JSON.stringify(whole.words)
    const name = `${whole.tool ?? play.tool} ${words}`
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return [{ ...whole, name: count > 1 ? `${name} (${count})` : name }]
  })
}

function isAct(step: Play['steps'][number]): step is Act {
  return typeof step === 'object' && 'act' in step
}

function isWords(step: readonly string[] | Step): step is readonly string[] {
  return Array.isArray(step)
}

interface Cluster {
  readonly address: string
  /** Its log directory. */
  readonly data: string
  /** How many connections it had so far. */
  readonly visits?: () => number
  stop(): Promise<void>
}

/** The answers in the order of `stepsOf`, masked. `home` is for everything that is written, and new. */
export async function playColumn(play: Play, column: Column, home: string): Promise<(Played | undefined)[]> {
  const files = join(home, 'files')
  mkdirSync(files, { recursive: true })
  for (const [name, content] of Object.entries(play.files ?? {})) writeFileSync(join(files, name), content)
  const isApacheTool = column === 'apache' || column === 'broker'
  const env = { ...ktoolEnv(home), TZ: 'UTC', LC_ALL: 'C.UTF-8' }
  const cluster = await startCluster(play, column, home)
  const jvm = isApacheTool ? startTools(files, env) : undefined
  const teller = { play, column, files, env, cluster, jvm, bin: join(home, 'bin') }
  const ends: (() => Promise<void>)[] = []
  const answers: (Played | undefined)[] = []
  try {
    const steps = stepsOf(play)
    for (const step of play.steps) {
      if (isAct(step)) {
        const end = await step.run({ address: cluster.address, directory: files })
        if (end !== undefined) ends.push(end)
      } else answers.push(await answerTo(teller, steps[answers.length]))
    }
  } finally {
    for (const end of ends) await end()
    await jvm?.stop()
    await cluster.stop()
  }
  return answers
}

async function startCluster({ properties = [], isOffline = false }: Play, column: Column, home: string): Promise<Cluster> {
  if (isOffline) return { address: '127.0.0.1:1', data: join(home, 'data'), stop: () => Promise.resolve() }
  if (column === 'apache' || column === 'face') {
    const directory = join(home, 'apache')
    cpSync(formatted(), join(directory, 'data'), { recursive: true })
    const broker = await startApache({ directory, properties })
    return { address: broker.address, data: join(directory, 'data'), stop: () => broker.stop('SIGKILL') }
  }
  const data = join(home, 'data')
  const door = await openDoor()
  const lines = [...properties, `advertised.listeners=PLAINTEXT://${door.address}`]
  const broker = await startBroker(['--data-dir', data, ...lines.flatMap((line) => ['--property', line])], ktoolEnv(home))
  door.leadTo(broker.address)
  const stop = async (): Promise<void> => {
    await broker.stop('SIGKILL')
    door.close()
  }
  return { address: door.address, data, visits: () => door.visits(), stop }
}

/** A log directory that Apache's tool has formatted, once for all. */
export function formatted(): string {
  const home = join(PEERS, `formatted-${KAFKA_VERSION}`)
  install(home, (directory) => {
    const config = join(directory, 'server.properties')
    const quorum = ['node.id=1', 'process.roles=broker,controller', 'controller.listener.names=CONTROLLER', 'controller.quorum.voters=1@127.0.0.1:1']
    const places = ['listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:1', `log.dirs=${join(directory, 'data')}`]
    writeFileSync(config, [...quorum, ...places].join('\n'))
    output(kafkaTool('kafka-storage'), ['format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', config])
  })
  return join(home, 'data')
}

interface Teller {
  readonly play: Play
  readonly column: Column
  readonly files: string
  readonly env: NodeJS.ProcessEnv
  readonly cluster: Cluster
  /** Of Apache's tools; without it our faces answer. */
  readonly jvm: ToolsJvm | undefined
  /** Where our faces are. */
  readonly bin: string
}

async function answerTo(teller: Teller, step: NamedStep): Promise<Played | undefined> {
  const { play, column, files, cluster, jvm, env } = teller
  // On Apache's machine there is none of ours, but what a later step looks at is to happen all the same.
  const isElsewhere = step.old?.isLocal === true && column === 'face'
  const typed = step.old !== undefined && (jvm !== undefined || isElsewhere) ? substitute(step, step.old) : step
  if (typed === undefined) return undefined
  const tool = typed.tool ?? play.tool
  const args = argumentsOf(play, typed).map((word) => {
    return word.replaceAll('ADDRESS', cluster.address).replaceAll('DIR/', `${files}/`).replaceAll('DATA/', `${cluster.data}/`).replace(/^DATA$/, cluster.data)
  })
  const { input, timeoutMs = STEP_MS } = typed
  const visits = cluster.visits?.() ?? 0
  let answer: Answer
  if (jvm !== undefined && typed.isAlone !== true && typed.env === undefined) answer = await jvm.run({ name: classOfTool(tool), args, input, timeoutMs })
  else {
    const peer = jvm === undefined ? face(teller.bin, tool) : kafkaTool(tool)
    answer = await ended([...peer, ...args], { cwd: files, env: { ...env, ...typed.env }, input, timeoutMs })
  }
  if ((column === 'apache' || column === 'face') && !ONLY_READS.test(typed.name)) await delay(SETTLE_MS)
  if (isElsewhere) return undefined
  const isOnline = jvm === undefined && (cluster.visits?.() ?? 0) > visits
  return { ...maskedAnswer(teller, step, answer), isOnline }
}

/** What Apache's tool is told instead of a spelling that it doesn't know. */
function substitute(step: NamedStep, { sameAs, tool }: OldSpelling): NamedStep | undefined {
  return sameAs === undefined ? undefined : { ...step, bare: false, words: sameAs, ...(tool === undefined ? {} : { tool }) }
}

function argumentsOf({ tool, address = 'first' }: Play, step: Step): readonly string[] {
  const words = wordsOf(step.words)
  if (step.bare === true || address === 'none') return words
  const server = ['--bootstrap-server', 'ADDRESS']
  // Another tool's step is a preparation; all that are used for it take the address in front.
  return address === 'last' && (step.tool ?? tool) === tool ? [...words, ...server] : [...server, ...words]
}

function maskedAnswer({ play, files, cluster }: Teller, step: NamedStep, answer: Answer): Answer {
  const apply = (text: string): string => {
    const named = text.replaceAll(cluster.data, 'DATA')
    const general = masked(named, cluster.address, files)
    const special = (step.mask ?? { apply: (it: string) => it }).apply((play.mask ?? { apply: (it: string) => it }).apply(general))
    return step.isUnordered === true ? special.split('\n').sort().join('\n') : special
  }
  const stdout = step.json === undefined ? answer.stdout : sortedJson(answer.stdout, step.json === 'unordered')
  return { exit: answer.exit, stdout: apply(stdout), stderr: apply(answer.stderr) }
}

/** Our face of a tool: main.js under its name. */
function face(bin: string, tool: KafkaTool): readonly string[] {
  const [node, main] = ktool()
  mkdirSync(bin, { recursive: true })
  try {
    symlinkSync(main, join(bin, tool))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  return [node, join(bin, tool)]
}

interface Circumstances {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly input: string | undefined
  readonly timeoutMs: number
}

function ended([command, ...args]: readonly string[], { cwd, env, input = '', timeoutMs }: Circumstances): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env })
    let stdout = ''
    let stderr = ''
    let isLate = false
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
    child.stdin.on('error', () => undefined) // it may end without reading
    child.stdin.end(input)
    const late = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, timeoutMs)
    child.once('error', reject)
    child.once('close', (exit) => {
      clearTimeout(late)
      resolve({ exit: isLate ? -2 : exit, stdout, stderr })
    })
  })
}
