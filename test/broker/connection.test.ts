// A connection against a server in the test's hand: what the client at the other end of the stream sees.

import { duplexPair, type Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameReader } from '../../src/broker/connection-frames.ts'
import { ClientConnection, CloseConnection, type Connection, type Reply } from '../../src/broker/connection.ts'
import { ReplyMemory, RequestMemory } from '../../src/broker/limits.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { manualClock } from '../support/manual-clock.ts'

type Serve = (frame: Buffer, connection: Connection, letNextStart: () => void) => Reply | Promise<Reply>

function frame(text: string | Buffer): Buffer {
  const body = Buffer.from(text)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([length, body])
}

function connect(serve: Serve, limit = 1 << 20) {
  const [client, stream] = duplexPair()
  const clock = manualClock()
  const requestMemory = new RequestMemory(limit)
  const replyMemory = new ReplyMemory(1 << 20)
  const lines: string[] = []
  const state = { hasEnded: false }
  const connection = new ClientConnection({
    stream, listener: 'PLAINTEXT', principal: 'User:ANONYMOUS', remoteAddress: 'test', clock,
    maxFrameBytes: 1 << 20, maxIdleMs: 600_000, requestMemory, replyMemory, serve,
    report: (line) => lines.push(line),
    onEnd: () => (state.hasEnded = true),
  }) // prettier-ignore
  const received: Buffer[] = []
  client.on('data', (chunk: Buffer) => received.push(chunk))
  client.on('error', () => undefined)
  return { client, connection, clock, requestMemory, replyMemory, lines, state, text: () => Buffer.concat(received).toString() }
}

/** Answers each request when the test says so. */
function held() {
  const waiting: { text: string; reply: (reply: Reply) => void; fail: (error: Error) => void; letNextStart: () => void }[] = []
  const serve: Serve = (bytes, _connection, letNextStart) =>
    new Promise((reply, fail) => waiting.push({ text: bytes.toString(), reply, fail, letNextStart }))
  return { serve, waiting, asked: () => waiting.map(({ text }) => text) }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await turn()
}

describe('requests', () => {
  test('run one after another, and are answered in order', async () => {
    const { serve, waiting, asked } = held()
    const { client, text } = connect(serve)
    client.write(Buffer.concat([frame('a'), frame('b'), frame('c')]))
    await settle()
    expect(asked()).toEqual(['a'])
    waiting[0].reply([Buffer.from('A')])
    await settle()
    expect(asked()).toEqual(['a', 'b'])
    waiting[1].reply([Buffer.from('B'), Buffer.from('b')])
    await settle()
    waiting[2].reply([Buffer.from('C')])
    await settle()
    expect(text()).toBe('ABbC')
  })

  test('that let the next one start are still answered in their turn', async () => {
    const { serve, waiting, asked } = held()
    const { client, text } = connect(serve)
    client.write(Buffer.concat([frame('a'), frame('b'), frame('c')]))
    await settle()
    waiting[0].letNextStart()
    await settle()
    expect(asked()).toEqual(['a', 'b'])
    waiting[1].reply([Buffer.from('B')])
    await settle()
    expect(text()).toBe('')
    expect(asked()).toEqual(['a', 'b', 'c'])
    waiting[0].reply([Buffer.from('A')])
    await settle()
    expect(text()).toBe('AB')
  })

  test('without a reply leave their slot empty', async () => {
    const { client, text } = connect((bytes) => (bytes.toString() === 'silent' ? undefined : [Buffer.from(bytes)]))
    client.write(Buffer.concat([frame('1'), frame('silent'), frame('2'), frame('silent'), frame('3')]))
    await settle()
    expect(text()).toBe('123')
  })

  test('that close the connection do so after the replies before them', async () => {
    const { serve, waiting } = held()
    const { client, text, state, lines } = connect(serve)
    client.write(Buffer.concat([frame('a'), frame('b')]))
    await settle()
    waiting[0].letNextStart()
    await settle()
    waiting[1].fail(new CloseConnection('no such api'))
    await settle()
    expect(state.hasEnded).toBe(false)
    waiting[0].reply([Buffer.from('A')])
    await settle()
    expect(text()).toBe('A')
    expect(state.hasEnded).toBe(true)
    expect(lines).toEqual(['connection from test closed: no such api'])
  })

  test('sent in full before the client left are still served', async () => {
    const { serve, waiting, asked } = held()
    const { client, state } = connect(serve)
    client.write(Buffer.concat([frame('a'), frame('b')]))
    client.end()
    await settle()
    waiting[0].reply(undefined)
    await settle()
    expect(asked()).toEqual(['a', 'b'])
    expect(state.hasEnded).toBe(false)
    waiting[1].reply(undefined)
    await settle()
    expect(state.hasEnded).toBe(true)
  })

  test('begun are at most 64', async () => {
    const { serve, waiting } = held()
    const { client } = connect((bytes, connection, letNextStart) => {
      letNextStart()
      return serve(bytes, connection, letNextStart)
    })
    for (let i = 0; i < 200; i++) client.write(frame(`${i}`))
    await settle()
    expect(waiting.length).toBe(64)
    for (const { reply } of waiting.splice(0)) reply([Buffer.from('.')])
    await settle()
    expect(waiting.length).toBe(64)
  })
})

