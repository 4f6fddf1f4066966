// Consumer groups (KIP-848) without a broker: joining, epochs, static members, deadlines, subscriptions and their topics.
// Where an error is asserted, it is the one of GroupMetadataManager.

import { expect, test, describe } from 'vitest'
import { randomUuid } from '../../../src/base/uuid.ts'
import { Client, CONSUMER_SESSION, ConsumerWorld } from './consumer-world.ts'

function worldOf(partitions = 4, settings: ConstructorParameters<typeof ConsumerWorld>[0] = {}): ConsumerWorld {
  const world = new ConsumerWorld(settings)
  world.topics.set('t', partitions)
  return world
}

function joined(world: ConsumerWorld, ...ids: string[]): Client[] {
  const clients: Client[] = []
  for (const id of ids) {
    clients.push(world.client(id))
    world.settle(clients)
  }
  return clients
}

describe('joining', () => {
  test('gives the first member everything at once', () => {
    const world = worldOf()
    const client = world.client('a')
    const { value } = client.beat()
    expect(value).toMatchObject({ memberId: 'a', epoch: 2, heartbeatIntervalMs: 5000 })
    expect(client.partitions).toBe('t0 t1 t2 t3')
    expect(world.consumers().state).toBe('Stable')
  })

  test('gives a second one its half when the first has given it up', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    const b = world.client('b')
    expect(b.beat().value).toMatchObject({ epoch: 3, assignment: [] })
    expect(world.consumers().state).toBe('Reconciling')
    expect(a.beat().value).toMatchObject({ epoch: 2 })
    expect(a.partitions).toBe('t0 t1')
    expect(b.beat().value?.assignment).toBeNull()
    expect(a.beat().value?.epoch).toBe(3)
    b.beat()
    expect(b.partitions).toBe('t2 t3')
    expect(world.consumers().state).toBe('Stable')
  })

  test('a topic that is not there yet is waited for', () => {
    const world = worldOf()
    const client = world.client('a', { names: ['later'] })
    expect(client.beat().value?.assignment).toEqual([])
    world.change(() => world.topics.set('later', 2), ['later'], true)
    expect(client.beat().value?.epoch).toBe(3)
    expect(client.partitions).toBe('later0 later1')
  })

  test('again with epoch 0 keeps what the member has', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    a.forget()
    expect(a.beat().value).toMatchObject({ epoch: 2 })
    expect(a.partitions).toBe('t0 t1 t2 t3')
  })

  test('is refused when the group is full: 81', () => {
    const world = worldOf(4, { maxSize: 1 })
    joined(world, 'a')
    expect(world.client('b').beat().error).toBe('GROUP_MAX_SIZE_REACHED')
  })
})

