import { expect, test } from 'vitest'
import { xxhash32 } from '../../src/kernels/xxhash32.ts'

test('the values of the xxHash specification', () => {
  const of = (text: string) => xxhash32(Buffer.from(text), 0, text.length)
  expect(of('')).toBe(0x02cc5d05)
  expect(of('a')).toBe(0x550d7456)
  expect(of('abc')).toBe(0x32d153ff)
  expect(of('Nobody inspects the spammish repetition')).toBe(0xe2293b2f)
})
