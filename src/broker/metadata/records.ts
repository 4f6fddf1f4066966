// Metadata records as the broker handles them: read with every field, written with the version that the finalized
// features allow, so that an older Kafka named by metadata.version could still read the log.

import type { Encodable } from '../../protocol/schema.ts'
import { encodeMetadataRecord } from '../../protocol/records/metadata.ts'
import type { MetadataRecord, MetadataRecordName } from '../../protocol/records/metadata.ts'
import { METADATA_RECORDS } from '../../protocol/records/metadata-schemas.ts'

export type { MetadataRecord, MetadataRecordName }

/** The fields of one kind of record, as read. */
export type RecordOf<N extends MetadataRecordName> = MetadataRecord<N>['value']

/** A record to be written; the version follows from the features. */
export type NewRecord<N extends MetadataRecordName = MetadataRecordName> = {
  [K in N]: {
    readonly name: K
    readonly value: Encodable<(typeof METADATA_RECORDS)[K]['fields']>
  }
}[N]

/** The metadata.version that Apache Kafka 4.3 calls 4.3-IV0, and the oldest one it starts with (3.3-IV3). */
export const METADATA_VERSION = 'metadata.version'
export const LATEST_METADATA_VERSION = 30
export const OLDEST_METADATA_VERSION = 7
export const ELR_VERSION = 'eligible.leader.replicas.version'
/** At 1: consumer groups (KIP-848). */
export const GROUP_VERSION = 'group.version'

// From which metadata.version on Apache writes which version of a record (MetadataVersion.java); rows in rising order.
const VERSIONS: Partial<Record<MetadataRecordName, readonly (readonly [metadataVersion: number, version: number])[]>> = {
  RegisterBrokerRecord: [[7, 1], [8, 2], [17, 3], [30, 4]],
  BrokerRegistrationChangeRecord: [[7, 1], [17, 2], [30, 3]],
  PartitionRecord: [[7, 0], [17, 1], [23, 2]],
  PartitionChangeRecord: [[7, 0], [17, 1], [23, 2]],
} // prettier-ignore

/** The bytes of `record`, in the version that fits the finalized `features`. */
export function encodeRecord(record: NewRecord, features: ReadonlyMap<string, number>): Buffer {
  const level = features.get(METADATA_VERSION) ?? LATEST_METADATA_VERSION
  let version = METADATA_RECORDS[record.name].versions[0]
  for (const [metadataVersion, row] of VERSIONS[record.name] ?? []) if (level >= metadataVersion) version = row
  return encodeMetadataRecord(record.name, version, record.value as never)
}
