// The assignors of consumer groups, held against their promises for any members, topics and former assignments.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { AssignedMember, Assignor } from '../../../src/broker/groups/consumer/assignors/assignor.ts'
import { range } from '../../../src/broker/groups/consumer/assignors/range.ts'
import { uniform } from '../../../src/broker/groups/consumer/assignors/uniform.ts'
import type { Target } from '../../../src/broker/groups/consumer/consumer-member.ts'

const TOPICS = ['a', 'b', 'c', 'd']

interface Group {
  readonly sizes: Readonly<Record<string, number>>
  readonly members: readonly AssignedMember[]
}

const target = fc
  .dictionary(fc.constantFrom(...TOPICS, 'gone'), fc.uniqueArray(fc.nat(9), { maxLength: 6 }), { maxKeys: 4 })
  .map((topics): Target => new Map(Object.entries(topics).map(([topic, partitions]) => [topic, new Set(partitions)])))

const group = (isHomogeneous: boolean): fc.Arbitrary<Group> =>
  fc.record({
    sizes: fc.record(Object.fromEntries(TOPICS.map((topic) => [topic, fc.nat(9)]))),
    same: fc.subarray(TOPICS),
    members: fc.array(fc.record({ topics: fc.subarray(TOPICS), before: target, isStatic: fc.boolean() }), { minLength: 1, maxLength: 7 }),
  }).map(({ sizes, same, members }) => ({
    sizes,
    members: members.map(({ topics, before, isStatic }, at) => {
      return { id: `m${at}`, instanceId: isStatic ? `i${9 - at}` : null, topics: isHomogeneous ? same : topics, before }
    }),
  })) // prettier-ignore

const assigned = (assignor: Assignor, { members, sizes }: Group): Target[] => assignor(members, (topic) => sizes[topic])
const sizeOf = (one: Target): number => [...one.values()].reduce((sum, { size }) => sum + size, 0)
const plain = (targets: readonly Target[]) => targets.map((one) => Object.fromEntries([...one].map(([topic, set]) => [topic, [...set].sort()])))

describe.each([['uniform', uniform], ['range', range]] as const)('%s', (_name, assignor) => {
  test.each([true, false])('gives each partition that somebody wants to exactly one who wants it (homogeneous: %s)', (isHomogeneous) => {
    fc.assert(fc.property(group(isHomogeneous), (given) => {
      const owners = new Map<string, number>()
      assigned(assignor, given).forEach((one, at) => {
        for (const [topic, partitions] of one) {
          expect(given.members[at].topics).toContain(topic)
          for (const partition of partitions) owners.set(`${topic}${partition}`, (owners.get(`${topic}${partition}`) ?? 0) + 1)
        }
      })
      const wanted = TOPICS.filter((topic) => given.members.some(({ topics }) => topics.includes(topic)))
      const all = wanted.flatMap((topic) => Array.from({ length: given.sizes[topic] }, (_, partition) => `${topic}${partition}`))
      expect([...owners.keys()].sort()).toEqual(all.sort())
      expect([...owners.values()].every((count) => count === 1)).toBe(true)
    })) // prettier-ignore
  })

  test('moves nothing when nothing has changed', () => {
    fc.assert(fc.property(fc.boolean().chain(group), (given) => {
      const first = assigned(assignor, given)
      const members = given.members.map((member, at) => ({ ...member, before: first[at] }))
      expect(plain(assigned(assignor, { ...given, members }))).toEqual(plain(first))
    })) // prettier-ignore
  })
})

describe('uniform', () => {
  test('differs by one at most where all want the same', () => {
    fc.assert(fc.property(group(true), (given) => {
      const sizes = assigned(uniform, given).map(sizeOf)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    })) // prettier-ignore
  })

  test('leaves no partition with somebody who has two more than another who wants it', () => {
    fc.assert(fc.property(group(false), (given) => {
      const targets = assigned(uniform, given)
      targets.forEach((one) => {
        for (const topic of one.keys()) {
          given.members.forEach(({ topics }, other) => {
            if (topics.includes(topic)) expect(sizeOf(one) - sizeOf(targets[other])).toBeLessThanOrEqual(1)
          })
        }
      })
    })) // prettier-ignore
  })

  test('moves what it must and no more when a member comes or goes', () => {
    const sizes = fc.integer({ min: 1, max: 40 })
    fc.assert(fc.property(sizes, fc.integer({ min: 1, max: 8 }), fc.nat(7), (partitions, count, leaver) => {
      const member = (at: number, before: Target = new Map()): AssignedMember => ({ id: `m${at}`, instanceId: null, topics: ['a'], before })
      const first = uniform(Array.from({ length: count }, (_, at) => member(at)), () => partitions)
      const more = uniform([...first.map((before, at) => member(at, before)), member(count)], () => partitions)
      // Whoever was there only loses, and only what the new one gets.
      first.forEach((before, at) => expect([...(more[at].get('a') ?? [])].every((partition) => before.get('a')?.has(partition))).toBe(true))
      const stay = first.map((before, at) => member(at, before)).filter((_, at) => at !== leaver % count)
      uniform(stay, () => partitions).forEach((after, at) => {
        expect([...(stay[at].before.get('a') ?? [])].every((partition) => after.get('a')?.has(partition))).toBe(true)
      })
    })) // prettier-ignore
  })
})

test('range cuts topics of the same size alike, static members first', () => {
  const member = (id: string, instanceId: string | null = null): AssignedMember => ({ id, instanceId, topics: ['a', 'b'], before: new Map() })
  const targets = range([member('m1'), member('m0'), member('z', 'i')], () => 4)
  expect(plain(targets)).toEqual([{ a: [3], b: [3] }, { a: [2], b: [2] }, { a: [0, 1], b: [0, 1] }])
})
