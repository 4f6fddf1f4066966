import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { BatchBuilder, type BatchOptions } from '../../src/protocol/batch-builder.ts'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { KafkaError, ProtocolError } from '../../src/protocol/errors.ts'
import {
  BATCH_OVERHEAD, batchSizeAt, CODECS, hasValidCrc, readBatchHeader, recordsOf, stampOffset, stampTimestamps,
} from '../../src/protocol/record-batch.ts'
import { RecordCursor, type RecordHeader } from '../../src/protocol/record-cursor.ts'

const LIMIT = 64 << 20

beforeAll(async () => {
  for (const codec of CODECS) await prepareCodec(codec)
})

interface Plain {
  key: Buffer | null
  value: Buffer | null
  headers: RecordHeader[]
  timestamp: number
}

const anyBytes = fc.option(fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)))
const anyRecord: fc.Arbitrary<Plain> = fc.record({
  key: anyBytes,
  value: anyBytes,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: anyBytes }), { maxLength: 3 }),
  timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 42 }), fc.constantFrom(-1, 0, 2 ** 51)),
})

function build(records: readonly Plain[], options: BatchOptions): Buffer {
  const builder = new BatchBuilder(1 << 20)
  for (const { key, value, headers, timestamp } of records) {
    expect(builder.append(key, value, headers, timestamp)).toBe(true)
  }
  return builder.finish(options)
}

function read(bytes: Buffer, at = 0): (Plain & { offset: number })[] {
  const header = readBatchHeader(bytes, at)
  const cursor = new RecordCursor(header, recordsOf(bytes, at, header, LIMIT))
  const records = []
  while (cursor.next()) {
    const { offset, timestamp } = cursor
    records.push({ offset, key: cursor.key(), value: cursor.value(), headers: cursor.headers(), timestamp })
  }
  return records
}

test.each(CODECS)('any records written with %s are read back', (codec) => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 40 }), fc.nat(2 ** 40), (records, baseOffset) => {
      const batch = build(records, { codec, baseOffset, leaderEpoch: 5 })
      const header = readBatchHeader(batch, 0)
      expect(header).toMatchObject({
        baseOffset, size: batch.length, leaderEpoch: 5, magic: 2, codec, recordCount: records.length,
        lastOffsetDelta: records.length - 1, baseTimestamp: records[0].timestamp,
        maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
        producerId: -1n, producerEpoch: -1, baseSequence: -1, isTransactional: false, isControl: false, isLogAppendTime: false,
      })
      expect(hasValidCrc(batch, 0, header.size)).toBe(true)
      expect(read(batch)).toEqual(records.map((record, index) => ({ ...record, offset: baseOffset + index })))
    }),
    { numRuns: 60 },
  )
})

describe('what Java wrote', () => {
  interface Vectors {
    records: { timestamp: number; key: string | null; value: string | null; headers: [string, string | null][] }[]
    batches: {
      codec: (typeof CODECS)[number]; baseOffset: number; leaderEpoch: number; producerId: string; producerEpoch: number
      baseSequence: number; isTransactional: boolean; isLogAppendTime: boolean; maxTimestamp: number; crc: number; bytes: string
    }[]
  }
  // Written by Apache's own MemoryRecords (test/conformance/java/WriteVectors.java).
  const vectors = JSON.parse(readFileSync(new URL('batches/java.json', import.meta.url), 'utf8')) as Vectors
  const fromHex = (hex: string | null) => (hex === null ? null : Buffer.from(hex, 'hex'))
  const records = vectors.records.map(({ timestamp, key, value, headers }) => ({
    timestamp, key: fromHex(key), value: fromHex(value), headers: headers.map(([name, hex]) => ({ key: name, value: fromHex(hex) })),
  }))

  test.each(vectors.batches)('$codec from offset $baseOffset, producer $producerId', ({ bytes: hex, producerId, ...fields }) => {
    const bytes = Buffer.from(hex, 'hex')
    expect(readBatchHeader(bytes, 0)).toMatchObject({ ...fields, producerId: BigInt(producerId), size: bytes.length })
    expect(hasValidCrc(bytes, 0, bytes.length)).toBe(true)
    expect(read(bytes)).toEqual(
      records.map((record, index) => ({
        ...record,
        offset: fields.baseOffset + index,
        timestamp: fields.isLogAppendTime ? fields.maxTimestamp : record.timestamp,
      })),
    )
  })

  test('is what we write, byte for byte, where no codec is between', () => {
    for (const row of vectors.batches) {
      if (row.codec !== 'none' || row.isLogAppendTime) continue
      const { producerEpoch, baseSequence, isTransactional, leaderEpoch, baseOffset } = row
      const options = { producerId: BigInt(row.producerId), producerEpoch, baseSequence, isTransactional, leaderEpoch, baseOffset }
      expect(build(records, { codec: 'none', ...options }).toString('hex')).toBe(row.bytes)
    }
  })
})

