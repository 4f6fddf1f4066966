// MurmurHash2 as Kafka's default partitioner uses it (Utils.murmur2): the same key must land on the same partition
// from every client, so each step is 32-bit arithmetic exactly as in Java.

const SEED = 0x9747b28c
const M = 0x5bd1e995
const R = 24

/** The hash of `bytes[start, end)`, all of it when left out, as a signed 32-bit number. */
export function murmur2(bytes: Buffer, start = 0, end = bytes.length): number {
  const length = end - start
  let hash = SEED ^ length
  const whole = start + (length & ~3)
  for (let at = start; at < whole; at += 4) {
    let k = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    k = Math.imul(k, M)
    k ^= k >>> R
    hash = Math.imul(hash, M) ^ Math.imul(k, M)
  }
  const left = end - whole
  if (left === 3) hash ^= bytes[whole + 2] << 16
  if (left >= 2) hash ^= bytes[whole + 1] << 8
  if (left >= 1) hash = Math.imul(hash ^ bytes[whole], M)
  hash ^= hash >>> 13
  hash = Math.imul(hash, M)
  return hash ^ (hash >>> 15)
}

/** Drops the sign bit, as Kafka does: not the absolute value. */
export function toPositive(hash: number): number {
  return hash & 0x7fffffff
}
