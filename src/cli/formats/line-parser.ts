// Kafka's LineMessageReader on bytes: headers, then key, then value, cut at literal separators (the one between headers
// is a regular expression). Fields are ranges of the line; only headers make objects. Bytes are not decoded, so what is
// not UTF-8 survives, where Java would replace it.

import { encodeHeaders, NO_HEADERS } from '../../kernels/record-writer.ts'
import { operationError, usageError } from '../errors.ts'
import { checkNames, isTrue } from './properties.ts'
import type { RecordParser } from './record-parser.ts'

const NAMES = [
  'parse.key', 'key.separator', 'parse.headers', 'headers.delimiter', 'headers.separator', 'headers.key.separator',
  'ignore.error', 'null.marker',
] // prettier-ignore

const LONGEST_QUOTE = 200 // of a faulty line in its error

export interface LineParserVoice {
  /** As Kafka's own: unknown properties pass, and errors quote the whole line. */
  readonly isApache?: boolean
}

export class LineParser implements RecordParser {
  readonly #parsesKey: boolean
  readonly #parsesHeaders: boolean
  readonly #ignoresErrors: boolean
  readonly #keySeparator: Buffer
  readonly #headersDelimiter: Buffer
  readonly #headersSeparator: RegExp
  readonly #headerKeySeparator: Buffer
  readonly #nullMarker: Buffer | undefined
  readonly #longestQuote: number

  // Of the line parsed last. A start of −1 is null.
  keyStart = -1
  keyEnd = -1
  valueStart = 0
  valueEnd = 0
  headers: Buffer = NO_HEADERS
  source: Buffer = NO_HEADERS
  readonly topic = undefined
  readonly partition = undefined
  readonly timestamp = undefined

  /** Throws a usage error for names, clashes or expressions that can't be used. */
  constructor(properties: ReadonlyMap<string, string>, { isApache = false }: LineParserVoice = {}) {
    if (!isApache) checkNames('line reader', properties, NAMES)
    this.#longestQuote = isApache ? Infinity : LONGEST_QUOTE
    const text = (name: string, fallback: string) => properties.get(name) ?? fallback
    this.#parsesKey = isTrue(text('parse.key', 'false'))
    this.#parsesHeaders = isTrue(text('parse.headers', 'false'))
    this.#ignoresErrors = isTrue(text('ignore.error', 'false'))
    this.#keySeparator = Buffer.from(text('key.separator', '\t'))
    this.#headersDelimiter = Buffer.from(text('headers.delimiter', '\t'))
    this.#headerKeySeparator = Buffer.from(text('headers.key.separator', ':'))
    this.#headersSeparator = expression(text('headers.separator', ','))
    const marker = properties.get('null.marker')
    this.#nullMarker = marker === undefined ? undefined : Buffer.from(marker)
    checkClashes({
      'headers.delimiter': text('headers.delimiter', '\t'),
      'headers.separator': text('headers.separator', ','),
      'headers.key.separator': text('headers.key.separator', ':'),
      'null.marker': marker,
      'key.separator': text('key.separator', '\t'),
    })
  }

  /** Whether every line is just a value: no key, no headers, no null. */
  get isPlain(): boolean {
    return !this.#parsesKey && !this.#parsesHeaders && this.#nullMarker === undefined
  }