describe('limits', () => {
  test('a client that sends on while it is served is stopped by back-pressure', async () => {
    const { serve } = held()
    const { client, requestMemory } = connect(serve)
    let isFull = false
    for (let i = 0; i < 1000 && !isFull; i++) {
      isFull = !client.write(frame(Buffer.alloc(8 * 1024)))
      await turn()
    }
    expect(isFull).toBe(true)
    expect(requestMemory.used).toBeLessThan(256 * 1024)
  })

  test('a reader that takes nothing stops its own requests, then its connection', async () => {
    const [client, stream] = duplexPair()
    const clock = manualClock()
    const replyMemory = new ReplyMemory(1 << 30)
    let served = 0
    const connection = new ClientConnection({
      stream, listener: 'L', principal: 'P', remoteAddress: 'test', clock, maxFrameBytes: 1024, maxIdleMs: 1000,
      requestMemory: new RequestMemory(1 << 20), replyMemory, report: () => undefined, onEnd: () => undefined,
      serve: () => (served++, [Buffer.alloc(300 * 1024)]),
    }) // prettier-ignore
    for (let i = 0; i < 100; i++) client.write(frame('x'))
    await settle()
    expect(served).toBeLessThan(6)
    expect(replyMemory.used).toBeGreaterThan(1 << 20)
    connection.check(clock.monotonic())
    expect(connection.isClosed).toBe(false)
    clock.advance(120_000)
    connection.check(clock.monotonic())
    expect(connection.isClosed).toBe(true)
    expect(replyMemory.used).toBe(0)
  })

  test('a frame that does not come ends the connection; one that comes slowly does not', async () => {
    const { client, connection, clock, lines } = connect(() => undefined)
    client.write(Buffer.from([0, 1, 0, 0]))
    await settle()
    for (let i = 0; i < 3; i++) {
      connection.check(clock.monotonic())
      clock.advance(20_000)
      client.write(Buffer.alloc(20 * 1024))
      await settle()
      connection.check(clock.monotonic())
    }
    expect(connection.isClosed).toBe(false)
    client.write(Buffer.alloc(10))
    for (let i = 0; i < 4; i++) {
      clock.advance(20_000)
      connection.check(clock.monotonic())
    }
    expect(connection.isClosed).toBe(true)
    expect(lines).toEqual(['connection from test closed: a request did not arrive in time'])
  })

  test('an idle connection ends, one whose request waits does not', async () => {
    const { serve, waiting } = held()
    const { client, connection, clock } = connect(serve)
    client.write(frame('long poll'))
    await settle()
    clock.advance(700_000)
    connection.check(clock.monotonic())
    expect(connection.isClosed).toBe(false)
    waiting[0].reply([Buffer.from('x')])
    await settle()
    clock.advance(599_000)
    connection.check(clock.monotonic())
    expect(connection.isClosed).toBe(false)
    clock.advance(2_000)
    connection.check(clock.monotonic())
    expect(connection.isClosed).toBe(true)
  })

  test.each([
    ['16030100', 'a TLS client on a plaintext listener'],
    [Buffer.from('GET ').toString('hex'), 'an HTTP client on a Kafka listener'],
    [Buffer.from('SSH-').toString('hex'), 'an SSH client on a Kafka listener'],
    ['ffffffff', 'a frame of -1 bytes; socket.request.max.bytes is 1048576'],
    ['00100001', 'a frame of 1048577 bytes; socket.request.max.bytes is 1048576'],
  ])('first bytes %s are told apart', async (hex, reason) => {
    const { client, lines, state } = connect(() => undefined)
    client.write(Buffer.from(hex, 'hex'))
    await settle()
    expect(state.hasEnded).toBe(true)
    expect(lines).toEqual([`connection from test closed: ${reason}`])
  })

  test('the listeners of a connection hear once that it is gone', async () => {
    const { client, connection } = connect(() => undefined)
    let heard = 0
    connection.onClose(() => heard++)
    const forget = connection.onClose(() => (heard += 100))
    forget()
    client.end()
    await settle()
    connection.close()
    expect(heard).toBe(1)
  })

  test('over the limit one request at a time gets on, and in the end all do', async () => {
    const memory = new RequestMemory(100)
    const served: string[] = []
    const clients: Duplex[] = []
    for (let i = 0; i < 5; i++) {
      const [client, stream] = duplexPair()
      new ClientConnection({
        stream, listener: 'L', principal: 'P', remoteAddress: `${i}`, clock: manualClock(), maxFrameBytes: 1 << 20,
        maxIdleMs: 1000, requestMemory: memory, replyMemory: new ReplyMemory(1 << 20), report: () => undefined,
        onEnd: () => undefined, serve: (_frame, { remoteAddress }) => (served.push(remoteAddress), undefined),
      }) // prettier-ignore
      clients.push(client)
    }
    const whole = frame(Buffer.alloc(200))
    for (const client of clients) client.write(whole.subarray(0, 90))
    await settle()
    const idle = connect(() => undefined)
    expect(idle.connection.isClosed).toBe(false)
    for (const client of clients) {
      client.write(whole.subarray(90))
      await settle()
    }
    await settle()
    expect(served.sort()).toEqual(['0', '1', '2', '3', '4'])
    expect(memory.used).toBe(0)
  })
})

