// kafka-console-consumer (ConsoleConsumer and its formatters of Apache Kafka 4.3). Records go the way of `ktool consume`.
// Without a group it joins none: Apache's makes one up, commits nothing in it and leaves it behind.
//
// From older releases: --whitelist (until 3.9) is --include; --blacklist (until 1.1) takes the topics that don't match;
// --zookeeper (until 1.1; loopback means the broker here); --delete-consumer-offsets (until 1.1) makes the group start
// anew; --new-consumer, --csv-reporter-enabled and --metrics-dir change nothing. Formatters go by their old names as well.

import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, FaceExit, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, stringHash } from '../../src/cli/apache/java-hash.ts'
import { javaMatcher } from '../../src/cli/apache/java-regex.ts'
import { checkRequired, DEFAULT_OPTIONS, integer, type Jopt, maybeHelp, parseOrUsage } from '../../src/cli/apache/jopt.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { sinkFor } from '../../src/cli/formats/byte-sink.ts'
import { parseProperties } from '../../src/cli/formats/properties.ts'
import type { RecordFormat } from '../../src/cli/formats/record-format.ts'
import { onSignals } from '../../src/cli/signals.ts'
import { consumeGroup, type ConsumeResult, followTopics, forgetGroup, type Wanted } from '../../src/cli/verbs/consume.ts'
import { DEFAULT_FORMATTER, formatterOf, isFormatter } from './kafka-console-consumer-formatters.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  topic: { arg: 'required', describedAs: 'topic', help: 'The topic to read.' },
  include: { arg: 'required', describedAs: 'Java regex (String)', aliases: ['whitelist'], help: 'All topics whose names this regular expression matches.' },
  partition: { arg: 'required', type: 'Integer', describedAs: 'partition', help: 'Only this partition, from its end unless --offset says otherwise.' },
  offset: { arg: 'required', describedAs: 'consume offset', default: 'latest', help: 'With --partition: where to start; a number, earliest or latest.' },
  'consumer-property': { arg: 'required', describedAs: 'consumer_prop', help: '(Deprecated) --command-property.' },
  'command-property': { arg: 'required', describedAs: 'consumer_prop', help: 'NAME=VALUE of the consumer.' },
  'consumer.config': { arg: 'required', describedAs: 'config file', help: '(Deprecated) --command-config.' },
  'command-config': { arg: 'required', describedAs: 'config file', help: 'A file of consumer properties.' },
  formatter: { arg: 'required', describedAs: 'class', default: DEFAULT_FORMATTER, help: "The Java class that prints records: one of Kafka's own." },
  property: { arg: 'required', describedAs: 'prop', help: '(Deprecated) --formatter-property.' },
  'formatter-property': { arg: 'required', describedAs: 'prop', help: 'NAME=VALUE for the formatter: print.timestamp, print.partition, print.offset, print.delivery, print.epoch, print.headers, print.key, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer.' },
  'formatter-config': { arg: 'required', describedAs: 'config file', help: 'A file of them.' },
  'from-beginning': { help: 'Start at the first record where the group has committed no offset.' },
  'max-messages': { arg: 'required', type: 'Integer', describedAs: 'num_messages', help: 'Stop after so many records.' },
  'timeout-ms': { arg: 'required', type: 'Long', describedAs: 'timeout_ms', help: 'Stop when no record came for so long.' },
  'skip-message-on-error': { help: 'Pass over a record that cannot be printed.' },
  'bootstrap-server': { arg: 'required', describedAs: 'server to connect to', help: 'REQUIRED: the brokers to ask first, HOST:PORT with commas between them.' },
  'key-deserializer': { arg: 'required', describedAs: 'deserializer for keys', help: 'The Java class that keys are read with.' },
  'value-deserializer': { arg: 'required', describedAs: 'deserializer for values', help: 'The Java class that values are read with.' },
  'enable-systest-events': { help: 'Say when it has shut down.' },
  'isolation-level': { arg: 'required', default: 'read_uncommitted', help: 'read_committed leaves out what transactions have not committed.' },
  group: { arg: 'required', describedAs: 'consumer group id', help: 'Read as a member of this group.' },
  zookeeper: { arg: 'required', isHidden: true },
  blacklist: { arg: 'required', isHidden: true },
  'new-consumer': { isHidden: true },
  'delete-consumer-offsets': { isHidden: true },
  'csv-reporter-enabled': { isHidden: true },
  'metrics-dir': { arg: 'required', isHidden: true },
} as const

type Options = Jopt<keyof typeof OPTIONS>

const HINT =
  'The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to try it out. ' +
  'See https://kafka.apache.org/documentation/#consumer_rebalance_protocol\n'
const LOGGER = 'org.apache.kafka.tools.consumer.ConsoleConsumer'

