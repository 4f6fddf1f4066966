// JSON as Apache's tools read it (Jackson, and Kafka's Json over it): whole numbers are told from fractions, what stands
// behind the first value is not looked at, and errors have Jackson's words.

import { JavaError } from './java-errors.ts'

export type JsonNode =
  | { readonly kind: 'object'; readonly fields: ReadonlyMap<string, JsonNode> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'text'; readonly text: string }
  /** As it was written. */
  | { readonly kind: 'number' | 'word'; readonly text: string }
  /** There was nothing but blanks. */
  | { readonly kind: 'missing' }

/** Json.tryParseFull. Throws the JavaError of Jackson. */
export function parseJson(text: string): JsonNode {
  if (text === '') throw parseError("The input string shouldn't be empty", 'UNKNOWN; byte offset: #UNKNOWN')
  return new Reader(text).document()
}

/** Json.parseFull: undefined for what is no JSON. */
export function tryParseJson(text: string): JsonNode | undefined {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof JavaError) return undefined
    throw error
  }
}

export function asObject(node: JsonNode): ReadonlyMap<string, JsonNode> {
  return node.kind === 'object' ? node.fields : mismatch('JSON object', node)
}

export function asArray(node: JsonNode): readonly JsonNode[] {
  return node.kind === 'array' ? node.items : mismatch('JSON array', node)
}

/** JsonObject.apply. */
export function field(fields: ReadonlyMap<string, JsonNode>, name: string): JsonNode {
  const node = fields.get(name)
  if (node === undefined) throw mappingError(`No such field exists: \`${name}\``)
  return node
}

export function toText(node: JsonNode): string {
  return node.kind === 'text' ? node.text : mismatch('`String` value', node)
}

export function toInt(node: JsonNode): number {
  return wholeNumber(node, 31n) ?? mismatch('`Integer` value', node)
}

/** Beyond 2^53 not exact, but as far away. */
export function toLong(node: JsonNode): number {
  return wholeNumber(node, 63n) ?? mismatch('`Long` value', node)
}

function wholeNumber(node: JsonNode, bits: bigint): number | undefined {
  if (node.kind !== 'number' || !/^-?\d+$/.test(node.text)) return undefined
  const number = BigInt(node.text)
  return number < 2n ** bits && number >= -(2n ** bits) ? Number(number) : undefined
}

export function toList<T>(node: JsonNode, decode: (item: JsonNode) => T): T[] {
  return node.kind === 'array' ? node.items.map(decode) : mismatch('`JSON array` value', node)
}

/** JsonNode.toString. */
function textOf(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${[...node.fields].map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`).join(',')}}`
    case 'array':
      return `[${node.items.map(textOf).join(',')}]`
    case 'text':
      return JSON.stringify(node.text)
    case 'missing':
      return ''
    default:
      return node.text
  }
}

function mismatch(expected: string, node: JsonNode): never {
  throw mappingError(`Expected ${expected}, received ${textOf(node)}`)
}

function mappingError(message: string): JavaError {
  return new JavaError('com.fasterxml.jackson.databind.JsonMappingException', message)
}

const REDACTED = 'REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)'
const WORDS: ReadonlySet<string> = new Set(['true', 'false', 'null'])
const WORD_LETTER = /[\p{L}\p{N}_$]/u

function parseError(message: string, source: string, className = 'JsonParseException'): JavaError {
  return new JavaError(`com.fasterxml.jackson.core.${className}`, `${message}\n at [Source: ${source}]`)
}

/** StreamReadConstraints. */
const MAX_DEPTH = 1000

