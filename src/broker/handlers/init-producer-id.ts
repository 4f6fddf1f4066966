// A producer id for a producer without transactions: one that nobody had before. Transactions are not served yet.

import { InitProducerId } from '../../protocol/apis/init-producer-id.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

export const handleInitProducerId: Handler<typeof InitProducerId> = async (request, context) => {
  const { broker } = context
  const { transactionalId } = request
  if (transactionalId === '') return refusal(new KafkaError('INVALID_REQUEST'))
  // Of the errors this answer may have, one that every client gives up on; others are retried until a timeout.
  if (transactionalId !== null) return refusal(new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'))
  // Who may write to some topic may do so idempotently (KIP-679).
  if (!context.isAllowed('IDEMPOTENT_WRITE', 'CLUSTER', CLUSTER_NAME) && !context.isAllowedForSome('WRITE', 'TOPIC')) {
    return refusal(new KafkaError('CLUSTER_AUTHORIZATION_FAILED'))
  }
  const producerId = await broker.metadata.nextProducerId()
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 }
}

function refusal(error: KafkaError) {
  return { throttleTimeMs: 0, errorCode: error.code, producerId: -1n, producerEpoch: -1 }
}
