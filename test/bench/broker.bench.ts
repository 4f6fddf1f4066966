// Produce and fetch through a whole broker in this process, over loopback, against what the machine can do in the same
// run: a plain socket for the bytes, and a plain file for writing them. The printed ratios are the result.
// Run: npx vitest bench --run --config test/vitest.config.ts test/bench/broker.bench

import { mkdtempSync, openSync, closeSync, rmSync, writeSync, fdatasyncSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bench } from 'vitest'
import { startBroker, type Broker } from '../../src/broker/broker.ts'
import { createMissingTopics } from '../../src/broker/startup-topics.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { encodeRequestFrame } from '../../src/protocol/frames.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { batchOf } from '../support/raw-client.ts'

const TOTAL = 256 * 1024 * 1024
const IN_FLIGHT = 5
const HEADER = { correlationId: 1, clientId: 'bench' }

/** Sends `frame` `count` times with some in flight; resolves when as many replies are in. */
async function pump(socket: Socket, frame: Buffer, count: number): Promise<number> {
  let sent = 0
  let answered = 0
  let rest = 0 // bytes of the reply under way still to come
  let head = Buffer.alloc(0)
  let bytes = 0
  await new Promise<void>((resolve) => {
    const send = (): void => {
      while (sent < count && sent - answered < IN_FLIGHT) {
        sent++
        socket.write(frame)
      }
    }
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      for (let at = 0; at < chunk.length; ) {
        if (rest === 0) {
          const part = chunk.subarray(at, at + 4 - head.length)
          head = Buffer.concat([head, part])
          at += part.length
          if (head.length < 4) break
          rest = head.readInt32BE(0)
          head = Buffer.alloc(0)
          continue
        }
        const step = Math.min(rest, chunk.length - at)
        rest -= step
        at += step
        if (rest === 0) answered++
      }
      if (answered === count) resolve()
      else send()
    })
    send()
  })
  socket.removeAllListeners('data')
  return bytes
}

async function timed(work: () => Promise<number>): Promise<number> {
  const begin = performance.now()
  const bytes = await work()
  return bytes / 1e6 / ((performance.now() - begin) / 1000)
}

/** The same bytes to a server that answers each frame with 60 bytes and does nothing else. */
async function loopback(frame: Buffer, count: number): Promise<number> {
  const server = createServer((socket) => {
    let got = 0
    socket.on('data', (chunk: Buffer) => {
      got += chunk.length
      for (; got >= frame.length; got -= frame.length) {
        const reply = Buffer.alloc(64)
        reply.writeInt32BE(60)
        socket.write(reply)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const rate = await timed(async () => {
    await pump(socket, frame, count)
    return frame.length * count
  })
  socket.destroy()
  server.close()
  return rate
}

function fileRate(directory: string, size: number): number {
  const file = openSync(join(directory, 'plain'), 'w')
  const piece = Buffer.alloc(size, 1)
  const begin = performance.now()
  for (let written = 0; written < TOTAL; written += size) writeSync(file, piece)
  fdatasyncSync(file)
  const rate = TOTAL / 1e6 / ((performance.now() - begin) / 1000)
  closeSync(file)
  return rate
}

async function start(directory: string, flush: string): Promise<Broker> {
  const properties = { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': join(directory, `data-${flush}`), 'log.flush.interval.messages': flush }
  const broker = await startBroker({ properties: new Map(Object.entries(properties)) })
  const names = ['b16384', 'b131072', 'b1000000']
  await createMissingTopics(broker, names.map((name) => ({ name, partitions: 1 })))
  return broker
}

const ONCE = { time: 0, iterations: 1, warmupTime: 0, warmupIterations: 0 }

async function measure(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'ktool-bench-'))
  try {
    for (const flush of ['9223372036854775807', '1']) {
      const broker = await start(directory, flush)
      const socket = connect({ port: broker.listeners[0].port, host: '127.0.0.1', noDelay: true })
      for (const size of [16_384, 131_072, 1_000_000]) {
        const topic = `b${size}`
        const records = batchOf(Array.from({ length: Math.floor(size / 108) }, () => 'x'.repeat(100)))
        const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }]
        const produce = Buffer.concat(encodeRequestFrame(Produce, 9, HEADER, { transactionalId: null, acks: -1, timeoutMs: 30_000, topicData }))
        const count = Math.floor(TOTAL / produce.length)
        const wire = await loopback(produce, count)
        const file = fileRate(directory, size)
        const rate = await timed(async () => {
          await pump(socket, produce, count)
          return produce.length * count
        })
        const fetch = Buffer.concat(
          encodeRequestFrame(Fetch, 4, HEADER, {
            replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0,
            topics: [{ topic, topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
          }),
        ) // prettier-ignore
        const read = await timed(() => pump(socket, fetch, 300))
        const name = flush === '1' ? 'synced' : 'page cache'
        console.log(
          `${name}, batches of ${size}: produce ${rate.toFixed(0)} MB/s (loopback ${wire.toFixed(0)}: ${(rate / wire).toFixed(2)}, ` +
            `file ${file.toFixed(0)}: ${(rate / file).toFixed(2)}); fetch ${read.toFixed(0)} MB/s`,
        )
      }
      socket.destroy()
      await broker.stop()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

bench('produce and fetch', measure, ONCE)
