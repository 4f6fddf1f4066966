// The daemon is killed with SIGKILL in the middle of a produce run, twenty times, on one data directory. Whatever
// confluent-kafka's delivery callback acknowledged must be there afterwards: once, at its offset, in order.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'

const ROUNDS = 20
const TOPIC = 'crash'
const MAIN = new URL('../../dist/main.js', import.meta.url).pathname
const CLIENT = new URL('crash-kill.py', import.meta.url).pathname

const running = new Set<ChildProcess>()
let directory = ''

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL')
  if (directory !== '') await rm(directory, { recursive: true, force: true })
})

function start(command: string, args: readonly string[]): ChildProcess {
  const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, XDG_RUNTIME_DIR: directory } })
  running.add(child)
  child.on('exit', () => running.delete(child))
  return child
}

/** Resolves with the port when the daemon answers. */
function startBroker(port: number): Promise<{ daemon: ChildProcess; port: number }> {
  const data = join(directory, 'data')
  const daemon = start(process.execPath, [MAIN, 'broker', 'run', '--data-dir', data, '--port', `${port}`, '--topic', `${TOPIC}:3`])
  let log = ''
  return new Promise((resolve, reject) => {
    daemon.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      const found = /listening on [^\n]*:(\d+)\n/.exec(log)
      if (found) resolve({ daemon, port: Number(found[1]) })
    })
    daemon.on('exit', () => reject(new Error(`the broker did not start:\n${log}`)))
  })
}

async function outputOf(child: ChildProcess): Promise<string> {
  let output = ''
  let errors = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the client failed:\n${errors}`)
  return output
}

test(`what was acknowledged survives ${ROUNDS} kills, once and in order`, async () => {
  directory = await mkdtemp(join(tmpdir(), 'ktool-crash-'))
  let { daemon, port } = await startBroker(0)
  const acknowledged: string[] = []
  let sent = 0
  for (let round = 0; round < ROUNDS; round++) {
    const acks = join(directory, `acks-${round}`)
    const client = start('python3', [CLIENT, 'produce', `127.0.0.1:${port}`, TOPIC, `${sent}`, acks])
    const count = outputOf(client)
    await sleep(300 + Math.random() * 700)
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    ;({ daemon, port } = await startBroker(port))
    await sleep(200)
    client.stdin?.end()
    sent += Number(await count)
    acknowledged.push(...(await readFile(acks, 'utf8')).split('\n').filter((line) => line !== ''))
  }
  const stored = (await outputOf(start('python3', [CLIENT, 'read', `127.0.0.1:${port}`, TOPIC]))).trim().split('\n')
  daemon.kill('SIGTERM')
  expect((await once(daemon, 'exit'))[0]).toBe(0)

  const present = new Set(stored)
  expect(acknowledged.filter((line) => !present.has(line)), 'acknowledged, and lost').toEqual([])
  const records = stored.map((line) => line.split(' ').map(Number))
  const values = records.map(([, , value]) => value)
  expect(new Set(values).size, 'records that are there twice').toBe(values.length)
  for (let i = 1; i < records.length; i++) {
    if (records[i][0] !== records[i - 1][0]) continue
    expect(records[i][1], 'offsets').toBe(records[i - 1][1] + 1)
    expect(records[i][2], 'order of values').toBeGreaterThan(records[i - 1][2])
  }
  console.log(`${sent} sent, ${acknowledged.length} acknowledged, ${stored.length} stored, over ${ROUNDS} kills`)
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 100)
})
