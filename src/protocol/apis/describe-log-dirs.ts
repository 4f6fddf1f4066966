// Sizes on disk. `topics: null` asks for all.

import { api, array, bool, int16, int32, int64, string } from '../schema.ts'

export const DescribeLogDirs = api('DescribeLogDirs', {
  key: 35,
  versions: [1, 5],
  flexible: 2,
  request: {
    topics: array({ topic: string, partitions: array(int32) }).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(3).ignorable(),
    results: array({
      errorCode: int16,
      logDir: string,
      topics: array({
        name: string,
        partitions: array({
          partitionIndex: int32,
          partitionSize: int64,
          offsetLag: int64,
          isFutureKey: bool,
        }),
      }),
      totalBytes: int64.since(4).or(-1).ignorable(),
      usableBytes: int64.since(4).or(-1).ignorable(),
      isCordoned: bool.since(5).or(false).ignorable(),
    }),
  },
})
