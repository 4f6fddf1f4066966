// How consumed records are printed: plain values by a kernel, the fields of Kafka's DefaultMessageFormatter in its order; JSON
// and format strings are in files of their own. Bytes are copied as they are stored; nothing is decoded.

import type { FetchedBatch, FetchedRecords } from '../../client/consumer-batches.ts'
import { type ByteOutput } from '../../kernels/byte-output.ts'
import { ValuePrinter } from '../../kernels/value-printer.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { RecordCursor } from '../../protocol/record-cursor.ts'
import type { Deserializer } from './deserializers.ts'
import { checkNames, isTrue } from './properties.ts'

/** Prints batches; can stop between two records, when the output is full or enough are printed. */
export interface RecordFormat {
  /** Records printed since the start. */
  readonly printed: number
  start(batch: FetchedBatch, fetched: FetchedRecords): void
  /** True: call again, `out` is full or `most` are printed. False: the batch is done. */
  print(out: ByteOutput, most: number): boolean
  /** The offset behind the last record that was looked at, once `print` gave true. */
  readonly next: number
}

const NAMES = [
  'print.timestamp', 'print.partition', 'print.offset', 'print.delivery', 'print.epoch', 'print.headers', 'print.key',
  'print.value', 'key.separator', 'line.separator', 'headers.separator', 'null.literal',
] // prettier-ignore

/** As Kafka's own formatter does it. */
export interface ApacheVoice extends ErrorVoice {
  readonly key?: Deserializer | undefined
  readonly value?: Deserializer | undefined
  readonly headers?: Deserializer | undefined
}

export interface ErrorVoice {
  /** A record that can't be printed is passed over. Without it that ends the printing. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * By the properties of Kafka's DefaultMessageFormatter. Usage error for names it doesn't have, unless `apache` is there:
 * then they pass, and the epoch is lost, as Apache's console consumer loses it on the way.
 */
export function textFormat(properties: ReadonlyMap<string, string>, apache?: ApacheVoice): RecordFormat {
  if (apache === undefined) checkNames('formatter', properties, NAMES)
  const flag = (name: string, fallback = false) => isTrue(properties.get(name) ?? String(fallback))
  const bytes = (name: string, fallback: string) => Buffer.from(properties.get(name) ?? fallback)
  const lineSeparator = bytes('line.separator', '\n')
  const nullLiteral = bytes('null.literal', 'null')
  const fields: Field[] = []
  if (flag('print.timestamp')) fields.push(timestamp)
  if (flag('print.partition')) fields.push((out, { partition }) => out.text(`Partition:${partition}`))
  if (flag('print.offset')) fields.push((out, { cursor }) => out.text(`Offset:${cursor.offset}`))
  if (flag('print.delivery')) fields.push((out) => out.text('Delivery:NOT_PRESENT'))
  if (flag('print.epoch')) fields.push(apache === undefined ? epoch : (out) => out.text('Epoch:NOT_PRESENT'))
  if (flag('print.headers')) fields.push(headers(bytes('headers.separator', ','), nullLiteral, apache?.headers))
  const isPlain = fields.length === 0 && !flag('print.key') && flag('print.value', true) && apache?.value === undefined
  if (isPlain) return new PlainFormat(lineSeparator, nullLiteral)
  if (flag('print.key')) fields.push((out, { cursor }) => rangeOr(out, cursor, cursor.keyStart, cursor.keyEnd, nullLiteral, apache?.key))
  if (flag('print.value', true)) {
    fields.push((out, { cursor }) => rangeOr(out, cursor, cursor.valueStart, cursor.valueEnd, nullLiteral, apache?.value))
  }
  const keySeparator = bytes('key.separator', '\t')
  return new CursorFormat((out, record) => {
    fields.forEach((field, index) => {
      if (index > 0) out.all(keySeparator)
      field(out, record)
    })
    if (fields.length > 0) out.all(lineSeparator)
  }, apache?.onError)
}

/** What `text` makes of each record, and nothing else; records of which it makes nothing count all the same. */
export function customFormat(text: (record: RecordCursor) => string | undefined, { onError }: ErrorVoice = {}): RecordFormat {
  return new CursorFormat((out, { cursor }) => out.text(text(cursor) ?? ''), onError)
}

export interface Printed {
  readonly topic: string
  readonly partition: number
  readonly fetched: FetchedRecords
  readonly batch: FetchedBatch
  readonly cursor: RecordCursor
  /** From 1, over all that is printed. */
  readonly index: number
}

export type Field = (out: ByteOutput, record: Printed) => void

class PlainFormat implements RecordFormat {
  readonly #printer: ValuePrinter
  #place = { topic: '', partition: -1, offset: -1 }

