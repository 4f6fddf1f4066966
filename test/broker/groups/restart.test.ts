// A daemon that is killed (kill -9) while a group is in each of its states, and started again: offsets are kept, members
// that were told of their place keep it, and what was old before stays old.

import { describe, expect, onTestFinished, test } from 'vitest'
import { ConsumerGroupDescribe } from '../../../src/protocol/apis/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/apis/consumer-group-heartbeat.ts'
import { CreateTopics } from '../../../src/protocol/apis/create-topics.ts'
import { DeleteGroups } from '../../../src/protocol/apis/delete-groups.ts'
import { DescribeGroups } from '../../../src/protocol/apis/describe-groups.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { temporaryDirectory } from '../../support/broker.ts'
import { startDaemon } from '../../support/daemon.ts'
import { GroupClient } from '../../support/group-client.ts'
import { RawClient } from '../../support/raw-client.ts'

/** A broker, and what becomes of it after a kill. `dial` goes to the one that runs. */
async function killable(properties: Readonly<Record<string, string>> = {}) {
  const directory = temporaryDirectory()
  const settings = { 'offsets.topic.num.partitions': '1', 'group.initial.rebalance.delay.ms': '0', ...properties }
  let daemon = await startDaemon(settings, directory)
  const dial = async () => {
    const client = await RawClient.open(daemon.port)
    onTestFinished(() => client.close())
    return client
  }
  const client = await dial()
  const topics = [{ name: 't', numPartitions: 4, replicationFactor: 1, assignments: [], configs: [] }]
  await client.call(CreateTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false })
  await new GroupClient(client, 'g').findCoordinator()
  const restart = async () => {
    await daemon.kill()
    daemon = await startDaemon(settings, directory)
  }
  return { dial, restart }
}

async function classicState(client: RawClient): Promise<string> {
  return (await client.call(DescribeGroups, 5, { groups: ['g'], includeAuthorizedOperations: false })).groups[0].groupState
}

