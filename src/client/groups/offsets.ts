// Committed offsets on the wire: the same question in the two shapes that versions give it. Topics go by name; the versions
// that know them by id alone (10 on) are for commits that mean one incarnation of a topic.

import { OffsetCommit } from '../../protocol/apis/offset-commit.ts'
import { OffsetFetch } from '../../protocol/apis/offset-fetch.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { groupBy } from '../admin/group-by.ts'
import type { TopicPartition } from '../admin/partitions.ts'
import type { Cluster, Wait } from '../cluster.ts'

export interface CommittedOffset extends TopicPartition {
  readonly offset: number // -1: none
  readonly leaderEpoch: number // -1: not said
  readonly metadata: string
  readonly errorCode: number
}

/** Who asks; from outside a group: nobody, generation −1. */
export interface Asker {
  readonly memberId: string
  /** The generation of a classic group, or the member's epoch. */
  readonly generation: number
  readonly instanceId: string | null
}

const OUTSIDER: Asker = { memberId: '', generation: -1, instanceId: null }

const LAST_VERSION_WITH_NAMES = 9
const FIRST_VERSION_WITH_GROUPS = 8

/**
 * What the group committed; all of it where `partitions` is null. `isStable`: offsets that a transaction has yet to commit
 * are UNSTABLE_OFFSET_COMMIT. Errors are codes: the group's, or a partition's own.
 */
export async function fetchOffsets(
  cluster: Cluster,
  node: number,
  groupId: string,
  partitions: readonly TopicPartition[] | null,
  options: Wait & { readonly isStable?: boolean },
): Promise<{ readonly errorCode: number; readonly offsets: readonly CommittedOffset[] }> {
  const { isStable = false, ...wait } = options
  const version = Math.min((await cluster.versionFor(OffsetFetch, node, wait)) ?? 1, LAST_VERSION_WITH_NAMES)
  const hasGroups = version >= FIRST_VERSION_WITH_GROUPS
  const topics =
    partitions === null
      ? null
      : [...groupBy(partitions, ({ topic }) => topic)].map(([name, list]) => ({ name, topicId: ZERO_UUID, partitionIndexes: list.map(({ partition }) => partition) }))
  const request = {
    groupId: hasGroups ? '' : groupId,
    topics: hasGroups ? [] : topics,
    groups: hasGroups ? [{ groupId, topics }] : [],
    requireStable: isStable && version >= 7,
  }
  const response = await cluster.call(OffsetFetch, request, { ...wait, node, maxVersion: version })
  const answer = hasGroups ? response.groups.at(0) : response
  const offsets = (answer?.topics ?? []).flatMap(({ name, partitions: list }) =>
    list.map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode }) => ({
      topic: name,
      partition: partitionIndex,
      offset: Number(committedOffset),
      leaderEpoch: committedLeaderEpoch,
      metadata: metadata ?? '',
      errorCode,
    })),
  )
  return { errorCode: answer?.errorCode ?? 0, offsets }
}

export interface OffsetToCommit extends TopicPartition {
  /** Of the topic that was read: under its name there may be another one by now, whose offsets these are not. */
  readonly topicId?: string | undefined
  readonly offset: number
  readonly leaderEpoch?: number | undefined
  readonly metadata?: string | undefined
}

/** Error codes by partition; UNKNOWN_TOPIC_ID where the topic that was read is gone. Ids count when all offsets have one. */
export async function commitOffsets(
  cluster: Cluster,
  node: number,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  { asker = OUTSIDER, ...wait }: Wait & { readonly asker?: Asker },
): Promise<readonly (TopicPartition & { readonly errorCode: number })[]> {
  const hasIds = offsets.every(({ topicId }) => topicId !== undefined)
  const names = new Map(offsets.map(({ topicId = ZERO_UUID, topic }) => [topicId, topic]))
  const request = {
    groupId,
    memberId: asker.memberId,
    generationIdOrMemberEpoch: asker.generation,
    groupInstanceId: asker.instanceId,
    topics: [...groupBy(offsets, ({ topic }) => topic)].map(([name, list]) => ({
      name,
      topicId: list[0].topicId ?? ZERO_UUID,
      partitions: list.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      })),
    })),
  }
  const options = { ...wait, node, ...(hasIds ? {} : { maxVersion: LAST_VERSION_WITH_NAMES }) }
  const { topics } = await cluster.call(OffsetCommit, request, options)
  return topics.flatMap(({ name, topicId, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => ({ topic: name || (names.get(topicId) ?? ''), partition: partitionIndex, errorCode })),
  )
}
