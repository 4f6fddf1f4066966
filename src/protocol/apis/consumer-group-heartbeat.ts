// The one request of a member of a consumer group (KIP-848): it joins with epoch 0, stays with the current one, leaves
// with −1 (static members with −2). Null says "as before"; a null assignment in the answer says "unchanged".

import { api, array, int16, int32, string, struct, uuid } from '../schema.ts'

export const ConsumerGroupHeartbeat = api('ConsumerGroupHeartbeat', {
  key: 68,
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string,
    memberId: string,
    memberEpoch: int32,
    instanceId: string.nullable().or(null),
    rackId: string.nullable().or(null),
    rebalanceTimeoutMs: int32.or(-1),
    subscribedTopicNames: array(string).nullable().or(null),
    subscribedTopicRegex: string.since(1).nullable().or(null),
    serverAssignor: string.nullable().or(null),
    topicPartitions: array({ topicId: uuid, partitions: array(int32) })
      .nullable()
      .or(null),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable().or(null),
    memberId: string.nullable().or(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    assignment: struct({ topicPartitions: array({ topicId: uuid, partitions: array(int32) }) })
      .nullable()
      .or(null),
  },
})
