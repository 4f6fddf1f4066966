// Who is to have what, computed anew for a group epoch, and the records of what differs from before.

import { assert } from '../../../base/assert.ts'
import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { AssignedMember } from './assignors/assignor.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { sameTarget } from './consumer-member.ts'
import type { ConsumerMember, Subscription, Target } from './consumer-member.ts'
import { targetMetadataRecord, targetRecord } from './records.ts'
import { ASSIGNORS } from './settings.ts'
import type { ConsumerWorld } from './settings.ts'
import type { GroupTopics } from '../topics.ts'

/** What a regex stands for; undefined when nobody has looked yet: then nothing. */
export type Resolved = (regex: string) => ReadonlySet<string> | undefined

export interface TargetUpdate {
  readonly epoch: number
  /** Of the member that asked. */
  readonly target: Target
  readonly records: readonly GroupRecordInput[]
}

/** For the group with `after` in it, in place of `before` when that is another (a static member's former process). */
export function updateTarget(
  group: ConsumerGroup,
  epoch: number,
  before: ConsumerMember | undefined,
  after: ConsumerMember,
  resolved: Resolved,
  { topics, settings, now }: ConsumerWorld,
): TargetUpdate {
  const former = group.staticMember(after.instanceId) ?? before
  const { assignmentTimestamp: last } = group
  const waits = last > 0 && settings.assignmentIntervalMs > 0 && now.wall < last + settings.assignmentIntervalMs
  if (group.assignmentEpoch >= epoch || waits) {
    return { epoch: group.assignmentEpoch, target: group.target(former?.id ?? after.id), records: [] }
  }
  const members: AssignedMember[] = []
  const topicIds = topicIdsBySubscription(topics, resolved)
  const add = (member: ConsumerMember, formerId: string) => {
    const { id, instanceId } = member
    members.push({ id, instanceId, topics: topicIds(member), before: group.target(formerId) })
  }
  for (const member of group.members.values()) {
    if (member.id === former?.id || member.id === after.id) continue
    add(member, member.id)
  }
  add(after, former?.id ?? after.id)

  const assign = ASSIGNORS.get(group.assignorAfter(former, after) ?? settings.assignors[0])
  assert(assign !== undefined, `group ${group.id} has an assignor that is not there`)
  const targets = assign(members, (id) => topics.topicById(id)?.partitions.size ?? 0)
  const records = members.flatMap(({ id }, at) => {
    const isNew = !group.hasTarget(id)
    return isNew || !sameTarget(targets[at], group.target(id)) ? [targetRecord(group.id, id, targets[at])] : []
  })
  records.push(targetMetadataRecord(group.id, epoch, now.wall))
  return { epoch, target: targets[targets.length - 1], records }
}

/** Ids of the topics that a subscription names and that exist. */
export function subscribedTopicIds(subscription: Subscription, resolved: Resolved, topics: GroupTopics): string[] {
  const { names, regex } = subscription
  const more = regex === '' ? undefined : resolved(regex)
  const all = more === undefined || more.size === 0 ? names : [...new Set([...names, ...more])].sort()
  return all.map((name) => topics.topic(name)?.id).filter((id) => id !== undefined)
}

/** Most members of a group want the same: for all of those it is one array. */
function topicIdsBySubscription(topics: GroupTopics, resolved: Resolved): (subscription: Subscription) => readonly string[] {
  const known = new Map<string, readonly string[]>()
  return (subscription) => {
    const key = `${subscription.regex}\n${subscription.names.join()}`
    let ids = known.get(key)
    if (ids === undefined) known.set(key, (ids = subscribedTopicIds(subscription, resolved, topics)))
    return ids
  }
}
