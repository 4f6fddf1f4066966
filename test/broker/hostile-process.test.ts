// A daemon in a process of its own under connections that come and say nothing, half of something, or don't read: it stays
// below its limits, serves others meanwhile, and gives the memory and the places back.

import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { encodeRequestFrame } from '../../src/protocol/frames.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { startDaemon, type Daemon } from '../support/daemon.ts'
import { batchOf, RawClient } from '../support/raw-client.ts'

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
const CONNECTIONS = 10_000
const AT_ONCE = 500

/** Open connections, some at once. */
async function dialMany(port: number, count: number, onOpen: (socket: Socket, at: number) => void): Promise<Socket[]> {
  const sockets: Socket[] = []
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  for (let from = 0; from < count; from += AT_ONCE) {
    const opening = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => {
      return new Promise<void>((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1' }, () => {
          onOpen(socket, from + i)
          resolve()
        })
        socket.on('error', reject)
        sockets.push(socket)
      })
    })
    await Promise.all(opening)
  }
  for (const socket of sockets) socket.removeAllListeners('error').on('error', () => undefined)
  return sockets
}

/** How long a new client waits for its first answer, ms. */
async function expectServed({ port }: Daemon): Promise<number> {
  const begin = performance.now()
  const client = await RawClient.open(port)
  const { errorCode } = await client.call(ApiVersions, 4, SOFTWARE)
  client.close()
  expect(errorCode).toBe(0)
  return performance.now() - begin
}

test('ten thousand connections that say nothing, or half of something', async () => {
  const daemon = await startDaemon()
  const before = daemon.rss()
  const halves = [Buffer.alloc(0), Buffer.from([0]), Buffer.from([0, 0, 1, 0]), Buffer.from([5, 0, 0, 0, 0, 18, 0, 4])]
  const sockets = await dialMany(daemon.port, CONNECTIONS, (socket, at) => socket.write(halves[at % halves.length]))
  const waited = await expectServed(daemon)
  const grown = daemon.rss() - before
  console.log(`${CONNECTIONS} half-open connections: ${grown.toFixed(0)} MB more, others wait ${waited.toFixed(0)} ms`)
  expect(grown).toBeLessThan(300) // 30 KB each
  for (const socket of sockets) socket.destroy()
  await expectServed(daemon)
  // The places are free again: more come in, and cost nothing more.
  await dialMany(daemon.port, CONNECTIONS / 10, () => undefined)
  await expectServed(daemon)
  expect(daemon.rss() - before).toBeLessThan(300)
  expect(daemon.stderr()).not.toMatch(/\n\s+at /)
  expect(daemon.isRunning()).toBe(true)
}, 180_000)

test('readers that do not read', async () => {
  const daemon = await startDaemon({ 'message.max.bytes': '9000000' })
  const client = await RawClient.open(daemon.port)
  onTestFinished(() => client.close())
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
  await client.call(CreateTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false })
  const partitionData = [{ index: 0, records: batchOf(['x'.repeat(8_000_000)]) }]
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData }]
  const produced = await client.call(Produce, 9, { transactionalId: null, acks: 1, timeoutMs: 5000, topicData })
  expect(produced.responses[0].partitionResponses[0].errorCode).toBe(0)
  const before = daemon.rss()
  const frame = Buffer.concat(
    encodeRequestFrame(Fetch, 12, { correlationId: 1, clientId: 'x' }, {
      replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 30, isolationLevel: 0, sessionId: 0, sessionEpoch: -1,
      topics: [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 30 }] }],
    }),
  ) // prettier-ignore
  await dialMany(daemon.port, 500, (socket) => {
    socket.pause()
    for (let i = 0; i < 20; i++) socket.write(frame) // 80 GB of answers
  })
  let most = 0
  for (let i = 0; i < 100; i++) {
    await expectServed(daemon)
    most = Math.max(most, daemon.rss() - before)
  }
  console.log(`500 readers that do not read 80 GB: ${most.toFixed(0)} MB more`)
  expect(most).toBeLessThan(700)
  expect(daemon.isRunning()).toBe(true)
}, 180_000)
