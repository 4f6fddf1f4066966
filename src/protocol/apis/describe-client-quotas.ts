// Quotas that match a filter. The match type is 0 exactly, 1 the default entity, 2 any; a null entity name in the
// answer is the default entity.

import { api, array, bool, float64, int8, int16, int32, string } from '../schema.ts'

export const DescribeClientQuotas = api('DescribeClientQuotas', {
  key: 48,
  versions: [0, 1],
  flexible: 1,
  request: {
    components: array({ entityType: string, matchType: int8, match: string.nullable() }),
    strict: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    entries: array({
      entity: array({ entityType: string, entityName: string.nullable() }),
      values: array({ key: string, value: float64 }),
    }).nullable(),
  },
})