class Reader {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): JsonNode {
    this.#skipBlanks()
    return this.#at === this.#text.length ? { kind: 'missing' } : this.#value()
  }

  #value(): JsonNode {
    const letter = this.#text[this.#at]
    if (letter === '{' || letter === '[') {
      if (++this.#depth > MAX_DEPTH) throw this.#tooDeep()
      const node = letter === '{' ? this.#object() : this.#array()
      this.#depth--
      return node
    }
    if (letter === '"') return { kind: 'text', text: this.#string() }
    if (/[-\d]/.test(letter)) return this.#number()
    if (WORD_LETTER.test(letter)) return this.#word()
    throw this.#unexpected('expected a valid value (JSON String, Number, Array, Object or token \'null\', \'true\' or \'false\')')
  }

  #object(): JsonNode {
    const start = this.#at++
    const fields = new Map<string, JsonNode>()
    for (let letter = this.#next('Object', start); letter !== '}'; letter = this.#next('Object', start)) {
      if (letter === ']') throw this.#wrongEnd('}', 'Object', start)
      if (fields.size > 0) {
        if (letter !== ',') throw this.#unexpected('was expecting comma to separate Object entries')
        this.#at++
        letter = this.#next('Object', start)
      }
      if (letter !== '"') throw this.#unexpected('was expecting double-quote to start field name')
      const name = this.#string()
      if (this.#next('Object', start) !== ':') throw this.#unexpected('was expecting a colon to separate field name and value')
      this.#at++
      this.#next('Object', start)
      fields.set(name, this.#value())
    }
    this.#at++
    return { kind: 'object', fields }
  }

  #array(): JsonNode {
    const start = this.#at++
    const items: JsonNode[] = []
    for (let letter = this.#next('Array', start); letter !== ']'; letter = this.#next('Array', start)) {
      if (letter === '}') throw this.#wrongEnd(']', 'Array', start)
      if (items.length > 0) {
        if (letter !== ',') throw this.#unexpected('was expecting comma to separate Array entries')
        this.#at++
        this.#next('Array', start)
      }
      items.push(this.#value())
    }
    this.#at++
    return { kind: 'array', items }
  }

  #string(): string {
    const start = this.#at
    for (this.#at++; this.#text[this.#at] !== '"'; this.#at++) {
      if (this.#at >= this.#text.length) throw this.#end('in VALUE_STRING: was expecting closing quote for a string value')
      if (this.#text[this.#at] === '\\') this.#at++
    }
    this.#at++
    try {
      return JSON.parse(this.#text.slice(start, this.#at)) as string
    } catch {
      throw parseError('Unrecognized character escape', this.#place())
    }
  }

  #number(): JsonNode {
    const text = /^-?\d+(\.\d+)?([eE][-+]?\d+)?/.exec(this.#text.slice(this.#at))?.[0]
    if (text === undefined) throw this.#unexpected('expected digit (0-9) to follow minus sign, for valid numeric value')
    if (/^-?0\d/.test(text)) throw parseError('Invalid numeric value: Leading zeroes not allowed', this.#place(this.#at + (text.startsWith('-') ? 2 : 1)))
    this.#at += text.length
    return { kind: 'number', text }
  }

  #word(): JsonNode {
    const start = this.#at
    while (this.#at < this.#text.length && WORD_LETTER.test(this.#text[this.#at])) this.#at++
    const text = this.#text.slice(start, this.#at)
    if (WORDS.has(text)) return { kind: 'word', text }
    throw parseError(`Unrecognized token '${text}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`, this.#place(start))
  }

  /** The next letter that is not blank, within what began at `start`. */
  #next(what: 'Object' | 'Array', start: number): string {
    this.#skipBlanks()
    if (this.#at < this.#text.length) return this.#text[this.#at]
    throw this.#end(`expected close marker for ${what} (start marker at [Source: ${this.#place(start)}])`)
  }

  #skipBlanks(): void {
    while (/[ \t\r\n]/.test(this.#text.charAt(this.#at))) this.#at++
  }

  #unexpected(expectation: string): JavaError {
    const letter = this.#text[this.#at]
    return parseError(`Unexpected character ('${letter}' (code ${letter.charCodeAt(0)})): ${expectation}`, this.#place())
  }

  #wrongEnd(expected: string, what: string, start: number): JavaError {
    const message = `Unexpected close marker '${this.#text[this.#at]}': expected '${expected}' (for ${what} starting at [Source: ${this.#place(start)}])`
    return parseError(message, this.#place())
  }

  #tooDeep(): JavaError {
    const limit = `(${MAX_DEPTH}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`
    return parseError(`Document nesting depth (${this.#depth}) exceeds the maximum allowed ${limit}`, this.#place(), 'exc.StreamConstraintsException')
  }

  #end(expectation: string): JavaError {
    return parseError(`Unexpected end-of-input: ${expectation}`, this.#place(), 'io.JsonEOFException')
  }

  #place(at = this.#at): string {
    const lines = this.#text.slice(0, at).split('\n')
    return `${REDACTED}; line: ${lines.length}, column: ${(lines.at(-1)?.length ?? 0) + 1}`
  }
}
