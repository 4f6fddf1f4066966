// Elects leaders: type 0 the preferred replica, 1 any, even unclean. `topicPartitions: null` asks for all partitions.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const ElectLeaders = api('ElectLeaders', {
  key: 43,
  versions: [0, 2],
  flexible: 2,
  request: {
    electionType: int8.since(1),
    topicPartitions: array({ topic: string, partitions: array(int32) }).nullable(),
    timeoutMs: int32.or(60000),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(1),
    replicaElectionResults: array({
      topic: string,
      partitionResult: array({ partitionId: int32, errorCode: int16, errorMessage: string.nullable() }),
    }),
  },
})
