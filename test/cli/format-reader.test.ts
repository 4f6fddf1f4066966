import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatReader } from '../../src/cli/formats/format-reader.ts'
import { formatString } from '../../src/cli/formats/format-string.ts'
import { ByteOutput } from '../../src/kernels/byte-output.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'

interface Fields {
  key: Buffer
  value: Buffer
}

/** Key and value of each record in `input`, which comes in pieces. */
function read(layout: string, input: Buffer, piece = input.length): (readonly [Buffer | null, Buffer | null])[] {
  const reader = new FormatReader(layout)
  const found: (readonly [Buffer | null, Buffer | null])[] = []
  for (let at = 0; at <= input.length; at += Math.max(piece, 1)) {
    reader.space().fill('-', 0, 64) // what is behind the end must not matter
    reader.push(input.subarray(at, at + Math.max(piece, 1)), 0)
    if (at + Math.max(piece, 1) > input.length) reader.finish()
    while (reader.next()) {
      reader.parse()
      const part = (start: number, end: number) => (start < 0 ? null : Buffer.from(reader.source.subarray(start, end)))
      found.push([part(reader.keyStart, reader.keyEnd), part(reader.valueStart, reader.valueEnd)])
    }
  }
  return found
}

const text = (layout: string, input: string) => read(layout, Buffer.from(input)).map((pair) => pair.map((each) => each?.toString() ?? null))

function print(layout: string, records: readonly Fields[]): Buffer {
  const builder = new BatchBuilder(1 << 20)
  for (const { key, value } of records) builder.append(key, value, [{ key: 'h', value }, { key: 'i', value: key }], 1234)
  const batch = builder.finish({ codec: 'none' })
  const header = readBatchHeader(batch, 0)
  const out = new ByteOutput()
  const format = formatString(layout)
  format.start({ header, records: recordsOf(batch, 0, header, 1 << 20) }, { topic: 't', partition: 0, bytes: batch, from: 0, until: Infinity, next: 1, aborted: [], codecs: new Set() })
  format.print(out, Infinity)
  return Buffer.from(out.bytes.subarray(0, out.at))
}

describe('reading by a format string', () => {
  it('cuts at the texts between fields, and takes a last record without its newline', () => {
    expect(text('%k:%v\\n', 'a:b\n:\nc:d:e')).toEqual([['a', 'b'], ['', ''], ['c', 'd:e']])
    expect(text('[%v] ', '[x] [y] ')).toEqual([[null, 'x'], [null, 'y']])
    expect(text('%k{hex} %v{base64}\\n', '6b dg==\n')).toEqual([['k', 'v']])
    expect(text('%v', 'all\nof it')).toEqual([[null, 'all\nof it']])
    expect(text('%V{2}%v', '03abc00')).toEqual([[null, 'abc'], [null, '']])
  }) // prettier-ignore

  it('brings back what was printed, whatever bytes they are and whatever pieces they come in', () => {
    const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array))
    const layouts = ['%K{big32}%k%V{big32}%v%H{big16}%h{%K{big16}%k%V{big16}%v}', '%K %k%V %v\\n', '%K{hex8}%V{little16}%k%v', '%k{hex}\\t%v{base64}\\n', '%p %d %V:%v%K:%k,']
    fc.assert(
      fc.property(fc.array(fc.record({ key: bytes, value: bytes }), { minLength: 1, maxLength: 5 }), fc.constantFrom(...layouts), fc.integer({ min: 1, max: 60 }), (records, layout, piece) => {
        expect(read(layout, print(layout, records), piece)).toEqual(records.map(({ key, value }) => [key, value]))
      }),
      { numRuns: 300 },
    )
  })

  it('says which record does not fit, and how', () => {
    expect(() => text('%k:%v\\n', 'a:b\nc\n')).toThrow('record 2 does not fit the format: the input ends in the middle of it')
    expect(() => text('%V{big32}%v', '\x7f\xff\xff\xff')).toThrow('record 1 does not fit the format')
    expect(() => text('%p %v\\n', 'x y\n')).toThrow('record 1 does not fit the format: %p is no number: "x"')
    expect(() => text('%k{hex}\\n', 'abc\n')).toThrow('%k is no hex')
    expect(() => text('<%v>', '(a>')).toThrow('"<" should follow, not "("')
  })

  it.each(['', 'text', '%k%v', '%q', '%h{%k}', '%H%h{%k%v}', '%v{json}', '%v{', '%v%v\\n', '%p{bool2}%v'])('%j is a usage error', (layout) => {
    expect(() => new FormatReader(layout)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error)
  })
})
