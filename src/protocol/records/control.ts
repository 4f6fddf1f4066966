// Control records: transaction markers in any log, and what Raft writes into __cluster_metadata and its
// snapshots. A key is two int16, version and type. A value starts with its version: the messages of Raft have
// it as a field of their own, a transaction marker in front of the body.

import { ProtocolError } from '../errors.ts'
import { Reader } from '../reader.ts'
import { array, int16, int32, int64, message, string, struct, uint16, uuid } from '../schema.ts'
import type { Decoded, Encodable, Fields, Message } from '../schema.ts'
import { Writer } from '../writer.ts'

export const CONTROL_TYPES = {
  ABORT: 0,
  COMMIT: 1,
  LEADER_CHANGE: 2,
  SNAPSHOT_HEADER: 3,
  SNAPSHOT_FOOTER: 4,
  KRAFT_VERSION: 5,
  KRAFT_VOTERS: 6,
} as const

export type ControlType = keyof typeof CONTROL_TYPES

/** The value of ABORT and COMMIT. */
export const EndTxnMarker = message('EndTxnMarker', [0, 0], Infinity, { coordinatorEpoch: int32 })

export const LeaderChangeMessage = message('LeaderChangeMessage', [0, 1], 0, {
  version: int16,
  leaderId: int32,
  voters: array({ voterId: int32, voterDirectoryId: uuid.since(1) }),
  grantingVoters: array({ voterId: int32, voterDirectoryId: uuid.since(1) }),
})

export const SnapshotHeaderRecord = message('SnapshotHeaderRecord', [0, 0], 0, {
  version: int16,
  lastContainedLogTimestamp: int64,
})

export const SnapshotFooterRecord = message('SnapshotFooterRecord', [0, 0], 0, { version: int16 })

export const KRaftVersionRecord = message('KRaftVersionRecord', [0, 0], 0, {
  version: int16,
  kRaftVersion: int16,
})

/** The value of KRAFT_VOTERS. */
export const VotersRecord = message('VotersRecord', [0, 0], 0, {
  version: int16,
  voters: array({
    voterId: int32,
    voterDirectoryId: uuid,
    endpoints: array({ name: string, host: string, port: uint16 }),
    kRaftVersionFeature: struct({ minSupportedVersion: int16, maxSupportedVersion: int16 }),
  }),
})

/** The body of a key, after its version. */
export const ControlRecordTypeSchema = message('ControlRecordTypeSchema', [0, 0], Infinity, { type: int16 })

export function encodeControlKey(type: ControlType): Buffer {
  return encodeControlValue(ControlRecordTypeSchema, 0, { type: CONTROL_TYPES[type] })
}

/** undefined for types of later releases, which readers pass over. */
export function decodeControlKey(key: Buffer): ControlType | undefined {
  const { type } = decodeControlValue(ControlRecordTypeSchema, key)
  return (Object.keys(CONTROL_TYPES) as ControlType[]).find((name) => CONTROL_TYPES[name] === type)
}

/** A `version` among the fields must be the same one. */
export function encodeControlValue<F extends Fields>(
  schema: Message<F>,
  version: number,
  value: Encodable<F>,
): Buffer {
  const to = new Writer(64)
  if (!('version' in schema.fields)) to.int16(version)
  schema.codec(version).encode(to, value)
  return Buffer.concat(to.finish())
}

/** Versions above those declared are read as the highest one, as Kafka does: they only add at the end. */
export function decodeControlValue<F extends Fields>(schema: Message<F>, bytes: Buffer): Decoded<F> {
  const from = new Reader(bytes)
  const version = from.int16()
  if (version < 0) throw new ProtocolError(`${schema.name} of version ${version}`)
  if ('version' in schema.fields) from.position = 0
  return schema.codec(Math.min(version, schema.versions[1])).decode(from)
}
