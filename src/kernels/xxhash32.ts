// xxHash32 with seed 0: the checksum inside LZ4 frames.

const P1 = 0x9e3779b1
const P2 = 0x85ebca77
const P3 = 0xc2b2ae3d
const P4 = 0x27d4eb2f
const P5 = 0x165667b1

/** The hash of `bytes[start, end)`, unsigned. */
export function xxhash32(bytes: Buffer, start: number, end: number): number {
  let at = start
  let hash: number
  if (end - start >= 16) {
    let a = (P1 + P2) | 0
    let b = P2 | 0
    let c = 0
    let d = -P1 | 0
    for (const last = end - 16; at <= last; at += 16) {
      a = round(a, bytes, at)
      b = round(b, bytes, at + 4)
      c = round(c, bytes, at + 8)
      d = round(d, bytes, at + 12)
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
  } else {
    hash = P5
  }
  hash = (hash + end - start) | 0
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(wordAt(bytes, at), P3)) | 0, 17), P4)
  }
  for (; at < end; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at], P5)) | 0, 11), P1)
  hash = Math.imul(hash ^ (hash >>> 15), P2)
  hash = Math.imul(hash ^ (hash >>> 13), P3)
  return (hash ^ (hash >>> 16)) >>> 0
}

function round(state: number, bytes: Buffer, at: number): number {
  return Math.imul(rotate((state + Math.imul(wordAt(bytes, at), P2)) | 0, 13), P1)
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by))
}

function wordAt(bytes: Buffer, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}
