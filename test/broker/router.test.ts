// What the broker does with requests before any handler: versions, unknown APIs, nonsense.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { SaslAuthenticate } from '../../src/protocol/apis/sasl-authenticate.ts'
import { SaslHandshake } from '../../src/protocol/apis/sasl-handshake.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { decodeResponsePayload } from '../../src/protocol/frames.ts'
import { RawClient } from '../support/raw-client.ts'
import { testBroker } from '../support/broker.ts'

const SOFTWARE = { clientSoftwareName: 'raw', clientSoftwareVersion: '1.0' }

/** A frame with the header of version 1 and `body`. */
function frame(apiKey: number, apiVersion: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(14 + body.length)
  bytes.writeInt32BE(10 + body.length, 0)
  bytes.writeInt16BE(apiKey, 4)
  bytes.writeInt16BE(apiVersion, 6)
  bytes.writeInt32BE(7, 8)
  bytes.writeInt16BE(-1, 12)
  body.copy(bytes, 14)
  return bytes
}

describe('ApiVersions', () => {
  test('lists what is served; Produce from 0 on', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const { apiKeys, errorCode } = await client.call(ApiVersions, 4, SOFTWARE)
    expect(errorCode).toBe(0)
    const ranges = Object.fromEntries(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, `${minVersion}-${maxVersion}`]))
    expect(ranges).toEqual({
      0: '0-13', 1: '4-18', 2: '1-11', 3: '0-13', 8: '2-10', 9: '1-10', 10: '0-6', 11: '0-9', 12: '0-4', 13: '0-5', 14: '0-5',
      15: '0-6', 16: '0-5', 17: '0-1', 18: '0-4', 19: '2-7', 20: '1-6', 21: '0-2', 22: '0-5', 23: '2-4', 24: '0-5',
      25: '0-4', 26: '0-5', 27: '1-2', 28: '0-5', 29: '1-3', 30: '1-3', 31: '1-3',
      32: '1-4', 33: '0-2', 34: '1-2', 35: '1-5', 36: '0-2', 37: '0-3', 42: '0-2', 43: '0-2', 44: '0-1', 45: '0-1', 46: '0-0',
      47: '0-0', 48: '0-1', 49: '0-1', 50: '0-0', 51: '0-0', 55: '0-2', 57: '0-2', 60: '0-2', 61: '0-0', 64: '0-0', 65: '0-0', 66: '0-2',
      68: '0-1', 69: '0-1', 74: '0-1', 75: '0-0', 80: '0-1', 81: '0-0',
    }) // prettier-ignore
  })

  test('of a version that is not there is answered in version 0 with its own range alone', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const reply = client.call(ApiVersions, 4, SOFTWARE) // correlation id 1
    client.write(frame(18, 99))
    expect((await reply).errorCode).toBe(0)
    await expect.poll(() => client.replied).toEqual([1, 7])
    const payload = client.unexpected.get(7) ?? Buffer.alloc(0)
    const refusal = decodeResponsePayload(ApiVersions, 0, payload)
    expect(refusal.errorCode).toBe(ErrorCode.UNSUPPORTED_VERSION)
    expect(refusal.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
  })

  test('of a login: there is none to be had here, as on any PLAINTEXT listener', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const handshake = await client.call(SaslHandshake, 1, { mechanism: 'PLAIN' })
    expect(handshake).toEqual({ errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] })
    const { errorCode } = await client.call(SaslAuthenticate, 2, { authBytes: Buffer.from('\0me\0secret') })
    expect(errorCode).toBe(ErrorCode.ILLEGAL_SASL_STATE)
  })

  test('of a nameless client is refused, without keys', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const answer = await client.call(ApiVersions, 3, { clientSoftwareName: '-', clientSoftwareVersion: '1' })
    expect(answer.errorCode).toBe(ErrorCode.INVALID_REQUEST)
    expect(answer.apiKeys).toEqual([])
  })

  test('leaves out features from 0 on in version 3, where clients fail on them', async () => {
    const { connect } = await testBroker()
    const client = await connect()
    const three = await client.call(ApiVersions, 3, SOFTWARE)
    const four = await client.call(ApiVersions, 4, SOFTWARE)
    expect(three.supportedFeatures.every(({ minVersion }) => minVersion > 0)).toBe(true)
    expect(four.supportedFeatures.length).toBeGreaterThan(three.supportedFeatures.length)
    expect(four.finalizedFeatures).toContainEqual({ name: 'metadata.version', maxVersionLevel: 30, minVersionLevel: 30 })
  })
})

describe('a request that is none', () => {
  test.each([
    ['an unknown api', frame(999, 0), 'api key 999 (version 0) is not served'],
    ['a version before ours', frame(1, 3), 'Fetch version 3 is not served'],
    ['Produce 2, although advertised', frame(0, 2), 'Produce version 2 is not served'],
    ['a version after ours', frame(3, 14), 'Metadata version 14 is not served'],
    ['a negative version', frame(3, -1), 'Metadata version -1 is not served'],
    ['an empty frame', Buffer.from([0, 0, 0, 0]), '2 bytes wanted at 0, 0 left'],
    ['a body that ends too soon', frame(3, 1, Buffer.from([0, 0, 0, 5])), 'array of 5 elements with 0 bytes left'],
  ])('%s closes its connection, with one line', async (_what, bytes, reason) => {
    const { connect, lines } = await testBroker()
    const client = await connect()
    const other = await connect()
    client.write(bytes)
    await client.closed
    expect(lines.filter((line) => line.includes('closed:'))).toHaveLength(1)
    expect(lines.at(-1)).toContain(reason)
    expect((await other.call(ApiVersions, 0, SOFTWARE)).errorCode).toBe(0)
  })

  test('of any kind leaves the broker alive', async () => {
    const { port, connect } = await testBroker({ topics: ['t'] })
    const header = fc.tuple(fc.constantFrom(0, 1, 2, 3, 10, 18, 19, 21, 22, 23, 32, 35, 37, 44, 46, 60, 75), fc.integer({ min: 0, max: 18 }))
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(header, fc.uint8Array({ maxLength: 200 })).map(([[key, version], body]) => frame(key, version, Buffer.from(body))),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 4 }), async (pieces) => {
        const client = await RawClient.open(port)
        for (const piece of pieces) client.write(piece)
        client.end()
        await client.closed
      }),
      { numRuns: 200 },
    )
    const healthy = await connect()
    const { topics } = await healthy.call(Metadata, 12, {
      topics: null,
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(topics.length).toBeGreaterThan(0)
  })
})
