// Fetch as raw requests see it: what is returned, how much of it, and when.

import { describe, expect, test } from 'vitest'
import { DeleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { DeleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { readBatchHeader } from '../../src/protocol/record-batch.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { ResponseOf } from '../../src/protocol/schema.ts'
import { testBroker } from '../support/broker.ts'
import { marker } from '../storage/fixtures.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'

interface FetchOptions {
  readonly version?: number
  readonly maxWaitMs?: number
  readonly minBytes?: number
  readonly maxBytes?: number
  readonly replicaId?: number
  readonly isolationLevel?: number
  readonly session?: readonly [id: number, epoch: number]
}

interface Target {
  readonly topic?: string
  readonly id?: string
  readonly index?: number
  readonly offset?: number
  readonly maxBytes?: number
  readonly epoch?: number
  readonly lastEpoch?: number
}

function fetchAll(client: RawClient, targets: readonly Target[], options: FetchOptions = {}): Promise<ResponseOf<typeof Fetch>> {
  const { version = 12, maxWaitMs = 0, minBytes = 1, maxBytes = 1 << 20, session = [0, -1] } = options
  return client.call(Fetch, version, {
    replicaId: options.replicaId ?? -1,
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: options.isolationLevel ?? 0,
    sessionId: session[0],
    sessionEpoch: session[1],
    topics: targets.map(({ topic = 't', id = ZERO_UUID, index = 0, offset = 0, maxBytes: most = 1 << 20, epoch = -1, lastEpoch = -1 }) => ({
      topic,
      topicId: id,
      partitions: [{ partition: index, fetchOffset: offset, partitionMaxBytes: most, currentLeaderEpoch: epoch, lastFetchedEpoch: lastEpoch }],
    })),
  })
}

async function fetchOne(client: RawClient, target: Target, options: FetchOptions = {}) {
  const { responses } = await fetchAll(client, [target], options)
  const row = responses[0].partitions[0]
  return { ...row, error: errorName(row.errorCode), batches: batchesIn(row.records) }
}

/** First and last offset of each batch. */
function batchesIn(records: Buffer | null): string[] {
  if (records === null) return ['null']
  const found: string[] = []
  for (let at = 0; at < records.length; ) {
    const { baseOffset, lastOffsetDelta, size } = readBatchHeader(records, at)
    found.push(`${baseOffset}-${baseOffset + lastOffsetDelta}`)
    at += size
  }
  return found
}

async function produce(client: RawClient, values: readonly string[], topic = 't', index = 0): Promise<void> {
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index, records: batchOf(values) }] }]
  const { responses } = await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  expect(responses[0].partitionResponses[0].errorCode).toBe(0)
}

