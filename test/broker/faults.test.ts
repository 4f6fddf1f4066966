// What clients are told, and what is left, when the disk is full, fails, or the broker ends in the middle of work.

import { describe, expect, test } from 'vitest'
import { DeleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { DeleteTopics } from '../../src/protocol/apis/delete-topics.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../src/protocol/apis/offset-for-leader-epoch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { DiskError } from '../../src/storage/disk.ts'
import { testBroker } from '../support/broker.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'

const RESERVE = 4 * 1024 * 1024 // which the store keeps for internal logs

async function produce(client: RawClient, size: number, topic = 't') {
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['x'.repeat(size)]) }] }]
  const { responses } = await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  const { errorCode, baseOffset } = responses[0].partitionResponses[0]
  return { error: errorName(errorCode), baseOffset }
}

async function highWatermark(client: RawClient, topic = 't') {
  const { responses } = await client.call(Fetch, 4, {
    replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0,
    topics: [{ topic, topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  }) // prettier-ignore
  return responses[0].partitions[0].highWatermark
}

describe('a machine that loses power', () => {
  test('has lost nothing that was acknowledged; the leader epoch is a new one', async () => {
    const machine = new SimulatedMachine()
    const first = await testBroker({ disk: machine.disk, topics: ['t'] })
    const client = await first.connect()
    for (let i = 0; i < 5; i++) expect(await produce(client, 100)).toEqual({ error: 'NONE', baseOffset: i })
    machine.restart()

    const second = await testBroker({ disk: machine.disk })
    const reader = await second.connect()
    expect(await highWatermark(reader)).toBe(5)
    expect(second.broker.partitions.get('t', 0).leaderEpoch).toBe(1)
    expect(await produce(reader, 100)).toEqual({ error: 'NONE', baseOffset: 5 })
    const partitions = [{ partition: 0, leaderEpoch: 0, currentLeaderEpoch: 1 }]
    const { topics } = await reader.call(OffsetForLeaderEpoch, 4, { replicaId: -1, topics: [{ topic: 't', partitions }] })
    expect(topics[0].partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 5 })
  })

  test('after a clean stop keeps its leader epochs', async () => {
    const machine = new SimulatedMachine()
    const first = await testBroker({ disk: machine.disk, topics: ['t'] })
    await produce(await first.connect(), 100)
    await first.broker.stop()
    machine.restart()
    const second = await testBroker({ disk: machine.disk })
    expect(await highWatermark(await second.connect())).toBe(1)
    expect(second.broker.partitions.get('t', 0).leaderEpoch).toBe(0)
  })
})

test('a full disk refuses writes, serves reads and deletions, and takes writes again when there is room', async () => {
  const machine = new SimulatedMachine()
  const { connect, broker } = await testBroker({
    disk: machine.disk,
    topics: ['t', 'u'],
    properties: { 'log.segment.delete.delay.ms': '0' },
  })
  const client = await connect()
  for (let i = 0; i < 20; i++) await produce(client, 50_000, 'u')
  machine.capacity = 1_200_000 + RESERVE
  let stored = 0
  let refused = ''
  while (refused === '') {
    const { error } = await produce(client, 50_000)
    if (error === 'NONE') stored++
    else refused = error
  }
  expect(refused).toBe('KAFKA_STORAGE_ERROR')
  expect(await highWatermark(client)).toBe(stored)
  const topics = [{ name: 'u', partitions: [{ partitionIndex: 0, offset: -1 }] }]
  const deleted = await client.call(DeleteRecords, 2, { topics, timeoutMs: 5000 })
  expect(deleted.topics[0].partitions[0].errorCode).toBe(0)
  expect((await client.call(DeleteTopics, 4, { topicNames: ['u'], timeoutMs: 5000 })).responses[0].errorCode).toBe(0)
  await expect.poll(async () => (await produce(client, 1000)).error, { timeout: 15_000 }).toBe('NONE')
  await broker.stop()
})

test('a failed sync is not acknowledged, and stops the broker with its reason', async () => {
  const machine = new SimulatedMachine()
  const { connect, broker } = await testBroker({ disk: machine.disk, topics: ['t'] })
  const client = await connect()
  await produce(client, 100)
  machine.fault = (operation, path) => {
    if (operation === 'sync' && path.includes('/t-0/')) throw new DiskError('failed', path, 'EIO', `EIO on ${path}`)
  }
  const answer = await produce(client, 100).catch(() => ({ error: 'closed' }))
  expect(['KAFKA_STORAGE_ERROR', 'closed']).toContain(answer.error)
  expect((await broker.stopped)?.message).toContain('EIO')
  await expect(connect()).rejects.toThrow()
})

test('a stop under load answers what has begun, in time, and keeps what it acknowledged', async () => {
  const machine = new SimulatedMachine()
  const { connect, broker } = await testBroker({ disk: machine.disk, topics: ['t'] })
  const acknowledged: number[] = []
  let isOver = false
  const writers = Array.from({ length: 10 }, async () => {
    const client = await connect()
    while (!isOver) {
      const answer = await produce(client, 500).catch(() => undefined)
      if (answer === undefined) return
      if (answer.error === 'NONE') acknowledged.push(answer.baseOffset)
    }
  })
  const reader = await connect()
  const parked = reader.call(Fetch, 4, {
    replicaId: -1, maxWaitMs: 60_000, minBytes: 1 << 20, maxBytes: 1 << 20, isolationLevel: 0,
    topics: [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }] }],
  }) // prettier-ignore
  await expect.poll(() => acknowledged.length).toBeGreaterThan(100)
  const begin = performance.now()
  await broker.stop()
  expect(performance.now() - begin).toBeLessThan(4000)
  isOver = true
  await Promise.all(writers)
  expect((await parked).responses[0].partitions[0].errorCode).toBe(0)
  machine.restart()
  const again = await testBroker({ disk: machine.disk })
  expect(again.broker.store.wasClean).toBe(true)
  expect(await highWatermark(await again.connect())).toBeGreaterThanOrEqual(Math.max(...acknowledged) + 1)
  expect(new Set(acknowledged).size).toBe(acknowledged.length)
})

