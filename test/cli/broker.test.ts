// `ktool broker …`, and the broker that starts by itself.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

let box: Sandbox
beforeEach(() => {
  box = new Sandbox()
})
afterEach(() => box.close())

test('start prints the address alone; again with the same settings is the same; with others it is refused', async () => {
  const first = await box.run(['broker', 'start', '--port', '0'])
  expect(first).toMatchObject({ stderr: '', code: 0 })
  expect(first.stdout).toMatch(/^127\.0\.0\.1:\d+\n$/)
  expect(await box.run(['broker', 'start', '--port', '0'])).toMatchObject({ stdout: first.stdout, code: 0 })
  const other = await box.run(['broker', 'start', '--port', '0', '--property', 'num.partitions=7'])
  expect(other).toMatchObject({ stdout: '', code: 1 })
  expect(other.stderr).toContain('num.partitions (is not set, asked 7)')
  expect((await box.run(['broker', 'status'])).code).toBe(0)
}, 60_000)

test('status, stop, and what is there after the next start', async () => {
  const address = await box.broker('--topic', 'kept:2')
  const status = JSON.parse((await box.run(['broker', 'status', '--json'])).stdout) as Record<string, unknown>
  expect(status).toMatchObject({ running: true, address, topics: 1, partitions: 2, ephemeral: false })
  expect(status.dataDirectory).toBe(join(box.directory, 'DATA_HOME', 'ktool'))
  expect((await box.run(['broker', 'logs'])).stdout).toContain(`listening on ${address}`)
  expect(await box.run(['broker', 'stop'])).toMatchObject({ stdout: '', code: 0 })
  expect(await box.run(['broker', 'stop'])).toMatchObject({ stderr: 'no broker runs\n', code: 0 })
  expect(await box.run(['broker', 'status'])).toMatchObject({ stdout: '', code: 3 })
  await box.broker()
  expect((await box.run(['topics', '--list'])).stdout).toBe('kept\n')
}, 60_000)

test('a broker that runs already makes the topics that are asked for; one of several is stopped by its address', async () => {
  const usual = await box.broker()
  expect((await box.run(['broker', 'start', '--port', '0', '--topic', 'late:2'])).stdout).toBe(`${usual}\n`)
  expect((await box.run(['topics', 'describe', 'late', '--json'])).stdout).toContain('"partition":1')
  const { stdout } = await box.run(['broker', 'start', '--ephemeral', '--port', '0'])
  const other = stdout.trim()
  expect((await box.run(['broker', 'stop', '-b', 'nowhere:1'])).stderr).toContain('no broker of this machine is at nowhere:1; those that run are at ')
  expect((await box.run(['broker', 'stop', '-b', other])).stderr).toContain('stopped the broker on ')
  expect((await box.run(['topics', 'list', '-b', usual])).code).toBe(0)
  await box.run(['broker', 'stop'])
})

test('a port that another broker of ktool holds is told with that broker, and nothing is printed as an address', async () => {
  const held = await box.broker('--data-dir', join(box.directory, 'elsewhere'))
  const { pid, dataDirectory } = JSON.parse((await box.run(['broker', 'status', '--json'])).stdout) as { pid: number; dataDirectory: string }
  const port = held.split(':')[1]
  const { stdout, stderr, code } = await box.run(['broker', 'start', '--port', port])
  expect([stdout, code]).toEqual(['', 1])
  expect(stderr).toBe(
    `ktool: port ${port} is in use: the ktool broker on ${dataDirectory} (pid ${pid}) listens there; take that one with -b ${held}, ` +
      `or stop it with \`ktool broker stop --data-dir ${dataDirectory}\`; \`ktool broker start --port 0\` takes any free one\n`,
  )
  expect((await box.run(['broker', 'stop', '-b', 'nowhere:1'])).stderr).toContain(`; the one that runs is at ${held}\n`)
  expect((await box.run(['broker', 'stop', '--data-dir', dataDirectory])).code).toBe(0)
}, 60_000)

test('an ephemeral broker leaves nothing', async () => {
  await box.broker('--ephemeral')
  const { dataDirectory, address } = JSON.parse((await box.run(['broker', 'status', '--json'])).stdout) as { dataDirectory: string; address: string }
  expect(existsSync(dataDirectory)).toBe(true)
  const unasked = await box.run(['broker', 'stop'])
  expect(unasked).toMatchObject({ stdout: '', code: 3 })
  expect(unasked.stderr).toContain(`, but another does: ${address} (ephemeral); \`ktool broker stop -b ${address}\` stops it`)
  expect(existsSync(dataDirectory)).toBe(true)
  expect((await box.run(['broker', 'stop', '-b', address])).code).toBe(0)
  expect(existsSync(dataDirectory)).toBe(false)
}, 60_000)

test('reset needs --yes, stops the broker, and deletes only a data directory', async () => {
  await box.broker('--topic', 'gone')
  expect(await box.run(['broker', 'reset'])).toMatchObject({ stdout: '', code: 2 })
  expect((await box.run(['broker', 'reset', '--yes'])).code).toBe(0)
  expect((await box.run(['broker', 'status'])).code).toBe(3)
  await box.broker()
  expect((await box.run(['topics', '--list'])).stdout).toBe('')
  const mine = join(box.directory, 'mine')
  mkdirSync(mine)
  writeFileSync(join(mine, 'thesis.txt'), 'x')
  const refused = await box.run(['broker', 'reset', '--yes', '--data-dir', mine])
  expect(refused.code).toBe(2)
  expect(existsSync(join(mine, 'thesis.txt'))).toBe(true)
}, 60_000)

