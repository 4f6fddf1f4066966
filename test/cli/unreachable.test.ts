// Why a cluster can't be reached, told apart: one line with the fix, exit 3, within 5 s. What needs a real SASL listener is in
// test/conformance/sasl.test.ts.

import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Sandbox } from './sandbox.ts'

const MOST_MS = 5000
const stores = new URL('../client/stores/', import.meta.url)

let box: Sandbox
let ours: string
const servers: Server[] = []

beforeAll(async () => {
  box = new Sandbox()
  ours = await box.broker('--topic', 'here')
})

afterAll(() => {
  for (const server of servers) server.close()
  box.close()
})

test('refused', () => expectReason('127.0.0.1:1', {}, /^ktool: Connection to 127\.0\.0\.1:1 refused.*Start the broker/))

test('no such host', () => expectReason('no-such-host.invalid:9092', {}, /no address \(E\w+\)\. Check the spelling/))

test('an HTTP server', async () => {
  const address = await listening(createHttpServer((_request, response) => response.end('hello')))
  await expectReason(address, {}, /is an HTTP server, not a Kafka broker.*Check the port/)
})

test('a port that says nothing', async () => {
  const address = await listening(createServer((socket) => socket.resume()))
  await expectReason(address, {}, /did not answer within \d+ ms\. Is it a Kafka broker\?/)
})

test('TLS to a plaintext port', () => {
  return expectReason(ours, { 'security.protocol': 'SSL' }, /does not speak TLS.*Set security\.protocol=PLAINTEXT/)
})

test('a login where there are none', () => {
  const jaas = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="s3cret";'
  const properties = { 'security.protocol': 'SASL_PLAINTEXT', 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': jaas }
  return expectReason(ours, properties, /does not use SASL\. Set security\.protocol=PLAINTEXT/)
})

test('plaintext to a TLS port', async () => {
  await expectReason(await tlsPort(), {}, /speaks TLS, and this client is set to plaintext\. Set security\.protocol=SSL/)
})

test('an authority that is not trusted', async () => {
  const properties = { 'security.protocol': 'SSL' }
  await expectReason(await tlsPort(), properties, /The certificate of .* is .*not in the trust store.*ssl\.truststore\.location/)
})

test('the advertised address leads nowhere: both addresses are named', async () => {
  const other = new Sandbox()
  try {
    await other.broker('--topic', 'here', '--advertise', '127.0.0.1:1')
    const [, address = ''] = /listening on (\S+)/.exec((await other.run(['broker', 'logs'])).stdout) ?? []
    const args = ['consume', '--topic', 'here', '--from-beginning', '--exit-at-end']
    await expectReason(address, {}, new RegExp(`${address} answers and says that broker 1 is at 127\\.0\\.0\\.1:1.*advertised\\.listeners`), args)
  } finally {
    other.close()
  }
}, 60_000)

test('with --json the reason is one object on stderr', async () => {
  const { stdout, stderr, code } = await box.run(['topics', '--list', '--json', '-b', '127.0.0.1:1'])
  expect({ stdout, code }).toEqual({ stdout: '', code: 3 })
  const { message, hint, ...rest } = JSON.parse(stderr) as Record<string, string>
  expect(message).toContain('127.0.0.1:1 refused')
  expect(hint).toContain('Start the broker')
  expect(Object.keys(rest)).toEqual(['code'])
})

async function expectReason(
  address: string,
  properties: Readonly<Record<string, string>>,
  reason: RegExp,
  args: readonly string[] = ['topics', '--list'],
): Promise<void> {
  const config = join(box.directory, 'client.properties')
  writeFileSync(config, Object.entries(properties).map(([name, value]) => `${name}=${value}\n`).join(''))
  const began = performance.now()
  const { stdout, stderr, code } = await box.run([...args, '-b', address, '--command-config', config])
  const took = performance.now() - began
  expect({ stdout, code }).toEqual({ stdout: '', code: 3 })
  expect(stderr).toMatch(reason)
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  expect(took).toBeLessThan(MOST_MS)
}

function tlsPort(): Promise<string> {
  const [key, cert] = ['server.key', 'server.pem'].map((name) => readFileSync(new URL(name, stores)))
  return listening(createTlsServer({ key, cert }, (socket) => socket.resume().on('error', () => undefined)))
}

async function listening(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}
