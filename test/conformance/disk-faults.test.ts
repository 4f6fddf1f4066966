// The built daemon on disks that are full, read-only or failing: a small tmpfs, and strace, which makes a system call fail.
// What was acknowledged is there afterwards, and one line says what is wrong. Needs root for mounts, and strace.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, openSync, closeSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { ktool, ktoolEnv, startBroker } from './support/broker.ts'

const home = mkdtempSync(join(tmpdir(), 'ktool-disk-faults-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const env = ktoolEnv(home)
let directories = 0
const directory = () => join(home, `d${directories++}`)

const canMount = (() => {
  const probe = join(home, 'probe')
  mkdirSync(probe)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe]).status !== 0) return false
  return spawnSync('umount', [probe]).status === 0
})()
const canTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0
if (!canMount) console.log('skipped: full and read-only disks, because this user may not mount')
if (!canTrace) console.log('skipped: failing system calls, because strace is missing or may not trace')

interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

async function run(words: readonly string[], input = ''): Promise<Result> {
  const [command, ...first] = ktool()
  const child = spawn(command, [...first, ...words], { env })
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()))
  child.stdin.on('error', () => undefined).end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(late)
  return { code, out, err }
}

const produce = (address: string, topic: string, lines: readonly string[]) => {
  const properties = ['delivery.timeout.ms=3000', 'request.timeout.ms=1500', 'linger.ms=0', 'batch.size=16384']
  const flags = properties.flatMap((property) => ['--command-property', property])
  return run(['produce', '-b', address, '--topic', topic, ...flags], lines.map((line) => `${line}\n`).join(''))
}
const consume = (address: string, topic: string) => run(['consume', '-b', address, '--topic', topic, '--from-beginning', '--exit-at-end'])
const linesOf = ({ out }: Result) => out.split('\n').slice(0, -1)
const numbered = (count: number, size: number) => Array.from({ length: count }, (_, i) => `${i}`.padEnd(size, '.'))

/** A tmpfs of so many MiB; gone with the test. */
function smallDisk(size: number): string {
  const mountPoint = directory()
  mkdirSync(mountPoint)
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', mountPoint]).status).toBe(0)
  onTestFinished(() => void spawnSync('umount', ['-l', mountPoint]))
  return mountPoint
}

function fillUp(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(64 * 1024))
  } catch (error) {
    expect(error).toMatchObject({ code: 'ENOSPC' })
  } finally {
    closeSync(file)
  }
}

function sums(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(path, name)).isFile())
    .map((name) => `${name} ${createHash('sha256').update(readFileSync(join(path, name))).digest('hex')}`)
    .sort()
}

describe.skipIf(!canMount)('a disk', () => {
  test('that fills up keeps what it acknowledged, serves reads and deletions, and goes on when there is room', async () => {
    const disk = smallDisk(12)
    const options = ['--data-dir', join(disk, 'data'), '--topic', 'a', '--topic', 'ballast']
    const settings = ['log.segment.bytes=1048576', 'log.segment.delete.delay.ms=100'].flatMap((text) => ['--property', text])
    const broker = await startBroker([...options, ...settings], env)
    onTestFinished(() => broker.stop('SIGKILL'))
    expect((await produce(broker.address, 'ballast', numbered(3000, 1000))).code).toBe(0)
    const sent = numbered(9000, 1000)
    const full = await produce(broker.address, 'a', sent)
    expect(full.code).toBe(1)
    expect(full.err).toMatch(/no space left for a-0/)
    const acknowledged = Number(/(\d+) of \d+ records were acknowledged/.exec(full.err)?.[1])
    const stored = linesOf(await consume(broker.address, 'a'))
    expect(stored.length).toBeGreaterThanOrEqual(acknowledged)
    expect(stored).toEqual(sent.slice(0, stored.length))

    expect((await run(['topics', '-b', broker.address, '--delete', '--topic', 'ballast', '--yes'])).code).toBe(0)
    expect((await run(['topics', '-b', broker.address, '--create', '--topic', 'late'])).code).toBe(0)
    const more = await produce(broker.address, 'late', ['1', '2'])
    expect([more.code, linesOf(await consume(broker.address, 'late'))]).toEqual([0, ['1', '2']])

    fillUp(join(disk, 'brim'))
    await broker.stop() // checkpoints and the mark of a clean stop are written all the same
    expect(readdirSync(join(disk, 'data'))).toContain('.kafka_cleanshutdown')
    unlinkSync(join(disk, 'brim'))
    const again = await startBroker([...options, ...settings], env)
    onTestFinished(() => again.stop('SIGKILL'))
    expect(linesOf(await consume(again.address, 'a'))).toEqual(stored)
    expect(linesOf(await consume(again.address, 'late'))).toEqual(['1', '2'])
  })

  test('that is read-only starts no broker, in one line, and stays as it is', async () => {
    const disk = smallDisk(8)
    const data = join(disk, 'data')
    const broker = await startBroker(['--data-dir', data, '--topic', 'a'], env)
    await produce(broker.address, 'a', ['x'])
    await broker.stop()
    const before = sums(data)
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0)
    for (const path of [data, join(disk, 'new')]) {
      const { code, err } = await run(['broker', 'run', '--port', '0', '--data-dir', path])
      expect([code, err.trim().split('\n').length]).toEqual([1, 1])
      expect(err).toMatch(/the file system is read-only; mount it writable, or name another directory/)
    }
    expect(sums(data)).toEqual(before)
  })
})

