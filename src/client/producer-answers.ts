// What a producer asks for once, and what brokers say about batches they refuse.

import { InitProducerId } from '../protocol/apis/init-producer-id.ts'
import type { Produce } from '../protocol/apis/produce.ts'
import { isRetriable, KafkaError } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { Cluster } from './cluster.ts'
import type { ProducerBatch } from './producer-batch.ts'

/** A new producer id, asked for until the deadline. KafkaError when the cluster gives none. */
export async function initProducerId(cluster: Cluster): Promise<ResponseOf<typeof InitProducerId>> {
  const request = { transactionalId: null, transactionTimeoutMs: 0x7fffffff }
  const response = await cluster.call(InitProducerId, request, { retryIf: ({ errorCode }) => isRetriable(errorCode) })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode)
  return response
}

type PartitionAnswer = ResponseOf<typeof Produce>['responses'][number]['partitionResponses'][number]

/** The broker's text, with the line of the record it blames. */
export function recordErrorText(batch: ProducerBatch, answer: PartitionAnswer): string | null {
  const blamed = answer.recordErrors.at(0)
  if (blamed === undefined) return answer.errorMessage
  const text = blamed.batchIndexErrorMessage ?? answer.errorMessage
  const line = batch.lineOf(blamed.batchIndex)
  return text === null || line === 0 || blamed.batchIndex === 0 ? text : `${text} (line ${line}; a batch is refused whole)`
}
