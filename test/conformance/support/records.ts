// The records that every language writes and reads in the conformance tests, each derived from its index by arithmetic
// on 32 bits, and the digest by which two readers are compared. The same stands in java/Records.java, go/records.go and
// python/records.py: a change belongs into all four.
//
//   mix    x = (i * 2654435761 + 12345) mod 2^32
//   key    x mod 10 = 0: null, 1: empty, else (x >> 8) mod 24 bytes, the j-th of them (x + 31 j + i) mod 256
//   value  x mod 13 = 0: null, 1: empty, else (x >> 12) mod 300 bytes, the j-th of them 97 + (j * j + x mod 1000) mod 17
//   header h of (x >> 20) mod 4: key "h" + (h + i mod 3) + "é" when h = 2; value null when (x + h) mod 5 = 0,
//          else (x >> (h + 3)) mod 16 bytes, the j-th of them 97 + (x mod 1000 + h + j) mod 26
//   time   1700000000000 + 13 i + x mod 1000, less 5000 when i mod 7 = 0
//
// As lines (for kcat and ktool, which read text): key and value are null as above, else one byte longer, with every byte b
// of the key as 97 + b mod 26; headers are origin=lines and empty (an empty value); the time is the writer's own.
//
// Digest: SHA-256 over one line a record: offset, time, key, value in hex (- for null), then key=hex for each header,
// with blanks between; `plain` is the same without the time.

import { createHash } from 'node:crypto'

export interface ConformanceRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly (readonly [key: string, value: Buffer | null])[]
  readonly timestamp: number
}

export function recordAt(index: number): ConformanceRecord {
  const x = mix(index)
  const key = x % 10 === 0 ? null : bytes(x % 10 === 1 ? 0 : (x >>> 8) % 24, (j) => x + 31 * j + index)
  const value = x % 13 === 0 ? null : bytes(x % 13 === 1 ? 0 : (x >>> 12) % 300, (j) => valueByte(x, j))
  const headers = Array.from({ length: (x >>> 20) % 4 }, (_, h) => {
    const text = (x + h) % 5 === 0 ? null : bytes((x >>> (h + 3)) % 16, (j) => 97 + (((x % 1000) + h + j) % 26))
    return [`h${h + (index % 3)}${h === 2 ? 'é' : ''}`, text] as const
  })
  const timestamp = 1_700_000_000_000 + 13 * index + (x % 1000) - (index % 7 === 0 ? 5000 : 0)
  return { key, value, headers, timestamp }
}

/** The record as text; its time is −1: the writer's. */
export function lineRecordAt(index: number): ConformanceRecord {
  const x = mix(index)
  const key = x % 10 === 0 ? null : bytes(1 + ((x >>> 8) % 24), (j) => 97 + (((x + 31 * j + index) & 0xff) % 26))
  const value = x % 13 === 0 ? null : bytes(1 + ((x >>> 12) % 300), (j) => valueByte(x, j))
  return { key, value, headers: [['origin', Buffer.from('lines')], ['empty', Buffer.alloc(0)]], timestamp: -1 }
}

function mix(index: number): number {
  return (Math.imul(index, 2654435761) + 12345) >>> 0
}

function valueByte(x: number, j: number): number {
  return 97 + ((j * j + (x % 1000)) % 17)
}

function bytes(length: number, at: (index: number) => number): Buffer {
  const result = Buffer.allocUnsafe(length)
  for (let index = 0; index < length; index++) result[index] = at(index) & 0xff
  return result
}

/** What a reader saw in a topic. */
export interface Digest {
  readonly count: number
  readonly all: string
  readonly plain: string
}

/** The canonical line of one record, and the same without its time. */
export function canonical(offset: number, record: ConformanceRecord): [all: string, plain: string] {
  const { key, value, headers, timestamp } = record
  const rest = [hex(key), hex(value), ...headers.map(([name, text]) => `${name}=${hex(text)}`)].join(' ')
  return [`${offset} ${timestamp} ${rest}\n`, `${offset} ${rest}\n`]
}

function hex(field: Buffer | null): string {
  return field === null ? '-' : field.toString('hex')
}

export function digestOf(records: Iterable<readonly [offset: number, record: ConformanceRecord]>): Digest {
  const all = createHash('sha256')
  const plain = createHash('sha256')
  let count = 0
  for (const [offset, record] of records) {
    const [line, shorter] = canonical(offset, record)
    all.update(line)
    plain.update(shorter)
    count++
  }
  return { count, all: all.digest('hex'), plain: plain.digest('hex') }
}

/** The digest of the first `count` records at offsets from 0. */
export function expectedDigest(count: number, at: (index: number) => ConformanceRecord): Digest {
  return digestOf(Array.from({ length: count }, (_, index) => [index, at(index)] as const))
}
