// TLS listeners over real sockets: who gets in and as whom, what a wrong protocol meets, and what strangers can hold.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { createLogger } from '../../../src/base/logger.ts'
import { parseBrokerConfig } from '../../../src/broker/config/broker-configs.ts'
import { listenerSecurity } from '../../../src/broker/security/listener-security.ts'
import { Server, type ServerOptions } from '../../../src/broker/server.ts'
import { nodeDisk } from '../../../src/storage/node-disk.ts'
import { manualClock } from '../../support/manual-clock.ts'

const file = (name: string): string => new URL(`../../client/stores/${name}`, import.meta.url).pathname
const text = (name: string): string => readFileSync(file(name), 'utf8')
const AUTHORITY = { ca: text('ca.pem') }
const CLIENT = { ...AUTHORITY, cert: text('client.pem'), key: text('client.key') }

const servers: Server[] = []
const sockets: Socket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

/** A server on one TLS listener that answers each frame with the principal it came from. */
async function secured(properties: Readonly<Record<string, string>> = {}, options: Partial<ServerOptions> = {}) {
  const lines: string[] = []
  const server = new Server({
    clock: systemClock,
    logger: createLogger((line) => lines.push(line), () => 0),
    maxConnections: 100_000,
    maxConnectionsPerIp: 100_000,
    maxIdleMs: 600_000,
    maxFrameBytes: 1 << 20,
    backlog: 5000,
    requestMemoryBytes: 1 << 20,
    serve: (frame, { principal }) => [Buffer.from(frame.length === 0 ? '' : principal)],
    ...options,
  })
  servers.push(server)
  const config = parseBrokerConfig(
    new Map(Object.entries({
      'log.dirs': '/nowhere',
      listeners: 'TLS://127.0.0.1:0',
      'listener.security.protocol.map': 'TLS:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': text('server.pem'),
      'ssl.keystore.key': text('server.key'),
      'ssl.truststore.location': file('ca.pem'),
      'ssl.truststore.type': 'PEM',
      ...properties,
    })),
  ) // prettier-ignore
  const security = await listenerSecurity(config.listeners[0], config.properties, nodeDisk, { find: () => undefined, any: () => undefined })
  const [{ port }] = await server.listen(config.listeners, new Map([['TLS', security]]))
  return { server, lines, port }
}

/** Who the server says we are; the error, or 'closed', where it doesn't take us. */
function whoAmI(port: number, options: ConnectionOptions = AUTHORITY): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectTls({ port, host: '127.0.0.1', ...options })
    sockets.push(socket)
    socket.write(Buffer.from([0, 0, 0, 1, 7]))
    socket.on('data', (chunk: Buffer) => resolve(chunk.toString()))
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('close', () => resolve('closed'))
  })
}

async function plainSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.resume().on('close', () => resolve()))

