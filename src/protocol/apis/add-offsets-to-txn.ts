// A group's partition of __consumer_offsets joins a transaction, before TxnOffsetCommit.

import { api, exactInt64, int16, int32, string } from '../schema.ts'

export const AddOffsetsToTxn = api('AddOffsetsToTxn', {
  key: 25,
  versions: [0, 4],
  flexible: 3,
  request: { transactionalId: string, producerId: exactInt64, producerEpoch: int16, groupId: string },
  response: { throttleTimeMs: int32, errorCode: int16 },
})
