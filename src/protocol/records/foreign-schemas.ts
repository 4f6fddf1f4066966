// Records of share and streams groups, which this broker neither writes nor takes part in: for looking at what Apache wrote.

import { array, exactInt64, int8, int16, int32, int64, string, struct, uint16, uuid } from '../schema.ts'
import { coordinatorRecord } from './coordinator.ts'

const VERSION_0 = { versions: [0, 0], flexible: 0 } as const
const group = { groupId: string }
const member = { groupId: string, memberId: string }
const partitions = array({ topicId: uuid, partitions: array(int32) })
const namedPartitions = array({ topicId: uuid, topicName: string, partitions: array(int32) })
const assignmentMetadata = { assignmentEpoch: int32, assignmentTimestamp: int64.or(0).ignorable().tagged(0, 0) }
const targetTasks = array({ subtopologyId: string, partitions: array(int32) })
const tasks = array({
  subtopologyId: string,
  partitions: array(int32),
  assignmentEpochs: array(int32).nullable().or(null).tagged(0, 0),
})
const topicInfos = array({
  name: string,
  partitions: int32,
  replicationFactor: int16,
  topicConfigs: array({ key: string, value: string }),
})

/** Of __consumer_offsets. */
export const FOREIGN_GROUP_RECORDS = {
  ShareGroupMemberMetadata: coordinatorRecord('ShareGroupMemberMetadata', {
    type: 10,
    key: member,
    ...VERSION_0,
    value: { rackId: string.nullable(), clientId: string, clientHost: string, subscribedTopicNames: array(string) },
  }),
  ShareGroupMetadata: coordinatorRecord('ShareGroupMetadata', {
    type: 11,
    key: group,
    ...VERSION_0,
    value: { epoch: int32, metadataHash: exactInt64 },
  }),
  ShareGroupTargetAssignmentMetadata: coordinatorRecord('ShareGroupTargetAssignmentMetadata', {
    type: 12,
    key: group,
    ...VERSION_0,
    value: assignmentMetadata,
  }),
  ShareGroupTargetAssignmentMember: coordinatorRecord('ShareGroupTargetAssignmentMember', {
    type: 13,
    key: member,
    ...VERSION_0,
    value: { topicPartitions: partitions },
  }),
  ShareGroupCurrentMemberAssignment: coordinatorRecord('ShareGroupCurrentMemberAssignment', {
    type: 14,
    key: member,
    ...VERSION_0,
    value: { memberEpoch: int32, previousMemberEpoch: int32, state: int8, assignedPartitions: partitions },
  }),
  ShareGroupStatePartitionMetadata: coordinatorRecord('ShareGroupStatePartitionMetadata', {
    type: 15,
    key: group,
    ...VERSION_0,
    value: {
      initializingTopics: namedPartitions,
      initializedTopics: namedPartitions,
      deletingTopics: array({ topicId: uuid, topicName: string }),
    },
  }),
  StreamsGroupMetadata: coordinatorRecord('StreamsGroupMetadata', {
    type: 17,
    key: group,
    ...VERSION_0,
    value: {
      epoch: int32,
      metadataHash: exactInt64,
      validatedTopologyEpoch: int32.or(-1).tagged(0, 0),
      lastAssignmentConfigs: array({ key: string, value: string }).nullable().or(null).tagged(1, 0),
    },
  }),
  StreamsGroupMemberMetadata: coordinatorRecord('StreamsGroupMemberMetadata', {
    type: 19,
    key: member,
    ...VERSION_0,
    value: {
      instanceId: string.nullable(),
      rackId: string.nullable(),
      clientId: string,
      clientHost: string,
      rebalanceTimeoutMs: int32.or(-1),
      topologyEpoch: int32,
      processId: string,
      userEndpoint: struct({ host: string, port: uint16 }).nullable().or(null),
      clientTags: array({ key: string, value: string }),
    },
  }),
  StreamsGroupTargetAssignmentMetadata: coordinatorRecord('StreamsGroupTargetAssignmentMetadata', {
    type: 20,
    key: group,
    ...VERSION_0,
    value: assignmentMetadata,
  }),
  StreamsGroupTargetAssignmentMember: coordinatorRecord('StreamsGroupTargetAssignmentMember', {
    type: 21,
    key: member,
    ...VERSION_0,
    value: { activeTasks: targetTasks, standbyTasks: targetTasks, warmupTasks: targetTasks },
  }),
  StreamsGroupCurrentMemberAssignment: coordinatorRecord('StreamsGroupCurrentMemberAssignment', {
    type: 22,
    key: member,
    ...VERSION_0,
    value: {
      memberEpoch: int32,
      previousMemberEpoch: int32,
      state: int8,
      activeTasks: tasks,
      standbyTasks: tasks,
      warmupTasks: tasks,
      activeTasksPendingRevocation: tasks,
      standbyTasksPendingRevocation: tasks,
      warmupTasksPendingRevocation: tasks,
    },
  }),
  StreamsGroupTopology: coordinatorRecord('StreamsGroupTopology', {
    type: 23,
    key: group,
    ...VERSION_0,
    value: {
      epoch: int32,
      subtopologies: array({
        subtopologyId: string,
        sourceTopics: array(string),
        sourceTopicRegex: array(string),
        stateChangelogTopics: topicInfos,
        repartitionSinkTopics: array(string),
        repartitionSourceTopics: topicInfos,
        copartitionGroups: array({
          sourceTopics: array(int16),
          sourceTopicRegex: array(int16),
          repartitionSourceTopics: array(int16),
        }),
      }),
    },
  }),
}

const sharePartition = { groupId: string, topicId: uuid, partition: int32 }
const deliveryCompleteCount = int32.or(-1).tagged(0, 0)
const stateBatches = array({ firstOffset: int64, lastOffset: int64, deliveryState: int8, deliveryCount: int16 })

/** Of __share_group_state. */
export const SHARE_STATE_RECORDS = {
  ShareSnapshot: coordinatorRecord('ShareSnapshot', {
    type: 0,
    key: sharePartition,
    ...VERSION_0,
    value: {
      snapshotEpoch: int32,
      stateEpoch: int32,
      leaderEpoch: int32,
      startOffset: int64,
      deliveryCompleteCount,
      createTimestamp: int64,
      writeTimestamp: int64,
      stateBatches,
    },
  }),
  ShareUpdate: coordinatorRecord('ShareUpdate', {
    type: 1,
    key: sharePartition,
    ...VERSION_0,
    value: { snapshotEpoch: int32, leaderEpoch: int32, startOffset: int64, deliveryCompleteCount, stateBatches },
  }),
}
