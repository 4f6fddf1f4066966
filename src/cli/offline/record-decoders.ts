// What the records of the internal topics say, as the decoders of kafka-dump-log print it: key and payload as text. What
// can't be read is told in Java's words in the place of the record, and the dump goes on.

import { ProtocolError } from '../../protocol/errors.ts'
import { Reader } from '../../protocol/reader.ts'
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from '../../protocol/records/consumer-protocol.ts'
import {
  CONTROL_TYPES, decodeControlValue, EndTxnMarker, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord,
  SnapshotHeaderRecord, VotersRecord,
} from '../../protocol/records/control.ts' // prettier-ignore
import type { CoordinatorSchema, CoordinatorSchemas } from '../../protocol/records/coordinator.ts'
import { FOREIGN_GROUP_RECORDS, SHARE_STATE_RECORDS } from '../../protocol/records/foreign-schemas.ts'
import { GROUP_RECORDS } from '../../protocol/records/group-schemas.ts'
import { METADATA_RECORDS } from '../../protocol/records/metadata-schemas.ts'
import { TRANSACTION_RECORDS } from '../../protocol/records/transaction.ts'
import { message, type Fields, type Message } from '../../protocol/schema.ts'
import { runtimeException } from '../apache/java-errors.ts'
import type { LogRecord } from './log-file.ts'
import { messageJson, messageJsonWith } from './record-json.ts'

/** undefined: nothing is printed. */
export interface Decoded {
  readonly key: string | undefined
  readonly value: string | undefined
}

/** Throws JavaErrors where Apache's ends. */
export type RecordDecoder = (record: LogRecord) => Decoded

export const offsetsDecoder: RecordDecoder = coordinatorDecoder({ ...GROUP_RECORDS, ...FOREIGN_GROUP_RECORDS })
export const transactionDecoder: RecordDecoder = coordinatorDecoder(TRANSACTION_RECORDS)
export const shareStateDecoder: RecordDecoder = coordinatorDecoder(SHARE_STATE_RECORDS)

/** Told in the place of the record. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

function coordinatorDecoder(schemas: CoordinatorSchemas): RecordDecoder {
  const byType = new Map(Object.values(schemas).map((schema) => [schema.type, schema]))
  return ({ offset, key, value }) => {
    if (key === null) {
      throw runtimeException(`Failed to decode message at offset ${offset} using the specified decoder (message had a missing key)`)
    }
    try {
      const from = new Reader(key)
      const type = attempt(() => from.int16(), () => "Could not read version from key's buffer.")
      const schema = byType.get(type)
      if (schema === undefined) return { key: `Unknown record type ${type} at offset ${offset}, skipping.`, value: undefined }
      return { key: keyJson(schema, from), value: value === null ? '<DELETE>' : valueJson(schema, value) }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return { key: `Error at offset ${offset}, skipping. ${error.message}`, value: undefined }
    }
  }
}

function keyJson({ type, key }: CoordinatorSchema, from: Reader): string {
  const decoded = attempt(() => key.codec(0).decode(from), () => `Could not read record with version ${type} from key's buffer due to: null.`)
  return `{"type":"${type}","data":${messageJson(key, 0, decoded)}}`
}

function valueJson({ type, value: schema }: CoordinatorSchema, value: Buffer): string {
  const from = new Reader(value)
  const version = attempt(() => from.int16(), () => "Could not read version from value's buffer.")
  const [oldest, newest] = schema.versions
  if (version < oldest || version > newest) throw new DecodeError(`Found an unknown record version ${version} for ${type} type`)
  const decoded = attempt(() => schema.codec(version).decode(from), () => `Could not read record with version ${version} from value's buffer due to: null.`)
  const isConsumer = 'protocolType' in decoded && decoded.protocolType === 'consumer'
  return `{"version":"${version}","data":${isConsumer ? messageJsonWith(schema, version, decoded, memberPart) : messageJson(schema, version, decoded)}}`
}

/** What consumers told each other, where it can be read. */
function memberPart(name: string, value: unknown): string | undefined {
  if (!Buffer.isBuffer(value)) return undefined
  if (name === 'subscription') return protocolJson(ConsumerProtocolSubscription, value)
  return name === 'assignment' ? protocolJson(ConsumerProtocolAssignment, value) : undefined
}

