// CreateTopics (19). Everything of one request is one commit: a topic that is refused does not keep the others back.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { CreateTopics } from '../../protocol/apis/create-topics.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { Broker } from '../broker.ts'
import { describeTopicConfigs } from '../config/resolve.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { planNewTopic } from '../metadata/create-topic.ts'
import type { PlannedTopic } from '../metadata/create-topic.ts'
import { METADATA_TOPIC } from '../metadata/image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { MAX_PARTITIONS_PER_REQUEST } from '../metadata/topics.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

type Request = RequestOf<typeof CreateTopics>
type Topic = Request['topics'][number]
type TopicResult = ResponseInput<typeof CreateTopics>['topics'][number]

export const handleCreateTopics: Handler<typeof CreateTopics> = async (request, context) => {
  const { broker } = context
  const topics = await broker.metadata.submit((image) => {
    const records: NewRecord[] = []
    const isTooMuch = partitionsAskedFor(request, broker) > MAX_PARTITIONS_PER_REQUEST
    const results = unique(request.topics).map(({ topic, isDuplicate }): TopicResult => {
      try {
        if (isDuplicate) throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
        if (!mayCreate(topic.name, context)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED', 'Authorization failed.')
        if (isTooMuch) throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
        const node = { nodeId: broker.nodeId, directoryId: broker.store.directoryId }
        const planned = planNewTopic(image, broker.config, node, topic)
        if (!request.validateOnly) records.push(...planned.records)
        return created(topic.name, planned, context, image)
      } catch (error) {
        return refused(topic.name, itemError(error, broker, `creating topic ${topic.name}`))
      }
    })
    return { records, result: results }
  })
  return { throttleTimeMs: 0, topics }
}

/** The name that nobody may create is refused for what it is. */
function mayCreate(name: string, { isAllowed }: RequestContext): boolean {
  return name === METADATA_TOPIC || isAllowed('CREATE', 'CLUSTER', CLUSTER_NAME) || isAllowed('CREATE', 'TOPIC', name)
}

function created(name: string, planned: PlannedTopic, context: RequestContext, image: MetadataImage): TopicResult {
  const made = { name, topicId: planned.topicId, errorCode: ErrorCode.NONE, errorMessage: null }
  if (!context.isAllowed('DESCRIBE_CONFIGS', 'TOPIC', name)) {
    return { ...made, topicConfigErrorCode: ErrorCode.TOPIC_AUTHORIZATION_FAILED, configs: [] }
  }
  return {
    ...made,
    topicConfigErrorCode: ErrorCode.NONE,
    numPartitions: planned.partitions,
    replicationFactor: planned.replicas,
    configs: effectiveConfigs(context.broker, image, planned),
  }
}

/** Sorted by name, unlike those of DescribeConfigs. */
function effectiveConfigs(broker: Broker, image: MetadataImage, planned: PlannedTopic): TopicResult['configs'] {
  const configs = describeTopicConfigs(broker.config, image, planned.configs)
  return configs
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, value, isReadOnly: readOnly, source: configSource, isSensitive }) => {
      return { name, value, readOnly, configSource, isSensitive }
    })
}

function refused(name: string, error: KafkaError): TopicResult {
  return {
    name,
    topicId: ZERO_UUID,
    errorCode: error.code,
    errorMessage: error.message,
    topicConfigErrorCode: ErrorCode.NONE,
    configs: [],
  }
}

/** Each name once, in the order of the request. */
function unique(topics: readonly Topic[]): { topic: Topic; isDuplicate: boolean }[] {
  const byName = new Map<string, { topic: Topic; isDuplicate: boolean }>()
  for (const topic of topics) byName.set(topic.name, { topic, isDuplicate: byName.has(topic.name) })
  return [...byName.values()]
}

function partitionsAskedFor({ topics }: Request, { config }: Broker): number {
  let partitions = 0
  for (const { assignments, numPartitions } of topics) {
    if (assignments.length > 0) partitions += assignments.length
    else partitions += numPartitions === -1 ? config.numPartitions : Math.max(numPartitions, 0)
  }
  return partitions
}
