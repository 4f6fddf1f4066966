// A topic's configs at work, from the moment they are set; and its end: what comes again under its name is another topic,
// with a new id and nothing of the old one.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { CreateTopics } from '../../src/protocol/apis/create-topics.ts'
import { DeleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { temporaryDirectory, testBroker, type TestBroker } from '../support/broker.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'

const TOPIC = 2
const LATEST = -1

async function produce(client: RawClient, records: Buffer) {
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }]
  const { responses } = await client.call(Produce, 12, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  const { errorCode, ...row } = responses[0].partitionResponses[0]
  return { ...row, error: errorName(errorCode) }
}

async function set(client: RawClient, configs: Readonly<Record<string, string>>): Promise<void> {
  const changes = Object.entries(configs).map(([name, value]) => ({ name, configOperation: 0, value }))
  const request = { resources: [{ resourceType: TOPIC, resourceName: 't', configs: changes }], validateOnly: false }
  expect((await client.call(IncrementalAlterConfigs, 1, request)).responses[0]).toMatchObject({ errorCode: 0, errorMessage: null })
}

async function latest(client: RawClient): Promise<number> {
  const topics = [{ name: 't', partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: LATEST }] }]
  const answer = await client.call(ListOffsets, 7, { replicaId: -1, isolationLevel: 0, topics } as never)
  return answer.topics[0].partitions[0].offset
}

async function fetchById(client: RawClient, id: string, session: readonly [id: number, epoch: number], isAsked = true) {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }]
  const answer = await client.call(Fetch, 13, {
    replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0, sessionId: session[0], sessionEpoch: session[1],
    topics: isAsked ? [{ topic: '', topicId: id, partitions }] : [],
  }) // prettier-ignore
  const row = answer.responses.at(0)?.partitions.at(0)
  return { sessionId: answer.sessionId, top: errorName(answer.errorCode), row: row && { error: errorName(row.errorCode), end: row.highWatermark } }
}

describe('a config of a topic', () => {
  test('max.message.bytes counts from the next batch on', async () => {
    const client = await (await testBroker({ topics: ['t'] })).connect()
    const batch = batchOf(['x'.repeat(1000)])
    expect((await produce(client, batch)).error).toBe('NONE')
    await set(client, { 'max.message.bytes': '500' })
    expect((await produce(client, batch)).error).toBe('MESSAGE_TOO_LARGE')
    await set(client, { 'max.message.bytes': String(batch.length) })
    expect((await produce(client, batch)).error).toBe('NONE')
  })

  test('message.timestamp.before.max.ms and after.max.ms bound what producers say', async () => {
    const client = await (await testBroker({ topics: ['t'] })).connect()
    const at = (ms: number) => produce(client, batchOf(['a'], { timestamp: Date.now() + ms }))
    expect((await at(-86_400_000)).error).toBe('NONE')
    await set(client, { 'message.timestamp.before.max.ms': '60000', 'message.timestamp.after.max.ms': '60000' })
    expect((await at(-120_000)).error).toBe('INVALID_TIMESTAMP')
    expect((await at(120_000)).error).toBe('INVALID_TIMESTAMP')
    expect((await at(0)).error).toBe('NONE')
  })

  test('message.timestamp.type=LogAppendTime takes the broker\'s time, whatever the producer says', async () => {
    const client = await (await testBroker({ topics: ['t'] })).connect()
    const old = batchOf(['a'], { timestamp: 5 })
    expect((await produce(client, old)).logAppendTimeMs).toBe(-1)
    await set(client, { 'message.timestamp.type': 'LogAppendTime' })
    expect((await produce(client, old)).logAppendTimeMs).toBeGreaterThan(1_600_000_000_000)
  })

  test('cleanup.policy=compact refuses records without keys, and so does compact,delete', async () => {
    const client = await (await testBroker({ topics: ['t'] })).connect()
    expect((await produce(client, batchOf(['a']))).error).toBe('NONE')
    for (const policy of ['compact', 'compact,delete']) {
      await set(client, { 'cleanup.policy': policy })
      expect((await produce(client, batchOf(['a']))).error).toBe('INVALID_RECORD')
      expect((await produce(client, batchOf([{ key: 'k', value: null }]))).error).toBe('NONE')
    }
  })

  test.each<[rule: string, configs: Record<string, string>, batches: () => Buffer[], segments: number]>([
    ['segment.bytes', { 'segment.bytes': '1048576' }, () => Array.from({ length: 3 }, () => batchOf(['x'.repeat(600_000)])), 3],
    ['segment.ms', { 'segment.ms': '1000' }, () => [0, 500, 2000, 2500, 9000].map((ms) => batchOf(['a'], { timestamp: 1_700_000_000_000 + ms })), 3],
    // An index of 4 bytes less than an entry and a half holds no entry but the first (8 bytes offsets, 12 bytes times).
    ['segment.index.bytes', { 'segment.index.bytes': '12', 'index.interval.bytes': '1' }, () => Array.from({ length: 4 }, () => batchOf(['x'.repeat(100)])), 2],
  ])('%s ends a segment', async (_rule, configs, batches, least) => {
    const directory = temporaryDirectory()
    const client = await (await testBroker({ topics: ['t'], properties: { 'log.dirs': directory } })).connect()
    await set(client, configs)
    for (const batch of batches()) expect((await produce(client, batch)).error).toBe('NONE')
    const segments = readdirSync(join(directory, 't-0')).filter((name) => name.endsWith('.log'))
    expect(segments.length).toBeGreaterThanOrEqual(least)
  })
})

