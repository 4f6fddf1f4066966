// A classic group as its record has it.

import type { GroupRecordInput } from '../../protocol/records/group.ts'
import { GROUP_RECORDS } from '../../protocol/records/group-schemas.ts'
import type { ValueOf } from '../../protocol/schema.ts'

export type GroupMetadata = ValueOf<typeof GROUP_RECORDS.GroupMetadata.value>

const VERSION = 3 // what Apache writes; 4 is flexible, and nothing needs it

export function metadataRecord(group: string, value: GroupMetadata): GroupRecordInput {
  return { name: 'GroupMetadata', key: { group }, version: VERSION, value }
}

export function groupTombstone(group: string): GroupRecordInput {
  return { name: 'GroupMetadata', key: { group }, value: null }
}
