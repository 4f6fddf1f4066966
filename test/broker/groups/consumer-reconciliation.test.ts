// Members of a consumer group under any order of heartbeats, joins, departures, silences, restarts and changes of topics: no
// partition has two owners, what clients have is what they were given, and in the end all is given out. And a broker that
// starts on any prefix of what was written goes on from there.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Client } from './consumer-world.ts'
import { ConsumerWorld } from './consumer-world.ts'
import { GROUP } from './group-world.ts'

type Deed = (world: ConsumerWorld, clients: Client[]) => void

const pick = (clients: readonly Client[], at: number): Client | undefined => clients.at(at % Math.max(clients.length, 1))
const drop = (clients: Client[], client: Client | undefined): void => {
  if (client !== undefined) clients.splice(clients.indexOf(client), 1)
}

let ids = 0
const deeds: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 10, arbitrary: fc.nat(20).map((at): Deed => (_world, clients) => void pick(clients, at)?.beat()) },
  { weight: 2, arbitrary: fc.subarray(['t', 'u'], { minLength: 1 }).map((names): Deed => (world, clients) => {
    const client = world.client(`m${ids++}`, { names })
    clients.push(client)
    client.beat()
  }) },
  { weight: 1, arbitrary: fc.nat(20).map((at): Deed => (_world, clients) => {
    const client = pick(clients, at)
    if (client !== undefined && client.epoch > 0) client.leave()
    drop(clients, client)
  }) },
  // Gone without a word.
  { weight: 1, arbitrary: fc.nat(20).map((at): Deed => (_world, clients) => drop(clients, pick(clients, at))) },
  { weight: 2, arbitrary: fc.nat(20).map((at): Deed => (_world, clients) => {
    const client = pick(clients, at)
    if (client !== undefined && client.epoch > 0) client.lose()
  }) },
  { weight: 1, arbitrary: fc.nat(20).map((at): Deed => (_world, clients) => pick(clients, at)?.subscribe(['u'])) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 50_000 }).map((ms): Deed => (world) => world.pass(ms)) },
  { weight: 1, arbitrary: fc.constant<Deed>((world) => world.restart()) },
  { weight: 1, arbitrary: fc.record({ name: fc.constantFrom('t', 'u'), size: fc.integer({ min: 1, max: 6 }) }).map(({ name, size }): Deed => (world) => {
    const now = world.topics.topic(name)?.partitions.size ?? 0
    if (size > now) world.change(() => world.topics.set(name, size), [name], now === 0)
  }) },
) // prettier-ignore

/** What any of the log's members has, or has still to give up, is nobody else's; and what clients think they have is theirs. */
function checkOwners(world: ConsumerWorld, clients: readonly Client[]): void {
  const group = world.shard.consumers.get(GROUP)
  const owners = new Map<string, string>()
  for (const member of group?.members.values() ?? []) {
    for (const owned of [member.assigned, member.revoking]) {
      for (const [topicId, partitions] of owned) {
        for (const partition of partitions.keys()) {
          const key = `${topicId}:${partition}`
          expect(owners.get(key), key).toBeUndefined()
          owners.set(key, member.id)
        }
      }
    }
  }
  const held = new Map<string, string>()
  for (const { id, owned, epoch } of clients) {
    // Fenced without knowing it yet: it stops when its session is over, as the broker does.
    if (group?.members.get(id) === undefined || epoch === 0) continue
    for (const key of owned) {
      expect(held.get(key), key).toBeUndefined()
      held.set(key, id)
    }
  }
}

function converge(world: ConsumerWorld, clients: readonly Client[]): void {
  for (let round = 0; round < 40; round++) for (const client of clients) client.beat()
  // The silent ones are out, the others stay.
  for (let passed = 0; passed < 120_000; passed += 20_000) {
    world.pass(20_000)
    for (const client of clients) client.beat()
  }
  for (let round = 0; round < 40; round++) for (const client of clients) client.beat()
}

function checkAllGiven(world: ConsumerWorld, clients: readonly Client[]): void {
  const group = world.shard.consumers.get(GROUP)
  if (clients.length === 0) return
  expect(group?.state).toBe('Stable')
  const given = clients.flatMap(({ owned }) => [...owned])
  expect(new Set(given).size).toBe(given.length)
  const wanted = ['t', 'u'].filter((name) => group?.isSubscribedTo(name))
  const all = wanted.flatMap((name) => {
    const topic = world.topics.topic(name)
    return Array.from({ length: topic?.partitions.size ?? 0 }, (_, partition) => `${topic?.id}:${partition}`)
  })
  expect(given.sort()).toEqual(all.sort())
}

test('a partition never has two owners, and in the end each has one', () => {
  fc.assert(
    fc.property(fc.array(deeds, { minLength: 5, maxLength: 60 }), (what) => {
      const world = new ConsumerWorld()
      world.topics.set('t', 3)
      const clients: Client[] = []
      for (const deed of what) {
        deed(world, clients)
        checkOwners(world, clients)
      }
      converge(world, clients)
      checkOwners(world, clients)
      checkAllGiven(world, clients)
    }),
    { numRuns: 150 },
  )
}, 60_000)

describe('a start', () => {
  test('finds what was there: epochs, members, assignments', () => {
    fc.assert(
      fc.property(fc.array(deeds, { minLength: 5, maxLength: 40 }), (what) => {
        const world = new ConsumerWorld()
        world.topics.set('t', 3)
        const clients: Client[] = []
        for (const deed of what) deed(world, clients)
        const before = pictureOf(world)
        world.restart()
        expect(pictureOf(world)).toEqual(before)
      }),
      { numRuns: 100 },
    )
  }, 60_000)

  test('on any prefix of the records goes on', () => {
    fc.assert(
      fc.property(fc.array(deeds, { minLength: 5, maxLength: 30 }), fc.double({ min: 0, max: 1, noNaN: true }), (what, part) => {
        const world = new ConsumerWorld()
        world.topics.set('t', 3)
        const clients: Client[] = []
        for (const deed of what) deed(world, clients)
        world.log.length = Math.floor(world.log.length * part)
        world.restart()
        converge(world, clients)
        checkOwners(world, clients)
        checkAllGiven(world, clients)
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})

function pictureOf(world: ConsumerWorld) {
  const group = world.shard.consumers.get(GROUP)
  if (group === undefined) return undefined
  const members = [...group.members.values()].map((member) => ({ ...member, target: group.target(member.id) }))
  const { epoch, assignmentEpoch, metadataHash, state, regexes } = group
  return { epoch, assignmentEpoch, metadataHash, state, regexes, members: members.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}
