// The records of __consumer_offsets that classic and consumer groups write: each with its type (Apache calls it an api
// key), key and value. group.ts reads and writes them.

import { array, bytes, exactInt64, int8, int32, int64, string, struct, uuid } from '../schema.ts'
import { coordinatorRecord } from './coordinator.ts'

const assignedPartitions = array({
  topicId: uuid,
  partitions: array(int32),
  assignmentEpochs: array(int32).nullable().or(null).tagged(0, 0),
})

export const GROUP_RECORDS = {
  /** Written before Kafka 0.9; read ever since. */
  LegacyOffsetCommit: coordinatorRecord('LegacyOffsetCommit', {
    type: 0,
    key: { group: string, topic: string, partition: int32 },
    versions: [0, 0],
    flexible: Infinity,
    value: { offset: exactInt64, metadata: string, commitTimestamp: int64 },
  }),
  OffsetCommit: coordinatorRecord('OffsetCommit', {
    type: 1,
    key: { group: string, topic: string, partition: int32 },
    versions: [0, 4],
    flexible: 4,
    value: {
      offset: exactInt64,
      leaderEpoch: int32.since(3).or(-1).ignorable(),
      metadata: string,
      commitTimestamp: int64,
      expireTimestamp: int64.since(1).until(1).or(-1).ignorable(),
      topicId: uuid.ignorable().tagged(0, 4),
    },
  }),
  GroupMetadata: coordinatorRecord('GroupMetadata', {
    type: 2,
    key: { group: string },
    versions: [0, 4],
    flexible: 4,
    value: {
      protocolType: string,
      generation: int32,
      protocol: string.nullable(),
      leader: string.nullable(),
      currentStateTimestamp: int64.since(2).or(-1).ignorable(),
      members: array({
        memberId: string,
        groupInstanceId: string.since(3).nullable().or(null).ignorable(),
        clientId: string,
        clientHost: string,
        rebalanceTimeout: int32.since(1).or(-1).ignorable(),
        sessionTimeout: int32,
        subscription: bytes,
        assignment: bytes,
      }),
    },
  }),
  ConsumerGroupMetadata: coordinatorRecord('ConsumerGroupMetadata', {
    type: 3,
    key: { groupId: string },
    versions: [0, 0],
    flexible: 0,
    value: { epoch: int32, metadataHash: exactInt64.or(0n).tagged(0, 0) },
  }),
  /** Up to Kafka 4.0; from 4.1 on the hash in ConsumerGroupMetadata stands for it, and it is only deleted. */
  ConsumerGroupPartitionMetadata: coordinatorRecord('ConsumerGroupPartitionMetadata', {
    type: 4,
    key: { groupId: string },
    versions: [0, 0],
    flexible: 0,
    value: {
      topics: array({
        topicId: uuid,
        topicName: string,
        numPartitions: int32,
        partitionMetadata: array({ partition: int32, racks: array(string) }),
      }),
    },
  }),
  ConsumerGroupMemberMetadata: coordinatorRecord('ConsumerGroupMemberMetadata', {
    type: 5,
    key: { groupId: string, memberId: string },
    versions: [0, 0],
    flexible: 0,
    value: {
      instanceId: string.nullable(),
      rackId: string.nullable(),
      clientId: string,
      clientHost: string,
      subscribedTopicNames: array(string),
      subscribedTopicRegex: string.nullable(),
      rebalanceTimeoutMs: int32.or(-1),
      serverAssignor: string.nullable(),
      classicMemberMetadata: struct({
        sessionTimeoutMs: int32,
        supportedProtocols: array({ name: string, metadata: bytes }),
      })
        .nullable()
        // Apache's generated code has no null here unless it is written: without the tag it is a classic member.
        .or({ sessionTimeoutMs: 0, supportedProtocols: [] })
        .tagged(0, 0),
    },
  }),
  ConsumerGroupTargetAssignmentMetadata: coordinatorRecord('ConsumerGroupTargetAssignmentMetadata', {
    type: 6,
    key: { groupId: string },
    versions: [0, 0],
    flexible: 0,
    value: { assignmentEpoch: int32, assignmentTimestamp: int64.or(0).ignorable().tagged(0, 0) },
  }),
  ConsumerGroupTargetAssignmentMember: coordinatorRecord('ConsumerGroupTargetAssignmentMember', {
    type: 7,
    key: { groupId: string, memberId: string },
    versions: [0, 0],
    flexible: 0,
    value: { topicPartitions: array({ topicId: uuid, partitions: array(int32) }) },
  }),
  ConsumerGroupCurrentMemberAssignment: coordinatorRecord('ConsumerGroupCurrentMemberAssignment', {
    type: 8,
    key: { groupId: string, memberId: string },
    versions: [0, 0],
    flexible: 0,
    value: {
      memberEpoch: int32,
      previousMemberEpoch: int32,
      state: int8,
      assignedPartitions,
      partitionsPendingRevocation: assignedPartitions,
    },
  }),
  ConsumerGroupRegularExpression: coordinatorRecord('ConsumerGroupRegularExpression', {
    type: 16,
    key: { groupId: string, regularExpression: string },
    versions: [0, 0],
    flexible: 0,
    value: { topics: array(string), version: int64, timestamp: int64 },
  }),
}
