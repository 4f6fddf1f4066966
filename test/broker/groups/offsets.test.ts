// Committed offsets: who may commit, what transactions do to them, when they expire, how they are deleted; and that a
// shard read from its log is the shard that wrote it.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OffsetKey } from '../../../src/broker/groups/offsets.ts'
import { GROUP, SESSION, World, protocol } from './group-world.ts'

const DAY = 24 * 3600_000
const WEEK = 7 * DAY
const producer = { id: 7n, epoch: 0 }

const key = (topic: string): OffsetKey => ({ group: GROUP, topic, partition: 0 })
const isPending = (world: World, topic = 't') => world.shard.offsets.isPending(key(topic))
const deleteOffsets = (world: World, topics: readonly string[], id = GROUP) => {
  return world.run<{ deleted: OffsetKey[]; inUse: OffsetKey[] }>((shard, now, ticket) => {
    return shard.deleteOffsets(id, topics.map((topic) => ({ ...key(topic), group: id })), now, ticket)
  })
}

test('metadata and leader epoch come back as they were, after a restart, too', () => {
  const world = new World()
  world.commit(2 ** 40)
  world.restart()
  expect(world.shard.offsets.get(key('t'))).toMatchObject({ offset: 2n ** 40n, leaderEpoch: 3, metadata: 'note' })
})

describe('transactions', () => {
  test('offsets count when the transaction commits', () => {
    const world = new World()
    world.commit(1)
    world.commit(2, { producer })
    expect([world.committed(), isPending(world)]).toEqual([1, true])
    world.endTransaction(producer, true)
    expect([world.committed(), isPending(world)]).toEqual([2, false])
  })

  test('and never when it aborts', () => {
    const world = new World()
    world.commit(2, { producer })
    expect(world.committed()).toBeUndefined()
    world.endTransaction(producer, false)
    expect([world.committed(), isPending(world)]).toEqual([undefined, false])
  })

  test('a commit that came later in the log is not undone by the end of a transaction', () => {
    const world = new World()
    world.commit(2, { producer })
    world.commit(9)
    world.endTransaction(producer, true)
    expect(world.committed()).toBe(9)
  })

  test('of two open transactions on one offset the one that is left keeps it pending', () => {
    const world = new World()
    const other = { id: 8n, epoch: 0 }
    world.commit(2, { producer })
    world.commit(3, { producer: other })
    world.endTransaction(producer, false)
    expect([world.committed(), isPending(world), world.shard.offsets.pendingOf(GROUP).length]).toEqual([undefined, true, 1])
    world.endTransaction(other, true)
    expect([world.committed(), isPending(world), world.shard.offsets.pendingOf(GROUP).length]).toEqual([3, false, 0])
  })

  test('stay pending over a restart', () => {
    const world = new World()
    world.commit(2, { producer })
    world.restart()
    expect([world.committed(), isPending(world)]).toEqual([undefined, true])
    world.endTransaction(producer, true)
    world.restart()
    expect([world.committed(), isPending(world)]).toEqual([2, false])
  })

  test('a transaction may commit for a group in CompletingRebalance, with or without its member', () => {
    const world = new World()
    const { memberId, generation } = world.join().value!
    expect(world.commit(1, { producer, memberId, generation })).toBe('NONE')
    expect(world.commit(1, { producer })).toBe('NONE')
    expect(world.commit(1, { producer, memberId, generation: 9 })).toBe('ILLEGAL_GENERATION')
    expect(world.commit(1, { producer, memberId: 'who', generation })).toBe('UNKNOWN_MEMBER_ID')
  })
})

