// Appends record batches. From 13 on topics go by id alone. With acks 0 no answer is sent.

import { api, array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts'

export const Produce = api('Produce', {
  key: 0,
  versions: [3, 13],
  flexible: 9,
  request: {
    transactionalId: string.nullable().or(null),
    acks: int16,
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: array({ index: int32, records }),
    }),
  },
  response: {
    responses: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        baseOffset: int64,
        logAppendTimeMs: int64.or(-1).ignorable(),
        logStartOffset: int64.since(5).or(-1).ignorable(),
        recordErrors: array({ batchIndex: int32, batchIndexErrorMessage: string.nullable().or(null) })
          .since(8)
          .or([])
          .ignorable(),
        errorMessage: string.since(8).nullable().or(null).ignorable(),
        currentLeader: struct({ leaderId: int32.or(-1), leaderEpoch: int32.or(-1) }).tagged(0, 10),
      }),
    }),
    throttleTimeMs: int32.or(0).ignorable(),
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().or(null) })
      .tagged(0, 10),
  },
})
