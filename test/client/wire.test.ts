// The contract of a wire, run against the one we ship. A wire that replaces it must pass unchanged but for
// the guard.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { openKafkajsWire } from '../../src/client/kafkajs-wire.ts'
import { ConnectError, TimeoutError } from '../../src/client/errors.ts'
import type { Endpoint, Wire, WireOptions } from '../../src/client/wire.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { decodeResponsePayload, encodeRequestPayload } from '../../src/protocol/frames.ts'
import { startFakeBroker, type FakeBroker } from '../support/fake-broker.ts'

const openWire = openKafkajsWire
const OPTIONS: WireOptions = { clientId: 'tester', setupTimeoutMs: 2_000 }
const PROMPTLY_MS = 250 // the machine is shared; the events themselves take a few ms

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function broker(options?: Parameters<typeof startFakeBroker>[1]): Promise<FakeBroker> {
  const started = await startFakeBroker(1, options)
  endings.push(() => started.stop())
  return started
}

async function open(endpoint: Endpoint, options: Partial<WireOptions> = {}): Promise<Wire> {
  const wire = await openWire(endpoint, { ...OPTIONS, ...options })
  endings.push(() => wire.close())
  return wire
}

const at = (started: FakeBroker): Endpoint => ({ host: '127.0.0.1', port: started.port })

function metadataRequest(timeoutMs = 5_000, signal?: AbortSignal) {
  const request = {
    topics: [],
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
  }
  const payload = encodeRequestPayload(Metadata, 12, request)
  return { apiName: 'Metadata', apiKey: 3, apiVersion: 12, payload, timeoutMs, signal }
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no failure',
    (error: unknown) => error,
  )
}

/** Ms from now until `promise` fails, and how. */
async function timed(promise: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const start = performance.now()
  const error = await failureOf(promise)
  return { error, ms: performance.now() - start }
}

const reasonOf = (error: unknown): unknown => (error instanceof ConnectError ? error.reason : error)

describe('exchange', () => {
  it('carries flexible versions both ways, with the client id', async () => {
    const started = await broker()
    started.topics.set('orders', { partitions: 2 })
    const wire = await open(at(started))
    const answer = await wire.send(metadataRequest())
    expect(decodeResponsePayload(Metadata, 12, answer ?? Buffer.alloc(0))).toMatchObject({
      clusterId: 'fake',
      controllerId: 1,
    })
    expect(started.received).toEqual([{ api: 'Metadata', version: 12, clientId: 'tester', connection: 0 }])
  })

  it('matches answers to requests, many at once', async () => {
    const started = await broker()
    const wire = await open(at(started))
    const answers = await Promise.all(Array.from({ length: 50 }, () => wire.send(metadataRequest())))
    expect(answers.every((answer) => answer && answer.length > 0)).toBe(true)
  })

  it('sends payloads in pieces, large ones too', async () => {
    const started = await broker()
    let bytes = -1
    started.on(Produce, ({ topicData }) => {
      bytes = topicData[0].partitionData[0].records?.length ?? -1
      return { responses: [], throttleTimeMs: 0 }
    })
    const wire = await open(at(started))
    const records = Buffer.alloc(3_000_000, 7)
    const request = {
      acks: 1,
      timeoutMs: 1,
      topicData: [{ name: 't', partitionData: [{ index: 0, records }] }],
    }
    const payload = encodeRequestPayload(Produce, 9, request as never)
    expect(payload.length).toBeGreaterThan(1)
    await wire.send({ apiName: 'Produce', apiKey: 0, apiVersion: 9, payload, timeoutMs: 5_000 })
    expect(bytes).toBe(3_000_000)
  })

  it('puts a 10 MB answer together from odd chunks', async () => {
    const body = Buffer.alloc(10_000_000)
    for (let i = 0; i < body.length; i += 997) body[i] = i & 0xff
    const started = await broker()
    started.on(Metadata, async (_, { socket }) => {
      const frame = Buffer.concat([Buffer.alloc(8), body])
      frame.writeInt32BE(body.length + 4)
      frame.writeInt32BE(0, 4)
      for (let at = 0, size = 1; at < frame.length; at += size, size = (size * 3 + 1) % 65_521) {
        if (!socket.write(frame.subarray(at, at + size)))
          await new Promise((resolve) => socket.once('drain', resolve))
      }
      return 'silence' as const
    })
    const wire = await open(at(started))
    const answer = await wire.send(metadataRequest(10_000))
    expect(answer?.equals(body)).toBe(true)
  })

  it('resolves a request without an answer once it is sent', async () => {
    const started = await broker()
    started.on(Produce, () => 'silence')
    const wire = await open(at(started))
    const request = { acks: 0, timeoutMs: 1, topicData: [] }
    const payload = encodeRequestPayload(Produce, 9, request)
    const sent = wire.send({
      apiName: 'Produce',
      apiKey: 0,
      apiVersion: 9,
      payload,
      oneWay: true,
      timeoutMs: 5_000,
    })
    expect(await sent).toBeUndefined()
    await wire.send(metadataRequest()) // answered in order, so the first one has arrived
    expect(started.count(Produce)).toBe(1)
  })

  it('connects over IPv6', async () => {
    const started = await broker({ host: '::1' })
    const wire = await open({ host: '::1', port: started.port })
    expect(await wire.send(metadataRequest())).toBeInstanceOf(Buffer)
  })
})

