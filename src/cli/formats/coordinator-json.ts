// Records of coordinators as Kafka's CoordinatorRecordMessageFormatter prints them: one JSON object each, with no line break
// behind it, made from the declarations of protocol/records. As Apache's generated converters have it, fields come in the
// declared order, those that the version lacks are left out, and so are tagged ones at their default.

import { KafkaError, ProtocolError } from '../../protocol/errors.ts'
import { type CoordinatorSchemas, decodeCoordinatorRecord } from '../../protocol/records/coordinator.ts'
import { GROUP_RECORDS } from '../../protocol/records/group-schemas.ts'
import { TRANSACTION_RECORDS } from '../../protocol/records/transaction.ts'
import type { RecordCursor } from '../../protocol/record-cursor.ts'
import type { Fields, Type } from '../../protocol/schema.ts'

type StoredRecord = Pick<RecordCursor, 'offset' | 'key' | 'value'>

/** Undefined: prints nothing. Throws KafkaError for a record that can't be read. */
type RecordJson = (record: StoredRecord) => string | undefined

const NONE: RecordJson = () => undefined

/** By the class's own name. Records of share groups are not declared here; their formatters find none. */
export const COORDINATOR_FORMATS: Readonly<Record<string, RecordJson>> = {
  OffsetsMessageFormatter: recordJson(GROUP_RECORDS, ['LegacyOffsetCommit', 'OffsetCommit']),
  GroupMetadataMessageFormatter: recordJson(GROUP_RECORDS, ['GroupMetadata']),
  TransactionLogMessageFormatter: recordJson(TRANSACTION_RECORDS, ['TransactionLog']),
  ShareGroupMessageFormatter: NONE,
  ShareGroupStateMessageFormatter: NONE,
}

function recordJson(schemas: CoordinatorSchemas, names: readonly string[]): RecordJson {
  return (cursor) => {
    const key = cursor.key()
    if (key === null) return undefined
    const record = decoded(schemas, key, cursor)
    if (record.name === 'Unknown' || !('value' in record) || !names.includes(record.name)) return undefined
    const schema = schemas[record.name]
    const keyText = `{"type":${schema.type},"data":${structJson(schema.key.fields, record.key, 0)}}`
    const { value } = record
    if (value === null) return `{"key":${keyText},"value":null}`
    return `{"key":${keyText},"value":{"version":${record.version},"data":${structJson(schema.value.fields, value, record.version)}}}`
  }
}

function decoded(schemas: CoordinatorSchemas, key: Buffer, cursor: StoredRecord) {
  try {
    return decodeCoordinatorRecord(schemas, key, cursor.value())
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    throw new KafkaError('INVALID_RECORD', `Could not read record at offset ${cursor.offset} due to: ${error.message}`, { cause: error })
  }
}

function structJson(fields: Fields, value: Readonly<Record<string, unknown>>, version: number): string {
  const members = Object.entries(fields).flatMap(([name, type]) => {
    const { since = 0, until = Infinity, tag, taggedSince = 0 } = type.settings
    if (version < since || version > until) return []
    const isTagged = tag !== undefined
    if (isTagged && (version < taggedSince || isDefault(type, value[name]))) return []
    return [`${JSON.stringify(name)}:${valueJson(type, value[name], version)}`]
  })
  return `{${members.join(',')}}`
}

function isDefault({ fallback }: Type<unknown, boolean>, value: unknown): boolean {
  return value === fallback || (Array.isArray(value) && value.length === 0 && Array.isArray(fallback))
}

function valueJson(type: Type<unknown, boolean>, value: unknown, version: number): string {
  const { element, fields } = type.settings
  if (value === null || value === undefined) return 'null'
  if (element !== undefined && Array.isArray(value)) return `[${value.map((item) => valueJson(element, item, version)).join(',')}]`
  if (fields !== undefined) return structJson(fields, value as Readonly<Record<string, unknown>>, version)
  if (Buffer.isBuffer(value)) return `"${value.toString('base64')}"`
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}
