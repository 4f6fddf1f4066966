// Records read by a format string, in the language of franz-go that format-string.ts prints: what `consume -f` wrote comes back.
// A field ends at the text that follows it in the format, or where a size in front of it says. The input is bytes, not lines:
// a record is cut when all of it is there, and what doesn't fit is an error with the record's number.

import { encodeHeaders, NO_HEADERS } from '../../kernels/record-writer.ts'
import { operationError, usageError } from '../errors.ts'
import { bracedAt, slashAt, widthOf } from './format-words.ts'
import type { RecordCutter, RecordParser } from './record-parser.ts'

type Verb = 'T' | 'K' | 'V' | 'H' | 'p' | 'o' | 'e' | 'd' | 'x' | 'y' | 't' | 'k' | 'v'

interface Step {
  readonly verb: Verb | 'text' | 'h'
  /** text: what stands there. Fields: what ends them; empty: the end of the input. */
  text: Buffer
  readonly modifier: string
  readonly isSized: boolean
  readonly inner: readonly Step[]
}

interface Taken {
  texts: Partial<Record<'t' | 'k' | 'v', Buffer>>
  numbers: Partial<Record<Verb, number>>
  headers: { key: Buffer; value: Buffer | null }[]
}

const CHUNK = 256 * 1024
const OTHER_FIELDS = 64 * 1024
const SIZES = { t: 'T', k: 'K', v: 'V' } as const
const DIGITS = /^-?\d{1,16}$/
const NOTHING = Buffer.alloc(0)

/** Usage error for a format that can't be read by. */
export class FormatReader implements RecordParser, RecordCutter {
  readonly isPlain = false
  source: Buffer = NOTHING
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  headers: Buffer = NO_HEADERS
  topic: string | undefined
  partition: number | undefined
  timestamp: number | undefined
  // As a cutter.
  bytes: Buffer = Buffer.allocUnsafe(2 * CHUNK)
  lineStart = 0
  lineEnd = 0
  lineNumber = 0
  readonly droppedBytes = 0
  readonly #steps: readonly Step[]
  #longest = Infinity
  #start = 0 // of the record that comes next
  #end = 0
  #at = 0
  #isFinished = false
  #taken: Taken = { texts: {}, numbers: {}, headers: [] }

