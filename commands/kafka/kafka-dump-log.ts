// kafka-dump-log (DumpLogSegments of Apache Kafka 4.3): what is in the files of a partition. It looks at files alone, and
// ends with 0 whatever it finds in them, unless it can't go on.

import { once } from 'node:events'
import { basename, dirname, join, resolve } from 'node:path'
import { type Face, type FaceIo } from '../../src/cli/apache/face.ts'
import { illegalArgument, JavaError, runtimeException } from '../../src/cli/apache/java-errors.ts'
import { javaSplit } from '../../src/cli/apache/java-text.ts'
import { checkRequired, DEFAULT_OPTIONS, integer, type Jopt, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import {
  type Index, lookUp, type OffsetEntry, readAbortedIndex, readOffsetIndex, readProducerSnapshot, readTimeIndex, SnapshotError,
} from '../../src/cli/offline/index-files.ts' // prettier-ignore
import { type LogBatch, LogFile, LogFileError, type LogRecord } from '../../src/cli/offline/log-file.ts'
import { controlText, metadataDecoder, offsetsDecoder, type RecordDecoder, shareStateDecoder, transactionDecoder } from '../../src/cli/offline/record-decoders.ts'
import { remoteLogDecoder } from '../../src/cli/offline/remote-log-decoder.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const LARGEST = 2 ** 31 - 1

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'print-data-log': { help: 'Print the records of logs. Any decoder implies it.' },
  'verify-index-only': { help: 'Check indexes against their log without printing them.' },
  'index-sanity-check': { help: 'Check indexes as a broker does when it starts.' },
  files: { arg: 'required', describedAs: 'file1, file2, ...', help: 'REQUIRED: the files, with commas between them.' },
  'max-message-size': { arg: 'required', type: 'Integer', describedAs: 'size', default: String(5 * 1024 * 1024), help: 'Bytes of the largest batch.' },
  'max-bytes': { arg: 'required', type: 'Integer', describedAs: 'size', default: String(LARGEST), help: 'How much of each log is read.' },
  'deep-iteration': { help: 'Show the records of each batch. Printing them implies it.' },
  'value-decoder-class': { arg: 'optional', default: 'org.apache.kafka.tools.api.StringDecoder', help: "One of Kafka's decoders for values." },
  'key-decoder-class': { arg: 'optional', default: 'org.apache.kafka.tools.api.StringDecoder', help: "One of Kafka's decoders for keys." },
  'offsets-decoder': { help: 'The log is one of __consumer_offsets.' },
  'transaction-log-decoder': { help: 'The log is one of __transaction_state.' },
  'cluster-metadata-decoder': { help: 'The log is __cluster_metadata.' },
  'remote-log-metadata-decoder': { help: 'The log is one of __remote_log_metadata.' },
  'share-group-state-decoder': { help: 'The log is one of __share_group_state.' },
  'skip-record-metadata': { help: 'Print keys and payloads of records alone.' },
} as const

type Options = Jopt<keyof typeof OPTIONS>

const PRINTING = [
  'print-data-log', 'offsets-decoder', 'transaction-log-decoder', 'cluster-metadata-decoder', 'remote-log-metadata-decoder',
  'value-decoder-class', 'key-decoder-class', 'share-group-state-decoder',
] as const // prettier-ignore

export const face: Face = async (argv, io) => {
  const options = parseJopt(OPTIONS, argv)
  maybeHelp(options, argv, 'This tool helps to parse a log file and dump its contents to the console, useful for debugging a seemingly corrupt log segment.')
  checkRequired(options, 'files')
  const printer = new Printer(io)
  const findings = new Findings()
  try {
    for (const path of javaSplit(options.value('files') ?? '', ',')) await dumpFile(path, options, printer, findings, io)
  } catch (error) {
    throw asJava(error)
  } finally {
    await printer.flush()
  }
  io.err(findings.text())
  return 0
}

