// EndTxn (26), versions 0 to 5. Answered when the markers are durable, so that whoever reads after the answer sees the
// outcome (DECISIONS.md, Transactions). From version 5 on the answer has the producer's next epoch, or its next id when
// the epochs are exhausted (KIP-890).

import { EndTxn } from '../../protocol/apis/end-txn.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { forVersion } from '../transactions/errors.ts'
import { EPOCH_PER_TRANSACTION, NO_PRODUCER } from '../transactions/transaction.ts'

const FENCED_SINCE = 2
const EPOCH_PER_TRANSACTION_SINCE = 5

export const handleEndTxn: Handler<typeof EndTxn> = async (request, { broker, apiVersion, isAllowed }) => {
  const { transactionalId, producerId, producerEpoch, committed } = request
  try {
    if (!isAllowed('WRITE', 'TRANSACTIONAL_ID', transactionalId)) {
      throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    }
    const producer = { producerId, epoch: producerEpoch }
    const version = apiVersion >= EPOCH_PER_TRANSACTION_SINCE ? EPOCH_PER_TRANSACTION : 0
    const next = await broker.transactions.end(transactionalId, producer, committed, version)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId: next.producerId, producerEpoch: next.epoch }
  } catch (error) {
    const { code } = forVersion(itemError(error, broker, `EndTxn of ${transactionalId}`), apiVersion, FENCED_SINCE)
    return { throttleTimeMs: 0, errorCode: code, producerId: NO_PRODUCER.producerId, producerEpoch: NO_PRODUCER.epoch }
  }
}
