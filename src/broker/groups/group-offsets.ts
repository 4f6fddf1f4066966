// What becomes of a group's offsets: they are committed, deleted when nobody uses them, go with their topics or their
// group, and expire. The group, of whatever kind, says who may commit and what is in use. Pure: records, nothing changed.

import { KafkaError } from '../../protocol/errors.ts'
import type { GroupRecordInput } from '../../protocol/records/group.ts'
import type { Now } from '../coordinator/shard.ts'
import type { Group } from './group.ts'
import { offsetRecord, offsetTombstone } from './offsets.ts'
import type { CommittedOffset, OffsetEntry, OffsetKey, Offsets } from './offsets.ts'

export function commitRecords(offsets: readonly OffsetEntry[]): GroupRecordInput[] {
  return offsets.map(([key, value]) => offsetRecord(key, value))
}

/** Which of `keys` may be deleted, and are there; which are in use. Throws KafkaError NON_EMPTY_GROUP. */
export function deletable(offsets: Offsets, group: Group, keys: readonly OffsetKey[]): { deleted: OffsetKey[]; inUse: OffsetKey[] } {
  if (!group.isEmpty && !group.knowsTopics) throw new KafkaError('NON_EMPTY_GROUP')
  const isSubscribedTo = group.subscription()
  const inUse = keys.filter(({ topic }) => isSubscribedTo(topic))
  const deleted = keys.filter((key) => !isSubscribedTo(key.topic) && offsets.get(key) !== undefined)
  return { deleted, inUse }
}

/** Of everything the group has, also what open transactions are about to commit. */
export function endOfAll(offsets: Offsets, groupId: string): GroupRecordInput[] {
  return entries(offsets, groupId).map(([key]) => offsetTombstone(key))
}

/** Of all groups' offsets for topics that are gone; `isGone` is asked with each offset's topic. */
export function endOfTopics(offsets: Offsets, isGone: (topic: string, topicId: string) => boolean): GroupRecordInput[] {
  const all = offsets.groups().flatMap((id) => entries(offsets, id))
  return all.filter(([{ topic }, { topicId }]) => isGone(topic, topicId)).map(([key]) => offsetTombstone(key))
}

/** Of what is too old in one group. `isLast`: nothing is left of the group then, and it goes, too. */
export function endOfOld(offsets: Offsets, group: Group, retentionMs: number, now: Now): { records: GroupRecordInput[]; isLast: boolean } {
  const committed = offsets.of(group.id)
  const isSubscribedTo = group.subscription()
  const expired = committed.filter(([key, offset]) => {
    return !isSubscribedTo(key.topic) && !offsets.isPending(key) && isOld(group, offset, retentionMs, now)
  })
  const isLast = expired.length === committed.length && offsets.pendingOf(group.id).length === 0 && group.isVacant
  return { records: expired.map(([key]) => offsetTombstone(key)), isLast }
}

function isOld(group: Group, offset: CommittedOffset, retentionMs: number, now: Now): boolean {
  if (offset.expireTimestamp >= 0) return offset.expireTimestamp <= now.wall
  const since = group.unusedSince(offset)
  return since !== undefined && now.wall - since >= retentionMs
}

function entries(offsets: Offsets, groupId: string): OffsetEntry[] {
  return [...offsets.of(groupId), ...offsets.pendingOf(groupId)]
}