  constructor(separator: Buffer, nullLiteral: Buffer) {
    this.#printer = new ValuePrinter(separator, nullLiteral)
  }

  get printed(): number {
    return this.#printer.printed
  }

  get next(): number {
    return this.#printer.next
  }

  start({ header, records }: FetchedBatch, { topic, partition, from, until }: FetchedRecords): void {
    this.#place = { topic, partition, offset: header.baseOffset }
    this.#printer.start(records, header.recordCount, header.baseOffset, from, until)
  }

  print(out: ByteOutput, most: number): boolean {
    try {
      return this.#printer.print(out, most)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      const { topic, partition, offset } = this.#place
      const what = `Found invalid record in the batch at offset ${offset} of ${topic}-${partition}: ${error.message}`
      throw new KafkaError('INVALID_RECORD', what, { cause: error })
    }
  }
}

/** Prints each record by itself, with `write`. */
export class CursorFormat implements RecordFormat {
  readonly #write: Field
  readonly #onError: ((error: unknown) => void) | undefined
  #record: (Printed & { index: number }) | undefined
  #from = 0
  #until = 0
  printed = 0

  constructor(write: Field, onError?: (error: unknown) => void) {
    this.#write = write
    this.#onError = onError
  }

  get next(): number {
    return Math.max(this.#from, (this.#record?.cursor.offset ?? -1) + 1)
  }

  start(batch: FetchedBatch, fetched: FetchedRecords): void {
    const { topic, partition, from, until } = fetched
    this.#record = { topic, partition, fetched, batch, index: 0, cursor: new RecordCursor(batch.header, batch.records) }
    this.#from = from
    this.#until = until
  }

  print(out: ByteOutput, most: number): boolean {
    const record = this.#record
    if (record === undefined) return false
    for (;;) {
      if (out.isFull || this.printed >= most) return true
      if (!record.cursor.next() || record.cursor.offset >= this.#until) return false
      if (record.cursor.offset < this.#from) continue
      record.index = ++this.printed
      try {
        this.#write(out, record)
      } catch (error) {
        if (this.#onError === undefined) throw error
        this.#onError(error)
      }
    }
  }
}

function timestamp(out: ByteOutput, { batch, cursor }: Printed): void {
  out.text(`${batch.header.isLogAppendTime ? 'LogAppendTime' : 'CreateTime'}:${cursor.timestamp}`)
}

function epoch(out: ByteOutput, { batch }: Printed): void {
  const { leaderEpoch } = batch.header
  out.text(`Epoch:${leaderEpoch < 0 ? 'NOT_PRESENT' : leaderEpoch}`)
}

function headers(separator: Buffer, nullLiteral: Buffer, deserializer?: Deserializer): Field {
  return (out, { cursor }) => {
    if (cursor.headerCount === 0) out.text('NO_HEADERS')
    cursor.headers().forEach(({ key, value }, index) => {
      if (index > 0) out.all(separator)
      out.text(`${key}:`)
      if (deserializer === undefined) out.all(value ?? nullLiteral)
      else put(out, deserializer(value ?? nullLiteral))
    })
  }
}

function put(out: ByteOutput, value: Buffer | string): void {
  if (typeof value === 'string') out.text(value)
  else out.all(value)
}

/** What stands for null is deserialized, too, as in Kafka. */
function rangeOr(out: ByteOutput, cursor: RecordCursor, start: number, end: number, nullLiteral: Buffer, deserializer?: Deserializer): void {
  if (deserializer !== undefined) put(out, deserializer(start < 0 ? nullLiteral : cursor.bytes.subarray(start, end)))
  else if (start < 0) out.all(nullLiteral)
  else out.range(cursor.bytes, start, end)
}
