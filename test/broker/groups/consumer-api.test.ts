// Consumer groups (KIP-848) as raw requests see them: every error code with Kafka's text, what other APIs say of such a
// group, its configs, what a start leaves of it. Apache Kafka 4.3 was asked the same and said the same.

import { describe, expect, test } from 'vitest'
import { AlterConfigs } from '../../../src/protocol/apis/alter-configs.ts'
import { ConsumerGroupDescribe } from '../../../src/protocol/apis/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/apis/consumer-group-heartbeat.ts'
import { CreatePartitions } from '../../../src/protocol/apis/create-partitions.ts'
import { CreateTopics } from '../../../src/protocol/apis/create-topics.ts'
import { DeleteGroups } from '../../../src/protocol/apis/delete-groups.ts'
import { DescribeConfigs } from '../../../src/protocol/apis/describe-configs.ts'
import { DescribeGroups } from '../../../src/protocol/apis/describe-groups.ts'
import { IncrementalAlterConfigs } from '../../../src/protocol/apis/incremental-alter-configs.ts'
import { ListGroups } from '../../../src/protocol/apis/list-groups.ts'
import { OffsetDelete } from '../../../src/protocol/apis/offset-delete.ts'
import { OffsetFetch } from '../../../src/protocol/apis/offset-fetch.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { newMember } from '../../../src/broker/groups/consumer/consumer-member.ts'
import type { ConsumerMember } from '../../../src/broker/groups/consumer/consumer-member.ts'
import { memberRecord } from '../../../src/broker/groups/consumer/records.ts'
import { metadataHash } from '../../../src/broker/groups/topics.ts'
import { decodeGroupRecord, encodeGroupRecord } from '../../../src/protocol/records/group.ts'
import { testBroker } from '../../support/broker.ts'
import type { TestBrokerOptions } from '../../support/broker.ts'
import { GroupClient } from '../../support/group-client.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { SimulatedMachine } from '../../support/simulated-disk.ts'

const GROUP_RESOURCE = 32

async function consumersOn(options: TestBrokerOptions = {}) {
  const properties = { 'offsets.topic.num.partitions': '1', ...options.properties }
  const found = await testBroker({ topics: ['t:2'], ...options, properties })
  const client = await found.connect()
  const member = new GroupClient(client, 'g')
  await member.findCoordinator()
  const beat = async (request: Partial<Parameters<typeof client.call<typeof ConsumerGroupHeartbeat>>[2]> = {}, version = 1) => {
    const answer = await client.call(ConsumerGroupHeartbeat, version, {
      groupId: 'g',
      memberId: 'm',
      memberEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: ['t'],
      topicPartitions: [],
      ...request,
    })
    return { ...answer, error: errorName(answer.errorCode) }
  }
  /** What is sent most of the time. */
  const stay = (memberEpoch: number) => beat({ memberEpoch, rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null })
  const described = async (...groupIds: string[]) => {
    return (await client.call(ConsumerGroupDescribe, 1, { groupIds, includeAuthorizedOperations: false })).groups
  }
  return { ...found, client, member, beat, stay, described }
}

