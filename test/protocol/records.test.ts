import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../src/protocol/errors.ts'
import * as control from '../../src/protocol/records/control.ts'
import { METADATA_RECORDS } from '../../src/protocol/records/metadata-schemas.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/protocol/records/metadata.ts'
import type { MetadataRecord, MetadataRecordName } from '../../src/protocol/records/metadata.ts'
import { message } from '../../src/protocol/schema.ts'
import type { Fields } from '../../src/protocol/schema.ts'
import { messageArbitrary } from './arbitraries.ts'

describe('metadata records', () => {
  const names = Object.keys(METADATA_RECORDS) as MetadataRecordName[]

  test.each(names)('%s comes back in every version', (name) => {
    const { type, versions, fields } = METADATA_RECORDS[name]
    const declared = message<Fields>(name, versions, 0, fields)
    for (let version = versions[0]; version <= versions[1]; version++) {
      fc.assert(
        fc.property(messageArbitrary(declared, version), ({ given, expected }) => {
          const bytes = encodeMetadataRecord(name, version, given as never)
          expect(decodeMetadataRecord(bytes)).toEqual({ type, name, version, value: expected })
        }),
        { numRuns: 25 },
      )
    }
  })

  test('start with the frame version, the type and the version', () => {
    const bytes = encodeMetadataRecord('FeatureLevelRecord', 0, { name: 'x', featureLevel: 30 })
    expect(bytes.toString('hex')).toBe('01' + '0c' + '00' + '0278' + '001e' + '00')
  })

  test('tell themselves apart by name, for the compiler too', () => {
    const record = decodeMetadataRecord(encodeMetadataRecord('RemoveTopicRecord', 0, { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }))
    const topicIdOf = (any: MetadataRecord) => (any.name === 'RemoveTopicRecord' ? any.value.topicId : undefined)
    expect(topicIdOf(record)).toBe('AAAAAAAAAAAAAAAAAAAAAQ')
  })

  test.each([
    ['an unknown frame version', '020c000278001e00'],
    ['an unknown type', '0106000000'],
    ['an unknown version', '010c010278001e00'],
    ['bytes too many', '010c000278001e0000'],
    ['bytes too few', '010c000278001e'],
    ['nothing', ''],
  ])('%s is refused', (_what, bytes) => {
    expect(() => decodeMetadataRecord(Buffer.from(bytes, 'hex'))).toThrow(ProtocolError)
  })

  test('a version we do not know is not written either', () => {
    expect(() => encodeMetadataRecord('NoOpRecord', 1, {})).toThrow(ProtocolError)
  })

  test('any bytes at all give a record or a ProtocolError', () => {
    fc.assert(
      fc.property(fc.nat(30), fc.nat(4), fc.uint8Array({ maxLength: 60 }), (type, version, body) => {
        try {
          decodeMetadataRecord(Buffer.from([1, type, version, ...body]))
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('control records', () => {
  test('keys are version and type', () => {
    expect(control.encodeControlKey('COMMIT').toString('hex')).toBe('00000001')
    for (const type of Object.keys(control.CONTROL_TYPES) as control.ControlType[]) {
      expect(control.decodeControlKey(control.encodeControlKey(type))).toBe(type)
    }
  })

  test('a type of a later release is passed over', () => {
    expect(control.decodeControlKey(Buffer.from('00000063', 'hex'))).toBeUndefined()
  })

  test('a transaction marker has its version in front, and later versions are read as the one we know', () => {
    const marker = control.encodeControlValue(control.EndTxnMarker, 0, { coordinatorEpoch: 9 })
    expect(marker.toString('hex')).toBe('000000000009')
    expect(control.decodeControlValue(control.EndTxnMarker, marker)).toEqual({ coordinatorEpoch: 9 })
    const later = Buffer.from('00050000000977', 'hex')
    expect(control.decodeControlValue(control.EndTxnMarker, later)).toEqual({ coordinatorEpoch: 9 })
  })

  test('nonsense is refused', () => {
    for (const bytes of ['', '00', 'ffff00000009', '0000000000']) {
      const value = Buffer.from(bytes, 'hex')
      expect(() => control.decodeControlValue(control.EndTxnMarker, value)).toThrow(ProtocolError)
    }
  })
})
