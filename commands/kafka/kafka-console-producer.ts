// kafka-console-producer (ConsoleProducer and LineMessageReader of Apache Kafka 4.3). Lines go the way of `ktool produce`.
//
// From older releases: --broker-list (until 3.9), --new-producer (0.8), --old-producer and the settings of the Scala
// producer (until 1.1): --queue-size, --queue-enqueuetimeout-ms, --key-serializer, --value-serializer, and
// --metadata-fetch-timeout-ms (0.8), which is max.block.ms now. The Scala producer's settings change nothing.

import { type Face, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { executionException, illegalArgument, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { javaSplit } from '../../src/cli/apache/java-text.ts'
import { checkRequired, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseOrUsage } from '../../src/cli/apache/jopt.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { CliError } from '../../src/cli/errors.ts'
import { LineParser } from '../../src/cli/formats/line-parser.ts'
import { stdinSource } from '../../src/cli/formats/line-source.ts'
import { parseProperties } from '../../src/cli/formats/properties.ts'
import { onSignals } from '../../src/cli/signals.ts'
import { type Failure, produceLines, type ProduceOptions } from '../../src/cli/verbs/produce.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const LINE_READER = 'org.apache.kafka.tools.LineMessageReader'
const LINE_READERS: readonly string[] = [LINE_READER, 'kafka.tools.ConsoleProducer$LineMessageReader', 'kafka.producer.ConsoleProducer$LineMessageReader']

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  topic: { arg: 'required', describedAs: 'topic', help: 'REQUIRED: where the lines go.' },
  'bootstrap-server': { arg: 'required', describedAs: 'server to connect to', aliases: ['broker-list'], help: 'REQUIRED: the brokers to ask first, HOST:PORT with commas between them.' },
  sync: { help: 'Wait for each line to be written before the next one is sent.' },
  'compression-codec': { arg: 'optional', describedAs: 'compression-codec', help: "none, gzip, snappy, lz4 or zstd; gzip when nothing follows." },
  'batch-size': { arg: 'required', type: 'Integer', describedAs: 'size', default: '16384', help: 'Bytes gathered for a partition (batch.size).' },
  'message-send-max-retries': { arg: 'required', type: 'Integer', default: '3', help: 'How often a batch is sent again (retries).' },
  'retry-backoff-ms': { arg: 'required', type: 'Long', default: '100', help: 'The wait before that (retry.backoff.ms).' },
  timeout: { arg: 'required', type: 'Long', describedAs: 'timeout_ms', default: '1000', help: 'How long a batch waits for more lines (linger.ms).' },
  'request-required-acks': { arg: 'required', describedAs: 'request required acks', default: '-1', help: 'Who must have a batch before it counts (acks).' },
  'request-timeout-ms': { arg: 'required', type: 'Integer', describedAs: 'request timeout ms', default: '1500', help: 'How long the broker may take to answer (request.timeout.ms).' },
  'metadata-expiry-ms': { arg: 'required', type: 'Long', describedAs: 'metadata expiration interval', default: '300000', help: 'How long what is known of the cluster counts (metadata.max.age.ms).' },
  'max-block-ms': { arg: 'required', type: 'Long', describedAs: 'max block on send', default: '60000', aliases: ['metadata-fetch-timeout-ms'], help: 'How long a line waits for the topic or for memory (max.block.ms).' },
  'max-memory-bytes': { arg: 'required', type: 'Long', describedAs: 'total memory in bytes', default: '33554432', help: 'Memory for lines that are not written yet (buffer.memory).' },
  'max-partition-memory-bytes': { arg: 'required', type: 'Integer', describedAs: 'memory in bytes per partition', default: '16384', help: '(Deprecated) --batch-size.' },
  'line-reader': { arg: 'required', describedAs: 'reader_class', default: LINE_READER, help: 'The Java class that reads lines; there is one.' },
  'socket-buffer-size': { arg: 'required', type: 'Integer', describedAs: 'size', default: '102400', help: 'send.buffer.bytes.' },
  property: { arg: 'required', describedAs: 'prop', help: '(Deprecated) --reader-property.' },
  'reader-property': { arg: 'required', describedAs: 'prop', help: 'NAME=VALUE for the line reader: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, null.marker, ignore.error.' },
  'reader-config': { arg: 'required', describedAs: 'config file', help: 'A file of them.' },
  'producer-property': { arg: 'required', describedAs: 'producer_prop', help: '(Deprecated) --command-property.' },
  'command-property': { arg: 'required', describedAs: 'producer_prop', help: 'NAME=VALUE of the producer.' },
  'producer.config': { arg: 'required', describedAs: 'config file', help: '(Deprecated) --command-config.' },
  'command-config': { arg: 'required', describedAs: 'config file', help: 'A file of producer properties.' },
  'new-producer': { isHidden: true },
  'old-producer': { isHidden: true },
  'queue-size': { arg: 'required', isHidden: true },
  'queue-enqueuetimeout-ms': { arg: 'required', isHidden: true },
  'key-serializer': { arg: 'required', isHidden: true },
  'value-serializer': { arg: 'required', isHidden: true },
} as const

type Options = Jopt<keyof typeof OPTIONS>

/** Properties of the producer that options stand for, in Apache's order; a later one for the same wins. */
const MERGED = [
  ['linger.ms', 'timeout', 'long'],
  ['acks', 'request-required-acks', 'value'],
  ['request.timeout.ms', 'request-timeout-ms', 'int'],
  ['retries', 'message-send-max-retries', 'int'],
  ['retry.backoff.ms', 'retry-backoff-ms', 'long'],
  ['send.buffer.bytes', 'socket-buffer-size', 'int'],
  ['buffer.memory', 'max-memory-bytes', 'long'],
  ['batch.size', 'batch-size', 'int'],
  ['batch.size', 'max-partition-memory-bytes', 'int'],
  ['metadata.max.age.ms', 'metadata-expiry-ms', 'long'],
  ['max.block.ms', 'max-block-ms', 'long'],
] as const

// Ours are larger where nobody asks (client/producer.ts): with Java's a million lines would take twice the time.
const OURS: ReadonlySet<string> = new Set(['buffer.memory', 'batch.size'])

interface Work {
  readonly topic: string
  readonly parser: LineParser
  readonly properties: ReadonlyMap<string, string>
  readonly bootstrapServer: string | undefined
  readonly sync: boolean
}

export const face: Face = async (argv, io) => {
  try {
    return await produce(await readWork(argv, io), io)
  } catch (error) {
    if (!(error instanceof JavaError)) throw error
    io.err(error.className.startsWith('joptsimple.') ? `${error.message}\n` : traceOf(error))
    return 1
  }
}

async function readWork(argv: readonly string[], io: FaceIo): Promise<Work> {
  const options = parseOrUsage(OPTIONS, argv)
  const [readerProperty, commandProperty, commandConfig] = checkOptions(options, argv, io)
  checkAddress(options)
  const readerClass = options.value('line-reader') ?? LINE_READER
  if (!LINE_READERS.includes(readerClass)) {
    // A class that any JVM has is no reader; of another there is no telling.
    if (readerClass.startsWith('java.')) throw illegalArgument('The reader must implement org.apache.kafka.tools.api.RecordReader interface')
    throw new JavaError('java.lang.ClassNotFoundException', readerClass)
  }
  const reader = new Map([
    ...(await loadProperties(options.value('reader-config'))),
    ['topic', options.value('topic') ?? ''],
    ...parseProperties(`--${readerProperty}`, options.all(readerProperty), true),
  ])
  const parser = lineParser(reader)
  const properties = new Map([
    ...(await loadProperties(options.value(commandConfig))),
    ...parseProperties(`--${commandProperty}`, options.all(commandProperty), true),
  ])
  properties.set('compression.type', codec(options))
  for (const [key, option, kind] of MERGED) {
    const value = String(options[kind](option))
    if (options.has(option) || (!properties.has(key) && !OURS.has(key))) properties.set(key, value)
  }
  for (const key of ['key.serializer', 'value.serializer']) properties.delete(key) // bytes, whatever they say
  return { topic: reader.get('topic') ?? '', parser, properties, bootstrapServer: options.value('bootstrap-server'), sync: options.has('sync') }
}

/** The options that hold reader properties, producer properties and their file: as they are called now, or were before 4.2. */
function checkOptions(options: Options, argv: readonly string[], io: FaceIo) {
  maybeHelp(options, argv, 'This tool helps to read data from standard input and publish it to Kafka.')
  checkRequired(options, 'topic')
  const renamed = [
    ['command-config', 'producer.config'],
    ['command-property', 'producer-property'],
    ['reader-property', 'property'],
  ] as const
  for (const [now, before] of renamed) {
    if (options.has(now) && options.has(before)) throw options.usage(`Options --${now} and --${before} cannot be specified together.`)
  }
  const chosen = ([now, before]: (typeof renamed)[number]) => {
    if (!options.has(before)) return now
    io.out(`Warning: --${before} is deprecated and will be removed in a future version. Use --${now} instead.\n`)
    return before
  }
  const commandProperty = chosen(renamed[1])
  const commandConfig = chosen(renamed[0])
  const readerProperty = chosen(renamed[2])
  if (options.has('max-partition-memory-bytes')) {
    io.out('Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use --batch-size instead.\n')
  }
  return [readerProperty, commandProperty, commandConfig] as const
}

const HOST_AND_PORT = /^(?:[0-9a-zA-Z\-%._]*:\/\/)?\[?([0-9a-zA-Z\-%._:]*)\]?:([0-9]+)$/

/** ToolsUtils.validateBootstrapServer. */
function checkAddress(options: Options): void {
  const address = options.value('bootstrap-server') ?? ''
  if (address.trim() === '') throw options.usage('Error while validating the bootstrap address\n')
  if (javaSplit(address, ',').every((each) => HOST_AND_PORT.test(each))) return
  throw options.usage('Please provide valid host:port like host1:9091,host2:9092\n')
}

function codec(options: Options): string {
  if (!options.has('compression-codec')) return 'none'
  return options.value('compression-codec') || 'gzip'
}

function lineParser(properties: ReadonlyMap<string, string>): LineParser {
  try {
    return new LineParser(properties, { isApache: true })
  } catch (error) {
    throw kafkaException(error)
  }
}

function kafkaException(error: unknown): unknown {
  return error instanceof CliError ? new JavaError('org.apache.kafka.common.KafkaException', error.message) : error
}

async function produce({ topic, parser, properties, bootstrapServer, sync }: Work, io: FaceIo): Promise<number> {
  if (properties.has('transactional.id')) {
    throw new JavaError('java.lang.IllegalStateException', "Cannot perform a 'send' before completing a call to initTransactions when transactions are enabled.")
  }
  // Nothing else will come before the answer.
  const wanted = sync ? new Map([...properties, ['linger.ms', '0']]) : properties
  const cluster = await openCluster(io, { bootstrapServer, properties: wanted, clientId: 'console-producer', kind: 'KafkaProducer' })
  const source = stdinSource(io)
  const abort = new AbortController()
  const signals = onSignals(() => {
    source.close()
    abort.abort(new Error('interrupted'))
  })
  const onFailed = (record: Failure): void => {
    if (!sync && !abort.signal.aborted) tellFailure(topic, record, io)
  }
  try {
    const options: ProduceOptions = { topic, source, parser, sync, persists: { onFailed, signal: abort.signal }, onWait: prompt(io) }
    const { parseError, lastError } = await produceLines(cluster, options)
    if (signals.exitCode !== undefined) return signals.exitCode
    if (sync && lastError !== undefined) throw executionException(lastError)
    if (parseError !== undefined) throw kafkaException(parseError)
    return 0
  } catch (error) {
    throw error instanceof CliError ? kafkaException(error) : toJava(error)
  } finally {
    signals.release()
    source.close()
    await cluster.close()
  }
}

/** ErrorLoggingCallback. */
function tellFailure(topic: string, { keySize, valueSize, error }: Failure, io: FaceIo): void {
  const size = (bytes: number): string => (bytes < 0 ? 'null' : `${bytes} bytes`)
  const text = `Error when sending message to topic ${topic} with key: ${size(keySize)}, value: ${size(valueSize)} with error:`
  logLine(io, 'ERROR', text, 'org.apache.kafka.clients.producer.internals.ErrorLoggingCallback')
  io.err(traceOf(error))
}

/** One for each line that is waited for, where somebody types: System.console(). */
function prompt({ stdin, stdout }: FaceIo): ProduceOptions['onWait'] {
  if (!stdin.isTTY || !stdout.isTTY) return undefined
  let prompted = 0
  return ({ lines }) => {
    stdout.write('>'.repeat(lines + 1 - prompted))
    prompted = lines + 1
  }
}
