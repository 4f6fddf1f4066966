// DescribeTopicPartitions (75): topics by name, a page of partitions at a time. The cursor says where the next page
// starts. Topics that the client may not see are told of only when it names them, and then as it would be told of any.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DescribeTopicPartitions } from '../../protocol/apis/describe-topic-partitions.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { authorizedOperations } from '../authorized-operations.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts'
import { existingTopic, isInternalTopic } from '../metadata/topics.ts'

type Cursor = NonNullable<RequestOf<typeof DescribeTopicPartitions>['cursor']>
type Response = ResponseInput<typeof DescribeTopicPartitions>
type TopicResult = Response['topics'][number]

export const handleDescribeTopicPartitions: Handler<typeof DescribeTopicPartitions> = (request, context) => {
  const { broker } = context
  const { image } = broker.metadata
  const { cursor } = request
  const asked = [...new Set(request.topics.map(({ name }) => name))]
  if (cursor !== null && (cursor.partitionIndex < 0 || (asked.length > 0 && !asked.includes(cursor.topicName)))) {
    return { throttleTimeMs: 0, topics: asked.map((name) => refused(name, ErrorCode.INVALID_REQUEST)) }
  }
  const names = (asked.length > 0 ? asked : allNames(image)).sort()
  const limit = Math.max(Math.min(request.responsePartitionLimit, broker.config.maxRequestPartitionSizeLimit), 1)
  const isVisible = (name: string) => context.isAllowed('DESCRIBE', 'TOPIC', name)
  const { topics, nextCursor } = page(context, names.filter(isVisible), cursor, limit)
  const hidden = asked.filter((name) => !isVisible(name) && (cursor === null || name >= cursor.topicName))
  const refusals = hidden.map((name) => refused(name, ErrorCode.TOPIC_AUTHORIZATION_FAILED))
  return { throttleTimeMs: 0, topics: [...topics, ...refusals], nextCursor }
}

function page(
  context: RequestContext,
  names: readonly string[],
  cursor: Cursor | null,
  limit: number,
): Omit<Response, 'throttleTimeMs'> {
  const { image } = context.broker.metadata
  const operationsOn = (name: string) => authorizedOperations(context, 'TOPIC', name)
  const topics: TopicResult[] = []
  let left = limit
  for (const name of names) {
    if (cursor !== null && name < cursor.topicName) continue
    let topic: TopicImage
    try {
      topic = existingTopic(image, name)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      topics.push({ ...refused(name, error.code), topicAuthorizedOperations: operationsOn(name) })
      continue
    }
    if (left === 0) return { topics, nextCursor: { topicName: name, partitionIndex: 0 } }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0
    const partitions = [...topic.partitions.values()].slice(first, first + left)
    left -= partitions.length
    topics.push({
      errorCode: ErrorCode.NONE,
      name,
      topicId: topic.id,
      isInternal: isInternalTopic(name),
      partitions: partitions.map(partitionOf),
      topicAuthorizedOperations: operationsOn(name),
    })
    const next = first + partitions.length
    if (next < topic.partitions.size) return { topics, nextCursor: { topicName: name, partitionIndex: next } }
  }
  return { topics }
}

function allNames(image: MetadataImage): string[] {
  return [...image.topics()].map(({ name }) => name)
}

function partitionOf(partition: PartitionImage): TopicResult['partitions'][number] {
  return {
    errorCode: partition.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
    lastKnownElr: partition.lastKnownElr,
    offlineReplicas: [],
  }
}

function refused(name: string, errorCode: number): TopicResult {
  return { errorCode, name, topicId: ZERO_UUID, partitions: [] }
}
