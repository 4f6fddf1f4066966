// Completion: what could come next, and that the shells get it. The broker on this machine tells its names in time.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../commands/index.ts'
import { controlSocketName } from '../../src/base/control-messages.ts'
import { completions, localNames, type Names } from '../../src/cli/completion.ts'
import { Sandbox } from './sandbox.ts'

const NAMES: Names = {
  topics: (beginning) => Promise.resolve(['orders', 'orders-old', 'users'].filter((name) => name.startsWith(beginning))),
  groups: () => Promise.resolve(['billing']),
  contexts: () => Promise.resolve(['prod', 'staging']),
}

test.each([
  ['bro', ['broker']],
  ['broker st', ['start', 'status', 'stop']],
  ['topics ', ['alter', 'create', 'delete', 'describe', 'list']],
  ['topics de', ['delete', 'describe']],
  ['topics describe o', ['orders', 'orders-old']],
  ['topics --describe o', ['orders', 'orders-old']],
  ['topics delete --topic us', ['users']],
  ['topics create x --part', ['--partitions']],
  ['topics create x --partitions ', []],
  ['consume ord', ['orders', 'orders-old']],
  ['consume -t u', ['users']],
  ['consume orders --group ', ['billing']],
  ['consume orders --isolation-level read_c', ['read_committed']],
  ['topics list --context p', ['prod']],
  ['context use s', ['staging']],
  ['topics list --output j', ['json']],
  ['topics create --de', []],
  ['topics --de', ['--delete', '--describe']],
  ['produce orders --compression-type z', ['zstd']],
  ['produce orders --acks ', ['0', '1', 'all']],
  ['help pro', ['produce']],
  ['help broker st', ['start', 'status', 'stop']],
  ['nonsense x', []],
])('`ktool %s`', async (line, expected) => {
  expect(await completions(line.split(' '), commands, NAMES)).toEqual(expected)
})

test('a broker that does not answer is not waited for', async () => {
  const box = new Sandbox()
  const [runtime, data] = ['RUNTIME_DIR', 'DATA_HOME'].map((name) => join(box.directory, name, 'ktool'))
  mkdirSync(runtime, { recursive: true, mode: 0o700 })
  mkdirSync(data, { recursive: true })
  let asked = 0
  const deaf = createServer((socket) => void socket.on('data', () => asked++).on('error', () => undefined)).listen(join(runtime, controlSocketName(data)))
  await once(deaf, 'listening')
  const began = performance.now()
  expect(await localNames(['consume', 'o'], box.env).topics('o')).toEqual([])
  expect(performance.now() - began).toBeLessThan(1000) // 50 ms, on a machine that is busy
  expect(asked).toBe(1)
  expect(await box.run(['__complete', 'consume', 'o'])).toMatchObject({ stdout: '', stderr: '', code: 0 })
  deaf.close()
  box.close()
})

describe('with a broker', () => {
  const box = new Sandbox()
  beforeAll(() => box.broker('--topic', 'orders:3', '--topic', 'users'), 60_000)
  afterAll(() => box.close())

  test('its topics and groups are offered', async () => {
    expect(await box.run(['__complete', 'consume', 'o'])).toMatchObject({ stdout: 'orders\n', stderr: '', code: 0 })
    await box.run(['consume', 'users', '--group', 'billing', '--exit-at-end'])
    expect((await box.run(['__complete', 'groups', 'describe', ''])).stdout).toBe('billing\n')
    expect((await box.run(['__complete', 'consume', '__c'])).stdout).toBe('__consumer_offsets\n')
  })

  test('but not where another cluster is meant', async () => {
    expect((await box.run(['__complete', 'consume', '-b', 'h:1', 'o'])).stdout).toBe('')
    expect((await box.run(['__complete', 'consume', 'o'], { env: { KTOOL_BOOTSTRAP_SERVERS: 'h:1' } })).stdout).toBe('')
  })

  test('bash completes with it', async () => {
    const line = 'source <(ktool completion bash); COMP_WORDS=(ktool consume or); COMP_CWORD=2; _ktool; echo "${COMPREPLY[@]}"; complete -p ktool'
    expect((await box.shell(line)).stdout).toBe('orders\ncomplete -o bashdefault -o default -F _ktool ktool\n')
  })

  test.each(['bash', 'zsh', 'fish'])('%s can read its script, where it is installed', async (shell) => {
    const { stdout } = await box.run(['completion', shell])
    const { status, error, stderr } = spawnSync(shell, ['-n'], { input: stdout, encoding: 'utf8' })
    if (error === undefined) expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('ktool __complete')
  })
})
