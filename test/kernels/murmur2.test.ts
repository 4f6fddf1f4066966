import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { murmur2, toPositive } from '../../src/kernels/murmur2.ts'

// Written by Apache's own Utils.murmur2 (test/conformance/java/WriteVectors.java).
type Row = [key: string, hash: number, ...partitions: number[]]
const rows = JSON.parse(readFileSync(new URL('vectors/murmur2.json', import.meta.url), 'utf8')) as Row[]

test('keys hash, and fall on partitions, as in the Java client', () => {
  expect(rows.length).toBe(120)
  for (const [hex, hash, ...partitions] of rows) {
    const key = Buffer.from(hex, 'hex')
    expect(murmur2(key), hex).toBe(hash)
    expect([3, 6, 10, 12, 50].map((count) => toPositive(murmur2(key)) % count), hex).toEqual(partitions)
  }
})