describe.skipIf(!canTrace)('a daemon whose system call fails', () => {
  test.each(['fdatasync:error=EIO:when=4', 'fsync:error=EIO:when=3', 'pwrite64:error=EIO:when=9', 'pwrite64:error=EROFS:when=12'])(
    'stops at %s, says so, and the next start has what was acknowledged',
    async (fault) => {
      const data = directory()
      const first = await startBroker(['--data-dir', data, '--topic', 'a'], env)
      await first.stop()
      const words = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${fault.split(':')[0]}`, '-e', `inject=${fault}`]
      // strace counts a thread's calls: with one thread for the disk, the same call fails in every run.
      const options = { env: { ...env, UV_THREADPOOL_SIZE: '1' }, detached: true }
      const child = spawn('strace', [...words, ...ktool(), 'broker', 'run', '--port', '0', '--data-dir', data], options)
      let said = ''
      child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
      const ended = once(child, 'close') as Promise<[number | null]>
      // The whole group: a daemon without its strace would go on, and hold the pipe that `ended` waits for.
      const late = setTimeout(() => process.kill(-(child.pid ?? 0), 'SIGKILL'), 30_000)
      const address = await new Promise<string | undefined>((resolve) => {
        child.stderr.on('data', () => {
          const found = /listening on (\S+:\d+)/.exec(said)
          if (found !== null) resolve(found[1])
        })
        void ended.then(() => resolve(undefined))
      })
      const sent = numbered(400, 1000)
      let acknowledged = 0
      for (let at = 0; address !== undefined && child.exitCode === null && at < sent.length; at += 40) {
        const { code, err } = await produce(address, 'a', sent.slice(at, at + 40))
        if (code === 0) acknowledged = at + 40
        else {
          acknowledged += Number(/(\d+) of \d+ records were acknowledged/.exec(err)?.[1] ?? 0)
          break
        }
      }
      const [code] = await ended
      clearTimeout(late)
      expect(code).toBe(1)
      expect(said).toMatch(/ has failed: (EIO|EROFS): /)

      const second = await startBroker(['--data-dir', data], env)
      onTestFinished(() => second.stop('SIGKILL'))
      const stored = linesOf(await consume(second.address, 'a'))
      expect(stored.length).toBeGreaterThanOrEqual(acknowledged)
      expect(stored.slice(0, acknowledged)).toEqual(sent.slice(0, acknowledged))
    },
  )
})

test('a segment damaged between two lives is served up to there; then an error, at once; other partitions serve', async () => {
  const data = directory()
  const flags = ['--data-dir', data, '--topic', 'a', '--topic', 'b', '--property', 'log.segment.bytes=1048576']
  const first = await startBroker(flags, env)
  const sent = numbered(4000, 1000)
  await produce(first.address, 'a', sent)
  await produce(first.address, 'b', ['x'])
  await first.stop()
  const segment = join(data, 'a-0', '00000000000000000000.log')
  const file = openSync(segment, 'r+')
  writeSync(file, Buffer.from('damage'), 0, 6, 500_000)
  closeSync(file)
  const before = readFileSync(segment)

  const second = await startBroker(flags, env)
  onTestFinished(() => second.stop('SIGKILL'))
  const { code, out, err } = await consume(second.address, 'a')
  const got = linesOf({ code, out, err })
  expect(got.length).toBeGreaterThan(400)
  expect(got).toEqual(sent.slice(0, got.length))
  expect(code).toBe(1)
  expect(err).toMatch(new RegExp(`^ktool: The record at offset ${got.length} of a-0 is damaged on the broker`, 'm'))
  expect(linesOf(await consume(second.address, 'b'))).toEqual(['x'])
  expect(second.said().match(/ERROR .*00000000000000000000\.log is damaged at offset \d+/g)).toHaveLength(1)
  expect(readFileSync(segment)).toEqual(before)
})

test('killed again and again while it recovers, it has lost nothing', async () => {
  const data = directory()
  const flags = ['--data-dir', data, '--topic', 'a', '--property', 'log.segment.bytes=1048576']
  const first = await startBroker(flags, env)
  const sent = numbered(4000, 1000)
  expect((await produce(first.address, 'a', sent)).code).toBe(0)
  await first.stop('SIGKILL')
  for (const ms of [150, 200, 250, 300, 350, 400]) {
    const child = spawn(ktool()[0], [...ktool().slice(1), 'broker', 'run', '--port', '0', ...flags], { env, stdio: 'ignore' })
    const ended = once(child, 'close')
    setTimeout(() => child.kill('SIGKILL'), ms)
    await ended
  }
  const last = await startBroker(flags, env)
  onTestFinished(() => last.stop('SIGKILL'))
  expect(linesOf(await consume(last.address, 'a'))).toEqual(sent)
})
