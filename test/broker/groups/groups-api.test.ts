// Groups as raw requests see them: the topic behind them, error codes by version, and what a broker that ends or runs out
// of space leaves of them. Where a code is asserted, Apache Kafka 4.3 was asked.

import { describe, expect, test } from 'vitest'
import { DeleteGroups } from '../../../src/protocol/apis/delete-groups.ts'
import { DeleteTopics } from '../../../src/protocol/apis/delete-topics.ts'
import { DescribeGroups } from '../../../src/protocol/apis/describe-groups.ts'
import { LeaveGroup } from '../../../src/protocol/apis/leave-group.ts'
import { ListGroups } from '../../../src/protocol/apis/list-groups.ts'
import { Metadata } from '../../../src/protocol/apis/metadata.ts'
import { OffsetDelete } from '../../../src/protocol/apis/offset-delete.ts'
import { OffsetFetch } from '../../../src/protocol/apis/offset-fetch.ts'
import { Produce } from '../../../src/protocol/apis/produce.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../../src/protocol/reader.ts'
import { partitionOfId } from '../../../src/broker/coordinator/internal-topic.ts'
import { createMissingTopics } from '../../../src/broker/startup-topics.ts'
import { DiskError } from '../../../src/storage/disk.ts'
import { testBroker } from '../../support/broker.ts'
import type { TestBrokerOptions } from '../../support/broker.ts'
import { GroupClient } from '../../support/group-client.ts'
import { batchOf } from '../../support/raw-client.ts'
import { SimulatedMachine } from '../../support/simulated-disk.ts'

const OFFSETS = '__consumer_offsets'

async function groupOn(options: TestBrokerOptions = {}, group = 'g') {
  const found = await testBroker({
    ...options,
    properties: { 'offsets.topic.num.partitions': '2', ...options.properties },
  })
  const member = new GroupClient(await found.connect(), group)
  return { ...found, member, client: member.client }
}

