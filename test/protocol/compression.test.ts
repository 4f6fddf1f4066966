// Codecs: whatever goes in comes out; whatever is hostile is refused with one of two errors, in bounded room and time.

import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { xxhash32 } from '../../src/kernels/xxhash32.ts'
import { type CompressionCodec, compress, decompress, prepareCodec } from '../../src/protocol/compression/index.ts'
import { KafkaError } from '../../src/protocol/errors.ts'

const CODECS: CompressionCodec[] = ['gzip', 'snappy', 'lz4', 'zstd']
const LIMIT = 64 << 20

beforeAll(async () => {
  for (const codec of CODECS) await prepareCodec(codec)
})

/** Text-like, repetitive and random data, of sizes around the blocks' boundaries too. */
const anyData = fc
  .tuple(fc.constantFrom('random', 'words', 'runs'), fc.oneof(fc.nat(300), fc.constantFrom(32767, 32768, 65535, 65536, 65537, 150_000)), fc.nat())
  .map(([kind, size, seed]) => {
    const bytes = Buffer.alloc(size)
    let state = seed | 1
    for (let at = 0; at < size; at++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      if (kind === 'random') bytes[at] = state >>> 24
      else if (kind === 'words') bytes[at] = 97 + ((state >>> 28) & (at & 32 ? 1 : 7))
      else bytes[at] = (at >>> (state % 3 === 0 ? 9 : 11)) & 0xff
    }
    return bytes
  })

test.each(CODECS)('%s gives back what it took', (codec) => {
  fc.assert(
    fc.property(anyData, (bytes) => {
      const packed = compress(codec, bytes)
      expect(decompress(codec, packed, Math.max(1, bytes.length)).equals(bytes)).toBe(true)
      if (bytes.length > 1) expect(refusal(codec, packed, bytes.length - 1)).toBe('MESSAGE_TOO_LARGE')
    }),
    { numRuns: 60 },
  )
})

test.each(CODECS)('%s: text gets smaller, noise hardly larger', (codec) => {
  const text = Buffer.from(Array.from({ length: 5000 }, (_, index) => `{"id":${index},"name":"user ${index % 97}"}`).join())
  expect(compress(codec, text).length).toBeLessThan(text.length / 2)
  let state = 1
  const noise = Buffer.from(Array.from({ length: 100_000 }, () => (state = (Math.imul(state, 69069) + 12345) >>> 0) >>> 24))
  expect(compress(codec, noise).length).toBeLessThan(noise.length * 1.002 + 64)
})

test.each(CODECS)('%s cut off anywhere, or with any byte changed, is refused or decoded, never more', (codec) => {
  const bytes = Buffer.from('the quick brown fox jumps over the lazy dog '.repeat(20))
  const packed = compress(codec, bytes)
  for (let size = 0; size < packed.length; size++) refusalOrSize(codec, packed.subarray(0, size), 4096)
  for (let at = 0; at < packed.length; at++) {
    for (const flip of [1, 0x80, 0xff]) {
      const changed = Buffer.from(packed)
      changed[at] ^= flip
      refusalOrSize(codec, changed, 4096)
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(packed.length), (noise, at) => {
      refusalOrSize(codec, Buffer.from(noise), 4096)
      refusalOrSize(codec, Buffer.concat([packed.subarray(0, at), noise, packed.subarray(at)]), 4096)
    }),
  )
})

test.each(CODECS)('%s: 200 MiB out of little are refused, in less than 64 MiB and 2 s', (codec) => {
  const packed = bomb(codec)
  expect(packed.length).toBeLessThan(12 << 20)
  const before = process.memoryUsage()
  const start = performance.now()
  // gzip alone finds out by unpacking: its room grows with what really comes out, up to the limit.
  expect(refusal(codec, packed, 48 << 20)).toBe('MESSAGE_TOO_LARGE')
  const after = process.memoryUsage()
  expect(after.rss - before.rss).toBeLessThan(64 << 20)
  expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(64 << 20)
  expect(performance.now() - start).toBeLessThan(2000)
})

test('a size that is only declared makes no room', () => {
  const lies: [CompressionCodec, Buffer][] = [
    ['snappy', Buffer.from([...varint(LIMIT - 1), 0, 97])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 3, ...blockHeader(2, 0, true), 97, 97])],
    ['lz4', lz4Frame(0x68, [0, 0, 0, 3, 0, 0, 0, 0], [[0x61, 0x61], 'stored'])],
  ]
  for (const [codec, bytes] of lies) {
    const before = process.memoryUsage().arrayBuffers
    expect(refusal(codec, bytes, LIMIT), codec).toBe('CORRUPT_MESSAGE')
    expect(process.memoryUsage().arrayBuffers - before, codec).toBeLessThan(1 << 20)
  }
})

test('gzip members one behind another are one', () => {
  const both = Buffer.concat([gzipSync('one '), gzipSync('two')])
  expect(decompress('gzip', both, 100).toString()).toBe('one two')
})

test('snappy is read bare and framed, and framed streams one behind another', () => {
  const bare = Buffer.from([11, 4, 97, 98, 0x15, 2]) // ab, then nine bytes from two before
  expect(decompress('snappy', bare, 100).toString()).toBe('abababababa')
  const framed = compress('snappy', Buffer.from('framed '))
  expect(framed.subarray(0, 16).toString('hex')).toBe('82534e41505059000000000100000001')
  expect(decompress('snappy', Buffer.concat([framed, framed]), 100).toString()).toBe('framed framed ')
})