async function dumpFile(path: string, options: Options, printer: Printer, findings: Findings, io: FaceIo): Promise<void> {
  printer.line(`Dumping ${path}`)
  const name = basename(path)
  const suffix = name.includes('.') ? name.slice(name.lastIndexOf('.')) : ''
  if (suffix === '.log' || suffix === '.checkpoint') await dumpLog(path, options, printer, findings)
  else if (suffix === '.index') await dumpIndex(path, options, printer, findings)
  else if (suffix === '.timeindex') await dumpTimeIndex(path, options, printer, findings)
  else if (suffix === '.snapshot') dumpSnapshot(path, printer, io)
  else if (suffix === '.txnindex') dumpAborted(path, printer)
  else io.err(`Ignoring unknown file ${path}\n`)
}

async function dumpLog(path: string, options: Options, printer: Printer, findings: Findings): Promise<void> {
  const isPrinting = PRINTING.some((name) => options.has(name))
  const isDeep = isPrinting || options.has('deep-iteration')
  const hasMetadata = !options.has('skip-record-metadata')
  const decoder = decoderOf(options)
  const most = options.int('max-bytes') ?? LARGEST
  printer.line(headLine(path))
  const file = new LogFile(path)
  try {
    if (most < 0) throw illegalArgument(`Invalid size: ${most} in read from ${recordsText(file)}`)
    const end = Math.min(file.size, most)
    let valid = 0
    let last = -1
    for await (const batch of file.batches(0, end)) {
      printer.line(batchLine(batch))
      for (const record of isDeep ? batch.records() : []) {
        if (record.offset !== last + 1) findings.note('gap', resolve(path), last, record.offset)
        last = record.offset
        if (hasMetadata) printer.print(recordText(batch, record))
        if (isPrinting && batch.header?.isControl !== true) printer.print(contentText(decoder(record), hasMetadata ? ' ' : '| '))
        printer.line('')
        if (printer.isFull) await printer.flush()
      }
      valid += batch.size
      if (printer.isFull) await printer.flush()
    }
    if (end > valid && most === LARGEST) printer.line(`Found ${end - valid} invalid bytes at the end of ${basename(path)}`)
  } finally {
    file.close()
  }
}

function headLine(path: string): string {
  const name = basename(path)
  if (name.endsWith('.log')) return `Log starting offset: ${baseOffsetOf(path)}`
  if (name === 'bootstrap.checkpoint') return 'KRaft bootstrap snapshot'
  const parts = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name)
  if (parts === null) throw new JavaError('java.util.NoSuchElementException', 'No value present')
  return `Snapshot end offset: ${Number(parts[1])}, epoch: ${Number(parts[2])}`
}

/** Long.parseLong of the name's first part. */
function baseOffsetOf(path: string): number {
  const [first] = basename(path).split('.')
  const offset = integer(first, 2n ** 63n)
  if (offset === undefined) throw new JavaError('java.lang.NumberFormatException', `For input string: "${first}"`)
  return Number(offset)
}

function batchLine(batch: LogBatch): string {
  const { header, lastOffset, lastSequence, position, timestampType, maxTimestamp, size, magic, codec, crc, isValid } = batch
  const rest = ` position: ${position} ${timestampType}: ${maxTimestamp} size: ${size} magic: ${magic} compresscodec: ${codec} crc: ${crc} isvalid: ${isValid}`
  if (header === undefined) return `offset: ${lastOffset}${rest}`
  return (
    `baseOffset: ${header.baseOffset} lastOffset: ${lastOffset} count: ${header.recordCount} baseSequence: ${header.baseSequence}` +
    ` lastSequence: ${lastSequence} producerId: ${header.producerId} producerEpoch: ${header.producerEpoch}` +
    ` partitionLeaderEpoch: ${header.leaderEpoch} isTransactional: ${header.isTransactional} isControl: ${header.isControl}` +
    ` deleteHorizonMs: ${optionalLong(header.hasDeleteHorizon ? header.baseTimestamp : -1)}${rest}`
  )
}

/** Below 0 is none. */
function optionalLong(value: number): string {
  return value < 0 ? 'OptionalLong.empty' : `OptionalLong[${value}]`
}

