import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineParser } from '../../src/cli/formats/line-parser.ts'
import { NO_HEADERS, type RecordArea, writeRecord } from '../../src/kernels/record-writer.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import type { BatchHeader } from '../../src/protocol/record-batch.ts'

/** key, value and headers that a line gives, as text; null stays null. */
function parse(line: string, properties: Record<string, string>) {
  const parser = new LineParser(new Map(Object.entries(properties)))
  const bytes = Buffer.from(`before${line}behind\t:,`)
  parser.parse(bytes, 6, 6 + Buffer.byteLength(line), 7)
  const { keyStart, keyEnd, valueStart, valueEnd } = parser
  const area: RecordArea = { bytes: Buffer.alloc(4096), limit: 4096, at: 0, count: 0 }
  writeRecord(area, 0, bytes, keyStart, keyEnd, valueStart, valueEnd, parser.headers)
  const header = { recordCount: 1, baseOffset: 0, baseTimestamp: 0, isLogAppendTime: false } as BatchHeader
  const cursor = new RecordCursor(header, area.bytes.subarray(0, area.at))
  cursor.next()
  return {
    key: cursor.key()?.toString() ?? null,
    value: cursor.value()?.toString() ?? null,
    headers: cursor.headers().map(({ key, value }) => [key, value?.toString() ?? null]),
  }
}

const keyed = { 'parse.key': 'true' }
const both = { 'parse.key': 'true', 'parse.headers': 'true' }

describe('LineParser, as LineMessageReader', () => {
  it.each([
    ['a\tb', {}, { key: null, value: 'a\tb', headers: [] }],
    ['a\tb\tc', keyed, { key: 'a', value: 'b\tc', headers: [] }],
    ['k\t', keyed, { key: 'k', value: '', headers: [] }],
    ['\tv', keyed, { key: '', value: 'v', headers: [] }],
    ['a::b', { ...keyed, 'key.separator': '::' }, { key: 'a', value: 'b', headers: [] }],
    ['nokey', { ...keyed, 'ignore.error': 'TRUE ' }, { key: null, value: 'nokey', headers: [] }],
    ['h1:v1,h2:v2\tk\tv', both, { key: 'k', value: 'v', headers: [['h1', 'v1'], ['h2', 'v2']] }],
    [':\t\t', both, { key: '', value: '', headers: [['', '']] }],
    ['h:a:b\tv', { 'parse.headers': 'true' }, { key: null, value: 'v', headers: [['h', 'a:b']] }],
    ['h:1,,\tv', { 'parse.headers': 'true' }, { key: null, value: 'v', headers: [['h', '1']] }],
    ['NIL\tk\tNIL', { ...both, 'null.marker': 'NIL' }, { key: 'k', value: null, headers: [] }],
    ['NIL\tv', { ...keyed, 'null.marker': 'NIL' }, { key: null, value: 'v', headers: [] }],
    ['xNIL', { 'null.marker': 'NIL' }, { key: null, value: 'xNIL', headers: [] }],
    ['h:NIL\tv', { 'parse.headers': 'true', 'null.marker': 'NIL' }, { key: null, value: 'v', headers: [['h', null]] }],
    ['a\t', { ...keyed, 'null.marker': '' }, { key: 'a', value: null, headers: [] }],
    ['plain', { 'parse.headers': 'true', 'ignore.error': 'true' }, { key: null, value: 'plain', headers: [] }],
    ['whole\tv', { 'parse.headers': 'true', 'ignore.error': 'true' }, { key: null, value: 'v', headers: [['whole', null]] }],
    ['a:1;b:2\tv', { 'parse.headers': 'true', 'headers.separator': '[;|]' }, { key: null, value: 'v', headers: [['a', '1'], ['b', '2']] }],
    ['a:1\tv', { 'parse.headers': 'true', 'headers.separator': '.' }, { key: null, value: 'v', headers: [] }],
    ['ü=ö|k→v', { ...both, 'headers.delimiter': '|', 'headers.key.separator': '=', 'key.separator': '→' }, { key: 'k', value: 'v', headers: [['ü', 'ö']] }],
  ] as const)('%j with %j', (line, properties, expected) => {
    expect(parse(line, properties)).toEqual(expected)
  })

  it.each([
    ['nokey', keyed, "No key separator found on line number 7: 'nokey'"],
    ['nodelimiter', both, "No headers delimiter found on line number 7: 'nodelimiter'"],
    ['pair\tk\tv', both, "No header key separator found in pair 'pair' on line number 7"],
    [',h:1\tk\tv', both, "No header key separator found in pair '' on line number 7"],
    ['NIL:1\tk\tv', { ...both, 'null.marker': 'NIL' }, "Header keys should not be equal to the null marker 'NIL' as they can't be null"],
  ])('says what is wrong with %j in the words of Apache', (line, properties, message) => {
    expect(() => parse(line, properties)).toThrow(message)
  })

  it.each([
    [{ 'headers.delimiter': ',' }, 'headers.delimiter and headers.separator may not be equal'],
    [{ 'headers.key.separator': '\t' }, 'headers.delimiter and headers.key.separator may not be equal'],
    [{ 'null.marker': '\t' }, 'null.marker and key.separator may not be equal'],
    [{ 'headers.separator': '(' }, "headers.separator '(' is not a regular expression"],
    [{ 'parse.keys': 'true' }, "'parse.keys' is not a property of the line reader"],
  ])('refuses %j', (properties, message) => {
    expect(() => new LineParser(new Map(Object.entries(properties)))).toThrow(message)
  })

  it('takes the first separator, wherever it is, and never looks beyond the line', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\t'), maxLength: 120 })
    fc.assert(
      fc.property(text, (line) => {
        const at = line.indexOf('\t')
        const expected = at < 0 ? { key: null, value: line } : { key: line.slice(0, at), value: line.slice(at + 1) }
        expect(parse(line, { ...keyed, 'ignore.error': 'true' })).toEqual({ ...expected, headers: [] })
      }),
    )
  })

  it('gives plain lines no headers', () => {
    expect(new LineParser(new Map()).headers).toBe(NO_HEADERS)
  })
})
