// The built daemon as a process: starts that must be refused and harm nothing, ends of every kind, its control socket.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

let home = ''
const children: ChildProcess[] = []
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ktool-daemon-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

interface Daemon {
  readonly child: ChildProcess
  /** Undefined when it ended instead. */
  readonly port: number | undefined
  readonly stderr: () => string
  readonly exit: Promise<number | null>
}

async function run(...flags: string[]): Promise<Daemon> {
  const env = { PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: home, TMPDIR: home }
  const child = spawn(process.execPath, [MAIN, 'broker', 'run', ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let text = ''
  const exit = once(child, 'close').then(([code]) => code as number | null)
  const ready = new Promise<number>((resolve) =>
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /listening on [^\n]*:(\d+)\n/.exec(text)
      if (found) resolve(Number(found[1]))
    }),
  )
  const port = await Promise.race([ready, exit.then(() => undefined)])
  return { child, port, stderr: () => text, exit }
}

async function expectRefused(line: RegExp, ...flags: string[]): Promise<void> {
  await expectExit(1, line, ...flags)
}

async function expectExit(code: number, line: RegExp, ...flags: string[]): Promise<void> {
  const { port, stderr, exit } = await run(...flags)
  expect(port).toBeUndefined()
  expect(await exit).toBe(code)
  expect(stderr()).toMatch(line)
  expect(stderr().trimEnd().split('\n')).toHaveLength(1)
}

async function isAnswering(port: number | undefined): Promise<boolean> {
  const socket = connect(port ?? 0, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 255, 255]))
  const answered = await Promise.race([once(socket, 'data').then(() => true), once(socket, 'close').then(() => false)])
  socket.destroy()
  return answered
}

describe('a start is refused with one line', () => {
  test('on a directory or a port that another one has, which goes on', async () => {
    const data = join(home, 'data')
    const first = await run('--data-dir', data, '--port', '0')
    await expectRefused(/another broker runs on this directory/, '--data-dir', data, '--port', '0')
    await expectRefused(/port \d+ is in use/, '--data-dir', join(home, 'other'), '--port', `${first.port}`)
    expect(await isAnswering(first.port)).toBe(true)
    first.child.kill('SIGTERM')
    expect(await first.exit).toBe(0)
    const other = await run('--data-dir', join(home, 'other'), '--port', '0')
    expect(await isAnswering(other.port)).toBe(true)
  })

  test('on a directory of a newer version, or of something else, which stays as it is', async () => {
    const newer = join(home, 'newer')
    const foreign = join(home, 'foreign')
    mkdirSync(newer)
    mkdirSync(foreign)
    writeFileSync(join(newer, 'meta.properties'), 'version=9\ncluster.id=abc\nnode.id=1\n')
    writeFileSync(join(foreign, 'letter.txt'), 'dear')
    await expectRefused(/version 9/, '--data-dir', newer, '--port', '0')
    await expectRefused(/letter\.txt/, '--data-dir', foreign, '--port', '0')
    expect(readdirSync(foreign)).toContain('letter.txt')
    expect(readdirSync(newer)).toContain('meta.properties')
  })

  test('for a TLS listener without a certificate, and for a topic that cannot be', async () => {
    const listener = ['--property', 'listeners=SSL://127.0.0.1:0']
    await expectExit(2, /listener SSL.*needs a certificate/, '--data-dir', join(home, 'a'), ...listener)
    await expectRefused(/topic a b can't be created/, '--data-dir', join(home, 'b'), '--port', '0', '--topic', 'a b')
  })
})

describe('an end', () => {
  test('by SIGKILL leaves a directory and a socket that the next start takes over', async () => {
    const flags = ['--data-dir', join(home, 'data'), '--port', '0', '--topic', 't:2']
    const first = await run(...flags)
    first.child.kill('SIGKILL')
    await first.exit
    const second = await run(...flags)
    expect(await isAnswering(second.port)).toBe(true)
    second.child.kill('SIGINT')
    expect(await second.exit).toBe(0)
  })

  test('of an ephemeral broker takes its directory along', async () => {
    const daemon = await run('--ephemeral', '--port', '0')
    const directory = /data in (\S+)/.exec(daemon.stderr())?.[1] ?? ''
    expect(existsSync(directory)).toBe(true)
    daemon.child.kill('SIGTERM')
    expect(await daemon.exit).toBe(0)
    expect(existsSync(directory)).toBe(false)
  })
})

test("the control socket is its owner's alone, and answers nonsense politely", async () => {
  const { port } = await run('--data-dir', join(home, 'data'), '--port', '0')
  const name = readdirSync(join(home, 'ktool')).find((entry) => entry.endsWith('.sock')) ?? ''
  const path = join(home, 'ktool', name)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const ask = async (line: string): Promise<string> => {
    const socket = connect(path)
    socket.on('error', () => undefined)
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.write(line)
    await new Promise<void>((resolve) => socket.on('close', () => resolve()))
    return text
  }
  expect(JSON.parse(await ask('{"command":"dance"}\n'))).toEqual({ ok: false, message: 'unknown command' })
  expect(JSON.parse(await ask('nonsense\n'))).toMatchObject({ ok: false })
  expect(await ask('x'.repeat(200_000))).toBe('')
  expect(JSON.parse(await ask('{"command":"status"}\n'))).toMatchObject({ ok: true, status: { partitions: 0 } })
  expect(await isAnswering(port)).toBe(true)
})
