// The codecs on 1 MiB of JSON lines, beside gzip as kafkajs uses it (node:zlib, synchronous): hz is MiB/s.
// Run: npx vitest bench --run --config test/vitest.config.ts test/bench/compression

import { gunzipSync, gzipSync } from 'node:zlib'
import { bench, describe } from 'vitest'
import { type CompressionCodec, compress, decompress, prepareCodec } from '../../src/protocol/compression/index.ts'

const MIB = 1 << 20
const CODECS: CompressionCodec[] = ['gzip', 'snappy', 'lz4', 'zstd']
await prepareCodec('zstd')

const lines = Array.from({ length: 12_000 }, (_, index) =>
  JSON.stringify({ id: index, user: `u${(index * 7919) % 1000}`, at: 1_700_000_000_000 + index * 37, text: `hello ${(index * 31337) % 9973}` }),
)
const bytes = Buffer.from(lines.join('\n').padEnd(MIB)).subarray(0, MIB)
const gzipped = gzipSync(bytes)

describe('compress 1 MiB', () => {
  bench('zlib gzip', () => void gzipSync(bytes))
  for (const codec of CODECS) bench(`${codec} (to ${(100 * compress(codec, bytes).length / MIB).toFixed(1)} %)`, () => void compress(codec, bytes))
})

describe('decompress 1 MiB', () => {
  bench('zlib gunzip', () => void gunzipSync(gzipped))
  for (const codec of CODECS) {
    const packed = compress(codec, bytes)
    bench(codec, () => void decompress(codec, packed, MIB))
  }
})