describe('expiry', () => {
  test('of a group without members: a week after the last has left', () => {
    const world = new World()
    const [only] = world.stable(1)
    world.commit(1, { memberId: only, generation: 1 })
    world.pass(SESSION)
    world.pass(WEEK - 700_000)
    expect(world.committed()).toBe(1)
    world.pass(1_400_000)
    expect([world.committed(), world.group()]).toEqual([undefined, undefined])
    world.restart()
    expect([world.committed(), world.group()]).toEqual([undefined, undefined])
  })

  test('of a simple group: a week after the commit', () => {
    const world = new World()
    world.commit(1, {}, 'old')
    world.pass(DAY)
    world.commit(1, {}, 'new')
    world.pass(WEEK - DAY + 600_000)
    expect([world.committed('old'), world.committed('new')]).toEqual([undefined, 1])
    world.pass(DAY)
    expect(world.group()).toBeUndefined()
  })

  test('of a topic that a stable consumer group has turned away from; not of those it consumes', () => {
    const world = new World()
    const [only] = world.stable(1, { sessionTimeoutMs: 2 ** 31 - 1 })
    world.commit(1, { memberId: only, generation: 1 }, 't')
    world.commit(1, { memberId: only, generation: 1 }, 'u')
    world.pass(WEEK + 600_000)
    expect([world.committed('t'), world.committed('u')]).toEqual([1, undefined])
  })

  test('never while a transaction is about to move it', () => {
    const world = new World()
    world.commit(1)
    world.commit(2, { producer })
    world.pass(2 * WEEK)
    expect(world.committed()).toBe(1)
    world.endTransaction(producer, false)
    world.pass(600_000)
    expect(world.committed()).toBeUndefined()
  })
})

describe('deletion', () => {
  test('of a group: 68 while it has members, 69 when it is not there; all that it committed goes with it', () => {
    const world = new World()
    const [only] = world.stable(1)
    world.commit(1, { memberId: only, generation: 1 })
    expect(world.delete()).toBe('NON_EMPTY_GROUP')
    world.leave(only)
    world.commit(3, { producer })
    expect(world.delete()).toBe('NONE')
    expect(world.delete()).toBe('GROUP_ID_NOT_FOUND')
    world.endTransaction(producer, true)
    expect(world.committed()).toBeUndefined()
    world.restart()
    expect([world.shard.ids(), world.committed()]).toEqual([[], undefined])
  })

  test('of offsets: 69, 68 for other protocols, and topics in use are told apart', () => {
    const world = new World()
    expect(deleteOffsets(world, ['t']).error).toBe('GROUP_ID_NOT_FOUND')
    const [only] = world.stable(1, { protocols: [protocol('range', ['t'])] })
    for (const topic of ['t', 'u']) world.commit(1, { memberId: only, generation: 1 }, topic)
    expect(deleteOffsets(world, ['t', 'u', 'v']).value).toEqual({ deleted: [key('u')], inUse: [key('t')] })
    expect([world.committed('t'), world.committed('u')]).toEqual([1, undefined])
    world.join({ protocolType: 'connect' }, 'c')
    expect(deleteOffsets(world, ['t'], 'c').error).toBe('NON_EMPTY_GROUP')
  })

  test('of a topic takes its offsets in every group', () => {
    const world = new World()
    world.commit(1, {}, 't')
    world.commit(1, {}, 'gone', 'h')
    world.commit(2, { producer }, 'gone')
    world.run<undefined>((shard, _now, ticket) => shard.dropOffsets((topic) => topic === 'gone', ticket))
    world.endTransaction(producer, true)
    expect([world.committed('t'), world.committed('gone'), world.committed('gone', 'h')]).toEqual([1, undefined, undefined])
  })
})

test("another module's groups are left alone", () => {
  const world = new World()
  // ShareGroupMetadata: type 11, group; version 0, epoch 5, no tags.
  const record = { key: Buffer.from('000b00016b', 'hex'), value: Buffer.from('00000000000500', 'hex') }
  world.log.push({ record, producer: undefined })
  world.restart()
  expect(world.join({}, 'k').value?.error).toBe('INCONSISTENT_GROUP_PROTOCOL')
  expect(world.commit(1, {}, 't', 'k')).toBe('GROUP_ID_NOT_FOUND')
  world.log.push({ record: { key: record.key, value: null }, producer: undefined })
  world.restart()
  expect(world.join({}, 'k').value?.error).toBe('NONE')
})

