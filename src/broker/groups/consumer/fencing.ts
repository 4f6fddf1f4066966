// Members that go: by their own wish, an administrator's, or because they were not heard of in time.

import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember, Subscription } from './consumer-member.ts'
import { epochRecord, memberTombstones, regexTombstone } from './records.ts'
import type { GroupTopics } from '../topics.ts'
import { metadataHash } from '../topics.ts'

/** Their partitions are free at once; the others get them with the next assignment. */
export function fencingRecords(group: ConsumerGroup, gone: readonly ConsumerMember[], topics: GroupTopics): GroupRecordInput[] {
  if (gone.length === 0) return []
  const records = gone.flatMap(({ id }) => memberTombstones(group.id, id))
  const regexes = new Map<string, null>()
  const counts = new Map<string, number>()
  for (const { regex } of gone) if (regex !== '') counts.set(regex, (counts.get(regex) ?? 0) + 1)
  for (const [regex, count] of counts) {
    if (group.regexSubscribers(regex) !== count) continue
    regexes.set(regex, null)
    records.push(regexTombstone(group.id, regex))
  }
  const changes = gone.map((member): [Subscription, undefined] => [member, undefined])
  const hash = metadataHash(group.topicsAfter(changes, regexes), topics)
  records.push(epochRecord(group.id, group.epoch + 1, hash))
  return records
}
