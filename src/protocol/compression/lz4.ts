// LZ4 frames. Written as Kafka's Java client does: independent blocks of 64 KB, no checksums but the header's.
// Any legal frame is read: linked blocks, larger blocks, checksums, content size, several and skippable frames.
// Reading goes over the data twice, first only to add up the sizes, so that the room made is the room needed.

import { findMatches, matches, MAX_BLOCK } from '../../kernels/matches.ts'
import { xxhash32 } from '../../kernels/xxhash32.ts'
import { corrupt, tooLarge } from './refusals.ts'

const MAGIC = 0x184d2204
const SKIPPABLE_MAGIC = 0x184d2a50 // and the fifteen behind it
const VERSION = 0x40
const INDEPENDENT_BLOCKS = 0x20
const BLOCK_CHECKSUM = 0x10
const CONTENT_SIZE = 0x08
const CONTENT_CHECKSUM = 0x04
const DICTIONARY = 0x01
const BLOCKS_OF_64_KB = 0x40
const STORED = 0x80000000 // in a block's size: not compressed
const MIN_MATCH = 4

export function lz4Compress(bytes: Buffer): Buffer {
  const blocks = Math.ceil(bytes.length / MAX_BLOCK)
  const frame = Buffer.allocUnsafe(7 + blocks * 4 + bytes.length + 4)
  frame.writeUInt32LE(MAGIC, 0)
  frame[4] = VERSION | INDEPENDENT_BLOCKS
  frame[5] = BLOCKS_OF_64_KB
  frame[6] = (xxhash32(frame, 4, 6) >>> 8) & 0xff
  let at = 7
  for (let start = 0; start < bytes.length; start += MAX_BLOCK) {
    const end = Math.min(start + MAX_BLOCK, bytes.length)
    const blockEnd = compressBlock(bytes, start, end, frame, at + 4)
    if (blockEnd > 0) {
      frame.writeUInt32LE(blockEnd - at - 4, at)
      at = blockEnd
    } else {
      frame.writeUInt32LE(STORED + end - start, at)
      at += 4 + bytes.copy(frame, at + 4, start, end)
    }
  }
  frame.writeUInt32LE(0, at) // end mark
  return frame.subarray(0, at + 4)
}

/** Writes a block at `at` and returns where it ends; −1 when it would not be smaller than what it holds. */
function compressBlock(bytes: Buffer, start: number, end: number, target: Buffer, at: number): number {
  const limit = at + end - start
  const count = findMatches(bytes, start, end)
  let literals = start
  for (let index = 0; index < 3 * count; index += 3) {
    const from = matches[index]
    const length = matches[index + 2]
    const run = from - literals
    // Token, literals with their length, offset, length of the match.
    if (at + run + run / 255 + length / 255 + 6 > limit) return -1
    at = writeLiterals(bytes, literals, run, Math.min(length - MIN_MATCH, 15), target, at)
    const offset = from - matches[index + 1]
    target[at++] = offset & 0xff
    target[at++] = offset >>> 8
    if (length - MIN_MATCH >= 15) at = writeLength(target, at, length - MIN_MATCH - 15)
    literals = from + length
  }
  const run = end - literals
  if (at + run + run / 255 + 2 > limit) return -1
  return writeLiterals(bytes, literals, run, 0, target, at)
}

/** A token, whose lower half is `low`, and `run` literals. */
function writeLiterals(bytes: Buffer, from: number, run: number, low: number, target: Buffer, at: number): number {
  target[at++] = (Math.min(run, 15) << 4) | low
  if (run >= 15) at = writeLength(target, at, run - 15)
  return copyShort(bytes, from, run, target, at)
}

function writeLength(target: Buffer, at: number, length: number): number {
  for (; length >= 255; length -= 255) target[at++] = 255
  target[at++] = length
  return at
}

export function lz4Decompress(bytes: Buffer, maxBytes: number): Buffer {
  const result = Buffer.allocUnsafe(readFrames(bytes, maxBytes, undefined))
  readFrames(bytes, maxBytes, result)
  return result
}

/** Goes through all frames and returns the size of their content; writes it to `target` if there is one. */
function readFrames(bytes: Buffer, maxBytes: number, target: Buffer | undefined): number {
  let at = 0
  let written = 0
  do {
    need(bytes, at, 4)
    const magic = bytes.readUInt32LE(at)
    if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
      need(bytes, at, 8)
      const size = bytes.readUInt32LE(at + 4)
      need(bytes, at + 8, size)
      at += 8 + size
    } else {
      if (magic !== MAGIC) throw corrupt('lz4', 'no frame')
      const contentStart = written
      const header = readFrameHeader(bytes, at + 4, maxBytes - written)
      at = header.end
      for (;;) {
        need(bytes, at, 4)
        const word = bytes.readUInt32LE(at)
        at += 4
        if (word === 0) break
        const size = word & ~STORED
        need(bytes, at, size + header.blockTrailer)
        const isStored = word >= STORED
        const room = Math.min(header.blockSize, maxBytes - written)
        const content = isStored ? size : blockContentSize(bytes, at, at + size, room)
        if (content > header.blockSize) throw corrupt('lz4', `block of more than ${header.blockSize} bytes`)
        if (content > maxBytes - written) throw tooLarge(maxBytes)
        if (target !== undefined) {
          if (isStored) bytes.copy(target, written, at, at + size)
          else decompressBlock(bytes, at, at + size, target, written, header.isLinked ? contentStart : written)
          if (header.blockTrailer > 0) checkHash(bytes, at + size, bytes, at, at + size)
        }
        written += content
        at += size + header.blockTrailer
      }
      if (header.contentSize >= 0 && header.contentSize !== written - contentStart) {
        throw corrupt('lz4', `content of ${written - contentStart} bytes, not ${header.contentSize}`)
      }
      if (header.hasContentChecksum) {
        need(bytes, at, 4)
        if (target !== undefined) checkHash(bytes, at, target, contentStart, written)
        at += 4
      }
    }
  } while (at < bytes.length)
  return written
}

