// zstd: node:zlib's where this Node has it (22.15 on), else WebAssembly, loaded on first need. The frames are walked
// before anything is decompressed: the blocks' sizes bound what they can hold, whatever the frame says of itself.

import * as zlib from 'node:zlib'
import { assert } from '../../base/assert.ts'
import { corrupt, tooLarge } from './refusals.ts'

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50 // and the fifteen behind it
const SINGLE_SEGMENT = 0x20
const RESERVED = 0x08
const CHECKSUM = 0x04
const MAX_BLOCK = 0x20000
const DEFAULT_LEVEL = 3

interface Zstd {
  compress(bytes: Buffer, level: number): Buffer
  /** Throws when more than `capacity` bytes come out, or the data is bad. */
  decompress(bytes: Buffer, capacity: number): Buffer
}

/** The part of node:zlib that the types of the oldest supported Node do not have. */
interface ZlibWithZstd {
  zstdCompressSync?: (bytes: Buffer, options: { params: Record<number, number> }) => Buffer
  zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer
}
const COMPRESSION_LEVEL = 100 // ZSTD_c_compressionLevel

let zstd: Zstd | undefined = nodeZstd()
let loading: Promise<void> | undefined

function nodeZstd(): Zstd | undefined {
  const { zstdCompressSync: compress, zstdDecompressSync: decompress } = zlib as ZlibWithZstd
  if (compress === undefined || decompress === undefined) return undefined
  return {
    compress: (bytes, level) => compress(bytes, { params: { [COMPRESSION_LEVEL]: level } }),
    decompress: (bytes, capacity) => decompress(bytes, { maxOutputLength: Math.max(capacity, 1) }),
  }
}

/** Undefined when zstd is ready already. */
export function loadZstd(): Promise<void> | undefined {
  if (zstd !== undefined) return undefined
  loading ??= loadWasm()
  return loading
}

async function loadWasm(): Promise<void> {
  // A CommonJS module: bundled, all it exports is the default.
  const { default: wasm } = await import('@foxglove/wasm-zstd')
  await wasm.isLoaded
  zstd = { compress: wasm.compress, decompress: wasm.decompress }
}

export function zstdCompress(bytes: Buffer, level: number = DEFAULT_LEVEL): Buffer {
  assert(zstd !== undefined, 'zstd is not prepared')
  return zstd.compress(bytes, level)
}

export function zstdDecompress(bytes: Buffer, maxBytes: number): Buffer {
  assert(zstd !== undefined, 'zstd is not prepared')
  const contents: Buffer[] = []
  let size = 0
  let at = 0
  do {
    const frame = measureFrame(bytes, at)
    if (!frame.isSkippable) {
      const room = maxBytes - size
      if (frame.contentSize > room) throw tooLarge(maxBytes)
      const atMost = frame.contentSize < 0 ? frame.bound : frame.contentSize
      const content = decompressFrame(zstd, bytes.subarray(at, frame.end), Math.min(atMost, room), atMost > room, maxBytes)
      size += content.length
      contents.push(content)
    }
    at = frame.end
  } while (at < bytes.length)
  return contents.length === 1 ? contents[0] : Buffer.concat(contents)
}

function decompressFrame(from: Zstd, frame: Buffer, capacity: number, isShort: boolean, maxBytes: number): Buffer {
  try {
    return from.decompress(frame, capacity)
  } catch (error) {
    // Neither implementation tells well what went wrong; with all the room the blocks can need, it is the data.
    if (isShort) throw tooLarge(maxBytes)
    throw corrupt('zstd', error instanceof Error ? error.message : String(error))
  }
}

interface Frame {
  end: number
  isSkippable: boolean
  contentSize: number // as declared and possible; -1: not said
  bound: number // more cannot come out
}

function measureFrame(bytes: Buffer, start: number): Frame {
  need(bytes, start, 5)
  const magic = bytes.readUInt32LE(start)
  if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    need(bytes, start, 8)
    const size = bytes.readUInt32LE(start + 4)
    need(bytes, start + 8, size)
    return { end: start + 8 + size, isSkippable: true, contentSize: 0, bound: 0 }
  }
  if (magic !== MAGIC) throw corrupt('zstd', 'no frame')
  const flags = bytes[start + 4]
  if (flags & RESERVED) throw corrupt('zstd', 'reserved bit')
  const isSingleSegment = (flags & SINGLE_SEGMENT) !== 0
  const dictionarySize = [0, 1, 2, 4][flags & 3]
  const contentSizeSize = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >>> 6]
  let at = start + 5
  need(bytes, at, 1 + dictionarySize + contentSizeSize)
  if (!isSingleSegment) at++ // window
  if (dictionarySize > 0 && bytes.readUIntLE(at, dictionarySize) !== 0) throw corrupt('zstd', 'a dictionary is needed')
  at += dictionarySize
  const contentSize = readContentSize(bytes, at, contentSizeSize)
  at += contentSizeSize
  const blocks = measureBlocks(bytes, at)
  const end = blocks.end + (flags & CHECKSUM ? 4 : 0)
  need(bytes, blocks.end, end - blocks.end)
  if (contentSize > blocks.bound) throw corrupt('zstd', `${contentSize} bytes declared, ${blocks.bound} possible`)
  return { end, isSkippable: false, contentSize, bound: blocks.bound }
}

function measureBlocks(bytes: Buffer, at: number): { end: number; bound: number } {
  let bound = 0
  for (let isLast = false; !isLast; ) {
    need(bytes, at, 3)
    const header = bytes.readUIntLE(at, 3)
    isLast = (header & 1) !== 0
    const type = (header >>> 1) & 3
    const size = header >>> 3
    if (type === 3 || size > MAX_BLOCK) throw corrupt('zstd', 'impossible block')
    const stored = type === 1 ? 1 : size // type 1: one byte, repeated
    need(bytes, at + 3, stored)
    bound += type === 2 ? MAX_BLOCK : size
    at += 3 + stored
  }
  return { end: at, bound }
}

function readContentSize(bytes: Buffer, at: number, size: number): number {
  switch (size) {
    case 0:
      return -1
    case 1:
      return bytes[at]
    case 2:
      return bytes.readUInt16LE(at) + 256
    case 4:
      return bytes.readUInt32LE(at)
    default:
      return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x100000000
  }
}

function need(bytes: Buffer, at: number, size: number): void {
  if (size > bytes.length - at) throw corrupt('zstd', 'cut off')
}
