import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../src/kernels/crc32c.ts'

const of = (bytes: Buffer) => crc32c(bytes, 0, bytes.length)

test('the checksums that RFC 3720 gives as examples', () => {
  expect(of(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(of(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(of(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).toBe(0x46dd794e)
  expect(of(Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)))).toBe(0x113fdb5c)
  const read10 = '01c000000000000000000000000000001400000000000400000000140000001828000000000000000200000000000000'
  expect(of(Buffer.from(read10, 'hex'))).toBe(0xd9963a56)
  expect(of(Buffer.from('123456789'))).toBe(0xe3069283)
  expect(of(Buffer.alloc(0))).toBe(0)
})

test('any range of any bytes gives what the bit by bit definition gives', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(20), fc.nat(20), (array, skip, drop) => {
      const bytes = Buffer.from(array)
      const start = Math.min(skip, bytes.length)
      const end = Math.max(start, bytes.length - drop)
      let crc = 0xffffffff
      for (const byte of bytes.subarray(start, end)) {
        crc ^= byte
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
      }
      expect(crc32c(bytes, start, end)).toBe(~crc >>> 0)
    }),
  )
})
