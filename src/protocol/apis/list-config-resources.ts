// Names of resources that have configs. Version 0 knows client metrics (type 16) only; from 1 on no types at all asks
// for all of them.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const ListConfigResources = api('ListConfigResources', {
  key: 74,
  versions: [0, 1],
  flexible: 0,
  request: { resourceTypes: array(int8).since(1) },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    configResources: array({ resourceName: string, resourceType: int8.since(1).or(16).ignorable() }),
  },
})