describe('a heartbeat', () => {
  test('that changes nothing writes nothing, and says nothing', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    const { length } = world.log
    expect(a.beat().value).toEqual({ memberId: 'a', epoch: 2, heartbeatIntervalMs: 5000, assignment: null })
    expect(world.log).toHaveLength(length)
  })

  test('with everything in it is told everything', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    expect(a.beat({ rebalanceTimeoutMs: 60_000, names: ['t'], owned: [] }).value?.assignment).toHaveLength(1)
  })

  test('of nobody: 69 without the group, 25 in it', () => {
    const world = worldOf()
    expect(world.send({ memberId: 'a', epoch: 1 }).error).toBe('GROUP_ID_NOT_FOUND')
    joined(world, 'a')
    expect(world.send({ memberId: 'x', epoch: 1 }).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('with an epoch to come: 110', () => {
    const world = worldOf()
    joined(world, 'a')
    expect(world.send({ memberId: 'a', epoch: 3 }).error).toBe('FENCED_MEMBER_EPOCH')
  })

  test('with the epoch before is taken when what it has is what it was given, as its answer may be lost: else 110', () => {
    const world = worldOf()
    const [a, b] = joined(world, 'a', 'b')
    expect([a.epoch, b.epoch]).toEqual([3, 3])
    const topicId = world.topics.topic('t')?.id ?? ''
    expect(world.send({ memberId: 'a', epoch: 2, owned: [{ topicId, partitions: [0] }] }).value?.epoch).toBe(3)
    expect(world.send({ memberId: 'a', epoch: 2, owned: [{ topicId, partitions: [0, 3] }] }).error).toBe('FENCED_MEMBER_EPOCH')
    expect(world.send({ memberId: 'a', epoch: 2 }).error).toBe('FENCED_MEMBER_EPOCH')
    expect(world.send({ memberId: 'a', epoch: 2, owned: [{ topicId: randomUuid(), partitions: [0] }] }).error).toBe('FENCED_MEMBER_EPOCH')
  })

  test('of somebody who wants other topics moves the group on', () => {
    const world = worldOf()
    world.topics.set('u', 2)
    const [a] = joined(world, 'a')
    a.beat({ names: ['u'] })
    world.settle([a])
    expect(a.partitions).toBe('u0 u1')
    expect(world.consumers().isSubscribedTo('t')).toBe(false)
  })

  test('takes the rack along', () => {
    const world = worldOf()
    world.client('a', { names: ['t'], rackId: 'r1' }).beat()
    expect(world.consumers().members.get('a')?.rackId).toBe('r1')
  })
})

describe('time', () => {
  test('takes those who are silent for a session, and what they had is given to others', () => {
    const world = worldOf()
    const [a, b] = joined(world, 'a', 'b')
    world.pass(CONSUMER_SESSION - 1)
    b.beat()
    world.pass(1)
    expect([...world.consumers().members.keys()]).toEqual(['b'])
    world.settle([b])
    expect(b.partitions).toBe('t0 t1 t2 t3')
    expect(a.beat().error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('fences who does not give up its partitions within the rebalance timeout, though it shows itself', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    const b = world.client('b')
    b.beat()
    const keep = () => world.send({ memberId: 'a', epoch: 2 })
    expect(keep().value?.epoch).toBe(2)
    for (let at = 0; at < 59; at += 10) {
      world.pass(at === 50 ? 9999 : 10_000)
      expect(keep().error).toBeUndefined()
      b.beat()
    }
    world.pass(1)
    expect(keep().error).toBe('UNKNOWN_MEMBER_ID')
    world.settle([b])
    expect(b.partitions).toBe('t0 t1 t2 t3')
    expect(a.id).toBe('a')
  })

  test('gives every member that the log has one full session after a start', () => {
    const world = worldOf()
    joined(world, 'a', 'b')
    world.pass(CONSUMER_SESSION - 10)
    world.restart()
    world.pass(CONSUMER_SESSION - 1)
    expect(world.consumers().members.size).toBe(2)
    world.pass(1)
    expect(world.consumers().state).toBe('Empty')
  })

  test('lets an assignment stand as long as the group says', () => {
    const world = worldOf(4, { assignmentIntervalMs: 1000 })
    const a = world.client('a')
    a.beat()
    const b = world.client('b')
    b.beat()
    expect(world.consumers().state).toBe('Assigning')
    world.pass(1000)
    world.settle([a, b])
    expect([a.partitions, b.partitions]).toEqual(['t0 t1', 't2 t3'])
  })
})

describe('leaving', () => {
  test('frees the partitions for the others', () => {
    const world = worldOf()
    const [a, b] = joined(world, 'a', 'b')
    expect(a.leave().value).toEqual({ memberId: 'a', epoch: -1, heartbeatIntervalMs: 0, assignment: null })
    world.settle([b])
    expect(b.partitions).toBe('t0 t1 t2 t3')
    expect(world.send({ memberId: 'a', epoch: -1 }).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('the last one leaves an empty group, which can be deleted', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    expect(world.delete()).toBe('NON_EMPTY_GROUP')
    a.leave()
    expect(world.consumers().state).toBe('Empty')
    expect(world.delete()).toBe('NONE')
    expect(world.delete()).toBe('GROUP_ID_NOT_FOUND')
  })
})

describe('static members', () => {
  const staticClient = (world: ConsumerWorld, id: string, instanceId = 'i') => world.client(id, { names: ['t'], instanceId })

  test('that go for a while find their partitions when they are back, with another id, and nobody else moves', () => {
    const world = worldOf()
    const a = staticClient(world, 'a')
    const b = world.client('b')
    world.settle([a])
    world.settle([a, b])
    const had = a.partitions
    expect(a.leave(-2).value).toMatchObject({ memberId: 'a', epoch: -2 })
    world.settle([b])
    expect(b.partitions).toBe('t2 t3')
    const again = staticClient(world, 'c')
    const epoch = world.consumers().epoch
    expect(again.beat().error).toBeUndefined()
    expect([again.partitions, again.epoch, world.consumers().epoch]).toEqual([had, epoch, epoch])
    expect([...world.consumers().members.keys()].sort()).toEqual(['b', 'c'])
    expect(staticClient(world, 'a').beat({ epoch }).error).toBe('FENCED_INSTANCE_ID')
  })

  test('can not take an instance id that is in use: 111', () => {
    const world = worldOf()
    staticClient(world, 'a').beat()
    expect(staticClient(world, 'c').beat().error).toBe('UNRELEASED_INSTANCE_ID')
  })

  test('are fenced by those who took their place: 82; and unknown when nobody has the instance id: 25', () => {
    const world = worldOf()
    const a = staticClient(world, 'a')
    a.beat()
    expect(world.send({ memberId: 'x', epoch: 1, instanceId: 'i' }).error).toBe('FENCED_INSTANCE_ID')
    expect(world.send({ memberId: 'x', epoch: -1, instanceId: 'i' }).error).toBe('FENCED_INSTANCE_ID')
    expect(world.send({ memberId: 'a', epoch: 1, instanceId: 'j' }).error).toBe('UNKNOWN_MEMBER_ID')
    expect(world.send({ memberId: 'a', epoch: -2, instanceId: 'j' }).error).toBe('UNKNOWN_MEMBER_ID')
  })

  test('that stay away are out after a session', () => {
    const world = worldOf()
    const a = staticClient(world, 'a')
    a.beat()
    a.leave(-2)
    world.pass(CONSUMER_SESSION)
    expect(world.consumers().members.size).toBe(0)
  })

  test('come back into a full group', () => {
    const world = worldOf(4, { maxSize: 1 })
    const a = staticClient(world, 'a')
    a.beat()
    a.leave(-2)
    expect(staticClient(world, 'b').beat().error).toBeUndefined()
  })
})

describe('topics', () => {
  test('that grow are divided anew', () => {
    const world = worldOf(2)
    const [a] = joined(world, 'a')
    world.change(() => world.topics.set('t', 3), ['t'])
    world.settle([a])
    expect(a.partitions).toBe('t0 t1 t2')
  })

  test('that are deleted are given up', () => {
    const world = worldOf(2)
    const [a] = joined(world, 'a')
    world.change(() => world.topics.delete('t'), ['t'])
    world.settle([a])
    expect(a.owned.size).toBe(0)
    expect(world.consumers().metadataHash).toBe(0n)
  })

  test('nobody wants move nobody', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    const { length } = world.log
    world.change(() => world.topics.set('other', 2), ['other'], true)
    world.settle([a])
    expect(world.log).toHaveLength(length)
  })

  test('that stayed the same over a restart move nobody', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    const { length } = world.log
    world.restart()
    expect(a.beat().value?.epoch).toBe(2)
    expect(world.log).toHaveLength(length)
  })
})

describe('regexes', () => {
  test('stand for the topics that match as a whole, those to come among them', () => {
    const world = worldOf(1)
    world.topics.set('tt', 1)
    const a = world.client('a', { regex: 't+' })
    world.settle([a])
    expect(a.partitions).toBe('t0 tt0')
    world.change(() => world.topics.set('ttt', 1), ['ttt'], true)
    world.change(() => world.topics.set('x-ttt', 1), ['x-ttt'], true)
    world.settle([a])
    expect(a.partitions).toBe('t0 tt0 ttt0')
  })

  test('leave out what the member may not see', () => {
    const world = worldOf(1)
    world.topics.set('secret', 1)
    const a = world.client('a', { regex: '.*', mayDescribe: (topic) => topic !== 'secret' })
    a.beat()
    expect(a.partitions).toBe('t0')
  })

  test('that are no regexes: 128', () => {
    const world = worldOf()
    expect(world.client('a', { regex: '(' }).beat().error).toBe('INVALID_REGULAR_EXPRESSION')
    expect(world.shard.consumers.has('g')).toBe(false)
  })

  test('are forgotten when nobody has them any more', () => {
    const world = worldOf()
    const a = world.client('a', { regex: 't.*' })
    const b = world.client('b', { regex: 't.*' })
    world.settle([a, b])
    a.beat({ regex: '', names: ['t'] })
    expect([...world.consumers().regexes.keys()]).toEqual(['t.*'])
    b.leave()
    expect([...world.consumers().regexes.keys()]).toEqual([])
    world.settle([a])
    expect(a.partitions).toBe('t0 t1 t2 t3')
  })
})

test('the assignor that most members name is used, and another is taken with the next assignment', () => {
  const world = worldOf(3)
  world.topics.set('u', 3)
  const range = { names: ['t', 'u'], assignor: 'range' }
  const [a, b] = [world.client('a', range), world.client('b', range)]
  world.settle([a, b])
  expect([a.partitions, b.partitions]).toEqual(['t0 t1 u0 u1', 't2 u2'])
  expect(world.consumers().assignor).toBe('range')
})

describe('offsets', () => {
  const commitOf = (world: ConsumerWorld, memberId: string, generation: number, knowsGroupNotFound = true) =>
    world.commit(5, { memberId, generation, knowsGroupNotFound })

  test('are taken from members with their epoch: else 25, 113, and 35 for requests that know none', () => {
    const world = worldOf()
    const [a] = joined(world, 'a')
    expect(commitOf(world, 'a', a.epoch)).toBe('NONE')
    expect(commitOf(world, 'a', a.epoch + 1)).toBe('STALE_MEMBER_EPOCH')
    expect(commitOf(world, 'a', 0)).toBe('STALE_MEMBER_EPOCH')
    expect(commitOf(world, 'x', 1)).toBe('UNKNOWN_MEMBER_ID')
    expect(commitOf(world, '', -1)).toBe('UNKNOWN_MEMBER_ID')
    expect(commitOf(world, 'a', a.epoch, false)).toBe('UNSUPPORTED_VERSION')
    a.leave()
    expect(commitOf(world, '', -1)).toBe('NONE')
  })

  test('of topics that somebody wants stay, the others expire', () => {
    const world = worldOf()
    world.commit(1, {}, 't')
    world.commit(1, {}, 'old')
    const [a] = joined(world, 'a')
    for (let day = 0; day < 8; day++) {
      for (let beats = 0; beats < 24 * 120; beats++) {
        world.ms += 30_000
        a.beat()
      }
      for (const step of world.shard.expire(world.now)) world.perform(step)
    }
    expect([world.committed('t'), world.committed('old')]).toEqual([1, undefined])
  })
})
