// Produce as raw requests see it: codes, their order, acks, duplicates, and the order of replies.

import { beforeAll, describe, expect, test } from 'vitest'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { readBatchHeader } from '../../src/protocol/record-batch.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { RequestInput } from '../../src/protocol/schema.ts'
import { testBroker } from '../support/broker.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'

beforeAll(() => prepareCodec('zstd'))

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' }

function requestFor(topic: string, records: Buffer | null, options: { acks?: number; index?: number; id?: string; transactionalId?: string } = {}): RequestInput<typeof Produce> {
  const { acks = -1, index = 0, id = ZERO_UUID, transactionalId = null } = options
  return { transactionalId, acks, timeoutMs: 5000, topicData: [{ name: topic, topicId: id, partitionData: [{ index, records }] }] }
}

async function produce(client: RawClient, topic: string, records: Buffer | null, options: Parameters<typeof requestFor>[2] & { version?: number } = {}) {
  const { version = 12 } = options
  const { responses } = await client.call(Produce, version, requestFor(topic, records, options))
  const row = responses[0].partitionResponses[0]
  return { ...row, error: errorName(row.errorCode) }
}

async function valuesIn(client: RawClient, topic: string): Promise<number> {
  const { responses } = await client.call(Fetch, 4, {
    replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0,
    topics: [{ topic, topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  }) // prettier-ignore
  return responses[0].partitions[0].highWatermark
}

function damaged(batch: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(batch)
  copy[at] = value
  return copy
}

describe('a batch', () => {
  test('gets its offsets, and is there when it is answered', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    for (const acks of [1, -1]) {
      const before = await valuesIn(client, 't')
      const row = await produce(client, 't', batchOf(['a', 'b', 'c']), { acks })
      expect(row).toMatchObject({ error: 'NONE', baseOffset: before, logAppendTimeMs: -1, logStartOffset: 0 })
      expect(await valuesIn(client, 't')).toBe(before + 3)
    }
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('in %s is taken', async (codec) => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    expect((await produce(client, 't', batchOf(['a'.repeat(500)], { codec }))).error).toBe('NONE')
  })

  test('goes to a topic by its id from version 13 on', async () => {
    const { connect, topicId } = await testBroker({ topics: ['t'] })
    const client = await connect()
    expect((await produce(client, '', batchOf(['a']), { version: 13, id: topicId('t') })).error).toBe('NONE')
    expect((await produce(client, '', batchOf(['a']), { version: 13, id: 'AAAAAAAAAAAAAAAAAAAAZw' })).error).toBe('UNKNOWN_TOPIC_ID')
    expect((await produce(client, '', batchOf(['a']), { version: 13, id: topicId('t'), index: 9 })).error).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  test('that must not be taken is refused with its code, and nothing is appended', async () => {
    const { connect } = await testBroker({ topics: ['t'], properties: { 'message.max.bytes': '10000' } })
    const client = await connect()
    const good = batchOf(['a', 'b'])
    const cases: [string, Buffer | null, string, Parameters<typeof produce>[3]?][] = [
      ['unknown topic', good, 'UNKNOWN_TOPIC_OR_PARTITION'],
      ['null records', null, 'INVALID_RECORD'],
      ['no records', Buffer.alloc(0), 'INVALID_RECORD'],
      ['half a header', good.subarray(0, 40), 'CORRUPT_MESSAGE'],
      ['half a batch', good.subarray(0, good.length - 1), 'CORRUPT_MESSAGE'],
      ['two batches', Buffer.concat([good, good]), 'INVALID_RECORD'],
      ['magic 1', damaged(good, 16, 1), 'INVALID_RECORD'],
      ['magic 3', damaged(good, 16, 3), 'CORRUPT_MESSAGE'],
      ['a flipped value', damaged(good, good.length - 2, 0x7f), 'CORRUPT_MESSAGE'],
      ['an offset of its own', damaged(good, 7, 5), 'INVALID_RECORD'],
      ['a control batch', batchOf(['a'], { isControl: true }), 'INVALID_RECORD'],
      ['too large a batch', batchOf(['x'.repeat(10_000)]), 'MESSAGE_TOO_LARGE'],
      ['too late a timestamp', batchOf(['a'], { timestamp: Date.now() + 7_200_000 }), 'INVALID_TIMESTAMP'],
      ['a producer without a sequence', batchOf(['a'], { producerId: 5n, producerEpoch: 0, baseSequence: -1 }), 'INVALID_RECORD'],
      ['zstd before version 7', batchOf(['a'], { codec: 'zstd' }), 'UNSUPPORTED_COMPRESSION_TYPE', { version: 6 }],
      ['acks of 2', good, 'INVALID_REQUIRED_ACKS', { acks: 2 }],
      ['a transactional batch without an id', batchOf(['a'], { isTransactional: true, producerId: 5n, producerEpoch: 0, baseSequence: 0 }), 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'],
    ] // prettier-ignore
    for (const [what, records, expected, options] of cases) {
      const topic = what === 'unknown topic' ? 'nowhere' : 't'
      const row = await produce(client, topic, records, options)
      expect(`${what}: ${row.error}`).toBe(`${what}: ${expected}`)
      expect(row.baseOffset).toBe(-1)
    }
    expect(await valuesIn(client, 't')).toBe(0)
  })

  test('without keys is refused by a compacted topic, record by record', async () => {
    const { connect } = await testBroker({ topics: ['t'], properties: { 'log.cleanup.policy': 'compact' } })
    const client = await connect()
    const row = await produce(client, 't', batchOf([{ key: 'k', value: '1' }, { key: null, value: '2' }]))
    expect(row.error).toBe('INVALID_RECORD')
    expect(row.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1])
  })

  test('does not keep a good one in the same request from being taken', async () => {
    const { connect } = await testBroker({ topics: ['t:2'] })
    const client = await connect()
    const { responses } = await client.call(Produce, 12, {
      ...requestFor('t', null),
      topicData: [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 0, records: Buffer.alloc(3) }, { index: 1, records: batchOf(['a']) }] }],
    })
    expect(responses[0].partitionResponses.map(({ errorCode }) => errorName(errorCode))).toEqual(['CORRUPT_MESSAGE', 'NONE'])
  })

  test('with LogAppendTime gets the time, and says so', async () => {
    const { connect } = await testBroker({ topics: ['t'], properties: { 'log.message.timestamp.type': 'LogAppendTime' } })
    const client = await connect()
    const before = Date.now()
    expect((await produce(client, 't', batchOf(['a']))).logAppendTimeMs).toBeGreaterThanOrEqual(before)
  })
})

describe('an idempotent producer', () => {
  test('gets an id of its own each time', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const ask = (transactionalId: string | null) => client.call(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 1000 })
    const ids = [await ask(null), await ask(null), await ask(null)].map(({ producerId }) => producerId)
    expect(new Set(ids).size).toBe(3)
    expect(errorName((await ask('')).errorCode)).toBe('INVALID_REQUEST')
  })

  test('that sends again is answered as the first time; one that leaves a gap is told', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    const { producerId } = await client.call(InitProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    const batch = (baseSequence: number, producerEpoch = 0) => batchOf(['a', 'b'], { producerId, producerEpoch, baseSequence })
    expect(await produce(client, 't', batch(0))).toMatchObject({ error: 'NONE', baseOffset: 0 })
    expect(await produce(client, 't', batch(2))).toMatchObject({ error: 'NONE', baseOffset: 2 })
    expect(await produce(client, 't', batch(0))).toMatchObject({ error: 'NONE', baseOffset: 0 })
    expect(await valuesIn(client, 't')).toBe(4)
    expect((await produce(client, 't', batch(6))).error).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect((await produce(client, 't', batch(0, 1))).error).toBe('NONE')
    expect((await produce(client, 't', batch(4, 0))).error).toBe('INVALID_PRODUCER_EPOCH')
  })
})

