// From classic groups to consumer groups and back, while members are in them (KIP-848, group.consumer.migration.policy):
// what one kind is told in the other's records. Members keep their partitions.

import { assert } from '../../../base/assert.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import {
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription,
  decodeConsumerProtocol,
  encodeConsumerProtocol,
} from '../../../protocol/records/consumer-protocol.ts'
import { decodeGroupRecord, encodeGroupRecord } from '../../../protocol/records/group.ts'
import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { ClassicGroup } from '../classic-group.ts'
import { CONSUMER, electedProtocol, metadataOf } from '../member.ts'
import type { Member } from '../member.ts'
import type { Protocol } from '../classic-requests.ts'
import { groupTombstone } from '../stored-group.ts'
import type { GroupMetadata } from '../stored-group.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { MemberState, newMember, NOTHING_OWNED, sortedNames } from './consumer-member.ts'
import type { ConsumerMember, Target } from './consumer-member.ts'
import { currentRecord, epochRecord, memberRecord, targetMetadataRecord, targetRecord } from './records.ts'
import type { ConsumerWorld } from './settings.ts'
import type { GroupTopics } from '../topics.ts'
import { metadataHash } from '../topics.ts'

/** A consumer group that could be, with the records that make it. */
export interface Draft {
  readonly group: ConsumerGroup
  readonly records: readonly GroupRecordInput[]
}

/** A classic group that comes of a consumer group. */
export interface Downgrade {
  readonly stored: GroupMetadata
  readonly protocols: ReadonlyMap<string, readonly Protocol[]>
  /** What the members have is not what they should have. */
  readonly rebalances: boolean
}

/** Of a classic group with members. Throws KafkaError GROUP_ID_NOT_FOUND, with the reason, where Kafka does. */
export function upgraded(classic: ClassicGroup, { topics, settings }: ConsumerWorld): Draft {
  const { id, generation } = classic
  const cannot = (why: string) => new KafkaError('GROUP_ID_NOT_FOUND', `Cannot upgrade classic group ${id} to consumer group because ${why}`)
  if (!settings.canUpgrade) throw cannot('online upgrade is disabled.')
  if (classic.protocolType !== CONSUMER) throw cannot('the group does not use the consumer embedded protocol.')
  if (classic.members.length > settings.maxSize) throw cannot('the group size exceeds the consumer group maximum size.')
  const members: ConsumerMember[] = []
  const protocol = classic.protocolName ?? electedProtocol(classic.members)
  try {
    for (const member of classic.members) members.push(upgradedMember(member, protocol, generation, topics))
  } catch (error) {
    if (error instanceof KafkaError) throw error
    throw cannot('the embedded consumer protocol is malformed.')
  }
  const targetOf = ({ assigned }: ConsumerMember): Target => {
    return new Map([...assigned].map(([topic, partitions]) => [topic, new Set(partitions.keys())]))
  }
  const hash = metadataHash(members.flatMap(({ names }) => names), topics)
  const records = [
    ...members.map((member) => memberRecord(id, member)),
    epochRecord(id, generation, hash),
    ...members.map((member) => targetRecord(id, member.id, targetOf(member))),
    targetMetadataRecord(id, generation, 0),
    ...members.map((member) => currentRecord(id, member)),
  ]
  return { group: replayed(id, records), records: [groupTombstone(id), ...records] }
}

