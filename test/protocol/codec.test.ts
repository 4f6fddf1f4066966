import { describe, expect, test } from 'vitest'
import { AssertionError } from '../../src/base/assert.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { api, array, bool, bytes, exactInt64, float64, int16, int32 } from '../../src/protocol/schema.ts'
import { int64, int8, message, string, struct, uint16, uint32, uuid } from '../../src/protocol/schema.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const Thing = message('Thing', [0, 3], 2, {
  name: string.nullable(1),
  count: int32.since(1).or(-1),
  note: string.since(2).or('').ignorable(),
  tags: array({ key: string, size: int16 }),
  leader: struct({ id: int32.or(-1), epoch: int32.or(-1) }).tagged(1, 2),
  cursor: struct({ at: int8 }).nullable().or(null).since(3),
  owner: string.or('nobody').tagged(0, 3),
})

describe('the bytes', () => {
  test('of a classic version: fixed lengths, -1 for null', () => {
    expect(Thing.codec(1).encodeAll({ name: null, tags: [{ key: 'a', size: 2 }] })).toEqual(
      hex('ffff ffffffff 00000001 0001 61 0002'),
    )
  })

  test('of a flexible version: lengths as varints one larger, 0 for null, tags at the end of each struct', () => {
    const value = { name: null, count: 7, tags: [{ key: 'a', size: 2 }], cursor: { at: 5 }, owner: 'me' }
    expect(Thing.codec(3).encodeAll(value)).toEqual(
      hex('00 00000007 01 02 02 61 0002 00 01 05 00 01 00 03 03 6d65'),
    )
  })

  test('tagged fields leave in the order of their tags, and only when they are not at their default', () => {
    const value = { name: 'x', tags: [], leader: { id: 1, epoch: 2 }, owner: 'me' }
    expect(Thing.codec(3).encodeAll(value)).toEqual(
      hex('02 78 ffffffff 01 01 ff 02 00 03 03 6d65 01 09 00000001 00000002 00'),
    )
    const atDefault = { name: 'x', tags: [], leader: { id: -1, epoch: -1 }, owner: 'nobody' }
    expect(Thing.codec(3).encodeAll(atDefault)).toEqual(hex('02 78 ffffffff 01 01 ff 00'))
  })

  test('of every primitive type', () => {
    const All = message('All', [0, 0], Infinity, { bool, int8, int16, uint16, int32, uint32, int64, exactInt64, float64, uuid, bytes }) // prettier-ignore
    const value = {
      bool: true, int8: -2, int16: -2, uint16: 0xfffe, int32: -2, uint32: 0xfffffffe, int64: -2, exactInt64: -2n,
      float64: 1.5, uuid: 'AAECAwQFBgcICQoLDA0ODw', bytes: hex('cafe'),
    } // prettier-ignore
    const encoded = All.codec(0).encodeAll(value)
    expect(encoded.toString('hex')).toBe(
      '01' + 'fe' + 'fffe' + 'fffe' + 'fffffffe' + 'fffffffe' + 'fffffffffffffffe' + 'fffffffffffffffe' +
        '3ff8000000000000' + '000102030405060708090a0b0c0d0e0f' + '00000002cafe', // prettier-ignore
    )
    expect(All.codec(0).decodeAll(encoded)).toEqual(value)
  })
})

