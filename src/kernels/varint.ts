// Zigzag varints of record batches (protobuf's sint32 and sint64), without BigInt where the number is a safe integer.
// Writers return the position after what they wrote; the caller has made the room (varintSize, varlongSize).

const MAX_SAFE = Number.MAX_SAFE_INTEGER

/** Bytes that `value`, a signed 32-bit number, takes: 1 to 5. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  if (zigzag < 0x80) return 1
  return ((38 - Math.clz32(zigzag)) / 7) | 0
}

/** Writes `value`, a signed 32-bit number, at `at`. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let zigzag = ((value << 1) ^ (value >> 31)) >>> 0
  while (zigzag > 0x7f) {
    bytes[at++] = (zigzag & 0x7f) | 0x80
    zigzag >>>= 7
  }
  bytes[at++] = zigzag
  return at
}

/** Bytes that `value`, a safe integer, takes: 1 to 8. */
export function varlongSize(value: number): number {
  if (value === (value | 0)) return varintSize(value)
  let rest = value < 0 ? -(value + 1) : value // the zigzag number is 2 * rest, or 2 * rest + 1: one bit more
  let size = 1
  rest = Math.floor(rest / 0x40)
  for (; rest > 0; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** Writes `value`, a safe integer, at `at`. */
export function writeVarlong(bytes: Buffer, at: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, at, value)
  const negative = value < 0
  let rest = negative ? -(value + 1) : value
  let seven = (rest % 0x40) * 2 + (negative ? 1 : 0)
  rest = Math.floor(rest / 0x40)
  while (rest > 0) {
    bytes[at++] = seven | 0x80
    seven = rest % 0x80
    rest = Math.floor(rest / 0x80)
  }
  bytes[at++] = seven
  return at
}

/** Where the varint at `at` ends (at most `longest` bytes on), or −1 when it does not end before `end`. */
export function varintEnd(bytes: Buffer, at: number, end: number, longest: 5 | 10): number {
  const last = Math.min(end, at + longest)
  while (at < last) if (bytes[at++] < 0x80) return at
  return -1
}

/** The signed 32-bit number in `bytes[at, end)`, `end` as varintEnd found it. Bits beyond 32 are dropped, as in Java. */
export function readVarint(bytes: Buffer, at: number, end: number): number {
  let zigzag = 0
  for (let shift = 0; at < end; at++, shift += 7) zigzag |= (bytes[at] & 0x7f) << shift
  return (zigzag >>> 1) ^ -(zigzag & 1)
}

/** The signed 64-bit number in `bytes[at, end)`, saturating at ±(2^53−1). */
export function readVarlong(bytes: Buffer, at: number, end: number): number {
  if (end - at < 5) return readVarint(bytes, at, end)
  if (end - at < 8) {
    // At most 49 bits: exact.
    let zigzag = 0
    for (let scale = 1; at < end; at++, scale *= 0x80) zigzag += (bytes[at] & 0x7f) * scale
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }
  let zigzag = 0n
  for (let shift = 0n; at < end; at++, shift += 7n) zigzag |= BigInt(bytes[at] & 0x7f) << shift
  const value = (BigInt.asUintN(64, zigzag) >> 1n) ^ -(zigzag & 1n)
  return Math.max(-MAX_SAFE, Math.min(MAX_SAFE, Number(BigInt.asIntN(64, value))))
}
