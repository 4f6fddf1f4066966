// CreatePartitions (37): `count` is how many there shall be.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { CreatePartitions } from '../../protocol/apis/create-partitions.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { checkReplicas, MAX_PARTITIONS_PER_REQUEST, partitionRecords } from '../metadata/topics.ts'
import type { Node } from '../metadata/topics.ts'

type Topic = RequestOf<typeof CreatePartitions>['topics'][number]

export const handleCreatePartitions: Handler<typeof CreatePartitions> = async (request, { broker, isAllowed }) => {
  const node = { nodeId: broker.nodeId, directoryId: broker.store.directoryId }
  const results = await broker.metadata.submit((image) => {
    const records: NewRecord[] = []
    let added = 0
    const names = new Map<string, Topic[]>()
    for (const topic of request.topics) names.set(topic.name, [...(names.get(topic.name) ?? []), topic])
    const result = [...names].map(([name, [topic, ...more]]) => {
      try {
        if (more.length > 0) throw new KafkaError('INVALID_REQUEST', 'Duplicate topic name.')
        if (!isAllowed('ALTER', 'TOPIC', name)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
        const partitions = newPartitions(image, topic, node)
        added += partitions.length
        if (added > MAX_PARTITIONS_PER_REQUEST) {
          throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
        }
        if (!request.validateOnly) records.push(...partitions)
        return { name, errorCode: ErrorCode.NONE, errorMessage: null }
      } catch (error) {
        const { code, message, isStandardText } = itemError(error, broker, `adding partitions to ${name}`)
        return { name, errorCode: code, errorMessage: isStandardText ? null : message }
      }
    })
    return { records, result }
  })
  return { throttleTimeMs: 0, results }
}

function newPartitions(image: MetadataImage, { name, count, assignments }: Topic, node: Node): NewRecord[] {
  const topic = image.topic(name)
  if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  const present = topic.partitions.size
  if (count === present) throw new KafkaError('INVALID_PARTITIONS', `Topic already has ${present} partition(s).`)
  if (count < present) {
    const what = `The topic ${name} currently has ${present} partition(s); ${count} would not be an increase.`
    throw new KafkaError('INVALID_PARTITIONS', what)
  }
  const added = count - present
  if (assignments !== null) {
    if (assignments.length !== added) {
      const what = `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s) were specified.`
      throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', what)
    }
    for (const { brokerIds } of assignments) checkReplicas(brokerIds, node)
  }
  // Told before the records are made: a count may be two milliards.
  if (added > MAX_PARTITIONS_PER_REQUEST) {
    throw new KafkaError('POLICY_VIOLATION', 'Excessively large number of partitions per request.')
  }
  return partitionRecords(topic.id, present, count, node)
}