describe('ConsumerGroupHeartbeat', () => {
  test.each([
    ['no id', { memberId: '' }, 'INVALID_REQUEST', "MemberId can't be empty."],
    ['a blank id', { memberId: ' ' }, 'INVALID_REQUEST', "MemberId can't be empty."],
    ['no group', { groupId: '' }, 'INVALID_REQUEST', "GroupId can't be empty."],
    ['an empty instance id', { instanceId: '' }, 'INVALID_REQUEST', "InstanceId can't be empty."],
    ['an empty rack', { rackId: '' }, 'INVALID_REQUEST', "RackId can't be empty."],
    ['an epoch below -2', { memberEpoch: -3 }, 'INVALID_REQUEST', 'MemberEpoch is invalid.'],
    ['-2 without an instance id', { memberEpoch: -2 }, 'INVALID_REQUEST', "InstanceId can't be null."],
    ['no rebalance timeout', { rebalanceTimeoutMs: -1 }, 'INVALID_REQUEST', 'RebalanceTimeoutMs must be provided in first request.'],
    ['partitions of before', { topicPartitions: null }, 'INVALID_REQUEST', 'TopicPartitions must be empty when (re-)joining.'],
    ['no subscription', { subscribedTopicNames: null }, 'INVALID_REQUEST', 'Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.'],
    ['an unknown assignor', { serverAssignor: 'sticky' }, 'UNSUPPORTED_ASSIGNOR', 'ServerAssignor sticky is not supported. Supported assignors: uniform, range.'],
    ['a group that is not there', { memberEpoch: 1 }, 'GROUP_ID_NOT_FOUND', 'Consumer group g not found.'],
    ['a regex that is none', { subscribedTopicNames: null, subscribedTopicRegex: '(' }, 'INVALID_REGULAR_EXPRESSION', 'SubscribedTopicRegex `(` is not a valid regular expression: missing closing ).'],
  ])('with %s', async (_what, request, error, errorMessage) => {
    const { beat } = await consumersOn()
    expect(await beat(request)).toMatchObject({ error, errorMessage })
  }) // prettier-ignore

  test('joins, stays, leaves', async () => {
    const { beat, stay, topicId } = await consumersOn()
    const assignment = { topicPartitions: [{ topicId: topicId('t'), partitions: [0, 1] }] }
    expect(await beat()).toMatchObject({ error: 'NONE', memberId: 'm', memberEpoch: 2, heartbeatIntervalMs: 5000, assignment })
    expect(await stay(2)).toMatchObject({ error: 'NONE', memberEpoch: 2, assignment: null })
    expect(await stay(9)).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
    expect(await stay(-1)).toMatchObject({ error: 'NONE', memberEpoch: -1, assignment: null })
    expect(await stay(2)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
  })

  test('of version 0 is given an id', async () => {
    const { beat } = await consumersOn()
    const { memberId, error } = await beat({ memberId: '' }, 0)
    expect([error, memberId]).toEqual(['NONE', expect.stringMatching(/^[\w-]{22}$/)])
    expect(await beat({ memberId: '', memberEpoch: 2 }, 0)).toMatchObject({ error: 'INVALID_REQUEST' })
  })

  test('is refused when the feature, or the settings, are without it: 35', async () => {
    const without = await consumersOn({ properties: { 'group.coordinator.rebalance.protocols': 'classic' } })
    expect((await without.beat()).error).toBe('UNSUPPORTED_VERSION')
    const { broker, beat, described } = await consumersOn()
    await broker.metadata.commit([{ name: 'FeatureLevelRecord', value: { name: 'group.version', featureLevel: 0 } }])
    expect((await beat()).error).toBe('UNSUPPORTED_VERSION')
    expect(errorName((await described('g'))[0].errorCode)).toBe('UNSUPPORTED_VERSION')
  })

  test('follows the topics: partitions added, topics made', async () => {
    const { beat, stay, client } = await consumersOn()
    await beat({ subscribedTopicNames: null, subscribedTopicRegex: 't.*' })
    const topics = [{ name: 't', count: 3, assignments: null }]
    await client.call(CreatePartitions, 3, { topics, timeoutMs: 5000, validateOnly: false })
    expect((await stay(2)).assignment?.topicPartitions).toMatchObject([{ partitions: [0, 1, 2] }])
    const made = [{ name: 'two', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }]
    await client.call(CreateTopics, 7, { topics: made, timeoutMs: 5000, validateOnly: false })
    expect((await stay(3)).assignment?.topicPartitions).toHaveLength(2)
  })
})

describe('a consumer group', () => {
  test('is described: state, epochs, members and what they have', async () => {
    const { beat, described, topicId } = await consumersOn()
    await beat({ rackId: 'r1' })
    const assignment = { topicPartitions: [{ topicId: topicId('t'), topicName: 't', partitions: [0, 1] }] }
    const [group, absent, empty] = await described('g', 'absent', '')
    expect(group).toMatchObject({ errorCode: 0, groupState: 'Stable', groupEpoch: 2, assignmentEpoch: 2, assignorName: 'uniform' })
    expect(group.members).toEqual([{
      memberId: 'm', instanceId: null, rackId: 'r1', memberEpoch: 2, clientId: 'raw', clientHost: '/127.0.0.1',
      subscribedTopicNames: ['t'], subscribedTopicRegex: '', assignment, targetAssignment: assignment, memberType: 1,
    }]) // prettier-ignore
    expect([errorName(absent.errorCode), absent.errorMessage]).toEqual(['GROUP_ID_NOT_FOUND', 'Group absent not found.'])
    expect(errorName(empty.errorCode)).toBe('INVALID_GROUP_ID')
  })

  test('is no classic group to those who ask for one', async () => {
    const { beat, client, member } = await consumersOn()
    await beat()
    const ask = (version: number) => client.call(DescribeGroups, version, { groups: ['g'], includeAuthorizedOperations: false })
    expect((await ask(6)).groups[0]).toMatchObject({ errorCode: 69, errorMessage: 'Group g is not a classic group.', groupState: 'Dead' })
    expect((await ask(5)).groups[0]).toMatchObject({ errorCode: 0, groupState: 'Dead' })
    expect((await member.join({ protocolType: 'connect' })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('is listed with its type and state', async () => {
    const { beat, client, member } = await consumersOn()
    await beat({ groupId: 'consumers' })
    await member.commit('t', 1)
    const list = async (statesFilter: string[], typesFilter: string[]) => {
      const { groups } = await client.call(ListGroups, 5, { statesFilter, typesFilter })
      return groups.map(({ groupId, groupState, groupType, protocolType }) => [groupId, groupState, groupType, protocolType])
    }
    expect(await list([], ['Consumer'])).toEqual([['consumers', 'Stable', 'consumer', 'consumer']])
    expect(await list(['stable'], [])).toEqual([['consumers', 'Stable', 'consumer', 'consumer']])
    expect(await list([], ['classic'])).toEqual([['g', 'Empty', 'classic', '']])
  })

  test('takes offsets of its members alone, and gives them out: 25, 35, 113', async () => {
    const { beat, client, member } = await consumersOn()
    await beat()
    const commit = (memberId: string, generation: number, version = 9) => member.commit('t', 5, { memberId, generation, version })
    expect(await commit('m', 2)).toBe('NONE')
    expect(await commit('m', 2, 8)).toBe('UNSUPPORTED_VERSION')
    expect(await commit('m', 3)).toBe('STALE_MEMBER_EPOCH')
    expect(await commit('x', 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await commit('', -1)).toBe('UNKNOWN_MEMBER_ID')
    const fetch = async (memberId: string | null, memberEpoch: number) => {
      const topics = [{ name: 't', partitionIndexes: [0] }]
      const { groups } = await client.call(OffsetFetch, 9, { groups: [{ groupId: 'g', memberId, memberEpoch, topics }], requireStable: false } as never)
      return groups[0].errorCode === 0 ? groups[0].topics[0].partitions[0].committedOffset : errorName(groups[0].errorCode)
    }
    expect(await fetch('m', 2)).toBe(5n)
    expect(await fetch('m', 3)).toBe('STALE_MEMBER_EPOCH')
    expect(await fetch('x', 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await fetch(null, -1)).toBe(5n)
  })

  test('takes an older epoch for partitions that the member had in it', async () => {
    const { beat, stay, member, topicId } = await consumersOn()
    await beat()
    await beat({ memberId: 'n' })
    await beat({ memberEpoch: 2, rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: null })
    const owned = [{ topicId: topicId('t'), partitions: [0] }]
    expect((await beat({ memberEpoch: 2, rebalanceTimeoutMs: -1, subscribedTopicNames: null, topicPartitions: owned })).memberEpoch).toBe(3)
    expect(await member.commit('t', 1, { memberId: 'm', generation: 2, version: 9 })).toBe('NONE')
    expect(await member.commit('t', 1, { memberId: 'm', generation: 1, version: 9 })).toBe('STALE_MEMBER_EPOCH')
    expect((await stay(3)).error).toBe('NONE')
  })

  test('keeps offsets of topics that somebody wants, and is kept while it has members: 86, 68', async () => {
    const { beat, client, member, stay } = await consumersOn({ topics: ['t:2', 'u:1'] })
    await member.commit('u', 1)
    await beat()
    await member.commit('t', 5, { memberId: 'm', generation: 2, version: 9 })
    const topics = ['t', 'u'].map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
    const { topics: rows } = await client.call(OffsetDelete, 0, { groupId: 'g', topics })
    expect(rows.map(({ partitions }) => errorName(partitions[0].errorCode))).toEqual(['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE'])
    const remove = async () => errorName((await client.call(DeleteGroups, 2, { groupsNames: ['g'] })).results[0].errorCode)
    expect(await remove()).toBe('NON_EMPTY_GROUP')
    await stay(-1)
    expect(await remove()).toBe('NONE')
    expect(await remove()).toBe('GROUP_ID_NOT_FOUND')
  })

  test('is there again after the power was cut: members, epochs, assignments', async () => {
    const machine = new SimulatedMachine()
    const first = await consumersOn({ disk: machine.disk })
    await first.beat({ instanceId: 'i', rackId: 'r' })
    await first.beat({ memberId: 'n', subscribedTopicNames: null, subscribedTopicRegex: 't+' })
    const [before] = await first.described('g')
    machine.cutAt = machine.operations
    expect((await first.beat({ memberId: 'late' })).error).not.toBe('NONE')
    machine.restart()
    const { described, stay } = await consumersOn({ disk: machine.disk, topics: [] })
    expect((await described('g'))[0]).toEqual(before)
    expect(await stay(2)).toMatchObject({ error: 'NONE', memberEpoch: 2 })
  })
})

describe('configs of a group', () => {
  const change = (name: string, value: string | null, operation = 0) => ({ name, configOperation: operation, value })

  test('hold for it alone: its sessions and its heartbeats', async () => {
    const clock = manualClock()
    const { client, beat, stay, described } = await consumersOn({ clock })
    const configs = [change('consumer.session.timeout.ms', '50000'), change('consumer.heartbeat.interval.ms', '7000')]
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: 'g', configs }]
    const { responses } = await client.call(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    expect(responses[0].errorCode).toBe(0)
    expect((await beat()).heartbeatIntervalMs).toBe(7000)
    expect((await beat({ groupId: 'h' })).heartbeatIntervalMs).toBe(5000)
    clock.advance(49_000)
    expect((await stay(2)).error).toBe('NONE')
    expect((await described('h'))[0].groupState).toBe('Empty')
    await client.call(AlterConfigs, 2, { resources: [{ resourceType: GROUP_RESOURCE, resourceName: 'g', configs: [] }], validateOnly: false })
    expect((await stay(2)).heartbeatIntervalMs).toBe(5000)
  })

  test.each([
    ['consumer.session.timeout.ms', '5', 'INVALID_CONFIG', 'consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms'],
    ['consumer.session.timeout.ms', '70000', 'INVALID_CONFIG', 'consumer.session.timeout.ms must be less than or equal to group.consumer.max.session.timeout.ms'],
    ['consumer.heartbeat.interval.ms', 'x', 'INVALID_CONFIG', 'Invalid value x for configuration consumer.heartbeat.interval.ms: Not a number of type INT'],
    ['consumer.assignment.interval.ms', '20000', 'INVALID_CONFIG', 'consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms'],
    ['nope', '1', 'INVALID_CONFIG', 'Unknown group config name: nope'],
  ])('%s=%s is refused', async (name, value, error, message) => {
    const { client } = await consumersOn()
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: 'g', configs: [change(name, value)] }]
    const { responses } = await client.call(IncrementalAlterConfigs, 1, { resources, validateOnly: false })
    expect([errorName(responses[0].errorCode), responses[0].errorMessage]).toEqual([error, message])
  })

  test('are described with where they come from, for any name', async () => {
    const { client } = await consumersOn({ properties: { 'group.consumer.heartbeat.interval.ms': '6000' } })
    const resources = [{ resourceType: GROUP_RESOURCE, resourceName: 'any', configurationKeys: null }]
    const { results } = await client.call(DescribeConfigs, 4, { resources, includeSynonyms: true, includeDocumentation: false })
    expect(results[0].configs).toHaveLength(17)
    expect(results[0].configs.find(({ name }) => name === 'consumer.heartbeat.interval.ms')).toMatchObject({
      value: '6000', configSource: 4, readOnly: false, configType: 3,
      synonyms: [
        { name: 'group.consumer.heartbeat.interval.ms', value: '6000', source: 4 },
        { name: 'group.consumer.heartbeat.interval.ms', value: '5000', source: 5 },
      ],
    }) // prettier-ignore
  })
})

describe("the broker's settings", () => {
  test('bound the size of a group', async () => {
    const { beat } = await consumersOn({ properties: { 'group.consumer.max.size': '1' } })
    await beat()
    expect(await beat({ memberId: 'n' })).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED' })
  })

  test('name the assignors, the default first', async () => {
    const assignors = 'org.apache.kafka.coordinator.group.assignor.RangeAssignor'
    const { beat, described } = await consumersOn({ properties: { 'group.consumer.assignors': assignors } })
    expect((await beat({ serverAssignor: 'uniform' })).error).toBe('UNSUPPORTED_ASSIGNOR')
    await beat()
    expect((await described('g'))[0].assignorName).toBe('range')
  })

  test.each([
    ['group.consumer.assignors', 'mine'],
    ['group.consumer.migration.policy', 'sideways'],
    ['group.consumer.session.timeout.ms', '1000'],
    ['group.consumer.max.heartbeat.interval.ms', '1000'],
  ])('%s=%s keeps it from starting', async (name, value) => {
    await expect(consumersOn({ properties: { [name]: value } })).rejects.toThrow(name)
  })
})

test("the hash of a group's topics is Kafka's", () => {
  // Of a group that Apache Kafka 4.3.0 kept for a topic `t` with two partitions and this id.
  const topic = { name: 't', id: 'LQePI5QQQZyUypIvLz5GeA', partitions: { size: 2 } }
  const none = { topicById: () => undefined, topics: () => [], topicCount: 0, racksOf: () => [], version: 0 }
  const topics = { ...none, topic: (name: string) => (name === 't' ? topic : undefined) }
  expect(metadataHash(['t', 'gone'], topics)).toBe(9207049066431624143n)
  expect(metadataHash(['gone'], topics)).toBe(0n)
})

test("a member's record is Kafka's, byte by byte: that it is no classic one is said aloud", () => {
  // Written by Apache Kafka 4.3.0. Without the tag at its end Apache takes the member for a classic one.
  const bytes = '00000269027204726177' + '0b2f3132372e302e302e3102027401' + '0000ea6000' + '01000100'
  const member: ConsumerMember = {
    ...newMember('a'), instanceId: 'i', rackId: 'r', clientId: 'raw', clientHost: '/127.0.0.1', names: ['t'], rebalanceTimeoutMs: 60_000,
  } // prettier-ignore
  const { key, value } = encodeGroupRecord(memberRecord('g', member))
  expect(value?.toString('hex')).toBe(bytes)
  expect(decodeGroupRecord(key, value)).toMatchObject({ value: { classicMemberMetadata: null } })
})
