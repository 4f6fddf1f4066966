// Metadata (3): where everything is. A topic that is not there is made on the way where broker and request allow it, and
// answered at once: clients take that, and need not come again as they must with Apache.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { Metadata } from '../../protocol/apis/metadata.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { authorizedOperations, clusterOperations, NOT_ASKED } from '../authorized-operations.ts'
import { advertisedOn } from '../advertised.ts'
import type { Broker } from '../broker.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { planNewTopic } from '../metadata/create-topic.ts'
import { METADATA_TOPIC } from '../metadata/image.ts'
import type { PartitionImage, TopicImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { checkTopicName, isInternalTopic, MAX_PARTITIONS_PER_REQUEST } from '../metadata/topics.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

type Request = RequestOf<typeof Metadata>
type TopicResult = ResponseInput<typeof Metadata>['topics'][number]

const IDS_SINCE = 12

export const handleMetadata: Handler<typeof Metadata> = async (request, context) => {
  const { broker, apiVersion, listener } = context
  const wanted = wantedTopics(request, apiVersion)
  const malformed = wanted?.find(({ name, topicId }) => {
    return (apiVersion < IDS_SINCE && topicId !== ZERO_UUID) || (name === null && topicId === ZERO_UUID)
  })
  if (wanted !== undefined && malformed !== undefined) return allRefused(wanted)

  const rows = wanted === undefined ? everyTopic(context) : await namedTopics(wanted, request, context)
  const topics = request.includeTopicAuthorizedOperations ? rows.map((row) => withOperations(row, context)) : rows
  const { nodeId, host, port } = advertisedOn(broker, listener)
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId, host, port, rack: broker.config.rack }],
    clusterId: broker.clusterId,
    controllerId: broker.nodeId,
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations(context) : NOT_ASKED,
    errorCode: ErrorCode.NONE,
  }
}

interface Wanted {
  readonly name: string | null
  readonly topicId: string
}

/** undefined: all of them. Version 0 has no null, and asks for all with an empty list. */
function wantedTopics(request: Request, apiVersion: number): Wanted[] | undefined {
  if (request.topics === null || (apiVersion === 0 && request.topics.length === 0)) return undefined
  // Where an id is given, names do not count: each id once, whatever names come with it.
  const keyOf = ({ topicId, name }: Wanted) => (topicId === ZERO_UUID ? JSON.stringify(name) : topicId)
  const byKey = new Map(request.topics.map((topic) => [keyOf(topic), topic]))
  return [...byKey.values()]
}

function everyTopic(context: RequestContext): TopicResult[] {
  const topics = [...context.broker.metadata.image.topics()]
  return topics.filter(({ name }) => context.isAllowed('DESCRIBE', 'TOPIC', name)).map(found)
}

/** Of topics that the client may not see nothing is told. */
function withOperations(row: TopicResult, context: RequestContext): TopicResult {
  if (row.name === null || row.errorCode === ErrorCode.TOPIC_AUTHORIZATION_FAILED) return row
  return { ...row, topicAuthorizedOperations: authorizedOperations(context, 'TOPIC', row.name) }
}

async function namedTopics(
  wanted: readonly Wanted[],
  request: Request,
  context: RequestContext,
): Promise<TopicResult[]> {
  // Where some are asked for by id, names do not count (KafkaApis).
  const ids = wanted.filter(({ topicId }) => topicId !== ZERO_UUID)
  const { broker } = context
  const { image } = broker.metadata
  const isVisible = (name: string) => context.isAllowed('DESCRIBE', 'TOPIC', name)
  if (ids.length > 0) {
    return ids.map(({ topicId }) => {
      const topic = image.topicById(topicId)
      if (topic === undefined) return notFound(null, topicId, ErrorCode.UNKNOWN_TOPIC_ID)
      return isVisible(topic.name) ? found(topic) : notFound(null, topicId, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    })
  }
  const names = wanted.map(({ name }) => name ?? '')
  const missing = names.filter((name) => image.topic(name) === undefined && isVisible(name))
  const createsMissing = request.allowAutoTopicCreation && broker.config.autoCreateTopics
  const mayCreate = (name: string) => {
    return context.isAllowed('CREATE', 'CLUSTER', CLUSTER_NAME) || context.isAllowed('CREATE', 'TOPIC', name)
  }
  const creatable = createsMissing ? missing.filter(mayCreate) : []
  const errors = creatable.length > 0 ? await createTopics(creatable, broker) : new Map<string, number>()
  return names.map((name) => {
    // Before anything that would tell whether there is such a topic.
    if (!isVisible(name)) return notFound(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    const topic = image.topic(name)
    if (topic !== undefined) return found(topic)
    if (createsMissing && !mayCreate(name)) return notFound(name, ZERO_UUID, ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    return notFound(name, ZERO_UUID, errors.get(name) ?? errorOfMissing(name))
  })
}

/**
 * All of `names` in one commit. Returns the codes of those that could not be made. When the metadata log takes nothing they
 * are missing, and clients ask again.
 */
async function createTopics(names: readonly string[], broker: Broker): Promise<Map<string, number>> {
  const errors = new Map<string, number>()
  const node = { nodeId: broker.nodeId, directoryId: broker.store.directoryId }
  const made = broker.metadata.submit((image) => {
    const records: NewRecord[] = []
    let partitions = 0
    for (const name of names) {
      // Another request may have been faster; internal topics are made by what keeps its state in them.
      if (image.topic(name) !== undefined || isInternalTopic(name) || name === METADATA_TOPIC) continue
      try {
        const byDefault = { numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }
        const planned = planNewTopic(image, broker.config, node, { name, ...byDefault })
        partitions += planned.partitions
        if (partitions > MAX_PARTITIONS_PER_REQUEST) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
        records.push(...planned.records)
      } catch (error) {
        errors.set(name, itemError(error, broker, `creating topic ${name}`).code)
      }
    }
    return { records, result: undefined }
  })
  await made.catch((error: unknown) => void itemError(error, broker, 'creating topics'))
  return errors
}

function errorOfMissing(name: string): number {
  try {
    checkTopicName(name)
    return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

function found(topic: TopicImage): TopicResult {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: [...topic.partitions.values()].map(partitionOf),
  }
}

function partitionOf(partition: PartitionImage): TopicResult['partitions'][number] {
  return {
    errorCode: partition.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
    partitionIndex: partition.index,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    offlineReplicas: [],
  }
}

function notFound(name: string | null, topicId: string, errorCode: number): TopicResult {
  return { errorCode, name, topicId, isInternal: false, partitions: [] }
}

/** Kafka's answer to ids before they were allowed, and to neither name nor id. */
function allRefused(wanted: readonly Wanted[]): ResponseInput<typeof Metadata> {
  const error = ErrorCode.INVALID_REQUEST
  const topics = wanted.map(({ name, topicId }) => notFound(name ?? '', topicId, error))
  return { throttleTimeMs: 0, brokers: [], topics, errorCode: error }
}
