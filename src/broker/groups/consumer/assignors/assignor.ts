// What an assignor is: from members and what they want to who gets what. Each partition of a topic that somebody wants goes
// to exactly one of those who want it.

import { NO_TARGET } from '../consumer-member.ts'
import type { Target } from '../consumer-member.ts'

export interface AssignedMember {
  readonly id: string
  readonly instanceId: string | null
  /** Ids of topics that exist. Members with the same subscription share the array. */
  readonly topics: readonly string[]
  /** What it was to have before. */
  readonly before: Target
}

/** One target for each member, in their order; `before` itself where nothing has changed. */
export type Assignor = (members: readonly AssignedMember[], partitionsOf: (topicId: string) => number) => Target[]

/** Whether all are subscribed to the same topics. */
export function isHomogeneous(members: readonly AssignedMember[]): boolean {
  const [first] = members
  return members.every(({ topics }) => {
    return topics === first.topics || (topics.length === first.topics.length && topics.every((id) => first.topics.includes(id)))
  })
}

/** topic id → partition → index of the member it goes to */
export type Owners = ReadonlyMap<string, Int32Array>

export const NOBODY = -1

/** Nobody has anything yet. */
export function noOwners(members: readonly AssignedMember[], partitionsOf: (topicId: string) => number): Owners {
  const owners = new Map<string, Int32Array>()
  for (const { topics } of new Set(members.map((member) => member))) {
    for (const topic of topics) if (!owners.has(topic)) owners.set(topic, new Int32Array(partitionsOf(topic)).fill(NOBODY))
  }
  return owners
}

/** `owners` by member. */
export function targetsOf(members: readonly AssignedMember[], owners: Owners): Target[] {
  const targets = members.map(() => new Map<string, Set<number>>())
  for (const [topic, byPartition] of owners) {
    byPartition.forEach((owner, partition) => {
      if (owner === NOBODY) return
      const partitions = targets[owner].get(topic)
      if (partitions === undefined) targets[owner].set(topic, new Set([partition]))
      else partitions.add(partition)
    })
  }
  return targets.map((target) => (target.size === 0 ? NO_TARGET : target))
}