describe('a topic that is deleted and made again', () => {
  async function twice(found: TestBroker, client: RawClient): Promise<[old: string, young: string]> {
    const old = found.topicId('t')
    const { responses } = await client.call(DeleteTopics, 6, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 5000 })
    expect(responses[0].errorCode).toBe(0)
    const topic = { name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
    const { topics } = await client.call(CreateTopics, 7, { topics: [topic], timeoutMs: 5000, validateOnly: false })
    expect(topics[0].errorCode).toBe(0)
    expect(topics[0].topicId).not.toBe(old)
    return [old, topics[0].topicId]
  }

  test('has no records, no configs and no leader epoch of the old one; also after a restart', async () => {
    const directory = temporaryDirectory()
    const first = await testBroker({ topics: ['t'], properties: { 'log.dirs': directory } })
    const client = await first.connect()
    await produce(client, batchOf(['a', 'b']))
    await set(client, { 'retention.ms': '1000', 'max.message.bytes': '5000' })
    const [, young] = await twice(first, client)
    expect(await latest(client)).toBe(0)
    expect(first.broker.metadata.image.configs(TOPIC, 't').size).toBe(0)
    expect((await produce(client, batchOf(['x'.repeat(6000)])))).toMatchObject({ error: 'NONE', baseOffset: 0 })
    await first.broker.stop()
    const second = await testBroker({ properties: { 'log.dirs': directory } })
    expect(second.topicId('t')).toBe(young)
    expect(second.broker.metadata.image.configs(TOPIC, 't').size).toBe(0)
    expect(await latest(await second.connect())).toBe(1)
    expect(readdirSync(directory).filter((name) => name.startsWith('t-'))).toEqual(['t-0'])
  })

  test('knows no producer: what was a duplicate of the old one is new', async () => {
    const found = await testBroker({ topics: ['t'] })
    const client = await found.connect()
    const { producerId } = await client.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    const batch = batchOf(['a'], { producerId, producerEpoch: 0, baseSequence: 0 })
    await produce(client, batchOf(['x', 'y', 'z']))
    expect(await produce(client, batch)).toMatchObject({ error: 'NONE', baseOffset: 3 })
    expect(await produce(client, batch)).toMatchObject({ error: 'NONE', baseOffset: 3 })
    await twice(found, client)
    expect(await produce(client, batch)).toMatchObject({ error: 'NONE', baseOffset: 0 })
    expect(await latest(client)).toBe(1)
  })

  test('is not what a fetch session of the old id reads', async () => {
    const found = await testBroker({ topics: ['t'] })
    const client = await found.connect()
    await produce(client, batchOf(['a']))
    const begun = await fetchById(client, found.topicId('t'), [0, 0])
    expect(begun).toMatchObject({ top: 'NONE', row: { error: 'NONE', end: 1 } })
    const [old, young] = await twice(found, client)
    await produce(client, batchOf(['b', 'c']))
    const goesOn = await fetchById(client, old, [begun.sessionId, 1], false)
    expect(goesOn.row?.error).toBe('INCONSISTENT_TOPIC_ID')
    expect((await fetchById(client, old, [0, -1])).row?.error).toBe('UNKNOWN_TOPIC_ID')
    expect((await fetchById(client, young, [0, -1])).row).toEqual({ error: 'NONE', end: 2 })
  })

  test('is known by its name to a fetch session while it is gone', async () => {
    const found = await testBroker({ topics: ['t'] })
    const client = await found.connect()
    const id = found.topicId('t')
    const { sessionId } = await fetchById(client, id, [0, 0])
    await client.call(DeleteTopics, 6, { topics: [{ name: 't', topicId: ZERO_UUID }], timeoutMs: 1000 })
    expect((await fetchById(client, id, [sessionId, 1], false)).row?.error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect((await fetchById(client, id, [0, -1])).row?.error).toBe('UNKNOWN_TOPIC_ID')
  })
})