interface Work {
  readonly options: Options
  readonly bootstrapServer: string
  readonly properties: ReadonlyMap<string, string>
  readonly groupId: string | undefined
  readonly start: 'earliest' | 'latest' | number
  /** Undefined: for ever. */
  readonly idleMs: number | undefined
  readonly format: RecordFormat
}

export const face: Face = async (argv, io) => {
  const work = await readWork(argv, io)
  try {
    return await consume(work, io)
  } catch (error) {
    const java = toJava(error)
    const isLogin = /Authentication/.test(java.className)
    tell(io, isLogin ? 'Authentication failed: terminating consumer process' : 'Unknown error when running consumer: ', java)
    return 1
  }
}

/** An ERROR of the tool's own, with the exception behind it. */
function tell(io: FaceIo, text: string, error: unknown): void {
  logLine(io, 'ERROR', text, LOGGER)
  io.err(traceOf(error))
}

async function readWork(argv: readonly string[], io: FaceIo): Promise<Work> {
  const options = parseOrUsage(OPTIONS, argv)
  checkOptions(options, argv)
  const commandProperty = chosen(options, 'command-property', 'consumer-property', io)
  const commandConfig = chosen(options, 'command-config', 'consumer.config', io)
  const fromFile = await loadProperties(options.value(commandConfig))
  const given = parseProperties(`--${commandProperty}`, options.all(commandProperty), true)
  const groupId = checkGroup(options, fromFile, given)
  const properties = new Map([...fromFile, ...given])
  setReset(options, properties)
  const bootstrapServer = options.value('bootstrap-server') ?? (await brokerForZookeeper(io, options.value('zookeeper') ?? ''))
  if (options.has('isolation-level') || !properties.has('isolation.level')) properties.set('isolation.level', options.value('isolation-level') ?? '')
  properties.delete('group.id')
  if (groupId !== undefined) properties.set('group.id', groupId)
  for (const key of ['key.deserializer', 'value.deserializer']) properties.delete(key) // bytes, whatever they say
  const start = startOf(options)
  const timeout = options.long('timeout-ms') ?? -1
  const format = await readFormat(options, io)
  return { options, bootstrapServer, properties, groupId, start, idleMs: timeout < 0 ? undefined : timeout, format }
}

function checkOptions(options: Options, argv: readonly string[]): void {
  maybeHelp(options, argv, 'This tool helps to read data from Kafka topics and outputs it to standard output.')
  if ((['topic', 'include', 'blacklist'] as const).filter((name) => options.has(name)).length !== 1) {
    throw options.usage('Exactly one of the following arguments is required: [topic], [include]')
  }
  if (options.int('partition') !== undefined) {
    if (!options.has('topic')) throw options.usage('The topic is required when partition is specified.')
    if (options.has('from-beginning') && options.has('offset')) throw options.usage('Options from-beginning and offset cannot be specified together.')
  } else if (options.has('offset')) throw options.usage('The partition is required when offset is specified.')
  if (!options.has('zookeeper')) checkRequired(options, 'bootstrap-server')
  for (const [before, now] of [['consumer-property', 'command-property'], ['consumer.config', 'command-config']] as const) {
    if (options.has(before) && options.has(now)) throw options.usage(`Options --${before} and --${now} cannot be specified together.`)
  }
}

/** The group named, wherever it is. */
function checkGroup(options: Options, ...places: readonly ReadonlyMap<string, string>[]): string | undefined {
  const group = options.value('group')
  const given = places.flatMap((place) => place.get('group.id') ?? [])
  const ids = [...new Set(group === undefined ? given : [group, ...given])]
  if (ids.length > 1) {
    const listed = inHashOrder(ids, stringHash).map((id) => `'${id}'`)
    throw options.usage(
      "The group ids provided in different places (directly using '--group', via '--consumer-property', or via '--consumer.config') do not match. " +
        `Detected group ids: ${listed.join(', ')}`,
    )
  }
  if (ids.length > 0 && options.has('partition')) throw options.usage('Options group and partition cannot be specified together.')
  return ids.at(0)
}

function setReset(options: Options, properties: Map<string, string>): void {
  const reset = properties.get('auto.offset.reset')
  const fromBeginning = options.has('from-beginning')
  if (reset === undefined) properties.set('auto.offset.reset', fromBeginning ? 'earliest' : 'latest')
  else if (fromBeginning && reset !== 'earliest') {
    throw new FaceExit(1, { err: `Can't simultaneously specify --from-beginning and 'auto.offset.reset=${reset}', please remove one option\n` })
  }
}

function startOf(options: Options): Work['start'] {
  if (!options.has('offset')) return options.has('from-beginning') ? 'earliest' : 'latest'
  const text = options.value('offset') ?? ''
  const word = text.toLowerCase()
  if (word === 'earliest' || word === 'latest') return word
  const offset = integer(text, 2n ** 63n)
  if (offset !== undefined && offset >= 0n) return Number(offset)
  throw options.usage(`The provided offset value '${text}' is incorrect. Valid values are 'earliest', 'latest', or a non-negative long.`)
}

