// The voters and observers of __cluster_metadata, and how far each has come.

import { api, array, int16, int32, int64, string, uint16, uuid } from '../schema.ts'

const replicas = array({
  replicaId: int32,
  replicaDirectoryId: uuid.since(2),
  logEndOffset: int64,
  lastFetchTimestamp: int64.since(1).or(-1).ignorable(),
  lastCaughtUpTimestamp: int64.since(1).or(-1).ignorable(),
})

export const DescribeQuorum = api('DescribeQuorum', {
  key: 55,
  versions: [0, 2],
  flexible: 0,
  request: { topics: array({ topicName: string, partitions: array({ partitionIndex: int32 }) }) },
  response: {
    errorCode: int16,
    errorMessage: string.since(2).nullable().ignorable(),
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.since(2).nullable().ignorable(),
        leaderId: int32,
        leaderEpoch: int32,
        highWatermark: int64,
        currentVoters: replicas,
        observers: replicas,
      }),
    }),
    nodes: array({
      nodeId: int32,
      listeners: array({ name: string, host: string, port: uint16 }),
    }).since(2),
  },
})
