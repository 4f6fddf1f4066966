// Records of __consumer_offsets to bytes and back: what classic and consumer groups write, and the offsets of all. Those
// of share and streams groups are Unknown here; they stay in the log as they are.

import { decodeCoordinatorRecord, encodeCoordinatorRecord } from './coordinator.ts'
import type { CoordinatorRecord, CoordinatorRecordInput, RecordBytes } from './coordinator.ts'
import { GROUP_RECORDS } from './group-schemas.ts'

export type GroupRecord = CoordinatorRecord<typeof GROUP_RECORDS>
export type GroupRecordInput = CoordinatorRecordInput<typeof GROUP_RECORDS>
export type GroupRecordName = keyof typeof GROUP_RECORDS

/** Throws ProtocolError for a version that the record does not have. */
export function encodeGroupRecord(record: GroupRecordInput): RecordBytes {
  return encodeCoordinatorRecord(GROUP_RECORDS, record)
}

/** ProtocolError for a known type in an unknown version, and for bytes that make no sense. */
export function decodeGroupRecord(key: Buffer, value: Buffer | null): GroupRecord {
  return decodeCoordinatorRecord(GROUP_RECORDS, key, value)
}
