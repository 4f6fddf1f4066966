// Commits a group's offsets with a transaction: they count when it commits.

import { api, array, exactInt64, int16, int32, string } from '../schema.ts'

export const TxnOffsetCommit = api('TxnOffsetCommit', {
  key: 28,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: exactInt64,
    producerEpoch: int16,
    generationId: int32.since(3).or(-1),
    memberId: string.since(3).or(''),
    groupInstanceId: string.since(3).nullable().or(null),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        committedOffset: exactInt64,
        committedLeaderEpoch: int32.since(2).or(-1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
  },
})
