import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteOutput } from '../../src/kernels/byte-output.ts'
import { writeJsonString } from '../../src/kernels/json-escape.ts'
import { ValuePrinter } from '../../src/kernels/value-printer.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const optional = fc.option(bytes)
const header = fc.record({ key: fc.string({ maxLength: 5 }), value: optional })
const records = fc.array(fc.record({ key: optional, value: optional, headers: fc.array(header, { maxLength: 2 }) }), {
  minLength: 1,
  maxLength: 40,
})

/** What `out` holds, as a copy. */
function taken(out: ByteOutput): Buffer {
  const size = out.at
  return Buffer.from(out.swap().subarray(0, size))
}

function batchOf(given: readonly { key: Buffer | null; value: Buffer | null; headers: { key: string; value: Buffer | null }[] }[]) {
  const builder = new BatchBuilder(1 << 20)
  for (const [index, { key, value, headers }] of given.entries()) builder.append(key, value, headers, 1_000_000 + index * 1000)
  const batch = builder.finish({ codec: 'none', baseOffset: 100 })
  const head = readBatchHeader(batch, 0)
  return { head, section: recordsOf(batch, 0, head, 1 << 20) }
}

describe('ValuePrinter', () => {
  it('prints what a cursor would, within the offsets asked for, whatever the output holds', () => {
    const range = fc.tuple(fc.integer({ min: 95, max: 145 }), fc.integer({ min: 95, max: 145 }))
    fc.assert(
      fc.property(records, range, fc.integer({ min: 1, max: 400 }), fc.constantFrom('\n', '', '--'), (given, [from, until], size, separator) => {
        const { head, section } = batchOf(given)
        const printer = new ValuePrinter(Buffer.from(separator), Buffer.from('NIL'))
        const out = new ByteOutput(size)
        const pieces: Buffer[] = []
        printer.start(section, head.recordCount, head.baseOffset, from, until)
        while (printer.print(out, Infinity)) pieces.push(taken(out))
        pieces.push(taken(out))

        const expected: Buffer[] = []
        const cursor = new RecordCursor(head, section)
        while (cursor.next()) {
          if (cursor.offset < from || cursor.offset >= until) continue
          expected.push(cursor.value() ?? Buffer.from('NIL'), Buffer.from(separator))
        }
        expect(Buffer.concat(pieces)).toEqual(Buffer.concat(expected))
        expect(printer.printed).toBe(expected.length / 2)
      }),
      { numRuns: 300 },
    )
  })

  it('stops after as many as asked, over several batches', () => {
    const { head, section } = batchOf([1, 2, 3].map((n) => ({ key: null, value: Buffer.from(String(n)), headers: [] })))
    const printer = new ValuePrinter(Buffer.from('\n'), Buffer.from('null'))
    const out = new ByteOutput()
    printer.start(section, head.recordCount, 0, 0, Infinity)
    expect(printer.print(out, 4)).toBe(false)
    printer.start(section, head.recordCount, 3, 0, Infinity)
    expect(printer.print(out, 4)).toBe(true)
    expect(taken(out).toString()).toBe('1\n2\n3\n1\n')
  })

  it('says that noise is no record, and reads nothing outside of it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (noise, count) => {
        const printer = new ValuePrinter(Buffer.from('\n'), Buffer.from('null'))
        const out = new ByteOutput()
        printer.start(Buffer.from(noise), count, 0, 0, Infinity)
        try {
          printer.print(out, Infinity)
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
        expect(out.at).toBeLessThanOrEqual(noise.length + 5 * count)
      }),
      { numRuns: 1000 },
    )
  })
})

describe('writeJsonString', () => {
  it('gives strings that JSON.parse reads back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        const source = Buffer.from(text)
        const out = new ByteOutput(8)
        writeJsonString(out, source, 0, source.length)
        expect(JSON.parse(taken(out).toString())).toBe(source.toString())
      }),
    )
  })
})
