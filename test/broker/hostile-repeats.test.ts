// Requests that name one thing many times, or things whose work or answer multiplies: each is answered once, and in the
// time that its size deserves.

import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { ConsumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/apis/consumer-group-heartbeat.ts'
import { DeleteRecords } from '../../src/protocol/apis/delete-records.ts'
import { DescribeConfigs } from '../../src/protocol/apis/describe-configs.ts'
import { DescribeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { DescribeProducers } from '../../src/protocol/apis/describe-producers.ts'
import { DescribeTransactions } from '../../src/protocol/apis/describe-transactions.ts'
import { IncrementalAlterConfigs } from '../../src/protocol/apis/incremental-alter-configs.ts'
import type { JoinGroup } from '../../src/protocol/apis/join-group.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { OffsetDelete } from '../../src/protocol/apis/offset-delete.ts'
import { OffsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { WriteTxnMarkers } from '../../src/protocol/apis/write-txn-markers.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { ConsumerProtocolSubscription, encodeConsumerProtocol } from '../../src/protocol/records/consumer-protocol.ts'
import type { RequestInput } from '../../src/protocol/schema.ts'
import { testBroker } from '../support/broker.ts'
import { GroupClient } from '../support/group-client.ts'
import { LinearRegex } from '../../src/protocol/linear-regex.ts'

const times = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))

test('a topic asked for by its id under a thousand names is described once', async () => {
  const { connect, topicId } = await testBroker({ topics: ['t:20'] })
  const wanted = times(1000, (at) => ({ topicId: topicId('t'), name: `x${at}` }))
  const flags = { allowAutoTopicCreation: false, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }
  const { topics } = await (await connect()).call(Metadata, 12, { topics: wanted, ...flags })
  expect(topics.map(({ name, partitions }) => [name, partitions.length])).toEqual([['t', 20]])
})

test('groups, transactions and partitions named often are described once', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const ids = times(1000, () => 'g')
  await new GroupClient(client, 'g').commit('t', 1)
  const classic = await client.call(DescribeGroups, 6, { groups: ids, includeAuthorizedOperations: false })
  expect(classic.groups).toHaveLength(1)
  const consumers = await client.call(ConsumerGroupDescribe, 1, { groupIds: ids, includeAuthorizedOperations: false })
  expect(consumers.groups).toHaveLength(1)
  const { transactionStates } = await client.call(DescribeTransactions, 0, { transactionalIds: ids })
  expect(transactionStates).toHaveLength(1)
  const asked = times(1000, () => ({ name: 't', partitionIndexes: times(10, (at) => at % 2) }))
  const { topics } = await client.call(DescribeProducers, 0, { topics: asked })
  expect(topics.map(({ name, partitions }) => [name, partitions.map(({ partitionIndex }) => partitionIndex)])).toEqual([['t', [0, 1]]])
})

test('offsets are told once, however often their group, topic or partition is named', async () => {
  const { connect, topicId } = await testBroker({ topics: ['t:2'] })
  const client = await connect()
  await new GroupClient(client, 'g').commit('t', 7, { metadata: 'm'.repeat(4096) })
  const fetch = async (version: number, topics: RequestInput<typeof OffsetFetch>['groups'][number]['topics']) => {
    const groups = times(100, () => ({ groupId: 'g', topics }))
    const answer = await client.call(OffsetFetch, version, { groupId: '', topics: [], groups, requireStable: false })
    return answer.groups.map((group) => group.topics.map(({ partitions }) => partitions.map((each) => [each.partitionIndex, each.committedOffset])))
  }
  expect(await fetch(9, null)).toEqual([[[[0, 7n]]]])
  const repeated = times(100, (at) => ({ name: 't', topicId: ZERO_UUID, partitionIndexes: [0, at % 2, 0] }))
  expect(await fetch(9, repeated)).toEqual([[[[0, 7n], [1, -1n]]]]) // prettier-ignore
  expect(await fetch(10, repeated.map((each) => ({ ...each, topicId: topicId('t') })))).toEqual([[[[0, 7n], [1, -1n]]]]) // prettier-ignore
})

