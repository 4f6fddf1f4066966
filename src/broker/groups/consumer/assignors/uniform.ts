// The assignor `uniform`: as even as possible, and of the ways to be even the one that moves least. Where all members want
// the same topics, their shares differ by one partition at most; where they don't, no partition could go to somebody else
// who wants it and has two less.

import { isHomogeneous, NOBODY, noOwners, targetsOf } from './assignor.ts'
import type { AssignedMember, Assignor, Owners } from './assignor.ts'

// Overlapping subscriptions come into balance step by step; each step moves one partition.
const MAX_ROUNDS = 64

export const uniform: Assignor = (members, partitionsOf) => {
  if (members.length === 0) return []
  const owners = noOwners(members, partitionsOf)
  if (isHomogeneous(members)) spreadEvenly(members, owners)
  else balance(members, owners)
  return targetsOf(members, owners)
}

function spreadEvenly(members: readonly AssignedMember[], owners: Owners): void {
  let total = 0
  for (const { length } of owners.values()) total += length
  const share = Math.floor(total / members.length)
  const kept = members.map((member) => validBefore(member, owners))
  // Those who have most keep one more than the others, where it can't be divided.
  const byMost = members.map((_, at) => at).sort((one, other) => kept[other].length - kept[one].length)
  const quota = new Int32Array(members.length).fill(share)
  for (const at of byMost.slice(0, total % members.length)) quota[at]++

  kept.forEach((partitions, at) => {
    for (const [byPartition, partition] of partitions) {
      if (quota[at] === 0) break
      if (byPartition[partition] !== NOBODY) continue
      byPartition[partition] = at
      quota[at]--
    }
  })
  let next = 0
  for (const byPartition of owners.values()) {
    for (let partition = 0; partition < byPartition.length; partition++) {
      if (byPartition[partition] !== NOBODY) continue
      while (quota[next] === 0) next++
      byPartition[partition] = next
      quota[next]--
    }
  }
}

/** What a member had and may keep. */
function validBefore({ topics, before }: AssignedMember, owners: Owners): (readonly [Int32Array, number])[] {
  const valid: (readonly [Int32Array, number])[] = []
  if (before.size === 0) return valid
  for (const topic of topics) {
    const byPartition = owners.get(topic)
    if (byPartition === undefined) continue
    for (const partition of before.get(topic) ?? []) if (partition < byPartition.length) valid.push([byPartition, partition])
  }
  return valid
}

function balance(members: readonly AssignedMember[], owners: Owners): void {
  const sizes = new Int32Array(members.length)
  const subscribers = new Map<string, number[]>()
  members.forEach((member, at) => {
    for (const topic of member.topics) {
      const those = subscribers.get(topic)
      if (those === undefined) subscribers.set(topic, [at])
      else those.push(at)
    }
    for (const [byPartition, partition] of validBefore(member, owners)) {
      if (byPartition[partition] !== NOBODY) continue
      byPartition[partition] = at
      sizes[at]++
    }
  })
  // What few want goes first: the others can still make up for it.
  const topics = [...owners.keys()].sort((one, other) => (subscribers.get(one)?.length ?? 0) - (subscribers.get(other)?.length ?? 0))
  for (const topic of topics) {
    const those = subscribers.get(topic) ?? []
    const byPartition = owners.get(topic) ?? new Int32Array()
    for (let partition = 0; partition < byPartition.length; partition++) {
      if (byPartition[partition] !== NOBODY) continue
      const least = leastLoaded(those, sizes)
      byPartition[partition] = least
      sizes[least]++
    }
  }
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let hasMoved = false
    for (const topic of topics) hasMoved = level(owners.get(topic) ?? new Int32Array(), subscribers.get(topic) ?? [], sizes) || hasMoved
    if (!hasMoved) return
  }
}

/** Moves partitions of one topic from those who have most to those who have least. */
function level(byPartition: Int32Array, those: readonly number[], sizes: Int32Array): boolean {
  if (those.length < 2) return false
  const has = new Map<number, number[]>()
  byPartition.forEach((owner, partition) => {
    const partitions = has.get(owner)
    if (partitions === undefined) has.set(owner, [partition])
    else partitions.push(partition)
  })
  let hasMoved = false
  for (;;) {
    const least = leastLoaded(those, sizes)
    let most = NOBODY
    for (const [owner, partitions] of has) {
      if (partitions.length > 0 && (most === NOBODY || sizes[owner] > sizes[most])) most = owner
    }
    if (most === NOBODY || sizes[most] - sizes[least] < 2) return hasMoved
    const partition = has.get(most)?.pop() ?? 0
    byPartition[partition] = least
    const theirs = has.get(least)
    if (theirs === undefined) has.set(least, [partition])
    else theirs.push(partition)
    sizes[most]--
    sizes[least]++
    hasMoved = true
  }
}

function leastLoaded(those: readonly number[], sizes: Int32Array): number {
  let least = those[0]
  for (const at of those) if (sizes[at] < sizes[least]) least = at
  return least
}