  /** Cuts `line[start, end)`; throws in Apache's words when it can't be cut. */
  parse(line: Buffer, start: number, end: number, lineNumber: number): void {
    this.source = line
    const delimiter = this.#parsesHeaders ? this.#findDelimiter(line, start, end, lineNumber) : -1
    const at = delimiter < 0 ? start : delimiter + this.#headersDelimiter.length
    this.keyStart = this.keyEnd = -1
    this.valueStart = at
    this.valueEnd = end
    if (this.#parsesKey) {
      const separator = find(line, this.#keySeparator, at, end)
      if (separator >= 0) {
        this.valueStart = separator + this.#keySeparator.length
        this.keyEnd = separator
        this.keyStart = this.#isNull(line, at, separator) ? -1 : at
      } else if (!this.#ignoresErrors) {
        throw malformed(`No key separator found on line number ${lineNumber}: '${this.#quote(line, start, end)}'`)
      }
    }
    if (this.#isNull(line, this.valueStart, end)) this.valueStart = -1
    // Last, as in Kafka: of several errors in a line this is the one not told.
    if (this.#parsesHeaders) this.headers = this.#parseHeaders(line, start, delimiter, lineNumber)
  }

  #findDelimiter(line: Buffer, start: number, end: number, lineNumber: number): number {
    const delimiter = find(line, this.#headersDelimiter, start, end)
    if (delimiter >= 0 || this.#ignoresErrors) return delimiter
    throw malformed(`No headers delimiter found on line number ${lineNumber}: '${this.#quote(line, start, end)}'`)
  }

  #parseHeaders(line: Buffer, start: number, delimiter: number, lineNumber: number): Buffer {
    if (delimiter < 0 || this.#isNull(line, start, delimiter)) return NO_HEADERS
    // latin1 keeps each byte; an expression with other characters is turned into bytes the same way.
    const pairs = javaSplit(line.toString('latin1', start, delimiter), this.#headersSeparator)
    return encodeHeaders(pairs.map((pair) => this.#header(Buffer.from(pair, 'latin1'), lineNumber)))
  }

  #header(pair: Buffer, lineNumber: number): { key: Buffer; value: Buffer | null } {
    const separator = find(pair, this.#headerKeySeparator, 0, pair.length)
    if (separator < 0) {
      if (this.#ignoresErrors) return { key: pair, value: null }
      throw malformed(`No header key separator found in pair '${pair.toString()}' on line number ${lineNumber}`)
    }
    if (this.#isNull(pair, 0, separator)) {
      const marker = this.#nullMarker?.toString() ?? ''
      throw malformed(`Header keys should not be equal to the null marker '${marker}' as they can't be null`)
    }
    const from = separator + this.#headerKeySeparator.length
    return { key: pair.subarray(0, separator), value: this.#isNull(pair, from, pair.length) ? null : pair.subarray(from) }
  }

  #quote(line: Buffer, start: number, end: number): string {
    const text = line.toString('utf8', start, Math.min(end, start + this.#longestQuote))
    return end - start > this.#longestQuote ? `${text}…` : text
  }

  #isNull(bytes: Buffer, start: number, end: number): boolean {
    const marker = this.#nullMarker
    return marker !== undefined && marker.length === end - start && marker.compare(bytes, start, end) === 0
  }
}

/** Where `word` is first found in `bytes[start, end)`, or −1. */
function find(bytes: Buffer, word: Buffer, start: number, end: number): number {
  if (word.length === 1) {
    // Keys are short: a loop finds most separators sooner than a view is made.
    const near = Math.min(end, start + 48)
    for (let at = start; at < near; at++) if (bytes[at] === word[0]) return at
  }
  const at = bytes.subarray(start, end).indexOf(word)
  return at < 0 ? -1 : start + at
}

/** String.split of Java: empty pieces at the end are dropped, one from an empty match at the start as well. */
function javaSplit(text: string, separator: RegExp): string[] {
  const pieces: string[] = []
  let from = 0
  for (const match of text.matchAll(separator)) {
    const end = match.index + match[0].length
    if (end === 0) continue
    pieces.push(text.slice(from, match.index))
    from = end
  }
  if (from === 0) return [text]
  pieces.push(text.slice(from))
  while (pieces.at(-1) === '') pieces.pop()
  return pieces
}

function expression(separator: string): RegExp {
  try {
    return new RegExp(Buffer.from(separator).toString('latin1'), 'g')
  } catch (error) {
    throw usageError(`headers.separator '${separator}' is not a regular expression: ${(error as Error).message}`)
  }
}

function checkClashes(given: Readonly<Record<string, string | undefined>>): void {
  const pairs = [
    ['headers.delimiter', 'headers.separator'], ['headers.delimiter', 'headers.key.separator'],
    ['headers.separator', 'headers.key.separator'], ['null.marker', 'key.separator'],
    ['null.marker', 'headers.separator'], ['null.marker', 'headers.delimiter'], ['null.marker', 'headers.key.separator'],
  ] as const // prettier-ignore
  for (const [one, other] of pairs) {
    if (given[one] === given[other]) throw usageError(`${one} and ${other} may not be equal`)
  }
}

function malformed(message: string): Error {
  return operationError('INVALID_LINE', message)
}
