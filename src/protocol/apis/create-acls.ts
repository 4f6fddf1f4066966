// Creates ACLs, each with its own answer.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const CreateAcls = api('CreateAcls', {
  key: 30,
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.or(3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({ errorCode: int16, errorMessage: string.nullable() }),
  },
})
