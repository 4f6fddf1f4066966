// The topics that coordinators keep their state in: made when first needed, and which of their partitions a key is in.

import type { BrokerConfig } from '../config/broker-configs.ts'
import { planNewTopic } from '../metadata/create-topic.ts'
import type { MetadataController } from '../metadata/controller.ts'
import type { Node } from '../metadata/topics.ts'

export interface InternalTopic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
}

/** Nothing happens when it is there. Rejects with KafkaError. */
export async function createInternalTopic(
  topic: InternalTopic,
  metadata: MetadataController,
  config: BrokerConfig,
  node: Node,
): Promise<void> {
  await metadata.submit((image) => {
    if (image.topic(topic.name) !== undefined) return { records: [], result: undefined }
    const configs = Object.entries(topic.configs).map(([name, value]) => ({ name, value }))
    const wanted = { name: topic.name, numPartitions: topic.partitions, replicationFactor: 1, assignments: [], configs }
    return { records: planNewTopic(image, config, node, wanted).records, result: undefined }
  })
}

/** Of `key` among `partitions`: by Java's String.hashCode, which goes by UTF-16 units; Utils.abs of the least int is 0. */
export function partitionOfId(key: string, partitions: number): number {
  let hash = 0
  for (let at = 0; at < key.length; at++) hash = (Math.imul(hash, 31) + key.charCodeAt(at)) | 0
  return hash === -(2 ** 31) ? 0 : Math.abs(hash) % partitions
}
