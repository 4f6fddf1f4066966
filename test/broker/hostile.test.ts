// What strangers do to a broker on purpose: requests that ask for much with little, readers that don't read, senders that
// don't send. Everybody else is served meanwhile.

import { readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test, vi } from 'vitest'
import { boundedLog } from '../../src/broker/daemon-log.ts'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { DescribeConfigs } from '../../src/protocol/apis/describe-configs.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { encodeRequestFrame } from '../../src/protocol/frames.ts'
import { crc32c } from '../../src/kernels/crc32c.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { temporaryDirectory, testBroker } from '../support/broker.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'

const produceRequest = (batches: readonly Buffer[]) => ({
  transactionalId: null,
  acks: 1,
  timeoutMs: 5000,
  topicData: [{ name: 't', topicId: ZERO_UUID, partitionData: batches.map((records) => ({ index: 0, records })) }],
})

const fetchRequest = (times: number, maxWaitMs: number, minBytes: number) => ({
  replicaId: -1,
  maxWaitMs,
  minBytes,
  maxBytes: 1 << 30,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  topics: [{
    topic: 't',
    topicId: ZERO_UUID,
    partitions: Array.from({ length: times }, () => ({ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 30 })),
  }],
}) // prettier-ignore

const NOTHING_ELSE = {
  allowAutoTopicCreation: false,
  includeClusterAuthorizedOperations: false,
  includeTopicAuthorizedOperations: false,
}

function describeOne(client: RawClient, name = 't') {
  const topics = [{ topicId: ZERO_UUID, name }]
  return client.call(Metadata, 12, { topics, ...NOTHING_ELSE })
}

/** The longest that `client` waits for an answer, ms, until `work` is over. */
async function longestWait(client: RawClient, work: Promise<unknown>): Promise<number> {
  const state = { isOver: false }
  const done = work.finally(() => (state.isOver = true))
  let longest = 0
  while (!state.isOver) {
    const begin = performance.now()
    await describeOne(client)
    longest = Math.max(longest, performance.now() - begin)
  }
  await done
  return longest
}

