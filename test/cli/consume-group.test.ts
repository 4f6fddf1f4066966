// `ktool consume --group` from the outside: the built bin, real pipes, real signals.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main, Sandbox } from './sandbox.ts'

const sandbox = new Sandbox()
const LINES = 5_000
const line = (number: number): string => `${String(number).padStart(6, '0')} ${'x'.repeat(92)}`

beforeAll(async () => {
  await sandbox.broker('--ephemeral', '--topic', 't:1', '--topic', 'u:3', '--property', 'group.initial.rebalance.delay.ms=0')
  const input = `${Array.from({ length: LINES }, (_, i) => line(i)).join('\n')}\n`
  await sandbox.run(['produce', '--topic', 't'], { input })
  await sandbox.run(['produce', '--topic', 'u'], { input: '1\n2\n3\n' })
}, 30_000)
afterAll(() => sandbox.close())

async function committed(group: string): Promise<number> {
  const { stdout } = await sandbox.run(['groups', '--describe', '--group', group, '--json'])
  const [described] = (JSON.parse(stdout) as { groups: { state: string; offsets: { offset: number }[] }[] }).groups
  expect(described.state).toBe('Empty')
  return described.offsets.reduce((sum, { offset }) => sum + offset, 0)
}

function start(words: readonly string[]) {
  return spawn(process.execPath, [main, 'consume', ...words], { env: sandbox.env, stdio: ['ignore', 'pipe', 'ignore'] })
}

describe('ktool consume --group', () => {
  it('goes on where it stopped, and --no-commit looks without moving it', async () => {
    const first = await sandbox.run(['consume', '--group', 'a', '--topic', 't', '--from-beginning', '--max-messages', '3'])
    expect(first).toMatchObject({ code: 0, stdout: `${[0, 1, 2].map(line).join('\n')}\n`, stderr: 'Processed a total of 3 messages\n' })
    expect(await committed('a')).toBe(3)
    const peek = ['consume', '--group', 'a', '--topic', 't', '--no-commit', '-n', '2']
    expect((await sandbox.run(peek)).stdout).toBe(`${[3, 4].map(line).join('\n')}\n`)
    expect(await committed('a')).toBe(3)
    const rest = await sandbox.run(['consume', '--consumer-property', 'group.id=a', '--topic', 't', '--exit-at-end'])
    expect(rest.stdout.split('\n').slice(0, -1)).toEqual(Array.from({ length: LINES - 3 }, (_, i) => line(i + 3)))
    expect(await committed('a')).toBe(LINES)
  })

  it('commits what went through a pipe that broke, to the record', async () => {
    const { stdout } = await sandbox.shell(`ktool consume --group b --topic t --from-beginning --exit-at-end | head -c 150000 | wc -l`)
    expect(Number(stdout)).toBe(1_500)
    const position = await committed('b')
    // What head read, and what the pipe held for nobody.
    expect(position).toBeGreaterThanOrEqual(1_500)
    expect(position).toBeLessThan(LINES)
    const { stdout: rest } = await sandbox.run(['consume', '--group', 'b', '--topic', 't', '--exit-at-end'])
    expect(rest.split('\n').slice(0, -1)).toEqual(Array.from({ length: LINES - position }, (_, i) => line(position + i)))
  })

  it.each([['SIGINT', 130], ['SIGTERM', 143]] as const)('commits and leaves the group at %s', async (signal, code) => {
    const child = start(['--group', signal, '--topic', 'u', '--from-beginning'])
    let seen = ''
    for await (const chunk of child.stdout) if ((seen += String(chunk)).length === 6) break
    const ended = once(child, 'exit')
    child.kill(signal)
    expect(await ended).toEqual([code, null])
    expect(await committed(signal)).toBe(3)
  })

  it('commits only what was taken by a reader that takes no more, when it is interrupted', async () => {
    const child = start(['--group', 'stuck', '--topic', 't', '--from-beginning', '--consumer-property', 'auto.commit.interval.ms=100'])
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk)).pause()
    await expect.poll(async () => (await sandbox.run(['groups', '--describe', '--group', 'stuck'])).stdout, { timeout: 15_000 }).toMatch(/ [1-9]\d+ +5000 /)
    const ended = once(child, 'close') // what lay in the pipe is read then
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    const position = await committed('stuck')
    expect(position).toBeLessThan(LINES)
    const whole = Buffer.concat(chunks).toString().split('\n').slice(0, -1)
    expect(whole).toEqual(Array.from({ length: position }, (_, i) => line(i)))
  })

  it('reads several topics', async () => {
    const { stdout } = await sandbox.run(['consume', '--group', 'c', '--topic', 't,u', '--from-beginning', '--exit-at-end', '--json'])
    const topics = stdout.trimEnd().split('\n').map((text) => (JSON.parse(text) as { topic: string }).topic)
    expect([topics.filter((topic) => topic === 't').length, topics.filter((topic) => topic === 'u').length]).toEqual([LINES, 3])
  })

  it.each([
    [['--group', 'x', '--partition', '0'], 'Options group and partition cannot be specified together'],
    [['--group', 'x', '--offset', '-1'], 'Options group and offset cannot be specified together'],
    [['--group', 'x', '--consumer-property', 'group.id=y'], "--group says 'x', and the property group.id 'y'"],
    [['--group', 'x', '--from-beginning', '--consumer-property', 'auto.offset.reset=latest'], 'auto.offset.reset say different things'],
    [['--no-commit'], '--no-commit needs --group'],
  ])('refuses %j', async (words, text) => {
    const { stderr, code } = await sandbox.run(['consume', '--topic', 't', ...words])
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)])
  })
})