describe('who gets in', () => {
  test('whoever trusts the certificate, with the versions that are enabled', async () => {
    const { port } = await secured({ 'ssl.enabled.protocols': 'TLSv1.3' })
    expect(await whoAmI(port)).toBe('User:ANONYMOUS')
    expect(await whoAmI(port, {})).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/)
    expect(await whoAmI(port, { ...AUTHORITY, maxVersion: 'TLSv1.2' })).toMatch(/ALERT_PROTOCOL_VERSION|EPROTO/)
    const older = await secured({ 'ssl.enabled.protocols': 'TLSv1.2' })
    expect(await whoAmI(older.port)).toBe('User:ANONYMOUS')
    expect(await whoAmI(older.port, { ...AUTHORITY, minVersion: 'TLSv1.3' })).toMatch(/ALERT_PROTOCOL_VERSION|EPROTO/)
  })

  test('with Java’s names of cipher suites', async () => {
    const suites = 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'
    const { port } = await secured({ 'ssl.cipher.suites': suites })
    expect(await whoAmI(port)).toBe('User:ANONYMOUS')
    expect(await whoAmI(port, { ...AUTHORITY, ciphers: 'ECDHE-RSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' })).toBe('User:ANONYMOUS')
    expect(await whoAmI(port, { ...AUTHORITY, ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' })).not.toContain('User')
    await expect(secured({ 'ssl.cipher.suites': 'TLS_MADE_WITH_UP' })).rejects.toThrow('MADE-UP is not known')
  })

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('ssl.client.auth=required, %s: by the subject of a certificate that is trusted', async (version) => {
    const { port, lines } = await secured({ 'ssl.client.auth': 'required' })
    const with_ = (options: ConnectionOptions) => whoAmI(port, { ...options, minVersion: version, maxVersion: version })
    expect(await with_(CLIENT)).toBe('User:CN=client')
    expect(await with_(AUTHORITY)).not.toContain('User')
    expect(await with_({ ...AUTHORITY, cert: text('stranger.pem'), key: text('stranger.key') })).toBe('User:CN=stranger')
    await expect.poll(() => lines.join('\n')).toContain('the TLS handshake failed: peer did not return a certificate')
  })

  test('ssl.client.auth=requested: without a certificate, too, but not with a bad one', async () => {
    const trust = { 'ssl.truststore.location': file('other-ca.pem'), 'ssl.client.auth': 'requested' }
    const { port, lines } = await secured(trust)
    expect(await whoAmI(port)).toBe('User:ANONYMOUS')
    expect(await whoAmI(port, CLIENT)).not.toContain('User')
    await expect.poll(() => lines.join('\n')).toContain("the client's certificate is not trusted")
    const good = await secured({ 'ssl.client.auth': 'requested' })
    expect(await whoAmI(good.port, CLIENT)).toBe('User:CN=client')
  })

  test('required, and signed by somebody else: closed', async () => {
    const { port } = await secured({ 'ssl.truststore.location': file('other-ca.pem'), 'ssl.client.auth': 'required' })
    expect(await whoAmI(port, CLIENT)).not.toContain('User')
  })

  test('under the name that ssl.principal.mapping.rules make of it', async () => {
    const rules = { 'ssl.client.auth': 'required', 'ssl.principal.mapping.rules': 'RULE:^CN=(c.*)$/$1/U' }
    const { port, lines } = await secured(rules)
    expect(await whoAmI(port, CLIENT)).toBe('User:CLIENT')
    expect(await whoAmI(port, { ...AUTHORITY, cert: text('stranger.pem'), key: text('stranger.key') })).not.toContain('User')
    await expect.poll(() => lines.join('\n')).toContain('no rule of ssl.principal.mapping.rules fits')
  })

  test.each([
    ['trust.jks', 'JKS'], ['trust.p12', 'PKCS12'], ['trust-legacy.p12', 'JKS'],
  ])('with the trust store %s', async (name, type) => {
    const store = { 'ssl.truststore.location': file(name), 'ssl.truststore.type': type, 'ssl.truststore.password': 'changeit' }
    const { port } = await secured({ ...store, 'listener.name.tls.ssl.client.auth': 'required' })
    expect(await whoAmI(port, CLIENT)).toBe('User:CN=client')
  }) // prettier-ignore

  test.each([
    ['client.p12', 'PKCS12', 'changeit'], ['client.jks', 'JKS', 'keysecret'], ['client-keytool-legacy.p12', 'JKS', 'changeit'],
  ])('the server’s own key may be in %s', async (name, type, keyPassword) => {
    const store = { 'ssl.keystore.type': type, 'ssl.keystore.location': file(name), 'ssl.keystore.password': 'changeit' }
    const inline = { 'ssl.keystore.certificate.chain': '', 'ssl.keystore.key': '', 'ssl.key.password': keyPassword }
    const { port } = await secured({ ...store, ...inline })
    expect(await whoAmI(port, { ...AUTHORITY, checkServerIdentity: () => undefined })).toBe('User:ANONYMOUS')
  }) // prettier-ignore

  test('a store that can’t be opened is refused by the setting’s name, without its password', async () => {
    const store = { 'ssl.keystore.type': 'PKCS12', 'ssl.keystore.location': file('client.p12'), 'ssl.keystore.password': 'guess' }
    const inline = { 'ssl.keystore.certificate.chain': '', 'ssl.keystore.key': '' }
    const error = await secured({ ...store, ...inline }).then(() => '', (reason: unknown) => String(reason)) // prettier-ignore
    expect(error).toMatch(/listener TLS: ssl.keystore.password: can't open .*client.p12: the password is wrong/)
    expect(error).not.toContain('guess')
    await expect(secured({ ...store, ...inline, 'ssl.keystore.location': '/no/such' })).rejects.toThrow('no such file')
  })
})

describe('who doesn’t', () => {
  test.each([
    ['a Kafka client without TLS', Buffer.from([0, 0, 0, 10, 0, 18, 0, 3]), 'a client without TLS on a TLS listener'],
    ['a browser', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'an HTTP client on a Kafka listener'],
    ['a damaged hello', Buffer.from([22, 3, 1, 0, 5, 1, 2, 3, 4, 5]), 'the TLS handshake failed'],
  ])('%s: closed, with a line in the log', async (_, bytes, line) => {
    const { port, lines, server } = await secured()
    const socket = await plainSocket(port)
    socket.write(bytes)
    await closed(socket)
    await expect.poll(() => lines.join('\n')).toContain(line)
    expect(server.connectionCount).toBe(0)
  })

  test('who does not finish in time', async () => {
    const clock = manualClock()
    const { port, lines } = await secured({}, { clock })
    const silent = await plainSocket(port)
    const slow = await plainSocket(port)
    slow.write(Buffer.from([22, 3, 1]))
    await expect.poll(() => clock.pending).toBeGreaterThan(0)
    const both = Promise.all([closed(silent), closed(slow)])
    await new Promise((resolve) => setImmediate(resolve))
    for (let second = 0; second < 33; second++) clock.advance(1000)
    await both
    expect(lines.join('\n')).toContain('no login within 30 s')
  })

  test('who is one of thousands that only hold a place: an honest client gets in all the same', async () => {
    const { port, lines, server } = await secured()
    const held: Socket[] = []
    for (let i = 0; i < 2500; i += 100) {
      held.push(...(await Promise.all(Array.from({ length: 100 }, () => plainSocket(port)))))
    }
    for (const socket of held) socket.resume().write(Buffer.from([22, 3, 1, 2]))
    expect(await whoAmI(port)).toBe('User:ANONYMOUS')
    await expect.poll(() => held.filter((socket) => socket.closed).length).toBeGreaterThan(1490)
    expect(lines.join('\n')).toContain('others want to log in, too')
    for (const socket of held) socket.destroy()
    await expect.poll(() => server.connectionCount).toBe(1)
  })

  test('the limits of addresses count handshakes', async () => {
    const { port } = await secured({}, { maxConnectionsPerIp: 1 })
    const first = await plainSocket(port)
    first.write(Buffer.from([22]))
    expect(await whoAmI(port)).toMatch(/closed|ECONNRESET/)
    first.destroy()
    await expect.poll(() => whoAmI(port)).toBe('User:ANONYMOUS')
  })
})

test('who says that nothing more comes still gets the answers', async () => {
  let answer: () => void = () => undefined
  const { port } = await secured({}, {
    serve: () => new Promise((resolve) => (answer = () => resolve([Buffer.from('done')]))),
  }) // prettier-ignore
  const socket = connectTls({ port, host: '127.0.0.1', ...AUTHORITY })
  socket.allowHalfOpen = true
  sockets.push(socket)
  const received = once(socket, 'data')
  socket.end(Buffer.from([0, 0, 0, 1, 7]))
  await once(socket, 'finish')
  await expect.poll(() => String(answer)).toContain('done')
  answer()
  expect(String((await received)[0])).toBe('done')
})

test('a stop ends handshakes and lets what is under way finish', async () => {
  let answer: () => void = () => undefined
  const { port, server } = await secured({}, {
    serve: () => new Promise((resolve) => (answer = () => resolve([Buffer.from('done')]))),
  }) // prettier-ignore
  const half = await plainSocket(port)
  const asked = whoAmI(port)
  await expect.poll(() => server.requestMemory.used).toBeGreaterThan(0)
  const stopped = server.stop()
  await closed(half)
  answer()
  expect(await asked).toBe('done')
  await stopped
})
