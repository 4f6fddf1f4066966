// Records printed by a format string, in the language of franz-go (rpk, kcl) or in kcat's. A string is compiled once; each piece
// then writes its part of a record. What a language doesn't know is a usage error, never printed as it stands.

import { isUtf8 } from 'node:buffer'
import type { ByteOutput } from '../../kernels/byte-output.ts'
import { writeJsonString } from '../../kernels/json-escape.ts'
import { usageError } from '../errors.ts'
import { bracedAt, enclosed, numberWriter, slashAt } from './format-words.ts'
import { CursorFormat, type Printed, type RecordFormat } from './record-format.ts'
import { goTime, strftime } from './time-format.ts'
import { unpacker } from './unpack.ts'

interface Header {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** `header`: inside of %h{…}, where key and value are a header's. */
type Piece = (out: ByteOutput, record: Printed, header?: Header) => void

const NOTHING = Buffer.alloc(0)
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

const NUMBERS: Readonly<Record<string, (record: Printed, header?: Header) => number | bigint>> = {
  T: ({ topic }) => Buffer.byteLength(topic),
  K: ({ cursor }, header) => header?.key.length ?? cursor.keyEnd - cursor.keyStart,
  V: ({ cursor }, header) => (header === undefined ? cursor.valueEnd - cursor.valueStart : (header.value?.length ?? 0)),
  H: ({ cursor }) => cursor.headerCount,
  p: ({ partition }) => partition,
  o: ({ cursor }) => cursor.offset,
  e: ({ batch }) => batch.header.leaderEpoch,
  x: ({ batch }) => batch.header.producerId,
  y: ({ batch }) => batch.header.producerEpoch,
  D: () => 0, // deliveries in a share group: none here
  '[': ({ fetched }) => fetched.ends?.logStart ?? -1,
  '|': ({ fetched }) => fetched.ends?.lastStable ?? -1,
  ']': ({ fetched }) => fetched.ends?.highWatermark ?? -1,
  i: ({ index }) => index,
}
const TEXTS = ['t', 'k', 'v'] as const
const KCAT_ONLY: Readonly<Record<string, string>> = { s: '%v', S: '%V', R: '%V{big32}' }

/** In the language of rpk and kcl. Usage error for what it has not. */
export function formatString(layout: string): RecordFormat {
  const pieces = compile(layout, false)
  return new CursorFormat((out, record) => {
    for (const piece of pieces) piece(out, record)
  })
}

function compile(layout: string, isHeader: boolean): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < layout.length; ) {
    if (layout[at] === '\\') {
      const { byte, next } = slashAt(layout, at)
      pieces.push((out) => out.all(byte))
      at = next
    } else if (layout[at] !== '%') {
      const end = layout.slice(at).search(/[\\%]/)
      const text = Buffer.from(end < 0 ? layout.slice(at) : layout.slice(at, at + end))
      pieces.push((out) => out.all(text))
      at = end < 0 ? layout.length : at + end
    } else if (/[%{}]/.test(layout.charAt(at + 1))) {
      const sign = Buffer.from(layout[at + 1])
      pieces.push((out) => out.all(sign))
      at += 2
    } else {
      const braced = layout[at + 2] === '{' ? bracedAt(layout, at + 3) : undefined
      if (layout[at + 2] === '{' && braced === undefined) throw wrong(layout, `%${layout[at + 1]}{ has no closing }`)
      pieces.push(verb(layout, layout.charAt(at + 1), braced?.inside, isHeader))
      at = braced?.next ?? at + 2
    }
  }
  return pieces
}

function verb(layout: string, letter: string, modifier: string | undefined, isHeader: boolean): Piece {
  if (isHeader && !/[kvKV]/.test(letter)) throw wrong(layout, `%${letter} is no part of a header`, 'in %h{…} there are %k, %K, %v and %V')
  if (Object.hasOwn(NUMBERS, letter)) {
    const write = numberWriter(modifier ?? '')
    if (write === undefined) throw unknownModifier(layout, letter, modifier)
    const number = NUMBERS[letter]
    return (out, record, header) => out.all(write(number(record, header)))
  }
  const text = TEXTS.find((each) => each === letter)
  if (text !== undefined) return textPiece(layout, text, modifier ?? '')
  if (letter === 'd' || letter === 'A') return timePiece(layout, letter, modifier)
  if (letter === 'a') return attributePiece(layout, modifier)
  if (letter === 'h') return headerPiece(layout, modifier)
  if (letter === '') throw wrong(layout, 'it ends in the middle of a verb', 'write %% for a percent sign')
  const ours = Object.hasOwn(KCAT_ONLY, letter) ? KCAT_ONLY[letter] : undefined
  const hint = ours === undefined ? 'there are %t %k %v %h{…} %p %o %e %d %a{…} %x %y %[ %| %] %i, and the lengths %T %K %V %H' : undefined
  throw wrong(layout, `there is no %${letter}`, hint ?? `kcat's %${letter} is ${ours ?? ''} here; or give the string to --kcat-format`)
}

