// Brokers, topics, leaders. `topics: null` asks for all (version 0: an empty list does).

import { api, array, bool, int16, int32, string, uuid } from '../schema.ts'

export const Metadata = api('Metadata', {
  key: 3,
  versions: [0, 13],
  flexible: 9,
  request: {
    topics: array({ topicId: uuid.since(10).ignorable(), name: string.nullable(10) }).nullable(1),
    allowAutoTopicCreation: bool.since(4).or(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.since(1).nullable().or(null).ignorable(),
    }),
    clusterId: string.since(2).nullable().or(null).ignorable(),
    controllerId: int32.since(1).or(-1).ignorable(),
    topics: array({
      errorCode: int16,
      name: string.nullable(12),
      topicId: uuid.since(10).ignorable(),
      isInternal: bool.since(1).or(false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        leaderId: int32,
        leaderEpoch: int32.since(7).or(-1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).ignorable(),
      }),
      topicAuthorizedOperations: int32.since(8).or(-2147483648),
    }),
    clusterAuthorizedOperations: int32.since(8).until(10).or(-2147483648),
    errorCode: int16.since(13).ignorable(),
  },
})
