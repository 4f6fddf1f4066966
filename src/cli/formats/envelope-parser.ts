// A record from one line of JSON, the same that envelope-format.ts writes. Bytes to bytes: values are found and copied, never
// made into values. Strict: a field nobody knows, a wrong type, bad base64 or half a character is an error with its line.

import { isUtf8 } from 'node:buffer'
import { encodeHeaders, NO_HEADERS } from '../../kernels/record-writer.ts'
import { type CliError, operationError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { skipSpace, stringEnd, unescape, valueEnd } from './json-scan.ts'
import type { RecordParser } from './record-parser.ts'

/** What is taken from the record itself; else it is passed over, once its type is right. */
export interface FromRecord {
  readonly topic: boolean
  readonly partition: boolean
  readonly timestamp: boolean
}

const FIELDS = [
  'topic', 'partition', 'offset', 'timestamp', 'timestampType', 'key', 'value', 'headers', 'keyEncoding', 'valueEncoding',
] // prettier-ignore
const HEADER_FIELDS = ['key', 'value', 'keyEncoding', 'valueEncoding']
const TIMESTAMP_TYPES = ['CreateTime', 'LogAppendTime', 'NoTimestampType']
const ENCODINGS = ['utf8', 'base64', 'json', 'null']
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY, COMMA, COLON, QUOTE] = Buffer.from('{}[],:"')
const LONGEST_ESCAPE = 6 // \u0000 for one byte
const OTHER_FIELDS = 64 * 1024

/** A token of the line. */
interface Token {
  readonly start: number
  readonly end: number
}
type Members = ReadonlyMap<string, Token>

/** What Windows writes in front of a file. */
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

export class EnvelopeParser implements RecordParser {
  readonly isPlain = false
  source: Buffer = Buffer.allocUnsafe(4096)
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  headers: Buffer = NO_HEADERS
  topic: string | undefined
  partition: number | undefined
  timestamp: number | undefined
  readonly #from: FromRecord
  #line: Buffer = NO_HEADERS
  #lineNumber = 0
  #at = 0 // of what is written to `source`

  constructor(from: FromRecord) {
    this.#from = from
  }

  longestPiece(longestValue: number): number {
    return LONGEST_ESCAPE * longestValue + OTHER_FIELDS
  }

  parse(line: Buffer, start: number, end: number, lineNumber: number): void {
    this.#line = line
    this.#lineNumber = lineNumber
    // What tokens say is never longer than the tokens.
    if (this.source.length < end - start) this.source = Buffer.allocUnsafe(2 * (end - start))
    this.#at = 0
    if (!isUtf8(line.subarray(start, end))) throw this.#wrong('is not UTF-8', 'bytes that are not text go in base64')
    const hasMark = lineNumber === 1 && line.indexOf(BYTE_ORDER_MARK, start) === start
    const members = this.#object(hasMark ? start + BYTE_ORDER_MARK.length : start, end, FIELDS, '')
    ;[this.keyStart, this.keyEnd] = this.#bytes(members, 'key', '')
    ;[this.valueStart, this.valueEnd] = this.#bytes(members, 'value', '')
    this.headers = this.#headers(members.get('headers'))
    this.#place(members)
  }

