// The batches we build and stamp, read by Apache's own MemoryRecords: every codec, with and without the flags, sizes from
// one record to several blocks of each codec.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BatchBuilder, type BatchOptions } from '../../src/protocol/batch-builder.ts'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import { CODECS, readBatchHeader, stampOffset, stampTimestamps } from '../../src/protocol/record-batch.ts'
import { javaProgram, output, tryPeer } from './support/peers.ts'
import { canonical, recordAt } from './support/records.ts'

const peer = tryPeer('Apache Kafka', () => javaProgram('ReadBatches'))

test.skipIf(peer === undefined)('Java finds in our batches what we put there', async () => {
  const flags: Partial<BatchOptions>[] = [
    {},
    { producerId: 2n ** 62n, producerEpoch: 32767, baseSequence: 2 ** 31 - 2 },
    { producerId: 7n, producerEpoch: 0, baseSequence: 0, isTransactional: true },
  ]
  const batches: Buffer[] = []
  const expected: unknown[] = []
  let offset = 0
  for (const codec of CODECS) {
    await prepareCodec(codec)
    for (const [index, options] of flags.entries()) {
      for (const count of [1, 40, 3000]) {
        const isLogAppendTime = index === 1 && count === 40
        const batch = build(count, { codec, ...options })
        stampOffset(batch, 0, offset, 3)
        if (isLogAppendTime) stampTimestamps(batch, 0, batch.length, 1_800_000_000_000, true)
        batches.push(batch)
        expected.push(described(batch, count, offset))
        offset += count + 5 // offsets may have gaps between batches
      }
    }
  }
  const directory = mkdtempSync(join(tmpdir(), 'ktool-batches-'))
  try {
    writeFileSync(join(directory, 'batches'), Buffer.concat(batches))
    const lines = output(peer ?? [''], [join(directory, 'batches')]).trim().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(expected)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

function build(count: number, options: BatchOptions): Buffer {
  const builder = new BatchBuilder(4 << 20)
  for (let index = 0; index < count; index++) {
    const { key, value, headers, timestamp } = recordAt(index)
    const named = headers.map(([name, text]) => ({ key: name, value: text }))
    expect(builder.append(key, value, named, timestamp)).toBe(true)
  }
  return builder.finish(options)
}

function described(batch: Buffer, count: number, offset: number): unknown {
  const { codec, size, leaderEpoch, producerId, producerEpoch, baseSequence, isTransactional, isControl, isLogAppendTime, maxTimestamp, crc } =
    readBatchHeader(batch, 0)
  const records = Array.from({ length: count }, (_, index) => {
    const record = recordAt(index)
    return canonical(offset + index, isLogAppendTime ? { ...record, timestamp: maxTimestamp } : record)[0].slice(0, -1)
  })
  // Sequences wrap behind 2^31 − 1.
  const lastSequence = baseSequence < 0 ? -1 : (baseSequence + count - 1) % 2 ** 31
  return {
    codec, baseOffset: offset, lastOffset: offset + count - 1, size, leaderEpoch, producerId: String(producerId), producerEpoch, baseSequence,
    lastSequence, isTransactional, isControl, isLogAppendTime, maxTimestamp, crc, records,
  }
}
