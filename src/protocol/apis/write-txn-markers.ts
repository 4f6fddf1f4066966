// The coordinator, or an administrator who ends a hanging transaction, has markers written. `transactionResult` true is
// a commit; the transaction version of 2 and above (KIP-890) says how strictly the epoch is checked.

import { api, array, bool, exactInt64, int8, int16, int32, string } from '../schema.ts'

export const WriteTxnMarkers = api('WriteTxnMarkers', {
  key: 27,
  versions: [1, 2],
  flexible: 1,
  request: {
    markers: array({
      producerId: exactInt64,
      producerEpoch: int16,
      transactionResult: bool,
      topics: array({ name: string, partitionIndexes: array(int32) }),
      coordinatorEpoch: int32,
      transactionVersion: int8.since(2).or(0).ignorable(),
    }),
  },
  response: {
    markers: array({
      producerId: exactInt64,
      topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode: int16 }) }),
    }),
  },
})
