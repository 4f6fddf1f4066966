// Lines to a topic. Plain lines go through the kernel that writes them straight into batches; lines with keys, headers or
// nulls are parsed one by one. Ends when the input does, at a line that can't be parsed, or when writing makes no sense
// any more; every record is then acknowledged or has failed.

import { assert } from '../../base/assert.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import type { Cluster } from '../../client/cluster.ts'
import { Producer, type ProducerTopic } from '../../client/producer.ts'
import type { ProducerPartition } from '../../client/producer-partition.ts'
import type { FailedRecord, ProducerTotals, RecordRanges } from '../../client/producer-records.ts'
import { LineReader } from '../../kernels/line-reader.ts'
import { encodeLines, NO_HEADERS } from '../../kernels/record-writer.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { operationError } from '../errors.ts'
import type { LineSource } from '../formats/line-source.ts'
import type { RecordCutter, RecordParser } from '../formats/record-parser.ts'
import { awaitTopic } from './existing-topic.ts'

export type { FailedRecord as Failure }

export interface ProduceOptions {
  /** For records that name no topic themselves; left out: each must name one. */
  readonly topic?: string | undefined
  /** All records to this partition; by the partitioner, or as the record says, when left out. */
  readonly partition?: number | undefined
  readonly source: LineSource
  readonly parser: RecordParser
  /** Called before the first record to a topic that a record itself names; throws when it can't be written to. */
  readonly prepareTopic?: (name: string) => Promise<unknown>
  /** Wait for each record, and stop at the first that fails. */
  readonly sync: boolean
  /** Sending failed for a reason that may pass, and is tried again. */
  readonly onTrouble?: (error: Error) => void
  /**
   * As Kafka's console producer: the first line asks for the topic, which the broker may make, and waits for it for
   * max.block.ms; without it that line has failed. No failure ends the work unless `sync` is set.
   */
  readonly persists?: Persistence | undefined
  /** Called before more input is waited for: the moment for a prompt, or for progress. */
  readonly onWait?: ((state: { readonly lines: number; readonly totals: ProducerTotals }) => void) | undefined
}

export interface Persistence {
  readonly onFailed: (record: FailedRecord) => void
  /** Aborted: wait no longer for the topic. */
  readonly signal: AbortSignal
}

export interface ProduceResult extends ProducerTotals {
  /** Lines read. */
  readonly lines: number
  /** The line that could not be parsed: reading stopped there. */
  readonly parseError: Error | undefined
}

// Failures of a record; whatever else is refused would be refused for the next one, too.
const RECORD_ERRORS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP', 'CORRUPT_MESSAGE',
]) // prettier-ignore

/** The topic must exist, unless `persists` is set. Throws KafkaError when it can't be written to at all, ConfigError for settings. */
export async function produceLines(cluster: Cluster, options: ProduceOptions, clock: Clock = systemClock): Promise<ProduceResult> {
  const { onTrouble, persists } = options
  const producer = new Producer(cluster, clock, { onTrouble, onFailed: persists?.onFailed })
  try {
    const lines = new Lines(cluster, producer, options, clock)
    if (persists === undefined && options.topic !== undefined) await lines.open(options.topic)
    await lines.run()
    await producer.flush()
    return { ...producer.totals, lines: lines.count, parseError: lines.parseError }
  } finally {
    producer.close()
  }
}

export interface ParsedLines {
  readonly lines: number
  readonly records: number
  /** Lines longer than any record may be. */
  readonly tooLong: number
  /** Of keys and values. */
  readonly bytes: number
  /** The line that could not be parsed: reading stopped there. */
  readonly parseError: Error | undefined
}

/** Reads and parses like produceLines, and sends nothing. `longest`: of a value, bytes. */
export async function parseLines({ source, parser }: Pick<ProduceOptions, 'source' | 'parser'>, longest: number): Promise<ParsedLines> {
  const reader = cutterFor(parser, longest)
  let [records, tooLong, bytes] = [0, 0, 0]
  const done = (parseError?: Error): ParsedLines => ({ lines: reader.lineNumber, records, tooLong, bytes, parseError })
  for (let more = true; more; ) {
    more = await source.fill(reader)
    if (!more && !source.isClosed) reader.finish()
    for (;;) {
      try {
        if (!reader.next()) break
        if (reader.droppedBytes > 0) {
          tooLong++
          continue
        }
        parser.parse(reader.bytes, reader.lineStart, reader.lineEnd, reader.lineNumber)
      } catch (error) {
        return done(error as Error)
      }
      records++
      bytes += lengthOf(parser.keyStart, parser.keyEnd) + lengthOf(parser.valueStart, parser.valueEnd)
    }
  }
  return done()
}