describe('a classic group', () => {
  /** Generation 1 with one member, who has committed 7. */
  async function stable() {
    const world = await killable()
    const member = new GroupClient(await world.dial(), 'g')
    const { memberId } = await member.joinTwice()
    await member.sync(memberId, 1, { [memberId]: 'mine' })
    expect(await member.commit('t', 7, { memberId, generation: 1 })).toBe('NONE')
    const restarted = async () => {
      await world.restart()
      return new GroupClient(await world.dial(), 'g')
    }
    return { ...world, member, memberId, restarted }
  }

  test('Stable: the member goes on, an older generation and a stranger do not', async () => {
    const { member, memberId, restarted } = await stable()
    await member.join({ memberId })
    await member.sync(memberId, 2, { [memberId]: 'again' })
    expect(await classicState(member.client)).toBe('Stable')
    const after = await restarted()
    expect(await after.heartbeat(memberId, 2)).toBe('NONE')
    expect(await after.heartbeat(memberId, 1)).toBe('ILLEGAL_GENERATION')
    expect(await after.heartbeat('stranger', 2)).toBe('UNKNOWN_MEMBER_ID')
    expect(await after.commit('t', 8, { memberId, generation: 1 })).toBe('ILLEGAL_GENERATION')
    expect((await after.committed('t')).offset).toBe(7)
    expect(await after.commit('t', 8, { memberId, generation: 2 })).toBe('NONE')
  })

  test('Empty: its offsets are there, its generations go on, who has left is not known', async () => {
    const { member, memberId, restarted } = await stable()
    await member.leave({ memberId })
    expect(await classicState(member.client)).toBe('Empty')
    const after = await restarted()
    expect(await classicState(after.client)).toBe('Empty')
    expect((await after.committed('t')).offset).toBe(7)
    expect(await after.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
    expect((await after.joinTwice()).generationId).toBeGreaterThan(1)
  })

  test('PreparingRebalance: who was in the group is, who was about to be is not', async () => {
    const { dial, member, memberId, restarted } = await stable()
    const second = new GroupClient(await dial(), 'g')
    const { memberId: secondId } = await second.join()
    const parked = second.join({ memberId: secondId }).catch(() => 'cut')
    await expect.poll(() => classicState(member.client)).toBe('PreparingRebalance')
    const after = await restarted()
    expect(await parked).toBe('cut')
    expect((await after.committed('t')).offset).toBe(7)
    expect(await after.heartbeat(memberId, 1)).toBe('NONE')
    expect(await after.heartbeat(memberId, 0)).toBe('ILLEGAL_GENERATION')
    expect(await after.heartbeat(secondId, 1)).toBe('UNKNOWN_MEMBER_ID')
    expect((await after.join({ memberId })).generationId).toBe(2)
  })

  test('CompletingRebalance: its generation is not used again, and nobody is in it', async () => {
    const { member, memberId, restarted } = await stable()
    expect((await member.join({ memberId })).generationId).toBe(2)
    expect(await classicState(member.client)).toBe('CompletingRebalance')
    const after = await restarted()
    expect((await after.committed('t')).offset).toBe(7)
    for (const generation of [1, 2]) expect(await after.heartbeat(memberId, generation)).toBe('UNKNOWN_MEMBER_ID')
    expect(await after.commit('t', 8, { memberId, generation: 2 })).toBe('UNKNOWN_MEMBER_ID')
    expect((await after.joinTwice()).generationId).toBe(3)
  })

  test('Dead: deleted is deleted, its offsets too', async () => {
    const { member, memberId, restarted } = await stable()
    await member.leave({ memberId })
    const { results } = await member.client.call(DeleteGroups, 2, { groupsNames: ['g'] })
    expect(errorName(results[0].errorCode)).toBe('NONE')
    const after = await restarted()
    expect(await classicState(after.client)).toBe('Dead')
    expect((await after.committed('t')).offset).toBe(-1)
    expect(await after.heartbeat(memberId, 1)).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('a consumer group', () => {
  interface Beat {
    readonly memberId: string
    readonly memberEpoch: number
    readonly instanceId?: string
    readonly owned?: readonly number[] | undefined
  }

  async function consumers(properties: Readonly<Record<string, string>> = {}) {
    const world = await killable(properties)
    let client = await world.dial()
    let topicId = ''
    /** Everything is said in each heartbeat. */
    const beat = async ({ memberId, memberEpoch, instanceId, owned = [] }: Beat) => {
      const topicPartitions = owned.length === 0 ? [] : [{ topicId, partitions: [...owned] }]
      const answer = await client.call(ConsumerGroupHeartbeat, 1, {
        groupId: 'g', memberId, memberEpoch, instanceId, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['t'], topicPartitions,
      }) // prettier-ignore
      topicId = answer.assignment?.topicPartitions.at(0)?.topicId ?? topicId
      const partitions = answer.assignment?.topicPartitions.flatMap((each) => each.partitions)
      return { error: errorName(answer.errorCode), epoch: answer.memberEpoch, partitions }
    }
    const state = async () => {
      const { groups } = await client.call(ConsumerGroupDescribe, 1, { groupIds: ['g'], includeAuthorizedOperations: false })
      return groups[0].groupState
    }
    const commit = (offset: number, memberId: string, generation: number) => new GroupClient(client, 'g').commit('t', offset, { memberId, generation })
    const committed = async () => (await new GroupClient(client, 'g').committed('t')).offset
    const restart = async () => {
      await world.restart()
      client = await world.dial()
    }
    return { beat, state, commit, committed, restart }
  }

  /** One member with all four partitions, who has committed 7. */
  async function stable(properties: Readonly<Record<string, string>> = {}) {
    const world = await consumers(properties)
    const joined = await world.beat({ memberId: 'a', memberEpoch: 0, instanceId: 'i' })
    const a = { memberId: 'a', memberEpoch: joined.epoch, instanceId: 'i', owned: [0, 1, 2, 3] }
    expect(joined.partitions).toEqual(a.owned)
    await world.beat(a)
    expect(await world.commit(7, 'a', a.memberEpoch)).toBe('NONE')
    return { ...world, a }
  }

  test('Stable: the member goes on, an epoch to come and a stranger do not', async () => {
    const { beat, state, commit, committed, restart, a } = await stable()
    expect(await state()).toBe('Stable')
    await restart()
    expect(await state()).toBe('Stable')
    expect(await beat(a)).toMatchObject({ error: 'NONE', epoch: a.memberEpoch })
    expect(await beat({ ...a, memberEpoch: a.memberEpoch + 5 })).toMatchObject({ error: 'FENCED_MEMBER_EPOCH' })
    expect(await beat({ memberId: 'stranger', memberEpoch: 1 })).toMatchObject({ error: 'UNKNOWN_MEMBER_ID' })
    expect(await committed()).toBe(7)
    expect(await commit(8, 'a', a.memberEpoch + 1)).toBe('STALE_MEMBER_EPOCH')
    expect(await commit(8, 'a', a.memberEpoch)).toBe('NONE')
  })

  test('Reconciling: what one member has not given up the other does not get, before and after', async () => {
    const { beat, state, committed, restart, a } = await stable()
    const joined = await beat({ memberId: 'b', memberEpoch: 0 })
    expect(joined).toMatchObject({ error: 'NONE', partitions: [] })
    const told = await beat(a)
    expect(told.partitions).toHaveLength(2)
    expect(await state()).toBe('Reconciling')
    await restart()
    expect(await state()).toBe('Reconciling')
    expect(await committed()).toBe(7)
    const b = { memberId: 'b', memberEpoch: joined.epoch }
    expect((await beat(b)).partitions).toEqual([])
    const kept = { ...a, memberEpoch: told.epoch, owned: told.partitions }
    expect((await beat(kept)).error).toBe('NONE')
    const got = await beat(b)
    expect([...(told.partitions ?? []), ...(got.partitions ?? [])].sort()).toEqual([0, 1, 2, 3])
    await beat({ ...b, memberEpoch: got.epoch, owned: got.partitions })
    expect(await state()).toBe('Stable')
  })

  test('Assigning: the group has its next assignment after the start', async () => {
    const { beat, state, committed, restart, a } = await stable({ 'group.consumer.assignment.interval.ms': '3000' })
    const joined = await beat({ memberId: 'b', memberEpoch: 0 })
    expect(await state()).toBe('Assigning')
    await restart()
    expect(await committed()).toBe(7)
    const b = { memberId: 'b', memberEpoch: joined.epoch }
    let [epochA, epochB] = [a.memberEpoch, b.memberEpoch]
    let [ownA, ownB]: number[][] = [a.owned, []]
    await expect
      .poll(async () => {
        const first = await beat({ ...a, memberEpoch: epochA, owned: ownA })
        const second = await beat({ ...b, memberEpoch: epochB, owned: ownB })
        expect([first.error, second.error]).toEqual(['NONE', 'NONE'])
        ;[epochA, epochB] = [first.epoch, second.epoch]
        ;[ownA, ownB] = [first.partitions ?? ownA, second.partitions ?? ownB]
        return [ownA.length, ownB.length]
      }, { timeout: 15_000 })
      .toEqual([2, 2]) // prettier-ignore
    expect([...ownA, ...ownB].sort()).toEqual([0, 1, 2, 3])
  })

  test('with a static member that is away: its partitions wait for it, and who it was is fenced', async () => {
    const { beat, committed, restart, a } = await stable()
    expect(await beat({ memberId: 'a', memberEpoch: -2, instanceId: 'i' })).toMatchObject({ error: 'NONE', epoch: -2 })
    await restart()
    expect(await committed()).toBe(7)
    const back = await beat({ memberId: 'c', memberEpoch: 0, instanceId: 'i' })
    expect(back).toMatchObject({ error: 'NONE', epoch: a.memberEpoch, partitions: [0, 1, 2, 3] })
    expect((await beat(a)).error).toBe('FENCED_INSTANCE_ID')
  })

  test('Empty: the epoch goes on, who has left is not known', async () => {
    const { beat, state, committed, restart, a } = await stable()
    await beat({ ...a, memberEpoch: -1 })
    expect(await state()).toBe('Empty')
    await restart()
    expect([await state(), await committed()]).toEqual(['Empty', 7])
    expect((await beat(a)).error).toBe('UNKNOWN_MEMBER_ID')
    expect((await beat({ memberId: 'n', memberEpoch: 0 })).epoch).toBeGreaterThan(a.memberEpoch)
  })
})
