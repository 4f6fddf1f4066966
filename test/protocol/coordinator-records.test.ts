// Records of __consumer_offsets and __transaction_state. vectors/coordinator-records.json: what Apache Kafka 4.3 wrote
// there while test/conformance/java/CaptureGroups.java drove its clients, the same values written by its own classes in
// every other version that can hold them, and records that it reads but no longer writes; each with what its JSON
// converters say of it.

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../src/protocol/errors.ts'
import * as consumer from '../../src/protocol/records/consumer-protocol.ts'
import { decodeGroupRecord, encodeGroupRecord } from '../../src/protocol/records/group.ts'
import type { GroupRecord, GroupRecordInput } from '../../src/protocol/records/group.ts'
import { GROUP_RECORDS } from '../../src/protocol/records/group-schemas.ts'
import { decodeTransactionRecord, encodeTransactionRecord } from '../../src/protocol/records/transaction.ts'
import { TRANSACTION_RECORDS } from '../../src/protocol/records/transaction.ts'
import { messageArbitrary } from './arbitraries.ts'
import { asJson } from './as-json.ts'

interface Vector {
  readonly name: string
  readonly version: number // of the value; -1 for a tombstone
  readonly key: string
  readonly keySays: object
  readonly value: string | null
  readonly says: object | null
}

const hex = (text: string) => Buffer.from(text, 'hex')
const vectors = JSON.parse(
  readFileSync(new URL('vectors/coordinator-records.json', import.meta.url), 'utf8'),
) as Vector[]
const codecs = [
  { records: GROUP_RECORDS, decode: decodeGroupRecord, encode: encodeGroupRecord },
  { records: TRANSACTION_RECORDS, decode: decodeTransactionRecord, encode: encodeTransactionRecord },
]
const codecOf = (name: string) => codecs[name in GROUP_RECORDS ? 0 : 1]

describe("Apache's records", () => {
  test.each(vectors)('$name v$version', ({ name, version, key, keySays, value, says }) => {
    const { decode, encode } = codecOf(name)
    const record = decode(hex(key), value === null ? null : hex(value))
    expect(record.name).toBe(name)
    if (record.name === 'Unknown') return
    expect(record.key).toEqual(keySays)
    if (record.value === null) expect(says).toBeNull()
    else {
      expect(record.version).toBe(version)
      expect(asJson(record.value)).toMatchObject(says ?? {})
    }
    const written = encode(record as never)
    expect(written.key.toString('hex')).toBe(key)
    expect(written.value?.toString('hex') ?? null).toBe(value)
  })

  test('there are some of every type and version', () => {
    const there = new Set(vectors.map(({ name, version }) => `${name} ${version}`))
    for (const { records } of codecs) {
      for (const [name, { value }] of Object.entries(records)) {
        for (let version = value.versions[0]; version <= value.versions[1]; version++) {
          expect(there).toContain(`${name} ${version}`)
        }
      }
    }
  })
})

