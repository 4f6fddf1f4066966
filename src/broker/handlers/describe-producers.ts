// DescribeProducers (61), version 0: the producers that partitions remember, and where their open transactions begin:
// how kafka-transactions.sh finds hanging ones.

import { DescribeProducers } from '../../protocol/apis/describe-producers.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { checkTopicName } from '../metadata/topics.ts'

export const handleDescribeProducers: Handler<typeof DescribeProducers> = ({ topics }, context) => {
  // Each partition once, however often it is named: there may be thousands of producers in it.
  const wanted = new Map<string, Set<number>>()
  for (const { name, partitionIndexes } of topics) {
    const indexes = wanted.get(name) ?? new Set()
    for (const index of partitionIndexes) indexes.add(index)
    wanted.set(name, indexes)
  }
  const rows = Array.from(wanted, ([name, indexes]) => {
    return { name, partitions: Array.from(indexes, (index) => partitionOf(name, index, context)) }
  })
  return { throttleTimeMs: 0, topics: rows }
}

const UNKNOWN_PARTITION = { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null, activeProducers: [] }

function partitionOf(topic: string, partitionIndex: number, { broker, isAllowed }: RequestContext) {
  try {
    checkTopicName(topic)
    if (!isAllowed('READ', 'TOPIC', topic)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
    // Of a partition that is not there Kafka says no more than the code.
    const image = broker.metadata.image.topic(topic)
    if (image?.partitions.has(partitionIndex) === false) return { ...UNKNOWN_PARTITION, partitionIndex }
    const producers = broker.partitions.get(topic, partitionIndex).log.describeProducers()
    const activeProducers = producers.map(({ currentTransactionStartOffset, ...producer }) => ({
      ...producer,
      currentTxnStartOffset: currentTransactionStartOffset,
    }))
    return { partitionIndex, errorCode: ErrorCode.NONE, errorMessage: null, activeProducers }
  } catch (error) {
    const { code, message } = itemError(error, broker, `DescribeProducers of ${topic}-${partitionIndex}`)
    return { partitionIndex, errorCode: code, errorMessage: message, activeProducers: [] }
  }
}
