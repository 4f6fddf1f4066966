// Config operations: 0 set, 1 delete, 2 append, 3 subtract.

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const IncrementalAlterConfigs = api('IncrementalAlterConfigs', {
  key: 44,
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({ name: string, configOperation: int8, value: string.nullable() }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
    }),
  },
})
