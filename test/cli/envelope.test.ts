import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { envelopeFormat, type JsonStyle } from '../../src/cli/formats/envelope-format.ts'
import { EnvelopeParser } from '../../src/cli/formats/envelope-parser.ts'
import { valueEnd } from '../../src/cli/formats/json-scan.ts'
import { ByteOutput } from '../../src/kernels/byte-output.ts'
import { encodeHeaders, type RecordArea, writeRecord } from '../../src/kernels/record-writer.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import type { BatchHeader } from '../../src/protocol/record-batch.ts'

interface Fields {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: Buffer; readonly value: Buffer | null }[]
}

const NOTHING = Buffer.alloc(0)
const from = { topic: true, partition: true, timestamp: true }
const nowhere = { topic: false, partition: false, timestamp: false }

/** A record as it is stored, walked to. */
function stored({ source, key, value, headers }: { source: Buffer; key: [number, number]; value: [number, number]; headers: Buffer }) {
  const area: RecordArea = { bytes: Buffer.alloc(64 * 1024), limit: 64 * 1024, at: 0, count: 0 }
  writeRecord(area, 5, source, ...key, ...value, headers)
  const header = { recordCount: 1, baseOffset: 7, baseTimestamp: 1000, isLogAppendTime: false } as BatchHeader
  return { header, records: area.bytes.subarray(0, area.at) }
}

function envelopeOf({ key, value, headers }: Fields, style: JsonStyle = 'string'): Buffer {
  const source = Buffer.concat([key ?? NOTHING, value ?? NOTHING])
  const split = key?.length ?? 0
  const batch = stored({
    source,
    key: key === null ? [-1, -1] : [0, split],
    value: value === null ? [-1, -1] : [split, source.length],
    headers: encodeHeaders(headers),
  })
  const out = new ByteOutput()
  const format = envelopeFormat({ key: style, value: style })
  format.start(batch, { topic: 'tö"p', partition: 3, bytes: NOTHING, from: 0, until: Infinity, next: 8, aborted: [], codecs: new Set() })
  format.print(out, Infinity)
  return Buffer.from(out.bytes.subarray(0, out.at))
}

function parse(line: Buffer | string, wanted = nowhere) {
  const parser = new EnvelopeParser(wanted)
  const bytes = Buffer.concat([Buffer.from('{"a":'), Buffer.from(line), Buffer.from('}"')])
  parser.parse(bytes, 5, bytes.length - 2, 7)
  const { source, keyStart, keyEnd, valueStart, valueEnd: end, headers, topic, partition, timestamp } = parser
  const { header, records } = stored({ source, key: [keyStart, keyEnd], value: [valueStart, end], headers })
  const cursor = new RecordCursor(header, records)
  cursor.next()
  return { key: cursor.key(), value: cursor.value(), headers: cursor.rawHeaders(), topic, partition, timestamp }
}

const text = (line: string, wanted = nowhere) => {
  const { key, value, headers, ...place } = parse(line, wanted)
  return { key: key?.toString() ?? null, value: value?.toString() ?? null, headers: headers.map((each) => [each.key.toString(), each.value?.toString() ?? null]), ...place }
}

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
  fc.string({ unit: 'binary', maxLength: 40 }).map((each) => Buffer.from(each)),
  fc.json().map((each) => Buffer.from(each)),
  fc.constantFrom('null', '""', '"null"', ' 1', '1\n', '[1,\n2]', '9007199254740993', '1e400', '-0', '{"a":1,"a":2}', '\u2028', '{"id":12345678901234567890}').map((each) => Buffer.from(each)),
)
const fields = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: bytes, value: fc.option(bytes) }), { maxLength: 3 }),
})