describe('what is returned', () => {
  test('whole batches, from the one that holds the offset', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    await produce(client, ['0', '1', '2'])
    await produce(client, ['3', '4'])
    await produce(client, ['5'])
    expect(await fetchOne(client, { offset: 0 })).toMatchObject({ batches: ['0-2', '3-4', '5-5'], highWatermark: 6, lastStableOffset: 6, logStartOffset: 0 })
    expect((await fetchOne(client, { offset: 4 })).batches).toEqual(['3-4', '5-5'])
    expect(await fetchOne(client, { offset: 6 })).toMatchObject({ error: 'NONE', batches: [] })
    expect(await fetchOne(client, { offset: 7 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE', highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 })
    expect(await fetchOne(client, { offset: -1 })).toMatchObject({ error: 'OFFSET_OUT_OF_RANGE' })
  })

  test('the first batch however large it is, and no other beyond the limits', async () => {
    const { connect } = await testBroker({ topics: ['t:2'] })
    const client = await connect()
    for (const index of [0, 1]) {
      await produce(client, ['x'.repeat(1000)], 't', index)
      await produce(client, ['y'.repeat(1000)], 't', index)
    }
    const targets = [{ index: 0, maxBytes: 10 }, { index: 1, maxBytes: 10 }] // prettier-ignore
    const batches = ({ responses }: ResponseOf<typeof Fetch>) => responses.flatMap(({ partitions }) => partitions.map(({ records }) => batchesIn(records)))
    expect(batches(await fetchAll(client, targets))).toEqual([['0-0'], []])
    expect(batches(await fetchAll(client, [{ index: 0 }, { index: 1 }], { maxBytes: 10 }))).toEqual([['0-0'], []])
    expect(batches(await fetchAll(client, [{ index: 0 }, { index: 1 }], { maxBytes: 3500 }))).toEqual([['0-0', '1-1'], ['0-0']])
    expect(batches(await fetchAll(client, [{ index: 0, offset: 2 }, { index: 1, maxBytes: 10 }]))).toEqual([[], ['0-0']])
  })

  test('by topic id from version 13 on', async () => {
    const { connect, topicId } = await testBroker({ topics: ['t'] })
    const client = await connect()
    await produce(client, ['a'])
    const { responses } = await fetchAll(client, [{ topic: '', id: topicId('t') }], { version: 17 })
    expect(responses[0].topicId).toBe(topicId('t'))
    expect(batchesIn(responses[0].partitions[0].records)).toEqual(['0-0'])
    expect((await fetchOne(client, { topic: '', id: 'AAAAAAAAAAAAAAAAAAAAZw' }, { version: 13 })).error).toBe('UNKNOWN_TOPIC_ID')
  })

  test('aborted transactions are named for read_committed alone', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    expect((await fetchOne(client, {})).abortedTransactions).toBeNull()
    expect((await fetchOne(client, {}, { isolationLevel: 1 })).abortedTransactions).toEqual([])
  })

  test('to a client with another idea of the leader epoch: its error', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    await produce(client, ['a'])
    expect((await fetchOne(client, { epoch: 0 })).error).toBe('NONE')
    expect((await fetchOne(client, { epoch: 5 })).error).toBe('UNKNOWN_LEADER_EPOCH')
    expect((await fetchOne(client, { lastEpoch: 0, offset: 1 })).error).toBe('NONE')
  })

  test('to a client that has read nothing yet of an empty partition, in its leader epoch: nothing, and no error', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    expect((await fetchOne(client, { epoch: 0, lastEpoch: 0 })).error).toBe('NONE')
    expect((await fetchOne(client, { epoch: 0, lastEpoch: 1 })).error).toBe('OFFSET_OUT_OF_RANGE')
  })

  test('to whoever says it is a follower: nothing', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    await produce(client, ['a'])
    expect(await fetchOne(client, {}, { replicaId: 2 })).toMatchObject({ error: 'TOPIC_AUTHORIZATION_FAILED', batches: [] })
  })

  test('below the log start: OFFSET_OUT_OF_RANGE', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    await produce(client, ['0', '1', '2'])
    const deleted = await client.call(DeleteRecords, 2, { topics: [{ name: 't', partitions: [{ partitionIndex: 0, offset: 2 }] }], timeoutMs: 1000 })
    expect(deleted.topics[0].partitions[0]).toMatchObject({ errorCode: 0, lowWatermark: 2 })
    expect((await fetchOne(client, { offset: 1 })).error).toBe('OFFSET_OUT_OF_RANGE')
    expect(await fetchOne(client, { offset: 2 })).toMatchObject({ error: 'NONE', logStartOffset: 2, batches: ['0-2'] })
  })
})

