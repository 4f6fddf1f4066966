// Random messages, made from their declarations: what to encode, with what must come back of it.

import fc from 'fast-check'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import type { Fields, Message, Type } from '../../src/protocol/schema.ts'

type Field = Type<unknown, boolean>

export interface Sample<T = unknown> {
  readonly given: T
  /** `given` with every field that the version lacks at its default. */
  readonly expected: T
}

export type Struct = Record<string, unknown>

export function messageArbitrary(message: Message<Fields>, version: number): fc.Arbitrary<Sample<Struct>> {
  return structArbitrary(message.fields, version)
}

export function isLive({ settings }: Field, version: number): boolean {
  const { since = 0, until = Infinity, taggedSince = 0 } = settings
  return version >= since && version <= until && version >= taggedSince
}

function structArbitrary(fields: Fields, version: number): fc.Arbitrary<Sample<Struct>> {
  const entries = Object.entries(fields)
  return fc.tuple(...entries.map(([, type]) => fieldArbitrary(type, version))).map((samples) => ({
    given: Object.fromEntries(entries.map(([name], i) => [name, samples[i].given])),
    expected: Object.fromEntries(entries.map(([name], i) => [name, samples[i].expected])),
  }))
}

function fieldArbitrary(type: Field, version: number): fc.Arbitrary<Sample> {
  const fallback = defaultOf(type)
  const absent = fc.constant({ given: undefined, expected: fallback })
  if (isLive(type, version)) {
    return fc.oneof({ weight: 9, arbitrary: valueArbitrary(type, version) }, { weight: 1, arbitrary: absent })
  }
  const explicit = fc.constant({ given: fallback, expected: fallback })
  if (type.settings.ignorable !== true) return fc.oneof(absent, explicit)
  return fc.oneof(absent, valueArbitrary(type, version).map(({ given }) => ({ given, expected: fallback })))
}

function valueArbitrary(type: Field, version: number): fc.Arbitrary<Sample> {
  const value = presentArbitrary(type, version)
  if ((type.settings.nullableSince ?? Infinity) > version) return value
  return fc.oneof({ weight: 5, arbitrary: value }, { weight: 1, arbitrary: fc.constant({ given: null, expected: null }) })
}

function presentArbitrary(type: Field, version: number): fc.Arbitrary<Sample> {
  if (type.kind === 'struct') return structArbitrary(type.settings.fields ?? {}, version)
  if (type.kind === 'array') {
    const elements = fc.array(valueArbitrary(type.settings.element as Field, version), { maxLength: 3 })
    return elements.map((samples) => ({
      given: samples.map(({ given }) => given),
      expected: samples.map(({ expected }) => expected),
    }))
  }
  return leafArbitrary(type.kind).map((value) => ({ given: value, expected: value }))
}

function leafArbitrary(kind: Exclude<Field['kind'], 'struct' | 'array'>): fc.Arbitrary<unknown> {
  switch (kind) {
    case 'bool':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer()
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff })
    case 'int64':
      return fc.maxSafeInteger()
    case 'exactInt64':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    case 'float64':
      return fc.double()
    case 'uuid':
      return fc.oneof(
        fc.constant(ZERO_UUID),
        fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
      )
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: 40 })
    case 'bytes':
    case 'records':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))
  }
}

function defaultOf(type: Field): unknown {
  if (type.kind !== 'struct' || type.settings.nullableSince !== undefined) return type.fallback
  const fields = Object.entries(type.settings.fields ?? {})
  return Object.fromEntries(fields.map(([name, field]) => [name, defaultOf(field)]))
}
