import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineReader } from '../../src/kernels/line-reader.ts'
import { encodeHeaders, encodeLines, encodePieces, NO_HEADERS, type RecordArea, recordSize, writeRecord } from '../../src/kernels/record-writer.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import type { BatchHeader } from '../../src/protocol/record-batch.ts'

/** What Java's BufferedReader makes of `bytes`, the slow and plain way. */
function javaLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  let start = 0
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 10 && bytes[at] !== 13) continue
    lines.push(bytes.subarray(start, at))
    if (bytes[at] === 13 && bytes[at + 1] === 10) at++
    start = at + 1
  }
  if (start < bytes.length) lines.push(bytes.subarray(start))
  return lines
}

/** Feeds `bytes` in pieces of these sizes, around and around, and calls `line` for each line. */
function read(reader: LineReader, bytes: Buffer, sizes: readonly number[], line: () => void): void {
  let from = 0
  for (let i = 0; from < bytes.length; i++) {
    const piece = bytes.subarray(from, from + sizes[i % sizes.length])
    for (let at = 0; at < piece.length; ) {
      at += reader.push(piece, at)
      while (reader.next()) line()
    }
    from += piece.length
  }
  reader.finish()
  while (reader.next()) line()
}

function area(size: number): RecordArea {
  return { bytes: Buffer.alloc(size), limit: size, at: 0, count: 0 }
}

function header(recordCount: number): BatchHeader {
  return {
    baseOffset: 0, size: 0, leaderEpoch: 0, magic: 2, crc: 0, attributes: 0, lastOffsetDelta: recordCount - 1,
    baseTimestamp: 1000, maxTimestamp: 1000, producerId: -1n, producerEpoch: -1, baseSequence: -1, recordCount,
    codec: 'none', isTransactional: false, isControl: false, isLogAppendTime: false, hasDeleteHorizon: false,
  } // prettier-ignore
}

function cursorOf(from: RecordArea): RecordCursor {
  return new RecordCursor(header(from.count), from.bytes.subarray(0, from.at))
}

// Many line ends, of all three kinds.
const text = fc.array(fc.constantFrom(10, 13, 65, 66, 0, 255), { maxLength: 60 }).map((bytes) => Buffer.from(bytes))
const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 })

