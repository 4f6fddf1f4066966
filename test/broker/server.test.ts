// Listeners and the limits on connections, over real sockets.

import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { createLogger } from '../../src/base/logger.ts'
import type { ListenerConfig } from '../../src/broker/config/broker-configs.ts'
import type { Reply } from '../../src/broker/connection.ts'
import { Server, type ServerOptions } from '../../src/broker/server.ts'
import { StartError } from '../../src/broker/start-error.ts'

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()))
})

function make(options: Partial<ServerOptions> = {}) {
  const lines: string[] = []
  const server = new Server({
    clock: systemClock,
    logger: createLogger((line) => lines.push(line), () => 0),
    maxConnections: 1000,
    maxConnectionsPerIp: 1000,
    maxIdleMs: 600_000,
    maxFrameBytes: 1 << 20,
    backlog: 50,
    requestMemoryBytes: 1 << 20,
    serve: (frame) => [frame],
    ...options,
  })
  servers.push(server)
  return { server, lines }
}

function listener(host: string, port = 0): ListenerConfig {
  return { name: 'PLAINTEXT', protocol: 'PLAINTEXT', host, port, advertisedHost: host, advertisedPort: port }
}

async function client(port: number, host = '127.0.0.1') {
  const socket = connect(port, host)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Sends a frame of `text`; what comes back, or undefined when the connection is closed instead. */
async function ask(port: number, text: string, host?: string): Promise<string | undefined> {
  const socket = await client(port, host).catch(() => undefined)
  if (socket === undefined) return undefined
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  socket.write(Buffer.concat([length, Buffer.from(text)]))
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      resolve(chunk.toString())
      socket.destroy()
    })
    socket.on('close', () => resolve(undefined))
  })
}

describe('listeners', () => {
  test('localhost is both loopback addresses, on one port', async () => {
    const { server } = make()
    const [bound] = await server.listen([listener('localhost')])
    expect(await ask(bound.port, 'hello')).toBe('hello')
    expect(await ask(bound.port, 'hello', '::1')).toBe('hello')
    expect(bound.host).toBe('127.0.0.1')
    expect(bound.advertisedPort).toBe(bound.port)
  })

  test('several listeners tell their names, and only what is not loopback warns', async () => {
    const names: string[] = []
    const { server, lines } = make({ serve: (_frame, { listener: name }) => (names.push(name), [Buffer.from(name)]) })
    const inner = { ...listener('127.0.0.1'), name: 'INNER', advertisedHost: 'broker.example', advertisedPort: 1234 }
    const bound = await server.listen([inner, { ...listener('0.0.0.0'), name: 'OUTER' }])
    expect(await ask(bound[0].port, 'x')).toBe('INNER')
    expect(await ask(bound[1].port, 'x')).toBe('OUTER')
    expect(bound[0].advertisedHost).toBe('broker.example')
    expect(bound[0].advertisedPort).toBe(1234)
    expect(lines.length).toBe(1)
    expect(lines[0]).toContain('WARN listener OUTER')
  })

  test('a port in use is one clear error, and nothing stays open', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const { server } = make()
    const first = { ...listener('127.0.0.1'), name: 'FREE' }
    const attempt = server.listen([first, listener('localhost', port)])
    await expect(attempt).rejects.toThrow(StartError)
    await expect(attempt).rejects.toThrow(`port ${port} is in use: another program listens on localhost:${port}`)
    other.close()
    const [again] = await make().server.listen([listener('localhost', port)])
    expect(again.port).toBe(port)
  })

  test('an address of another machine is refused by name', async () => {
    await expect(make().server.listen([listener('192.0.2.1')])).rejects.toThrow('192.0.2.1 is not an address of this machine')
  })
})

describe('limits', () => {
  test('connections in all, and from one address', async () => {
    for (const limit of [{ maxConnections: 3 }, { maxConnectionsPerIp: 3 }]) {
      const { server, lines } = make(limit)
      const [{ port }] = await server.listen([listener('127.0.0.1')])
      const sockets = [await client(port), await client(port), await client(port)]
      expect(await ask(port, 'one more')).toBeUndefined()
      expect(lines.length).toBe(1)
      for (const socket of sockets) socket.destroy()
      await expect.poll(() => server.connectionCount).toBe(0)
      expect(await ask(port, 'now')).toBe('now')
    }
  })

  test('lines about strangers are few, however many connections are refused', async () => {
    const { server, lines } = make({ maxConnections: 0 })
    const [{ port }] = await server.listen([listener('127.0.0.1')])
    for (let i = 0; i < 60; i++) await ask(port, 'x')
    expect(lines.length).toBe(20)
  })
})

describe('stop', () => {
  test('lets what has begun finish, and takes nothing new', async () => {
    let reply: (reply: Reply) => void = () => undefined
    const { server } = make({ serve: () => new Promise<Reply>((resolve) => (reply = resolve)) })
    const [{ port }] = await server.listen([listener('127.0.0.1')])
    const answer = ask(port, 'work')
    await expect.poll(() => server.requestMemory.used).toBeGreaterThan(0)
    const stopped = server.stop()
    expect(await ask(port, 'late')).toBeUndefined()
    reply([Buffer.from('done')])
    await stopped
    expect(await answer).toBe('done')
  })

  test('wakes what is parked', async () => {
    const { server } = make({
      serve: (_frame, connection) =>
        new Promise((resolve) => connection.onClose(() => resolve([Buffer.from('nothing yet')]))),
    })
    const [{ port }] = await server.listen([listener('127.0.0.1')])
    const answer = ask(port, 'long poll')
    await expect.poll(() => server.requestMemory.used).toBeGreaterThan(0)
    await server.stop()
    expect(await answer).toBe('nothing yet')
  })
})
