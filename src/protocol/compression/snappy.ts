// Snappy. Written in the framing of Java's SnappyOutputStream ("xerial"): a header, then blocks of 32 KB, each behind
// its size. That framing and a bare Snappy block, which most other clients write, are read. Reading goes over the data
// twice, first only to add up the sizes, so that the room made is the room needed.

import { findMatches, matches } from '../../kernels/matches.ts'
import { copyShort, repeat } from './lz4.ts'
import { corrupt, tooLarge } from './refusals.ts'

const FRAMING = Buffer.from('82534e41505059000000000100000001', 'hex') // magic, version 1, compatible with 1
const MAGIC_SIZE = 8
const BLOCK = 0x8000

export function snappyCompress(bytes: Buffer): Buffer {
  const blocks = Math.ceil(bytes.length / BLOCK)
  const framed = Buffer.allocUnsafe(FRAMING.length + bytes.length + blocks * (4 + 3 + 4))
  let at = FRAMING.copy(framed)
  for (let start = 0; start < bytes.length; start += BLOCK) {
    const blockEnd = compressBlock(bytes, start, Math.min(start + BLOCK, bytes.length), framed, at + 4)
    framed.writeInt32BE(blockEnd - at - 4, at)
    at = blockEnd
  }
  return framed.subarray(0, at)
}

/** Writes a block at `at` and returns where it ends: never more than 7 bytes longer than what it holds. */
function compressBlock(bytes: Buffer, start: number, end: number, target: Buffer, at: number): number {
  let size = end - start
  for (; size > 0x7f; size >>>= 7) target[at++] = (size & 0x7f) | 0x80
  target[at++] = size
  const count = findMatches(bytes, start, end)
  let literals = start
  for (let index = 0; index < 3 * count; index += 3) {
    const from = matches[index]
    at = writeLiterals(bytes, literals, from - literals, target, at)
    at = writeCopy(target, at, from - matches[index + 1], matches[index + 2])
    literals = from + matches[index + 2]
  }
  return writeLiterals(bytes, literals, end - literals, target, at)
}

function writeLiterals(bytes: Buffer, from: number, run: number, target: Buffer, at: number): number {
  if (run === 0) return at
  if (run <= 60) {
    target[at++] = (run - 1) << 2
  } else if (run <= 256) {
    target[at++] = 60 << 2
    target[at++] = run - 1
  } else {
    target[at++] = 61 << 2
    target[at++] = (run - 1) & 0xff
    target[at++] = (run - 1) >>> 8
  }
  return copyShort(bytes, from, run, target, at)
}

function writeCopy(target: Buffer, at: number, offset: number, length: number): number {
  while (length > 0) {
    if (length < 12 && length >= 4 && offset < 2048) {
      target[at++] = ((offset >>> 8) << 5) | ((length - 4) << 2) | 1
      target[at++] = offset & 0xff
      return at
    }
    // 64 at most; what is left over must not be shorter than 4, or it would cost more than it saves.
    const part = length > 64 && length < 68 ? 60 : Math.min(length, 64)
    target[at++] = ((part - 1) << 2) | 2
    target[at++] = offset & 0xff
    target[at++] = offset >>> 8
    length -= part
  }
  return at
}

export function snappyDecompress(bytes: Buffer, maxBytes: number): Buffer {
  const isFramed = bytes.length >= FRAMING.length && FRAMING.compare(bytes, 0, MAGIC_SIZE, 0, MAGIC_SIZE) === 0
  const read = isFramed ? readFramed : readBlock
  const result = Buffer.allocUnsafe(read(bytes, 0, bytes.length, maxBytes, undefined, 0))
  read(bytes, 0, bytes.length, maxBytes, result, 0)
  return result
}

/** Goes through all blocks and returns the size of what they hold; writes it to `target` if there is one. */
function readFramed(bytes: Buffer, start: number, end: number, maxBytes: number, target: Buffer | undefined): number {
  let at = start
  let written = 0
  while (at < end) {
    // Streams one behind another each have their header.
    if (end - at >= FRAMING.length && FRAMING.compare(bytes, at, at + MAGIC_SIZE, 0, MAGIC_SIZE) === 0) {
      at += FRAMING.length
      continue
    }
    if (end - at < 4) throw corrupt('snappy', 'cut off')
    const size = bytes.readInt32BE(at)
    at += 4
    if (size < 0 || size > end - at) throw corrupt('snappy', `block of ${size} bytes with ${end - at} left`)
    written += readBlock(bytes, at, at + size, maxBytes - written, target, written)
    at += size
  }
  return written
}

/** Reads the one block `bytes[start, end)`: its size without a `target`, else also its content to `target` at `to`. */
function readBlock(
  bytes: Buffer,
  start: number,
  end: number,
  maxBytes: number,
  target: Buffer | undefined,
  to: number,
): number {
  let at = start
  let declared = 0
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw corrupt('snappy', 'no length')
    declared += (bytes[at] & 0x7f) * 2 ** shift
    if (bytes[at++] < 0x80) break
  }
  if (declared > maxBytes) throw tooLarge(maxBytes)
  if (target === undefined) {
    const size = blockContentSize(bytes, at, end, declared)
    if (size !== declared) throw corrupt('snappy', `block holds ${size} bytes or more, not ${declared}`)
  } else {
    decompressBlock(bytes, at, end, target, to)
  }
  return declared
}

/** What the elements in `bytes[at, end)` hold, in bytes; no more is counted once it is over `enough`. */
function blockContentSize(bytes: Buffer, at: number, end: number, enough: number): number {
  let size = 0
  while (at < end && size <= enough) {
    const tag = bytes[at++]
    const kind = tag & 3
    if (kind === 0) {
      const extra = Math.max(0, (tag >>> 2) - 59)
      if (extra > end - at) throw corrupt('snappy', 'cut off')
      const run = literalSize(bytes, at, tag)
      if (run > end - at - extra) throw corrupt('snappy', 'cut off')
      at += extra + run
      size += run
    } else {
      at += kind === 3 ? 4 : kind
      size += kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    }
  }
  if (at > end) throw corrupt('snappy', 'cut off')
  return size
}

/** Bytes in a run of literals: in the tag, or in the one to four bytes behind it. */
function literalSize(bytes: Buffer, at: number, tag: number): number {
  const short = tag >>> 2
  return short < 60 ? short + 1 : bytes.readUIntLE(at, short - 59) + 1
}

/** blockContentSize has measured the block, so only the offsets are still unknown. */
function decompressBlock(bytes: Buffer, at: number, end: number, target: Buffer, to: number): void {
  const base = to
  while (at < end) {
    const tag = bytes[at++]
    const kind = tag & 3
    if (kind === 0) {
      const run = literalSize(bytes, at, tag)
      at += Math.max(0, (tag >>> 2) - 59)
      to = copyShort(bytes, at, run, target, to)
      at += run
      continue
    }
    let offset: number
    let length = (tag >>> 2) + 1
    if (kind === 1) {
      offset = ((tag >>> 5) << 8) | bytes[at]
      length = ((tag >>> 2) & 7) + 4
      at += 1
    } else if (kind === 2) {
      offset = bytes[at] | (bytes[at + 1] << 8)
      at += 2
    } else {
      offset = bytes.readUInt32LE(at)
      at += 4
    }
    if (offset === 0 || offset > to - base) throw corrupt('snappy', `copy ${offset} bytes back at ${to - base}`)
    to = repeat(target, to, offset, length)
  }
}
