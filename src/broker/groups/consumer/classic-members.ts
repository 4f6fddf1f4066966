// Members of a consumer group that speak the classic protocol (KIP-848, migration): JoinGroup, SyncGroup and Heartbeat, with
// the consumers' embedded protocol, told as what a member of the group does. The group's member epoch is their generation.

import { KafkaError } from '../../../protocol/errors.ts'
import { ConsumerProtocolSubscription, decodeConsumerProtocol } from '../../../protocol/records/consumer-protocol.ts'
import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { Decoded } from '../../../protocol/schema.ts'
import type { JoinRequest, JoinResult, SyncRequest, SyncResult } from '../classic-requests.ts'
import { CONSUMER } from '../member.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { MemberState, newMember, sameNames, sortedNames } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { checkSize, dynamicMember, knownStatic } from './identity.ts'
import { changeMember, replacementRecords } from './member-changes.ts'
import type { GroupFreshness, MemberChange } from './member-changes.ts'
import { canDowngrade, classicAssignment, downgraded } from './migration.ts'
import type { Downgrade } from './migration.ts'
import type { TopicPartitions } from './reconcile.ts'
import type { ConsumerWorld } from './settings.ts'
import type { GroupTopics } from '../topics.ts'

export interface ClassicJoin {
  readonly result: JoinResult
  /** undefined: it has to come again, with the id it was given. */
  readonly change?: MemberChange
  /** It was the last to need a consumer group. */
  readonly downgrade?: Downgrade
}

type Embedded = Decoded<(typeof ConsumerProtocolSubscription)['fields']>

/** Throws KafkaError. */
export function joinClassic(group: ConsumerGroup, request: JoinRequest, freshness: GroupFreshness, world: ConsumerWorld): ClassicJoin {
  const { instanceId, protocols, protocolType, newMemberId } = request
  if (!world.settings.canUpgrade && !world.settings.canDowngrade) {
    const what = `Cannot join the consumer group ${group.id} with the classic protocol because the group migration is disabled.`
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', what)
  }
  const isNew = request.memberId === ''
  const memberId = isNew ? newMemberId : request.memberId
  checkSize(group, memberId, instanceId, world.settings)
  const spoken = group.classicProtocols()
  const isCommon = ({ name }: { readonly name: string }) => (spoken.get(name) ?? 0) === group.classicMembers
  if (protocolType !== CONSUMER || !protocols.some(isCommon)) {
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', `Member ${memberId}'s protocols are not supported.`)
  }
  if (isNew && instanceId === null && request.requiresKnownId) return { result: { ...joined(newMemberId, -1, null), error: 'MEMBER_ID_REQUIRED' } }

  const records: GroupRecordInput[] = []
  const replaced = group.staticMember(instanceId)
  const before = memberOf(group, memberId, instanceId, isNew, records)
  const embedded = subscriptionOf(request)
  const wanted: ConsumerMember = {
    ...before,
    instanceId: instanceId ?? before.instanceId,
    rackId: embedded.rackId || before.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    names: sortedNames(embedded.topics),
    regex: '',
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: { sessionTimeoutMs: request.sessionTimeoutMs, supportedProtocols: [...protocols] },
  }
  const name = protocols[0].name
  if (replaced !== undefined && replaced.classic === null && canDowngrade(group, new Set([replaced]), group.members.size, world)) {
    const isSame = replaced.regex === '' && sameNames(replaced.names, wanted.names)
    const epoch = group.epoch + (isSame ? 0 : 1)
    const downgrade = downgraded(group, new Set(), { member: wanted, replaced }, epoch, world)
    return { result: joined(memberId, epoch, name), downgrade }
  }
  const owned = ownedOf(embedded, world.topics)
  const change = changeMember(group, before, wanted, owned, freshness, undefined, world)
  return { result: joined(memberId, change.member.epoch, name), change: { ...change, records: [...records, ...change.records] } }
}

function joined(memberId: string, generation: number, protocolName: string | null): JoinResult {
  const protocolType = protocolName === null ? null : CONSUMER
  return { error: 'NONE', memberId, generation, protocolType, protocolName, leader: '', skipAssignment: false, members: [] }
}

function memberOf(group: ConsumerGroup, memberId: string, instanceId: string | null, isNew: boolean, records: GroupRecordInput[]): ConsumerMember {
  if (instanceId === null) return group.members.get(memberId) ?? newMember(memberId)
  if (!isNew) return knownStatic(group, memberId, instanceId)
  const former = group.staticMember(instanceId)
  if (former === undefined) return group.members.get(memberId) ?? newMember(memberId)
  const member = { ...former, id: memberId, epoch: 0, previousEpoch: 0 }
  records.push(...replacementRecords(group, former, member))
  return member
}

function subscriptionOf({ protocols }: JoinRequest): Embedded {
  try {
    return decodeConsumerProtocol(ConsumerProtocolSubscription, protocols[0].metadata)
  } catch {
    const what = 'Malformed embedded consumer protocol in subscription deserialization.'
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL', what)
  }
}

function ownedOf({ ownedPartitions }: Embedded, topics: GroupTopics): TopicPartitions[] {
  return ownedPartitions.flatMap(({ topic, partitions }) => {
    const topicId = topics.topic(topic)?.id
    return topicId === undefined ? [] : [{ topicId, partitions }]
  })
}

/** The member that a request of the classic protocol comes from. Throws KafkaError. */
export function classicMember(group: ConsumerGroup, memberId: string, instanceId: string | null, generation: number): ConsumerMember {
  const member = instanceId === null ? dynamicMember(group, memberId) : knownStatic(group, memberId, instanceId)
  if (member.classic === null) throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} does not use the classic protocol.`)
  if (member.epoch !== generation) {
    const what = `The request generation id ${generation} is not equal to the member epoch ${member.epoch} of member ${memberId}.`
    throw new KafkaError('ILLEGAL_GENERATION', what)
  }
  return member
}

/** Throws KafkaError for a protocol that is not the member's. */
export function syncClassic(member: ConsumerMember, { protocolType, protocolName }: SyncRequest, topics: GroupTopics): SyncResult {
  const first = member.classic?.supportedProtocols.at(0)
  if ((protocolType !== null && protocolType !== CONSUMER) || (protocolName !== null && protocolName !== first?.name)) {
    throw new KafkaError('INCONSISTENT_GROUP_PROTOCOL')
  }
  const assigned = new Map([...member.assigned].map(([topic, partitions]) => [topic, partitions.keys()]))
  const assignment = classicAssignment(assigned, first?.metadata ?? Buffer.alloc(0), topics)
  return { error: 'NONE', protocolType, protocolName, assignment }
}

/** Whether its SyncGroup comes too late: there is another assignment, and it is not giving up partitions for it yet. */
export function isBehind(group: ConsumerGroup, { epoch, state }: ConsumerMember): boolean {
  return group.assignmentEpoch > epoch && state !== MemberState.unrevoked
}

/** Whether it is to join again, to go on: to hear of another assignment, to give up partitions, or to get some. */
export function mustRejoin(group: ConsumerGroup, member: ConsumerMember): boolean {
  if (member.epoch < group.assignmentEpoch || member.state === MemberState.unrevoked) return true
  return member.state === MemberState.unreleased && !waitsForOthers(group, member)
}

function waitsForOthers(group: ConsumerGroup, member: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.target(member.id)) {
    for (const partition of partitions) {
      const isMissing = member.assigned.get(topicId)?.has(partition) !== true
      if (isMissing && group.ownerOf(topicId, partition) !== undefined) return true
    }
  }
  return false
}
