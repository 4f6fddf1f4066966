// Produce requests: the batches that go to one broker together.

import type { Produce } from '../protocol/apis/produce.ts'
import type { RequestInput } from '../protocol/schema.ts'
import type { ClientConfig } from './client-config.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerPartition } from './producer-partition.ts'

export interface Sent {
  readonly partition: ProducerPartition
  readonly batch: ProducerBatch
}

/** `transactionalId` null: the records are of no transaction. */
export function produceRequest(sent: readonly Sent[], config: ClientConfig, transactionalId: string | null): RequestInput<typeof Produce> {
  const { acks, compressionType, compressionLevel } = config.producer
  const topics = new Map<string, { name: string; topicId: string; partitionData: { index: number; records: Buffer }[] }>()
  for (const { partition, batch } of sent) {
    const { topic, topicId, index } = partition
    let data = topics.get(topic)
    if (data === undefined) topics.set(topic, (data = { name: topic, topicId, partitionData: [] }))
    data.partitionData.push({ index, records: batch.sealed(compressionType, compressionLevel, transactionalId !== null) })
  }
  return { transactionalId, acks, timeoutMs: config.requestTimeoutMs, topicData: [...topics.values()] }
}