test('the offsets of ten thousand topics are told in a moment', async () => {
  const { connect, broker } = await testBroker({ topics: ['t'] })
  const client = await connect()
  await new GroupClient(client, 'g').commit('t', 1)
  const value = { offset: 1n, leaderEpoch: -1, metadata: '', commitTimestamp: broker.clock.now(), expireTimestamp: -1, topicId: ZERO_UUID }
  const offsets = times(20_000, (at) => [{ group: 'g', topic: `x${at}`, partition: 0 }, value] as const)
  const outsider = { memberId: '', instanceId: null, generation: -1, knowsGroupNotFound: true }
  await broker.groups.commit('g', outsider, offsets)
  const begin = performance.now()
  const { groups } = await client.call(OffsetFetch, 9, { groupId: '', topics: [], groups: [{ groupId: 'g', topics: null }], requireStable: false })
  expect(groups[0].topics).toHaveLength(20_001)
  expect(performance.now() - begin).toBeLessThan(1500) // 4 s when each topic looked through all offsets
})

test('offsets that a long subscription holds are refused in a moment', async () => {
  const { connect } = await testBroker({ topics: ['t:5'] })
  const group = new GroupClient(await connect(), 'g')
  const topics = [...times(20_000, (at) => `a-topic-with-a-rather-long-name-${at}`), 't']
  const metadata = encodeConsumerProtocol(ConsumerProtocolSubscription, 1, { topics, ownedPartitions: [] })
  const { memberId, generationId } = await group.joinTwice({ protocols: [{ name: 'range', metadata }] })
  await group.sync(memberId, generationId)
  const begin = performance.now()
  const wanted = [{ name: 't', partitions: times(500, (at) => ({ partitionIndex: at % 5 })) }]
  const answer = await group.client.call(OffsetDelete, 0, { groupId: 'g', topics: wanted })
  expect(errorName(answer.topics[0].partitions[499].errorCode)).toBe('GROUP_SUBSCRIBED_TO_TOPIC')
  expect(performance.now() - begin).toBeLessThan(1000) // 5 s when it was read for each partition
})

test('the configs of thousands of groups come between the answers to others, and of too many not at all', async () => {
  const { connect } = await testBroker()
  const [one, two] = [await connect(), await connect()]
  // A machine on which each of them takes a millisecond.
  let ms = systemClock.monotonic()
  const clock = vi.spyOn(systemClock, 'monotonic').mockImplementation(() => (ms += 1))
  onTestFinished(() => clock.mockRestore())
  const resources = times(10_001, (at) => ({ resourceType: 32, resourceName: `g${at}`, configurationKeys: ['share.isolation.level'] }))
  const asked = one.call(DescribeConfigs, 4, { resources, includeSynonyms: false, includeDocumentation: false })
  const order: string[] = []
  const all = asked.then(({ results }) => {
    order.push('all')
    return results
  })
  await two.call(DescribeGroups, 5, { groups: ['g'], includeAuthorizedOperations: false })
  order.push('other')
  const results = await all
  expect(order).toEqual(['other', 'all'])
  expect(results.filter(({ errorCode }) => errorCode === 0)).toHaveLength(10_000)
  expect(errorName(results[10_000].errorCode)).toBe('INVALID_REQUEST')
})

test('a member has a hundred protocols at most, and an id that fits into an answer', async () => {
  const { connect, lines } = await testBroker()
  const join = async (more: Partial<RequestInput<typeof JoinGroup>>) => {
    const answer = await new GroupClient(await connect(), 'g').join({ groupInstanceId: 'x', ...more })
    return [answer.error, answer.memberId.length]
  }
  const protocols = times(101, (at) => ({ name: `p${at}`, metadata: Buffer.alloc(0) }))
  expect(await join({ protocols })).toEqual(['INVALID_REQUEST', 0])
  expect(await join({ groupInstanceId: 'i'.repeat(32_767), rebalanceTimeoutMs: 100 })).toEqual(['NONE', 1037])
  expect(lines.filter((line) => line.includes('ERROR'))).toEqual([])
})