function cutterFor(parser: RecordParser, longestValue: number): RecordCutter {
  const longest = parser.longestPiece?.(longestValue) ?? longestValue
  return parser.cutter?.(longest) ?? new LineReader(longest)
}

function lengthOf(start: number, end: number): number {
  return start < 0 ? 0 : end - start
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

class Lines {
  parseError: Error | undefined
  readonly #cluster: Cluster
  readonly #producer: Producer
  readonly #options: ProduceOptions
  readonly #clock: Clock
  #topic: ProducerTopic | undefined
  #fixed: ProducerPartition | undefined
  #place: Place | undefined // of records that name none themselves
  readonly #topics = new Map<string, ProducerTopic>()
  readonly #lines: LineReader | undefined // plain lines
  readonly #reader: RecordCutter
  // One for all lines: append copies what it names.
  readonly #record: Mutable<RecordRanges> = {
    source: NO_HEADERS, keyStart: -1, keyEnd: -1, valueStart: -1, valueEnd: -1, headers: NO_HEADERS, timestamp: undefined, line: 0,
  } // prettier-ignore

  constructor(cluster: Cluster, producer: Producer, options: ProduceOptions, clock: Clock) {
    this.#cluster = cluster
    this.#producer = producer
    this.#options = options
    this.#clock = clock
    const { longestValue } = producer
    const { parser } = options
    if (parser.isPlain) this.#reader = this.#lines = new LineReader(longestValue)
    else this.#reader = cutterFor(parser, longestValue)
  }

  get count(): number {
    return this.#reader.lineNumber
  }

  /** Finds the topic of records that name none, which must exist. */
  async open(name: string): Promise<Place> {
    const topic = await this.#producer.topic(name)
    this.#topics.set(name, topic)
    this.#topic = topic
    this.#fixed = fixedPartition(topic, this.#options.partition)
    return (this.#place = { topic, fixed: this.#fixed })
  }

  async run(): Promise<void> {
    const { source, sync } = this.#options
    const lines = sync ? undefined : this.#lines
    for (let more = true; more && !this.#isHopeless(); ) {
      this.#options.onWait?.({ lines: this.count, totals: this.#producer.totals })
      more = await source.fill(this.#reader)
      // What stands before an interruption may be half a line.
      if (!more && !source.isClosed) this.#reader.finish()
      const topic = this.#topic
      if (lines !== undefined && topic !== undefined && !topic.partitioner.isPerRecord) await this.#plain(lines, topic)
      else more = (await this.#parsed()) && more
    }
  }

  #isHopeless(): boolean {
    const { lastError } = this.#producer.totals
    if (lastError === undefined) return false
    if (this.#options.persists !== undefined) return this.#options.sync
    return this.#options.sync || !(lastError instanceof KafkaError && RECORD_ERRORS.has(lastError.error))
  }

  /** The lines there are, values only. */
  async #plain(reader: LineReader, topic: ProducerTopic): Promise<void> {
    const { partitioner, partitions } = topic
    let hasLine = reader.next()
    while (hasLine) {
      if (reader.droppedBytes > 0) {
        this.#producer.refuseTooLong(reader.lineNumber, reader.droppedBytes)
        hasLine = reader.next()
        continue
      }
      const partition = this.#fixed ?? partitions[partitioner.current]
      const batch = this.#producer.area(partition)
      if (batch === undefined) {
        await this.#producer.room()
        continue
      }
      batch.noteLine(reader.lineNumber)
      const isEmpty = batch.count === 0
      hasLine = !encodeLines(batch, reader, batch.deltaAt(this.#clock.now()))
      if (!hasLine || reader.droppedBytes > 0) continue
      // Full. A line that doesn't fit an empty batch gets one of its own.
      if (isEmpty && batch.count === 0) {
        await this.#appendLine(reader, topic)
        hasLine = reader.next()
      } else this.#producer.closeBatch(topic, partition)
    }
  }

  /** The records there are, each parsed; false when reading must stop. */
  async #parsed(): Promise<boolean> {
    const reader = this.#reader
    const { parser, sync } = this.#options
    while (this.#next()) {
      if (reader.droppedBytes > 0) this.#producer.refuseTooLong(reader.lineNumber, reader.droppedBytes)
      else {
        let place: Place | undefined
        try {
          parser.parse(reader.bytes, reader.lineStart, reader.lineEnd, reader.lineNumber)
          place = this.#placeOf(parser) ?? (await this.#findPlace(parser))
        } catch (error) {
          this.parseError = error as Error
          return false
        }
        if (place === undefined) {
          if (sync) return false
          continue
        }
        const appended = this.#append(parser, place)
        if (appended !== undefined) await appended
      }
      if (!sync) continue
      await this.#producer.flush()
      if (this.#isHopeless()) return false
    }
    return this.parseError === undefined
  }

  #next(): boolean {
    try {
      return this.#reader.next()
    } catch (error) {
      // What cuts by a format finds what doesn't fit it.
      this.parseError = error as Error
      return false
    }
  }

  /** Where the record goes; undefined when its topic has not been looked up. */
  #placeOf({ topic: name, partition }: RecordParser): Place | undefined {
    if (name === undefined && partition === undefined) return this.#place
    const topic = name === undefined ? this.#topic : this.#topics.get(name)
    if (topic === undefined) return undefined
    return { topic, fixed: partition === undefined ? this.#fixed : fixedPartition(topic, partition) }
  }

  /** The same with questions to the cluster. Undefined: the record parsed last has failed for want of the topic. */
  async #findPlace(parser: RecordParser): Promise<Place | undefined> {
    const { topic, persists, prepareTopic } = this.#options
    const name = parser.topic ?? topic
    if (name === undefined) throw operationError('INVALID_LINE', `line ${this.#reader.lineNumber} is no record: has no topic`, 'it was to come from the record')
    if (persists !== undefined) return this.#openWithPatience(name, persists)
    await prepareTopic?.(name)
    this.#topics.set(name, await this.#producer.topic(name))
    const place = this.#placeOf(parser)
    assert(place !== undefined, 'a topic was just found')
    return place
  }

  async #openWithPatience(topic: string, persists: Persistence): Promise<Place | undefined> {
    try {
      await awaitTopic(this.#cluster, topic, this.#cluster.config.producer.maxBlockMs, persists.signal, this.#clock)
      return await this.open(topic)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const { totals } = this.#producer
      const { keyStart, keyEnd, valueStart, valueEnd } = this.#options.parser
      totals.failed++
      totals.lastError = error
      totals.firstFailure ??= { line: this.#reader.lineNumber, error }
      persists.onFailed({ keySize: keyStart < 0 ? -1 : keyEnd - keyStart, valueSize: valueStart < 0 ? -1 : valueEnd - valueStart, error })
      return undefined
    }
  }

  /** Undefined when it is done at once, so that the callers need not wait a turn for each record. */
  #append(parser: RecordParser, { topic, fixed }: Place): Promise<void> | undefined {
    const record = this.#record
    record.source = parser.source
    record.keyStart = parser.keyStart
    record.keyEnd = parser.keyEnd
    record.valueStart = parser.valueStart
    record.valueEnd = parser.valueEnd
    record.headers = parser.headers
    record.timestamp = parser.timestamp
    record.line = this.#reader.lineNumber
    return this.#producer.append(topic, record, fixed) ? undefined : this.#appendLater(topic, fixed)
  }

  /** A line that has no room in the batches of plain lines. */
  async #appendLine({ bytes, lineStart, lineEnd, lineNumber }: LineReader, topic: ProducerTopic): Promise<void> {
    const record = this.#record
    record.source = bytes
    record.valueStart = lineStart
    record.valueEnd = lineEnd
    record.line = lineNumber
    if (!this.#producer.append(topic, record, this.#fixed)) await this.#appendLater(topic, this.#fixed)
  }

  async #appendLater(topic: ProducerTopic, fixed: ProducerPartition | undefined): Promise<void> {
    do await this.#producer.room()
    while (!this.#producer.append(topic, this.#record, fixed))
  }
}

interface Place {
  readonly topic: ProducerTopic
  readonly fixed: ProducerPartition | undefined
}

function fixedPartition(topic: ProducerTopic, partition: number | undefined): ProducerPartition | undefined {
  if (partition === undefined) return undefined
  const found = topic.partitions.at(partition)
  if (found === undefined || partition < 0) {
    const hint = `it has ${topic.partitions.length}, from 0`
    throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `${topic.name} has no partition ${partition}`, hint)
  }
  return found
}
