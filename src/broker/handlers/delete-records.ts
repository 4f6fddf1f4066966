// Moves the start of partitions forward. Answered when the new start is durable: nothing else would keep the records
// from coming back. Of a partition named several times the last offset counts, and it is answered once, as in KafkaApis.

import { DeleteRecords } from '../../protocol/apis/delete-records.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { itemError, type Handler, type RequestContext } from '../handler.ts'
import { isInternalTopic } from '../metadata/topics.ts'

const TO_HIGH_WATERMARK = -1

export const handleDeleteRecords: Handler<typeof DeleteRecords> = async (request, context) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    Array.from(offsetsByPartition(request), async ([name, offsets]) => ({
      name,
      partitions: await Promise.all(
        Array.from(offsets, async ([partitionIndex, offset]) => {
          try {
            const lowWatermark = await deleteBefore(name, partitionIndex, offset, context)
            return { partitionIndex, lowWatermark, errorCode: ErrorCode.NONE }
          } catch (error) {
            const { code } = itemError(error, context.broker, `DeleteRecords in ${name}-${partitionIndex}`)
            return { partitionIndex, lowWatermark: -1, errorCode: code }
          }
        }),
      ),
    })),
  ),
})

function offsetsByPartition({ topics }: RequestOf<typeof DeleteRecords>): Map<string, Map<number, number>> {
  const byTopic = new Map<string, Map<number, number>>()
  for (const { name, partitions } of topics) {
    const offsets = byTopic.get(name) ?? new Map<number, number>()
    byTopic.set(name, offsets)
    for (const { partitionIndex, offset } of partitions) offsets.set(partitionIndex, offset)
  }
  return byTopic
}

async function deleteBefore(topic: string, index: number, offset: number, { broker, isAllowed }: RequestContext): Promise<number> {
  if (!isAllowed('DELETE', 'TOPIC', topic)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
  if (isInternalTopic(topic)) throw new KafkaError('INVALID_TOPIC_EXCEPTION')
  const { log } = broker.partitions.get(topic, index)
  if (!log.config.cleanupPolicy.has('delete') && log.config.cleanupPolicy.size > 0) throw new KafkaError('POLICY_VIOLATION')
  const before = offset === TO_HIGH_WATERMARK ? log.highWatermark : offset
  if (before < 0 || before > log.highWatermark) throw new KafkaError('OFFSET_OUT_OF_RANGE')
  if (before > log.logStartOffset) await log.deleteRecordsBefore(before)
  return log.logStartOffset
}
