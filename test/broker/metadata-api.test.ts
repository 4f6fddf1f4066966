// Metadata, DescribeCluster, DescribeTopicPartitions, ListPartitionReassignments: what clients route by.

import { describe, expect, test } from 'vitest'
import { DescribeCluster } from '../../src/protocol/apis/describe-cluster.ts'
import { DescribeTopicPartitions } from '../../src/protocol/apis/describe-topic-partitions.ts'
import { ListPartitionReassignments } from '../../src/protocol/apis/list-partition-reassignments.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { testBroker } from '../support/broker.ts'

const NOT_ASKED = -2147483648
const NO_SUCH_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const PLAIN = { includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }

function named(...names: string[]) {
  return names.map((name) => ({ name, topicId: ZERO_UUID }))
}

describe('Metadata', () => {
  test('of one topic', async () => {
    const { connect, port, topicId, broker } = await testBroker({ topics: ['orders:2'], properties: { 'broker.rack': 'attic' } })
    const client = await connect()
    const reply = await client.call(Metadata, 13, { topics: named('orders'), allowAutoTopicCreation: false, ...PLAIN })
    const partition = { errorCode: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1], offlineReplicas: [] }
    expect(reply).toEqual({
      throttleTimeMs: 0,
      brokers: [{ nodeId: 1, host: '127.0.0.1', port, rack: 'attic' }],
      clusterId: broker.clusterId,
      controllerId: 1,
      topics: [
        {
          errorCode: 0,
          name: 'orders',
          topicId: topicId('orders'),
          isInternal: false,
          partitions: [
            { partitionIndex: 0, ...partition },
            { partitionIndex: 1, ...partition },
          ],
          topicAuthorizedOperations: NOT_ASKED,
        },
      ],
      clusterAuthorizedOperations: NOT_ASKED,
      errorCode: 0,
    })
  })

  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])('version %i: all topics, and none', async (version) => {
    const { connect } = await testBroker({ topics: ['one', 'two'] })
    const client = await connect()
    const ask = async (topics: { name: string }[] | null) => {
      const rows = topics?.map(({ name }) => ({ name, topicId: ZERO_UUID })) ?? null
      const reply = await client.call(Metadata, version, { topics: rows, ...PLAIN, allowAutoTopicCreation: true })
      return reply.topics.map(({ name }) => name)
    }
    if (version > 0) expect(await ask(null)).toEqual(['one', 'two'])
    expect(await ask([])).toEqual(version === 0 ? ['one', 'two'] : [])
    expect(await ask([{ name: 'two' }, { name: 'two' }])).toEqual(['two'])
  })

  test('makes a missing topic where broker and request allow it', async () => {
    const { broker, connect } = await testBroker({ properties: { 'num.partitions': '2' } })
    const client = await connect()
    const ask = async (name: string, allowAutoTopicCreation: boolean) => {
      const { topics } = await client.call(Metadata, 13, { topics: named(name), allowAutoTopicCreation, ...PLAIN })
      return topics.map(({ errorCode, partitions }) => [errorCode, partitions.length])
    }
    expect(await ask('orders', false)).toEqual([[3, 0]])
    expect(await ask('orders', true)).toEqual([[0, 2]])
    expect(broker.partitions.get('orders', 1).log.logEndOffset).toBe(0)
    expect(await ask('a b', true)).toEqual([[17, 0]])
    expect(await ask('', true)).toEqual([[17, 0]])
    expect(await ask('__cluster_metadata', true)).toEqual([[3, 0]])
    expect(await ask('__consumer_offsets', true)).toEqual([[3, 0]])
    expect(broker.metadata.image.topicCount).toBe(1)
  })

  test('two clients that ask for a missing topic at once get the same one', async () => {
    const { connect } = await testBroker()
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect()))
    const replies = await Promise.all(
      clients.map((client) => client.call(Metadata, 13, { topics: named('orders'), allowAutoTopicCreation: true, ...PLAIN })),
    )
    const ids = replies.map(({ topics: [{ errorCode, topicId }] }) => `${errorCode} ${topicId}`)
    expect(new Set(ids).size).toBe(1)
  })

  test('makes none where the broker forbids it', async () => {
    const { connect } = await testBroker({ properties: { 'auto.create.topics.enable': 'false' } })
    const client = await connect()
    const { topics } = await client.call(Metadata, 13, { topics: named('orders'), allowAutoTopicCreation: true, ...PLAIN })
    expect(topics.map(({ errorCode }) => errorCode)).toEqual([3])
  })

  test('by id, from version 12 on', async () => {
    const { connect, topicId } = await testBroker({ topics: ['orders'] })
    const client = await connect()
    const topics = [
      { name: null, topicId: topicId('orders') },
      { name: null, topicId: NO_SUCH_ID },
      { name: 'orders', topicId: ZERO_UUID },
    ]
    const reply = await client.call(Metadata, 12, { topics, allowAutoTopicCreation: true, ...PLAIN })
    expect(reply.topics.map(({ errorCode, name }) => [errorCode, name])).toEqual([[0, 'orders'], [100, null]])
    const before = await client.call(Metadata, 11, { topics: [topics[1]], allowAutoTopicCreation: true, ...PLAIN })
    expect([before.brokers, before.topics.map(({ errorCode }) => errorCode)]).toEqual([[], [42]])
  })

  test('what a client may do, where it asks', async () => {
    const { connect } = await testBroker({ topics: ['orders'] })
    const client = await connect()
    const asked = { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true }
    const reply = await client.call(Metadata, 9, { topics: named('orders'), allowAutoTopicCreation: false, ...asked })
    expect([reply.topics[0].topicAuthorizedOperations, reply.clusterAuthorizedOperations]).toEqual([3576, 8096])
  })
})

