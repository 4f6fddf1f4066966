// OffsetFetch (9). One group up to version 7, several from 8 on; from 10 on topics go by id. What was never committed is
// offset −1 without an error, in a group that does not exist, too. From 7 on a client may insist on stable offsets.

import type { OffsetFetch } from '../../protocol/apis/offset-fetch.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { FoundOffset } from '../groups/group-coordinator.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'

interface GroupRequest {
  readonly groupId: string
  /** From version 9 on, of members of consumer groups. */
  readonly memberId: string | null
  readonly memberEpoch: number
  readonly topics: readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: readonly number[] }[] | null
}
type GroupResult = ResponseInput<typeof OffsetFetch>['groups'][number]
type TopicRow = GroupResult['topics'][number]
type PartitionRow = TopicRow['partitions'][number]

const GROUPS_SINCE = 8
const IDS_SINCE = 10
const GROUP_ERROR_SINCE = 2

export const handleOffsetFetch: Handler<typeof OffsetFetch> = async (request, context) => {
  const { apiVersion } = context
  const { requireStable } = request
  if (apiVersion >= GROUPS_SINCE) {
    const wanted = new Map(request.groups.map((group) => [group.groupId, group]))
    const groups = await Promise.all(Array.from(wanted.values(), (group) => fetchGroup(group, requireStable, context)))
    return { throttleTimeMs: 0, topics: [], groups }
  }
  const topics = request.topics?.map(({ name, partitionIndexes }) => ({ name, topicId: ZERO_UUID, partitionIndexes })) ?? null
  const { groupId } = request
  const { topics: rows, errorCode = ErrorCode.NONE } = await fetchGroup({ groupId, topics, memberId: null, memberEpoch: -1 }, requireStable, context)
  return { throttleTimeMs: 0, topics: rows.map(({ name, partitions }) => ({ name, partitions })), errorCode, groups: [] }
}

async function fetchGroup(
  { groupId, topics, memberId, memberEpoch }: GroupRequest,
  requireStable: boolean,
  context: RequestContext,
): Promise<GroupResult> {
  const { apiVersion, broker } = context
  const { image } = broker.metadata
  const rowOf = ({ key, offset, isPending }: FoundOffset): PartitionRow => {
    if (requireStable && isPending) return missing(key.partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
    if (offset === undefined) return missing(key.partition, ErrorCode.NONE)
    const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = offset
    return { partitionIndex: key.partition, committedOffset, committedLeaderEpoch, metadata, errorCode: ErrorCode.NONE }
  }
  const maySee = (topic: string) => context.isAllowed('DESCRIBE', 'TOPIC', topic)
  const named = (topics === null ? undefined : once(topics, apiVersion))?.map(({ name: asNamed, topicId, partitionIndexes }) => {
    const name = apiVersion >= IDS_SINCE ? image.topicById(topicId)?.name : asNamed
    const refusal = name === undefined ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.TOPIC_AUTHORIZATION_FAILED
    return { name, topicId, partitionIndexes, refusal, isRefused: name === undefined || !maySee(name) }
  })
  const keys = named?.flatMap(({ name: topic, partitionIndexes, isRefused }) => {
    return topic === undefined || isRefused ? [] : partitionIndexes.map((partition) => ({ group: groupId, topic, partition }))
  })
  let found: FoundOffset[]
  try {
    if (!context.isAllowed('DESCRIBE', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
    found = await broker.groups.fetch(groupId, keys, { memberId, memberEpoch })
  } catch (error) {
    return failed(groupId, named, itemError(error, broker, `OffsetFetch of ${groupId}`).code, apiVersion)
  }
  if (named === undefined) {
    const byTopic = new Map<string, FoundOffset[]>()
    for (const each of found) {
      const offsets = byTopic.get(each.key.topic)
      if (offsets === undefined) byTopic.set(each.key.topic, [each])
      else offsets.push(each)
    }
    const rows = [...byTopic].flatMap(([name, offsets]): TopicRow[] => {
      return maySee(name) ? [{ name, topicId: image.topic(name)?.id ?? ZERO_UUID, partitions: offsets.map(rowOf) }] : []
    })
    // Without an id a topic can't be named from version 10 on.
    return { groupId, topics: apiVersion >= IDS_SINCE ? rows.filter(({ topicId }) => topicId !== ZERO_UUID) : rows }
  }
  const next = found.values()
  const rows = named.map(({ name, topicId, partitionIndexes, refusal, isRefused }): TopicRow => {
    const partitions = partitionIndexes.map((partition) => {
      const offset = isRefused ? undefined : next.next().value
      return offset === undefined ? missing(partition, refusal) : rowOf(offset)
    })
    return { name: name ?? '', topicId, partitions }
  })
  return { groupId, topics: rows }
}

/** Each topic and partition once, however often it is named: one that is named in 4 bytes may be answered with 4 KB. */
function once(topics: NonNullable<GroupRequest['topics']>, apiVersion: number): NonNullable<GroupRequest['topics']> {
  const byTopic = new Map<string, { name: string; topicId: string; indexes: Set<number> }>()
  for (const { name, topicId, partitionIndexes } of topics) {
    const key = apiVersion >= IDS_SINCE ? topicId : name
    const { indexes } = byTopic.get(key) ?? { indexes: new Set<number>() }
    for (const index of partitionIndexes) indexes.add(index)
    byTopic.set(key, { name, topicId, indexes })
  }
  return Array.from(byTopic.values(), ({ name, topicId, indexes }) => ({ name, topicId, partitionIndexes: [...indexes] }))
}

/** Before version 2 an answer has no error but those of partitions. */
function failed(
  groupId: string,
  topics: readonly { name: string | undefined; topicId: string; partitionIndexes: readonly number[] }[] | undefined,
  errorCode: number,
  apiVersion: number,
): GroupResult {
  if (apiVersion >= GROUP_ERROR_SINCE || topics === undefined) return { groupId, topics: [], errorCode }
  const rows = topics.map(({ name = '', topicId, partitionIndexes }): TopicRow => {
    return { name, topicId, partitions: partitionIndexes.map((partition) => missing(partition, errorCode)) }
  })
  return { groupId, topics: rows, errorCode }
}

function missing(partitionIndex: number, errorCode: number): PartitionRow {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode }
}
