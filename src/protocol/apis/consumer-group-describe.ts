// State and members of consumer groups (KIP-848). The member type of version 1 is −1 unknown, 0 classic, 1 consumer.

import { api, array, bool, int8, int16, int32, string, struct, uuid } from '../schema.ts'

const assignment = struct({
  topicPartitions: array({ topicId: uuid, topicName: string, partitions: array(int32) }),
})

export const ConsumerGroupDescribe = api('ConsumerGroupDescribe', {
  key: 69,
  versions: [0, 1],
  flexible: 0,
  request: { groupIds: array(string), includeAuthorizedOperations: bool },
  response: {
    throttleTimeMs: int32,
    groups: array({
      errorCode: int16,
      errorMessage: string.nullable().or(null),
      groupId: string,
      groupState: string,
      groupEpoch: int32,
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        instanceId: string.nullable().or(null),
        rackId: string.nullable().or(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: string.nullable().or(null),
        assignment,
        targetAssignment: assignment,
        memberType: int8.since(1).or(-1).ignorable(),
      }),
      authorizedOperations: int32.or(-2147483648),
    }),
  },
})
