// DescribeTopicPartitions (75): topics by name, a page of partitions at a time. The cursor says where the next page
// starts.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DescribeTopicPartitions } from '../../protocol/apis/describe-topic-partitions.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { TOPIC_OPERATIONS } from '../authorized-operations.ts'
import type { Handler } from '../handler.ts'
import type { MetadataImage, PartitionImage, TopicImage } from '../metadata/image.ts'
import { existingTopic, isInternalTopic } from '../metadata/topics.ts'

type Cursor = NonNullable<RequestOf<typeof DescribeTopicPartitions>['cursor']>
type Response = ResponseInput<typeof DescribeTopicPartitions>
type TopicResult = Response['topics'][number]

export const handleDescribeTopicPartitions: Handler<typeof DescribeTopicPartitions> = (request, { broker }) => {
  const { image } = broker.metadata
  const { cursor } = request
  const asked = [...new Set(request.topics.map(({ name }) => name))]
  if (cursor !== null && (cursor.partitionIndex < 0 || (asked.length > 0 && !asked.includes(cursor.topicName)))) {
    return { throttleTimeMs: 0, topics: asked.map((name) => refused(name, ErrorCode.INVALID_REQUEST)) }
  }
  const names = (asked.length > 0 ? asked : allNames(image)).sort()
  const limit = Math.max(Math.min(request.responsePartitionLimit, broker.config.maxRequestPartitionSizeLimit), 1)
  return { throttleTimeMs: 0, ...page(image, names, cursor, limit) }
}

function page(
  image: MetadataImage,
  names: readonly string[],
  cursor: Cursor | null,
  limit: number,
): Omit<Response, 'throttleTimeMs'> {
  const topics: TopicResult[] = []
  let left = limit
  for (const name of names) {
    if (cursor !== null && name < cursor.topicName) continue
    let topic: TopicImage
    try {
      topic = existingTopic(image, name)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      topics.push({ ...refused(name, error.code), topicAuthorizedOperations: TOPIC_OPERATIONS })
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
      topicAuthorizedOperations: TOPIC_OPERATIONS,
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
