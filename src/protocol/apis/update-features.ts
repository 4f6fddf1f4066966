// Raises and lowers feature levels. The upgrade type is 1 upgrade, 2 safe downgrade, 3 unsafe downgrade. From 2 on all
// features succeed or fail together.

import { api, array, bool, int8, int16, int32, string } from '../schema.ts'

export const UpdateFeatures = api('UpdateFeatures', {
  key: 57,
  versions: [0, 2],
  flexible: 0,
  request: {
    timeoutMs: int32.or(60000),
    featureUpdates: array({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: bool.until(0),
      upgradeType: int8.since(1).or(1),
    }),
    validateOnly: bool.since(1).or(false),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({ feature: string, errorCode: int16, errorMessage: string.nullable() })
      .until(1)
      .ignorable(),
  },
})
