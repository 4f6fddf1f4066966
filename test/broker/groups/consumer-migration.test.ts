// Groups that become of the other kind: empty ones silently, others with their members in them (KIP-848), who keep their
// partitions and go on with the protocol that they speak.

import { describe, expect, test } from 'vitest'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from '../../../src/protocol/records/consumer-protocol.ts'
import { ConsumerWorld } from './consumer-world.ts'
import { SESSION } from './group-world.ts'

function worldOf(settings: ConstructorParameters<typeof ConsumerWorld>[0] = {}): ConsumerWorld {
  const world = new ConsumerWorld(settings)
  world.topics.set('t', 4)
  return world
}

type Partitions = readonly { readonly topic: string; readonly partitions: readonly number[] }[]

/** The embedded protocol's part of a JoinGroup. */
function protocolOf(topics: readonly string[], ownedPartitions: Partitions = []) {
  const value = { topics, ownedPartitions: ownedPartitions.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })) }
  return { name: 'range', metadata: encodeConsumerProtocol(ConsumerProtocolSubscription, 1, value) }
}

const assignmentOf = (assignment: Buffer | undefined): Partitions =>
  decodeConsumerProtocol(ConsumerProtocolAssignment, assignment ?? Buffer.alloc(0)).assignedPartitions

/** A classic group of one member that has all of the topic. */
function classicOf(world: ConsumerWorld): string {
  const memberId = world.join({ protocols: [protocolOf(['t'])] }).value?.memberId ?? ''
  const assignment = encodeConsumerProtocol(ConsumerProtocolAssignment, 1, {
    assignedPartitions: [{ topic: 't', partitions: [0, 1, 2, 3] }],
    userData: null,
  })
  world.sync(memberId, { assignments: [{ memberId, assignment }] })
  return memberId
}

/** What a classic consumer does when it is told to join again: with what it has, and then it syncs. */
function rejoin(world: ConsumerWorld, memberId: string, owned: Partitions): { generation: number; assignment: Partitions } {
  const joined = world.join({ memberId, protocols: [protocolOf(['t'], owned)] })
  const generation = joined.value?.generation ?? -1
  const synced = world.sync(memberId, { generation, protocolType: 'consumer', protocolName: 'range' })
  expect([joined.error, joined.value?.error, synced.error, synced.value?.error]).toEqual([undefined, 'NONE', undefined, 'NONE'])
  return { generation, assignment: assignmentOf(synced.value?.assignment) }
}

describe('an empty group', () => {
  test('of classic members becomes a consumer group when one joins, and keeps its offsets', () => {
    const world = worldOf()
    const memberId = classicOf(world)
    world.commit(7, { memberId, generation: 1 })
    world.leave(memberId)
    expect(world.client('a').beat().error).toBeUndefined()
    expect(world.consumers().state).toBe('Stable')
    expect(world.group()).toBeUndefined()
    expect(world.committed()).toBe(7)
    world.restart()
    expect([world.consumers().members.size, world.group()]).toEqual([1, undefined])
  })

  test('of consumers becomes a classic one when one joins', () => {
    const world = worldOf()
    const a = world.client('a')
    a.beat()
    a.leave()
    expect(world.join().value?.error).toBe('NONE')
    expect(world.shard.consumers.has('g')).toBe(false)
    world.restart()
    expect([world.shard.consumers.has('g'), world.phase]).toEqual([false, 'Empty'])
  })

  test('that only has offsets is what its first member makes of it', () => {
    const world = worldOf()
    world.commit(7)
    world.client('a').beat()
    expect(world.consumers().members.size).toBe(1)
    expect(world.committed()).toBe(7)
  })
})

describe('a classic group with members', () => {
  test('becomes a consumer group when one joins; the classic member gives up its half by joining again', () => {
    const world = worldOf()
    const classic = classicOf(world)
    const a = world.client('a')
    expect(a.beat().value).toMatchObject({ epoch: 2, assignment: [] })
    expect(world.consumers().members.get(classic)).toMatchObject({ epoch: 1, classic: { sessionTimeoutMs: SESSION } })

    expect(world.heartbeat(classic, 1)).toBe('REBALANCE_IN_PROGRESS')
    // Eager and cooperative alike: it says what it has, is told what to keep, says that, and is done.
    const all = [{ topic: 't', partitions: [0, 1, 2, 3] }]
    const kept = rejoin(world, classic, all)
    expect(kept).toEqual({ generation: 1, assignment: [{ topic: 't', partitions: [0, 1] }] })
    expect(world.heartbeat(classic, 1)).toBe('REBALANCE_IN_PROGRESS')
    expect(rejoin(world, classic, kept.assignment)).toEqual({ generation: 2, assignment: kept.assignment })
    expect(world.heartbeat(classic, 2)).toBe('NONE')
    world.settle([a])
    expect(a.partitions).toBe('t2 t3')
    expect(world.consumers().state).toBe('Stable')
  })

  test('whose members are parked has them join again: 27', () => {
    const world = worldOf()
    const classic = classicOf(world)
    const parked = world.join({ requiresKnownId: false })
    expect(parked.value).toBeUndefined()
    world.client('a').beat()
    expect(parked.value?.error).toBe('REBALANCE_IN_PROGRESS')
    expect([...world.consumers().members.keys()]).toContain(classic)
  })

  test.each([
    ['its policy forbids it', { canUpgrade: false }, {}],
    ['it speaks another protocol', {}, { protocolType: 'connect' }],
    ['it is too large', { maxSize: 0 }, {}],
  ])('stays one when %s: 69', (_why, settings, request) => {
    const world = worldOf(settings)
    world.stable(1, request)
    expect(world.client('a').beat().error).toBe('GROUP_ID_NOT_FOUND')
    expect(world.phase).toBe('Stable')
  })

  test('survives a start right after it became another', () => {
    const world = worldOf()
    const classic = classicOf(world)
    const a = world.client('a')
    a.beat()
    world.restart()
    expect(world.heartbeat(classic, 1)).toBe('REBALANCE_IN_PROGRESS')
    expect(world.group()).toBeUndefined()
    world.pass(SESSION)
    world.settle([a])
    expect(a.partitions).toBe('t0 t1 t2 t3')
  })
})

