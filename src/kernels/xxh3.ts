// XXH3 with 64 bits, seed 0 and the default secret: the hash by which Kafka notices that topics of a group have changed.
// In BigInt, since it runs over a few bytes a topic, and only when that topic has changed.

const MASK = 0xffffffffffffffffn
const PRIME32_1 = 0x9e3779b1n
const PRIME32_2 = 0x85ebca77n
const PRIME32_3 = 0xc2b2ae3dn
const PRIME64_1 = 0x9e3779b185ebca87n
const PRIME64_2 = 0xc2b2ae3d27d4eb4fn
const PRIME64_3 = 0x165667b19e3779f9n
const PRIME64_4 = 0x85ebca77c2b2ae63n
const PRIME64_5 = 0x27d4eb2f165667c5n
const PRIME_MX1 = 0x165667919e3779f9n
const PRIME_MX2 = 0x9fb21c651e98df25n

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248e' +
    'e03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a' +
    '51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8f' +
    'f8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
)
const STRIPE = 64
const STRIPES_IN_BLOCK = (SECRET.length - STRIPE) / 8
const MID_MAX = 240

/** Of all of `data`, as an unsigned 64-bit number. */
export function xxh3(data: Buffer): bigint {
  const { length } = data
  if (length === 0) return xxh64Avalanche(secret(56) ^ secret(64))
  if (length <= 3) return ofUpTo3(data)
  if (length <= 8) return ofUpTo8(data)
  if (length <= 16) return ofUpTo16(data)
  if (length <= 128) return ofUpTo128(data)
  return length <= MID_MAX ? ofUpTo240(data) : ofMany(data)
}

function ofUpTo3(data: Buffer): bigint {
  const { length } = data
  const first = BigInt(data[0])
  const middle = BigInt(data[length >> 1])
  const last = BigInt(data[length - 1])
  const combined = (first << 16n) | (middle << 24n) | last | (BigInt(length) << 8n)
  return xxh64Avalanche(combined ^ BigInt(SECRET.readUInt32LE(0) ^ SECRET.readUInt32LE(4)) & 0xffffffffn)
}

function ofUpTo8(data: Buffer): bigint {
  const { length } = data
  const first = BigInt(data.readUInt32LE(0))
  const last = BigInt(data.readUInt32LE(length - 4))
  let hash = (last + (first << 32n)) ^ (secret(8) ^ secret(16))
  hash ^= rotate(hash, 49n) ^ rotate(hash, 24n)
  hash = times(hash, PRIME_MX2)
  hash ^= (hash >> 35n) + BigInt(length)
  hash = times(hash, PRIME_MX2)
  return hash ^ (hash >> 28n)
}

function ofUpTo16(data: Buffer): bigint {
  const { length } = data
  const low = data.readBigUInt64LE(0) ^ (secret(24) ^ secret(32))
  const high = data.readBigUInt64LE(length - 8) ^ (secret(40) ^ secret(48))
  return avalanche((BigInt(length) + swap(low) + high + fold(low, high)) & MASK)
}

function ofUpTo128(data: Buffer): bigint {
  const { length } = data
  let sum = times(BigInt(length), PRIME64_1)
  for (let pair = (length - 1) >> 5; pair >= 0; pair--) {
    sum += mix16(data, 16 * pair, 32 * pair) + mix16(data, length - 16 * (pair + 1), 32 * pair + 16)
  }
  return avalanche(sum & MASK)
}

function ofUpTo240(data: Buffer): bigint {
  const { length } = data
  let sum = times(BigInt(length), PRIME64_1)
  for (let at = 0; at < 8; at++) sum += mix16(data, 16 * at, 16 * at)
  sum = avalanche(sum & MASK)
  for (let at = 8; at < length >> 4; at++) sum += mix16(data, 16 * at, 16 * (at - 8) + 3)
  sum += mix16(data, length - 16, 136 - 17)
  return avalanche(sum & MASK)
}

function ofMany(data: Buffer): bigint {
  const { length } = data
  const lanes = [PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1]
  const blockLength = STRIPE * STRIPES_IN_BLOCK
  const blocks = Math.floor((length - 1) / blockLength)
  for (let block = 0; block < blocks; block++) {
    for (let at = 0; at < STRIPES_IN_BLOCK; at++) accumulate(lanes, data, block * blockLength + at * STRIPE, at * 8)
    scramble(lanes)
  }
  const stripes = Math.floor((length - 1 - blocks * blockLength) / STRIPE)
  for (let at = 0; at < stripes; at++) accumulate(lanes, data, blocks * blockLength + at * STRIPE, at * 8)
  accumulate(lanes, data, length - STRIPE, SECRET.length - STRIPE - 7)

  let sum = times(BigInt(length), PRIME64_1)
  for (let pair = 0; pair < 4; pair++) {
    sum += fold(lanes[2 * pair] ^ secret(11 + 16 * pair), lanes[2 * pair + 1] ^ secret(19 + 16 * pair))
  }
  return avalanche(sum & MASK)
}

function accumulate(lanes: bigint[], data: Buffer, at: number, secretAt: number): void {
  for (let lane = 0; lane < 8; lane++) {
    const value = data.readBigUInt64LE(at + 8 * lane)
    const keyed = value ^ secret(secretAt + 8 * lane)
    lanes[lane ^ 1] = (lanes[lane ^ 1] + value) & MASK
    lanes[lane] = (lanes[lane] + (keyed & 0xffffffffn) * (keyed >> 32n)) & MASK
  }
}

function scramble(lanes: bigint[]): void {
  for (let lane = 0; lane < 8; lane++) {
    const value = lanes[lane]
    lanes[lane] = times(value ^ (value >> 47n) ^ secret(SECRET.length - STRIPE + 8 * lane), PRIME32_1)
  }
}

function mix16(data: Buffer, at: number, secretAt: number): bigint {
  return fold(data.readBigUInt64LE(at) ^ secret(secretAt), data.readBigUInt64LE(at + 8) ^ secret(secretAt + 8))
}

function secret(at: number): bigint {
  return SECRET.readBigUInt64LE(at)
}

/** Both halves of the product, as one. */
function fold(one: bigint, other: bigint): bigint {
  const product = one * other
  return (product & MASK) ^ (product >> 64n)
}

function times(one: bigint, other: bigint): bigint {
  return (one * other) & MASK
}

function rotate(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK
}

function swap(value: bigint): bigint {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(value)
  return bytes.readBigUInt64BE()
}

function avalanche(value: bigint): bigint {
  const mixed = times(value ^ (value >> 37n), PRIME_MX1)
  return mixed ^ (mixed >> 32n)
}

function xxh64Avalanche(value: bigint): bigint {
  let mixed = times((value ^ (value >> 33n)) & MASK, PRIME64_2)
  mixed = times(mixed ^ (mixed >> 29n), PRIME64_3)
  return mixed ^ (mixed >> 32n)
}
