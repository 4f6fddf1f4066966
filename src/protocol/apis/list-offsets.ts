// Offsets by timestamp. Negative timestamps ask for the ends: -1 latest, -2 earliest, -3 the greatest
// timestamp, -4 earliest local, -5 latest tiered, -6 earliest pending upload.

import { api, array, int8, int16, int32, int64, string } from '../schema.ts'

export const ListOffsets = api('ListOffsets', {
  key: 2,
  versions: [1, 11],
  flexible: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).or(-1).ignorable(),
        timestamp: int64,
      }),
    }),
    timeoutMs: int32.since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: int64.or(-1),
        offset: int64.or(-1),
        leaderEpoch: int32.since(4).or(-1),
      }),
    }),
  },
})
