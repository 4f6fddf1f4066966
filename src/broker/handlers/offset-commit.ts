// OffsetCommit (8). Versions 2 to 4 bring a retention of their own; from 6 on with the leader's epoch, from 7 on with the
// instance id; from 10 on topics go by id. What a consumer commits comes back as it was, metadata and epoch included.

import type { OffsetCommit } from '../../protocol/apis/offset-commit.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import type { Broker } from '../broker.ts'
import type { CommittedOffset, OffsetKey } from '../groups/offsets.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import type { TopicImage } from '../metadata/image.ts'

type Partition = RequestOf<typeof OffsetCommit>['topics'][number]['partitions'][number]

const IDS_SINCE = 10
const GROUP_NOT_FOUND_SINCE = 9

export const handleOffsetCommit: Handler<typeof OffsetCommit> = async (request, { broker, apiVersion, isAllowed }) => {
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch, retentionTimeMs } = request
  const mayCommit = isAllowed('READ', 'GROUP', groupId)
  const now = broker.clock.now()
  const expireTimestamp = retentionTimeMs < 0 ? -1 : now + retentionTimeMs
  const offsets: (readonly [OffsetKey, CommittedOffset])[] = []
  const rows = request.topics.map(({ name, topicId, partitions }) => {
    const topic = apiVersion >= IDS_SINCE ? broker.metadata.image.topicById(topicId) : broker.metadata.image.topic(name)
    // A name is refused before it is told whether there is such a topic; an id can't be, without its name.
    const topicName = apiVersion >= IDS_SINCE ? topic?.name : name
    const mayRead = topicName === undefined || isAllowed('READ', 'TOPIC', topicName)
    const refusal = authorizationError(mayCommit, mayRead)
    const checked = partitions.map((partition) => {
      const error = refusal ?? commitError(partition, topic, apiVersion, broker)
      if (error === undefined && topic !== undefined) {
        const key = { group: groupId, topic: topic.name, partition: partition.partitionIndex }
        offsets.push([key, committedOffset(partition, topic, now, expireTimestamp)])
      }
      return { partitionIndex: partition.partitionIndex, errorCode: error?.code ?? ErrorCode.NONE }
    })
    return { name, topicId, partitions: checked }
  })
  if (offsets.length === 0) return { throttleTimeMs: 0, topics: rows }
  const failure = await commit()
  const topics = rows.map((row) => ({
    ...row,
    partitions: row.partitions.map((partition) => ({ ...partition, errorCode: partition.errorCode || failure })),
  }))
  return { throttleTimeMs: 0, topics }

  async function commit(): Promise<number> {
    const committer = {
      memberId,
      instanceId: groupInstanceId,
      generation: generationIdOrMemberEpoch,
      knowsGroupNotFound: apiVersion >= GROUP_NOT_FOUND_SINCE,
    }
    try {
      await broker.groups.commit(groupId, committer, offsets)
      return ErrorCode.NONE
    } catch (error) {
      return itemError(error, broker, `OffsetCommit of ${groupId}`).code
    }
  }
}

function authorizationError(mayCommit: boolean, mayRead: boolean): KafkaError | undefined {
  if (!mayCommit) return new KafkaError('GROUP_AUTHORIZATION_FAILED')
  return mayRead ? undefined : new KafkaError('TOPIC_AUTHORIZATION_FAILED')
}

function commitError(
  { partitionIndex, committedMetadata }: Partition,
  topic: TopicImage | undefined,
  apiVersion: number,
  { config }: Broker,
): KafkaError | undefined {
  if (topic === undefined) return new KafkaError(apiVersion >= IDS_SINCE ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION')
  if (!topic.partitions.has(partitionIndex)) return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  // Counted in characters, as Kafka does.
  if ((committedMetadata?.length ?? 0) > config.offsetMetadataMaxBytes) return new KafkaError('OFFSET_METADATA_TOO_LARGE')
  return undefined
}

function committedOffset(
  { committedOffset: offset, committedLeaderEpoch: leaderEpoch, committedMetadata }: Partition,
  { id: topicId }: TopicImage,
  commitTimestamp: number,
  expireTimestamp: number,
): CommittedOffset {
  return { offset, leaderEpoch, metadata: committedMetadata ?? '', commitTimestamp, expireTimestamp, topicId }
}
