// What a client's batch must be, with Kafka's codes in Kafka's order.

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../../src/kernels/varint.ts'
import { hasValidCrc, readBatchHeader, recordsOf, sealBatch, stampTimestamps } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import { RecordValidationError, validateClientBatch } from '../../src/storage/batch-validator.ts'
import { type LogConfig, defaultLogConfig } from '../../src/storage/log-config.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, batch, durable, keyed, openStore, openTopic } from './fixtures.ts'

function codeOf(bytes: Buffer, config: Partial<LogConfig> = {}): string {
  try {
    validateClientBatch(bytes, 't-0', { ...defaultLogConfig, ...config }, NOW)
    return 'NONE'
  } catch (error) {
    if (error instanceof KafkaError) return error.error
    throw error
  }
}

/** The batch with `change` made and the checksum right again. */
function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  const { maxTimestamp, isLogAppendTime } = readBatchHeader(copy, 0)
  stampTimestamps(copy, 0, copy.length, maxTimestamp, isLogAppendTime)
  return copy
}

interface Row {
  readonly delta: number
  readonly time: number // from NOW, ms
  readonly value: string
}

/** A batch whose records say these offset deltas. */
function numbered(rows: readonly Row[], codec: 'none' | 'gzip' | 'lz4'): Buffer {
  const bytes = Buffer.alloc(61 + rows.reduce((sum, { value }) => sum + 40 + Buffer.byteLength(value), 0))
  let at = 61
  for (const { delta, time, value } of rows) {
    const size = Buffer.byteLength(value)
    at = writeVarint(bytes, at, 1 + varlongSize(time) + varintSize(delta) + 1 + varintSize(size) + size + 1)
    at = writeVarlong(bytes, at + 1, time)
    at = writeVarint(bytes, writeVarint(bytes, at, delta), -1)
    at = writeVarint(bytes, at, size)
    at = writeVarint(bytes, at + bytes.write(value, at), 0)
  }
  return sealBatch(bytes, at, codec, undefined, {
    baseOffset: 0, leaderEpoch: -1, attributes: 0, lastOffsetDelta: rows.length - 1, recordCount: rows.length,
    baseTimestamp: NOW, maxTimestamp: NOW, producerId: 4n, producerEpoch: 1, baseSequence: 7,
  }) // prettier-ignore
}

function rowsOf(bytes: Buffer): Row[] {
  const header = readBatchHeader(bytes, 0)
  const rows: Row[] = []
  for (const cursor = new RecordCursor(header, recordsOf(bytes, 0, header, 1 << 20)); cursor.next(); ) {
    rows.push({ delta: cursor.offset, time: cursor.timestamp - NOW, value: cursor.value()?.toString() ?? '' })
  }
  return rows
}

beforeAll(async () => {
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) await prepareCodec(codec)
})