function textPiece(layout: string, letter: 't' | 'k' | 'v', modifier: string): Piece {
  if (letter === 't' && modifier === '') return (out, { topic }) => out.text(topic)
  if (modifier === '') {
    return (out, { cursor }, header) => {
      if (header !== undefined) out.all((letter === 'k' ? header.key : header.value) ?? NOTHING)
      else if (letter === 'k') out.range(cursor.bytes, Math.max(cursor.keyStart, 0), Math.max(cursor.keyEnd, 0))
      else out.range(cursor.bytes, Math.max(cursor.valueStart, 0), Math.max(cursor.valueEnd, 0))
    }
  }
  const write = textWriter(modifier)
  if (write === undefined) throw unknownModifier(layout, letter, modifier)
  return (out, { topic, cursor }, header) => {
    if (letter === 't') write(out, Buffer.from(topic))
    else if (letter === 'k') write(out, header === undefined ? cursor.key() : header.key)
    else write(out, header === undefined ? cursor.value() : header.value)
  }
}

function textWriter(modifier: string): ((out: ByteOutput, bytes: Buffer | null) => void) | undefined {
  if (modifier === 'hex' || modifier === 'base64') return (out, bytes) => out.text(bytes?.toString(modifier) ?? '')
  if (modifier === 'base64raw') return (out, bytes) => out.text(bytes?.toString('base64').replace(/=+$/, '') ?? '')
  if (modifier === 'json') {
    return (out, bytes) => {
      // What is no text becomes U+FFFD, as in other writers of JSON: base64 keeps bytes.
      const text = bytes === null || isUtf8(bytes) ? bytes : Buffer.from(bytes.toString())
      if (text === null) out.text('null')
      else writeJsonString(out, text, 0, text.length)
    }
  }
  const length = /^trunc:(\d{1,9})$/.exec(modifier)?.[1]
  if (length !== undefined) return (out, bytes) => out.text(Array.from(bytes?.toString('utf8', 0, 4 * Number(length)) ?? '').slice(0, Number(length)).join(''))
  const layout = enclosed(modifier, 'unpack')
  if (layout === undefined) return undefined
  const unpack = unpacker(layout)
  return (out, bytes) => out.all(unpack(bytes ?? NOTHING))
}

function timePiece(layout: string, letter: 'd' | 'A', modifier = ''): Piece {
  const time = ({ cursor }: Printed): number => (letter === 'A' ? 0 : cursor.timestamp) // a share group's deadline: none here
  const number = numberWriter(modifier)
  if (number !== undefined) return (out, record) => out.all(number(time(record)))
  const [posix, go] = [enclosed(modifier, 'strftime'), enclosed(modifier, 'go')]
  const local = (at: Date): string => at.toLocaleString('sv-SE', { timeZoneName: 'longOffset' })
  const write = modifier === 'iso' ? (at: Date) => at.toISOString() : modifier === 'local' ? local : posix !== undefined ? strftime(posix) : go !== undefined ? goTime(go) : undefined
  if (write === undefined) throw unknownModifier(layout, letter, modifier)
  return (out, record) => {
    const at = new Date(time(record))
    // Kafka's times reach further than those of calendars here.
    out.text(Number.isNaN(at.getTime()) ? String(time(record)) : write(at))
  }
}

function attributePiece(layout: string, modifier: string | undefined): Piece {
  const [name, format] = (modifier ?? '').split(';', 2) as [string, string | undefined]
  const write = numberWriter(format ?? '')
  const numbers: Readonly<Record<string, (record: Printed) => number>> = {
    compression: ({ batch }) => CODECS.indexOf(batch.header.codec),
    'timestamp-type': ({ batch }) => Number(batch.header.isLogAppendTime),
    'transactional-bit': ({ batch }) => Number(batch.header.isTransactional),
    'control-bit': ({ batch }) => Number(batch.header.isControl),
  }
  if (!Object.hasOwn(numbers, name) || write === undefined) {
    throw wrong(layout, `%a{${modifier ?? ''}} is no attribute`, `write %a{NAME} or %a{NAME;NUMBER}, with a name of ${Object.keys(numbers).join(', ')}`)
  }
  if (name === 'compression' && format === undefined) return (out, { batch }) => out.text(batch.header.codec)
  const number = numbers[name]
  return (out, record) => out.all(write(number(record)))
}