describe('replies', () => {
  test('leave in the order of the requests, however long each waits', async () => {
    const { connect } = await testBroker({ topics: ['t:4'] })
    const client = await connect()
    const calls: Promise<unknown>[] = []
    for (let i = 0; i < 40; i++) {
      calls.push(client.call(Produce, 9, requestFor('t', batchOf([`${i}`]), { index: i % 4 })))
      calls.push(client.call(ApiVersions, 2, SOFTWARE))
    }
    await Promise.all(calls)
    expect(client.replied).toEqual(Array.from({ length: 80 }, (_, i) => i + 1))
  })

  test('with acks=0 there is none, and those around it are not disturbed', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    const first = client.call(ApiVersions, 2, SOFTWARE)
    client.tell(Produce, 9, requestFor('t', batchOf(['a']), { acks: 0 }))
    const second = client.call(Produce, 9, requestFor('t', batchOf(['b'])))
    client.tell(Produce, 9, requestFor('t', batchOf(['c']), { acks: 0 }))
    await Promise.all([first, second, client.call(ApiVersions, 2, SOFTWARE)])
    expect(client.replied).toEqual([1, 3, 5])
    await expect.poll(() => valuesIn(client, 't')).toBe(3)
  })

  test('with acks=0 an error closes the connection', async () => {
    const { connect, lines } = await testBroker({ topics: ['t'] })
    const client = await connect()
    client.tell(Produce, 9, requestFor('nowhere', batchOf(['a']), { acks: 0 }))
    await client.closed
    expect(lines.at(-1)).toContain('Produce to nowhere-0 with acks=0')
  })

  test('with acks=0 what a client sent before it left is stored', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    for (let i = 0; i < 100; i++) client.tell(Produce, 9, requestFor('t', batchOf([`${i}`]), { acks: 0 }))
    client.end()
    await client.closed
    const reader = await connect()
    await expect.poll(() => valuesIn(reader, 't')).toBe(100)
  })
})

test('the leader epoch and offsets are stamped, and the rest stays as it came', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const sent = batchOf(['a', 'b'])
  await produce(client, 't', Buffer.from(sent))
  await produce(client, 't', Buffer.from(sent))
  const { responses } = await client.call(Fetch, 4, {
    replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0,
    topics: [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 2, partitionMaxBytes: 1 << 20 }] }],
  }) // prettier-ignore
  const stored = responses[0].partitions[0].records ?? Buffer.alloc(0)
  expect(readBatchHeader(stored, 0)).toMatchObject({ baseOffset: 2, leaderEpoch: 0, recordCount: 2 })
  expect(stored.subarray(16).equals(sent.subarray(16))).toBe(true)
})
