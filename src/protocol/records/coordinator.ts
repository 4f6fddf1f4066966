// What the records of coordinators have in common, in __consumer_offsets and __transaction_state alike: a key starts
// with an int16, the record's type, and a value with another, its version. A record without a value is a tombstone.

import { Reader } from '../reader.ts'
import { message } from '../schema.ts'
import type { Encodable, Fields, InputOf, Message, ValueOf } from '../schema.ts'
import { Writer } from '../writer.ts'

export interface CoordinatorSchema<
  T extends number = number,
  K extends Fields = Fields,
  V extends Fields = Fields,
> {
  readonly type: T
  readonly key: Message<K>
  readonly value: Message<V>
}

export type CoordinatorSchemas = Readonly<Record<string, CoordinatorSchema>>

/** As in the log: `value` null is a tombstone. */
export interface RecordBytes {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A record as read; `name`, and then whether `value` is null, tell the members apart. */
export type CoordinatorRecord<S extends CoordinatorSchemas> =
  | { [N in keyof S]: Read<N, ValueOf<S[N]['key']>, ValueOf<S[N]['value']>> }[keyof S]
  | { readonly name: 'Unknown'; readonly type: number }

/** A record to write. */
export type CoordinatorRecordInput<S extends CoordinatorSchemas> = {
  [N in keyof S]: Read<N, InputOf<S[N]['key']>, InputOf<S[N]['value']>>
}[keyof S]

type Read<N, K, V> =
  | { readonly name: N; readonly key: K; readonly version: number; readonly value: V }
  | { readonly name: N; readonly key: K; readonly value: null }

/** `name` is Apache's without the Key or Value at its end. Keys have one version, which is not flexible. */
export function coordinatorRecord<const T extends number, const K extends Fields, const V extends Fields>(
  name: string,
  declaration: {
    readonly type: T
    readonly key: K
    readonly versions: readonly [min: number, max: number]
    readonly flexible: number
    readonly value: V
  },
): CoordinatorSchema<T, K, V> {
  const { type, key, versions, flexible, value } = declaration
  return {
    type,
    key: message(`${name}Key`, [0, 0], Infinity, key),
    value: message(`${name}Value`, versions, flexible, value),
  }
}

/** Throws ProtocolError for a version that the value does not have. */
export function encodeCoordinatorRecord(
  schemas: CoordinatorSchemas,
  record: CoordinatorRecordInput<CoordinatorSchemas>,
): RecordBytes {
  const { type, key, value } = schemas[record.name]
  return {
    key: encodePrefixed(type, key, 0, record.key),
    value: record.value === null ? null : encodePrefixed(record.version, value, record.version, record.value),
  }
}

/**
 * A type that is not in the table is passed over, as Apache does it: another release, or another kind of group, wrote
 * it. ProtocolError for a version that is not in the table and for bytes that are too few; bytes at the end that no
 * field claims are let be, as Apache lets them.
 */
export function decodeCoordinatorRecord<S extends CoordinatorSchemas>(
  schemas: S,
  key: Buffer,
  value: Buffer | null,
): CoordinatorRecord<S> {
  const fromKey = new Reader(key)
  const type = fromKey.int16()
  const found = byType(schemas).get(type)
  if (found === undefined) return { name: 'Unknown', type }
  const [name, schema] = found
  const decodedKey = schema.key.codec(0).decode(fromKey)
  if (value === null) return { name, key: decodedKey, value: null } as CoordinatorRecord<S>
  const fromValue = new Reader(value)
  const version = fromValue.int16()
  const decoded = schema.value.codec(version).decode(fromValue)
  return { name, key: decodedKey, version, value: decoded } as CoordinatorRecord<S>
}

// A coordinator reads a million of records at its start.
const tables = new WeakMap<CoordinatorSchemas, ReadonlyMap<number, readonly [name: string, schema: CoordinatorSchema]>>()

function byType(schemas: CoordinatorSchemas): ReadonlyMap<number, readonly [name: string, schema: CoordinatorSchema]> {
  let table = tables.get(schemas)
  if (table === undefined) {
    table = new Map(Object.entries(schemas).map(([name, schema]) => [schema.type, [name, schema]]))
    tables.set(schemas, table)
  }
  return table
}

/** An int16, then a message. */
export function encodePrefixed<F extends Fields>(
  prefix: number,
  schema: Message<F>,
  version: number,
  value: Encodable<F>,
): Buffer {
  const to = new Writer(128)
  to.int16(prefix)
  schema.codec(version).encode(to, value)
  return Buffer.concat(to.finish())
}