/** `%h{%k=%v }` for each header; `%h{name}` is the value of the last one of that name, which is the one that counts. */
function headerPiece(layout: string, inside: string | undefined): Piece {
  if (inside === undefined || inside === '') throw wrong(layout, '%h does not say how headers look', 'write %h{%k=%v } for all of them, or %h{NAME} for one')
  if (!/[%\\]/.test(inside)) {
    const name = Buffer.from(inside)
    return (out, { cursor }) => {
      const found = cursor.headerCount === 0 ? undefined : cursor.rawHeaders().findLast(({ key }) => key.equals(name))
      out.all(found?.value ?? NOTHING)
    }
  }
  const pieces = compile(inside, true)
  return (out, record) => {
    if (record.cursor.headerCount === 0) return
    for (const header of record.cursor.rawHeaders()) for (const piece of pieces) piece(out, record, header)
  }
}

const KCAT: Readonly<Record<string, Piece>> = {
  t: (out, { topic }) => out.text(topic),
  p: (out, { partition }) => out.text(String(partition)),
  o: (out, { cursor }) => out.text(String(cursor.offset)),
  T: (out, { cursor }) => out.text(String(cursor.timestamp)),
  k: (out, { cursor }) => out.range(cursor.bytes, Math.max(cursor.keyStart, 0), Math.max(cursor.keyEnd, 0)),
  s: (out, { cursor }) => out.range(cursor.bytes, Math.max(cursor.valueStart, 0), Math.max(cursor.valueEnd, 0)),
  K: (out, { cursor }) => out.text(String(cursor.keyStart < 0 ? -1 : cursor.keyEnd - cursor.keyStart)),
  S: (out, { cursor }) => out.text(String(cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart)),
  R: (out, { cursor }) => {
    const size = Buffer.alloc(4)
    size.writeInt32BE(cursor.valueStart < 0 ? -1 : cursor.valueEnd - cursor.valueStart)
    out.all(size)
  },
  h: (out, { cursor }) => {
    if (cursor.headerCount === 0) return
    cursor.rawHeaders().forEach(({ key, value }, index) => {
      if (index > 0) out.text(',')
      out.all(key)
      out.text('=')
      if (value === null) out.text('NULL')
      else out.all(value)
    })
  },
  '%': (out) => out.text('%'),
}

/** In kcat's language. Usage error for what it has not. */
export function kcatFormat(layout: string): RecordFormat {
  const pieces = [...layout.matchAll(/%(.?)|(\\x[\da-f]{1,2}|\\.?)|[^%\\]+/gis)].map(([text, letter, slash]: (string | undefined)[]): Piece => {
    if (slash !== undefined) {
      const byte = kcatSlash(layout, slash)
      return (out) => out.all(byte)
    }
    if (letter === undefined) {
      const literal = Buffer.from(text ?? '')
      return (out) => out.all(literal)
    }
    if (Object.hasOwn(KCAT, letter)) return KCAT[letter]
    throw wrong(layout, `kcat has no %${letter}`, 'it has %s %S %R %k %K %T %t %p %o %h and %%')
  })
  return new CursorFormat((out, record) => {
    for (const piece of pieces) piece(out, record)
  })
}

function kcatSlash(layout: string, slash: string): Buffer {
  const letters: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\t': '\t' }
  if (Object.hasOwn(letters, slash)) return Buffer.from(letters[slash])
  if (/^\\x./i.test(slash)) return Buffer.from([Number.parseInt(slash.slice(2), 16)])
  if (slash === '\\') throw wrong(layout, 'it ends in the middle of an escape')
  return Buffer.from(slash.slice(1))
}

function unknownModifier(layout: string, letter: string, modifier: string | undefined): Error {
  return wrong(layout, `%${letter} has no {${modifier ?? ''}}`, 'see `man ktool-consume`')
}

function wrong(layout: string, what: string, hint?: string): Error {
  return usageError(`format '${layout}': ${what}`, hint)
}