function protocolJson<F extends Fields>(schema: Message<F>, bytes: Buffer): string | undefined {
  try {
    const from = new Reader(bytes)
    const version = from.int16()
    return messageJson(schema, version, schema.codec(version).decode(from))
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}

const FRAME_VERSION = 1

export interface FramedSchema {
  readonly label: string
  readonly message: Message<Fields>
}

const METADATA_BY_TYPE: ReadonlyMap<number, FramedSchema> = new Map(
  Object.entries(METADATA_RECORDS).map(([name, { type, versions, fields }]) => {
    return [type, { label: name.replaceAll(/(?<!^)[A-Z]/g, '_$&').toUpperCase(), message: message<Fields>(name, versions, 0, fields) }]
  }),
)

export const metadataDecoder: RecordDecoder = ({ offset, value }) => {
  try {
    if (value === null) throw new DecodeError('Cannot invoke "org.apache.kafka.common.protocol.Readable.readUnsignedVarint()" because "readable" is null')
    const { schema, version, from } = framed(METADATA_BY_TYPE, value)
    const decoded = attempt(() => schema.message.codec(version).decode(from), () => `Failed to deserialize record with type ${schema.label}`)
    if (from.remaining > 0) throw new DecodeError(`Found ${from.remaining} byte(s) of garbage after ${schema.label}`)
    return { key: undefined, value: `{"type":"${schema.label}","version":${version},"data":${messageJson(schema.message, version, decoded)}}` }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { key: undefined, value: `Error at ${offset}, skipping. ${error.message}` }
  }
}

/** The frame of metadata records: its version, the record's type and version, then the record. */
export function framed<S extends FramedSchema>(schemas: ReadonlyMap<number, S>, value: Buffer): { schema: S; version: number; from: Reader } {
  const from = new Reader(value)
  const frame = attempt(() => from.uvarint(), () => 'Error while reading frame version')
  if (frame !== FRAME_VERSION) {
    throw new DecodeError(`Could not deserialize metadata record due to unknown frame version ${frame}(only frame version 1 is supported)`)
  }
  const type = attempt(() => from.uvarint(), () => 'Error while reading type')
  const version = attempt(() => from.uvarint(), () => 'Error while reading version')
  const schema = schemas.get(type)
  if (schema === undefined) throw new DecodeError(`org.apache.kafka.common.errors.UnsupportedVersionException: Unknown metadata id ${type}`)
  const [oldest, newest] = schema.message.versions
  if (version < oldest || version > newest) throw new DecodeError(`Failed to deserialize record with type ${type}`)
  return { schema, version, from }
}

/** What a control record says, for behind its line. Throws the JavaError of one that can't be read. */
export function controlText({ key, value }: LogRecord): string {
  const type = key !== null && key.length >= 4 ? key.readInt16BE(2) : -1
  const bytes = value ?? Buffer.alloc(0)
  const json = <F extends Fields>(schema: Message<F>): string => {
    const decoded = decodeControlValue(schema, bytes)
    return messageJson(schema, Number((decoded as { version?: unknown }).version ?? 0), decoded)
  }
  switch (type) {
    case CONTROL_TYPES.ABORT:
    case CONTROL_TYPES.COMMIT: {
      const { coordinatorEpoch } = decodeControlValue(EndTxnMarker, bytes)
      return ` endTxnMarker: ${type === CONTROL_TYPES.COMMIT ? 'COMMIT' : 'ABORT'} coordinatorEpoch: ${coordinatorEpoch}`
    }
    case CONTROL_TYPES.LEADER_CHANGE:
      return ` LeaderChange: ${json(LeaderChangeMessage)}`
    case CONTROL_TYPES.SNAPSHOT_HEADER:
      return ` SnapshotHeader ${json(SnapshotHeaderRecord)}`
    case CONTROL_TYPES.SNAPSHOT_FOOTER:
      return ` SnapshotFooter ${json(SnapshotFooterRecord)}`
    case CONTROL_TYPES.KRAFT_VERSION:
      return ` KRaftVersion ${json(KRaftVersionRecord)}`
    case CONTROL_TYPES.KRAFT_VOTERS:
      return ` KRaftVoters ${json(VotersRecord)}`
    default:
      return ` controlType: UNKNOWN(${type})`
  }
}

/** What `read` gives; bytes that make no sense become a DecodeError. */
export function attempt<T>(read: () => T, message: () => string): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ProtocolError) throw new DecodeError(message())
    throw error
  }
}