describe('a batch is refused', () => {
  const good = batch(['a', 'b'])
  it.each<[string, Buffer, Partial<LogConfig>, string]>([
    ['nothing: a good one passes', good, {}, 'NONE'],
    ['empty', Buffer.alloc(0), {}, 'CORRUPT_MESSAGE'],
    ['cut off', good.subarray(0, good.length - 1), {}, 'CORRUPT_MESSAGE'],
    ['magic 1', Buffer.from(good).fill(1, 16, 17), {}, 'INVALID_RECORD'],
    ['magic 3', Buffer.from(good).fill(3, 16, 17), {}, 'CORRUPT_MESSAGE'],
    ['two batches', Buffer.concat([good, good]), {}, 'INVALID_RECORD'],
    ['bytes behind the batch', Buffer.concat([good, Buffer.alloc(3)]), {}, 'INVALID_RECORD'],
    ['base offset other than 0', batch(['a'], { baseOffset: 5 }), {}, 'INVALID_RECORD'],
    ['larger than max.message.bytes', good, { maxMessageBytes: good.length - 1 }, 'MESSAGE_TOO_LARGE'],
    ['as large as max.message.bytes is fine', good, { maxMessageBytes: good.length }, 'NONE'],
    ['larger than a segment', good, { segmentBytes: good.length - 1 }, 'RECORD_LIST_TOO_LARGE'],
    ['wrong checksum', Buffer.from(good).fill(0, 17, 21), {}, 'CORRUPT_MESSAGE'],
    ['count 3 of 2', changed(good, (bytes) => bytes.writeInt32BE(3, 57)), {}, 'INVALID_RECORD'],
    ['count 0', changed(good, (bytes) => bytes.writeInt32BE(0, 57)), {}, 'INVALID_RECORD'],
    ['last offset delta 7', changed(good, (bytes) => bytes.writeInt32BE(7, 23)), {}, 'INVALID_RECORD'],
    ['control bit', batch(['a'], { isControl: true }), {}, 'INVALID_RECORD'],
    ['producer without a sequence', batch(['a'], { producerId: 1n, producerEpoch: 0 }), {}, 'INVALID_RECORD'],
    ['record length beyond the batch', changed(good, (bytes) => bytes.fill(0x7e, 61, 62)), {}, 'INVALID_RECORD'],
    ['too far ahead', batch(['a'], {}, NOW + 3_600_001), {}, 'INVALID_TIMESTAMP'],
    ['too old', batch(['a'], {}, NOW - 11), { timestampBeforeMaxMs: 10 }, 'INVALID_TIMESTAMP'],
    ['no key on a compacted topic', batch(['a']), { cleanupPolicy: new Set(['compact']) }, 'INVALID_RECORD'],
  ])('%s', (_, bytes, config, code) => {
    expect(codeOf(bytes, config)).toBe(code)
  })

  it('LogAppendTime set by a client on a CreateTime topic', () => {
    const bytes = Buffer.from(good)
    stampTimestamps(bytes, 0, bytes.length, NOW, true)
    expect(codeOf(bytes)).toBe('INVALID_TIMESTAMP')
  })

  it('names the records on a compacted topic', () => {
    const bytes = keyed([['k', 'a', NOW], [null, 'b', NOW], ['k', 'c', NOW], [null, 'd', NOW]])
    try {
      validateClientBatch(bytes, 't-0', { ...defaultLogConfig, cleanupPolicy: new Set(['compact']) }, NOW)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(RecordValidationError)
      expect((error as RecordValidationError).recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([1, 3])
    }
  })

  it('any bytes give an answer Kafka has', () => {
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.boolean(), (at, value, fix) => {
        const bytes = Buffer.from(good)
        bytes[at] = value
        if (fix && bytes.readInt32BE(8) === good.readInt32BE(8)) stampTimestamps(bytes, 0, bytes.length, NOW, false)
        expect(typeof codeOf(bytes)).toBe('string')
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a batch is brought to what the topic asks', () => {
  it('LogAppendTime is stamped, and answered', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()), { ...durable, timestampType: 'LogAppendTime' })
    expect(log.append(batch(['a'], {}, 5), 'client').logAppendTime).toBe(NOW)
    await log.safe(1)
    const bytes = log.read(0, 1000, { atLeastOneBatch: true, until: Infinity })
    expect(readBatchHeader(bytes, 0)).toMatchObject({ isLogAppendTime: true, maxTimestamp: NOW })
    expect(hasValidCrc(bytes, 0, bytes.length)).toBe(true)
  })

  it('a wrong greatest timestamp is put right', () => {
    const bytes = Buffer.from(batch(['a']))
    stampTimestamps(bytes, 0, bytes.length, 99, false)
    expect(validateClientBatch(bytes, 't-0', defaultLogConfig, NOW).header.maxTimestamp).toBe(NOW)
  })

  it('recompressed into the codec of the topic, producer fields kept; the limit counts afterwards too', () => {
    const plain = batch(['x'.repeat(1000), 'y'], { producerId: 4n, producerEpoch: 1, baseSequence: 7 })
    const config = { ...defaultLogConfig, compressionType: 'gzip' as const }
    const { bytes, header } = validateClientBatch(plain, 't-0', config, NOW)
    expect(header).toMatchObject({ codec: 'gzip', producerId: 4n, producerEpoch: 1, baseSequence: 7, recordCount: 2 })
    expect(hasValidCrc(bytes, 0, bytes.length)).toBe(true)
    expect(bytes.length).toBeLessThan(200)
    const back = validateClientBatch(bytes, 't-0', { ...config, compressionType: 'none' }, NOW)
    expect(back.bytes.subarray(61)).toEqual(plain.subarray(61))
    expect(codeOf(bytes, { compressionType: 'none', maxMessageBytes: 500 })).toBe('MESSAGE_TOO_LARGE')
    expect(validateClientBatch(bytes, 't-0', config, NOW).bytes).toBe(bytes)
  })

  it('offsets that do not count up by one are set right, and nothing else', () => {
    const delta = fc.oneof(fc.constant(0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))
    const rows = fc.array(fc.record({ delta, time: fc.integer({ min: -9999, max: 0 }), value: fc.string() }), { minLength: 1, maxLength: 200 })
    const codec = fc.constantFrom('none' as const, 'gzip' as const, 'lz4' as const)
    fc.assert(
      fc.property(rows, codec, fc.constantFrom(...(['producer', 'none', 'zstd'] as const)), (rows, codec, compressionType) => {
        const sent = numbered(rows, codec)
        const { bytes, header } = validateClientBatch(sent, 't-0', { ...defaultLogConfig, compressionType }, NOW)
        expect(hasValidCrc(bytes, 0, bytes.length)).toBe(true)
        expect(header).toEqual(readBatchHeader(bytes, 0))
        expect(header).toMatchObject({ recordCount: rows.length, producerId: 4n, producerEpoch: 1, baseSequence: 7 })
        expect(header.codec).toBe(compressionType === 'producer' ? codec : compressionType)
        const found = rowsOf(bytes)
        expect(found).toEqual(rows.map(({ time, value }, index) => ({ delta: index, time, value })))
        // What is stored passes, as it is.
        const config = { ...defaultLogConfig, compressionType }
        expect(validateClientBatch(bytes, 't-0', config, NOW).bytes).toBe(bytes)
      }),
      { numRuns: 200 },
    )
  })

  it('nothing changes in the log when a batch is refused', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    expect(() => log.append(batch(['a'], { isControl: true }), 'client')).toThrow(KafkaError)
    expect([log.logEndOffset, log.sizeBytes, log.describeProducers()]).toEqual([0, 0, []])
  })
})
