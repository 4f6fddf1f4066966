import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  readVarint, readVarlong, varintEnd, varintSize, varlongSize, writeVarint, writeVarlong,
} from '../../src/kernels/varint.ts'

/** The definition: zigzag, then seven bits a byte. */
function reference(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const bytes = []
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

const edges = [0, -1, 1, 63, 64, -64, -65, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)]

test('32-bit numbers are written as defined and come back', () => {
  const holds = (value: number) => {
    const bytes = Buffer.alloc(10)
    const end = writeVarint(bytes, 0, value)
    expect(bytes.subarray(0, end)).toEqual(reference(BigInt(value)))
    expect(varintSize(value)).toBe(end)
    expect(varintEnd(bytes, 0, end, 5)).toBe(end)
    expect(readVarint(bytes, 0, end)).toBe(value)
  }
  edges.forEach(holds)
  fc.assert(fc.property(fc.integer(), holds))
})

test('safe integers are written as defined and come back', () => {
  const holds = (value: number) => {
    const bytes = Buffer.alloc(10)
    const end = writeVarlong(bytes, 0, value)
    expect(bytes.subarray(0, end)).toEqual(reference(BigInt(value)))
    expect(varlongSize(value)).toBe(end)
    expect(readVarlong(bytes, 0, end)).toBe(value)
  }
  for (const power of [31, 32, 33, 34, 35, 41, 42, 48, 49, 52]) {
    for (const step of [-1, 0, 1]) [2 ** power + step, -(2 ** power) + step].forEach(holds)
  }
  ;[...edges, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER].forEach(holds)
  fc.assert(fc.property(fc.maxSafeInteger(), holds))
})

test('64-bit numbers beyond the safe integers saturate', () => {
  const read = (value: bigint) => {
    const bytes = reference(value)
    return readVarlong(bytes, 0, bytes.length)
  }
  expect(read(2n ** 63n - 1n)).toBe(Number.MAX_SAFE_INTEGER)
  expect(read(-(2n ** 63n))).toBe(-Number.MAX_SAFE_INTEGER)
})

test('a varint that does not end in time has no end', () => {
  const bytes = Buffer.alloc(12, 0xff)
  expect(varintEnd(bytes, 0, 12, 5)).toBe(-1)
  expect(varintEnd(bytes, 0, 12, 10)).toBe(-1)
  expect(varintEnd(bytes, 11, 12, 5)).toBe(-1)
  expect(varintEnd(bytes, 12, 12, 5)).toBe(-1)
})
