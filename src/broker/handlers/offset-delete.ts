// OffsetDelete (47): offsets of partitions that the group's members don't consume.

import type { OffsetDelete } from '../../protocol/apis/offset-delete.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'

export const handleOffsetDelete: Handler<typeof OffsetDelete> = async (request, { broker, isAllowed }) => {
  const { groupId: group, topics } = request
  const isThere = (topic: string, partition: number): boolean => {
    return broker.metadata.image.topic(topic)?.partitions.has(partition) === true
  }
  const mayRead = (topic: string) => isAllowed('READ', 'TOPIC', topic)
  const keys = topics.flatMap(({ name: topic, partitions }) =>
    partitions
      .filter(({ partitionIndex }) => mayRead(topic) && isThere(topic, partitionIndex))
      .map(({ partitionIndex: partition }) => ({ group, topic, partition })),
  )
  try {
    if (!isAllowed('DELETE', 'GROUP', group)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
    const { inUse } = await broker.groups.deleteOffsets(group, keys)
    const subscribed = new Set(inUse.map(({ topic }) => topic))
    const codeOf = (topic: string, partition: number): number => {
      if (!mayRead(topic)) return ErrorCode.TOPIC_AUTHORIZATION_FAILED
      if (!isThere(topic, partition)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      return subscribed.has(topic) ? ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCode.NONE
    }
    const rows = topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf(name, partitionIndex) })),
    }))
    return { errorCode: ErrorCode.NONE, throttleTimeMs: 0, topics: rows }
  } catch (error) {
    return { errorCode: itemError(error, broker, `OffsetDelete of ${group}`).code, throttleTimeMs: 0, topics: [] }
  }
}
