// CRC-32C beside node:zlib's crc32: another polynomial, at the speed of the hardware, so the ratio is the yardstick.
// 1 MiB a round: hz is MiB/s. Run: npx vitest bench --run --config test/vitest.config.ts test/bench/crc32c

import { crc32 } from 'node:zlib'
import { bench, describe } from 'vitest'
import { crc32c } from '../../src/kernels/crc32c.ts'

const MIB = 1 << 20
const bytes = Buffer.alloc(MIB)
for (let at = 0; at < MIB; at++) bytes[at] = Math.imul(at, 0x9e3779b1) >>> 24

describe.each([100, 1024, 65536, MIB])('1 MiB in pieces of %d bytes', (size) => {
  bench('zlib crc32', () => {
    for (let at = 0; at + size <= MIB; at += size) crc32(bytes.subarray(at, at + size))
  })
  bench('crc32c', () => {
    for (let at = 0; at + size <= MIB; at += size) crc32c(bytes, at, at + size)
  })
})
