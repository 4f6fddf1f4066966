// Plays the same commands against two clusters and compares what they said: Apache Kafka's answer is the expected one.

import { expect } from 'vitest'
import { kafkaTools, type Peer, run, toolAnswer, toolLine } from './peers.ts'

export interface Step {
  /** What is typed, for the report; unique within a play. */
  readonly name: string
  readonly peer: Peer
  /** ADDRESS stands for the cluster's HOST:PORT. */
  readonly args: readonly string[]
  readonly input?: string | undefined
  readonly env?: NodeJS.ProcessEnv
  /** What may differ: applied to both streams, after the general masks. */
  readonly mask?: (text: string) => string
  /** Whether lines may come in any order. */
  readonly isUnordered?: boolean
}

export interface Played {
  readonly name: string
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** `settleMs`: to wait behind each step. Apache's brokers learn of a change a little after it is answered; we know it at once. */
export function play(steps: readonly Step[], address: string, settleMs = 0): Played[] {
  return steps.map((step) => {
    const { status, stdout, stderr } = run(step.peer, argumentsOf(step, address), {
      input: step.input ?? '',
      env: step.env,
      timeoutMs: 120_000,
    })
    if (settleMs > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, settleMs)
    return playedOf(step, address, status, stdout, stderr)
  })
}

const TOOL_MS = 120_000

/** The same of Apache's tools, all in one JVM (java/Tools.java): the class is the last word of the peer. */
export function playTools(steps: readonly Step[], address: string, settleMs = 0): Played[] {
  const lines = steps.map((step) => {
    const name = step.peer[step.peer.length - 1]
    return toolLine({ name, args: argumentsOf(step, address), input: step.input, timeoutMs: TOOL_MS })
  })
  const { stdout, stderr } = run(kafkaTools(), [String(settleMs)], { input: lines.join(''), timeoutMs: 600_000 })
  const answers = stdout.toString().trimEnd().split('\n')
  if (answers.length !== steps.length) throw new Error(`${answers.length} of ${steps.length} tools answered:\n${stderr.toString()}`)
  return steps.map((step, index) => {
    const { exit, stdout, stderr } = toolAnswer(answers[index])
    return playedOf(step, address, exit, stdout, stderr)
  })
}

function argumentsOf({ args }: Step, address: string): string[] {
  return args.map((arg) => arg.replaceAll('ADDRESS', address))
}

function playedOf(step: Step, address: string, exit: number | null, stdout: Buffer, stderr: Buffer): Played {
  const { name, mask = (text: string) => text, isUnordered = false } = step
  const seen = (bytes: Buffer) => {
    const text = mask(general(bytes.toString(), address))
    return isUnordered ? text.split('\n').sort().join('\n') : text
  }
  return { name, exit, stdout: seen(stdout), stderr: seen(stderr) }
}

/** One comparison a step, so that all differences are seen at once. KTOOL_SHOW=1 prints what was said. */
export function expectSame(ours: readonly Played[], theirs: readonly Played[]): void {
  if (process.env.KTOOL_SHOW) {
    for (const { name, exit, stdout, stderr } of ours) process.stdout.write(`$ ${name}\n${stdout.slice(0, 1500)}${stderr}-> ${exit}\n`)
  }
  for (const [index, played] of ours.entries()) expect.soft(played, played.name).toEqual(theirs[index])
}

/** Addresses, ids, Java's log lines and where in a stack something happened are no part of an answer. */
function general(text: string, address: string): string {
  const [host, port] = address.split(':')
  return text
    .replaceAll(address, 'ADDRESS')
    .replaceAll(new RegExp(`${host}:?\\D{0,8}${port}`, 'g'), 'ADDRESS')
    .replaceAll(/(?<=TopicId: |"topicId":"|, id )[\w-]{22}/gi, 'TOPIC-ID')
    .replaceAll(/(?<=cluster ?id"?: ?"?)[\w-]{22}/gi, 'CLUSTER-ID')
    .replaceAll(/(?<=^(acting|dry run) on ADDRESS, cluster )[\w-]{22}/gm, 'CLUSTER-ID')
    .replaceAll(/^\s+at [\w.$]+.*\n/gm, '')
    .replaceAll(/^(Picked up|OpenJDK|SLF4J).*\n/gm, '')
    .replaceAll(/^\[\d{4}-\d\d-\d\d [\d:,]+\] /gm, '[TIME] ')
}