describe('LineReader', () => {
  it('cuts lines as Java does, wherever the pieces end', () => {
    fc.assert(
      fc.property(text, sizes, (bytes, pieces) => {
        const lines: Buffer[] = []
        const reader = new LineReader(1000, 8)
        read(reader, bytes, pieces, () => lines.push(Buffer.from(reader.bytes.subarray(reader.lineStart, reader.lineEnd))))
        expect(lines).toEqual(javaLines(bytes))
        expect(reader.lineNumber).toBe(lines.length)
      }),
      { numRuns: 1000 },
    )
  })

  it('drops what is longer than it may keep, counts it, and keeps its neighbours', () => {
    fc.assert(
      fc.property(text, sizes, fc.integer({ min: 0, max: 12 }), (bytes, pieces, longest) => {
        const lines: (Buffer | number)[] = []
        const reader = new LineReader(longest, 4)
        read(reader, bytes, pieces, () => {
          lines.push(reader.droppedBytes || Buffer.from(reader.bytes.subarray(reader.lineStart, reader.lineEnd)))
        })
        expect(lines).toEqual(javaLines(bytes).map((line) => (line.length > longest ? line.length : line)))
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps memory within a few chunks however long a line is', () => {
    const reader = new LineReader(100, 1024)
    const piece = Buffer.alloc(1000, 'x')
    for (let i = 0; i < 1000; i++) {
      for (let at = 0; at < piece.length; ) at += reader.push(piece, at)
      expect(reader.next()).toBe(false)
    }
    expect(reader.bytes.length).toBeLessThan(16 * 1024)
    reader.finish()
    expect(reader.next()).toBe(true)
    expect(reader.droppedBytes).toBe(1_000_000)
  })
})

describe('encodeLines', () => {
  it('writes the same bytes as record by record, in batches of any size', () => {
    const areaSize = fc.integer({ min: 30, max: 200 })
    fc.assert(
      fc.property(text, sizes, areaSize, fc.integer({ min: 0, max: 2 ** 40 }), (bytes, pieces, size, delta) => {
        const fast: Buffer[] = []
        let current = area(size)
        const reader = new LineReader(1000, 8)
        const take = (): void => {
          while (!encodeLines(current, reader, delta)) {
            // The kernel leaves some room unused, but never gives up on an empty batch of this size too early.
            if (current.count === 0) {
              const alone = area(200)
              expect(writeRecord(alone, delta, reader.bytes, -1, -1, reader.lineStart, reader.lineEnd, NO_HEADERS)).toBe(true)
              fast.push(alone.bytes.subarray(0, alone.at))
              if (!reader.next()) return
              continue
            }
            fast.push(current.bytes.subarray(0, current.at))
            current = area(size)
          }
        }
        read(reader, bytes, pieces, take)
        if (current.count > 0) fast.push(current.bytes.subarray(0, current.at))

        const values: Buffer[] = []
        for (const records of fast) {
          let count = 0
          const slow = area(400)
          // As many records as there are bytes of: walk until the section ends.
          for (let at = 0; at < records.length; count++) at += 1 + records[at] / 2 // sizes below 64 take one byte
          const cursor = new RecordCursor(header(count), records)
          while (cursor.next()) {
            values.push(Buffer.from(cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)))
            expect(cursor.keyStart).toBe(-1)
            writeRecord(slow, delta, cursor.bytes, -1, -1, cursor.valueStart, cursor.valueEnd, NO_HEADERS)
          }
          expect(records).toEqual(slow.bytes.subarray(0, slow.at))
        }
        expect(values).toEqual(javaLines(bytes))
      }),
      { numRuns: 500 },
    )
  })
})

describe('writeRecord', () => {
  const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array))
  const optional = fc.option(bytes)
  const records = fc.array(
    fc.record({
      key: optional,
      value: optional,
      delta: fc.integer({ min: -5000, max: 2 ** 45 }),
      headers: fc.array(fc.record({ key: fc.string({ maxLength: 9 }), value: optional }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 80 },
  )

  it('writes what a cursor reads back, and takes the size it says', () => {
    fc.assert(
      fc.property(records, (given) => {
        const to = area(1 << 20)
        for (const { key, value, delta, headers } of given) {
          const source = Buffer.concat([key ?? Buffer.alloc(0), value ?? Buffer.alloc(0)])
          const split = key?.length ?? 0
          const section = encodeHeaders(headers.map((each) => ({ key: Buffer.from(each.key), value: each.value })))
          const before = to.at
          const size = recordSize(delta, to.count, key?.length ?? -1, value?.length ?? -1, section.length)
          expect(writeRecord(to, delta, source, key === null ? -1 : 0, split, value === null ? -1 : split, source.length, section)).toBe(true)
          expect(to.at - before).toBe(size)
        }
        const cursor = cursorOf(to)
        for (const [index, { key, value, delta, headers }] of given.entries()) {
          expect(cursor.next()).toBe(true)
          expect(cursor.offset).toBe(index)
          expect(cursor.timestamp).toBe(1000 + delta)
          expect(cursor.key()).toEqual(key)
          expect(cursor.value()).toEqual(value)
          expect(cursor.headers()).toEqual(headers.map((each) => ({ key: Buffer.from(each.key).toString(), value: each.value })))
        }
        expect(cursor.next()).toBe(false)
      }),
    )
  })

  it('changes nothing when the record does not fit', () => {
    const to = area(20)
    expect(writeRecord(to, 0, Buffer.alloc(14), -1, -1, 0, 14, NO_HEADERS)).toBe(false)
    expect([to.at, to.count]).toEqual([0, 0])
    expect(writeRecord(to, 0, Buffer.alloc(13), -1, -1, 0, 13, NO_HEADERS)).toBe(true)
    expect([to.at, to.count]).toEqual([20, 1])
  })
})

describe('encodePieces', () => {
  it('writes as writeRecord does, as many pieces as there is room for', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(40), fc.integer({ min: -1, max: 100_000 }), fc.integer({ min: 10, max: 4000 }), (size, count, delta, room) => {
        const source = Buffer.from(Array.from({ length: size * count + 3 }, (_, at) => at % 251))
        const [pieces, plain] = [area(room), area(room)]
        const written = encodePieces(pieces, source, 3, size, count, delta)
        let expected = 0
        for (let at = 3; expected < count && writeRecord(plain, delta, source, -1, -1, at, at + size, NO_HEADERS); at += size) expected++
        expect(written).toBe(expected)
        expect([pieces.at, pieces.count]).toEqual([plain.at, plain.count])
        expect(pieces.bytes.equals(plain.bytes)).toBe(true)
      }),
    )
  })
})
