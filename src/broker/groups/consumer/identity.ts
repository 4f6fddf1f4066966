// Whether somebody is the member of a consumer group that he says he is, and whether there is room for one more.

import { KafkaError } from '../../../protocol/errors.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import type { ConsumerSettings } from './settings.ts'

export function checkSize(group: ConsumerGroup, memberId: string, instanceId: string | null, { maxSize }: ConsumerSettings): void {
  if (group.staticMember(instanceId) !== undefined) return
  if (group.members.size < maxSize || (memberId !== '' && group.members.has(memberId))) return
  const what = `The consumer group has reached its maximum capacity of ${maxSize} members.`
  throw new KafkaError('GROUP_MAX_SIZE_REACHED', what)
}

/** Throws KafkaError. */
export function dynamicMember(group: ConsumerGroup, memberId: string): ConsumerMember {
  const member = group.members.get(memberId)
  if (member !== undefined) return member
  throw new KafkaError('UNKNOWN_MEMBER_ID', `Member ${memberId} is not a member of group ${group.id}.`)
}

/** The member with this instance id, if it has this member id, too. Throws KafkaError. */
export function knownStatic(group: ConsumerGroup, memberId: string, instanceId: string): ConsumerMember {
  const member = group.staticMember(instanceId)
  if (member === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID', `Instance id ${instanceId} is unknown.`)
  if (member.id !== memberId) {
    const what = `Static member ${memberId} with instance id ${instanceId} was fenced by member ${member.id}.`
    throw new KafkaError('FENCED_INSTANCE_ID', what)
  }
  return member
}
