// Replica counts of -1 mean the broker's defaults. `configs` of an answer are the topic's effective ones.

import { api, array, bool, int8, int16, int32, string, uuid } from '../schema.ts'

export const CreateTopics = api('CreateTopics', {
  key: 19,
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }),
      configs: array({ name: string, value: string.nullable() }),
    }),
    timeoutMs: int32.or(60000),
    validateOnly: bool.or(false),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    topics: array({
      name: string,
      topicId: uuid.since(7).ignorable(),
      errorCode: int16,
      errorMessage: string.nullable().ignorable(),
      topicConfigErrorCode: int16.ignorable().tagged(0, 5),
      numPartitions: int32.since(5).or(-1).ignorable(),
      replicationFactor: int16.since(5).or(-1).ignorable(),
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: bool,
        configSource: int8.or(-1).ignorable(),
        isSensitive: bool,
      })
        .since(5)
        .nullable()
        .ignorable(),
    }),
  },
})