test('readers of a damaged log come as far as the damage and are told, wherever they start behind it', async () => {
  const machine = new SimulatedMachine()
  const first = await testBroker({ disk: machine.disk, topics: ['t', 'u'] })
  const writer = await first.connect()
  for (let i = 0; i < 5; i++) await produce(writer, 100)
  await first.broker.stop()
  const path = '/data/t-0/00000000000000000000.log'
  const file = machine.disk.open(path, 'write')
  file.write([Buffer.from('damage')], Math.floor(file.size() / 2))
  await file.sync()
  file.close()

  const { connect, lines } = await testBroker({ disk: machine.disk })
  const client = await connect()
  expect(lines.filter((line) => line.includes('t-0 is damaged from offset 2 on'))).toHaveLength(1)
  const fetch = async (fetchOffset: number) => {
    const { responses } = await client.call(Fetch, 4, {
      replicaId: -1, maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0,
      topics: [{ topic: 't', topicId: ZERO_UUID, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }],
    }) // prettier-ignore
    return errorName(responses[0].partitions[0].errorCode)
  }
  expect(await Promise.all([0, 1, 2, 4, 5].map(fetch))).toEqual(['NONE', 'NONE', ...Array<string>(3).fill('CORRUPT_MESSAGE')])
  const latest = { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -1 }] }], timeoutMs: 0 }
  const { topics } = await client.call(ListOffsets, 4, latest)
  expect(topics[0].partitions[0]).toMatchObject({ errorCode: 0, offset: 5 })
  expect((await produce(client, 100)).error).toBe('KAFKA_STORAGE_ERROR')
  expect(await produce(client, 100, 'u')).toEqual({ error: 'NONE', baseOffset: 0 })
})
