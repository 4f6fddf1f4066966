// `ktool produce -k KEY -H NAME=VALUE`: what all records get, beside what each has itself.

import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EnvelopeParser } from '../../src/cli/formats/envelope-parser.ts'
import { FixedFields, parseHeader } from '../../src/cli/formats/fixed-fields.ts'
import { type RecordArea, writeRecord } from '../../src/kernels/record-writer.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import type { BatchHeader } from '../../src/protocol/record-batch.ts'
import { Sandbox } from './sandbox.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const header = fc.record({ key: text, value: fc.option(text) })
const record = fc.record({ key: fc.option(text), value: fc.option(text), headers: fc.array(header, { maxLength: 130 }) })

describe('fixed fields', () => {
  it('fill in the key that is missing, and stand behind the headers that are there', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.option(text, { nil: undefined }), fc.array(header, { maxLength: 70 }), (records, key, headers) => {
        const bytes = (each: string | null) => (each === null ? null : Buffer.from(each))
        const fixed = headers.map((each) => ({ key: Buffer.from(each.key), value: bytes(each.value) }))
        const parser = new FixedFields(new EnvelopeParser({ topic: false, partition: false, timestamp: false }), key, fixed)
        for (const given of records) {
          const line = Buffer.from(JSON.stringify(given))
          parser.parse(line, 0, line.length, 1)
          const area: RecordArea = { bytes: Buffer.alloc(1 << 16), limit: 1 << 16, at: 0, count: 0 }
          writeRecord(area, 0, parser.source, parser.keyStart, parser.keyEnd, parser.valueStart, parser.valueEnd, parser.headers)
          const cursor = new RecordCursor({ recordCount: 1, baseOffset: 0, baseTimestamp: 0, isLogAppendTime: false } as BatchHeader, area.bytes.subarray(0, area.at))
          cursor.next()
          expect([cursor.key()?.toString() ?? null, cursor.value()?.toString() ?? null]).toEqual([given.key ?? key ?? null, given.value])
          expect(cursor.rawHeaders().map((each) => ({ key: each.key.toString(), value: each.value?.toString() ?? null }))).toEqual([...given.headers, ...headers])
        }
      }),
    )
  })

  it('reads headers as kcat does', () => {
    expect(['a=1', 'b', 'c=', 'd=2=3', 'e:f'].map((word) => parseHeader('-H', word)).map(({ key, value }) => [key.toString(), value?.toString() ?? null])).toEqual([
      ['a', '1'], ['b', null], ['c', ''], ['d', '2=3'], ['e:f', null],
    ]) // prettier-ignore
    for (const word of ['', '=x']) expect(() => parseHeader('-H', word)).toThrow(/has no name/)
  })
})

describe('on the command line', () => {
  const box = new Sandbox()
  beforeAll(() => box.broker('--ephemeral', '--topic', 't'), 60_000)
  afterAll(() => box.close())

  it('-k, -H, -K and --parse-headers together', async () => {
    expect(await box.run(['produce', 't', '-k', 'K', '-H', 'a=1', '-H', 'b'], { input: 'one\n\n' })).toMatchObject({ code: 0, stderr: '' })
    expect(await box.run(['produce', 't', '-K', ':', '--parse-headers', '-H', 'z=9'], { input: 'h:1,h:2\tk:v\n' })).toMatchObject({ code: 0, stderr: '' })
    expect(await box.run(['produce', 't', '--input', 'json', '-k', 'fill'], { input: '{"value":null}\n{"key":"","value":"v"}\n' })).toMatchObject({ code: 0 })
    expect((await box.run(['consume', 't', '-o', ':end', '-f', '%k|%v{json}|%h{%k=%v;}\\n'])).stdout).toBe(
      'K|"one"|a=1;b=;\nK|""|a=1;b=;\nk|"v"|h=1;h=2;z=9;\nfill|null|\n|"v"|\n',
    )
  })

  it.each([
    [['-H', '=x'], /has no name/],
    [['--parse-headers', '--input', 'json'], /--parse-headers is about lines of text/],
    [['--parse-headers', '--format', '%v\\n'], /--format and --parse-headers both say/],
  ])('%j is a usage error', async (words, message) => {
    expect(await box.run(['produce', 't', ...words])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) as string })
  })
})
