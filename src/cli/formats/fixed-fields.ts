// One key and some headers for all records, beside what another parser finds: a record's own key goes before the fixed one, its
// own headers stand in front of the fixed ones; as kcat's -k and -H.

import { LineReader } from '../../kernels/line-reader.ts'
import { encodeHeaders, NO_HEADERS } from '../../kernels/record-writer.ts'
import { readVarint, varintEnd, varintSize, writeVarint } from '../../kernels/varint.ts'
import { usageError } from '../errors.ts'
import type { RecordCutter, RecordParser } from './record-parser.ts'

export interface FixedHeader {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** `NAME=VALUE`, or `NAME` alone for a header whose value is null. Usage error for one without a name. */
export function parseHeader(flag: string, word: string): FixedHeader {
  const at = word.indexOf('=')
  if (at === 0 || word === '') throw usageError(`${flag} '${word}' has no name`, 'write NAME=VALUE')
  return at < 0 ? { key: Buffer.from(word), value: null } : { key: Buffer.from(word.slice(0, at)), value: Buffer.from(word.slice(at + 1)) }
}

export class FixedFields implements RecordParser {
  readonly isPlain = false
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  source: Buffer = NO_HEADERS
  headers: Buffer = NO_HEADERS
  readonly #inner: RecordParser
  readonly #key: Buffer | undefined
  readonly #headerCount: number
  readonly #headers: Buffer
  #own = Buffer.alloc(0) // the key, and behind it a value

  constructor(inner: RecordParser, key: string | undefined, headers: readonly FixedHeader[]) {
    this.#inner = inner
    this.#key = key === undefined ? undefined : Buffer.from(key)
    this.#headerCount = headers.length
    this.#headers = encodeHeaders(headers)
  }

  get topic(): string | undefined {
    return this.#inner.topic
  }

  get partition(): number | undefined {
    return this.#inner.partition
  }

  get timestamp(): number | undefined {
    return this.#inner.timestamp
  }

  longestPiece(longestValue: number): number {
    return this.#inner.longestPiece?.(longestValue) ?? longestValue
  }

  cutter(longest: number): RecordCutter {
    return this.#inner.cutter?.(longest) ?? new LineReader(longest)
  }

  parse(piece: Buffer, start: number, end: number, lineNumber: number): void {
    const inner = this.#inner
    inner.parse(piece, start, end, lineNumber)
    this.headers = this.#allHeaders(inner.headers)
    if (this.#key === undefined || inner.keyStart >= 0) {
      this.source = inner.source
      this.keyStart = inner.keyStart
      this.keyEnd = inner.keyEnd
      this.valueStart = inner.valueStart
      this.valueEnd = inner.valueEnd
    } else this.#withKey(this.#key, inner)
  }

  /** Key and value must lie in one buffer. */
  #withKey(key: Buffer, { source, valueStart, valueEnd }: RecordParser): void {
    const size = key.length + (valueStart < 0 ? 0 : valueEnd - valueStart)
    if (this.#own.length < size) {
      this.#own = Buffer.allocUnsafe(2 * size)
      key.copy(this.#own)
    }
    this.source = this.#own
    this.keyStart = 0
    this.keyEnd = key.length
    this.valueStart = valueStart < 0 ? -1 : key.length
    this.valueEnd = valueStart < 0 ? -1 : size
    if (valueStart >= 0) source.copy(this.#own, key.length, valueStart, valueEnd)
  }

  #allHeaders(headers: Buffer): Buffer {
    if (this.#headerCount === 0) return headers
    const ownAt = varintEnd(headers, 0, headers.length, 5)
    const ownCount = readVarint(headers, 0, ownAt)
    if (ownCount === 0) return this.#headers
    const count = ownCount + this.#headerCount
    const fixedAt = varintSize(this.#headerCount)
    const front = Buffer.alloc(varintSize(count))
    writeVarint(front, 0, count)
    return Buffer.concat([front, headers.subarray(ownAt), this.#headers.subarray(fixedAt)])
  }
}
