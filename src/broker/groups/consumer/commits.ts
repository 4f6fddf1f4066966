// Whether somebody may commit, or read, offsets of a consumer group (KIP-848, KIP-1251). A member says its epoch; an old one
// does for partitions that it has had since then or before.

import { KafkaError } from '../../../protocol/errors.ts'
import type { Committer, OffsetReader } from '../group.ts'
import type { OffsetEntry } from '../offsets.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { dynamicMember } from './identity.ts'

/** Throws KafkaError. */
export function checkCommit(
  group: ConsumerGroup,
  { memberId, instanceId, generation, producer, knowsGroupNotFound }: Committer,
  offsets: readonly OffsetEntry[],
): void {
  // From outside: an administrator, or a consumer without group management; or a transaction that says nothing.
  if (generation < 0 && group.members.size === 0) return
  if (producer !== undefined && generation === -1 && memberId === '' && instanceId === null) return
  const member = dynamicMember(group, memberId)
  if (producer === undefined && member.classic === null && !knowsGroupNotFound) {
    throw new KafkaError('UNSUPPORTED_VERSION', 'OffsetCommit version 9 or above must be used by members using the consumer group protocol')
  }
  if (generation === member.epoch) return
  const isTransactional = producer !== undefined
  if (generation > member.epoch) throw stale(member, generation, isTransactional)
  for (const [{ partition }, { topicId }] of offsets) {
    const since = member.assigned.get(topicId)?.get(partition) ?? member.revoking.get(topicId)?.get(partition)
    if (since === undefined || generation < since) throw stale(member, generation, isTransactional)
  }
}

/** Throws KafkaError. */
export function checkFetch(group: ConsumerGroup, { memberId, memberEpoch: epoch }: OffsetReader): void {
  if (memberId === null && epoch < 0) return
  const member = dynamicMember(group, memberId ?? '')
  if (member.epoch !== epoch) throw stale(member, epoch, false)
}

function stale({ classic, epoch: current }: ConsumerMember, epoch: number, isTransactional: boolean): KafkaError {
  const what = `The received member epoch ${epoch} does not match the expected member epoch ${current}.`
  return new KafkaError(classic !== null || isTransactional ? 'ILLEGAL_GENERATION' : 'STALE_MEMBER_EPOCH', what)
}