describe('ends', () => {
  it.each([
    ['close' as const, 'closed'],
    ['reset' as const, 'closed'],
  ])('hears of a peer that does %s at once', async (what, reason) => {
    const started = await broker()
    started.on(Metadata, () => what)
    const wire = await open(at(started))
    const { error, ms } = await timed(wire.send(metadataRequest()))
    expect(reasonOf(error)).toBe(reason)
    expect(ms).toBeLessThan(PROMPTLY_MS)
    expect(reasonOf(await wire.closed)).toBe('closed')
    expect(reasonOf(await failureOf(wire.send(metadataRequest())))).toBe('closed')
  })

  it('closes at once, rejecting what is under way', async () => {
    const started = await broker()
    started.on(Metadata, () => 'silence')
    const wire = await open(at(started))
    const pending = failureOf(wire.send(metadataRequest()))
    const start = performance.now()
    await wire.close()
    expect(reasonOf(await pending)).toBe('closed')
    expect(performance.now() - start).toBeLessThan(PROMPTLY_MS)
    expect(await wire.closed).toBeUndefined()
  })

  it('stops waiting when told, and the connection goes on', async () => {
    const started = await broker()
    const answers: (() => void)[] = []
    started.on(Metadata, async () => {
      if (started.received.length === 1) await new Promise<void>((resolve) => answers.push(resolve))
      return started.metadataAnswer([])
    })
    const wire = await open(at(started))
    const abort = new AbortController()
    const pending = failureOf(wire.send(metadataRequest(5_000, abort.signal)))
    abort.abort(new Error('enough'))
    expect(await pending).toMatchObject({ message: 'enough' })
    await expect.poll(() => answers.length).toBe(1)
    answers[0]()
    expect(await wire.send(metadataRequest())).toBeInstanceOf(Buffer)
  })

  it('gives up on a request in time, and the connection with it', async () => {
    const started = await broker()
    started.on(Metadata, () => 'silence')
    const wire = await open(at(started))
    const late = failureOf(wire.send(metadataRequest(60_000)))
    const { error, ms } = await timed(wire.send(metadataRequest(100)))
    expect(error).toBeInstanceOf(TimeoutError)
    expect(ms).toBeGreaterThanOrEqual(95)
    expect(ms).toBeLessThan(100 + PROMPTLY_MS)
    expect(reasonOf(await late)).toBe('closed')
  })

  it.each([
    ['an answer nobody asked for', 'wrongCorrelation' as const],
    ['a frame too short for a header', Buffer.from([0, 0, 0, 2, 1, 2])],
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xfb, 0, 0, 0, 0])],
  ])('takes %s for a broken protocol', async (_, what) => {
    const started = await broker()
    started.on(Metadata, () => what)
    const wire = await open(at(started))
    const { error, ms } = await timed(wire.send(metadataRequest()))
    expect(error).toBeInstanceOf(ProtocolError)
    expect(ms).toBeLessThan(PROMPTLY_MS)
  })

  it('knows an HTTP server by its answer', async () => {
    const started = await broker()
    started.on(Metadata, () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const wire = await open(at(started))
    const error = await failureOf(wire.send(metadataRequest()))
    expect(reasonOf(error)).toBe('notKafka')
    expect((error as Error).message).toContain('HTTP server')
  })
})

describe('opening', () => {
  it('is refused at once where nothing listens', async () => {
    const started = await broker()
    const endpoint = at(started)
    await started.stop()
    const { error, ms } = await timed(open(endpoint))
    expect(reasonOf(error)).toBe('refused')
    expect(ms).toBeLessThan(PROMPTLY_MS)
  })

  it('has a reason for a host without an address', async () => {
    expect(reasonOf(await failureOf(open({ host: 'no-such-host.invalid', port: 9092 })))).toBe('dns')
  })

  it('ends in time when a TLS handshake does not', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => {}).resume())
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    endings.push(() => new Promise((resolve) => silent.close(resolve)))
    const { port } = silent.address() as net.AddressInfo
    const { error, ms } = await timed(
      open({ host: '127.0.0.1', port }, { setupTimeoutMs: 150, tls: trusting('ca.pem') }),
    )
    expect(reasonOf(error)).toBe('timeout')
    expect(ms).toBeLessThan(150 + PROMPTLY_MS)
  })
})