  #place(members: Members): void {
    const topic = this.#word(members, 'topic')
    const partition = this.#integer(members, 'partition', 0, 0x7fffffff)
    const timestamp = this.#integer(members, 'timestamp', -1, Number.MAX_SAFE_INTEGER)
    this.#checkOffset(members)
    this.#oneOf(members, 'timestampType', TIMESTAMP_TYPES)
    if (this.#from.partition && partition === undefined) throw this.#wrong('has no partition', 'it was to come from the record')
    if (this.#from.timestamp && timestamp === undefined) throw this.#wrong('has no timestamp', 'it was to come from the record')
    this.topic = this.#from.topic ? topic : undefined
    this.partition = this.#from.partition ? partition : undefined
    this.timestamp = this.#from.timestamp ? timestamp : undefined
  }

  /** From 2^53 on offsets are strings of digits, lest a reader of JSON rounds them. */
  #checkOffset(members: Members): void {
    const token = members.get('offset')
    const isText = token !== undefined && this.#line[token.start] === QUOTE
    if (!isText) this.#integer(members, 'offset', 0, Number.MAX_SAFE_INTEGER)
    else if (!/^"\d{16,19}"$/.test(this.#line.toString('latin1', token.start, token.end))) throw this.#wrong('offset is no integer')
  }

  #headers(token: Token | undefined): Buffer {
    if (token === undefined || this.#isNull(token)) return NO_HEADERS
    const line = this.#line
    if (line[token.start] !== OPEN_ARRAY) throw this.#wrong('has headers that are no array')
    const headers: { key: Buffer; value: Buffer | null }[] = []
    let at = skipSpace(line, token.start + 1, token.end)
    while (line[at] !== CLOSE_ARRAY) {
      const end = valueEnd(line, at, token.end)
      const where = `header ${headers.length + 1}: `
      const members = this.#object(at, end, HEADER_FIELDS, where)
      const [keyStart, keyEnd] = this.#bytes(members, 'key', where)
      const [start, valueEndsAt] = this.#bytes(members, 'value', where)
      if (keyStart < 0) throw this.#wrong(`${where}no key`, 'a header must have one')
      headers.push({ key: this.source.subarray(keyStart, keyEnd), value: start < 0 ? null : this.source.subarray(start, valueEndsAt) })
      at = skipSpace(line, end, token.end)
      if (line[at] === COMMA) at = skipSpace(line, at + 1, token.end)
    }
    return encodeHeaders(headers)
  }

  /** The range of `source` with what `name` says in its encoding; a start of −1 for null and for nothing at all. */
  #bytes(members: Members, name: 'key' | 'value', where: string): [number, number] {
    const encoding = this.#oneOf(members, `${name}Encoding`, ENCODINGS, where)
    const token = members.get(name)
    if (token === undefined) {
      if (encoding === undefined || encoding === 'null') return [-1, -1]
      throw this.#wrong(`${where}${name}Encoding without a ${name}`)
    }
    const start = this.#at
    if (encoding === 'json') {
      this.#at += this.#line.copy(this.source, start, token.start, token.end)
      return [start, this.#at]
    }
    if (this.#isNull(token)) return [-1, -1]
    if (encoding === 'null') throw this.#wrong(`${where}${name} is not null, and ${name}Encoding says so`)
    if (this.#line[token.start] !== QUOTE) {
      throw this.#wrong(`${where}${name} is neither a string nor null`, `"${name}Encoding":"json" takes it as it stands`)
    }
    this.#at = this.#string(token, `${where}${name}`)
    if (encoding === 'base64') this.#at = this.#decode(start, `${where}${name}`)
    return [start, this.#at]
  }

  #decode(start: number, what: string): number {
    const text = this.source.toString('latin1', start, this.#at)
    const bytes = Buffer.from(text, 'base64')
    // Node passes over what is no base64; what is written again shows it.
    if (bytes.toString('base64') !== text) throw this.#wrong(`${what} is no base64`)
    return start + bytes.copy(this.source, start)
  }

  /** Decodes the token to `source`; the position behind it. */
  #string(token: Token, what: string): number {
    const end = unescape(this.#line, token.start, token.end, this.source, this.#at)
    if (end < 0) throw this.#wrong(`${what} has half of a surrogate pair`, 'bytes that are not text go in base64')
    return end
  }

  /** The members of the object that is all of [start, end), each name once. */
  #object(start: number, end: number, known: readonly string[], where: string): Members {
    const line = this.#line
    const from = skipSpace(line, start, end)
    const close = valueEnd(line, from, end)
    if (close < 0 || skipSpace(line, close, end) !== end) throw this.#wrong(`${where}no JSON`)
    if (line[from] !== OPEN_OBJECT) throw this.#wrong(`${where}no JSON object`)
    const members = new Map<string, Token>()
    let at = skipSpace(line, from + 1, close)
    while (line[at] !== CLOSE_OBJECT) {
      const nameEnd = stringEnd(line, at, close)
      const name = this.source.toString('utf8', this.#at, this.#string({ start: at, end: nameEnd }, `${where}a name`))
      if (!known.includes(name)) throw this.#wrong(`${where}unknown field '${name}'`, didYouMean(name, known) ?? `known are ${known.join(', ')}`)
      if (members.has(name)) throw this.#wrong(`${where}'${name}' is there twice`)
      at = skipSpace(line, nameEnd, close)
      if (line[at] === COLON) at = skipSpace(line, at + 1, close)
      const valueEndsAt = valueEnd(line, at, close)
      members.set(name, { start: at, end: valueEndsAt })
      at = skipSpace(line, valueEndsAt, close)
      if (line[at] === COMMA) at = skipSpace(line, at + 1, close)
    }
    return members
  }

  #word(members: Members, name: string, where = ''): string | undefined {
    const token = members.get(name)
    if (token === undefined || this.#isNull(token)) return undefined
    if (this.#line[token.start] !== QUOTE) throw this.#wrong(`${where}${name} is no string`)
    return this.source.toString('utf8', this.#at, this.#string(token, `${where}${name}`))
  }

  #oneOf(members: Members, name: string, known: readonly string[], where = ''): string | undefined {
    const word = this.#word(members, name, where)
    if (word !== undefined && !known.includes(word)) throw this.#wrong(`${where}${name} is '${word}'`, `known are ${known.join(', ')}`)
    return word
  }

  #integer(members: Members, name: string, least: number, most: number): number | undefined {
    const token = members.get(name)
    if (token === undefined || this.#isNull(token)) return undefined
    const text = this.#line.toString('latin1', token.start, token.end)
    const number = Number(text)
    if (!/^-?\d{1,16}$/.test(text) || number < least || number > most) throw this.#wrong(`${name} is no integer from ${least} to ${most}`)
    return number
  }

  #isNull({ start }: Token): boolean {
    return this.#line[start] === 0x6e
  }

  #wrong(what: string, hint?: string): CliError {
    return operationError('INVALID_LINE', `line ${this.#lineNumber} is no record: ${what}`, hint)
  }
}