  constructor(layout: string) {
    this.#steps = compile(layout, false)
    if (this.#steps.length === 0) throw usageError('the format is empty')
  }

  longestPiece(longestValue: number): number {
    return 2 * longestValue + OTHER_FIELDS // hex
  }

  cutter(longest: number): this {
    this.#longest = longest
    return this
  }

  space(): Buffer {
    const kept = this.#end - this.#start
    if (kept > this.#longest) throw this.#wrong(`it has more than ${this.#longest} bytes`)
    if (this.bytes.length - this.#end < CHUNK) {
      const target = kept + CHUNK <= this.bytes.length ? this.bytes : Buffer.allocUnsafe(2 * (kept + CHUNK))
      this.bytes.copy(target, 0, this.#start, this.#end)
      this.bytes = target
      this.#start = 0
      this.#end = kept
    }
    return this.bytes.subarray(this.#end)
  }

  filled(size: number): void {
    this.#end += size
  }

  push(chunk: Buffer, from: number): number {
    const space = this.space()
    const size = chunk.copy(space, 0, from, Math.min(chunk.length, from + space.length))
    this.filled(size)
    return size
  }

  finish(): void {
    this.#isFinished = true
  }

  /** Takes the next record apart; false when not all of it is there. Operation error when it doesn't fit the format. */
  next(): boolean {
    if (this.#start === this.#end) return false
    this.#at = this.#start
    this.#taken = { texts: {}, numbers: {}, headers: [] }
    if (!this.#read(this.#steps, this.#taken, true)) {
      if (this.#isFinished) throw this.#wrong('the input ends in the middle of it')
      return false
    }
    this.lineNumber++
    this.lineStart = this.#start
    this.lineEnd = this.#start = this.#at
    return true
  }

  /** `next` has found the fields. */
  parse(): void {
    const { texts, numbers, headers } = this.#taken
    const { k = null, v = null, t } = texts
    this.source = Buffer.concat([k ?? NOTHING, v ?? NOTHING])
    const split = k?.length ?? 0
    ;[this.keyStart, this.keyEnd] = k === null ? [-1, -1] : [0, split]
    ;[this.valueStart, this.valueEnd] = v === null ? [-1, -1] : [split, this.source.length]
    this.headers = encodeHeaders(headers)
    this.topic = t?.toString()
    this.partition = numbers.p
    this.timestamp = numbers.d
  }

  /** False: more input is needed. */
  #read(steps: readonly Step[], taken: Taken, isOutermost: boolean): boolean {
    return steps.every((step, index) => {
      const { verb, text } = step
      if (verb === 'text') return this.#exactly(text)
      if (verb === 'h') return this.#headers(step, taken)
      if (verb === 't' || verb === 'k' || verb === 'v') {
        const field = step.isSized ? this.#sized(taken.numbers[SIZES[verb]] ?? 0) : this.#until(text, isOutermost && index === steps.length - 1)
        if (field !== undefined) taken.texts[verb] = this.#decoded(field, step)
        return field !== undefined && (!step.isSized || this.#exactly(text))
      }
      const number = this.#number(step)
      if (number !== undefined) taken.numbers[verb] = number
      return number !== undefined && this.#exactly(text)
    })
  }

  #headers({ inner, text }: Step, taken: Taken): boolean {
    for (let left = taken.numbers.H ?? 0; left > 0; left--) {
      const header: Taken = { texts: {}, numbers: {}, headers: [] }
      if (!this.#read(inner, header, false)) return false
      taken.headers.push({ key: header.texts.k ?? NOTHING, value: header.texts.v ?? null })
    }
    return this.#exactly(text)
  }

  #exactly(text: Buffer): boolean {
    const found = this.bytes.subarray(this.#at, Math.min(this.#at + text.length, this.#end))
    if (found.compare(text, 0, found.length) !== 0) throw this.#wrong(`${quote(text)} should follow, not ${quote(found)}`)
    if (found.length < text.length) {
      // The newline behind the last record may be missing, as behind the last line of a file.
      return this.#isFinished && found.length === 0 && text.toString() === '\n'
    }
    this.#at += text.length
    return true
  }

  #sized(size: number): Buffer | undefined {
    if (size > this.#longest) throw this.#wrong(`it says that ${size} bytes follow`)
    return this.#at + size > this.#end ? undefined : this.bytes.subarray(this.#at, (this.#at += size))
  }

  #until(text: Buffer, isLast: boolean): Buffer | undefined {
    const input = this.bytes.subarray(this.#at, this.#end)
    const found = text.length === 0 ? -1 : input.indexOf(text)
    if (found >= 0) {
      this.#at += found + text.length
      return input.subarray(0, found)
    }
    if (!isLast || !this.#isFinished || (text.length > 0 && text.toString() !== '\n')) return undefined
    this.#at = this.#end
    return input
  }

  #number({ verb, modifier }: Step): number | undefined {
    const width = widthOf(modifier)
    const characters = width?.size ?? (/^\d+$/.test(modifier) ? Number(modifier) : undefined)
    if (characters !== undefined) {
      const bytes = this.#sized(characters)
      if (bytes === undefined) return undefined
      const text = width === undefined ? bytes.toString('latin1') : width.kind === 'hex' ? `0x${bytes.toString('latin1')}` : undefined
      const number = text === undefined ? BigInt(`0x${Buffer.from(width?.kind === 'little' ? Buffer.from(bytes).reverse() : bytes).toString('hex')}`) : text
      return this.#checked(Number(number), verb, String(number))
    }
    let end = this.#at
    // Behind the end stands what was read before.
    if (end < this.#end && this.bytes[end] === 0x2d) end++
    while (end < this.#end && this.bytes[end] >= 0x30 && this.bytes[end] <= 0x39) end++
    if (end === this.#end && !this.#isFinished) return undefined
    const text = this.bytes.toString('latin1', this.#at, end)
    if (!DIGITS.test(text)) throw this.#wrong(`%${verb} is no number: ${quote(this.bytes.subarray(this.#at, Math.min(end + 1, this.#end)))}`)
    this.#at = end
    return this.#checked(Number(text), verb, text)
  }

  #checked(number: number, verb: string, text: string): number {
    if (!Number.isSafeInteger(number) || (number < 0 && verb !== 'd')) throw this.#wrong(`%${verb} can't be ${text}`)
    return number
  }

  #decoded(field: Buffer, { modifier, verb }: Step): Buffer {
    if (modifier === '') return Buffer.from(field)
    const text = field.toString('latin1')
    const bytes = Buffer.from(text, modifier as 'hex' | 'base64')
    const isWhole = modifier === 'hex' ? bytes.length * 2 === text.length : bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
    if (!isWhole) throw this.#wrong(`%${verb} is no ${modifier}`)
    return bytes
  }

  #wrong(what: string): Error {
    return operationError('INVALID_RECORD', `record ${this.lineNumber + 1} does not fit the format: ${what}`)
  }
}

function quote(bytes: Buffer): string {
  return JSON.stringify(bytes.toString('utf8', 0, 40))
}

function compile(layout: string, isHeader: boolean): Step[] {
  const steps: Step[] = []
  const verbs = new Set<string>()
  const text = (bytes: Buffer): void => {
    const last = steps.at(-1)
    if (last !== undefined) last.text = Buffer.concat([last.text, bytes])
    else steps.push({ verb: 'text', text: bytes, modifier: '', isSized: false, inner: [] })
  }
  for (let at = 0; at < layout.length; ) {
    if (layout[at] === '\\') {
      const { byte, next } = slashAt(layout, at)
      text(byte)
      at = next
    } else if (layout[at] !== '%' || /[%{}]/.test(layout.charAt(at + 1))) {
      const sign = layout[at] === '%' ? layout[at + 1] : String.fromCodePoint(layout.codePointAt(at) ?? 0)
      text(Buffer.from(sign))
      at += layout[at] === '%' ? 2 : sign.length
    } else {
      const braced = layout[at + 2] === '{' ? bracedAt(layout, at + 3) : undefined
      if (layout[at + 2] === '{' && braced === undefined) throw wrong(layout, `%${layout[at + 1]}{ has no closing }`)
      steps.push(stepOf(layout, layout.charAt(at + 1), braced?.inside ?? '', verbs, isHeader))
      at = braced?.next ?? at + 2
    }
  }
  checkEnds(layout, steps, isHeader)
  return steps
}

function stepOf(layout: string, letter: string, modifier: string, verbs: Set<string>, isHeader: boolean): Step {
  if (verbs.has(letter)) throw wrong(layout, `%${letter} is there twice`)
  verbs.add(letter)
  if (isHeader && !/[kvKV]/.test(letter)) throw wrong(layout, `%${letter} is no part of a header`)
  if (letter === 'h') {
    if (!verbs.has('H')) throw wrong(layout, '%h needs the number of headers in front of it', 'write %H %h{…}')
    return { verb: 'h', text: NOTHING, modifier: '', isSized: false, inner: compile(modifier, true) }
  }
  if (letter === 't' || letter === 'k' || letter === 'v') {
    if (!['', 'hex', 'base64'].includes(modifier)) throw wrong(layout, `%${letter}{${modifier}} can't be read`, 'hex and base64 can')
    return { verb: letter, text: NOTHING, modifier, isSized: verbs.has(SIZES[letter]), inner: [] }
  }
  if (!/^[TKVHpoedxy]$/.test(letter)) throw wrong(layout, `there is no %${letter} to be read`, 'there are %t %k %v %h{…} %p %o %e %d %x %y, and the lengths %T %K %V %H')
  const isKnown = ['', 'ascii', 'number'].includes(modifier) || widthOf(modifier) !== undefined || /^[1-9]\d?$/.test(modifier)
  if (!isKnown) throw wrong(layout, `%${letter}{${modifier}} can't be read`)
  return { verb: letter as Verb, text: NOTHING, modifier, isSized: false, inner: [] }
}

/** Without a size or a text behind it, a field would take the rest of the input. */
function checkEnds(layout: string, steps: readonly Step[], isHeader: boolean): void {
  steps.forEach((step, index) => {
    const isText = ['t', 'k', 'v'].includes(step.verb) && !step.isSized
    if (isText && step.text.length === 0 && (isHeader || index < steps.length - 1)) throw wrong(layout, `nothing says where %${step.verb} ends`, 'put a text behind it, or its length in front')
  })
  if (steps.every(({ verb }) => verb === 'text')) throw wrong(layout, 'it has no field')
}

function wrong(layout: string, what: string, hint?: string): Error {
  return usageError(`format '${layout}': ${what}`, hint)
}