function recordText(batch: LogBatch, record: LogRecord): string {
  const { offset, timestamp, key, value, sequence, headerKeys, checksum } = record
  const common = `| offset: ${offset} ${batch.timestampType}: ${timestamp} keySize: ${key?.length ?? -1} valueSize: ${value?.length ?? -1}`
  if (checksum !== undefined) return `${common} isValid: ${checksum.isValid} crc: ${checksum.crc}`
  const control = batch.header?.isControl === true ? controlText(record) : ''
  return `${common} sequence: ${sequence} headerKeys: [${headerKeys.join(',')}]${control}`
}

function contentText({ key, value }: ReturnType<RecordDecoder>, prefix: string): string {
  const shown = key === undefined ? '' : `${prefix}key: ${key}`
  return value === undefined ? shown : `${shown}${key === undefined ? prefix : ' '}payload: ${value}`
}

function decoderOf(options: Options): RecordDecoder {
  if (options.has('offsets-decoder')) return offsetsDecoder
  if (options.has('transaction-log-decoder')) return transactionDecoder
  if (options.has('cluster-metadata-decoder')) return metadataDecoder
  if (options.has('remote-log-metadata-decoder')) return remoteLogDecoder
  if (options.has('share-group-state-decoder')) return shareStateDecoder
  const ofValue = bytesDecoder(options.value('value-decoder-class') ?? '')
  const ofKey = bytesDecoder(options.value('key-decoder-class') ?? '')
  return ({ key, value }) => ({ key: key === null ? undefined : ofKey(key), value: value === null ? undefined : ofValue(value) })
}

/** Classes that Java would find, and that decode nothing. */
const OTHER_CLASS = /^java\.(lang|util|io)\.[A-Z]\w*$/

/** The decoders that Kafka brings, until 3.9 in kafka.serializer; others are Java classes. */
function bytesDecoder(name: string): (bytes: Buffer) => string {
  switch (name.replace(/^kafka\.serializer\./, 'org.apache.kafka.tools.api.')) {
    case 'org.apache.kafka.tools.api.StringDecoder':
      return (bytes) => bytes.toString()
    case 'org.apache.kafka.tools.api.DefaultDecoder':
      return () => '[B@0a1b2c3d' // an array of bytes has no text in Java, but a hash
    case 'org.apache.kafka.tools.api.IntegerDecoder':
      return (bytes) => String(wholeNumber(bytes, 4))
    case 'org.apache.kafka.tools.api.LongDecoder':
      return (bytes) => String(wholeNumber(bytes, 8))
    default:
      if (OTHER_CLASS.test(name)) throw new JavaError('java.lang.ClassCastException', `class ${name}`)
      throw runtimeException('Failed to load decoder class')
  }
}

/** ByteBuffer.getInt and getLong. */
function wholeNumber(bytes: Buffer, size: 4 | 8): bigint {
  if (bytes.length < size) throw new JavaError('java.nio.BufferUnderflowException', '')
  return size === 4 ? BigInt(bytes.readInt32BE()) : bytes.readBigInt64BE()
}

/** The log that an index belongs to. */
function logOf(path: string, suffix = '.log'): string {
  return join(dirname(resolve(path)), `${basename(path).split('.')[0]}${suffix}`)
}

async function dumpIndex(path: string, options: Options, printer: Printer, findings: Findings): Promise<void> {
  const isSanity = options.has('index-sanity-check')
  const isVerify = options.has('verify-index-only')
  const largest = options.int('max-message-size') ?? LARGEST
  const base = baseOffsetOf(path)
  const log = new LogFile(logOf(path))
  try {
    const index = readOffsetIndex(path, base)
    if (index.entries.length === 0) {
      printer.line(`${path} is empty.`)
      return
    }
    if (isSanity) {
      const last = index.entries.at(-1)?.offset ?? base
      if (last < base) {
        throw corrupt(`Corrupt index found, index file ${resolve(path)} has non-zero size but the last offset is ${last} which is less than the base offset ${base}`)
      }
      printer.line(`${path} passed sanity check.`)
      return
    }
    for (const [at, { offset, position }] of index.entries.entries()) {
      if (offset === base && at > 0) return
      checkPosition(log, position)
      if (position > log.size) throw illegalArgument(`Slice from position ${position} exceeds end position of ${recordsText(log)}`)
      const { value: batch } = (await log.batches(position, Math.min(position + largest, log.size)).next()) as IteratorResult<LogBatch, undefined>
      if (batch === undefined) throw new JavaError('java.util.NoSuchElementException', '')
      if (batch.lastOffset !== offset) findings.note('index', resolve(path), offset, batch.lastOffset)
      if (!isVerify) printer.line(`offset: ${offset} position: ${position}`)
    }
  } finally {
    log.close()
  }
}

