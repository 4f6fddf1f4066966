// One member's way from what it has to what it is to have (KIP-848; Kafka's CurrentAssignmentBuilder). A partition has one
// owner at any time: a member first gives up what it is to lose, keeping its epoch until its client says so; what it is to
// get comes when its former owner has let go.

import { KafkaError } from '../../../protocol/errors.ts'
import { MemberState, NOTHING_OWNED } from './consumer-member.ts'
import type { ConsumerMember, Owned, Target } from './consumer-member.ts'

export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: readonly number[]
}

export interface Goal {
  readonly epoch: number
  readonly target: Target
  /** Ids of the topics that the member is subscribed to and that exist. */
  readonly subscribed: ReadonlySet<string>
  readonly hasSubscriptionChanged: boolean
  /** What its client says that it has; null: nothing new. */
  readonly owned: readonly TopicPartitions[] | null
  /** Whether some other member still has the partition. */
  isTaken(topicId: string, partition: number): boolean
}

/** The same object when nothing changes. Throws FENCED_MEMBER_EPOCH for a member in a state that a later release wrote. */
export function reconcile(member: ConsumerMember, goal: Goal): ConsumerMember {
  switch (member.state) {
    case MemberState.stable:
      if (member.epoch !== goal.epoch) return advance(member, member.epoch, goal)
      return goal.hasSubscriptionChanged ? withoutUnsubscribed(member, goal) : member
    case MemberState.unrevoked:
      if (!stillHas(member.revoking, goal.owned)) return advance(member, member.epoch, goal)
      return goal.hasSubscriptionChanged ? withoutUnsubscribed(member, goal) : member
    case MemberState.unreleased:
      return advance(member, member.epoch, goal)
    default:
      if (goal.owned === null || goal.owned.length > 0) {
        const what = 'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.'
        throw new KafkaError('FENCED_MEMBER_EPOCH', what)
      }
      return advance(member, goal.epoch, goal)
  }
}

/** Towards the target, as far as it goes now. */
function advance(member: ConsumerMember, epoch: number, goal: Goal): ConsumerMember {
  const kept = new Map<string, Map<number, number>>()
  const lost = new Map<string, Map<number, number>>()
  const isWanted = (topicId: string, partition: number): boolean => {
    return goal.subscribed.has(topicId) && goal.target.get(topicId)?.has(partition) === true
  }
  for (const [topicId, partitions] of member.assigned) {
    for (const [partition, since] of partitions) put(isWanted(topicId, partition) ? kept : lost, topicId, partition, since)
  }
  if (lost.size > 0 && stillHas(lost, goal.owned)) {
    return { ...member, state: MemberState.unrevoked, epoch, previousEpoch: member.epoch, assigned: kept, revoking: lost }
  }
  let waits = false
  for (const [topicId, partitions] of goal.target) {
    if (!goal.subscribed.has(topicId)) continue
    for (const partition of partitions) {
      if (kept.get(topicId)?.has(partition) === true) continue
      // What it is giving up itself is its own to get again.
      const isOwn = member.revoking.get(topicId)?.has(partition) === true
      if (!isOwn && goal.isTaken(topicId, partition)) waits = true
      else put(kept, topicId, partition, goal.epoch)
    }
  }
  return {
    ...member,
    state: waits ? MemberState.unreleased : MemberState.stable,
    epoch: goal.epoch,
    previousEpoch: member.epoch,
    assigned: kept,
    revoking: NOTHING_OWNED,
  }
}

/** Takes away topics that it does not want any more, before there is a new target. */
function withoutUnsubscribed(member: ConsumerMember, goal: Goal): ConsumerMember {
  const lost = [...member.assigned].filter(([topicId]) => !goal.subscribed.has(topicId))
  if (lost.length === 0) return member
  const assigned = new Map(member.assigned)
  const revoking = new Map(member.revoking)
  for (const [topicId, partitions] of lost) {
    assigned.delete(topicId)
    revoking.set(topicId, new Map([...(revoking.get(topicId) ?? []), ...partitions]))
  }
  const next = { ...member, previousEpoch: member.epoch, assigned }
  return stillHas(revoking, goal.owned) ? { ...next, state: MemberState.unrevoked, revoking } : next
}

/** Whether the client still has some of `given`; what it does not say, it has. */
function stillHas(given: Owned, owned: Goal['owned']): boolean {
  if (owned === null) return true
  return owned.some(({ topicId, partitions }) => {
    const those = given.get(topicId)
    return those !== undefined && partitions.some((partition) => those.has(partition))
  })
}

function put(into: Map<string, Map<number, number>>, topicId: string, partition: number, epoch: number): void {
  const partitions = into.get(topicId)
  if (partitions === undefined) into.set(topicId, new Map([[partition, epoch]]))
  else partitions.set(partition, epoch)
}