describe('the builder', () => {
  test('takes records up to its limit, and any single one', () => {
    const builder = new BatchBuilder(200)
    const value = Buffer.alloc(50)
    let count = 0
    while (builder.append(null, value, [], 1)) count++
    expect(count).toBe(2)
    expect(builder.count).toBe(2)
    const { size } = builder
    expect(builder.finish({ codec: 'none' }).length).toBe(size)
    expect(builder.count).toBe(0)
    expect(builder.append(null, Buffer.alloc(1000), [], 1)).toBe(true)
    expect(builder.append(null, null, [], 1)).toBe(false)
    builder.reset()
    expect(builder.append(null, null, [], 1)).toBe(true)
  })

  test('leaves earlier batches alone when it goes on', () => {
    const builder = new BatchBuilder(1000)
    builder.append(null, Buffer.from('one'), [], 1)
    const first = builder.finish({ codec: 'none' })
    const copy = Buffer.from(first)
    builder.append(null, Buffer.from('two'), [], 2)
    builder.finish({ codec: 'gzip' })
    expect(first.equals(copy)).toBe(true)
  })
})

describe('stamps', () => {
  const records = [0, 1, 2].map((index) => ({ key: null, value: Buffer.from(`v${index}`), headers: [], timestamp: 100 + index }))

  test('offset and leader epoch leave the checksum right', () => {
    const batch = build(records, { codec: 'none' })
    stampOffset(batch, 0, 2 ** 40 + 3, 9)
    expect(readBatchHeader(batch, 0)).toMatchObject({ baseOffset: 2 ** 40 + 3, leaderEpoch: 9 })
    expect(hasValidCrc(batch, 0, batch.length)).toBe(true)
    expect(read(batch).map(({ offset }) => offset)).toEqual([3, 4, 5].map((delta) => 2 ** 40 + delta))
  })

  test('the append time becomes the time of every record, and the checksum follows', () => {
    const batch = Buffer.concat([Buffer.alloc(7), build(records, { codec: 'lz4', isTransactional: true })])
    const size = batch.length - 7
    stampTimestamps(batch, 7, size, 5000, true)
    expect(readBatchHeader(batch, 7)).toMatchObject({ isLogAppendTime: true, isTransactional: true, maxTimestamp: 5000, codec: 'lz4' })
    expect(hasValidCrc(batch, 7, size)).toBe(true)
    expect(read(batch, 7).map(({ timestamp }) => timestamp)).toEqual([5000, 5000, 5000])
    stampTimestamps(batch, 7, size, 102, false)
    expect(read(batch, 7).map(({ timestamp }) => timestamp)).toEqual([100, 101, 102])
    expect(hasValidCrc(batch, 7, size)).toBe(true)
  })
})

describe('hostile bytes', () => {
  const records = Array.from({ length: 8 }, (_, index) => ({
    key: Buffer.from(`key ${index}`), value: index === 3 ? null : Buffer.from('value '.repeat(index)),
    headers: [{ key: 'h', value: null }], timestamp: 1000 + index,
  }))

  test.each(CODECS)('%s: a batch cut off anywhere is not there, or refused', (codec) => {
    const batch = build(records, { codec })
    for (let size = 0; size < batch.length; size++) {
      const cut = batch.subarray(0, size)
      expect(batchSizeAt(cut, 0)).toBe(-1)
      expect(() => readBatchHeader(cut, 0)).toThrow(ProtocolError)
      if (size < BATCH_OVERHEAD) continue
      // The same with a length that says so: the records are what is cut off.
      const shorter = Buffer.from(cut)
      shorter.writeInt32BE(size - 12, 8)
      expect(() => read(shorter)).toThrow(KafkaError)
    }
  })

  test.each(CODECS)('%s: any change is read as something, or refused', (codec) => {
    const batch = build(records, { codec })
    const holds = (changed: Buffer) => {
      try {
        const seen = read(changed)
        expect(seen.length).toBeLessThanOrEqual(changed.length)
      } catch (error) {
        if (!(error instanceof KafkaError) && !(error instanceof ProtocolError)) throw error
      }
    }
    for (let at = 0; at < batch.length; at++) {
      for (const flip of [1, 2, 0x40, 0x80, 0xff]) {
        const changed = Buffer.from(batch)
        changed[at] ^= flip
        expect(at > 20 && hasValidCrc(changed, 0, batch.length)).toBe(false)
        holds(changed)
      }
    }
    fc.assert(
      fc.property(fc.nat(batch.length - BATCH_OVERHEAD - 1), fc.uint8Array({ minLength: 1, maxLength: 20 }), (at, noise) => {
        const changed = Buffer.from(batch)
        changed.set(noise.subarray(0, batch.length - BATCH_OVERHEAD - at), BATCH_OVERHEAD + at)
        holds(changed)
      }),
      { numRuns: 500 },
    )
  })

  test('lengths, counts and codecs that cannot be are refused', () => {
    const change = (edit: (batch: Buffer) => void) => {
      const batch = build(records, { codec: 'none' })
      edit(batch)
      return () => read(batch)
    }
    expect(change((batch) => batch.writeInt32BE(48, 8))).toThrow(ProtocolError)
    expect(change((batch) => batch.writeInt32BE(-1, 8))).toThrow(ProtocolError)
    expect(change((batch) => batch.writeInt8(1, 16))).toThrow(/magic 1/)
    expect(change((batch) => batch.writeInt16BE(5, 21))).toThrow(/compression type id: 5/)
    expect(change((batch) => batch.writeInt32BE(-1, 57))).toThrow(ProtocolError)
    expect(change((batch) => batch.writeInt32BE(9, 57))).toThrow('Found invalid record')
    expect(change((batch) => batch.writeInt32BE(7, 57))).toThrow('behind the last record')
    expect(change((batch) => batch.writeInt32BE(2 ** 31 - 1, 57))).toThrow('Found invalid record')
  })
})
