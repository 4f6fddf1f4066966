// The five codecs of record batches, synchronous, by Kafka's names. Decompression is bounded by the caller's limit
// alone: a size that the data declares may refuse it, but never makes room for it.

import { assert } from '../../base/assert.ts'
import { gunzip, gzip } from './gzip.ts'
import { lz4Compress, lz4Decompress } from './lz4.ts'
import { snappyCompress, snappyDecompress } from './snappy.ts'
import { loadZstd, zstdCompress, zstdDecompress } from './zstd.ts'

export type CompressionCodec = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** Loads what the codec needs; undefined when it is ready already. Before compress and decompress. */
export function prepareCodec(codec: CompressionCodec): Promise<void> | undefined {
  return codec === 'zstd' ? loadZstd() : undefined
}

/** `level` is gzip's (1 to 9) or zstd's (−131072 to 22); snappy has none, and lz4 has one speed here. */
export function compress(codec: CompressionCodec, bytes: Buffer, level?: number): Buffer {
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gzip(bytes, level)
    case 'snappy':
      return snappyCompress(bytes)
    case 'lz4':
      return lz4Compress(bytes)
    case 'zstd':
      return zstdCompress(bytes, level)
  }
}

/** KafkaError MESSAGE_TOO_LARGE when more than `maxBytes` (1 or more) come out, CORRUPT_MESSAGE for bad data. */
export function decompress(codec: CompressionCodec, bytes: Buffer, maxBytes: number): Buffer {
  assert(maxBytes > 0, `no room to decompress: ${maxBytes}`)
  switch (codec) {
    case 'none':
      return bytes
    case 'gzip':
      return gunzip(bytes, maxBytes)
    case 'snappy':
      return snappyDecompress(bytes, maxBytes)
    case 'lz4':
      return lz4Decompress(bytes, maxBytes)
    case 'zstd':
      return zstdDecompress(bytes, maxBytes)
  }
}
