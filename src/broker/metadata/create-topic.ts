// One new topic, from what is asked for to its records: shared by CreateTopics and by topics that come into being
// when somebody asks for them.

import { randomUuid } from '../../base/uuid.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { checkTopicConfigs, configRecords } from '../config/alterations.ts'
import type { BrokerConfig } from '../config/broker-configs.ts'
import { ResourceType } from './image.ts'
import type { MetadataImage } from './image.ts'
import type { NewRecord } from './records.ts'
import { checkNewTopicName, planTopic, topicRecords } from './topics.ts'
import type { NewTopic, Node } from './topics.ts'

export interface TopicRequest extends NewTopic {
  readonly configs: readonly { readonly name: string; readonly value: string | null }[]
}

export interface PlannedTopic {
  readonly topicId: string
  readonly partitions: number
  readonly replicas: number
  readonly configs: ReadonlyMap<string, string>
  readonly records: readonly NewRecord[]
}

/** Throws the KafkaError that the topic is refused with. */
export function planNewTopic(image: MetadataImage, config: BrokerConfig, node: Node, topic: TopicRequest): PlannedTopic {
  checkNewTopicName(image, topic.name)
  const configs = new Map<string, string>()
  for (const { name, value } of topic.configs) {
    if (value === null) throw new KafkaError('INVALID_CONFIG', `Null value not supported for topic configs: ${name}`)
    configs.set(name, value)
  }
  checkTopicConfigs(config, image, configs)
  const { partitions, replicas } = planTopic(topic, node, config)
  const topicId = randomUuid()
  const [topicRecord, ...rest] = topicRecords(topic.name, topicId, partitions, node)
  const ownConfigs = configRecords(ResourceType.topic, topic.name, new Map(), configs)
  return { topicId, partitions, replicas, configs, records: [topicRecord, ...ownConfigs, ...rest] }
}