describe('a consumer group with members', () => {
  function mixed(world: ConsumerWorld) {
    const a = world.client('a')
    a.beat()
    const first = world.join({ protocols: [protocolOf(['t'])] }).value
    const memberId = first?.memberId ?? ''
    world.settle([a])
    return { a, memberId, generation: first?.generation ?? -1 }
  }

  test('takes classic ones, who get their share when it is free', () => {
    const world = worldOf()
    const { a, memberId, generation } = mixed(world)
    expect(world.sync(memberId, { generation, protocolType: 'consumer', protocolName: 'range' }).value?.error).toBe('NONE')
    expect(world.heartbeat(memberId, generation)).toBe('REBALANCE_IN_PROGRESS')
    expect(rejoin(world, memberId, []).assignment).toEqual([{ topic: 't', partitions: [2, 3] }])
    expect(a.partitions).toBe('t0 t1')
    expect(world.heartbeat(memberId, generation)).toBe('NONE')
  })

  test('checks what they say: 25, 22, 23', () => {
    const world = worldOf()
    const { memberId, generation } = mixed(world)
    expect(world.heartbeat('x', generation)).toBe('UNKNOWN_MEMBER_ID')
    expect(world.heartbeat('a', generation)).toBe('UNKNOWN_MEMBER_ID')
    expect(world.heartbeat(memberId, generation + 1)).toBe('ILLEGAL_GENERATION')
    expect(world.sync(memberId, { generation, protocolName: 'other' }).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.join({ protocolType: 'connect' }).error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.join({ requiresKnownId: true }).value).toMatchObject({ error: 'MEMBER_ID_REQUIRED' })
    expect(world.commit(1, { memberId, generation: generation + 1 })).toBe('ILLEGAL_GENERATION')
    expect(world.commit(1, { memberId, generation, knowsGroupNotFound: false })).toBe('NONE')
  })

  test('loses those who do not sync, or join, in time', () => {
    const world = worldOf()
    const a = world.client('a')
    a.beat()
    const { memberId = '', generation = -1 } = world.join({ rebalanceTimeoutMs: 5000, protocols: [protocolOf(['t'])] }).value ?? {}
    world.pass(4999)
    expect(world.heartbeat(memberId, generation)).not.toBe('UNKNOWN_MEMBER_ID')
    a.beat()
    world.pass(1)
    expect(world.heartbeat(memberId, generation)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('becomes a classic one when the last consumer leaves, and its members join again', () => {
    const world = worldOf()
    const { a, memberId } = mixed(world)
    const { generation } = rejoin(world, memberId, [])
    a.leave()
    expect(world.shard.consumers.has('g')).toBe(false)
    expect(world.phase).toBe('PreparingRebalance')
    expect(world.heartbeat(memberId, generation)).toBe('REBALANCE_IN_PROGRESS')
    const joined = world.join({ memberId, protocols: [protocolOf(['t'])] })
    expect(joined.value).toMatchObject({ error: 'NONE', leader: memberId, generation: generation + 1 })
    world.restart()
    expect([world.shard.consumers.has('g'), world.phase]).toEqual([false, 'Empty'])
  })

  test('also when the last consumer is not heard of any more', () => {
    const world = worldOf()
    const { memberId } = mixed(world)
    for (let passed = 0; passed < 45_000; passed += 5000) {
      world.heartbeat(memberId, world.consumers().members.get(memberId)?.epoch)
      rejoin(world, memberId, [])
      world.pass(5000)
    }
    expect(world.phase).toBe('PreparingRebalance')
    expect(world.group()?.members.map(({ id }) => id)).toEqual([memberId])
  })

  test('stays one when its policy forbids it', () => {
    const world = worldOf({ canDowngrade: false })
    const { a, memberId } = mixed(world)
    a.leave()
    expect([...world.consumers().members.keys()]).toEqual([memberId])
  })

  test('whose last consumer is replaced by a classic static member is a classic group at once, with its partitions', () => {
    const world = worldOf()
    const a = world.client('a', { names: ['t'], instanceId: 'i' })
    a.beat()
    const joined = world.join({ instanceId: 'i', protocols: [protocolOf(['t'])] }).value
    expect(joined?.error).toBe('NONE')
    expect(world.phase).toBe('Stable')
    const { memberId = '', generation = -1 } = joined ?? {}
    const synced = world.sync(memberId, { instanceId: 'i', generation })
    expect(assignmentOf(synced.value?.assignment)).toEqual([{ topic: 't', partitions: [0, 1, 2, 3] }])
    expect(a.beat().error).toBe('GROUP_ID_NOT_FOUND')
  })

  test('lets a consumer take the place of a classic static member', () => {
    const world = worldOf()
    const other = world.client('b')
    other.beat()
    world.join({ instanceId: 'i', protocols: [protocolOf(['t'])] })
    const a = world.client('a', { names: ['t'], instanceId: 'i' })
    expect(a.beat().error).toBeUndefined()
    world.settle([other, a])
    expect([other.partitions, a.partitions]).toEqual(['t0 t1', 't2 t3'])
    expect(world.consumers().classicMembers).toBe(0)
  })
})
