import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, type Subscription } from '../../../src/client/groups/assignors.ts'

const member = (memberId: string, topics: readonly string[], more: Partial<Subscription> = {}): Subscription => {
  return { memberId, instanceId: null, topics, owned: [], generation: -1, ...more }
}

const text = (assigned: ReturnType<typeof assign>) =>
  Object.fromEntries([...assigned].map(([id, places]) => [id, places.map(({ topic, partition }) => `${topic}${partition}`).join(' ')]))

const topics = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 })
const groups = fc.array(topics, { minLength: 1, maxLength: 6 }).map((lists) => lists.map((list, i) => member(`m${i}`, list)))
const counts = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 9 })).map((given) => new Map(Object.entries(given)))

describe('range', () => {
  it("gives neighbours to a member, topic by topic, as Kafka's RangeAssignor", () => {
    const members = [member('b', ['t', 'u']), member('a', ['t', 'u'])]
    expect(text(assign('range', members, new Map([['t', 3], ['u', 3]])))).toEqual({ a: 't0 t1 u0 u1', b: 't2 u2' }) // prettier-ignore
  })

  it('puts static members first, in order of their instances', () => {
    const members = [member('a', ['t']), member('z', ['t'], { instanceId: 'i1' }), member('y', ['t'], { instanceId: 'i2' })]
    expect(text(assign('range', members, new Map([['t', 4]])))).toEqual({ z: 't0 t1', y: 't2', a: 't3' })
  })
})

describe('roundrobin', () => {
  it('deals out in turn, past those who do not want the topic', () => {
    const members = [member('a', ['t', 'u']), member('b', ['u'])]
    expect(text(assign('roundrobin', members, new Map([['t', 2], ['u', 2]])))).toEqual({ a: 't0 t1 u1', b: 'u0' }) // prettier-ignore
  })
})

describe('every assignor', () => {
  it.each(['range', 'roundrobin', 'sticky', 'cooperative-sticky'] as const)('%s gives each wanted partition to one that wants it', (name) => {
    fc.assert(
      fc.property(groups, counts, (members, partitions) => {
        const assigned = assign(name, members, partitions)
        const given = [...assigned].flatMap(([id, places]) => places.map(({ topic, partition }) => ({ id, topic, key: `${topic}-${partition}` })))
        const wanted = [...partitions].filter(([topic]) => members.some((each) => each.topics.includes(topic)))
        expect(given.map(({ key }) => key).sort()).toEqual(
          wanted.flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => `${topic}-${partition}`)).sort(),
        )
        for (const { id, topic } of given) expect(members.find(({ memberId }) => memberId === id)?.topics).toContain(topic)
      }),
    )
  })
})

describe('sticky', () => {
  it('is balanced, and moves only what balance asks for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 3 }), (before, partitions, joining) => {
        const known = new Map([['t', partitions]])
        const ids = Array.from({ length: before }, (_, i) => `m${i}`)
        const first = assign('sticky', ids.map((id) => member(id, ['t'])), known)
        const owners = ids.map((id) => member(id, ['t'], { owned: first.get(id) ?? [], generation: 1 }))
        const all = [...owners, ...Array.from({ length: joining }, (_, i) => member(`n${i}`, ['t']))]
        const second = assign('sticky', all, known)
        const sizes = [...second.values()].map((places) => places.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        const kept = ids.map((id) => (second.get(id) ?? []).filter(({ partition }) => first.get(id)?.some((each) => each.partition === partition)).length)
        ids.forEach((id, i) => expect(kept[i]).toBe(Math.min(first.get(id)?.length ?? 0, second.get(id)?.length ?? 0)))
      }),
    )
  })

  it('cooperatively: what moves is given to nobody until its owner has let go', () => {
    const t = (...list: number[]) => list.map((partition) => ({ topic: 't', partition }))
    const owner = member('a', ['t'], { owned: t(0, 1, 2, 3), generation: 1 })
    const joining = assign('cooperative-sticky', [owner, member('b', ['t'])], new Map([['t', 4]]))
    expect(joining.get('a')).toHaveLength(2)
    expect(joining.get('b')).toEqual([])
    const then = assign('cooperative-sticky', [{ ...owner, owned: joining.get('a') ?? [] }, member('b', ['t'], { generation: 1 })], new Map([['t', 4]]))
    expect(then.get('a')).toEqual(joining.get('a'))
    expect(then.get('b')).toHaveLength(2)
  })

  it('believes the youngest of two who claim a partition', () => {
    const place = [{ topic: 't', partition: 0 }]
    const members = [member('a', ['t'], { owned: place, generation: 3 }), member('b', ['t'], { owned: place, generation: 4 })]
    expect(text(assign('sticky', members, new Map([['t', 1]])))).toEqual({ a: '', b: 't0' })
  })
})
