// The classic group's states, on plain values: what each call does in each state, and the traps others fell into.

import { describe, expect, test } from 'vitest'
import { GROUP, REBALANCE, SESSION, World, protocol } from './group-world.ts'

/** A group in each state, with what is needed to talk to it. */
function worldIn(state: 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'): { world: World; leader: string } {
  const world = new World()
  const [leader] = world.stable(2)
  if (state === 'Empty') for (const { id } of world.group()!.members) world.leave(id)
  if (state === 'PreparingRebalance' || state === 'CompletingRebalance') world.join()
  if (state === 'CompletingRebalance') world.group()!.members.filter(({ join }) => join === undefined).forEach(({ id }) => world.join({ memberId: id }))
  expect(world.phase).toBe(state)
  return { world, leader }
}

describe('Empty', () => {
  test('join: a new member makes a rebalance, which without a delay completes at once', () => {
    const { world } = worldIn('Empty')
    const { generation } = world.group()!
    const { value } = world.join()
    expect(value).toMatchObject({ error: 'NONE', generation: generation + 1, protocolName: 'range' })
    expect(world.phase).toBe('CompletingRebalance')
  })

  test('sync and heartbeat: 25', () => {
    const { world, leader } = worldIn('Empty')
    expect(world.sync(leader).value?.error).toBe('UNKNOWN_MEMBER_ID')
    expect(world.heartbeat(leader)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('commit: from outside with a generation below 0, else 25', () => {
    const { world, leader } = worldIn('Empty')
    expect(world.commit(7)).toBe('NONE')
    expect(world.commit(8, { memberId: leader, generation: 1 })).toBe('UNKNOWN_MEMBER_ID')
    expect(world.committed()).toBe(7)
  })
})

describe('PreparingRebalance', () => {
  test('join: parked until all known members have joined', () => {
    const world = new World()
    const [first, second] = world.stable(2)
    const third = world.join()
    expect(third.value).toBeUndefined()
    const again = world.join({ memberId: first })
    expect(again.value).toBeUndefined()
    const last = world.join({ memberId: second })
    expect([third, again, last].map(({ value }) => value?.generation)).toEqual(Array(3).fill(world.group()!.generation))
    expect(again.value?.leader).toBe(first)
    expect(again.value?.members).toHaveLength(3)
    expect(third.value?.members).toEqual([])
  })

  test('join: parked no longer than the largest rebalance timeout; who has not joined is out', () => {
    const world = new World()
    const [first, second] = world.stable(2)
    const third = world.join()
    const again = world.join({ memberId: first, rebalanceTimeoutMs: 20_000 })
    for (let ms = 0; ms < REBALANCE - 5000; ms += 5000) {
      world.pass(5000)
      expect(world.heartbeat(second)).toBe('REBALANCE_IN_PROGRESS')
    }
    expect(third.value).toBeUndefined()
    world.pass(5000)
    expect(again.value?.generation).toBe(world.group()!.generation)
    expect(third.value?.error).toBe('NONE')
    expect(world.group()!.members.map(({ id }) => id)).toEqual([first, third.value?.memberId])
    expect(world.heartbeat(second)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('sync: 27', () => {
    const { world, leader } = worldIn('PreparingRebalance')
    expect(world.sync(leader).value?.error).toBe('REBALANCE_IN_PROGRESS')
  })

  test('heartbeat: 27, and it renews the session', () => {
    const { world, leader } = worldIn('PreparingRebalance')
    for (let beat = 0; beat < 4; beat++) {
      world.pass(SESSION - 1)
      expect(world.heartbeat(leader)).toBe('REBALANCE_IN_PROGRESS')
    }
    world.pass(SESSION)
    expect(world.heartbeat(leader)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('commit: taken from a member of the generation, and it renews the session', () => {
    const { world, leader } = worldIn('PreparingRebalance')
    world.pass(SESSION - 1)
    const { generation } = world.group()!
    expect(world.commit(5, { memberId: leader, generation })).toBe('NONE')
    world.pass(SESSION - 1)
    expect(world.heartbeat(leader)).toBe('REBALANCE_IN_PROGRESS')
    expect(world.commit(6, { memberId: leader, generation: generation - 1 })).toBe('ILLEGAL_GENERATION')
    expect(world.commit(6)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('a second JoinGroup of a member takes the place of its first', () => {
    const world = new World()
    const [first, second] = world.stable(2)
    const lost = world.join({ memberId: first })
    const again = world.join({ memberId: first })
    expect(lost.value?.error).toBe('REBALANCE_IN_PROGRESS')
    world.join({ memberId: second })
    expect(again.value?.error).toBe('NONE')
  })
})

describe('CompletingRebalance', () => {
  test('join: the same metadata gets the current generation again', () => {
    const { world, leader } = worldIn('CompletingRebalance')
    const { generation } = world.group()!
    expect(world.join({ memberId: leader }).value).toMatchObject({ error: 'NONE', generation, members: { length: 3 } })
    expect(world.phase).toBe('CompletingRebalance')
  })

  test('join: changed metadata makes another rebalance, and parked syncs get 27', () => {
    const { world, leader } = worldIn('CompletingRebalance')
    const follower = world.group()!.members[1].id
    const parked = world.sync(follower)
    expect(world.join({ memberId: leader, protocols: [protocol('range', ['other'])] }).value).toBeUndefined()
    expect(parked.value?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(world.phase).toBe('PreparingRebalance')
  })

  test("sync: the leader's completes all; what it leaves out is empty", () => {
    const { world, leader } = worldIn('CompletingRebalance')
    const [, second, third] = world.group()!.members.map(({ id }) => id)
    const parked = world.sync(second)
    expect(parked.value).toBeUndefined()
    const assignments = [{ memberId: second, assignment: Buffer.from('yours') }]
    expect(world.sync(leader, { assignments }).value?.assignment).toEqual(Buffer.alloc(0))
    expect(parked.value?.assignment.toString()).toBe('yours')
    expect(world.phase).toBe('Stable')
    expect(world.sync(third).value?.assignment).toEqual(Buffer.alloc(0))
  })

  test('heartbeat: 0', () => {
    const { world, leader } = worldIn('CompletingRebalance')
    expect(world.heartbeat(leader)).toBe('NONE')
    expect(world.heartbeat(leader, 1)).toBe('ILLEGAL_GENERATION')
  })

  test('trap: commit gets 27', () => {
    const { world, leader } = worldIn('CompletingRebalance')
    expect(world.commit(5, { memberId: leader, generation: world.group()!.generation })).toBe('REBALANCE_IN_PROGRESS')
    expect(world.committed()).toBeUndefined()
  })

  test('who does not sync within the rebalance timeout is out, and the others rebalance', () => {
    const { world, leader } = worldIn('CompletingRebalance')
    const [, second, third] = world.group()!.members.map(({ id }) => id)
    const parked = world.sync(second)
    for (let ms = 0; ms < REBALANCE; ms += 5000) {
      world.heartbeat(leader)
      world.heartbeat(third)
      world.pass(5000)
    }
    expect(parked.value?.error).toBe('REBALANCE_IN_PROGRESS')
    expect(world.phase).toBe('PreparingRebalance')
    expect(world.group()!.members.map(({ id }) => id)).toEqual([second])
  })

  test('who does not sync within the rebalance timeout is put out, however short it is', () => {
    const world = new World()
    world.join({ rebalanceTimeoutMs: 500 })
    world.pass(400)
    expect(world.phase).toBe('CompletingRebalance')
    world.pass(200)
    expect(world.group()?.members ?? []).toEqual([])
  })

  test('a client that asks for no rebalance timeout at all has a second to sync', () => {
    const world = new World()
    const memberId = world.join({ rebalanceTimeoutMs: 0 }).value?.memberId ?? ''
    world.pass(900)
    world.syncAll([memberId])
    expect(world.phase).toBe('Stable')
    expect(world.heartbeat(memberId)).toBe('NONE')
  })
})

describe('Stable', () => {
  test('join: an unchanged follower gets the current generation', () => {
    const { world } = worldIn('Stable')
    const follower = world.group()!.members[1].id
    const { generation, leader } = world.group()!
    expect(world.join({ memberId: follower }).value).toMatchObject({ error: 'NONE', generation, leader, members: [] })
    expect(world.phase).toBe('Stable')
  })

  test('join: the leader rebalances though nothing has changed; so does changed metadata', () => {
    for (const [at, topics] of [[0, ['t']], [1, ['t', 'u']]] as const) {
      const { world } = worldIn('Stable')
      const memberId = world.group()!.members[at].id
      expect(world.join({ memberId, protocols: [protocol('range', topics)] }).value).toBeUndefined()
      expect(world.phase).toBe('PreparingRebalance')
    }
  })

  test('sync: the current assignment', () => {
    const { world, leader } = worldIn('Stable')
    expect(world.sync(leader).value?.assignment.toString()).toBe(`for ${leader}`)
    expect(world.sync(leader, { generation: 1 }).value?.error).toBe('ILLEGAL_GENERATION')
    expect(world.sync(leader, { protocolName: 'sticky' }).value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.sync(leader, { protocolType: 'connect' }).value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
  })

  test('heartbeat and commit renew the session, and without them it ends', () => {
    const { world, leader } = worldIn('Stable')
    const { generation } = world.group()!
    world.pass(SESSION - 1)
    expect(world.heartbeat(leader)).toBe('NONE')
    world.pass(SESSION - 1)
    expect(world.commit(9, { memberId: leader, generation })).toBe('NONE')
    expect(world.committed()).toBe(9)
    world.pass(SESSION - 1)
    expect(world.group()!.members.map(({ id }) => id)).toEqual([leader])
    world.pass(1)
    expect(world.group()!.members).toEqual([])
    expect(world.phase).toBe('Empty')
  })
})

describe('no group', () => {
  test('a member id, sync, heartbeat, leave: 25', () => {
    const world = new World()
    expect(world.join({ memberId: 'ghost' }).value?.error).toBe('UNKNOWN_MEMBER_ID')
    expect(world.sync('ghost').value?.error).toBe('UNKNOWN_MEMBER_ID')
    expect(world.heartbeat('ghost')).toBe('UNKNOWN_MEMBER_ID')
    expect(world.leave('ghost')).toBe('UNKNOWN_MEMBER_ID')
    expect(world.shard.ids()).toEqual([])
  })

  test('commit: makes a simple group when it comes from outside; else 69, or 22 before version 9', () => {
    const world = new World()
    expect(world.commit(1, { memberId: 'm', generation: 3 })).toBe('GROUP_ID_NOT_FOUND')
    expect(world.commit(1, { memberId: 'm', generation: 3, knowsGroupNotFound: false })).toBe('ILLEGAL_GENERATION')
    expect(world.commit(1)).toBe('NONE')
    expect(world.shard.ids()).toEqual([GROUP])
    expect(world.group()).toMatchObject({ state: 'Empty', protocolType: '' })
  })
})

describe('protocols', () => {
  test('none in common, another type, or none at all: 23', () => {
    const world = new World()
    expect(world.join({ protocols: [] }).value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.join({ protocolType: '' }).value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    world.stable(1)
    expect(world.join({ protocols: [protocol('other', [])] }).value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.join({ protocolType: 'connect' }).value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
    expect(world.phase).toBe('Stable')
  })

  test('the vote: each member for its first that all can speak', () => {
    const world = new World({ initialDelayMs: 100 })
    const [a, b, c] = ['a', 'b', 'c'].map((name) => protocol(name, []))
    const joins = [[a, b, c], [c, b], [c, b, a]].map((protocols) => world.join({ protocols }))
    world.pass(200)
    // The second can't speak a, so the first votes for b.
    expect(joins.map(({ value }) => value?.protocolName)).toEqual(['c', 'c', 'c'])
  })

  test('topics are known of a client that names a later version of its subscription and leaves its fields out', () => {
    const world = new World()
    const version1 = protocol('range', ['t']).metadata
    const metadata = version1.subarray(0, version1.length - 4) // @platformatic/kafka: without ownedPartitions
    const memberId = world.join({ protocols: [{ name: 'range', metadata }] }).value?.memberId ?? ''
    world.syncAll([memberId])
    expect(['t', 'other'].map(world.group()!.subscription())).toEqual([true, false])
  })

  test('trap: the protocol type is opaque (Connect, Schema Registry)', () => {
    const world = new World()
    const joined = world.join({ protocolType: 'sr', protocols: [{ name: 'v0', metadata: Buffer.from('{"host":"x"}') }] })
    expect(joined.value).toMatchObject({ error: 'NONE', protocolType: 'sr', protocolName: 'v0' })
    const memberId = joined.value!.memberId
    world.sync(memberId, { assignments: [{ memberId, assignment: Buffer.from('{"master":"x"}') }] })
    expect(world.group()!.subscription()('t')).toBe(false)
    world.restart()
    expect(world.sync(memberId).value?.assignment.toString()).toBe('{"master":"x"}')
  })
})

describe('trap: MEMBER_ID_REQUIRED', () => {
  test('a new dynamic member gets 79 with an id, and joins with it', () => {
    const world = new World()
    const first = world.join({ requiresKnownId: true }).value!
    expect(first).toMatchObject({ error: 'MEMBER_ID_REQUIRED', memberId: 'm1', generation: -1 })
    expect(world.log).toEqual([])
    const { memberId } = first
    expect(world.join({ memberId, requiresKnownId: true }).value).toMatchObject({ error: 'NONE', memberId, generation: 1 })
  })

  test('the id is good for one session, and the group waits for it that long', () => {
    const world = new World()
    const [leader] = world.stable(1)
    const pending = world.join({ requiresKnownId: true }).value!.memberId
    const rejoined = world.join({ memberId: leader })
    expect(rejoined.value).toBeUndefined()
    world.pass(SESSION)
    expect(rejoined.value?.error).toBe('NONE')
    expect(world.join({ memberId: pending, requiresKnownId: true }).value?.error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('an id that nobody came with does not disturb a stable group, and leaves no group behind', () => {
    const world = new World()
    world.stable(1)
    world.join({ requiresKnownId: true })
    const { id } = world.group()!.members[0]
    world.pass(SESSION - 1)
    world.heartbeat(id)
    world.pass(2)
    expect(world.phase).toBe('Stable')
    world.join({ requiresKnownId: true }, 'h')
    world.heartbeat(id)
    world.pass(SESSION - 1)
    expect(world.group('h')).toBeDefined()
    world.heartbeat(id)
    world.pass(1)
    expect(world.group('h')).toBeUndefined()
  })

  test('who asks for an id and leaves is gone', () => {
    const world = new World()
    const { memberId } = world.join({ requiresKnownId: true }).value!
    expect(world.leave(memberId)).toBe('NONE')
    expect(world.join({ memberId }).value?.error).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('static members', () => {
  test('trap: a known instance is replaced without a rebalance; the old member is fenced', () => {
    const world = new World()
    const [leader, follower] = world.stable(2, { instanceId: 'i' })
    const { generation } = world.group()!
    const { value } = world.join({ instanceId: 'i1' })
    expect(value).toMatchObject({ error: 'NONE', generation, leader, skipAssignment: false, members: [] })
    expect(world.phase).toBe('Stable')
    const { memberId } = value!
    expect(world.sync(memberId, { instanceId: 'i1' }).value?.assignment.toString()).toBe(`for ${follower}`)
    expect(world.heartbeat(follower, generation, 'i1')).toBe('FENCED_INSTANCE_ID')
    expect(world.sync(follower, { instanceId: 'i1' }).value?.error).toBe('FENCED_INSTANCE_ID')
    expect(world.commit(1, { memberId: follower, instanceId: 'i1', generation })).toBe('FENCED_INSTANCE_ID')
    expect(world.join({ memberId: follower, instanceId: 'i1' }).value?.error).toBe('FENCED_INSTANCE_ID')
    expect(world.leave(follower, 'i1')).toBe('FENCED_INSTANCE_ID')
    expect(world.heartbeat(follower)).toBe('UNKNOWN_MEMBER_ID')
    world.restart()
    expect(world.heartbeat(memberId, generation, 'i1')).toBe('NONE')
  })

  test('trap: a replaced leader is told to skip the assignment from version 9 on', () => {
    const world = new World()
    world.stable(2, { instanceId: 'i' })
    const { value } = world.join({ instanceId: 'i0' })
    expect(value).toMatchObject({ skipAssignment: true, leader: value?.memberId, members: { length: 2 } })
  })

  test("trap: before version 9 it is told the old leader's id, so that it does not assign", () => {
    const world = new World()
    const [leader] = world.stable(2, { instanceId: 'i' })
    const { value } = world.join({ instanceId: 'i0', canSkipAssignment: false })
    expect(value).toMatchObject({ skipAssignment: false, leader, members: [] })
    expect(value?.memberId).not.toBe(leader)
  })

  test('a replacement that changes the protocol elected rebalances', () => {
    const world = new World()
    const joined = world.join({ instanceId: 'i', protocols: [protocol('a', []), protocol('b', [])] }).value!
    world.sync(joined.memberId, { instanceId: 'i' })
    const { value } = world.join({ instanceId: 'i', protocols: [protocol('b', []), protocol('a', [])] })
    expect(value).toMatchObject({ generation: 2, protocolName: 'b' })
  })

  test('in CompletingRebalance a replacement rebalances, and a parked sync of the old one is fenced', () => {
    const world = new World()
    const [leader, follower] = world.stable(2, { instanceId: 'i' })
    world.join({ memberId: leader, instanceId: 'i0' })
    world.join({ memberId: follower, instanceId: 'i1' })
    expect(world.phase).toBe('CompletingRebalance')
    const parked = world.sync(follower, { instanceId: 'i1' })
    const replaced = world.join({ instanceId: 'i1' })
    expect(parked.value?.error).toBe('FENCED_INSTANCE_ID')
    expect(replaced.value).toBeUndefined()
    expect(world.phase).toBe('PreparingRebalance')
    world.join({ memberId: leader, instanceId: 'i0' })
    expect(replaced.value?.error).toBe('NONE')
  })

  test('in PreparingRebalance a parked join of the old one is fenced', () => {
    const world = new World()
    const [leader, follower] = world.stable(2, { instanceId: 'i' })
    world.join()
    const parked = world.join({ memberId: follower, instanceId: 'i1' })
    const replaced = world.join({ instanceId: 'i1' })
    expect(parked.value?.error).toBe('FENCED_INSTANCE_ID')
    world.join({ memberId: leader, instanceId: 'i0' })
    expect(replaced.value).toMatchObject({ error: 'NONE', generation: world.group()!.generation })
  })

  test('stay when they miss a rebalance, until their session ends', () => {
    const world = new World()
    const [leader] = world.stable(2, { instanceId: 'i', sessionTimeoutMs: 2 * REBALANCE })
    world.join({ memberId: leader, instanceId: 'i0', sessionTimeoutMs: 2 * REBALANCE })
    world.pass(REBALANCE)
    expect(world.phase).toBe('CompletingRebalance')
    expect(world.group()!.members).toHaveLength(2)
  })

  test('when none of them joins again, the rebalance goes on waiting', () => {
    const world = new World()
    const [, second] = world.stable(2, { instanceId: 'i', sessionTimeoutMs: 10 * REBALANCE })
    world.leave('', 'i0')
    expect(world.phase).toBe('PreparingRebalance')
    world.pass(3 * REBALANCE)
    expect(world.phase).toBe('PreparingRebalance')
    const { value } = world.join({ memberId: second, instanceId: 'i1' })
    expect(value).toMatchObject({ error: 'NONE', leader: second })
  })

  test('are removed by an administrator by their instance id alone', () => {
    const world = new World()
    world.stable(1, { instanceId: 'i' })
    expect(world.leave('', 'nobody')).toBe('UNKNOWN_MEMBER_ID')
    expect(world.leave('wrong', 'i0')).toBe('FENCED_INSTANCE_ID')
    expect(world.leave('', 'i0')).toBe('NONE')
    expect(world.phase).toBe('Empty')
  })
})

describe('the first rebalance waits for more members', () => {
  test('50 members that join within the delay settle in one generation', () => {
    const world = new World({ initialDelayMs: 200 })
    const ids = Array.from({ length: 50 }, () => world.join({ requiresKnownId: true }).value!.memberId)
    const joins = ids.map((memberId) => {
      world.pass(3)
      return world.join({ memberId, requiresKnownId: true })
    })
    world.pass(400)
    expect(joins.map(({ value }) => value?.generation)).toEqual(Array(50).fill(1))
    expect(joins[0].value?.members).toHaveLength(50)
    expect(world.syncAll(ids).every(({ value }) => value?.error === 'NONE')).toBe(true)
  })

  test('each new member puts it off, up to the rebalance timeout', () => {
    const world = new World({ initialDelayMs: 1000 })
    const first = world.join({ rebalanceTimeoutMs: 3000 })
    for (let at = 0; at < 3; at++) {
      expect(first.value).toBeUndefined()
      world.pass(900)
      world.join({ rebalanceTimeoutMs: 3000 })
    }
    world.pass(300)
    expect(first.value?.members).toHaveLength(4)
    const alone = new World({ initialDelayMs: 1000 })
    const only = alone.join()
    alone.pass(1000)
    expect(only.value?.error).toBe('NONE')
  })
})

test('a group is full at group.max.size: 81', () => {
  const world = new World({ maxSize: 2 })
  world.stable(2)
  expect(world.join().value).toMatchObject({ error: 'GROUP_MAX_SIZE_REACHED', memberId: '' })
  expect(world.phase).toBe('Stable')
})

test('a parked new member is dropped after five minutes, not after its session', () => {
  const world = new World()
  const [leader] = world.stable(1, { rebalanceTimeoutMs: 400_000, sessionTimeoutMs: 1_000_000 })
  const parked = world.join()
  world.pass(299_999)
  expect(parked.value).toBeUndefined()
  world.pass(1)
  expect(parked.value?.error).toBe('UNKNOWN_MEMBER_ID')
  expect(world.group()!.members.map(({ id }) => id)).toEqual([leader])
})

test('when the leader does not come back, the first who did leads', () => {
  const world = new World()
  const [leader, second, third] = world.stable(3)
  world.leave(leader)
  const joins = [third, second].map((memberId) => world.join({ memberId }))
  expect(joins[0].value?.leader).toBe(second)
  expect(joins[1].value?.members).toHaveLength(2)
})

describe('a failed append changes nothing', () => {
  test('join', () => {
    const world = new World()
    world.isFull = true
    expect(world.join().error).toBe('NOT_COORDINATOR')
    expect(world.group()).toBeUndefined()
    world.isFull = false
    expect(world.join().value).toMatchObject({ error: 'NONE', generation: 1 })
  })

  test('sync: the others stay parked, and the leader comes again', () => {
    const { world, leader } = worldIn('CompletingRebalance')
    const parked = world.sync(world.group()!.members[1].id)
    world.isFull = true
    expect(world.sync(leader).error).toBe('NOT_COORDINATOR')
    expect([world.phase, parked.value]).toEqual(['CompletingRebalance', undefined])
    world.isFull = false
    expect(world.sync(leader).value?.error).toBe('NONE')
    expect(parked.value?.error).toBe('NONE')
  })

  test('leave, commit, delete', () => {
    const world = new World()
    const [only] = world.stable(1)
    world.isFull = true
    expect(world.leave(only)).toBe('NOT_COORDINATOR')
    expect(world.commit(1, { memberId: only, generation: 1 })).toBe('NOT_COORDINATOR')
    expect([world.phase, world.committed()]).toEqual(['Stable', undefined])
    expect(world.heartbeat(only)).toBe('NONE')
  })
})

describe('after a restart', () => {
  test('each member has one full session', () => {
    const world = new World()
    const [leader, follower] = world.stable(2)
    world.pass(SESSION - 1)
    world.restart()
    world.pass(SESSION - 1)
    expect(world.heartbeat(leader)).toBe('NONE')
    world.pass(1)
    expect(world.heartbeat(follower)).toBe('UNKNOWN_MEMBER_ID')
  })

  test('trap: a generation that members have heard of is never used again', () => {
    const world = new World()
    const [leader] = world.stable(1)
    const told = world.join({ memberId: leader }).value!
    world.restart()
    expect(world.heartbeat(leader, told.generation)).toBe('UNKNOWN_MEMBER_ID')
    expect(world.sync(leader, { generation: told.generation }).value?.error).toBe('UNKNOWN_MEMBER_ID')
    expect(world.join().value?.generation).toBe(told.generation + 1)
  })

  test('a stable group goes on where it was', () => {
    const world = new World()
    const [leader, follower] = world.stable(2)
    const before = world.group()!
    world.restart()
    const after = world.group()!
    expect([after.state, after.generation, after.leader, after.protocolName]).toEqual([
      'Stable', before.generation, leader, 'range',
    ]) // prettier-ignore
    expect(world.sync(follower).value?.assignment.toString()).toBe(`for ${follower}`)
  })
})
