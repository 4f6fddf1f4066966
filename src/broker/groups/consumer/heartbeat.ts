// A member's heartbeat (KIP-848; GroupMetadataManager): joins with epoch 0, stays with its epoch, leaves with −1, or, when
// it is static and comes back, −2. From a group and a request to records and an answer; nothing is changed here.

import { KafkaError } from '../../../protocol/errors.ts'
import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import { LEFT_STATIC, newMember, NOTHING_OWNED, sameOwned, sortedNames } from './consumer-member.ts'
import type { ConsumerMember, Owned } from './consumer-member.ts'
import { checkSize, dynamicMember, knownStatic } from './identity.ts'
import { changeMember, replacementRecords } from './member-changes.ts'
import type { GroupFreshness, MemberChange } from './member-changes.ts'
import { currentRecord } from './records.ts'
import type { TopicPartitions } from './reconcile.ts'
import type { MayDescribe } from './regexes.ts'
import type { ConsumerWorld } from './settings.ts'

export interface HeartbeatRequest {
  readonly memberId: string
  readonly epoch: number
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  /** -1, and null below: as before. */
  readonly rebalanceTimeoutMs: number
  readonly names: readonly string[] | null
  readonly regex: string | null
  readonly assignor: string | null
  readonly owned: readonly TopicPartitions[] | null
  readonly mayDescribe: MayDescribe
}

export interface HeartbeatResult {
  readonly memberId: string
  readonly epoch: number
  /** 0 when it leaves. */
  readonly heartbeatIntervalMs: number
  /** null: as before. */
  readonly assignment: readonly TopicPartitions[] | null
}

export interface Heartbeat extends MemberChange {
  readonly result: HeartbeatResult
}

/** Of a member that joins or stays. Throws KafkaError. */
export function heartbeat(
  group: ConsumerGroup,
  request: HeartbeatRequest,
  freshness: GroupFreshness,
  world: ConsumerWorld,
): Heartbeat {
  checkSize(group, request.memberId, request.instanceId, world.settings)
  const records: GroupRecordInput[] = []
  const before = memberOf(group, request, records)
  const wanted: ConsumerMember = {
    ...before,
    instanceId: request.instanceId ?? before.instanceId,
    rackId: request.rackId ?? before.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs === -1 ? before.rebalanceTimeoutMs : request.rebalanceTimeoutMs,
    assignor: request.assignor ?? before.assignor,
    names: request.names === null ? before.names : sortedNames(request.names),
    regex: request.regex ?? before.regex,
    clientId: request.clientId,
    clientHost: request.clientHost,
    classic: null,
  }
  const change = changeMember(group, before, wanted, request.owned, freshness, request.mayDescribe, world)
  const { member } = change
  const hasSubscription = request.names !== null || request.regex !== null
  const isFull = request.rebalanceTimeoutMs !== -1 && hasSubscription && request.owned !== null
  const isTold = request.epoch === 0 || isFull || !sameOwned(before.assigned, member.assigned, false)
  const result = {
    memberId: member.id,
    epoch: member.epoch,
    heartbeatIntervalMs: world.settings.heartbeatIntervalMs,
    assignment: isTold ? listOf(member.assigned) : null,
  }
  return { ...change, records: [...records, ...change.records], result }
}

/** The member that leaves, and how: for good, or, with a record, for a while. Throws KafkaError. */
export function leaving(
  group: ConsumerGroup,
  { memberId, instanceId, epoch }: HeartbeatRequest,
): { readonly member: ConsumerMember; readonly record?: GroupRecordInput } {
  if (instanceId === null) return { member: dynamicMember(group, memberId) }
  const member = knownStatic(group, memberId, instanceId)
  if (epoch !== LEFT_STATIC) return { member }
  // Its next process has its partitions from epoch 0 on.
  const assigned = new Map([...member.assigned].map(([topic, partitions]) => [topic, new Map([...partitions.keys()].map((id) => [id, 0]))]))
  return { member, record: currentRecord(group.id, { ...member, epoch: LEFT_STATIC, assigned, revoking: NOTHING_OWNED }) }
}

/** As it was before this request; with the records that let it take a former process' place. */
function memberOf(group: ConsumerGroup, request: HeartbeatRequest, records: GroupRecordInput[]): ConsumerMember {
  const { memberId, instanceId, epoch, owned } = request
  const isJoining = epoch === 0
  if (instanceId === null) {
    const member = isJoining ? (group.members.get(memberId) ?? newMember(memberId)) : dynamicMember(group, memberId)
    checkEpoch(member, epoch, owned)
    return member
  }
  if (!isJoining) {
    const member = knownStatic(group, memberId, instanceId)
    checkEpoch(member, epoch, owned)
    return member
  }
  const former = group.staticMember(instanceId)
  if (former === undefined) return group.members.get(memberId) ?? newMember(memberId)
  if (former.classic === null && former.epoch !== LEFT_STATIC) {
    const what = `Static member ${memberId} with instance id ${instanceId} cannot join the group because the instance id is owned by ${former.id} member.`
    throw new KafkaError('UNRELEASED_INSTANCE_ID', what)
  }
  const member = { ...former, id: memberId, epoch: 0, previousEpoch: 0 }
  records.push(...replacementRecords(group, former, member))
  return member
}

function checkEpoch(member: ConsumerMember, epoch: number, owned: readonly TopicPartitions[] | null): void {
  if (epoch === 0 || epoch === member.epoch) return
  // The answer that brought the new epoch may have been lost.
  const isRetry = epoch === member.previousEpoch && owned !== null && isWithin(owned, member.assigned)
  if (epoch < member.epoch && isRetry) return
  const word = epoch > member.epoch ? 'greater' : 'smaller'
  const what = `The consumer group member has a ${word} member epoch (${epoch}) than the one known by the group coordinator (${member.epoch}). The member must abandon all its partitions and rejoin.`
  throw new KafkaError('FENCED_MEMBER_EPOCH', what)
}

function isWithin(owned: readonly TopicPartitions[], assigned: Owned): boolean {
  return owned.every(({ topicId, partitions }) => {
    const those = assigned.get(topicId)
    return those !== undefined && partitions.every((partition) => those.has(partition))
  })
}

function listOf(owned: Owned): TopicPartitions[] {
  return Array.from(owned, ([topicId, partitions]) => ({ topicId, partitions: [...partitions.keys()] }))
}
