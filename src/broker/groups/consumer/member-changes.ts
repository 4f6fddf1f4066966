// What a member's request does to its group, whichever protocol it speaks: its metadata, its subscription, a new group
// epoch, a new target, and its own way towards that; as records. Nothing is changed here.

import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { sameAssignment, sameMetadata, sameNames } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { currentRecord, epochRecord, memberRecord, memberTombstones, partitionMetadataTombstone, targetRecord } from './records.ts'
import { reconcile } from './reconcile.ts'
import type { TopicPartitions } from './reconcile.ts'
import { updateRegexes } from './regexes.ts'
import type { MayDescribe, RegexLookup } from './regexes.ts'
import type { ConsumerWorld } from './settings.ts'
import { subscribedTopicIds, updateTarget } from './target-assignment.ts'
import type { Resolved } from './target-assignment.ts'
import { metadataHash } from '../topics.ts'

/** Of a group, what is not in the log. */
export interface GroupFreshness {
  /** A topic that it wants may have changed since the hash was taken. */
  readonly isStale: boolean
  readonly regexes: ReadonlyMap<string, RegexLookup>
  readonly topicsVersion: number
}

export interface MemberChange {
  /** Before this request: new, or as it was; under its new id when it takes the place of a former process. */
  readonly before: ConsumerMember
  readonly member: ConsumerMember
  readonly records: readonly GroupRecordInput[]
  readonly regexLookups: ReadonlyMap<string, RegexLookup>
}

/** Records that put `member` where `former` was, with its target and its partitions. */
export function replacementRecords(group: ConsumerGroup, former: ConsumerMember, member: ConsumerMember): GroupRecordInput[] {
  return [
    ...memberTombstones(group.id, former.id),
    memberRecord(group.id, member),
    targetRecord(group.id, member.id, group.target(former.id)),
    currentRecord(group.id, member),
  ]
}

/** `before` becomes `wanted`, whose client has `owned` (null: as before). Throws KafkaError. */
export function changeMember(
  group: ConsumerGroup,
  before: ConsumerMember,
  wanted: ConsumerMember,
  owned: readonly TopicPartitions[] | null,
  freshness: GroupFreshness,
  mayDescribe: MayDescribe | undefined,
  world: ConsumerWorld,
): MemberChange {
  const records: GroupRecordInput[] = []
  if (!sameMetadata(before, wanted)) records.push(memberRecord(group.id, wanted))
  const regexes = updateRegexes(group, before, wanted, freshness.regexes, freshness.topicsVersion, mayDescribe, world)
  records.push(...regexes.records)
  const resolved: Resolved = (regex) => {
    const change = regexes.changes.get(regex)
    return change === undefined ? group.regexes.get(regex) : (change ?? undefined)
  }
  const hasSubscriptionChanged = !sameNames(before.names, wanted.names) || before.regex !== wanted.regex

  let { epoch } = group
  const changes = hasSubscriptionChanged || regexes.changes.size > 0
  if (changes || freshness.isStale) {
    const former = group.staticMember(wanted.instanceId) ?? group.members.get(wanted.id)
    const hash = metadataHash(group.topicsAfter([[former, wanted]], regexes.changes), world.topics)
    if (changes || hash !== group.metadataHash) records.push(epochRecord(group.id, ++epoch, hash))
    if (group.hasPartitionMetadata) records.push(partitionMetadataTombstone(group.id))
  }
  const update = updateTarget(group, epoch, group.members.get(wanted.id), wanted, resolved, world)
  records.push(...update.records)

  const member = reconciled()
  if (!sameAssignment(wanted, member)) records.push(currentRecord(group.id, member))
  return { before, member, records, regexLookups: regexes.lookups }

  function reconciled(): ConsumerMember {
    if (!hasSubscriptionChanged && wanted.state === 0 && wanted.epoch === update.epoch) return wanted
    const isTaken = (topicId: string, partition: number): boolean => {
      const owner = group.ownerOf(topicId, partition)
      return owner !== undefined && owner !== wanted.id
    }
    const subscribed = new Set(subscribedTopicIds(wanted, resolved, world.topics))
    return reconcile(wanted, { epoch: update.epoch, target: update.target, subscribed, hasSubscriptionChanged, owned, isTaken })
  }
}
