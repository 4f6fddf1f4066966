// Error codes that handlers answer in cases of their own, which the tests of their APIs don't come by.

import { expect, test, vi } from 'vitest'
import { DescribeProducers } from '../../src/protocol/apis/describe-producers.ts'
import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { OffsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { WriteTxnMarkers } from '../../src/protocol/apis/write-txn-markers.ts'
import { errorName, KafkaError } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { testBroker } from '../support/broker.ts'
import { GroupClient } from '../support/group-client.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf } from '../support/raw-client.ts'

const NO_SUCH_ID = 'AAAAAAAAAAAAAAAAAAAAZw'

test('Produce: what is not safe in time is REQUEST_TIMED_OUT', async () => {
  const clock = manualClock()
  const { broker, connect } = await testBroker({ topics: ['t'], clock })
  const { log } = broker.partitions.get('t', 0)
  const stuck = vi.spyOn(log, 'safe').mockReturnValue(new Promise(() => undefined))
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['a'], { timestamp: clock.now() }) }] }]
  const produced = (await connect()).call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  await expect.poll(() => stuck.mock.calls.length).toBe(1)
  clock.advance(5000)
  const [row] = (await produced).responses[0].partitionResponses
  expect([errorName(row.errorCode), row.baseOffset]).toEqual(['REQUEST_TIMED_OUT', -1])
})

test('Produce: transactional batches of two producers are INVALID_PRODUCER_ID_MAPPING, all of them', async () => {
  const { connect } = await testBroker({ topics: ['t:2'] })
  const batch = (producerId: bigint) => batchOf(['a'], { producerId, producerEpoch: 0, baseSequence: 0, isTransactional: true })
  const partitionData = [{ index: 0, records: batch(1n) }, { index: 1, records: batch(2n) }] // prettier-ignore
  const topicData = [{ name: 't', topicId: ZERO_UUID, partitionData }]
  const { responses } = await (await connect()).call(Produce, 9, { transactionalId: 'tx', acks: -1, timeoutMs: 5000, topicData })
  expect(responses[0].partitionResponses.map(({ errorCode }) => errorName(errorCode))).toEqual(['INVALID_PRODUCER_ID_MAPPING', 'INVALID_PRODUCER_ID_MAPPING'])
})

test('OffsetFetch 10: a topic id that nobody has is UNKNOWN_TOPIC_ID, and the others are answered', async () => {
  const { connect, topicId } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const group = new GroupClient(client, 'g')
  await group.findCoordinator()
  expect(await group.commit('t', 7)).toBe('NONE')
  const topics = [NO_SUCH_ID, topicId('t')].map((id) => ({ name: '', topicId: id, partitionIndexes: [0] }))
  const { groups } = await client.call(OffsetFetch, 10, { groupId: '', topics: [], groups: [{ groupId: 'g', topics }], requireStable: false })
  const rows = groups[0].topics.map(({ partitions: [row] }) => [errorName(row.errorCode), row.committedOffset])
  expect(rows).toEqual([['UNKNOWN_TOPIC_ID', -1n], ['NONE', 7n]]) // prettier-ignore
})

test('FindCoordinator: when its topic can not be made: COORDINATOR_NOT_AVAILABLE, and the next one finds it', async () => {
  const { broker, connect } = await testBroker()
  const client = await connect()
  const ask = async () => errorName((await client.call(FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })).coordinators[0].errorCode)
  vi.spyOn(broker.groups, 'ensureTopic').mockRejectedValueOnce(new Error('no'))
  expect(await ask()).toBe('COORDINATOR_NOT_AVAILABLE')
  expect(await ask()).toBe('NONE')
})

test('WriteTxnMarkers: groups that are not to be had are NOT_LEADER_OR_FOLLOWER, so that the marker is sent again', async () => {
  const { broker, connect } = await testBroker({ properties: { 'offsets.topic.num.partitions': '1' } })
  const client = await connect()
  await new GroupClient(client, 'g').findCoordinator()
  vi.spyOn(broker.groups, 'endTransaction').mockRejectedValue(new KafkaError('COORDINATOR_LOAD_IN_PROGRESS'))
  const topics = [{ name: '__consumer_offsets', partitionIndexes: [0] }]
  const marker = { producerId: 1n, producerEpoch: 0, transactionResult: true, topics, coordinatorEpoch: 0 }
  const { markers } = await client.call(WriteTxnMarkers, 1, { markers: [marker] })
  expect(errorName(markers[0].topics[0].partitions[0].errorCode)).toBe('NOT_LEADER_OR_FOLLOWER')
})

test('DescribeProducers: names that are none, topics and partitions that are not there', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const topics = [['a b', 0], ['absent', 0], ['t', 9], ['t', -1]] as const // prettier-ignore
  const answer = await (await connect()).call(DescribeProducers, 0, { topics: topics.map(([name, index]) => ({ name, partitionIndexes: [index] })) })
  const codes = answer.topics.map(({ partitions }) => errorName(partitions[0].errorCode))
  expect(codes).toEqual(['INVALID_TOPIC_EXCEPTION', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_OR_PARTITION'])
})

test('InitProducerId: half of an identity is INVALID_REQUEST, an empty transactional id, too', async () => {
  const { connect } = await testBroker()
  const client = await connect()
  const init = async (transactionalId: string | null, producerId: bigint, producerEpoch: number) => {
    const { errorCode } = await client.call(InitProducerId, 4, { transactionalId, transactionTimeoutMs: 1000, producerId, producerEpoch })
    return errorName(errorCode)
  }
  expect(await init(null, 5n, -1)).toBe('INVALID_REQUEST')
  expect(await init(null, -1n, 5)).toBe('INVALID_REQUEST')
  expect(await init('', -1n, -1)).toBe('INVALID_REQUEST')
})