/** FileRecords.slice: of a position that a damaged index names. */
function checkPosition(log: LogFile, position: number): void {
  if (position < 0) throw illegalArgument(`Invalid position: ${position} in read from ${recordsText(log)}`)
}

/** FileRecords.toString. */
function recordsText({ size, path }: LogFile): string {
  return `FileRecords(size=${size}, file=${path}, start=0, end=${LARGEST})`
}

function corrupt(message: string): JavaError {
  return new JavaError('org.apache.kafka.storage.internals.log.CorruptIndexException', message)
}

async function dumpTimeIndex(path: string, options: Options, printer: Printer, findings: Findings): Promise<void> {
  const base = baseOffsetOf(path)
  const file = resolve(path)
  const log = new LogFile(logOf(path))
  try {
    const offsets = offsetIndexBeside(path, base)
    const { entries } = readTimeIndex(path, base)
    if (options.has('index-sanity-check')) {
      const last = entries.at(-1) ?? { timestamp: -1, offset: base }
      const [first = last] = entries
      const found = `Corrupt time index found, time index file (${file}) has non-zero size but the last`
      if (last.timestamp < first.timestamp) throw corrupt(`${found} timestamp is ${last.timestamp} which is less than the first timestamp ${first.timestamp}`)
      if (last.offset < base) throw corrupt(`${found} offset is ${last.offset} which is less than the first offset ${base}`)
      printer.line(`${path} passed sanity check.`)
      return
    }
    let previous = -1
    for (const [at, { timestamp, offset }] of entries.entries()) {
      if (offset === base && at > 0) return
      const position = lookUp(offsets, offset)
      checkPosition(log, position)
      const batch = await batchWith(log, position, offset)
      if (batch?.lastOffset !== offset) findings.note('notFound', file, offset, batch?.lastOffset ?? -1)
      else {
        let largest = -1
        for (const record of batch.records()) largest = Math.max(largest, record.timestamp)
        if (largest !== timestamp) findings.note('timestamp', file, timestamp, largest)
        if (previous >= timestamp) findings.note('order', file, timestamp, previous)
      }
      if (!options.has('verify-index-only')) printer.line(`timestamp: ${timestamp} offset: ${offset}`)
      previous = timestamp
    }
  } finally {
    log.close()
  }
}

/** Empty where there is none. */
function offsetIndexBeside(path: string, base: number): Index<OffsetEntry> {
  try {
    return readOffsetIndex(logOf(path, '.index'), base)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { entries: [], bytes: 0, entryBytes: 8 }
    throw error
  }
}

/** The first batch from `position` on that ends at `offset` or behind it. */
async function batchWith(log: LogFile, position: number, offset: number): Promise<LogBatch | undefined> {
  for await (const batch of log.batches(position)) if (batch.lastOffset >= offset) return batch
  return undefined
}

function dumpSnapshot(path: string, printer: Printer, io: FaceIo): void {
  try {
    for (const entry of readProducerSnapshot(path)) {
      const { producerId, producerEpoch, coordinatorEpoch, currentTxnFirstOffset, timestamp, lastOffset, offsetDelta, lastSequence } = entry
      printer.print(
        `producerId: ${producerId} producerEpoch: ${producerEpoch} coordinatorEpoch: ${coordinatorEpoch}` +
          ` currentTxnFirstOffset: ${optionalLong(currentTxnFirstOffset)} lastTimestamp: ${timestamp}`,
      )
      if (lastOffset >= 0) {
        // Java reckons back without going round.
        const first = lastSequence - offsetDelta
        const firstSequence = first >= 0 ? first : first + 2 ** 31
        printer.print(` firstSequence: ${firstSequence} lastSequence: ${lastSequence} lastOffset: ${lastOffset} offsetDelta: ${offsetDelta} timestamp: ${timestamp}`)
      }
      printer.line('')
    }
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error
    io.err(`${error.message}\n`)
  }
}