const store = (name: string): string => readFileSync(new URL(`./stores/${name}`, import.meta.url), 'utf8')

function trusting(authority: string): NonNullable<WireOptions['tls']> {
  return {
    ca: [store(authority)],
    identity: undefined,
    checkHost: true,
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
  }
}

describe('TLS', () => {
  const serve = (certificate = 'server') =>
    broker({
      tls: {
        key: store(certificate === 'stranger' ? 'stranger.key' : 'server.key'),
        cert: store(`${certificate}.pem`),
      },
    })
  const localhost = (started: FakeBroker): Endpoint => ({ host: 'localhost', port: started.port })

  it('carries requests to a broker that the authority vouches for', async () => {
    const wire = await open(localhost(await serve()), { tls: trusting('ca.pem') })
    expect(await wire.send(metadataRequest())).toBeInstanceOf(Buffer)
  })

  it.each([
    ['another authority', 'server', 'other-ca.pem', 'authority that is not in the trust store'],
    ['another host', 'stranger', 'ca.pem', 'for another host (elsewhere.example)'],
    ['the past', 'expired', 'ca.pem', 'has expired'],
  ])('refuses a certificate of %s', async (_, certificate, authority, text) => {
    const error = await failureOf(open(localhost(await serve(certificate)), { tls: trusting(authority) }))
    expect(reasonOf(error)).toBe('certificate')
    expect((error as Error).message).toContain(text)
  })

  it('takes another host’s certificate when not asked to check', async () => {
    const wire = await open(localhost(await serve('stranger')), {
      tls: { ...trusting('ca.pem'), checkHost: false },
    })
    expect(await wire.send(metadataRequest())).toBeInstanceOf(Buffer)
  })
})

it('leaves an idle process alone, and lets it end', async () => {
  const started = await broker()
  const contents = `
    import { openKafkajsWire } from './src/client/kafkajs-wire.ts'
    import { createHook } from 'node:async_hooks'
    const wire = await openKafkajsWire({ host: '127.0.0.1', port: ${started.port} }, { clientId: 'idle', setupTimeoutMs: 2000 })
    const body = Buffer.from([0, 1, 0, 0, 0]) // no topics
    await wire.send({ apiName: 'Metadata', apiKey: 3, apiVersion: 12, payload: [body], timeoutMs: 5000 })
    let timers = 0
    createHook({ init: (_, type) => { if (type === 'Timeout') timers++ } }).enable()
    await new Promise((resolve) => setTimeout(resolve, 300))
    process.stdout.write(String(timers))
    await wire.close()
  `
  started.on(Metadata, () => started.metadataAnswer([]))
  const { stdout, stderr, ms } = await runScript(contents)
  expect(stderr).toBe('')
  expect(Number(stdout)).toBeLessThanOrEqual(3) // kafkajs left to itself: about 300
  expect(ms).toBeLessThan(5_000)
})

/** In a process of its own, bundled as we ship it. */
async function runScript(contents: string): Promise<{ stdout: string; stderr: string; ms: number }> {
  const { build } = await import('esbuild')
  const root = new URL('../..', import.meta.url).pathname
  const { outputFiles } = await build({
    stdin: {
      contents: `(async () => {${contents.replace(/import \{ (\w+) \} from ('.*')/g, 'const { $1 } = await import($2)')}})()`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
  })
  const start = performance.now()
  const child = spawn(process.execPath, ['-'], { stdio: 'pipe' })
  child.stdin.end(outputFiles[0].text)
  const read = async (stream: NodeJS.ReadableStream) => {
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return text
  }
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)])
  return { stdout, stderr, ms: performance.now() - start }
}

it('finds of kafkajs what it touches', async () => {
  const { default: Connection } = await import('kafkajs/src/network/connection.js')
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }
  const connection = new Connection({
    host: 'h', port: 1, logger, socketFactory: () => new net.Socket(), clientId: 'c', ssl: null, sasl: null,
    connectionTimeout: 1, requestTimeout: 1, enforceRequestTimeout: false,
  }) // prettier-ignore
  for (const method of [
    'connect', 'authenticate', 'isAuthenticated', 'setVersions', 'setSupportAuthenticationProtocol',
    'nextCorrelationId', 'processData', 'rejectRequests',
  ] as const) expect(typeof connection[method]).toBe('function') // prettier-ignore
  for (const method of ['push', 'fulfillRequest', 'scheduleCheckPendingRequests'] as const) {
    expect(typeof connection.requestQueue[method]).toBe('function')
  }
  expect(connection).toMatchObject({
    chunks: [],
    bytesBuffered: 0,
    bytesNeeded: 4,
    reauthenticationThreshold: 10_000,
  })
  expect(String(connection.sessionLifetime)).toBe('0')
  expect(connection.requestQueue.inflight).toBeInstanceOf(Map)
  expect(connection.nextCorrelationId()).toBe(0)
})
