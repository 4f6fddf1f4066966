// ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments, DescribeQuorum, UnregisterBroker: what there is to
// say of a cluster of one node. Codes and texts as Apache Kafka 4.3.0 gave them when it was asked the same.

import { expect, test } from 'vitest'
import { AlterPartitionReassignments } from '../../src/protocol/apis/alter-partition-reassignments.ts'
import { DescribeQuorum } from '../../src/protocol/apis/describe-quorum.ts'
import { ElectLeaders } from '../../src/protocol/apis/elect-leaders.ts'
import { ListPartitionReassignments } from '../../src/protocol/apis/list-partition-reassignments.ts'
import { UnregisterBroker } from '../../src/protocol/apis/unregister-broker.ts'
import { testBroker } from '../support/broker.ts'

test.each([[0, 0], [1, 0], [1, 1], [2, 0], [2, 1]])('an election (version %i, type %i) is not needed', async (version, electionType) => {
  const client = await (await testBroker({ topics: ['orders:2'] })).connect()
  const topicPartitions = [{ topic: 'orders', partitions: [0, 1, 5] }, { topic: 'nope', partitions: [0] }]
  const elect = (asked: typeof topicPartitions | null) => client.call(ElectLeaders, version, { electionType, topicPartitions: asked, timeoutMs: 1000 })
  const { errorCode, replicaElectionResults } = await elect(topicPartitions)
  expect(errorCode).toBe(0)
  const rows = replicaElectionResults.flatMap(({ topic, partitionResult }) => partitionResult.map((row) => [topic, row.partitionId, row.errorCode, row.errorMessage]))
  expect(rows).toEqual([
    ['orders', 0, 84, 'Leader election not needed for topic partition.'],
    ['orders', 1, 84, 'Leader election not needed for topic partition.'],
    ['orders', 5, 3, 'No such partition as orders-5'],
    ['nope', 0, 3, 'No such topic as nope'],
  ])
  expect((await elect(null)).replicaElectionResults).toEqual([{ topic: 'orders', partitionResult: [] }])
})

test('an unknown type of election is refused, in every row', async () => {
  const client = await (await testBroker({ topics: ['orders'] })).connect()
  const request = { electionType: 2, topicPartitions: [{ topic: 'orders', partitions: [0] }], timeoutMs: 1000 }
  const { errorCode, replicaElectionResults } = await client.call(ElectLeaders, 2, request)
  expect(errorCode).toBe(42)
  expect(replicaElectionResults[0].partitionResult).toEqual([{ partitionId: 0, errorCode: 42, errorMessage: 'Unknown election type 2' }])
  expect((await client.call(ElectLeaders, 2, { ...request, topicPartitions: [] })).errorCode).toBe(0)
})

test.each<[name: string, partition: number, replicas: number[] | null, code: number, text: string | null]>([
  ['orders', 0, [1], 0, null],
  ['orders', 0, null, 85, null],
  ['orders', 9, [1], 3, 'Unable to find partition orders:9.'],
  ['nope', 0, [1], 3, 'Unable to find a topic named nope.'],
  ['orders', 0, [], 39, 'The manual partition assignment includes an empty replica list.'],
  ['orders', 0, [2], 39, 'The manual partition assignment includes broker 2, but no such broker is registered.'],
  ['orders', 0, [1, 1], 39, 'The manual partition assignment includes the broker 1 more than once.'],
  ['orders', 0, [2, 1, 1], 39, 'The manual partition assignment includes the broker 1 more than once.'],
  ['orders', 0, [2, 0], 39, 'The manual partition assignment includes broker 0, but no such broker is registered.'],
])('a reassignment of %s-%i to %j', async (name, partitionIndex, replicas, errorCode, errorMessage) => {
  const { connect, broker } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  const before = broker.metadata.quorum.endOffset
  const request = { timeoutMs: 1000, allowReplicationFactorChange: false, topics: [{ name, partitions: [{ partitionIndex, replicas }] }] }
  const answer = await client.call(AlterPartitionReassignments, 1, request)
  expect(answer).toMatchObject({ errorCode: 0, errorMessage: null, allowReplicationFactorChange: false })
  expect(answer.responses).toEqual([{ name, partitions: [{ partitionIndex, errorCode, errorMessage }] }])
  expect(broker.metadata.quorum.endOffset).toBe(before)
  const listed = await client.call(ListPartitionReassignments, 0, { timeoutMs: 1000, topics: null })
  expect(listed).toMatchObject({ errorCode: 0, topics: [] })
})

test.each([0, 1, 2])('the quorum (version %i) is this node, up to the end of the metadata log', async (version) => {
  const { connect, broker } = await testBroker({ topics: ['orders'] })
  const client = await connect()
  const ask = (topicName: string, partitionIndex = 0) => client.call(DescribeQuorum, version, { topics: [{ topicName, partitions: [{ partitionIndex }] }] })
  const { errorCode, topics: [{ partitions: [partition] }] } = await ask('__cluster_metadata')
  const { endOffset } = broker.metadata.quorum
  expect(errorCode).toBe(0)
  expect(partition).toMatchObject({ errorCode: 0, leaderId: 1, leaderEpoch: 1, highWatermark: endOffset, observers: [] })
  expect(partition.currentVoters).toMatchObject([{ replicaId: 1, logEndOffset: endOffset }])
  expect((await ask('orders')).topics[0].partitions[0]).toMatchObject({ errorCode: 3, currentVoters: [] })
  expect((await ask('__cluster_metadata', 1)).topics[0].partitions[0].errorCode).toBe(3)
})

test('the one broker does not unregister itself, nor one that is not there', async () => {
  const client = await (await testBroker()).connect()
  expect(await client.call(UnregisterBroker, 0, { brokerId: 7 })).toMatchObject({ errorCode: 102, errorMessage: 'Broker ID 7 is not currently registered' })
  expect((await client.call(UnregisterBroker, 0, { brokerId: 1 })).errorCode).toBe(42)
})
