// RC2 in CBC mode, decryption only (RFC 2268). OpenSSL 3 moved it out of Node's reach, and PKCS#12 files
// written before 2021 encrypt their certificates with its 40-bit form: no secret, but unreadable without.

// The RFC's PITABLE: a permutation of the bytes, made from the digits of pi.
const PI = Buffer.from(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
    'c5f3db47e5a59c770aa62068fe7fc1ad',
  'hex',
)

const BLOCK = 8
const ROTATIONS = [1, 2, 3, 5]

/** The key's effective length is its own. Throws RangeError when the padding is wrong. */
export function decryptRc2Cbc(key: Buffer, iv: Buffer, bytes: Buffer): Buffer {
  if (bytes.length === 0 || bytes.length % BLOCK !== 0) throw new RangeError('not whole blocks')
  const subkeys = expandKey(key)
  const plain = Buffer.alloc(bytes.length)
  let previous = iv
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK)
    decryptBlock(subkeys, block, plain, at)
    for (let i = 0; i < BLOCK; i++) plain[at + i] ^= previous[i]
    previous = block
  }
  const padding = plain[plain.length - 1]
  const isPadded =
    padding >= 1 && padding <= BLOCK && plain.subarray(-padding).every((byte) => byte === padding)
  if (!isPadded) throw new RangeError('bad padding')
  return plain.subarray(0, -padding)
}

function expandKey(key: Buffer): Uint16Array {
  const expanded = Buffer.alloc(128)
  key.copy(expanded)
  for (let i = key.length; i < 128; i++) expanded[i] = PI[(expanded[i - 1] + expanded[i - key.length]) & 0xff]
  expanded[128 - key.length] = PI[expanded[128 - key.length]]
  for (let i = 127 - key.length; i >= 0; i--) expanded[i] = PI[expanded[i + 1] ^ expanded[i + key.length]]
  return Uint16Array.from({ length: 64 }, (_, i) => expanded.readUInt16LE(2 * i))
}

function decryptBlock(subkeys: Uint16Array, block: Buffer, plain: Buffer, at: number): void {
  const words = [0, 2, 4, 6].map((i) => block.readUInt16LE(i))
  for (let round = 15; round >= 0; round--) {
    for (let i = 3; i >= 0; i--) {
      const rotated = ((words[i] >>> ROTATIONS[i]) | (words[i] << (16 - ROTATIONS[i]))) & 0xffff
      const [one, two, three] = [words[(i + 3) & 3], words[(i + 2) & 3], words[(i + 1) & 3]]
      words[i] = (rotated - subkeys[4 * round + i] - (one & two) - (~one & three)) & 0xffff
    }
    if (round !== 11 && round !== 5) continue
    for (let i = 3; i >= 0; i--) words[i] = (words[i] - subkeys[words[(i + 3) & 3] & 63]) & 0xffff
  }
  words.forEach((word, i) => plain.writeUInt16LE(word, at + 2 * i))
}
