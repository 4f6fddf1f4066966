// The assignor `range`: each topic in contiguous pieces, one a subscriber, the first ones longer by one where it can't be
// divided. Members come in the same order for each topic, static ones first, so that topics with as many partitions and the
// same subscribers are cut alike (co-partitioned).

import { noOwners, targetsOf } from './assignor.ts'
import type { AssignedMember, Assignor } from './assignor.ts'

export const range: Assignor = (members, partitionsOf) => {
  const owners = noOwners(members, partitionsOf)
  const subscribers = new Map<string, number[]>()
  const inOrder = members.map((_, at) => at).sort((one, other) => compare(members[one], members[other]))
  for (const at of inOrder) {
    for (const topic of members[at].topics) {
      const those = subscribers.get(topic)
      if (those === undefined) subscribers.set(topic, [at])
      else those.push(at)
    }
  }
  for (const [topic, byPartition] of owners) {
    const those = subscribers.get(topic) ?? []
    const share = Math.floor(byPartition.length / those.length)
    const longer = byPartition.length % those.length
    let from = 0
    those.forEach((at, order) => {
      const to = from + share + (order < longer ? 1 : 0)
      byPartition.fill(at, from, to)
      from = to
    })
  }
  return targetsOf(members, owners)
}

function compare(one: AssignedMember, other: AssignedMember): number {
  if (one.instanceId !== null && other.instanceId !== null) return one.instanceId < other.instanceId ? -1 : 1
  if (one.instanceId !== null || other.instanceId !== null) return one.instanceId !== null ? -1 : 1
  return one.id < other.id ? -1 : 1
}
