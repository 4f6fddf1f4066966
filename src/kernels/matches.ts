// Finds repetitions within a block of at most 64 KiB: the half that LZ4 and Snappy compression share. Greedy, one
// hash table of positions, faster steps where nothing repeats. Matches obey LZ4's rules for the end of a block.

export const MAX_BLOCK = 0x10000

const MIN_MATCH = 4
const END_LITERALS = 5 // LZ4: the last five bytes are literals
const LAST_MATCH = 12 // LZ4: the last match starts this many bytes before the end, or earlier

const HASH_BITS = 13
const positions = new Uint16Array(1 << HASH_BITS) // by hash of four bytes, from the start of the block

/** What the last findMatches found, three numbers a match: where it starts, where its twin before it starts, its length. */
export const matches = new Int32Array(3 * (MAX_BLOCK / MIN_MATCH))

/** Fills `matches` for `bytes[start, end)` and returns how many there are. Positions are positions in `bytes`. */
export function findMatches(bytes: Buffer, start: number, end: number): number {
  positions.fill(0)
  const lastMatch = end - LAST_MATCH
  const matchEnd = end - END_LITERALS
  let found = 0
  let anchor = start // behind the last match
  let misses = 0
  let at = start + 1 // an empty place in the table names the first byte
  while (at <= lastMatch) {
    const word = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS)
    let twin = start + positions[slot]
    positions[slot] = at - start
    if (
      bytes[twin] !== (word & 0xff) ||
      bytes[twin + 1] !== ((word >>> 8) & 0xff) ||
      bytes[twin + 2] !== ((word >>> 16) & 0xff) ||
      bytes[twin + 3] !== word >>> 24
    ) {
      at += 1 + (misses++ >>> 5)
      continue
    }
    misses = 0
    let length = MIN_MATCH
    while (at + length < matchEnd && bytes[at + length] === bytes[twin + length]) length++
    while (at > anchor && twin > start && bytes[at - 1] === bytes[twin - 1]) {
      at--
      twin--
      length++
    }
    matches[found] = at
    matches[found + 1] = twin
    matches[found + 2] = length
    found += 3
    at += length
    anchor = at
  }
  return found / 3
}