describe('the envelope', () => {
  it('brings any bytes back as key, value and headers, in one line of JSON', () => {
    fc.assert(
      fc.property(fields, fc.constantFrom<JsonStyle>('string', 'json'), (record, style) => {
        const line = envelopeOf(record, style)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(JSON.parse(line.toString())).toMatchObject({ topic: 'tö"p', partition: 3, offset: 7, timestamp: 1005, timestampType: 'CreateTime' })
        expect(parse(line.subarray(0, -1), from)).toEqual({ ...record, topic: 'tö"p', partition: 3, timestamp: 1005 })
      }),
      { numRuns: 1000 },
    )
  })

  it('is written as people read it', () => {
    const headers = [{ key: Buffer.from('h'), value: Buffer.from('1') }, { key: Buffer.from('h'), value: null }, { key: Buffer.from([0xff]), value: NOTHING }] // prettier-ignore
    expect(envelopeOf({ key: Buffer.from('k'), value: Buffer.from([0x80]), headers }).toString()).toBe(
      '{"topic":"tö\\"p","partition":3,"offset":7,"timestamp":1005,"timestampType":"CreateTime","key":"k","value":"gA==",' +
        '"headers":[{"key":"h","value":"1"},{"key":"h","value":null},{"key":"/w==","value":"","keyEncoding":"base64"}],"valueEncoding":"base64"}\n',
    )
    expect(envelopeOf({ key: null, value: Buffer.from('{"id": 9007199254740993}'), headers: [] }, 'json').toString()).toContain(
      '"key":null,"value":{"id": 9007199254740993},"headers":[],"valueEncoding":"json"}',
    )
  })

  it('is read in any order, with what JSON allows, and with nothing but a value', () => {
    expect(text(' { "headers" : [ ] , "value" : "\\u00fc\\ud83d\\ude00\\/\\n" , "key" : "" } ')).toMatchObject({ key: '', value: 'ü😀/\n', headers: [] })
    expect(text('{}')).toMatchObject({ key: null, value: null, headers: [] })
    expect(text('{"value":null,"valueEncoding":"null"}')).toMatchObject({ value: null })
    expect(text('{"value":null,"valueEncoding":"json"}')).toMatchObject({ value: 'null' })
    expect(text('{"valueEncoding":"json","value":[1.0, 12345678901234567890]}')).toMatchObject({ value: '[1.0, 12345678901234567890]' })
    expect(text('{"headers":[{"key":"a","value":"YQ==","valueEncoding":"base64"},{"value":null,"key":"a"},{"key":"b"}]}')).toMatchObject({
      headers: [['a', 'a'], ['a', null], ['b', null]],
    }) // prettier-ignore
    expect(text('{"value":"v","offset":"9223372036854775807"}')).toMatchObject({ value: 'v' })
    expect(text('{"\\u006bey":"k"}')).toMatchObject({ key: 'k' })
    expect(text('{"topic":"x","partition":1,"timestamp":5}')).toMatchObject({ topic: undefined, partition: undefined, timestamp: undefined })
  })

  it.each([
    ['', 'no JSON'], ['null', 'no JSON object'], ['[]', 'no JSON object'], ['{"value":"a"} x', 'no JSON'], ["{'value':'a'}", 'no JSON'],
    ['{"value":"a",}', 'no JSON'], ['{"value":01}', 'no JSON'], ['{"value":"\t"}', 'no JSON'], ['{"value":"\\x"}', 'no JSON'],
    ['{"vlaue":"a"}', "unknown field 'vlaue'"], ['{"value":"a","value":"b"}', "'value' is there twice"],
    ['{"value":1}', 'value is neither a string nor null'], ['{"key":{}}', 'key is neither a string nor null'],
    ['{"value":"a","valueEncoding":"hex"}', "valueEncoding is 'hex'"], ['{"value":"YQ","valueEncoding":"base64"}', 'value is no base64'],
    ['{"value":"Y Q==","valueEncoding":"base64"}', 'value is no base64'], ['{"value":"YR==","valueEncoding":"base64"}', 'value is no base64'],
    ['{"value":"a","valueEncoding":"null"}', 'value is not null'], ['{"valueEncoding":"base64"}', 'valueEncoding without a value'],
    ['{"value":"\\ud800"}', 'value has half of a surrogate pair'], ['{"headers":{"a":"b"}}', 'has headers that are no array'],
    ['{"headers":[{"value":"a"}]}', 'header 1: no key'], ['{"headers":[{"key":"a","x":1}]}', "header 1: unknown field 'x'"], ['{"headers":["a"]}', 'header 1: no JSON object'],
    ['{"partition":"1"}', 'partition is no integer'], ['{"partition":1.5}', 'partition is no integer'], ['{"timestamp":-2}', 'timestamp is no integer'],
    ['{"offset":"12"}', 'offset is no integer'], ['{"offset":9223372036854775807}', 'offset is no integer'], ['{"topic":1}', 'topic is no string'], ['{"timestampType":"x"}', "timestampType is 'x'"],
  ])('refuses %s: %s', (line, message) => {
    expect(() => text(line)).toThrow(`line 7 is no record: ${message}`)
  }) // prettier-ignore

  it('refuses bytes that are no text, and a record that does not say what it is asked', () => {
    expect(() => parse(Buffer.from('{"value":"\xff"}', 'latin1'))).toThrow('line 7 is no record: is not UTF-8')
    expect(() => parse('{"timestamp":1}', { ...nowhere, partition: true })).toThrow('has no partition')
    expect(() => parse('{"partition":1}', { ...nowhere, timestamp: true })).toThrow('has no timestamp')
  })
})

describe('finding JSON', () => {
  it('takes what JSON.parse takes, and nothing else', () => {
    const piece = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '"', '1', '-', '0', '.5', 'e3', 'true', 'null', ' ', '\\u00e9', '\\n', '\t')
    const isJson = (each: string): boolean => {
      try {
        JSON.parse(each)
        return true
      } catch {
        return false
      }
    }
    const check = (each: string): void => {
      const given = Buffer.from(each)
      const start = given.length - Buffer.from(each.trimStart()).length
      const isWhole = valueEnd(given, start, given.length) === Buffer.from(each.trimEnd()).length && start < given.length
      expect([each, isWhole]).toEqual([each, isJson(each)])
    }
    const spaceless = (each: string): boolean => !/[\v\f\u00a0\ufeff\u2000-\u200a\u1680\u2028\u2029\u202f\u205f\u3000]/.test(each)
    fc.assert(fc.property(fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')), check), { numRuns: 5000 })
    fc.assert(fc.property(fc.json().filter(spaceless), check), { numRuns: 300 })
  })

  it('goes as deep as there are bytes', () => {
    const depth = 200_000
    const deep = Buffer.from('['.repeat(depth) + ']'.repeat(depth))
    expect(valueEnd(deep, 0, deep.length)).toBe(2 * depth)
    expect(valueEnd(deep, 0, deep.length - 1)).toBe(-1)
  })
})
