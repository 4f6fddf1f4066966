// `count` is the new total, not an increment.

import { api, array, bool, int16, int32, string } from '../schema.ts'

export const CreatePartitions = api('CreatePartitions', {
  key: 37,
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      count: int32,
      assignments: array({ brokerIds: array(int32) }).nullable(),
    }),
    timeoutMs: int32,
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    results: array({ name: string, errorCode: int16, errorMessage: string.nullable().or(null) }),
  },
})