describe('the topic of groups', () => {
  test('is made when a coordinator is looked for, compacted, and internal', async () => {
    const { broker, client, member } = await groupOn()
    expect(broker.metadata.image.topic(OFFSETS)).toBeUndefined()
    expect(await member.findCoordinator()).toMatchObject({ errorCode: 0, nodeId: 1 })
    expect(Object.fromEntries(broker.metadata.image.configs(2, OFFSETS))).toEqual({
      'cleanup.policy': 'compact', 'compression.type': 'producer', 'segment.bytes': '104857600',
    }) // prettier-ignore
    const { topics } = await client.call(Metadata, 9, { topics: null, allowAutoTopicCreation: false } as never)
    expect(topics.map(({ name, isInternal, partitions }) => [name, isInternal, partitions.length])).toEqual([[OFFSETS, true, 2]])
  })

  test('is made when a group is used without looking for it', async () => {
    const { member } = await groupOn({ topics: ['t'] })
    expect(await member.commit('t', 5)).toBe('NONE')
  })

  test('is not written by clients: 17', async () => {
    const { client, member } = await groupOn()
    await member.findCoordinator()
    const topicData = [{ name: OFFSETS, topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
    const { responses } = await client.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
    expect(errorName(responses[0].partitionResponses[0].errorCode)).toBe('INVALID_TOPIC_EXCEPTION')
  })

  test('trap: the hash of a group is Java’s', () => {
    expect(['g1', 'polygenelubricants', '', 'käse😀'].map((id) => partitionOfId(id, 50))).toEqual([42, 0, 0, 26])
  })

  test('when it is deleted, its groups are gone, and those who wait are told', async () => {
    const { client, member, connect } = await groupOn({ topics: ['t'] })
    const { memberId } = await member.joinTwice()
    await member.sync(memberId, 1, {})
    const other = new GroupClient(await connect(), 'g')
    const parked = other.joinTwice()
    await expect.poll(() => member.heartbeat(memberId, 1)).toBe('REBALANCE_IN_PROGRESS')
    await client.call(DeleteTopics, 4, { topicNames: [OFFSETS], timeoutMs: 5000 })
    expect((await parked).error).toBe('NOT_COORDINATOR')
    expect(await member.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('codes', () => {
  test('JoinGroup', async () => {
    const { member } = await groupOn()
    const none = { generationId: -1, protocolType: null, leader: '', members: [] }
    expect(await member.join({ groupId: '' }, 5)).toMatchObject({ ...none, error: 'INVALID_GROUP_ID', protocolName: '' })
    expect(await member.join({ groupId: '' }, 9)).toMatchObject({ ...none, error: 'INVALID_GROUP_ID', protocolName: null })
    expect((await member.join({ sessionTimeoutMs: 10 })).error).toBe('INVALID_SESSION_TIMEOUT')
    expect((await member.join({ sessionTimeoutMs: 1_800_001 })).error).toBe('INVALID_SESSION_TIMEOUT')
    expect(await member.join({ memberId: 'x' })).toMatchObject({ ...none, error: 'UNKNOWN_MEMBER_ID', memberId: 'x' })
    expect((await member.join({ protocols: [] })).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect((await member.join({}, 4)).error).toBe('MEMBER_ID_REQUIRED')
    const old = await member.join({}, 3)
    expect(old).toMatchObject({ error: 'NONE', generationId: 1, protocolName: 'range', leader: old.memberId })
    expect(old.memberId).toMatch(/^raw-[0-9a-f-]{36}$/)
  })

  test('the oldest JoinGroup has its session for a rebalance timeout, and an empty protocol for none', async () => {
    const { member } = await groupOn()
    expect(await member.join({}, 0)).toMatchObject({ error: 'NONE', generationId: 1, members: { length: 1 } })
    expect(await member.join({ memberId: 'x' }, 0)).toMatchObject({ error: 'UNKNOWN_MEMBER_ID', protocolName: '' })
  })

  test('LeaveGroup: one error before version 3, one for each from then on', async () => {
    const { client, member } = await groupOn()
    const one = await client.call(LeaveGroup, 2, { groupId: 'g', memberId: 'x', members: [] })
    expect(one).toMatchObject({ errorCode: 25, members: [] })
    expect(await member.leave({ memberId: 'x' }, { memberId: '', groupInstanceId: 'i' })).toEqual({
      error: 'NONE', members: ['UNKNOWN_MEMBER_ID', 'UNKNOWN_MEMBER_ID'],
    }) // prettier-ignore
    const { memberId } = await member.joinTwice()
    const left = await client.call(LeaveGroup, 0, { groupId: 'g', memberId, members: [] })
    expect(left.errorCode).toBe(0)
    expect(await member.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('OffsetCommit: topics, partitions, metadata', async () => {
    const { member, topicId } = await groupOn({ topics: ['t'] })
    expect(await member.commit('nope', 1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    expect(await member.commit('', 1, { version: 10, topicId: 'BBBBBBBBBBBBBBBBBBBBBA' })).toBe('UNKNOWN_TOPIC_ID')
    expect(await member.commit('t', 1, { metadata: 'x'.repeat(4097) })).toBe('OFFSET_METADATA_TOO_LARGE')
    expect(await member.commit('t', 1, { generation: 3, memberId: 'm' })).toBe('GROUP_ID_NOT_FOUND')
    expect(await member.commit('t', 1, { generation: 3, memberId: 'm', version: 8 })).toBe('ILLEGAL_GENERATION')
    expect(await member.commit('', 1, { version: 10, topicId: topicId('t') })).toBe('NONE')
    expect(await member.commit('t', -1)).toBe('NONE')
    expect((await member.committed('t')).offset).toBe(-1)
  })

  test('what is committed comes back as it was: 64 bits, metadata, leader epoch', async () => {
    const { member, client } = await groupOn({ topics: ['t'] })
    const metadata = 'é'.repeat(4096)
    expect(await member.commit('t', 2n ** 63n - 1n, { metadata, leaderEpoch: 7 })).toBe('NONE')
    const { groups } = await client.call(OffsetFetch, 8, { topics: [], groupId: '', groups: [{ groupId: 'g', topics: null }] })
    expect(groups[0].topics[0]).toMatchObject({
      name: 't',
      partitions: [{ partitionIndex: 0, committedOffset: 2n ** 63n - 1n, committedLeaderEpoch: 7, metadata, errorCode: 0 }],
    })
  })

  test('OffsetFetch: what was never committed is -1 without an error; one answer for each group', async () => {
    const { client, member, topicId } = await groupOn({ topics: ['t'] })
    await member.commit('t', 5)
    const old = await client.call(OffsetFetch, 1, { groupId: 'none', topics: [{ name: 't', partitionIndexes: [0, 9] }], groups: [] })
    expect(old.topics[0].partitions.map(({ committedOffset, errorCode }) => [committedOffset, errorCode])).toEqual([[-1n, 0], [-1n, 0]])
    const all = await client.call(OffsetFetch, 2, { groupId: 'g', topics: null, groups: [] })
    expect(all.topics.map(({ name }) => name)).toEqual(['t'])
    const topics = [
      { name: '', topicId: topicId('t'), partitionIndexes: [0] },
      { name: '', topicId: 'BBBBBBBBBBBBBBBBBBBBBA', partitionIndexes: [0] },
    ]
    const { groups } = await client.call(OffsetFetch, 10, { topics: [], groupId: '', groups: [{ groupId: 'g', topics }, { groupId: 'none', topics: null }] })
    expect(groups[0].topics.map(({ partitions }) => [partitions[0].committedOffset, partitions[0].errorCode])).toEqual([[5n, 0], [-1n, 100]])
    expect(groups[1]).toMatchObject({ errorCode: 0, topics: [] })
  })

  test('OffsetFetch: trap: requireStable gets 88 while a transaction is about to move the offset', async () => {
    const { broker, client, member } = await groupOn({ topics: ['t'] })
    await member.commit('t', 5)
    const producer = { id: 7n, epoch: 0 }
    const committed = { offset: 9n, leaderEpoch: -1, metadata: '', commitTimestamp: 0, expireTimestamp: -1, topicId: ZERO_UUID }
    const committer = { memberId: '', instanceId: null, generation: -1, knowsGroupNotFound: true, producer }
    await broker.groups.commit('g', committer, [[{ group: 'g', topic: 't', partition: 0 }, committed]])
    const fetch = async (requireStable: boolean) => {
      const { topics } = await client.call(OffsetFetch, 7, { groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }], groups: [], requireStable })
      return [topics[0].partitions[0].committedOffset, errorName(topics[0].partitions[0].errorCode)]
    }
    expect(await fetch(true)).toEqual([-1n, 'UNSTABLE_OFFSET_COMMIT'])
    expect(await fetch(false)).toEqual([5n, 'NONE'])
    await broker.groups.endTransaction(broker.groups.partitionOf('g'), producer, true, 0)
    expect(await fetch(true)).toEqual([9n, 'NONE'])
  })

  test('DescribeGroups: trap: a group that is not there is Dead, or 69 from version 6 on', async () => {
    const { client, member } = await groupOn()
    const describeIn = async (version: number) => {
      const { groups } = await client.call(DescribeGroups, version, { groups: ['g'], includeAuthorizedOperations: version >= 3 })
      return groups[0]
    }
    expect(await describeIn(5)).toMatchObject({ errorCode: 0, groupState: 'Dead', authorizedOperations: 3400 })
    expect(await describeIn(6)).toMatchObject({ errorCode: 69, errorMessage: 'Group g not found.', groupState: 'Dead' })
    const { memberId } = await member.joinTwice()
    expect(await describeIn(6)).toMatchObject({ groupState: 'CompletingRebalance', protocolType: 'consumer', protocolData: '' })
    await member.sync(memberId, 1, { [memberId]: 'all' })
    const { groupState, protocolData, members } = await describeIn(6)
    expect([groupState, protocolData, members.length]).toEqual(['Stable', 'range', 1])
    expect(members[0]).toMatchObject({ memberId, clientId: 'raw', clientHost: '/127.0.0.1', memberAssignment: Buffer.from('all') })
    expect((await describeIn(0)).members).toHaveLength(1)
  })

  test('ListGroups: filters don’t mind case', async () => {
    const { client, member } = await groupOn({ topics: ['t'] })
    await member.joinTwice()
    await new GroupClient(client, 'simple').commit('t', 1)
    const list = async (statesFilter: string[], typesFilter: string[]) => {
      const { groups } = await client.call(ListGroups, 5, { statesFilter, typesFilter })
      return groups.map(({ groupId, protocolType, groupState, groupType }) => [groupId, protocolType, groupState, groupType]).sort()
    }
    const g = ['g', 'consumer', 'CompletingRebalance', 'classic']
    const simple = ['simple', '', 'Empty', 'classic']
    expect(await list([], [])).toEqual([g, simple])
    expect(await list(['empty'], ['CLASSIC'])).toEqual([simple])
    expect(await list(['nope'], [])).toEqual([])
    expect(await list([], ['consumer'])).toEqual([])
  })

  test('DeleteGroups and OffsetDelete', async () => {
    const { client, member } = await groupOn({ topics: ['t', 'u'] })
    const remove = async (...groupsNames: string[]) => {
      return (await client.call(DeleteGroups, 2, { groupsNames })).results.map(({ errorCode }) => errorName(errorCode))
    }
    const removeOffsets = async (groupId: string, names: string[]) => {
      const topics = names.map((name) => ({ name, partitions: [{ partitionIndex: 0 }] }))
      const answer = await client.call(OffsetDelete, 0, { groupId, topics })
      return answer.errorCode === 0 ? answer.topics.map(({ partitions }) => errorName(partitions[0].errorCode)) : errorName(answer.errorCode)
    }
    expect(await remove('g', 'g')).toEqual(['GROUP_ID_NOT_FOUND'])
    expect(await removeOffsets('g', ['t'])).toBe('GROUP_ID_NOT_FOUND')
    expect(await removeOffsets('', ['t'])).toBe('INVALID_GROUP_ID')
    const { memberId } = await member.joinTwice()
    await member.sync(memberId, 1, {})
    for (const topic of ['t', 'u']) await member.commit(topic, 1, { memberId, generation: 1 })
    expect(await remove('g')).toEqual(['NON_EMPTY_GROUP'])
    expect(await removeOffsets('g', ['t', 'u', 'zz'])).toEqual(['GROUP_SUBSCRIBED_TO_TOPIC', 'NONE', 'UNKNOWN_TOPIC_OR_PARTITION'])
    expect([(await member.committed('t')).offset, (await member.committed('u')).offset]).toEqual([1, -1])
    await member.leave({ memberId })
    expect(await remove('g')).toEqual(['NONE'])
    expect((await member.committed('t')).offset).toBe(-1)
  })
})

test('offsets of a deleted topic are gone with it, also when one with its name comes again', async () => {
  const { broker, client, member } = await groupOn({ topics: ['t', 'u'] })
  for (const topic of ['t', 'u']) await member.commit(topic, 5)
  await client.call(DeleteTopics, 4, { topicNames: ['t'], timeoutMs: 5000 })
  await createMissingTopics(broker, [{ name: 't', partitions: 1 }])
  expect([(await member.committed('t')).offset, (await member.committed('u')).offset]).toEqual([-1, 5])
})

test('a JoinGroup holds up its own connection only, and ends with the broker', async () => {
  const { broker, connect, member } = await groupOn({ topics: ['t'] })
  const { memberId } = await member.joinTwice()
  await member.sync(memberId, 1, {})
  const parked = new GroupClient(await connect(), 'g').joinTwice()
  await expect.poll(() => member.heartbeat(memberId, 1)).toBe('REBALANCE_IN_PROGRESS')
  const begin = performance.now()
  await broker.stop()
  expect((await parked).error).toBe('NOT_COORDINATOR')
  expect(performance.now() - begin).toBeLessThan(3000)
})

test('50 members that join within 200 ms settle in one generation', async () => {
  const { connect } = await groupOn({ properties: { 'group.initial.rebalance.delay.ms': '200' } })
  const members = await Promise.all(Array.from({ length: 50 }, async () => new GroupClient(await connect(), 'g')))
  const joined = await Promise.all(members.map((member) => member.joinTwice()))
  expect(new Set(joined.map(({ generationId }) => generationId))).toEqual(new Set([1]))
  const leader = joined.find(({ memberId, leader }) => memberId === leader)
  expect(leader?.members).toHaveLength(50)
  const assigned = Object.fromEntries(joined.map(({ memberId }) => [memberId, `for ${memberId}`]))
  const synced = await Promise.all(
    members.map((member, at) => member.sync(joined[at].memberId, 1, joined[at] === leader ? assigned : {})),
  )
  expect(synced).toEqual(joined.map(({ memberId }) => ({ error: 'NONE', assignment: `for ${memberId}` })))
})

describe('a machine that loses power', () => {
  /** What a member was told before the cut. */
  interface Told {
    memberId: string
    generations: number[]
    committed: number
    asked: number
    stable: { memberId: string; generationId: number } | undefined
  }

  async function talk(member: GroupClient, told: Told): Promise<void> {
    let memberId = ''
    for (let round = 0; round < 3; round++) {
      const joined = await (memberId === '' ? member.joinTwice() : member.join({ memberId }))
      told.stable = undefined
      told.generations.push(joined.generationId)
      memberId = told.memberId = joined.memberId
      const { generationId } = joined
      const synced = await member.sync(memberId, generationId, { [memberId]: `round ${round}` })
      expect(synced).toEqual({ error: 'NONE', assignment: `round ${round}` })
      told.stable = { memberId, generationId }
      for (let i = 0; i < 3; i++) {
        told.asked++
        expect(await member.commit('t', told.asked, { memberId, generation: generationId })).toBe('NONE')
        told.committed = told.asked
      }
    }
  }

  test('at any moment keeps offsets and generations, and the members it had told of their assignment', async () => {
    const whole = new SimulatedMachine()
    const first = await groupOn({ disk: whole.disk, topics: ['t'] })
    await first.member.findCoordinator()
    const from = whole.operations
    await talk(first.member, { memberId: '', generations: [], committed: 0, asked: 0, stable: undefined })
    const operations = whole.operations - from
    expect(operations).toBeGreaterThan(20)
    for (let at = 1; at <= operations; at++) await cutAfter(at)
  }, 60_000)

  async function cutAfter(operations: number): Promise<void> {
    const machine = new SimulatedMachine()
    const before = await groupOn({ disk: machine.disk, topics: ['t'] })
    await before.member.findCoordinator()
    const told: Told = { memberId: '', generations: [], committed: 0, asked: 0, stable: undefined }
    machine.cutAt = machine.operations + operations
    let isOver = false
    const talking = talk(before.member, told).catch(() => undefined).finally(() => (isOver = true))
    await expect.poll(() => isOver || machine.isOff, { interval: 1 }).toBe(true)
    before.member.client.close()
    await talking
    machine.restart()

    const { member, broker } = await groupOn({ disk: machine.disk })
    const { offset } = await member.committed('t')
    expect(offset === told.committed || offset === told.asked || (offset === -1 && told.committed === 0)).toBe(true)
    const last = Math.max(0, ...told.generations)
    const fate = told.memberId === '' ? 'UNKNOWN_MEMBER_ID' : await member.heartbeat(told.memberId, last)
    // A generation that it was about to be told of may be in the log already; then nobody is in the group.
    if (told.stable !== undefined) expect(['NONE', 'UNKNOWN_MEMBER_ID']).toContain(fate)
    const rejoined = await (fate === 'UNKNOWN_MEMBER_ID' ? member.joinTwice() : member.join({ memberId: told.memberId }))
    expect(rejoined.generationId).toBeGreaterThan(last)
    await broker.stop()
  }

  test('members of a stable group go on; those it had not told of their assignment are fenced', async () => {
    const machine = new SimulatedMachine()
    const first = await groupOn({ disk: machine.disk, topics: ['t'] })
    const { memberId } = await first.member.joinTwice()
    await first.member.sync(memberId, 1, { [memberId]: 'mine' })
    machine.restart()
    const second = await groupOn({ disk: machine.disk })
    expect(await second.member.heartbeat(memberId, 1)).toBe('NONE')
    expect(await second.member.sync(memberId, 1)).toEqual({ error: 'NONE', assignment: 'mine' })
    expect((await second.member.join({ memberId })).generationId).toBe(2)
    machine.restart()
    const third = await groupOn({ disk: machine.disk })
    expect(await third.member.heartbeat(memberId, 2)).toBe('UNKNOWN_MEMBER_ID')
    expect((await third.member.joinTwice()).generationId).toBe(3)
  })

  test('between a topic’s deletion and that of its offsets: they are dropped at the start', async () => {
    const machine = new SimulatedMachine()
    const { broker, client, member } = await groupOn({ disk: machine.disk, topics: ['t'] })
    await member.commit('t', 5)
    let isFailing = false
    machine.fault = (operation, path) => {
      if (operation === 'write' && isFailing && path.includes(OFFSETS)) machine.cutAt = machine.operations
    }
    isFailing = true
    await Promise.race([client.call(DeleteTopics, 4, { topicNames: ['t'], timeoutMs: 5000 }).catch(() => undefined), broker.stopped])
    machine.fault = undefined
    machine.cutAt = Infinity
    machine.restart()
    const again = await groupOn({ disk: machine.disk, topics: ['t'] })
    expect((await again.member.committed('t')).offset).toBe(-1)
  })
})

test('what finds no space has not happened: the group is what its log says', async () => {
  const machine = new SimulatedMachine()
  const { member, lines } = await groupOn({ disk: machine.disk, topics: ['t'] })
  const { memberId } = await member.joinTwice()
  await member.sync(memberId, 1, { [memberId]: 'mine' })
  expect(await member.commit('t', 1, { memberId, generation: 1 })).toBe('NONE')
  machine.fault = (operation, path) => {
    if (operation === 'write' && path.includes(OFFSETS)) throw new DiskError('noSpace', path, 'ENOSPC', `ENOSPC on ${path}`)
  }
  expect(await member.commit('t', 2, { memberId, generation: 1 })).toBe('NOT_COORDINATOR')
  machine.fault = undefined
  await expect.poll(async () => (await member.committed('t')).error).toBe('NONE')
  expect((await member.committed('t')).offset).toBe(1)
  expect(await member.heartbeat(memberId, 1)).toBe('NONE')
  await expect.poll(() => member.commit('t', 3, { memberId, generation: 1 }), { timeout: 15_000 }).toBe('NONE')
  expect(lines.some((line) => line.includes('is read anew'))).toBe(true)
})
