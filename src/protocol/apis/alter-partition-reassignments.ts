// Moves replicas; `replicas: null` cancels the move that is under way.

import { api, array, bool, int16, int32, string } from '../schema.ts'

export const AlterPartitionReassignments = api('AlterPartitionReassignments', {
  key: 45,
  versions: [0, 1],
  flexible: 0,
  request: {
    timeoutMs: int32.or(60000),
    allowReplicationFactorChange: bool.since(1).or(true),
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32, replicas: array(int32).nullable().or(null) }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    allowReplicationFactorChange: bool.since(1).or(true).ignorable(),
    errorCode: int16,
    errorMessage: string.nullable(),
    responses: array({
      name: string,
      partitions: array({ partitionIndex: int32, errorCode: int16, errorMessage: string.nullable() }),
    }),
  },
})