describe('every record', () => {
  const all = codecs.flatMap(({ records, decode, encode }) => {
    return Object.entries(records).map(([name, { type, key, value }]) => ({ name, type, key, value, decode, encode }))
  })

  test.each(all)('$name comes back in every version, and as a tombstone', ({ name, type, key, value, decode, encode }) => {
    for (let version = value.versions[0]; version <= value.versions[1]; version++) {
      const samples = fc.tuple(messageArbitrary(key, 0), messageArbitrary(value, version))
      fc.assert(
        fc.property(samples, ([ofKey, ofValue]) => {
          const bytes = encode({ name, key: ofKey.given, version, value: ofValue.given } as never)
          expect([bytes.key.readInt16BE(0), bytes.value?.readInt16BE(0)]).toEqual([type, version])
          const read = decode(bytes.key, bytes.value)
          expect(read).toEqual({ name, key: ofKey.expected, version, value: ofValue.expected })
          const tombstone = encode({ name, key: ofKey.given, value: null } as never)
          expect(decode(tombstone.key, tombstone.value)).toEqual({ name, key: ofKey.expected, value: null })
        }),
        { numRuns: 25 },
      )
    }
  })

  test('any bytes at all give a record or a ProtocolError', () => {
    const bytes = fc.uint8Array({ maxLength: 60 })
    fc.assert(
      fc.property(fc.nat(24), bytes, fc.option(fc.tuple(fc.nat(5), bytes)), (type, key, value) => {
        for (const { decode } of codecs) {
          try {
            decode(Buffer.from([0, type, ...key]), value && Buffer.from([0, value[0], ...value[1]]))
          } catch (error) {
            expect(error).toBeInstanceOf(ProtocolError)
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('records of groups', () => {
  const commit = { group: 'g', topic: 't', partition: 3 }
  const offset = 2n ** 63n - 1n

  test('keep an offset that a double cannot hold', () => {
    const value = { offset, metadata: '', commitTimestamp: 5 }
    const { key, value: bytes } = encodeGroupRecord({ name: 'OffsetCommit', key: commit, version: 4, value })
    const read = decodeGroupRecord(key, bytes)
    expect(read.name === 'OffsetCommit' && read.value?.offset).toBe(offset)
  })

  test('tell themselves apart by name, and tombstones by their value, for the compiler too', () => {
    const versionOf = (read: GroupRecord) => {
      if (read.name === 'Unknown') return read.type
      return read.value === null ? 'tombstone' : read.version
    }
    const tombstone: GroupRecordInput = { name: 'OffsetCommit', key: commit, value: null }
    const { key, value } = encodeGroupRecord(tombstone)
    expect(versionOf(decodeGroupRecord(key, value))).toBe('tombstone')
  })

  test('of share and streams groups, and of later releases, are Unknown, whatever else they hold', () => {
    for (const [type, key] of [[11, '000b000173'], [23, '0017000173'], [99, '0063']] as const) {
      for (const value of [null, hex('0007ff'), hex('')]) {
        expect(decodeGroupRecord(hex(key), value)).toEqual({ name: 'Unknown', type })
      }
    }
  })

  test('may end in bytes that no field claims, as Apache lets them', () => {
    const { key, value } = vectors.find(({ name, version }) => name === 'OffsetCommit' && version === 3) as Vector
    const more = (text: string | null) => hex(`${text ?? ''}77`)
    expect(decodeGroupRecord(more(key), more(value))).toEqual(decodeGroupRecord(hex(key), hex(value ?? '')))
  })

  test.each([
    ['an unknown version', '000200026767', '0005'],
    ['a version below 0', '000200026767', 'ffff'],
    ['a key too short', '0002000267', null],
    ['a key without its type', '00', null],
    ['a value too short', '000300026767', '00000000'],
    ['a value without its version', '000300026767', ''],
  ])('%s is refused', (_what, key, value) => {
    expect(() => decodeGroupRecord(hex(key), value === null ? null : hex(value))).toThrow(ProtocolError)
  })

  test('a version we do not know is not written either', () => {
    const value = { offset: 1n, metadata: '', commitTimestamp: 5 }
    expect(() => encodeGroupRecord({ name: 'OffsetCommit', key: commit, version: 5, value })).toThrow(ProtocolError)
  })
})

describe('records of transactions', () => {
  test('keep a producer id that a double cannot hold', () => {
    const { key, value } = vectors.find(({ name, version }) => name === 'TransactionLog' && version === 0) as Vector
    const read = decodeTransactionRecord(hex(key), hex(value ?? ''))
    expect(read.name === 'TransactionLog' && read.value?.producerId).toBe(2n ** 63n - 1n)
  })

  test('of another type are Unknown', () => {
    expect(decodeTransactionRecord(hex('0001000161'), null)).toEqual({ name: 'Unknown', type: 1 })
  })
})

// Taken from the requests of vectors/join-group-* and sync-group-*.
describe('what consumers tell each other', () => {
  const { ConsumerProtocolAssignment, ConsumerProtocolSubscription, decodeConsumerProtocol, encodeConsumerProtocol } = consumer
  const nothing = { ownedPartitions: [], generationId: -1, rackId: null }
  test.each([
    ['java', '00030000000200066f726465727300087061796d656e7473ffffffff00000000ffffffff00027231',
      { topics: ['orders', 'payments'], userData: null, ownedPartitions: [], generationId: -1, rackId: 'r1' }],
    ['java, cooperative', '00030000000100066f726465727300000004ffffffff0000000000000001ffff',
      { ...nothing, topics: ['orders'], userData: hex('ffffffff'), generationId: 1 }],
    ['librdkafka', '00030000000200066f726465727300087061796d656e74730000000000000000ffffffff0000',
      { ...nothing, topics: ['orders', 'payments'], userData: hex(''), rackId: '' }],
  ])('a subscription of %s', (_client, text, says) => {
    expect(decodeConsumerProtocol(ConsumerProtocolSubscription, hex(text))).toEqual(says)
    expect(encodeConsumerProtocol(ConsumerProtocolSubscription, 3, says).toString('hex')).toBe(text)
  })

  test.each([
    ['java', 3, '00030000000100066f72646572730000000100000002ffffffff', null],
    ['librdkafka', 0, '00000000000100066f7264657273000000010000000200000000', hex('')],
  ])('an assignment of %s', (_client, version, text, userData) => {
    const says = { assignedPartitions: [{ topic: 'orders', partitions: [2] }], userData }
    expect(decodeConsumerProtocol(ConsumerProtocolAssignment, hex(text))).toEqual(says)
    expect(encodeConsumerProtocol(ConsumerProtocolAssignment, version, says).toString('hex')).toBe(text)
  })

  test('a later version is read as the one we know, and bytes at its end are let be', () => {
    const later = hex('0009' + '00000001' + '000174' + 'ffffffff' + '00000000' + 'ffffffff' + 'ffff' + '7777')
    const read = decodeConsumerProtocol(ConsumerProtocolSubscription, later)
    expect(read).toEqual({ ...nothing, topics: ['t'], userData: null })
  })

  test('nonsense is refused', () => {
    for (const text of ['', '00', 'ffff00000000ffffffff', '00010000000100017400000000']) {
      expect(() => decodeConsumerProtocol(ConsumerProtocolSubscription, hex(text))).toThrow(ProtocolError)
    }
  })
})