describe('whatever happens, a restart finds what was there', () => {
  type Deed = (world: World) => void
  const member = fc.nat(5)
  const idOf = (world: World, at: number) => world.group()?.members.at(at)?.id ?? 'ghost'
  const isFull = fc.boolean()
  const deed: fc.Arbitrary<Deed> = fc.oneof(
    fc.record({ at: member, isNew: fc.boolean(), instance: fc.option(fc.constantFrom('i', 'j')), needsId: fc.boolean() }).map(
      ({ at, isNew, instance, needsId }): Deed => (world) => {
        const memberId = isNew ? '' : idOf(world, at)
        world.join({ memberId, instanceId: instance, requiresKnownId: needsId })
      },
    ),
    member.map((at): Deed => (world) => {
      const memberId = idOf(world, at)
      world.sync(memberId, { instanceId: world.group()?.members.at(at)?.instanceId ?? null, assignments: [{ memberId, assignment: Buffer.from('a') }] })
    }),
    member.map((at): Deed => (world) => void world.heartbeat(idOf(world, at))),
    member.map((at): Deed => (world) => void world.leave(idOf(world, at))),
    fc.record({ at: member, offset: fc.nat(99), inside: fc.boolean(), tx: fc.option(fc.constantFrom(7n, 8n)) }).map(
      ({ at, offset, inside, tx }): Deed => (world) => {
        const who = inside ? { memberId: idOf(world, at), generation: world.group()?.generation ?? 0 } : {}
        world.commit(offset, { ...who, ...(tx === null ? {} : { producer: { id: tx, epoch: 0 } }) }, `t${at % 2}`)
      },
    ),
    fc.record({ id: fc.constantFrom(7n, 8n), isCommit: fc.boolean() }).map(({ id, isCommit }): Deed => (world) => {
      world.endTransaction({ id, epoch: 0 }, isCommit)
    }),
    fc.constantFrom(1, SESSION / 2, 2 * SESSION, 100_000, WEEK).map((ms): Deed => (world) => world.pass(ms)),
    fc.constant<Deed>((world) => void world.delete()),
    fc.constant<Deed>((world) => world.restart()),
    isFull.map((full): Deed => (world) => void (world.isFull = full)),
  )

  test('offsets and pending ones are the same, a settled group is, and generations only grow', () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), fc.nat(1), (deeds, delay) => {
        const world = new World({ initialDelayMs: delay * 300 })
        let generation = 0
        for (const each of deeds) {
          // What is due can't be written, and is not tried again here: the runtime's part.
          if (world.isFull && world.shard.nextDeadline <= world.ms + WEEK) world.isFull = false
          each(world)
          const group = world.group()
          const isNew = group === undefined || group.protocolType === ''
          expect(group?.generation ?? 0).toBeGreaterThanOrEqual(isNew ? 0 : generation)
          generation = group?.generation ?? 0
          const read = world.reloaded()
          expect(read.offsets.of(GROUP).map(plain)).toEqual(world.shard.offsets.of(GROUP).map(plain))
          expect(read.offsets.pendingOf(GROUP).map(plain)).toEqual(world.shard.offsets.pendingOf(GROUP).map(plain))
          const stored = read.classic(GROUP, world.now)
          expect(stored?.generation ?? 0).toBe(group?.generation ?? 0)
          if (group?.state === 'Stable') expect(durable(stored)).toEqual(durable(group))
          // While members gather, the log still has the generation before.
          else if (group?.state !== 'PreparingRebalance') expect(stored?.members ?? []).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
})

const plain = ([where, { offset }]: readonly [OffsetKey, { offset: bigint }]) => [where.topic, Number(offset)]

function durable(group: ReturnType<World['group']>) {
  if (group === undefined) return undefined
  const { state, generation, protocolName, leader, members } = group
  return { state, generation, protocolName, leader, members: members.map(({ id, instanceId, assignment }) => [id, instanceId, assignment.toString()]) }
}
