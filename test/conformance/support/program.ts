// A foreign program that runs beside the test: its lines as they come, and its end.

import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import type { Peer } from './peers.ts'

export interface Program {
  readonly pid: number
  /** Of standard output. */
  readonly lines: readonly string[]
  /** Undefined while it runs. */
  ended(): { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined
  /** Its last words on stderr. */
  complaint(): string
  /** Ends it, and waits for that. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export interface ProgramOptions {
  readonly cwd?: string
  /** File that its stderr is appended to. */
  readonly log?: string
}

export function start([command, ...first]: Peer, args: readonly string[], options: ProgramOptions = {}): Program {
  const child = spawn(command, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: options.cwd })
  const lines: string[] = []
  let complaint = ''
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  child.stderr.on('data', (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-8000)
    if (options.log !== undefined) appendFileSync(options.log, chunk)
  })
  let end: { code: number | null; signal: NodeJS.Signals | null } | undefined
  const closed = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      complaint += error.message
      end = { code: -1, signal: null }
      resolve()
    })
    child.once('close', (code, signal) => {
      end ??= { code, signal }
      resolve()
    })
  })
  return {
    pid: child.pid ?? -1,
    lines,
    ended: () => end,
    complaint: () => complaint,
    stop: async (signal = 'SIGTERM') => {
      if (end !== undefined) return
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
      await closed
      clearTimeout(late)
    },
  }
}

/** Waits until `isDone`; throws after `limitMs`, and as soon as one of the programs ended otherwise than with 0. */
export async function until(what: string, programs: readonly Program[], limitMs: number, isDone: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + limitMs
  while (!(await isDone())) {
    for (const program of programs) {
      const end = program.ended()
      if (end !== undefined && end.code !== 0) {
        throw new Error(`before ${what} a program ended with ${end.code ?? end.signal}:\n${program.complaint()}\n${program.lines.slice(-3).join('\n')}`)
      }
    }
    if (Date.now() > deadline) {
      const said = programs.map((program) => `${program.complaint().slice(-3000)}\n${program.lines.slice(-3).join('\n')}`)
      throw new Error(`${what} did not come in ${limitMs} ms\n${said.join('\n')}`)
    }
    await delay(20)
  }
}
