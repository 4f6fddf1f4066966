// 10 million lines of 100 bytes into one partition with `ktool produce` and back with `ktool consume`: the same bytes, and
// none of the three processes over 120 MB at its peak. `cmp` judges the bytes, the kernel the memory.

import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ktool, ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'

const LINES = 10_000_000
const LINE_BYTES = 100 // the newline included
const MOST_MB = 120

const directory = mkdtempSync(join(tmpdir(), 'ktool-ten-million-'))
const env = ktoolEnv(directory)
const input = join(directory, 'input')
let broker: OurBroker | undefined

beforeAll(async () => {
  writeLines()
  broker = await startBroker(['--data-dir', join(directory, 'data'), '--topic', 'lines:1'], env)
})

afterAll(async () => {
  await broker?.stop()
  rmSync(directory, { recursive: true, force: true })
})

test('10 million lines come back byte for byte, in little memory', () => {
  const output = join(directory, 'output')
  const produce = timed(['produce', '--topic', 'lines'], input, undefined)
  const consume = timed(['consume', '--topic', 'lines', '--from-beginning', '--exit-at-end'], undefined, output)
  expect(spawnSync('cmp', [input, output], { encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '', stderr: '' })
  const brokerMb = peakMb(readFileSync(`/proc/${broker?.pid ?? 0}/status`, 'utf8'))
  console.log(`produce ${produce.seconds} s, ${produce.mb} MB; consume ${consume.seconds} s, ${consume.mb} MB; broker ${brokerMb} MB`)
  expect(Math.max(produce.mb, consume.mb, brokerMb)).toBeLessThan(MOST_MB)
})

/** Runs ktool; its seconds, and its peak memory as GNU time reports it. */
function timed(args: readonly string[], stdin: string | undefined, stdout: string | undefined): { seconds: number; mb: number } {
  const report = join(directory, 'report')
  const files = [stdin === undefined ? undefined : openSync(stdin, 'r'), stdout === undefined ? undefined : openSync(stdout, 'w')]
  const [command, ...first] = ktool()
  const all = ['-f', '%e %M', '-o', report, command, ...first, ...args, '--bootstrap-server', broker?.address ?? '']
  const { status, stderr } = spawnSync('/usr/bin/time', all, {
    env,
    stdio: [files[0] ?? 'ignore', files[1] ?? 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  for (const file of files) if (file !== undefined) closeSync(file)
  expect(status, stderr).toBe(0)
  const [seconds = NaN, kib = NaN] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
  return { seconds, mb: Math.round((kib * 1024) / 1e6) }
}

function peakMb(status: string): number {
  return Math.round((Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6)
}

/** Lines that differ: the number of each, and bytes made from it. */
function writeLines(): void {
  const file = openSync(input, 'w')
  const perChunk = 10_000
  const filler = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_'.repeat(4))
  const chunk = Buffer.alloc(perChunk * LINE_BYTES)
  for (let line = 0; line < LINES; line++) {
    const at = (line % perChunk) * LINE_BYTES
    chunk.write(String(line).padStart(12, '0'), at, 'latin1')
    filler.copy(chunk, at + 12, line % 64, (line % 64) + LINE_BYTES - 13)
    chunk[at + LINE_BYTES - 1] = 10
    if (line % perChunk === perChunk - 1) writeSync(file, chunk)
  }
  closeSync(file)
}
