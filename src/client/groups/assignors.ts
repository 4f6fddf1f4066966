// Who reads what in a classic group, worked out by its leader: Kafka's range and roundrobin to the letter, since members may
// rely on where they end, and sticky by its promises (balanced, and as much as possible stays) rather than by its steps.
// Pure: subscriptions and partition counts in, partitions by member out.

import { placeOf, type TopicPartition } from '../admin/partitions.ts'

export interface Subscription {
  readonly memberId: string
  readonly instanceId: string | null
  readonly topics: readonly string[]
  /** What it holds, as of `generation` (−1: not said). */
  readonly owned: readonly TopicPartition[]
  readonly generation: number
}

export type AssignorName = 'range' | 'roundrobin' | 'sticky' | 'cooperative-sticky'

export type Assignment = Map<string, TopicPartition[]>

/** `counts`: partitions by topic; topics that aren't there are left out. Every member is in the answer. */
export function assign(name: AssignorName, subscriptions: readonly Subscription[], counts: ReadonlyMap<string, number>): Assignment {
  const members = [...subscriptions].sort(byInstanceThenId)
  const assigned: Assignment = new Map(members.map(({ memberId }) => [memberId, []]))
  if (name === 'range') range(members, counts, assigned)
  else if (name === 'roundrobin') roundRobin(members, counts, assigned)
  else {
    sticky(members, counts, assigned)
    if (name === 'cooperative-sticky') withholdMoving(members, assigned)
  }
  return assigned
}

/** Static members come first, and keep their place over restarts. */
function byInstanceThenId(a: Subscription, b: Subscription): number {
  if (a.instanceId !== null && b.instanceId !== null) return a.instanceId < b.instanceId ? -1 : 1
  if (a.instanceId !== null || b.instanceId !== null) return a.instanceId !== null ? -1 : 1
  return a.memberId < b.memberId ? -1 : 1
}

/** Topic by topic, neighbours together; the first members get one more where it doesn't come out even. */
function range(members: readonly Subscription[], counts: ReadonlyMap<string, number>, assigned: Assignment): void {
  for (const [topic, count] of counts) {
    const readers = members.filter(({ topics }) => topics.includes(topic))
    const least = Math.floor(count / readers.length)
    const more = count % readers.length
    let partition = 0
    readers.forEach(({ memberId }, index) => {
      const end = partition + least + (index < more ? 1 : 0)
      for (; partition < end; partition++) assigned.get(memberId)?.push({ topic, partition })
    })
  }
}

/** All partitions of all topics dealt out in turn, past members that don't want the topic. */
function roundRobin(members: readonly Subscription[], counts: ReadonlyMap<string, number>, assigned: Assignment): void {
  let turn = 0
  for (const place of placesOf(members, counts)) {
    while (!members[turn % members.length].topics.includes(place.topic)) turn++
    assigned.get(members[turn++ % members.length].memberId)?.push(place)
  }
}

/** What someone holds stays; the rest goes to who has least; then from who has most to who has at least two fewer. */
function sticky(members: readonly Subscription[], counts: ReadonlyMap<string, number>, assigned: Assignment): void {
  const owners = ownersOf(members)
  const free: TopicPartition[] = []
  const wants = new Map(members.map(({ memberId, topics }) => [memberId, new Set(topics)]))
  for (const place of placesOf(members, counts)) {
    const owner = owners.get(placeOf(place))
    if (owner !== undefined && wants.get(owner)?.has(place.topic) === true) assigned.get(owner)?.push(place)
    else free.push(place)
  }
  const size = (memberId: string): number => assigned.get(memberId)?.length ?? 0
  const readers = (topic: string): string[] => members.map(({ memberId }) => memberId).filter((id) => wants.get(id)?.has(topic) === true)
  // Those that few can take go first, or the few may be full by then.
  const fewness = new Map([...counts.keys()].map((topic) => [topic, readers(topic).length]))
  free.sort((a, b) => (fewness.get(a.topic) ?? 0) - (fewness.get(b.topic) ?? 0))
  for (const place of free) {
    const least = readers(place.topic).reduce((a, b) => (size(b) < size(a) ? b : a))
    assigned.get(least)?.push(place)
  }
  // Each move lowers the sum of the squares of the sizes, so it ends.
  for (let moved = true; moved; ) {
    const byMost = members.map(({ memberId }) => memberId).sort((a, b) => size(b) - size(a))
    moved = byMost.some((memberId) => {
      const held = assigned.get(memberId) ?? []
      const at = held.findLastIndex(({ topic }) => readers(topic).some((reader) => size(reader) + 1 < held.length))
      if (at < 0) return false
      const least = readers(held[at].topic).reduce((a, b) => (size(b) < size(a) ? b : a))
      assigned.get(least)?.push(...held.splice(at, 1))
      return true
    })
  }
}

/** A partition that moves is left out this time: its owner gives it up first, and the next rebalance hands it over. */
function withholdMoving(members: readonly Subscription[], assigned: Assignment): void {
  const owners = ownersOf(members)
  for (const [memberId, places] of assigned) {
    assigned.set(memberId, places.filter((place) => (owners.get(placeOf(place)) ?? memberId) === memberId)) // prettier-ignore
  }
}

/** Who holds a partition: the claim of the youngest generation; two of the same age cancel each other. */
function ownersOf(members: readonly Subscription[]): Map<string, string> {
  const claims = new Map<string, { memberId: string | undefined; generation: number }>()
  for (const { memberId, owned, generation } of members) {
    for (const place of owned) {
      const known = claims.get(placeOf(place))
      if (known === undefined || generation > known.generation) claims.set(placeOf(place), { memberId, generation })
      else if (generation === known.generation) known.memberId = undefined
    }
  }
  return new Map([...claims].flatMap(([key, { memberId }]) => (memberId === undefined ? [] : [[key, memberId] as const])))
}

/** The partitions that somebody wants, in order of topic and number. */
function placesOf(members: readonly Subscription[], counts: ReadonlyMap<string, number>): TopicPartition[] {
  const wanted = new Set(members.flatMap(({ topics }) => topics))
  const topics = [...counts.keys()].filter((topic) => wanted.has(topic)).sort()
  return topics.flatMap((topic) => Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })))
}
