// By name up to 5, by name or id from 6 on.

import { ZERO_UUID } from '../reader.ts'
import { api, array, int16, int32, string, uuid } from '../schema.ts'

export const DeleteTopics = api('DeleteTopics', {
  key: 20,
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: array({ name: string.nullable().or(null), topicId: uuid.or(ZERO_UUID) }).since(6).or([]),
    topicNames: array(string).until(5).or([]).ignorable(),
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    responses: array({
      name: string.nullable(6),
      topicId: uuid.since(6).ignorable(),
      errorCode: int16,
      errorMessage: string.since(5).nullable().or(null).ignorable(),
    }),
  },
})
