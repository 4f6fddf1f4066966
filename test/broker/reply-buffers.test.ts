// Memory that replies share one after another: whoever reads slowly, or goes in the middle, readers get their own bytes.

import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ClientConnection } from '../../src/broker/connection.ts'
import { ReplyMemory, RequestMemory } from '../../src/broker/limits.ts'
import { ReplyBuffers } from '../../src/broker/reply-buffers.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { decodeResponsePayload, encodeRequestFrame } from '../../src/protocol/frames.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { testBroker } from '../support/broker.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf } from '../support/raw-client.ts'

const MiB = 1024 * 1024
const BATCHES = 8
const VALUE_BYTES = 300_000
const store = (name: string): string => readFileSync(new URL(`../client/stores/${name}`, import.meta.url), 'utf8')

/** What batch `offset` holds. */
const valueOf = (offset: number): string => String.fromCharCode(97 + offset).repeat(VALUE_BYTES)

const fetchRequest = (fetchOffset: number) => ({
  maxWaitMs: 0,
  minBytes: 1,
  topics: [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: VALUE_BYTES + 1000 }] }],
})

async function brokerWithBatches() {
  const test = await testBroker({
    topics: ['t'],
    properties: {
      listeners: 'PLAINTEXT://127.0.0.1:0,TLS://127.0.0.1:0',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,TLS:SSL',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': store('server.pem'),
      'ssl.keystore.key': store('server.key'),
    },
  })
  const client = await test.connect()
  for (let i = 0; i < BATCHES; i++) {
    const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf([valueOf(i)]) }] }]
    await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  }
  const plainPort = test.port
  const tlsPort = test.broker.listeners[1].port
  const open = async (isTls: boolean): Promise<Socket> => {
    const socket = isTls ? connectTls({ port: tlsPort, host: '127.0.0.1', ca: store('ca.pem') }) : connect(plainPort, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await once(socket, isTls ? 'secureConnect' : 'connect')
    return socket
  }
  return { client, open }
}

/** Asks for batches one after another, more than the sockets hold, and reads nothing. */
function askAndWait(socket: Socket, offsets: readonly number[]): void {
  socket.pause()
  for (const [correlationId, offset] of offsets.entries()) {
    socket.write(Buffer.concat(encodeRequestFrame(Fetch, 12, { correlationId, clientId: 'x' }, fetchRequest(offset))))
  }
}

/** The record bytes of so many replies. */
async function recordsOf(socket: Socket, count: number): Promise<Buffer[]> {
  const found: Buffer[] = []
  let bytes = Buffer.alloc(0)
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0)
      const { responses } = decodeResponsePayload(Fetch, 12, bytes.subarray(8, end))
      found.push(Buffer.from(responses[0].partitions[0].records ?? ''))
      bytes = bytes.subarray(end)
    }
    if (found.length === count) break
  }
  return found
}

function holds(records: Buffer, offset: number): boolean {
  return Number(records.readBigInt64BE(0)) === offset && records.includes(valueOf(offset))
}

test.each([['a socket', false], ['TLS', true]])('over %s slow and fast readers get what they asked for', async (_name, isTls) => {
  const { client, open } = await brokerWithBatches()
  const offsets = Array.from({ length: 48 }, (_, i) => (i * 3) % BATCHES)
  const [slow, gone] = [await open(isTls), await open(isTls)]
  askAndWait(slow, offsets)
  askAndWait(gone, offsets)
  for (let round = 0; round < 4; round++) {
    for (let offset = 0; offset < BATCHES; offset++) {
      const { responses } = await client.call(Fetch, 12, fetchRequest(offset))
      expect(holds(responses[0].partitions[0].records ?? Buffer.alloc(0), offset)).toBe(true)
    }
    if (round === 1) gone.destroy()
  }
  const got = await recordsOf(slow, offsets.length)
  expect(got.map((records, at) => holds(records, offsets[at]))).toEqual(offsets.map(() => true))
})

describe('memory of a reply', () => {
  /** A connection whose socket takes replies when the test says so. */
  function connection() {
    const replyMemory = new ReplyMemory(64 * MiB)
    const taken: ((error?: Error) => void)[] = []
    const stream = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => taken.push(done),
    })
    new ClientConnection({
      stream, listener: 'L', principal: 'P', remoteAddress: 'test', clock: manualClock(), maxFrameBytes: 1024, maxIdleMs: 1000,
      requestMemory: new RequestMemory(MiB), replyMemory, report: () => undefined, onEnd: () => undefined,
      serve: () => [replyMemory.buffers.take(MiB)],
    }) // prettier-ignore
    stream.on('error', () => undefined)
    stream.push(Buffer.from([0, 0, 0, 1, 1]))
    return { stream, taken, buffers: replyMemory.buffers }
  }

  test('is used again when the socket has taken it, not before', async () => {
    const { taken, buffers } = connection()
    await expect.poll(() => taken.length).toBe(1)
    expect(buffers.freeBytes).toBe(0)
    taken[0]()
    await turn()
    expect(buffers.freeBytes).toBe(MiB)
  })

  test('is never used again when the connection broke', async () => {
    const { stream, taken, buffers } = connection()
    await expect.poll(() => taken.length).toBe(1)
    stream.destroy()
    taken[0](new Error('gone'))
    await turn()
    expect(buffers.freeBytes).toBe(0)
  })

  test('stays with one reply, also when it is given back twice', () => {
    const buffers = new ReplyBuffers()
    const piece = buffers.take(MiB - 1)
    buffers.give([piece.subarray(10), Buffer.alloc(MiB), piece])
    expect(buffers.freeBytes).toBe(MiB)
    const [first, second] = [buffers.take(MiB), buffers.take(MiB)]
    expect(first.buffer).toBe(piece.buffer)
    expect(second.buffer).not.toBe(piece.buffer)
  })

  test('is kept within a bound, and not for long', () => {
    const buffers = new ReplyBuffers()
    const lent = Array.from({ length: 40 }, (_, i) => buffers.take(2 ** (16 + (i % 8))))
    buffers.give(lent)
    expect(buffers.freeBytes).toBeGreaterThan(0)
    expect(buffers.freeBytes).toBeLessThanOrEqual(8 * MiB)
    buffers.tidy(1000)
    buffers.tidy(5000)
    expect(buffers.freeBytes).toBeGreaterThan(0)
    buffers.tidy(6001)
    expect(buffers.freeBytes).toBe(0)
  })
})
