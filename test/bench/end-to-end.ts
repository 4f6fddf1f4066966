// What the end-to-end benches share: an ephemeral broker of the built bin, lines in a file, and programs run to their end.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const MAIN = new URL('../../dist/main.js', import.meta.url).pathname
export const LINES = Number(process.env.KTOOL_BENCH_LINES ?? 1_000_000)

// Node 20 reads the extra certificates at each start, 33 ms, which would be measured.
const env = { ...process.env, NODE_EXTRA_CA_CERTS: '' }

export interface Broker {
  readonly address: string
  stop(): void
}

export function startBroker(): Promise<Broker> {
  const child = spawn(process.execPath, [MAIN, 'broker', 'run', '--ephemeral', '--port', '0'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      const found = /listening on (\S+:\d+)/.exec(said)
      if (found) resolve({ address: found[1], stop: () => child.kill('SIGTERM') })
    })
    child.on('exit', () => reject(new Error(`no broker: ${said}`)))
  })
}

/** A file of LINES lines of 100 bytes, the newline among them. */
export function linesFile(): string {
  const path = join(mkdtempSync(join(tmpdir(), 'ktool-bench-')), 'lines')
  const filling = 'the quick brown fox jumps over the lazy dog, '.repeat(3)
  const part = (from: number, to: number) => {
    let text = ''
    for (let i = from; i < to; i++) text += `${`${i} ${filling}`.slice(0, 99)}\n`
    return text
  }
  writeFileSync(path, '')
  for (let from = 0; from < LINES; from += 100_000) writeFileSync(path, part(from, Math.min(LINES, from + 100_000)), { flag: 'a' })
  return path
}

/** Runs a program with stdin from `input` and stdout to /dev/null; throws when it fails. */
export function run(program: string, args: readonly string[], input = '/dev/null'): void {
  const stdio = [openSync(input, 'r'), openSync('/dev/null', 'w'), 'pipe'] as const
  const { status, stderr } = spawnSync(program, args, { env, stdio: [...stdio] })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${String(status)} ${stderr.toString()}`)
}