test('start passes on what the broker warns of: a host beyond loopback, a property that is none', async () => {
  const words = ['broker', 'start', '--port', '0', '--host', '0.0.0.0', '--property', 'log.retention.mss=1']
  const { stdout, stderr, code } = await box.run(words)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\S+:\d+\n$/)
  expect(stderr).toMatch(/^warning: listener PLAINTEXT on 0\.0\.0\.0:\d+ has neither TLS nor SASL/m)
  expect(stderr).toMatch(/^warning: the property log\.retention\.mss is not known/m)
}, 60_000)

test('a start that fails says why, on one line', async () => {
  const address = await box.broker()
  const port = address.split(':')[1]
  const result = await box.run(['broker', 'start', '--port', port, '--data-dir', join(box.directory, 'other')])
  expect(result).toMatchObject({ stdout: '', code: 1 })
  expect(result.stderr).toMatch(/^ktool: port \d+ is in use: .*\n$/)
  expect((await box.run(['broker', 'start', '--property', 'log.retention.ms=x', '--data-dir', join(box.directory, 'third')])).code).toBe(2)
  expect((await box.run(['topics', '--list'])).code).toBe(0)
}, 60_000)

test('run says that it listens, and Ctrl-C stops it cleanly', async () => {
  const result = await box.shell(`
    ktool broker run --port 0 --ephemeral 2>err & pid=$!
    until grep -q '^listening on ' err 2>/dev/null; do :; done
    kill -INT $(pgrep -P $pid || echo $pid); wait $pid; echo "exit $?"; cat err`.replaceAll('err', join(box.directory, 'err')))
  expect(result.stdout).toMatch(/^exit 0$/m)
  expect(result.stdout).toMatch(/^listening on 127\.0\.0\.1:\d+$/m)
}, 60_000)

const isTaken = await new Promise<boolean>((resolve) => {
  const socket = connect(9092, '127.0.0.1', () => resolve(true))
  socket.on('connect', () => socket.destroy())
  socket.on('error', () => resolve(false))
})

test.skipIf(isTaken)('with nothing running, four commands at once start one broker', async () => {
  const env = { KTOOL_AUTO_START: '' }
  const names = ['a', 'b', 'c', 'd']
  const results = await Promise.all(names.map((name) => box.run(['topics', '--create', '--topic', name], { env })))
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0])
  expect(results.filter(({ stderr }) => stderr.startsWith('started the bundled broker on 127.0.0.1:9092'))).toHaveLength(1)
  expect((await box.run(['topics', '--list'])).stdout).toBe('a\nb\nc\nd\n')
}, 60_000)

test('nothing is started where a cluster is meant', async () => {
  for (const env of [{}, { KTOOL_AUTO_START: '', KAFKA_BROKERS: 'x:1' }]) {
    expect(await box.run(['topics', '--create', '--topic', 'a'], { env })).toMatchObject({ stdout: '', code: 3 })
  }
  expect((await box.run(['topics', '--list'], { env: { KTOOL_AUTO_START: '' } })).code).toBe(3)
}, 60_000)

test('a broker with secured listeners only: commands need to be told how to get in; status has no secrets', async () => {
  const stores = new URL('../client/stores/', import.meta.url).pathname
  const config = join(box.directory, 'server.properties')
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required'
  writeFileSync(
    config,
    [
      'listeners=LOGIN://127.0.0.1:0,TLS://127.0.0.1:0',
      'listener.security.protocol.map=LOGIN:SASL_PLAINTEXT,TLS:SSL',
      'sasl.enabled.mechanisms=PLAIN',
      `listener.name.login.plain.sasl.jaas.config=${jaas} user_ann="ann-secret";`,
      'ssl.keystore.location=key.pem',
      'ssl.keystore.type=PEM',
    ].join('\n'),
  )
  writeFileSync(join(box.directory, 'key.pem'), readFileSync(`${stores}server.key`, 'utf8') + readFileSync(`${stores}server.pem`, 'utf8'))
  const started = await box.run(['broker', 'start', '--config', config, '--topic', 'orders'], { cwd: box.directory })
  expect(started).toMatchObject({ stderr: '', code: 0 })
  const refused = await box.run(['topics', '--list'])
  expect(refused).toMatchObject({ stdout: '', code: 3 })
  expect(refused.stderr).toMatch(/has no PLAINTEXT listener, only SASL_PLAINTEXT on 127.0.0.1:\d+, SSL on .*--command-config/)
  const login = join(box.directory, 'login.properties')
  writeFileSync(login, `security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=${jaas} username="ann" password="ann-secret";\n`)
  expect(await box.run(['topics', '--list', '--command-config', login])).toMatchObject({ stdout: 'orders\n', code: 0 })
  const status = await box.run(['broker', 'status'])
  expect(status.stdout).toMatch(/listener LOGIN +127.0.0.1:\d+ SASL_PLAINTEXT/)
  expect((await box.run(['broker', 'status', '--json'])).stdout + started.stdout).not.toContain('ann-secret')
  expect((await box.run(['broker', 'logs'])).stdout).not.toContain('ann-secret')
}, 60_000)
