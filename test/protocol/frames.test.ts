import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { ProtocolError } from '../../src/protocol/errors.ts'
import { decodeResponsePayload, encodeRequestFrame, encodeRequestPayload } from '../../src/protocol/frames.ts'
import { encodeResponseFrame, readRequestHeader, skipHeaderTags } from '../../src/protocol/frames.ts'
import { Reader } from '../../src/protocol/reader.ts'

const versionsRequest = { clientSoftwareName: 'ktool', clientSoftwareVersion: '1.0' }
const versionsResponse = { errorCode: 0, apiKeys: [], throttleTimeMs: 0 }

describe('a request frame', () => {
  test('has its length in front, the client id in classic form and tags after it where the version is flexible', () => {
    const header = { correlationId: 7, clientId: 'me' }
    const [v2, v3] = [2, 3].map((version) => {
      return Buffer.concat(encodeRequestFrame(ApiVersions, version, header, versionsRequest)).toString('hex')
    })
    expect(v2).toBe('0000000c' + '0012' + '0002' + '00000007' + '0002' + '6d65')
    expect(v3).toBe('00000018' + '0012' + '0003' + '00000007' + '0002' + '6d65' + '00' + '066b746f6f6c' + '04312e30' + '00')
  })

  test('reads back what was written, a null client id too', () => {
    fc.assert(
      fc.property(fc.integer(), fc.option(fc.string({ unit: 'grapheme' })), (correlationId, clientId) => {
        const header = { correlationId, clientId }
        const from = new Reader(Buffer.concat(encodeRequestFrame(ApiVersions, 3, header, versionsRequest)), 4)
        expect(readRequestHeader(from)).toEqual({ apiKey: 18, apiVersion: 3, ...header })
        skipHeaderTags(from)
        expect(ApiVersions.request.codec(3).decode(from)).toEqual(versionsRequest)
        expect(from.remaining).toBe(0)
      }),
    )
  })

  test('may carry header tags nobody knows', () => {
    const from = new Reader(Buffer.from('0012000300000007ffff' + '02' + '0102aabb' + '050100' + '010100', 'hex'))
    expect(readRequestHeader(from).clientId).toBeNull()
    skipHeaderTags(from)
    expect(ApiVersions.request.codec(3).decode(from)).toEqual({ clientSoftwareName: '', clientSoftwareVersion: '' })
  })

  test('keeps record batches as pieces of their own', () => {
    const records = Buffer.alloc(4096, 1)
    const topicData = [{ name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionData: [{ index: 0, records }] }]
    const request = { acks: -1, timeoutMs: 1000, topicData }
    expect(encodeRequestPayload(Produce, 9, request)).toContain(records)
    const frame = encodeRequestFrame(Produce, 9, { correlationId: 1, clientId: null }, request)
    expect(frame).toContain(records)
    expect(frame[0].readInt32BE(0)).toBe(Buffer.concat(frame).length - 4)
  })

  test('is refused when it ends in its header', () => {
    const whole = Buffer.concat(encodeRequestFrame(ApiVersions, 3, { correlationId: 1, clientId: 'me' }, versionsRequest))
    for (let size = 4; size < 16; size++) {
      expect(() => readRequestHeader(new Reader(whole.subarray(4, size)))).toThrow(ProtocolError)
    }
    expect(() => readRequestHeader(new Reader(Buffer.from('0012000300000007fffe', 'hex')))).toThrow(ProtocolError)
  })
})

describe('a response frame', () => {
  test('has header tags in flexible versions, except that of ApiVersions', () => {
    const head = (pieces: Buffer[]) => Buffer.concat(pieces).subarray(4, 9).toString('hex')
    expect(head(encodeResponseFrame(ApiVersions, 3, 5, { ...versionsResponse, errorCode: 0x2300 }))).toBe('0000000523')
    const metadata = { throttleTimeMs: 0x01000000, brokers: [], topics: [], errorCode: 0 }
    expect(head(encodeResponseFrame(Metadata, 8, 5, metadata))).toBe('0000000501')
    expect(head(encodeResponseFrame(Metadata, 9, 5, metadata))).toBe('0000000500')
  })

  test('reads back what was written', () => {
    for (const version of [0, 3]) {
      const frame = Buffer.concat(encodeResponseFrame(ApiVersions, version, 5, { ...versionsResponse, errorCode: 35 }))
      expect(frame.readInt32BE(0)).toBe(frame.length - 4)
      expect(decodeResponsePayload(ApiVersions, version, frame.subarray(8)).errorCode).toBe(35)
    }
  })
})
