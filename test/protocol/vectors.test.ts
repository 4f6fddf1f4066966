// Bytes that others wrote. vectors/<api>-v<version>-<client>.json hold a request that a foreign client sent to Apache
// Kafka 4.3 and the broker's answer (taken with test/conformance/capture-vectors.mjs); metadata-records.json and
// control-records.json hold records of its metadata log and snapshots, with what kafka-dump-log says of them.
// Each must decode to the last byte and encode to the very same bytes again.

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { encodeRequestFrame, encodeResponseFrame } from '../../src/protocol/frames.ts'
import { decodeResponsePayload, readRequestHeader, skipHeaderTags } from '../../src/protocol/frames.ts'
import { Reader } from '../../src/protocol/reader.ts'
import * as control from '../../src/protocol/records/control.ts'
import { METADATA_RECORDS } from '../../src/protocol/records/metadata-schemas.ts'
import { decodeMetadataRecord, encodeMetadataRecord } from '../../src/protocol/records/metadata.ts'
import type { MetadataRecordName } from '../../src/protocol/records/metadata.ts'
import type { Fields, Message } from '../../src/protocol/schema.ts'
import { allApis } from './declarations.ts'

interface Vector {
  readonly api: string
  readonly version: number
  readonly client: string
  readonly request: string
  readonly response: string
}

const folder = new URL('vectors/', import.meta.url)
const load = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
const files = readdirSync(folder).filter((file) => /-v\d+-[\w-]+\.json$/.test(file))
const apis = new Map(allApis.map((api) => [api.name.replace(/(?<!^)([A-Z])/g, '-$1').toLowerCase(), api]))

function decode(file: string) {
  const vector = load(file) as Vector
  const api = apis.get(vector.api)
  if (api === undefined) throw new Error(`${vector.api} is not declared`)
  const requestBytes = Buffer.from(vector.request, 'hex')
  const responseBytes = Buffer.from(vector.response, 'hex')
  const from = new Reader(requestBytes)
  const header = readRequestHeader(from)
  if (vector.version >= api.flexible) skipHeaderTags(from)
  const request = api.request.codec(vector.version).decode(from)
  const response = decodeResponsePayload(api, vector.version, responseBytes.subarray(4))
  return { ...vector, api, header, request, response, requestBytes, responseBytes, left: from.remaining }
}

test('there are vectors for every API', () => {
  const seen = new Set(files.map((file) => file.replace(/-v\d+-.*/, '')))
  expect([...apis.keys()].filter((api) => !seen.has(api))).toEqual([])
})

describe('foreign requests and answers', () => {
  test.each(files)('%s', (file) => {
    const { api, version, header, request, response, requestBytes, responseBytes, left } = decode(file)
    expect(header).toMatchObject({ apiKey: api.key, apiVersion: version })
    expect(left).toBe(0)
    const [, ...requestPieces] = encodeRequestFrame(api, version, header, request)
    expect(Buffer.concat(requestPieces).toString('hex')).toBe(requestBytes.toString('hex'))
    const [, ...responsePieces] = encodeResponseFrame(api, version, header.correlationId, response)
    expect(Buffer.concat(responsePieces).toString('hex')).toBe(responseBytes.toString('hex'))
  })
})

describe("records of Apache's metadata log", () => {
  interface RecordVector {
    readonly name: MetadataRecordName
    readonly version: number
    readonly bytes: string
    readonly says: Record<string, unknown>
  }
  test.each(load('metadata-records.json') as RecordVector[])('$name v$version', ({ name, version, bytes, says }) => {
    const record = decodeMetadataRecord(Buffer.from(bytes, 'hex'))
    expect(record).toMatchObject({ name, version, type: METADATA_RECORDS[name].type })
    expect(asJson(record.value)).toMatchObject(says)
    expect(encodeMetadataRecord(record.name, version, record.value).toString('hex')).toBe(bytes)
  })
})

describe("Apache's control records", () => {
  interface ControlVector {
    readonly type: control.ControlType
    readonly key: string
    readonly value: string
    readonly says: Record<string, unknown>
  }
  const schemas: Partial<Record<control.ControlType, Message<Fields>>> = {
    COMMIT: control.EndTxnMarker,
    ABORT: control.EndTxnMarker,
    LEADER_CHANGE: control.LeaderChangeMessage,
    SNAPSHOT_HEADER: control.SnapshotHeaderRecord,
    SNAPSHOT_FOOTER: control.SnapshotFooterRecord,
    KRAFT_VERSION: control.KRaftVersionRecord,
    KRAFT_VOTERS: control.VotersRecord,
  }
  test.each(load('control-records.json') as ControlVector[])('$type', ({ type, key, value, says }) => {
    expect(control.decodeControlKey(Buffer.from(key, 'hex'))).toBe(type)
    expect(control.encodeControlKey(type).toString('hex')).toBe(key)
    const schema = schemas[type] as Message<Fields>
    const decoded = control.decodeControlValue(schema, Buffer.from(value, 'hex'))
    expect(decoded).toMatchObject(says)
    expect(control.encodeControlValue(schema, 0, decoded).toString('hex')).toBe(value)
  })
})

/** As Apache prints it: byte strings in base64, and producer ids, bigints here, as numbers. */
function asJson(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(asJson)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asJson(field)]))
}