describe('decoding', () => {
  test('gives fields that the version lacks their defaults, and no two messages the same object', () => {
    const codec = Thing.codec(0)
    const first = codec.decodeAll(hex('0001 78 00000000'))
    expect(first).toEqual({
      name: 'x', count: -1, note: '', tags: [], leader: { id: -1, epoch: -1 }, cursor: null, owner: 'nobody',
    }) // prettier-ignore
    first.leader.id = 9
    expect(codec.decodeAll(hex('0001 78 00000000')).leader).toEqual({ id: -1, epoch: -1 })
  })

  test('skips tags it does not know, at the end and inside', () => {
    const known = Thing.codec(3).encodeAll({ name: 'x', count: 1, tags: [{ key: 'a', size: 2 }], owner: 'me' })
    const withMore = hex('02 78 00000001 01 02 02 61 0002 01 7f 02 aabb ff 02 00 03 03 6d65 ffffffff0f 01 cc')
    expect(Thing.codec(3).decodeAll(withMore)).toEqual(Thing.codec(3).decodeAll(known))
  })

  test('refuses a tagged field that is not as long as it says', () => {
    expect(() => Thing.codec(3).decodeAll(hex('02 78 00000001 01 01 ff 01 00 04 03 6d65 00'))).toThrow(ProtocolError)
  })

  test('refuses null where the version has none', () => {
    expect(() => Thing.codec(0).decodeAll(hex('ffff 00000000'))).toThrow(/Thing.name of length -1/)
    expect(() => Thing.codec(2).decodeAll(hex('00 00000001 01 00 00'))).toThrow(/Thing.tags of length -1/)
  })

  test('refuses lengths below -1, and bytes after the end', () => {
    expect(() => Thing.codec(1).decodeAll(hex('fffe 00000000 00000000'))).toThrow(ProtocolError)
    expect(() => Thing.codec(1).decodeAll(hex('ffff 00000000 00000000 00'))).toThrow(/1 bytes too many/)
  })

  test('int64 saturates at the safe integers, so that range checks see an absurd number and not a wrong one', () => {
    const Offset = message('Offset', [0, 0], Infinity, { offset: int64 })
    const read = (text: string) => Offset.codec(0).decodeAll(hex(text)).offset
    expect(read('7fffffffffffffff')).toBe(Number.MAX_SAFE_INTEGER)
    expect(read('8000000000000000')).toBe(-Number.MAX_SAFE_INTEGER)
    expect(read('0020000000000000')).toBe(Number.MAX_SAFE_INTEGER)
    expect(read('001fffffffffffff')).toBe(Number.MAX_SAFE_INTEGER)
    expect(read('ffe0000000000000')).toBe(-Number.MAX_SAFE_INTEGER)
    expect(read('ffe0000000000001')).toBe(-Number.MAX_SAFE_INTEGER)
    expect(read('ffffffffffffffff')).toBe(-1)
  })

  test('exact int64 keeps every value', () => {
    const Id = message('Id', [0, 0], Infinity, { id: exactInt64 })
    for (const id of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]) {
      expect(Id.codec(0).decodeAll(Id.codec(0).encodeAll({ id })).id).toBe(id)
    }
  })
})

describe('encoding', () => {
  test('refuses a field that the version lacks, unless it may be dropped or says nothing', () => {
    expect(() => Thing.codec(0).encodeAll({ name: 'x', tags: [], count: 3 })).toThrow(/Thing.count/)
    expect(() => Thing.codec(0).encodeAll({ name: 'x', tags: [], owner: 'me' })).toThrow(/Thing.owner/)
    expect(() => Thing.codec(0).encodeAll({ name: 'x', tags: [], leader: { id: 1 } })).toThrow(/Thing.leader/)
    expect(() => Thing.codec(0).encodeAll({ name: 'x', tags: [], count: -1, leader: {}, note: 'n' })).not.toThrow()
  })

  test('refuses null where the version has none, naming the field', () => {
    expect(() => Thing.codec(0).encodeAll({ name: null, tags: [] })).toThrow('Thing.name is null')
  })

  test('refuses strings that Kafka cannot carry, in classic and flexible versions', () => {
    const longest = 'é'.repeat(0x3fff) + 'x'
    for (const version of [1, 2]) {
      const codec = Thing.codec(version)
      expect(codec.decodeAll(codec.encodeAll({ name: longest, tags: [] })).name).toBe(longest)
      expect(() => codec.encodeAll({ name: longest + 'x', tags: [] })).toThrow(/32768 bytes/)
    }
    const tooLong = Buffer.concat([hex('818002'), Buffer.alloc(0x8000, 0x61), hex('00000000 01 01 00')])
    expect(() => Thing.codec(2).decodeAll(tooLong)).toThrow(ProtocolError)
  })

  test('an int64 that is no safe integer is our own mistake', () => {
    const Offset = message('Offset', [0, 0], Infinity, { offset: int64 })
    for (const offset of [2 ** 53, 0.5, NaN]) {
      expect(() => Offset.codec(0).encodeAll({ offset })).toThrow(AssertionError)
    }
  })

  test('large byte strings go out as they are, without a copy', () => {
    const Blob = api('Blob', { key: 1, versions: [0, 0], request: { name: string, data: bytes }, response: {} })
    const data = Buffer.alloc(5000, 7)
    const bytesOf = Blob.request.codec(0).encodeAll({ name: 'n', data })
    expect(bytesOf.subarray(7).equals(data)).toBe(true)
    expect(Blob.request.codec(0).decodeAll(bytesOf).data.buffer).toBe(bytesOf.buffer)
  })
})
