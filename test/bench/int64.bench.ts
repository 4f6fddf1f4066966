// What an offset costs as a number and as a bigint: 4096 of them read from a buffer and added up.
// Run: npx vitest bench --run --config test/vitest.config.ts test/bench/int64

import { bench, describe } from 'vitest'
import { Reader } from '../../src/protocol/reader.ts'

const COUNT = 4096
const bytes = Buffer.alloc(8 * COUNT)
for (let i = 0; i < COUNT; i++) bytes.writeBigInt64BE(BigInt(i * 7919), 8 * i)

describe('4096 offsets', () => {
  bench('number', () => {
    const from = new Reader(bytes)
    let sum = 0
    for (let i = 0; i < COUNT; i++) sum += from.int64()
    if (sum < 0) throw new Error('never')
  })

  bench('bigint', () => {
    const from = new Reader(bytes)
    let sum = 0n
    for (let i = 0; i < COUNT; i++) sum += from.exactInt64()
    if (sum < 0n) throw new Error('never')
  })
})
