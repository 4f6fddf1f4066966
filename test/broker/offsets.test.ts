// The requests about offsets, coordinators and directories, each for its answers and its codes.

import { describe, expect, test } from 'vitest'
import { DeleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { AlterReplicaLogDirs } from '../../src/protocol/apis/alter-replica-log-dirs.ts'
import { DescribeLogDirs } from '../../src/protocol/apis/describe-log-dirs.ts'
import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { ListOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { OffsetForLeaderEpoch } from '../../src/protocol/apis/offset-for-leader-epoch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { testBroker } from '../support/broker.ts'
import { batchOf, type RawClient } from '../support/raw-client.ts'

const T0 = 1_700_000_000_000

async function produce(client: RawClient, values: Parameters<typeof batchOf>[0], topic = 't', codec: 'none' | 'gzip' = 'none') {
  const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(values, { codec }) }] }]
  const { responses } = await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  expect(responses[0].partitionResponses[0].errorCode).toBe(0)
}

function at(ms: number) {
  return { key: null, value: `${ms}`, timestamp: T0 + ms }
}

describe('ListOffsets', () => {
  async function offsetAt(client: RawClient, timestamp: number, { version = 11, topic = 't', index = 0, epoch = -1 } = {}) {
    const partitions = [{ partitionIndex: index, timestamp, currentLeaderEpoch: epoch }]
    const answer = await client.call(ListOffsets, version, { replicaId: -1, isolationLevel: 0, topics: [{ name: topic, partitions }], timeoutMs: 0 })
    const { errorCode, offset, timestamp: found, leaderEpoch } = answer.topics[0].partitions[0]
    return errorCode === 0 ? [offset, found, leaderEpoch] : errorName(errorCode)
  }

  test('finds the ends, the first record at or after a time, and the latest one', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    expect(await offsetAt(client, -3)).toEqual([-1, -1, -1])
    await produce(client, [at(0), at(10), at(20)])
    await produce(client, [at(30), at(90), at(50)], 't', 'gzip')
    await produce(client, [at(60)])
    expect(await offsetAt(client, -1)).toEqual([7, -1, 0])
    expect(await offsetAt(client, -2)).toEqual([0, -1, 0])
    expect(await offsetAt(client, -3)).toEqual([4, T0 + 90, 0])
    expect(await offsetAt(client, -4)).toEqual([0, -1, 0])
    expect(await offsetAt(client, -5)).toEqual([-1, -1, -1])
    expect(await offsetAt(client, -6)).toEqual([-1, -1, -1])
    expect(await offsetAt(client, T0)).toEqual([0, T0, 0])
    expect(await offsetAt(client, T0 + 11)).toEqual([2, T0 + 20, 0])
    expect(await offsetAt(client, T0 + 40)).toEqual([4, T0 + 90, 0])
    expect(await offsetAt(client, T0 + 91)).toEqual([-1, -1, -1])
    expect(await offsetAt(client, -1, { version: 1 })).toEqual([7, -1, -1])
  })

  test('refuses what its version does not have, and what is not there', async () => {
    const { connect } = await testBroker({ topics: ['t'] })
    const client = await connect()
    expect(await offsetAt(client, -3, { version: 6 })).toBe('UNSUPPORTED_VERSION')
    expect(await offsetAt(client, -4, { version: 7 })).toBe('UNSUPPORTED_VERSION')
    expect(await offsetAt(client, -5, { version: 8 })).toBe('UNSUPPORTED_VERSION')
    expect(await offsetAt(client, -6, { version: 10 })).toBe('UNSUPPORTED_VERSION')
    expect(await offsetAt(client, -7)).toBe('UNSUPPORTED_VERSION')
    expect(await offsetAt(client, -1, { topic: 'nowhere' })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await offsetAt(client, -1, { index: 1 })).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await offsetAt(client, -1, { epoch: 3 })).toBe('UNKNOWN_LEADER_EPOCH')
    const twice = [{ partitionIndex: 0, timestamp: -1 }, { partitionIndex: 0, timestamp: -2 }] // prettier-ignore
    const answer = await client.call(ListOffsets, 5, { replicaId: -1, isolationLevel: 0, topics: [{ name: 't', partitions: twice }], timeoutMs: 0 })
    expect(answer.topics[0].partitions.map(({ errorCode }) => errorName(errorCode))).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  })
})

test('OffsetForLeaderEpoch: the end of an epoch, none for one that was not, and fencing', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  await produce(client, ['a', 'b'])
  const ask = async (leaderEpoch: number, currentLeaderEpoch = -1, topic = 't') => {
    const partitions = [{ partition: 0, leaderEpoch, currentLeaderEpoch }]
    const answer = await client.call(OffsetForLeaderEpoch, 4, { replicaId: -1, topics: [{ topic, partitions }] })
    const row = answer.topics[0].partitions[0]
    return [errorName(row.errorCode), row.leaderEpoch, row.endOffset]
  }
  expect(await ask(0)).toEqual(['NONE', 0, 2])
  expect(await ask(7)).toEqual(['NONE', -1, -1])
  expect(await ask(0, 4)).toEqual(['UNKNOWN_LEADER_EPOCH', -1, -1])
  expect(await ask(0, -1, 'nowhere')).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1, -1])
})

