// HalfSipHash-2-4 with 64 bits out (Aumasson, Bernstein; the 32-bit sibling of SipHash): a keyed hash for short input,
// quick in plain JavaScript. Who does not know the key cannot make two inputs collide.

/** Hashes bytes[start, end) with the key (k0, k1), int32 each; puts two int32 into `out` at `at`. */
export function halfSipHash(
  bytes: Buffer,
  start: number,
  end: number,
  k0: number,
  k1: number,
  out: Int32Array,
  at: number,
): void {
  let v0 = k0
  let v1 = k1 ^ 0xee
  let v2 = 0x6c796765 ^ k0
  let v3 = 0x74656462 ^ k1
  const length = end - start
  const words = start + (length & ~3)
  // One word more than there are: the last has the rest and the length. Then eight rounds to finish, in two halves.
  for (let step = start; ; step += 4) {
    let word = 0
    let rounds = 2
    if (step < words) {
      word = bytes[step] | (bytes[step + 1] << 8) | (bytes[step + 2] << 16) | (bytes[step + 3] << 24)
    } else if (step === words) {
      word = length << 24
      for (let rest = 0; words + rest < end; rest++) word |= bytes[words + rest] << (8 * rest)
    } else {
      rounds = 4
      if (step === words + 4) v2 ^= 0xee
      else v1 ^= 0xdd
    }
    v3 ^= word
    for (let round = 0; round < rounds; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    v0 ^= word
    if (step === words + 4) out[at] = v1 ^ v3
    if (step === words + 8) {
      out[at + 1] = v1 ^ v3
      return
    }
  }
}