function upgradedMember(member: Member, protocol: string, generation: number, topics: GroupTopics): ConsumerMember {
  const metadata = metadataOf(member, protocol)
  const subscription = decodeConsumerProtocol(ConsumerProtocolSubscription, metadata)
  const assigned = new Map<string, Map<number, number>>()
  if (member.assignment.length > 0) {
    const { assignedPartitions, userData } = decodeConsumerProtocol(ConsumerProtocolAssignment, member.assignment)
    if (userData !== null && userData.length > 0) {
      const what = 'Cannot upgrade the classic group to consumer group because an unsupported custom assignor is in use.'
      throw new KafkaError('GROUP_ID_NOT_FOUND', what)
    }
    for (const { topic, partitions } of assignedPartitions) {
      const found = topics.topic(topic)
      if (found !== undefined) assigned.set(found.id, new Map(partitions.map((partition) => [partition, generation])))
    }
  }
  return {
    ...newMember(member.id),
    epoch: generation,
    previousEpoch: generation,
    state: MemberState.stable,
    assigned,
    revoking: NOTHING_OWNED,
    instanceId: member.instanceId,
    rackId: subscription.rackId || null,
    clientId: member.clientId,
    clientHost: member.clientHost,
    rebalanceTimeoutMs: member.rebalanceTimeoutMs,
    names: sortedNames(subscription.topics),
    classic: { sessionTimeoutMs: member.sessionTimeoutMs, supportedProtocols: [...member.protocols] },
  }
}

/** A group as `records` make it, before they are in the log. */
function replayed(id: string, records: readonly GroupRecordInput[]): ConsumerGroup {
  const group = new ConsumerGroup(id)
  for (const record of records) {
    const { key, value } = encodeGroupRecord(record)
    group.replay(decodeGroupRecord(key, value))
  }
  return group
}

/** Whether nobody is left who needs a consumer group, when `gone` are gone, and a classic one will do. */
export function canDowngrade(group: ConsumerGroup, gone: ReadonlySet<ConsumerMember>, left: number, { settings }: ConsumerWorld): boolean {
  if (!settings.canDowngrade || left <= 0 || left > settings.classicMaxSize) return false
  for (const member of group.members.values()) if (member.classic === null && !gone.has(member)) return false
  return true
}

/**
 * Without `gone`; with `joining` in the place of the member it replaces, whose target it gets. All of them speak the
 * classic protocol.
 */
export function downgraded(
  group: ConsumerGroup,
  gone: ReadonlySet<ConsumerMember>,
  joining: { readonly member: ConsumerMember; readonly replaced: ConsumerMember } | undefined,
  epoch: number,
  { topics, now }: ConsumerWorld,
): Downgrade {
  const staying = [...group.members.values()].filter((member) => !gone.has(member) && member.id !== joining?.replaced.id)
  const entries = staying.map((member) => ({ member, target: group.target(member.id) }))
  if (joining !== undefined) entries.push({ member: joining.member, target: group.target(joining.replaced.id) })
  const protocols = new Map(entries.map(({ member }) => [member.id, member.classic?.supportedProtocols ?? []]))
  const protocol = electedProtocol(entries.map(({ member }) => ({ protocols: protocols.get(member.id) ?? [] })))
  const members = entries.map(({ member, target }) => {
    const { classic } = member
    assert(classic !== null, `member ${member.id} does not speak the classic protocol`)
    const subscription = metadataOf({ protocols: classic.supportedProtocols }, protocol)
    return {
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: classic.sessionTimeoutMs,
      subscription,
      assignment: classicAssignment(target, subscription, topics),
    }
  })
  const stored: GroupMetadata = {
    protocolType: CONSUMER,
    generation: epoch,
    protocol,
    leader: members.at(0)?.memberId ?? null,
    currentStateTimestamp: now.wall,
    members,
  }
  return { stored, protocols, rebalances: gone.size > 0 || group.assignmentEpoch < epoch }
}

/** As SyncGroup gives it to the member whose subscription this is, in the version of that. */
export function classicAssignment(target: ReadonlyMap<string, Iterable<number>>, subscription: Buffer, topics: GroupTopics): Buffer {
  const assignedPartitions = [...target].flatMap(([topicId, partitions]) => {
    const topic = topics.topicById(topicId)?.name
    return topic === undefined ? [] : [{ topic, partitions: [...partitions] }]
  })
  const version = subscription.length < 2 ? 0 : Math.max(0, Math.min(subscription.readInt16BE(0), ConsumerProtocolAssignment.versions[1]))
  return encodeConsumerProtocol(ConsumerProtocolAssignment, version, { assignedPartitions, userData: null })
}
