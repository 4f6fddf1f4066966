// Topics: which names are legal, and how a new topic or partition becomes records. Messages as the controller's
// (ReplicationControlManager, Topic). Pure: an image in, records or a KafkaError out.

import { KafkaError } from '../../protocol/errors.ts'
import { METADATA_TOPIC } from './image.ts'
import type { MetadataImage, TopicImage } from './image.ts'
import type { NewRecord } from './records.ts'

export const MAX_PARTITIONS_PER_REQUEST = 10_000 // ReplicationControlManager.MAX_PARTITIONS_PER_BATCH
const MAX_NAME_LENGTH = 249 // 255 of a file name, less what a deleted partition's directory gets

const INTERNAL_TOPICS: ReadonlySet<string> = new Set(['__consumer_offsets', '__transaction_state', '__share_group_state'])

export interface Node {
  readonly nodeId: number
  readonly directoryId: string
}

export interface Assignment {
  readonly partitionIndex: number
  readonly brokerIds: readonly number[]
}

export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name)
}

/** Throws KafkaError INVALID_TOPIC_EXCEPTION with Kafka's message. */
export function checkTopicName(name: string): void {
  const refuse = (reason: string) => new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${reason}`)
  if (name === '') throw refuse('the empty string is not allowed')
  if (name === '.' || name === '..') throw refuse(`'${name}' is not allowed`)
  if (name.length > MAX_NAME_LENGTH) {
    throw refuse(`the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`)
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    throw refuse(`'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`)
  }
}

/** Throws when `name` can't be a new topic: illegal, reserved, taken, or the same metric name as another's. */
export function checkNewTopicName(image: MetadataImage, name: string): void {
  if (name === METADATA_TOPIC) {
    throw new KafkaError('INVALID_REQUEST', `Creation of internal topic ${METADATA_TOPIC} is prohibited.`)
  }
  checkTopicName(name)
  if (image.topic(name) !== undefined) throw new KafkaError('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
  // Names within one request are not held against each other (asked of Apache 4.3: a.b and a_b are both made).
  const other = image.collidingTopic(name)
  if (other === undefined) return
  throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
}

export interface NewTopic {
  readonly name: string
  readonly numPartitions: number
  readonly replicationFactor: number
  readonly assignments: readonly Assignment[]
}

/** How many partitions and replicas the topic gets. Throws KafkaError for counts and assignments that can't be. */
export function planTopic(
  { numPartitions, replicationFactor, assignments }: NewTopic,
  node: Node,
  defaults: { readonly numPartitions: number; readonly defaultReplicationFactor: number },
): { partitions: number; replicas: number } {
  if (assignments.length > 0) {
    const was = (what: string) => `A manual partition assignment was specified, but ${what} was not set to -1.`
    if (replicationFactor !== -1) throw new KafkaError('INVALID_REQUEST', was('replication factor'))
    if (numPartitions !== -1) throw new KafkaError('INVALID_REQUEST', was('number of partitions'))
    checkAssignments(assignments, node)
    return { partitions: assignments.length, replicas: 1 }
  }
  if (replicationFactor < -1 || replicationFactor === 0) {
    const what = 'Replication factor must be larger than 0, or -1 to use the default value.'
    throw new KafkaError('INVALID_REPLICATION_FACTOR', what)
  }
  if (numPartitions < -1 || numPartitions === 0) {
    throw new KafkaError('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  const replicas = replicationFactor === -1 ? defaults.defaultReplicationFactor : replicationFactor
  if (replicas > 1) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `Unable to replicate the partition ${replicas} time(s): The target replication factor of ${replicas} cannot be ` +
        'reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.',
    )
  }
  return { partitions: numPartitions === -1 ? defaults.numPartitions : numPartitions, replicas }
}

function checkAssignments(assignments: readonly Assignment[], node: Node): void {
  const seen = new Set<number>()
  for (const { partitionIndex, brokerIds } of assignments) {
    if (seen.has(partitionIndex)) {
      const what = `Found multiple manual partition assignments for partition ${partitionIndex}`
      throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', what)
    }
    seen.add(partitionIndex)
    checkReplicas(brokerIds, node)
  }
  for (let index = 0; index < assignments.length; index++) {
    if (seen.has(index)) continue
    throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', 'partitions should be a consecutive 0-based integer sequence')
  }
}

/** Throws KafkaError INVALID_REPLICA_ASSIGNMENT unless the one replica is this node. */
export function checkReplicas(brokerIds: readonly number[], { nodeId }: Node): void {
  const refuse = (what: string) => {
    return new KafkaError('INVALID_REPLICA_ASSIGNMENT', `The manual partition assignment includes ${what}`)
  }
  if (brokerIds.length === 0) throw refuse('an empty replica list.')
  // In the order of their ids, as Kafka looks at them.
  const [first, ...others] = [...brokerIds].sort((a, b) => a - b)
  if (first !== nodeId) throw refuse(`broker ${first}, but no such broker is registered.`)
  if (others.length === 0) return
  throw refuse(others[0] === nodeId ? `the broker ${nodeId} more than once.` : `broker ${others[0]}, but no such broker is registered.`)
}

export function topicRecords(name: string, topicId: string, partitions: number, node: Node): NewRecord[] {
  return [{ name: 'TopicRecord', value: { name, topicId } }, ...partitionRecords(topicId, 0, partitions, node)]
}

/** Partitions `from` … `to` - 1, each led by the one node. */
export function partitionRecords(topicId: string, from: number, to: number, node: Node): NewRecord[] {
  const replicas = [node.nodeId]
  const records: NewRecord[] = []
  for (let partitionId = from; partitionId < to; partitionId++) {
    records.push({
      name: 'PartitionRecord',
      value: {
        partitionId,
        topicId,
        replicas,
        isr: replicas,
        removingReplicas: [],
        addingReplicas: [],
        leader: node.nodeId,
        leaderEpoch: 0,
        partitionEpoch: 0,
        directories: [node.directoryId],
      },
    })
  }
  return records
}

/** Throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, or INVALID_TOPIC_EXCEPTION for a name no topic can have. */
export function existingTopic(image: MetadataImage, name: string): TopicImage {
  checkTopicName(name)
  const topic = image.topic(name)
  if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  return topic
}
