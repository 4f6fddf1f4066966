// Sets and removes quotas. A null entity name is the default entity.

import { api, array, bool, float64, int16, int32, string } from '../schema.ts'

const entity = array({ entityType: string, entityName: string.nullable() })

export const AlterClientQuotas = api('AlterClientQuotas', {
  key: 49,
  versions: [0, 1],
  flexible: 1,
  request: {
    entries: array({ entity, ops: array({ key: string, value: float64, remove: bool }) }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    entries: array({ errorCode: int16, errorMessage: string.nullable(), entity }),
  },
})
