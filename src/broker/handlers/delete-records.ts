// Moves the start of partitions forward. Answered when the new start is durable: nothing else would keep the records
// from coming back.

import { DeleteRecords } from '../../protocol/apis/delete-records.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError, type Handler, type RequestContext } from '../handler.ts'
import { isInternalTopic } from '../metadata/topics.ts'

const TO_HIGH_WATERMARK = -1

export const handleDeleteRecords: Handler<typeof DeleteRecords> = async (request, context) => ({
  throttleTimeMs: 0,
  topics: await Promise.all(
    request.topics.map(async ({ name, partitions }) => ({
      name,
      partitions: await Promise.all(
        partitions.map(async ({ partitionIndex, offset }) => {
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
