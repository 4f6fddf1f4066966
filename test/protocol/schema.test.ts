// What the compiler must know of a declaration; `tsc` checks this file, and the test only runs it.

import { expect, expectTypeOf, test } from 'vitest'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { array, exactInt64, int32, message, string, struct } from '../../src/protocol/schema.ts'
import type { InputOf, RequestOf, ResponseInput, ValueOf } from '../../src/protocol/schema.ts'

const Thing = message('Thing', [0, 1], Infinity, {
  name: string.nullable(),
  limit: int32.or(5),
  rows: array({ id: exactInt64, note: string.nullable().or(null) }),
  leader: struct({ id: int32.or(-1) }).tagged(0, 1),
})

test('a decoded message has every field, with the type it was declared with', () => {
  expectTypeOf<ValueOf<typeof Thing>['name']>().toEqualTypeOf<string | null>()
  expectTypeOf<ValueOf<typeof Thing>['limit']>().toEqualTypeOf<number>()
  expectTypeOf<ValueOf<typeof Thing>['rows'][number]['id']>().toEqualTypeOf<bigint>()
  expectTypeOf<RequestOf<typeof Metadata>['topics']>().extract<null>().toEqualTypeOf<null>()
  expectTypeOf<RequestOf<typeof Fetch>['topics'][number]['topicId']>().toEqualTypeOf<string>()
})

test('fields with a declared default may be left out, others not', () => {
  const least: InputOf<typeof Thing> = { name: null, rows: [{ id: 1n }] }
  expect(Thing.codec(0).decodeAll(Thing.codec(0).encodeAll(least))).toEqual({
    name: null,
    limit: 5,
    rows: [{ id: 1n, note: null }],
    leader: { id: -1 },
  })
  // @ts-expect-error rows have no default
  expect(() => Thing.codec(0).encodeAll({ name: null })).not.toThrow()
  // @ts-expect-error a nullable field is not an optional one
  expect(() => Thing.codec(0).encodeAll({ rows: [] })).not.toThrow()
  // @ts-expect-error there is no such field
  const unknown: ResponseInput<typeof Metadata> = { throttleTimeMs: 0, brokers: [], topics: [], errorCode: 0, nope: 1 }
  expect(unknown).toHaveProperty('nope')
})
