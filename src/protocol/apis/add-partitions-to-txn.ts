// Partitions join a transaction. Producers speak version 3 and below, one transaction a request; 4 and above are
// between brokers, several transactions, and can ask only whether the partitions are in already.

import { api, array, bool, exactInt64, int16, int32, string } from '../schema.ts'

const topics = array({ name: string, partitions: array(int32) })
const topicResults = array({
  name: string,
  resultsByPartition: array({ partitionIndex: int32, partitionErrorCode: int16 }),
})

export const AddPartitionsToTxn = api('AddPartitionsToTxn', {
  key: 24,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: array({
      transactionalId: string,
      producerId: exactInt64,
      producerEpoch: int16,
      verifyOnly: bool.or(false),
      topics,
    }).since(4),
    v3AndBelowTransactionalId: string.until(3),
    v3AndBelowProducerId: exactInt64.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: topics.until(3),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16.since(4).ignorable(),
    resultsByTransaction: array({ transactionalId: string, topicResults }).since(4),
    resultsByTopicV3AndBelow: topicResults.until(3),
  },
})