describe('DeleteRecords', () => {
  async function deleteBefore(client: RawClient, offset: number, topic = 't') {
    const topics = [{ name: topic, partitions: [{ partitionIndex: 0, offset }] }]
    const row = (await client.call(DeleteRecords, 2, { topics, timeoutMs: 1000 })).topics[0].partitions[0]
    return row.errorCode === 0 ? row.lowWatermark : errorName(row.errorCode)
  }

  test('moves the start, never back, and not beyond the end; it stays moved', async () => {
    const { connect, broker } = await testBroker({ topics: ['t'] })
    const client = await connect()
    await produce(client, ['0', '1', '2', '3'])
    expect(await deleteBefore(client, 2)).toBe(2)
    expect(await deleteBefore(client, 1)).toBe(2)
    expect(await deleteBefore(client, 5)).toBe('OFFSET_OUT_OF_RANGE')
    expect(await deleteBefore(client, -2)).toBe('OFFSET_OUT_OF_RANGE')
    expect(await deleteBefore(client, -1)).toBe(4)
    expect(await deleteBefore(client, 0, 'nowhere')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await deleteBefore(client, 0, '__consumer_offsets')).toBe('INVALID_TOPIC_EXCEPTION')
    await broker.stop()
    const again = await testBroker({ properties: { 'log.dirs': broker.store.directory } })
    expect(again.broker.partitions.get('t', 0).log.logStartOffset).toBe(4)
  })

  test('is against the policy of a compacted topic', async () => {
    const { connect } = await testBroker({ topics: ['t'], properties: { 'log.cleanup.policy': 'compact' } })
    expect(await deleteBefore(await connect(), 0)).toBe('POLICY_VIOLATION')
  })
})

describe('FindCoordinator', () => {
  test('is this node at the address of the listener that is asked', async () => {
    const { connect, port, broker } = await testBroker({
      properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'advertised.listeners': 'PLAINTEXT://broker.example:1234' },
    })
    const client = await connect()
    expect(port).not.toBe(1234)
    const old = await client.call(FindCoordinator, 2, { key: 'group', keyType: 0 })
    expect(old).toMatchObject({ errorCode: 0, errorMessage: 'NONE', nodeId: broker.nodeId, host: 'broker.example', port: 1234 })
    const { coordinators } = await client.call(FindCoordinator, 6, { keyType: 1, coordinatorKeys: ['a', 'b'] })
    expect(coordinators.map(({ key, host, errorCode }) => [key, host, errorCode])).toEqual([['a', 'broker.example', 0], ['b', 'broker.example', 0]]) // prettier-ignore
  })

  test('knows three kinds of keys', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const ask = async (keyType: number, key: string, version: number) => {
      return errorName((await client.call(FindCoordinator, version, { keyType, coordinatorKeys: [key] })).coordinators[0].errorCode)
    }
    expect(await ask(2, `group:${ZERO_UUID}:0`, 6)).toBe('NONE')
    expect(await ask(2, `group:${ZERO_UUID}:0`, 5)).toBe('INVALID_REQUEST')
    expect(await ask(2, 'group', 6)).toBe('INVALID_REQUEST')
    expect(await ask(3, 'x', 6)).toBe('INVALID_REQUEST')
  })
})

test('AlterReplicaLogDirs: a partition may be sent to where it is, and nowhere else', async () => {
  const { connect, broker } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const send = async (path: string, name: string) => {
    const { results } = await client.call(AlterReplicaLogDirs, 2, { dirs: [{ path, topics: [{ name, partitions: [0] }] }] })
    return errorName(results[0].partitions[0].errorCode)
  }
  expect(await send(broker.store.directory, 't')).toBe('NONE')
  expect(await send('/elsewhere', 't')).toBe('LOG_DIR_NOT_FOUND')
  expect(await send(broker.store.directory, 'absent')).toBe('UNKNOWN_TOPIC_OR_PARTITION')
})

test('DescribeLogDirs: all, some, or none of the partitions, with their sizes', async () => {
  const { connect, broker } = await testBroker({ topics: ['t:2', 'u'] })
  const client = await connect()
  await produce(client, ['x'.repeat(100)])
  const ask = async (topics: { topic: string; partitions: number[] }[] | null) => {
    const { results } = await client.call(DescribeLogDirs, 4, { topics })
    expect(results[0].logDir).toBe(broker.store.directory)
    expect(results[0].usableBytes).toBeGreaterThan(0)
    return results[0].topics.flatMap(({ name, partitions }) => partitions.map(({ partitionIndex, partitionSize }) => `${name}-${partitionIndex}:${partitionSize > 0}`))
  }
  expect((await ask(null)).sort()).toEqual(['t-0:true', 't-1:false', 'u-0:false'])
  expect(await ask([{ topic: 't', partitions: [1, 9] }, { topic: 'nowhere', partitions: [0] }])).toEqual(['t-1:false'])
  expect(await ask([])).toEqual([])
})