function dumpAborted(path: string, printer: Printer): void {
  baseOffsetOf(path)
  let entries: ReturnType<typeof readAbortedIndex>['entries']
  try {
    entries = readAbortedIndex(path).entries
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
    throw error
  }
  for (const { version, producerId, firstOffset, lastOffset, lastStableOffset } of entries) {
    printer.line(`version: ${version} producerId: ${producerId} firstOffset: ${firstOffset} lastOffset: ${lastOffset} lastStableOffset: ${lastStableOffset}`)
  }
}

const JAVA_ERRORS: Readonly<Record<LogFileError['kind'], string>> = {
  tooSmall: 'org.apache.kafka.common.errors.CorruptRecordException',
  codec: 'java.lang.IllegalArgumentException',
  record: 'org.apache.kafka.common.InvalidRecordException',
  size: 'org.apache.kafka.common.KafkaException',
  file: 'java.io.IOException',
}

function asJava(error: unknown): unknown {
  if (error instanceof LogFileError) return new JavaError(JAVA_ERRORS[error.kind], error.message)
  return error
}

/** What indexes and offsets say against their log, for stderr at the end. */
class Findings {
  readonly #found = new Map<string, Map<string, (readonly [number, number])[]>>()

  note(kind: keyof typeof FINDINGS, file: string, one: number, other: number): void {
    const ofKind = this.#found.get(kind) ?? new Map<string, (readonly [number, number])[]>()
    this.#found.set(kind, ofKind)
    const pairs = ofKind.get(file) // as many as a compacted log has gaps
    if (pairs === undefined) ofKind.set(file, [[one, other]])
    else pairs.push([one, other])
  }

  text(): string {
    return Object.entries(FINDINGS).map(([kind, { head, line, isDescending }]) => {
      return [...(this.#found.get(kind) ?? [])].map(([file, pairs]) => {
        const sorted = isDescending === true ? pairs.toReversed() : pairs
        return [`${head}${file}`, ...sorted.map(([one, other]) => line(one, other))].map((text) => `${text}\n`).join('')
      }).join('')
    }).join('')
  }
}

const FINDINGS: Readonly<Record<'index' | 'timestamp' | 'order' | 'notFound' | 'gap', {
  readonly head: string
  readonly line: (one: number, other: number) => string
  readonly isDescending?: boolean
}>> = {
  index: { head: 'Mismatches in :', line: (one, other) => `  Index offset: ${one}, log offset: ${other}`, isDescending: true },
  timestamp: { head: 'Found timestamp mismatch in :', line: (one, other) => `  Index timestamp: ${one}, log timestamp: ${other}` },
  order: { head: 'Found out of order timestamp in :', line: (one, other) => `  Index timestamp: ${one}, Previously indexed timestamp: ${other}` },
  notFound: { head: 'The following indexed offsets are not found in :', line: (one, other) => `Indexed offset: ${one}, found log offset: ${other}` },
  gap: { head: 'Non-consecutive offsets in ', line: (one, other) => `  ${one} is followed by ${other}` },
} // prettier-ignore

const CHUNK = 64 * 1024

/** Standard output in large pieces, that waits for a slow reader: a log is longer than memory. */
class Printer {
  readonly #io: FaceIo
  #text = ''

  constructor(io: FaceIo) {
    this.#io = io
  }

  print(text: string): void {
    this.#text += text
  }

  line(text: string): void {
    this.#text += `${text}\n`
  }

  get isFull(): boolean {
    return this.#text.length >= CHUNK
  }

  async flush(): Promise<void> {
    if (this.#text === '') return
    this.#io.out(this.#text)
    this.#text = ''
    if (this.#io.stdout.writableNeedDrain) await once(this.#io.stdout, 'drain')
  }
}