describe('a fetch that finds too little', () => {
  test('waits, and is woken by what is produced', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const [reader, writer] = [await connect(), await connect()]
    const waiting = fetchOne(reader, {}, { maxWaitMs: 60_000 })
    await produce(writer, ['a'])
    expect((await waiting).batches).toEqual(['0-0'])
  })

  test('waits for as many bytes as it asked for', async () => {
    const { connect } = await testBroker({ topics: ['t:2'] })
    const [reader, writer] = [await connect(), await connect()]
    let isDone = false
    const waiting = fetchAll(reader, [{ index: 0 }, { index: 1 }], { maxWaitMs: 60_000, minBytes: 2500 }).then((answer) => {
      isDone = true
      return answer
    })
    await produce(writer, ['x'.repeat(1000)])
    await produce(writer, ['x'.repeat(1000)], 't', 1)
    expect(isDone).toBe(false)
    await produce(writer, ['x'.repeat(1000)])
    const { responses } = await waiting
    expect(responses.flatMap(({ partitions }) => partitions.flatMap(({ records }) => batchesIn(records)))).toEqual(['0-0', '1-1', '0-0'])
  })

  test('is answered at its deadline with what there is', async () => {
    const clock = manualClock()
    const { connect, broker } = await testBroker({ topics: ['t'], clock })
    const reader = await connect()
    await produce(await connect(), ['a'])
    let isDone = false
    const waiting = fetchOne(reader, {}, { maxWaitMs: 500, minBytes: 10_000 }).then((row) => {
      isDone = true
      return row
    })
    await produce(await connect(), ['b'])
    clock.advance(499)
    await produce(await connect(), ['c'])
    expect(isDone).toBe(false)
    clock.advance(1)
    expect((await waiting).batches).toEqual(['0-0', '1-1', '2-2'])
    expect(broker.replyRoom()).toBeGreaterThan(0)
  })

  test('does not wait where there is an error', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    const { responses } = await fetchAll(client, [{}, { topic: 'nowhere' }], { maxWaitMs: 60_000 })
    expect(responses.map(({ partitions }) => errorName(partitions[0].errorCode))).toEqual(['NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
  })

  test('is told when its topic is deleted', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const [reader, admin] = [await connect(), await connect()]
    const waiting = fetchOne(reader, {}, { maxWaitMs: 60_000 })
    await admin.call(DeleteTopics, 4, { topicNames: ['t'], timeoutMs: 5000 })
    expect((await waiting).error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  test('holds up its own connection only', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const [reader, writer] = [await connect(), await connect()]
    const waiting = fetchOne(reader, {}, { maxWaitMs: 60_000 })
    const behind = fetchOne(reader, { offset: 1 })
    await produce(writer, ['a'])
    await Promise.all([waiting, behind])
    expect(reader.replied).toEqual([1, 2])
  })

  test('is forgotten when its client leaves', async () => {
    const clock = manualClock()
    const { connect } = await testBroker({ topics: ['t'], clock })
    const reader = await connect()
    const before = clock.pending
    fetchOne(reader, {}, { maxWaitMs: 60_000 }).catch(() => undefined)
    await expect.poll(() => clock.pending).toBeGreaterThan(before)
    const parked = clock.pending
    reader.close()
    await expect.poll(() => clock.pending).toBeLessThan(parked)
  })
})

test('a session is shown only what changed', async () => {
  const { connect } = await testBroker({ topics: ['t:3'] })
  const client = await connect()
  const all = [{ index: 0 }, { index: 1 }, { index: 2 }]
  const { sessionId } = await fetchAll(client, all, { session: [0, 0] })
  expect(sessionId).toBeGreaterThan(0)
  await produce(client, ['a'], 't', 1)
  const second = await fetchAll(client, [], { session: [sessionId, 1] })
  expect(second.responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))).toEqual([1])
  const third = await fetchAll(client, [{ index: 1, offset: 1 }], { session: [sessionId, 2] })
  expect(third.responses).toEqual([])
  expect(errorName((await fetchAll(client, [], { session: [sessionId, 9] })).errorCode)).toBe('INVALID_FETCH_SESSION_EPOCH')
  expect(errorName((await fetchAll(client, [], { session: [1, 1] })).errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND')
})

describe('readers of committed records', () => {
  const producer = { producerId: 5n, producerEpoch: 0 }
  const committed = { isolationLevel: 1 }

  async function withTransaction() {
    const { broker, connect } = await testBroker({ topics: ['t'] })
    const { log } = broker.partitions.get('t', 0)
    const write = async (baseSequence: number) => {
      const { lastOffset } = log.append(batchOf(['x'.repeat(100)], { ...producer, baseSequence, isTransactional: true, timestamp: Date.now() }), 'client')
      await log.safe(lastOffset + 1)
    }
    const end = async (kind: 'commit' | 'abort') => {
      const { lastOffset } = log.append(marker(kind, producer), 'coordinator')
      await log.safe(lastOffset + 1)
    }
    return { client: await connect(), write, end }
  }

  test('get nothing of an open transaction, and its records once it is committed, without waiting for the deadline', async () => {
    const { client, write, end } = await withTransaction()
    await write(0)
    expect(await fetchOne(client, {}, committed)).toMatchObject({ highWatermark: 1, lastStableOffset: 0, batches: [] })
    expect((await fetchOne(client, {})).batches).toHaveLength(1)
    // More bytes than the marker has: only what it makes readable fills it.
    const waiting = fetchOne(client, {}, { ...committed, maxWaitMs: 15_000, minBytes: 200 })
    await end('commit')
    expect(await waiting).toMatchObject({ lastStableOffset: 2, abortedTransactions: [], batches: ['0-0', '1-1'] })
  })

  test('are told which transactions were aborted in what they get; others are told nothing', async () => {
    const { client, write, end } = await withTransaction()
    await write(0)
    await end('abort')
    await write(1)
    await end('commit')
    await write(2)
    await end('abort')
    const aborted = async (target: Target, options: FetchOptions = committed) => (await fetchOne(client, target, options)).abortedTransactions
    expect(await aborted({})).toEqual([{ producerId: 5n, firstOffset: 0 }, { producerId: 5n, firstOffset: 4 }])
    expect(await aborted({ maxBytes: 1 })).toEqual([{ producerId: 5n, firstOffset: 0 }])
    expect(await aborted({ offset: 2, maxBytes: 1 })).toEqual([])
    expect(await aborted({ offset: 6 })).toEqual([])
    expect(await aborted({}, {})).toBeNull()
  })
})
