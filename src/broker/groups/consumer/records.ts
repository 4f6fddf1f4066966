// What a consumer group writes: Apache's records (GroupCoordinatorRecordHelpers), in the versions it writes.

import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { ConsumerMember, Owned, Target } from './consumer-member.ts'

export function memberRecord(groupId: string, member: ConsumerMember): GroupRecordInput {
  const { id: memberId, instanceId, rackId, clientId, clientHost, names, regex, rebalanceTimeoutMs, assignor, classic } = member
  return {
    name: 'ConsumerGroupMemberMetadata',
    key: { groupId, memberId },
    version: 0,
    value: {
      instanceId,
      rackId,
      clientId,
      clientHost,
      subscribedTopicNames: names,
      subscribedTopicRegex: regex,
      rebalanceTimeoutMs,
      serverAssignor: assignor,
      classicMemberMetadata: classic,
    },
  }
}

export function epochRecord(groupId: string, epoch: number, metadataHash: bigint): GroupRecordInput {
  return { name: 'ConsumerGroupMetadata', key: { groupId }, version: 0, value: { epoch, metadataHash } }
}

export function targetRecord(groupId: string, memberId: string, target: Target): GroupRecordInput {
  const topicPartitions = Array.from(target, ([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
  return { name: 'ConsumerGroupTargetAssignmentMember', key: { groupId, memberId }, version: 0, value: { topicPartitions } }
}

/** `assignmentTimestamp`: ms since 1970. */
export function targetMetadataRecord(groupId: string, assignmentEpoch: number, assignmentTimestamp: number): GroupRecordInput {
  const value = { assignmentEpoch, assignmentTimestamp }
  return { name: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, version: 0, value }
}

export function currentRecord(groupId: string, member: ConsumerMember): GroupRecordInput {
  return {
    name: 'ConsumerGroupCurrentMemberAssignment',
    key: { groupId, memberId: member.id },
    version: 0,
    value: {
      memberEpoch: member.epoch,
      previousMemberEpoch: member.previousEpoch,
      state: member.state,
      assignedPartitions: topicsOf(member.assigned),
      partitionsPendingRevocation: topicsOf(member.revoking),
    },
  }
}

function topicsOf(owned: Owned) {
  return Array.from(owned, ([topicId, partitions]) => {
    return { topicId, partitions: [...partitions.keys()], assignmentEpochs: [...partitions.values()] }
  })
}

/** `timestamp`: ms since 1970; `version`: of the metadata it was resolved against. */
export function regexRecord(groupId: string, regex: string, topics: Iterable<string>, version: number, timestamp: number): GroupRecordInput {
  const value = { topics: [...topics].sort(), version, timestamp }
  return { name: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression: regex }, version: 0, value }
}

export function regexTombstone(groupId: string, regularExpression: string): GroupRecordInput {
  return { name: 'ConsumerGroupRegularExpression', key: { groupId, regularExpression }, value: null }
}

/** Kafka before 4.1 wrote this record; the hash stands for it now. */
export function partitionMetadataTombstone(groupId: string): GroupRecordInput {
  return { name: 'ConsumerGroupPartitionMetadata', key: { groupId }, value: null }
}

export function memberTombstones(groupId: string, memberId: string): GroupRecordInput[] {
  const key = { groupId, memberId }
  return [
    { name: 'ConsumerGroupCurrentMemberAssignment', key, value: null },
    { name: 'ConsumerGroupTargetAssignmentMember', key, value: null },
    { name: 'ConsumerGroupMemberMetadata', key, value: null },
  ]
}

/** All of a group, in the order that Apache takes: nothing is left that a later record hangs on. */
export function groupTombstones(groupId: string, memberIds: readonly string[], regexes: Iterable<string>): GroupRecordInput[] {
  const keys = memberIds.map((memberId) => ({ groupId, memberId }))
  return [
    ...keys.map((key): GroupRecordInput => ({ name: 'ConsumerGroupCurrentMemberAssignment', key, value: null })),
    ...keys.map((key): GroupRecordInput => ({ name: 'ConsumerGroupTargetAssignmentMember', key, value: null })),
    { name: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null },
    ...keys.map((key): GroupRecordInput => ({ name: 'ConsumerGroupMemberMetadata', key, value: null })),
    ...Array.from(regexes, (regex) => regexTombstone(groupId, regex)),
    partitionMetadataTombstone(groupId),
    { name: 'ConsumerGroupMetadata', key: { groupId }, value: null },
  ]
}
