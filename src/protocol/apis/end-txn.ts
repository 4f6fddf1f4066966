// Commits or aborts a transaction. From 5 on (KIP-890) the answer carries the id and epoch for the next one.

import { api, bool, exactInt64, int16, int32, string } from '../schema.ts'

export const EndTxn = api('EndTxn', {
  key: 26,
  versions: [0, 5],
  flexible: 3,
  request: { transactionalId: string, producerId: exactInt64, producerEpoch: int16, committed: bool },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    producerId: exactInt64.since(5).or(-1n).ignorable(),
    producerEpoch: int16.since(5).or(-1).ignorable(),
  },
})