interface FrameHeader {
  end: number
  isLinked: boolean
  blockSize: number // at most
  blockTrailer: number // bytes behind each block
  contentSize: number // -1: not said
  hasContentChecksum: boolean
}

function readFrameHeader(bytes: Buffer, start: number, maxContent: number): FrameHeader {
  need(bytes, start, 3)
  const flags = bytes[start]
  const descriptor = bytes[start + 1]
  if ((flags & 0xc2) !== VERSION || (descriptor & 0x8f) !== 0) throw corrupt('lz4', 'unknown version or reserved bits')
  if (flags & DICTIONARY) throw corrupt('lz4', 'a dictionary is needed')
  if (descriptor < BLOCKS_OF_64_KB) throw corrupt('lz4', 'unknown block size')
  let end = start + 2
  let contentSize = -1
  if (flags & CONTENT_SIZE) {
    need(bytes, end, 9)
    contentSize = bytes.readUInt32LE(end) + bytes.readUInt32LE(end + 4) * 0x100000000
    if (contentSize > maxContent) throw tooLarge(maxContent)
    end += 8
  }
  if (bytes[end] !== ((xxhash32(bytes, start, end) >>> 8) & 0xff)) throw corrupt('lz4', 'wrong header checksum')
  return {
    end: end + 1,
    isLinked: (flags & INDEPENDENT_BLOCKS) === 0,
    blockSize: 1 << (8 + 2 * (descriptor >>> 4)),
    blockTrailer: flags & BLOCK_CHECKSUM ? 4 : 0,
    contentSize,
    hasContentChecksum: (flags & CONTENT_CHECKSUM) !== 0,
  }
}

/** What the block `bytes[at, end)` holds, in bytes; no more is counted once it is over `enough`. */
function blockContentSize(bytes: Buffer, at: number, end: number, enough: number): number {
  let size = 0
  while (at < end && size <= enough) {
    const token = bytes[at++]
    let run = token >>> 4
    if (run === 15) {
      let more = 255
      while (more === 255 && at < end) run += more = bytes[at++]
    }
    size += run
    at += run
    if (at === end) return size
    at += 2
    let length = token & 15
    if (length === 15) {
      let more = 255
      while (more === 255 && at < end) length += more = bytes[at++]
    }
    size += length + MIN_MATCH
  }
  if (size <= enough) throw corrupt('lz4', 'block does not end with literals')
  return size
}

/**
 * Writes what the block `bytes[at, end)` holds to `target` at `to`; matches reach back to `base`. blockContentSize has
 * measured it, so only the offsets are still unknown.
 */
function decompressBlock(bytes: Buffer, at: number, end: number, target: Buffer, to: number, base: number): void {
  for (;;) {
    const token = bytes[at++]
    let run = token >>> 4
    if (run === 15) {
      let more = 255
      while (more === 255) run += more = bytes[at++]
    }
    to = copyShort(bytes, at, run, target, to)
    at += run
    if (at >= end) return
    const offset = bytes[at] | (bytes[at + 1] << 8)
    at += 2
    let length = (token & 15) + MIN_MATCH
    if (length === 15 + MIN_MATCH) {
      let more = 255
      while (more === 255) length += more = bytes[at++]
    }
    if (offset === 0 || offset > to - base) throw corrupt('lz4', `match ${offset} bytes back at ${to - base}`)
    to = repeat(target, to, offset, length)
  }
}

/** Copies `length` bytes and returns the end in `target`; a loop, since a call costs more for the usual few. */
export function copyShort(bytes: Buffer, from: number, length: number, target: Buffer, to: number): number {
  if (length > 32) {
    bytes.copy(target, to, from, from + length)
    return to + length
  }
  for (let left = length; left > 0; left--) target[to++] = bytes[from++]
  return to
}

/** Writes `length` bytes at `to`, each the one `offset` before it, and returns their end. */
export function repeat(target: Buffer, to: number, offset: number, length: number): number {
  const end = to + length
  if (length > 32 && offset === 1) {
    target.fill(target[to - 1], to, end)
    return end
  }
  if (length > 32 && offset >= length) {
    target.copyWithin(to, to - offset, to - offset + length)
    return end
  }
  while (to < end) {
    target[to] = target[to - offset]
    to++
  }
  return end
}

function checkHash(bytes: Buffer, at: number, content: Buffer, start: number, end: number): void {
  if (xxhash32(content, start, end) !== bytes.readUInt32LE(at)) throw corrupt('lz4', 'wrong checksum')
}

function need(bytes: Buffer, at: number, size: number): void {
  if (size > bytes.length - at) throw corrupt('lz4', 'cut off')
}
