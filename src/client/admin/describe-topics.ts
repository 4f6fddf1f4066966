// Topics with their partitions. Brokers since 3.8 answer a page at a time and know eligible leader replicas
// (KIP-966); the others answer with Metadata.

import { DescribeTopicPartitions } from '../../protocol/apis/describe-topic-partitions.ts'
import { ListPartitionReassignments } from '../../protocol/apis/list-partition-reassignments.ts'
import { Metadata } from '../../protocol/apis/metadata.ts'
import { errorName, KafkaError, type ErrorName } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { ResponseOf } from '../../protocol/schema.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { groupBy } from './group-by.ts'
import type { TopicPartition } from './partitions.ts'
import { failed, resultOf, type Result } from './result.ts'
import { type AtController, brokerTimeout, inOrder, isMisdirected, waitOf } from './topics.ts'

const PAGE_PARTITIONS = 2_000 // also the most that a broker gives (max.request.partition.size.limit)
const METADATA_WITH_IDS = 12

export interface TopicDescription {
  readonly name: string
  readonly topicId: string // ZERO_UUID from brokers before 2.8
  readonly isInternal: boolean
  /** Sorted by index. */
  readonly partitions: readonly PartitionDescription[]
  /** A bit for each operation; -2147483648: the broker doesn't say. */
  readonly authorizedOperations: number
}

export interface PartitionDescription {
  readonly partition: number
  readonly error: ErrorName | undefined
  readonly leader: number // -1: none
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
  /** null: the broker doesn't say. */
  readonly eligibleLeaderReplicas: readonly number[] | null
  readonly lastKnownElr: readonly number[] | null
}

/** By name, in the order asked. Throws what Cluster.call throws. */
export async function describeTopics(
  cluster: Cluster,
  names: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<TopicDescription>>> {
  if (names.length === 0) return new Map()
  const isPaged = (await cluster.versionFor(DescribeTopicPartitions, 'any', wait)) !== undefined
  const answers = isPaged
    ? await describeByPage(cluster, names, wait)
    : await describeByMetadata(cluster, names, wait)
  return inOrder(names, answers)
}

type Answers = (readonly [string, Result<TopicDescription>])[]
type Page = ResponseOf<typeof DescribeTopicPartitions>

async function describeByPage(cluster: Cluster, names: readonly string[], wait: Wait): Promise<Answers> {
  const sorted = [...new Set(names)].sort()
  const found = new Map<string, Result<TopicDescription & { partitions: PartitionDescription[] }>>()
  let cursor: Page['nextCursor'] = null
  do {
    const from: string = cursor?.topicName ?? ''
    const request = {
      topics: sorted.filter((name) => name >= from).map((name) => ({ name })),
      responsePartitionLimit: PAGE_PARTITIONS,
      cursor,
    }
    const page: Page = await cluster.call(DescribeTopicPartitions, request, waitOf(wait))
    for (const topic of page.topics) {
      const name = topic.name ?? ''
      const before = found.get(name)
      const partitions = topic.partitions.map((partition) => ({
        ...partitionOf(partition),
        eligibleLeaderReplicas: partition.eligibleLeaderReplicas,
        lastKnownElr: partition.lastKnownElr,
      }))
      if (before?.ok) before.value.partitions.push(...partitions)
      else found.set(name, resultOf(topic.errorCode, null, descriptionOf(topic, partitions)))
    }
    const next = page.nextCursor
    // A cursor that stands still would keep us here for ever.
    if (next && cursor && next.topicName === cursor.topicName && next.partitionIndex <= cursor.partitionIndex)
      break
    cursor = next
  } while (cursor)
  return [...found]
}

async function describeByMetadata(cluster: Cluster, names: readonly string[], wait: Wait): Promise<Answers> {
  const response = await cluster.call(
    Metadata,
    {
      topics: names.map((name) => ({ topicId: ZERO_UUID, name })),
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    },
    waitOf(wait),
  )
  return response.topics.map((topic) => [topic.name ?? '', fromMetadata(topic)])
}

/** By topic id, in the order asked (brokers from 3.1 on). */
export async function describeTopicsById(
  cluster: Cluster,
  topicIds: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<TopicDescription>>> {
  const version = (await cluster.versionFor(Metadata, 'any', wait)) ?? 0
  if (version < METADATA_WITH_IDS) {
    const error = new KafkaError(
      'UNSUPPORTED_VERSION',
      'The broker does not support describing topics by id.',
    )
    return new Map(topicIds.map((id) => [id, failed(error)]))
  }
  const response = await cluster.call(
    Metadata,
    {
      topics: topicIds.map((topicId) => ({ topicId, name: null })),
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    },
    waitOf(wait),
  )
  return inOrder(
    topicIds,
    response.topics.map((topic) => [topic.topicId, fromMetadata(topic)]),
  )
}

function fromMetadata(topic: ResponseOf<typeof Metadata>['topics'][number]): Result<TopicDescription> {
  const partitions = topic.partitions.map((partition) => ({
    ...partitionOf(partition),
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
  }))
  partitions.sort((a, b) => a.partition - b.partition)
  // While some partition has no leader, the topic as a whole carries this error, with everything else in
  // place.
  const errorCode =
    errorName(topic.errorCode) === 'LEADER_NOT_AVAILABLE' && partitions.length > 0 ? 0 : topic.errorCode
  return resultOf(errorCode, null, descriptionOf(topic, partitions))
}

function descriptionOf<P>(
  topic: { name: string | null; topicId: string; isInternal: boolean; topicAuthorizedOperations: number },
  partitions: P,
) {
  const { name, topicId, isInternal, topicAuthorizedOperations } = topic
  return {
    name: name ?? '',
    topicId,
    isInternal,
    partitions,
    authorizedOperations: topicAuthorizedOperations,
  }
}

function partitionOf(partition: ResponseOf<typeof Metadata>['topics'][number]['partitions'][number]) {
  const { errorCode, partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes, offlineReplicas } =
    partition
  return {
    partition: partitionIndex,
    error: errorCode === 0 ? undefined : errorName(errorCode),
    leader: leaderId,
    leaderEpoch,
    replicas: replicaNodes,
    isr: isrNodes,
    offlineReplicas,
  }
}

export interface Reassignment {
  readonly topic: string
  readonly partition: number
  readonly replicas: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

/**
 * Partitions that are on the move, of `partitions` when given. Throws KafkaError when the cluster refuses or doesn't know the question.
 */
export async function listPartitionReassignments(
  cluster: Cluster,
  { partitions, node = 'controller', ...wait }: AtController & { readonly partitions?: readonly TopicPartition[] } = {},
): Promise<Reassignment[]> {
  const topics = partitions && [...groupBy(partitions, ({ topic }) => topic)].map(([name, group]) => ({
    name,
    partitionIndexes: group.map(({ partition }) => partition),
  })) // prettier-ignore
  const request = { topics: topics ?? null, timeoutMs: brokerTimeout(cluster, wait) }
  const response = await cluster.call(ListPartitionReassignments, request, {
    ...waitOf(wait),
    node,
    retryIf: (answer) => isMisdirected([answer]),
  })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  return response.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
      topic: name,
      partition: partitionIndex,
      replicas,
      adding: addingReplicas,
      removing: removingReplicas,
    })),
  )
}
