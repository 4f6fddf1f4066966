// Our own daemon, as a user starts it: the built bin in a process of its own.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Peer } from './peers.ts'

// KTOOL_MAIN: another build than this work tree's.
const MAIN = process.env.KTOOL_MAIN ?? new URL('../../../dist/main.js', import.meta.url).pathname
const START_MS = 20_000
const STOP_MS = 20_000

export interface OurBroker {
  /** HOST:PORT. */
  readonly address: string
  readonly pid: number
  /** What it said on stderr so far. */
  said(): string
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** The ktool command of this work tree, which must have been built. */
export function ktool(): Peer {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: npm run build`)
  return [process.execPath, MAIN]
}

/** Environment for ktool in tests: no broker of the user's, no start of one, no colour. */
export function ktoolEnv(home: string): NodeJS.ProcessEnv {
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_STATE_HOME: home, XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: home }
  return { ...env, KTOOL_AUTO_START: '0', NO_COLOR: '1', FORCE_COLOR: undefined, NODE_EXTRA_CA_CERTS: undefined }
}

/** `args` follow `broker run`: --ephemeral, or --data-dir DIR; without listeners of their own also `--port 0`. */
export async function startBroker(args: readonly string[], env: NodeJS.ProcessEnv): Promise<OurBroker> {
  const [command, ...first] = ktool()
  const port = args.some((arg) => arg === '--config' || arg.startsWith('listeners=')) ? [] : ['--port', '0']
  const child = spawn(command, [...first, 'broker', 'run', ...port, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env })
  let text = ''
  const address = await new Promise<string>((resolve, reject) => {
    const fail = (what: string) => {
      child.kill('SIGKILL')
      reject(new Error(`the broker ${what}:\n${text}`))
    }
    const late = setTimeout(() => fail(`does not listen after ${START_MS} ms`), START_MS)
    child.once('exit', (code) => fail(`ended with ${code}`))
    createInterface(child.stderr).on('line', (line) => {
      text += `${line}\n`
      const found = /listening on (\S+:\d+)/.exec(line)
      if (found === null) return
      clearTimeout(late)
      child.removeAllListeners('exit')
      resolve(found[1])
    })
  })
  return {
    address,
    pid: child.pid ?? -1,
    said: () => text,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await exit
      clearTimeout(late)
    },
  }
}
