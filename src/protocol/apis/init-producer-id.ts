// Producer ids and epochs. 6 (KIP-939, two-phase commit) is not advertised by a stock Apache broker.

import { api, bool, exactInt64, int16, int32, string } from '../schema.ts'

export const InitProducerId = api('InitProducerId', {
  key: 22,
  versions: [0, 6],
  flexible: 2,
  request: {
    transactionalId: string.nullable(),
    transactionTimeoutMs: int32,
    producerId: exactInt64.since(3).or(-1n),
    producerEpoch: int16.since(3).or(-1),
    enable2Pc: bool.since(6).or(false),
    keepPreparedTxn: bool.since(6).or(false),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    errorCode: int16,
    producerId: exactInt64.or(-1n),
    producerEpoch: int16,
    ongoingTxnProducerId: exactInt64.since(6).or(-1n),
    ongoingTxnProducerEpoch: int16.since(6).or(-1),
  },
})