test('of thousands of ids given out and not used, the oldest are forgotten', async () => {
  const { connect } = await testBroker()
  const group = new GroupClient(await connect(), 'g')
  const ids: string[] = []
  for (let i = 0; i < 2001; i++) ids.push((await group.join()).memberId)
  expect((await group.join({ memberId: ids[0] })).error).toBe('UNKNOWN_MEMBER_ID')
  expect((await group.join({ memberId: ids[1] })).error).toBe('NONE')
})

test('ten thousand names are as many as a member subscribes to', async () => {
  const { connect } = await testBroker()
  const client = await connect()
  const beat = async (names: number) => {
    const subscribedTopicNames = times(names, (at) => `x${at}`)
    const request = { groupId: 'g', memberId: 'm', memberEpoch: 0, rebalanceTimeoutMs: 1000, subscribedTopicNames, topicPartitions: [] }
    return errorName((await client.call(ConsumerGroupHeartbeat, 1, request)).errorCode)
  }
  expect(await beat(10_000)).toBe('NONE')
  expect(await beat(10_001)).toBe('INVALID_REQUEST')
})

test('a regex that must look at many places is refused', () => {
  const isRefused = (source: string): boolean => {
    try {
      new LinearRegex('it', source).matching(times(200, (at) => 'a'.repeat(200) + String(at)))
      return false
    } catch (error) {
      return String(error).includes('is not a valid regular expression')
    }
  }
  expect(isRefused('(a?){1000}'.repeat(8))).toBe(true)
  expect(['a'.repeat(10_000), '(a|b)*', times(500, (at) => `topic-${at}`).join('|')].map(isRefused)).toEqual([false, false, false])
})

test('a marker names a producer', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const marker = { transactionResult: true, coordinatorEpoch: 0, topics: [{ name: 't', partitionIndexes: [0] }] }
  const markers = [{ ...marker, producerId: -1n, producerEpoch: 0 }, { ...marker, producerId: 5n, producerEpoch: -1 }, { ...marker, producerId: 6n, producerEpoch: 0 }] // prettier-ignore
  const answer = await (await connect()).call(WriteTxnMarkers, 1, { markers })
  expect(answer.markers.map(({ topics }) => errorName(topics[0].partitions[0].errorCode))).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST', 'NONE'])
})

test('configs that are more than one batch of metadata holds are refused', async () => {
  const { connect, lines } = await testBroker()
  const configs = times(30_000, (at) => ({ name: `my.own.${at}`, configOperation: 0, value: 'x'.repeat(300) }))
  const resources = [{ resourceType: 4, resourceName: '', configs }]
  const answer = await (await connect()).call(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
  expect(errorName(answer.responses[0].errorCode)).toBe('POLICY_VIOLATION')
  expect(lines.filter((line) => line.includes('ERROR'))).toEqual([])
})

test('records of a partition are deleted once, up to the offset named last', async () => {
  const { connect } = await testBroker({ topics: ['t'] })
  const client = await connect()
  const asked = times(1000, () => ({ partitionIndex: 0, offset: 5 }))
  const { topics } = await client.call(DeleteRecords, 2, {
    topics: [{ name: 't', partitions: asked }, { name: 't', partitions: [{ partitionIndex: 0, offset: 0 }] }],
    timeoutMs: 1000,
  })
  expect(topics.map(({ name, partitions }) => [name, partitions.map(({ lowWatermark, errorCode }) => [lowWatermark, errorCode])])).toEqual([['t', [[0, 0]]]])
})
