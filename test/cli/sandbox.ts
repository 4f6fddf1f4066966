// A ktool of its own for a test: the built bin, with data, log and control socket in a directory that goes away.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'dist', 'main.js')

export interface Result {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Sandbox {
  readonly directory = mkdtempSync(join(tmpdir(), 'ktool-cli-'))
  readonly env: NodeJS.ProcessEnv

  constructor() {
    // What vitest and the machine put into the environment must not matter.
    const outside = /^(KTOOL|KAFKA|VITEST|XDG)_|^(BOOTSTRAP_SERVERS|NODE_ENV|NODE_EXTRA_CA_CERTS|NO_COLOR|FORCE_COLOR|CI|TEST)$/
    this.env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !outside.test(name)))
    for (const name of ['RUNTIME_DIR', 'DATA_HOME', 'STATE_HOME', 'CONFIG_HOME']) this.env[`XDG_${name}`] = join(this.directory, name)
    Object.assign(this.env, { TMPDIR: this.directory, KTOOL_AUTO_START: '0', TERM: 'xterm' })
  }

  /** Starts a broker on a free port; its HOST:PORT. */
  async broker(...words: string[]): Promise<string> {
    const { stdout, stderr, code } = await this.run(['broker', 'start', '--port', '0', ...words])
    if (code !== 0) throw new Error(`no broker: ${stderr}`)
    return stdout.trim()
  }

  run(words: readonly string[], options: { input?: string; env?: NodeJS.ProcessEnv; cwd?: string } = {}): Promise<Result> {
    const { cwd, input } = options
    return this.#finish(spawn(process.execPath, [main, ...words], { env: { ...this.env, ...options.env }, cwd }), input)
  }

  /** A line of bash, with `ktool` in it. */
  shell(line: string): Promise<Result> {
    const script = `ktool() { '${process.execPath}' '${main}' "$@"; }; ${line}`
    return this.#finish(spawn('bash', ['-c', script], { env: this.env }))
  }

  /** The same in a terminal, its two streams together; `keys` are typed once the text `at` is there. */
  terminal(line: string, typed?: { at: string; keys: string }): Promise<Result> {
    const script = `ktool() { '${process.execPath}' '${main}' "$@"; }; ${line}`
    const child = spawn('script', ['-qec', `bash -c ${quote(script)}`, '/dev/null'], { env: this.env })
    let seen = ''
    let isTyped = false
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.toString()
      if (typed === undefined || isTyped || !seen.includes(typed.at)) return
      isTyped = true
      child.stdin.write(typed.keys)
    })
    return this.#finish(child, undefined, typed !== undefined)
  }

  /** Stops what runs and removes everything. */
  close(): void {
    const stop = (...words: string[]) => spawnSync(process.execPath, [main, 'broker', 'stop', ...words], { env: this.env, encoding: 'utf8' })
    // One that is not in the usual place is told, and stopped by its address.
    for (let other = stop(); other.status === 3; other = stop()) {
      const address = /`ktool broker stop -b (\S+)`/.exec(other.stderr)?.[1]
      if (address === undefined || stop('-b', address).status !== 0) break
    }
    rmSync(this.directory, { recursive: true, force: true })
  }

  #finish(child: ReturnType<typeof spawn>, input?: string, keepsInput = false): Promise<Result> {
    return new Promise((resolve, reject) => {
      let stdout = ''
      let stderr = ''
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
      child.once('error', reject)
      child.once('close', (code, signal) => resolve({ stdout, stderr, code, signal }))
      child.stdin?.on('error', () => undefined) // it may end without reading
      if (!keepsInput) child.stdin?.end(input ?? '')
    })
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
