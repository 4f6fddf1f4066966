// Metadata records to bytes and back: a frame version (1), the record's type and its version, each a varint,
// then the body. `name` tells the members of MetadataRecord apart.

import { ProtocolError } from '../errors.ts'
import { Reader } from '../reader.ts'
import { message } from '../schema.ts'
import type { Decoded, Encodable, Fields, Message } from '../schema.ts'
import { Writer } from '../writer.ts'
import { METADATA_RECORDS } from './metadata-schemas.ts'

const FRAME_VERSION = 1

type Schemas = typeof METADATA_RECORDS
export type MetadataRecordName = keyof Schemas

/** A record as read. */
export type MetadataRecord<N extends MetadataRecordName = MetadataRecordName> = {
  [K in N]: {
    readonly type: Schemas[K]['type']
    readonly name: K
    readonly version: number
    readonly value: Decoded<Schemas[K]['fields']>
  }
}[N]

interface Row {
  readonly type: number
  readonly name: MetadataRecordName
  readonly message: Message<Fields>
}

const rows = Object.entries(METADATA_RECORDS).map(([name, { type, versions, fields }]): Row => {
  return { type, name: name as MetadataRecordName, message: message<Fields>(name, versions, 0, fields) }
})
const byName = new Map(rows.map((row) => [row.name, row]))
const byType = new Map(rows.map((row) => [row.type, row]))

/** Throws ProtocolError for a version that the record does not have. */
export function encodeMetadataRecord<N extends MetadataRecordName>(
  name: N,
  version: number,
  value: Encodable<Schemas[N]['fields']>,
): Buffer {
  const row = byName.get(name)
  if (row === undefined) throw new ProtocolError(`no metadata record is called ${name}`)
  const to = new Writer(128)
  to.uvarint(FRAME_VERSION)
  to.uvarint(row.type)
  to.uvarint(version)
  row.message.codec(version).encode(to, value)
  return Buffer.concat(to.finish())
}

/** `bytes` is the value of one record. ProtocolError for types and versions that are not in the table. */
export function decodeMetadataRecord(bytes: Buffer): MetadataRecord {
  const from = new Reader(bytes)
  const frame = from.uvarint()
  if (frame !== FRAME_VERSION) throw new ProtocolError(`metadata record in frame version ${frame}`)
  const type = from.uvarint()
  const row = byType.get(type)
  if (row === undefined) throw new ProtocolError(`metadata record of unknown type ${type}`)
  const version = from.uvarint()
  const value = row.message.codec(version).decode(from)
  if (from.remaining > 0) throw new ProtocolError(`${row.name}: ${from.remaining} bytes too many`)
  return { type: row.type, name: row.name, version, value } as MetadataRecord
}
