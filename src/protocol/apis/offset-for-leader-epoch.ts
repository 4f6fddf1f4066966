// Where a leader epoch ended: clients find truncation by it.

import { api, array, int16, int32, int64, string } from '../schema.ts'

export const OffsetForLeaderEpoch = api('OffsetForLeaderEpoch', {
  key: 23,
  versions: [2, 4],
  flexible: 4,
  request: {
    replicaId: int32.since(3).or(-2).ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.or(-1).ignorable(),
        leaderEpoch: int32,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    topics: array({
      topic: string,
      partitions: array({
        errorCode: int16,
        partition: int32,
        leaderEpoch: int32.or(-1).ignorable(),
        endOffset: int64.or(-1),
      }),
    }),
  },
})
