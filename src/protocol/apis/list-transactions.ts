// All transactional ids of a coordinator. Empty filters let everything through, as do a duration (in ms) below 0 and a
// null pattern.

import { api, array, exactInt64, int16, int32, int64, string } from '../schema.ts'

export const ListTransactions = api('ListTransactions', {
  key: 66,
  versions: [0, 2],
  flexible: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(exactInt64),
    durationFilter: int64.since(1).or(-1),
    transactionalIdPattern: string.since(2).nullable().or(null),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    unknownStateFilters: array(string),
    transactionStates: array({ transactionalId: string, producerId: exactInt64, transactionState: string }),
  },
})
