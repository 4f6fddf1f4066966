// Hostile bytes: whatever arrives, decoding ends soon with a message or a ProtocolError, and allocates no more than the
// bytes justify.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { readRequestHeader, skipHeaderTags } from '../../src/protocol/frames.ts'
import { Reader } from '../../src/protocol/reader.ts'
import { array, int8, message } from '../../src/protocol/schema.ts'
import { messageArbitrary } from './arbitraries.ts'
import { allVersions } from './declarations.ts'

function outcome(decode: () => unknown): 'decoded' | 'refused' {
  try {
    decode()
    return 'decoded'
  } catch (error) {
    if (error instanceof ProtocolError) return 'refused'
    throw error
  }
}

const edit = fc.record({
  at: fc.nat(),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 4 }),
    fc.constantFrom([0xff], [0x7f, 0xff, 0xff, 0xff], [0x80, 0, 0, 0], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x80]),
  ),
  remove: fc.nat(4),
})

describe('every message, every version', () => {
  test.each(allVersions)('$title', ({ message, version }) => {
    const codec = message.codec(version)
    fc.assert(
      fc.property(messageArbitrary(message, version), ({ given }) => {
        const bytes = codec.encodeAll(given)
        const sizes = [...bytes.keys()] // every one is too short
        return sizes.every((size) => outcome(() => codec.decodeAll(bytes.subarray(0, size))) === 'refused')
      }),
      { numRuns: 2 },
    )
    fc.assert(
      fc.property(messageArbitrary(message, version), fc.array(edit, { maxLength: 4 }), ({ given }, edits) => {
        let damaged = codec.encodeAll(given)
        for (const { at, bytes: inserted, remove } of edits) {
          const start = at % (damaged.length + 1)
          damaged = Buffer.concat([damaged.subarray(0, start), Buffer.from(inserted), damaged.subarray(start + remove)])
        }
        outcome(() => codec.decodeAll(damaged))
      }),
      { numRuns: 15 },
    )
  })
})

test('a request header of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const from = new Reader(Buffer.from(bytes))
      outcome(() => {
        readRequestHeader(from)
        skipHeaderTags(from)
      })
    }),
    { numRuns: 2000 },
  )
})

describe('absurd lengths are refused before anything is allocated', () => {
  const Bytes = message('Bytes', [0, 1], 1, { values: array(int8) })

  test.each([
    ['an array of 2^31-1 elements', 0, '7fffffff'],
    ['one of 2^32-2, in a varint', 1, 'ffffffff0f'],
    ['an array one longer than the bytes left', 0, '00000003' + '0102'],
    ['a varint that does not end', 1, 'ffffffffffff'],
    ['a varint of more than 32 bits', 1, '8080808010'],
    ['more tags than bytes', 1, '01' + 'ffffffff0f'],
    ['a tag longer than the bytes left', 1, '01' + '01' + '05' + 'ffffffff0f'],
  ])('%s', (_what, version, bytes) => {
    expect(outcome(() => Bytes.codec(version).decodeAll(Buffer.from(bytes, 'hex')))).toBe('refused')
  })

  test('an array of a million elements passes, one more does not, in one array or in many', () => {
    const million = Buffer.alloc(4 + 1_000_000)
    million.writeInt32BE(1_000_000)
    expect(Bytes.codec(0).decodeAll(million).values.length).toBe(1_000_000)
    const more = Buffer.alloc(4 + 1_000_001)
    more.writeInt32BE(1_000_001)
    expect(outcome(() => Bytes.codec(0).decodeAll(more))).toBe('refused')
    const Nested = message('Nested', [0, 0], Infinity, { rows: array(array(int8)) })
    const row = Buffer.alloc(4 + 1000)
    row.writeInt32BE(1000)
    const rows = Buffer.concat([Buffer.from('000003e8', 'hex'), ...Array.from({ length: 1000 }, () => row)])
    expect(outcome(() => Nested.codec(0).decodeAll(rows))).toBe('refused')
  })

  test('a string longer than the bytes left costs nothing', () => {
    const topics = Buffer.from('02' + '00'.repeat(16) + 'ffff01', 'hex')
    expect(outcome(() => Metadata.request.codec(12).decodeAll(topics))).toBe('refused')
  })
})