/** The option as it is called now, or as it was before 4.2. */
function chosen<Now extends keyof typeof OPTIONS, Before extends keyof typeof OPTIONS>(options: Options, now: Now, before: Before, io: FaceIo): Now | Before {
  if (!options.has(before)) return now
  io.out(`Option --${before} is deprecated and will be removed in a future version. Use --${now} instead.\n`)
  return before
}

/** The formatter threw: neither the end of the input nor trouble with the cluster. */
class Unprintable extends Error {
  override readonly name = 'Unprintable'
}

async function readFormat(options: Options, io: FaceIo): Promise<RecordFormat> {
  try {
    const className = options.value('formatter') ?? DEFAULT_FORMATTER
    if (!isFormatter(className)) throw new JavaError('java.lang.ClassNotFoundException', className)
    if (options.has('formatter-property') && options.has('property')) {
      throw options.usage('Options --property and --formatter-property cannot be specified together.')
    }
    const property = chosen(options, 'formatter-property', 'property', io)
    const deserializers = (['key', 'value'] as const).flatMap((name): [string, string][] => {
      const value = options.value(`${name}-deserializer`)
      return value ? [[`${name}.deserializer`, value]] : []
    })
    const properties = new Map([
      ...(await loadProperties(options.value('formatter-config'))),
      ...deserializers,
      ...parseProperties(`--${property}`, options.all(property), true),
    ])
    return formatterOf(className, properties, io, (error) => {
      if (!options.has('skip-message-on-error')) throw new Unprintable('', { cause: error })
      tell(io, 'Error processing message, skipping this message: ', error)
    })
  } catch (error) {
    if (error instanceof JavaError) throw options.usage(error.message)
    throw error
  }
}

async function consume(work: Work, io: FaceIo): Promise<number> {
  const { options, bootstrapServer, properties, groupId, format } = work
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'console-consumer', kind: 'KafkaConsumer' })
  const abort = new AbortController()
  const signals = onSignals(() => abort.abort())
  try {
    if (!options.has('partition') && cluster.config.consumer.groupProtocol === 'classic') io.err(HINT)
    const wanted = wantedTopics(options)
    try {
      if (groupId !== undefined && options.has('delete-consumer-offsets')) await forgetGroup(cluster, groupId)
      await pour(work, cluster, wanted, abort.signal, io)
    } finally {
      io.err(`Processed a total of ${format.printed} messages\n`)
    }
    return signals.exitCode ?? 0
  } finally {
    signals.release()
    await cluster.close()
    if (options.has('enable-systest-events')) io.out('shutdown_complete\n')
  }
}

function wantedTopics(options: Options): Wanted {
  const topic = options.value('topic')
  if (topic !== undefined) return [topic]
  const matches = javaMatcher(options.value('include') ?? options.value('blacklist') ?? '')
  return options.has('blacklist') ? (name) => !matches(name) : matches
}

/** Rejects for what ends the tool with 1; what ends its loop is told here, and is no failure. */
async function pour(work: Work, cluster: Cluster, wanted: Wanted, signal: AbortSignal, io: FaceIo): Promise<void> {
  const { options } = work
  const most = options.int('max-messages') ?? -1
  // Whoever closes stdout is noticed here, and told of.
  io.stdout.removeAllListeners('error')
  try {
    const { reason } = await read(work, cluster, wanted, most === -1 ? undefined : Math.max(0, most), signal, io)
    if (reason === 'idle') throw new JavaError('org.apache.kafka.common.errors.TimeoutException', '')
    if (reason === 'closed') io.err('Unable to write to standard out, closing consumer.\n')
  } catch (error) {
    if (error instanceof Unprintable) throw error.cause
    if (error instanceof Error && 'syscall' in error && error.syscall === 'write') io.err('Unable to write to standard out, closing consumer.\n')
    else tell(io, 'Error processing message, terminating consumer process: ', error)
  }
}

function read({ options, groupId, format, start, idleMs }: Work, cluster: Cluster, wanted: Wanted, maxMessages: number | undefined, signal: AbortSignal, io: FaceIo): Promise<ConsumeResult> {
  const { isolationLevel: isolation, autoOffsetReset: reset } = cluster.config.consumer
  const common = { isolation, maxMessages, idleMs, format, sink: sinkFor(io.stdout, groupId !== undefined), signal, wanted, reset }
  if (groupId !== undefined) return consumeGroup(cluster, { ...common, groupId, topics: [], untilEnd: false })
  const partition = options.int('partition')
  return followTopics(cluster, { ...common, assigned: partition === undefined ? undefined : { partition, start } })
}
