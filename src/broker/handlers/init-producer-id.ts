// InitProducerId (22), versions 0 to 5 as a stock Kafka advertises. Without a transactional id: a producer id that nobody
// had before. With one: the id's producer with a new epoch, which fences whoever had it; from version 3 on for the
// producer that says who it is (KIP-360). Over an ongoing transaction that is aborted, and the answer is
// CONCURRENT_TRANSACTIONS. Two-phase commit (version 6, KIP-939) is not served.

import { InitProducerId } from '../../protocol/apis/init-producer-id.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'
import { forVersion } from '../transactions/errors.ts'
import { NO_PRODUCER } from '../transactions/transaction.ts'
import type { ProducerIdentity } from '../transactions/transaction.ts'

const FENCED_SINCE = 4

export const handleInitProducerId: Handler<typeof InitProducerId> = async (request, context) => {
  try {
    const { producerId, epoch } = await producerFor(request, context)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: epoch }
  } catch (error) {
    const { code } = forVersion(itemError(error, context.broker, 'InitProducerId'), context.apiVersion, FENCED_SINCE)
    return { throttleTimeMs: 0, errorCode: code, producerId: NO_PRODUCER.producerId, producerEpoch: NO_PRODUCER.epoch }
  }
}

async function producerFor(
  { transactionalId, transactionTimeoutMs, producerId, producerEpoch }: RequestOf<typeof InitProducerId>,
  { broker, isAllowed, isAllowedForSome }: RequestContext,
): Promise<ProducerIdentity> {
  if (transactionalId === null) {
    // Who may write to some topic may do so idempotently (KIP-679).
    const mayWrite = isAllowed('IDEMPOTENT_WRITE', 'CLUSTER', CLUSTER_NAME) || isAllowedForSome('WRITE', 'TOPIC')
    if (!mayWrite) throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
  } else if (!isAllowed('WRITE', 'TRANSACTIONAL_ID', transactionalId)) {
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  }
  const hasId = producerId !== NO_PRODUCER.producerId
  if (hasId !== (producerEpoch !== NO_PRODUCER.epoch)) throw new KafkaError('INVALID_REQUEST')
  if (transactionalId === null) return { producerId: await broker.metadata.nextProducerId(), epoch: 0 }
  const expected = hasId ? { producerId, epoch: producerEpoch } : undefined
  return broker.transactions.init(transactionalId, transactionTimeoutMs, expected)
}
