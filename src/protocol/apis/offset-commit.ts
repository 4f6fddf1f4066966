// Commits offsets of a group, from its members or, with generation −1 and no member, from outside. From 10 on topics go
// by id alone. The retention of versions 2–4 is the commit's own.

import { api, array, exactInt64, int16, int32, int64, string, uuid } from '../schema.ts'

export const OffsetCommit = api('OffsetCommit', {
  key: 8,
  versions: [2, 10],
  flexible: 8,
  request: {
    groupId: string,
    generationIdOrMemberEpoch: int32.or(-1).ignorable(),
    memberId: string.ignorable(),
    groupInstanceId: string.since(7).nullable().or(null),
    retentionTimeMs: int64.since(2).until(4).or(-1).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        committedOffset: exactInt64,
        committedLeaderEpoch: int32.since(6).or(-1).ignorable(),
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({ partitionIndex: int32, errorCode: int16 }),
    }),
  },
})
