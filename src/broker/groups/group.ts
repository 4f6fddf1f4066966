// What any kind of group is to the rest of the broker: how it is listed, who may commit to it, which of its offsets are in
// use, what ends it. Who adds a kind of group implements this, and finds its records a place in group-shard.ts.

import { encodeGroupRecord } from '../../protocol/records/group.ts'
import type { GroupRecordInput } from '../../protocol/records/group.ts'
import type { Answer, Producer, Step } from '../coordinator/shard.ts'
import type { CommittedOffset, OffsetEntry } from './offsets.ts'

export type GroupType = 'classic' | 'consumer'

/** Who commits offsets. */
export interface Committer {
  readonly memberId: string
  readonly instanceId: string | null
  /** -1: from outside the group. */
  readonly generation: number
  readonly producer?: Producer
  /** OffsetCommit from version 9 on: knows of groups that are not there, and of member epochs. */
  readonly knowsGroupNotFound: boolean
}

/** Who reads offsets; `memberId` null: somebody from outside, or who need not say. */
export interface OffsetReader {
  readonly memberId: string | null
  readonly memberEpoch: number
}

export interface Group {
  readonly id: string
  readonly type: GroupType
  readonly protocolType: string
  /** In Kafka's words. */
  readonly state: string
  /** Has no members: may be deleted. */
  readonly isEmpty: boolean
  /** Nor has anybody been given an id to join with: goes with the last of its offsets. */
  readonly isVacant: boolean
  /** Whether it can tell which topics its members read; where not, all its offsets are in use while it has members. */
  readonly knowsTopics: boolean
  /** Tells of which topics the offsets are in use, as it is now: ask for it once, since it may be long to read. */
  subscription(): (topic: string) => boolean
  /** Throws KafkaError. */
  checkCommit(committer: Committer, offsets: readonly OffsetEntry[]): void
  /** Throws KafkaError. */
  checkFetch(reader: OffsetReader): void
  /** Ms since 1970 from which on an offset that is not in use grows old; undefined: it doesn't. */
  unusedSince(offset: CommittedOffset): number | undefined
  /** The records that end it; its offsets are not among them. */
  tombstones(): readonly GroupRecordInput[]
}

export function groupStep(records: readonly GroupRecordInput[], then: () => readonly Answer[]): Step {
  return { records: records.map(encodeGroupRecord), then }
}