test('thirty thousand topics in one request are refused in a moment', async () => {
  const { connect: open } = await testBroker()
  const client = await open()
  const topics = Array.from({ length: 30_000 }, (_, i) => {
    return { name: `x${i}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  })
  const begin = performance.now()
  const answer = await client.call(CreateTopics, 7, { topics, timeoutMs: 1000, validateOnly: false })
  expect(errorName(answer.topics[0].errorCode)).toBe('POLICY_VIOLATION')
  expect(performance.now() - begin).toBeLessThan(3000)
})

test('more than a hundred thousand elements are more than a request may have', async () => {
  const { connect: open, lines } = await testBroker()
  const topics = Array.from({ length: 100_001 }, (_, i) => ({ topicId: ZERO_UUID, name: `x${i}` }))
  const asked = (await open()).call(Metadata, 12, { topics, ...NOTHING_ELSE })
  await expect(asked).rejects.toThrow('closed the connection')
  expect(lines.filter((line) => line.includes('array of 100001 elements'))).toHaveLength(1)
})

test('a topic named a thousand times is described once', async () => {
  const { connect: open } = await testBroker({ topics: ['t'] })
  const resources = Array.from({ length: 1000 }, () => ({ resourceType: 2, resourceName: 't', configurationKeys: null }))
  const { results } = await (await open()).call(DescribeConfigs, 4, { resources, includeSynonyms: true, includeDocumentation: true })
  expect(results).toHaveLength(1)
})

test('a partition named ninety thousand times in a waiting fetch does not hold up those who produce to it', async () => {
  const { connect: open } = await testBroker({ topics: ['t'] })
  const reader = await open()
  void reader.call(Fetch, 12, fetchRequest(90_000, 60_000, 1 << 30)).catch(() => undefined)
  const client = await open()
  await describeOne(client)
  const begin = performance.now()
  await client.call(Produce, 9, produceRequest([batchOf(['a'])]))
  expect(performance.now() - begin).toBeLessThan(1000)
})

/** A batch of `count` records, as its header says, in a gzip stream. */
function gzipBatch(records: Buffer, count: number): Buffer {
  const packed = gzipSync(records)
  const batch = Buffer.concat([batchOf(['a']).subarray(0, 61), packed])
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt16BE(1, 21)
  batch.writeInt32BE(count - 1, 23)
  batch.writeInt32BE(count, 57)
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17)
  return batch
}

test('many batches that take long to unpack let others be served between them', async () => {
  const { connect: open } = await testBroker({ topics: ['t'] })
  const bomb = gzipBatch(Buffer.alloc(30 << 20), 10)
  const attack = (await open()).call(Produce, 9, produceRequest(Array.from({ length: 6 }, () => bomb)))
  const longest = await longestWait(await open(), attack)
  const errors = (await attack).responses[0].partitionResponses.map(({ errorCode }) => errorName(errorCode))
  expect(new Set(errors)).toEqual(new Set(['INVALID_RECORD']))
  expect(longest).toBeLessThan(1500)
})

test('half a million records without a key are refused with a thousand reasons', async () => {
  const { connect: open } = await testBroker({ topics: ['t'], properties: { 'log.cleanup.policy': 'compact' } })
  const records: Buffer[] = []
  for (let i = 0; i < 500_000; i++) {
    const delta: number[] = []
    let rest = i * 2
    for (; rest > 127; rest >>>= 7) delta.push((rest & 127) | 128)
    const body = [0, 0, ...delta, rest, 1, 1, 0]
    records.push(Buffer.from([body.length * 2, ...body]))
  }
  const attack = (await open()).call(Produce, 9, produceRequest([gzipBatch(Buffer.concat(records), 500_000)]))
  const { errorCode, recordErrors, errorMessage } = (await attack).responses[0].partitionResponses[0]
  expect(errorName(errorCode)).toBe('INVALID_RECORD')
  expect(recordErrors).toHaveLength(1000)
  expect(errorMessage).toContain('500000 record errors')
})

test('who sends half a request and fills the memory for requests goes, and the others are served', async () => {
  const { connect: open, port, lines } = await testBroker({ topics: ['t'], properties: { 'queued.max.request.bytes': '1000000' } })
  const half = Buffer.alloc(60_000)
  half.writeInt32BE(50_000_000, 0)
  const sockets = Array.from({ length: 30 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(half, resolve))))
  const begin = performance.now()
  await (await open()).call(Produce, 9, produceRequest([batchOf(['a'.repeat(300_000)])]))
  expect(performance.now() - begin).toBeLessThan(6000)
  expect(lines.some((line) => line.includes('memory for requests was short'))).toBe(true)
})

test('readers that do not read get no more than a bounded amount of memory between them', async () => {
  const { connect: open, port } = await testBroker({ topics: ['t'], properties: { 'message.max.bytes': '9000000' } })
  const client = await open()
  await client.call(Produce, 9, produceRequest([batchOf(['x'.repeat(8_000_000)])]))
  const header = { correlationId: 1, clientId: 'x' }
  const frame = Buffer.concat(encodeRequestFrame(Fetch, 12, header, fetchRequest(1, 0, 1)))
  const sockets = Array.from({ length: 150 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()))
  const before = process.memoryUsage().rss
  for (const socket of sockets) {
    socket.pause()
    socket.write(frame)
    socket.write(frame)
  }
  for (let i = 0; i < 50; i++) await describeOne(client)
  await expect.poll(async () => (await describeOne(client)).topics.length).toBe(1)
  expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(700)
})

test('topics without their metadata log are refused, and stay as they are', async () => {
  const directory = temporaryDirectory()
  const { broker } = await testBroker({ topics: ['t'], properties: { 'log.dirs': directory } })
  await broker.stop()
  rmSync(join(directory, '__cluster_metadata-0'), { recursive: true })
  const before = readdirSync(directory)
  await expect(testBroker({ properties: { 'log.dirs': directory } })).rejects.toThrow('holds topics (t-0)')
  expect(readdirSync(directory)).toEqual(before)
})

test('a stop does not wait for the changes of metadata that have not begun', async () => {
  const { broker } = await testBroker({ topics: ['t'] })
  const waiting = Array.from({ length: 500 }, () => broker.metadata.submit(() => ({ records: [], result: 'done' })))
  const [ended] = await Promise.all([Promise.allSettled(waiting), broker.metadata.close()])
  const refused = ended.filter((each) => each.status === 'rejected')
  expect(refused.length).toBeGreaterThan(490)
})

test('a log line that cannot be written is lost, and nothing else', () => {
  const write = vi.spyOn(process.stderr, 'write').mockImplementation(() => {
    throw new Error('ENOSPC: no space left on device, write')
  })
  try {
    expect(() => boundedLog(undefined)('a line\n')).not.toThrow()
    expect(write).toHaveBeenCalledOnce()
  } finally {
    write.mockRestore()
  }
})
