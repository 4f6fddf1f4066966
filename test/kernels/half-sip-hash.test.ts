import { expect, it } from 'vitest'
import { halfSipHash } from '../../src/kernels/half-sip-hash.ts'

it("gives the reference implementation's vectors (hsip64, key 00 01 … 07, input 00 01 …)", () => {
  const input = Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8])
  const out = new Int32Array(2)
  const hash = (start: number, end: number) => {
    halfSipHash(input, start, end, 0x03020100, 0x07060504, out, 0)
    return Buffer.from(out.buffer).toString('hex')
  }
  expect([hash(0, 0), hash(0, 1)]).toEqual(['218d1f59b9b83cc8', 'be552412f8387315'])
  // Of every length of the rest, and wherever it lies.
  const all = Array.from({ length: 9 }, (_, length) => hash(0, length))
  expect(new Set(all).size).toBe(9)
  input.copy(input, 1, 0, 7)
  for (let length = 0; length < 8; length++) expect(hash(1, 1 + length)).toBe(all[length])
})
