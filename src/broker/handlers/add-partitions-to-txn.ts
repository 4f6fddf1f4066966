// AddPartitionsToTxn (24). Versions 0 to 3 are a producer's: partitions join its transaction, all of them or none. 4 and
// 5 are between brokers, several transactions a request, and may only ask (verifyOnly). Clients that know
// transaction.version 2 leave it out: their writes add the partitions.

import { AddPartitionsToTxn } from '../../protocol/apis/add-partitions-to-txn.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { isInternalTopic } from '../metadata/topics.ts'
import { checkCluster } from '../security/cluster.ts'
import { forVersion } from '../transactions/errors.ts'
import { EPOCH_PER_TRANSACTION } from '../transactions/transaction.ts'

type Transaction = RequestOf<typeof AddPartitionsToTxn>['transactions'][number]
type ErrorOf = (topic: string, partition: number) => KafkaError | undefined

const BETWEEN_BROKERS_SINCE = 4
const FENCED_SINCE = 2

export const handleAddPartitionsToTxn: Handler<typeof AddPartitionsToTxn> = async (request, context) => {
  if (context.apiVersion < BETWEEN_BROKERS_SINCE) {
    const transaction = {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    }
    const { topicResults } = await resultOf(transaction, context)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction: [], resultsByTopicV3AndBelow: topicResults }
  }
  checkCluster(context, 'CLUSTER_ACTION')
  const resultsByTransaction = await Promise.all(request.transactions.map((each) => resultOf(each, context)))
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, resultsByTransaction, resultsByTopicV3AndBelow: [] }
}

async function resultOf(transaction: Transaction, context: RequestContext) {
  const { transactionalId, topics } = transaction
  const errorOf = await added(transaction, context).catch((error: unknown): ErrorOf => {
    const failure = itemError(error, context.broker, `AddPartitionsToTxn of ${transactionalId}`)
    return () => forVersion(failure, context.apiVersion, FENCED_SINCE)
  })
  const topicResults = topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partitionIndex) => ({
      partitionIndex,
      partitionErrorCode: errorOf(name, partitionIndex)?.code ?? ErrorCode.NONE,
    })),
  }))
  return { transactionalId, topicResults }
}

async function added(transaction: Transaction, context: RequestContext): Promise<ErrorOf> {
  const { transactionalId, producerId, producerEpoch, topics, verifyOnly } = transaction
  const { broker, apiVersion, isAllowed } = context
  const isClient = apiVersion < BETWEEN_BROKERS_SINCE
  if (isClient && !isAllowed('WRITE', 'TRANSACTIONAL_ID', transactionalId)) {
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  }
  const refusals = new Map<string, KafkaError>()
  for (const { name, partitions } of topics) {
    const isRefused = isClient && (isInternalTopic(name) || !isAllowed('WRITE', 'TOPIC', name))
    for (const partition of partitions) {
      const isThere = broker.metadata.image.topic(name)?.partitions.has(partition) === true
      if (isRefused) refusals.set(`${name}-${partition}`, new KafkaError('TOPIC_AUTHORIZATION_FAILED'))
      else if (!isThere) refusals.set(`${name}-${partition}`, new KafkaError('UNKNOWN_TOPIC_OR_PARTITION'))
    }
  }
  if (refusals.size > 0) {
    const rest = new KafkaError('OPERATION_NOT_ATTEMPTED')
    return (topic, partition) => refusals.get(`${topic}-${partition}`) ?? rest
  }
  const producer = { producerId, epoch: producerEpoch }
  if (!verifyOnly) {
    const wanted = new Map(topics.map(({ name, partitions }) => [name, new Set(partitions)]))
    await broker.transactions.add(transactionalId, producer, wanted, isClient ? 0 : EPOCH_PER_TRANSACTION)
    return () => undefined
  }
  const has = await broker.transactions.verify(transactionalId, producer)
  const missing = new KafkaError('TRANSACTION_ABORTABLE')
  return (topic, partition) => (has(topic, partition) ? undefined : missing)
}
