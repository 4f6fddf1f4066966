// Reads records. From 13 on topics go by id alone. An answer's `records` are whole batches, the last one
// perhaps cut.

import { api, array, exactInt64, int8, int16, int32, int64, records } from '../schema.ts'
import { string, struct, uuid } from '../schema.ts'

export const Fetch = api('Fetch', {
  key: 1,
  versions: [4, 18],
  flexible: 12,
  request: {
    clusterId: string.nullable().or(null).ignorable().tagged(0, 12),
    replicaId: int32.until(14).or(-1),
    replicaState: struct({ replicaId: int32.or(-1), replicaEpoch: int64.or(-1) }).tagged(1, 15),
    maxWaitMs: int32,
    minBytes: int32,
    maxBytes: int32.or(0x7fffffff).ignorable(),
    isolationLevel: int8.or(0).ignorable(),
    sessionId: int32.since(7).or(0).ignorable(),
    sessionEpoch: int32.since(7).or(-1).ignorable(),
    topics: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partition: int32,
        currentLeaderEpoch: int32.since(9).or(-1).ignorable(),
        fetchOffset: int64,
        lastFetchedEpoch: int32.since(12).or(-1),
        logStartOffset: int64.since(5).or(-1).ignorable(),
        partitionMaxBytes: int32,
        replicaDirectoryId: uuid.ignorable().tagged(0, 17),
        highWatermark: int64.or(Number.MAX_SAFE_INTEGER).ignorable().tagged(1, 18),
      }),
    }),
    forgottenTopicsData: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array(int32),
    })
      .since(7)
      .or([]),
    rackId: string.since(11).or('').ignorable(),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    errorCode: int16.since(7).ignorable(),
    sessionId: int32.since(7).or(0),
    responses: array({
      topic: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        highWatermark: int64,
        lastStableOffset: int64.or(-1).ignorable(),
        logStartOffset: int64.since(5).or(-1).ignorable(),
        divergingEpoch: struct({ epoch: int32.or(-1), endOffset: int64.or(-1) }).tagged(0, 12),
        currentLeader: struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1) }).tagged(1, 12),
        snapshotId: struct({ endOffset: int64.or(-1), epoch: int32.or(-1) }).tagged(2, 12),
        abortedTransactions: array({ producerId: exactInt64, firstOffset: int64 }).nullable().ignorable(),
        preferredReadReplica: int32.since(11).or(-1),
        records,
      }),
    }),
    nodeEndpoints: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.nullable().or(null),
    }).tagged(0, 16),
  },
})