test('lz4 is written as Kafka writes it: 64 KB blocks, independent, no checksums but the header’s', () => {
  expect(compress('lz4', Buffer.from('a')).toString('hex')).toBe('04224d186040820100008061' + '00000000')
})

test('lz4 with linked blocks, checksums, a content size and skippable frames is read', () => {
  const first = [0x40, 97, 98, 99, 100] // the literals abcd
  const second = [0x00, 4, 0, 0x50, 101, 102, 103, 104, 105] // four bytes from four before, which the first block holds
  const content = 'abcdabcdefghi'
  const plain = lz4Frame(0x40, [], [first, 'packed'], [second, 'packed'])
  expect(decompress('lz4', plain, 100).toString()).toBe(content)
  const size = [content.length, 0, 0, 0, 0, 0, 0, 0]
  const full = lz4Frame(0x40 | 0x10 | 0x08 | 0x04, size, [first, 'packed'], [second, 'packed'], content)
  expect(decompress('lz4', full, 100).toString()).toBe(content)
  const skippable = Buffer.from('5a2a4d1803000000ffffff', 'hex')
  expect(decompress('lz4', Buffer.concat([skippable, full, plain]), 100).toString()).toBe(content + content)
  for (const at of [full.length - 1, full.length - 9, 6, 14]) {
    const wrong = Buffer.from(full)
    wrong[at] ^= 1
    expect(refusal('lz4', wrong, 100), `byte ${at}`).toBe('CORRUPT_MESSAGE')
  }
  const independent = lz4Frame(0x60, [], [first, 'packed'], [second, 'packed'])
  expect(refusal('lz4', independent, 100)).toBe('CORRUPT_MESSAGE')
})

test('zstd is read without a content size, in several and in skippable frames', () => {
  // One raw block of "abc", one of 70000 times "z" (repeated byte), in a frame with a window and without a content size.
  const stream = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x18, 0, 0, 97, 98, 99, ...blockHeader(70_000, 1, true), 122])
  const content = 'abc' + 'z'.repeat(70_000)
  expect(decompress('zstd', stream, LIMIT).toString()).toBe(content)
  const skippable = Buffer.from('502a4d180200000000ff', 'hex')
  expect(decompress('zstd', Buffer.concat([skippable, stream, stream]), LIMIT).toString()).toBe(content + content)
  expect(refusal('zstd', stream, 70_002)).toBe('MESSAGE_TOO_LARGE')
})

function refusal(codec: CompressionCodec, bytes: Buffer, limit: number): string {
  const result = refusalOrSize(codec, bytes, limit)
  return typeof result === 'string' ? result : `${result} bytes`
}

function refusalOrSize(codec: CompressionCodec, bytes: Buffer, limit: number): string | number {
  try {
    const result = decompress(codec, bytes, limit).length
    expect(result).toBeLessThanOrEqual(limit)
    return result
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    expect(['MESSAGE_TOO_LARGE', 'CORRUPT_MESSAGE']).toContain(error.error)
    return error.error
  }
}

/** 200 MiB of one byte, made without ever holding them. */
function bomb(codec: CompressionCodec): Buffer {
  const MIB = 200
  const zeros = Buffer.alloc(1 << 20)
  switch (codec) {
    case 'gzip': {
      // Members of 1 MiB; then one whose trailer tells nothing.
      const member = gzipSync(zeros)
      return Buffer.concat([...Array<Uint8Array>(MIB).fill(member), gzipSync('')])
    }
    case 'snappy': {
      const framed = compress('snappy', zeros)
      return Buffer.concat(Array<Uint8Array>(MIB).fill(framed))
    }
    case 'lz4': {
      const framed = compress('lz4', zeros)
      return Buffer.concat(Array<Uint8Array>(MIB).fill(framed))
    }
    default: {
      const block = [...blockHeader(0x20000, 1, false), 0]
      const frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]
      return Buffer.from([...frame, ...Array<number[]>(MIB * 8).fill(block).flat(), ...blockHeader(0, 0, true)])
    }
  }
}

function blockHeader(size: number, type: number, isLast: boolean): number[] {
  const header = (size << 3) | (type << 1) | (isLast ? 1 : 0)
  return [header & 0xff, (header >>> 8) & 0xff, header >>> 16]
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)]
}

/** A frame of these blocks, with the checksums that its flags ask for; a text at the end is the content. */
function lz4Frame(flags: number, contentSize: number[], ...blocks: (readonly [number[], 'packed' | 'stored'] | string)[]): Buffer {
  const descriptor = Buffer.from([flags, 0x40, ...contentSize])
  const parts: Buffer[] = [Buffer.from('04224d18', 'hex'), descriptor, Buffer.from([(xxhash32(descriptor, 0, descriptor.length) >>> 8) & 0xff])]
  let content: Buffer = Buffer.alloc(0)
  for (const block of blocks) {
    if (typeof block === 'string') {
      content = Buffer.from(block)
      continue
    }
    const [bytes, kind] = block
    parts.push(word(bytes.length + (kind === 'stored' ? 0x80000000 : 0)), Buffer.from(bytes))
    if (flags & 0x10) parts.push(word(xxhash32(Buffer.from(bytes), 0, bytes.length)))
  }
  parts.push(word(0))
  if (flags & 0x04) parts.push(word(xxhash32(content, 0, content.length)))
  return Buffer.concat(parts)
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