describe('frames', () => {
  test('come out whole, however the bytes were cut', () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(bodies, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (wanted, cuts) => {
        const bytes = Buffer.concat(wanted.map((body) => frame(Buffer.from(body))))
        const reader = new FrameReader(1000)
        const got: string[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length]
          reader.push(bytes.subarray(at, at + size))
          at += size
          for (let body = reader.next(); body !== undefined; body = reader.next()) got.push(body.toString('hex'))
        }
        expect(got).toEqual(wanted.map((body) => Buffer.from(body).toString('hex')))
        expect(reader.held).toBe(0)
        expect(reader.isMidFrame).toBe(false)
      }),
    )
  })

  test('take memory for what came, not for what was declared', () => {
    const reader = new FrameReader(100 * 1024 * 1024)
    const before = process.memoryUsage().arrayBuffers
    const readers = Array.from({ length: 200 }, () => {
      const each = new FrameReader(100 * 1024 * 1024)
      each.push(Buffer.from([0x06, 0x40, 0, 0, 1, 2, 3]))
      expect(each.next()).toBeUndefined()
      return each
    })
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 128 * 1024)
    expect(readers.length).toBe(200)
    reader.push(Buffer.from([0x06, 0x40, 0, 1]))
    expect(() => reader.next()).toThrow(ProtocolError)
  })
})