test('DescribeCluster', async () => {
  const { broker, connect, port } = await testBroker()
  const client = await connect()
  const request = { includeClusterAuthorizedOperations: true, includeFencedBrokers: false }
  expect(await client.call(DescribeCluster, 2, { ...request, endpointType: 1 })).toEqual({
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    endpointType: 1,
    clusterId: broker.clusterId,
    controllerId: 1,
    brokers: [{ brokerId: 1, host: '127.0.0.1', port, rack: null, isFenced: false }],
    clusterAuthorizedOperations: 8096,
  })
  const codes = await Promise.all(
    [2, 3].map(async (endpointType) => (await client.call(DescribeCluster, 2, { ...request, endpointType })).errorCode),
  )
  expect(codes).toEqual([114, 115])
})

describe('DescribeTopicPartitions', () => {
  type Cursor = [topic: string, partition: number] | null
  const cases: [names: string[], limit: number, cursor: Cursor, found: [string, number, number[]][], next: Cursor][] = [
    [['three', 'one'], 2000, null, [['one', 0, [0]], ['three', 0, [0, 1, 2]]], null],
    [['three', 'one', 'one'], 2, null, [['one', 0, [0]], ['three', 0, [0]]], ['three', 1]],
    [['three', 'one'], 2, ['three', 1], [['three', 0, [1, 2]]], null],
    [['three', 'one'], 1, null, [['one', 0, [0]]], ['three', 0]],
    [['three', 'one'], 4, null, [['one', 0, [0]], ['three', 0, [0, 1, 2]]], null],
    [['three'], 0, null, [['three', 0, [0]]], ['three', 1]],
    [['three'], 10, ['three', 99], [['three', 0, []]], null],
    [[], 1, ['p', 0], [['three', 0, [0]]], ['three', 1]],
    [[], 2000, null, [['one', 0, [0]], ['three', 0, [0, 1, 2]]], null],
    [['one'], 10, ['three', 1], [['one', 42, []]], null],
    [['three'], 10, ['three', -1], [['three', 42, []]], null],
    [['nowhere', 'a b'], 10, null, [['a b', 17, []], ['nowhere', 3, []]], null],
  ]
  test.each(cases)('%j, limit %i, from %j', async (names, responsePartitionLimit, from, found, next) => {
    const { connect } = await testBroker({ topics: ['three:3', 'one'] })
    const client = await connect()
    const reply = await client.call(DescribeTopicPartitions, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit,
      cursor: from === null ? null : { topicName: from[0], partitionIndex: from[1] },
    })
    const rows = reply.topics.map(({ name, errorCode, partitions }) => [name, errorCode, partitions.map(({ partitionIndex }) => partitionIndex)])
    expect(rows).toEqual(found)
    expect(reply.nextCursor).toEqual(next === null ? null : { topicName: next[0], partitionIndex: next[1] })
  })

  test('the limit of the broker holds, too', async () => {
    const { connect } = await testBroker({ topics: ['three:3'], properties: { 'max.request.partition.size.limit': '2' } })
    const client = await connect()
    const reply = await client.call(DescribeTopicPartitions, 0, { topics: [{ name: 'three' }] })
    expect(reply.topics[0].partitions.length).toBe(2)
    expect(reply.topics[0].partitions[0]).toEqual({
      errorCode: 0,
      partitionIndex: 0,
      leaderId: 1,
      leaderEpoch: 0,
      replicaNodes: [1],
      isrNodes: [1],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: [],
    })
  })
})

test('ListPartitionReassignments has nothing to list', async () => {
  const { connect } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  for (const topics of [null, [{ name: 'orders', partitionIndexes: [0] }]]) {
    const reply = await client.call(ListPartitionReassignments, 0, { topics })
    expect(reply).toEqual({ throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics: [] })
  }
})
