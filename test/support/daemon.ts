// The built daemon in a process of its own, for what only a process shows: memory, and being killed. It ends with the test.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { temporaryDirectory } from './broker.ts'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Daemon {
  readonly port: number
  /** What it wrote to stderr so far. */
  readonly stderr: () => string
  /** Resident memory now, MB; Linux only. */
  readonly rss: () => number
  readonly isRunning: () => boolean
  /** kill -9, and gone when this resolves. */
  readonly kill: () => Promise<void>
}

/** With Kafka's `properties`, on `directory` or on one of its own. */
export async function startDaemon(properties: Readonly<Record<string, string>> = {}, directory = temporaryDirectory()): Promise<Daemon> {
  const home = temporaryDirectory()
  const env = { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: home, TMPDIR: home }
  const overrides = Object.entries({ listeners: 'PLAINTEXT://127.0.0.1:0', ...properties }).flatMap(([key, value]) => ['--property', `${key}=${value}`])
  const child = spawn(process.execPath, [MAIN, 'broker', 'run', '--data-dir', directory, ...overrides], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exit = once(child, 'close')
  let text = ''
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /listening on [^\n]*:(\d+)\n/.exec(text)
      if (found) resolve(Number(found[1]))
    })
    void exit.then(() => reject(new Error(`the daemon ended: ${text}`)))
  })
  return {
    port,
    stderr: () => text,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    kill: async () => {
      child.kill('SIGKILL')
      await exit
    },
  }
}
