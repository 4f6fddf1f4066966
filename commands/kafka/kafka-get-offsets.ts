// kafka-get-offsets (GetOffsetShell of Apache Kafka 4.3).
//
// From older releases: --broker-list (until 3.x), and --offsets and --max-wait-ms, which nothing has looked at since 2.0.

import { describeTopics, EARLIEST, LATEST, listOffsets, listTopics, type TopicPartition } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, FaceExit, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { executionException, JavaError, runtimeException, throwableText, toJava } from '../../src/cli/apache/java-errors.ts'
import { isInternalTopic, javaSplit, topicFilter } from '../../src/cli/apache/java-text.ts'
import { checkRequired, DEFAULT_OPTIONS, integer, type Jopt, maybeHelp, parseJopt, usageOf } from '../../src/cli/apache/jopt.ts'
import { loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const TIMES = { latest: LATEST, earliest: EARLIEST, 'max-timestamp': -3, 'earliest-local': -4, 'latest-tiered': -5, 'earliest-pending-upload': -6 } as const
const TIME_WORDS = '-1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', aliases: ['broker-list'], describedAs: 'HOST1:PORT1,...,HOST3:PORT3', help: 'REQUIRED. The brokers to ask first.' },
  'topic-partitions': {
    arg: 'required',
    describedAs: 'topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3',
    help: 'Patterns of topics, each with a partition or a range of them (the upper end left out) behind a colon.',
  },
  topic: { arg: 'required', describedAs: 'topic', help: 'The topic, or a regular expression. All topics when left out.' },
  partitions: { arg: 'required', describedAs: 'partition ids', help: 'Only these partitions, with commas between.' },
  time: { arg: 'required', describedAs: `<timestamp> / ${TIME_WORDS}`, default: 'latest', help: 'The first offset at or after this time, or an end.' },
  'command-config': { arg: 'required', describedAs: 'config file', help: 'A file of client properties.' },
  'exclude-internal-topics': { help: 'Leave out internal topics.' },
  offsets: { arg: 'required', isHidden: true },
  'max-wait-ms': { arg: 'required', isHidden: true },
} as const

type Options = Jopt<keyof typeof OPTIONS>

const PURPOSE = 'An interactive shell for getting topic-partition offsets.'
const TERSE = 'org.apache.kafka.tools.TerseException'

export const face: Face = async (argv, io) => {
  try {
    const options = parsed(argv)
    for (const { topic, partition, offset } of await offsets(options, io)) io.out(`${topic}:${partition}:${offset}\n`)
    return 0
  } catch (error) {
    if (error instanceof FaceExit) throw error
    const java = toJava(error)
    io.err(`Error occurred: ${java.message}\n`)
    if (java.className !== TERSE) io.err(`${traceOf(java)}\n`)
    return 1
  }
}

function parsed(argv: readonly string[]): Options {
  if (argv.length === 0) throw usageOf(OPTIONS, PURPOSE)
  let options: Options
  try {
    options = parseJopt(OPTIONS, argv)
  } catch (error) {
    throw terse((error as Error).message)
  }
  maybeHelp(options, argv, PURPOSE)
  checkRequired(options, 'bootstrap-server')
  const servers = options.value('bootstrap-server') ?? ''
  if (servers.trim() === '') throw options.usage('Error while validating the bootstrap address\n')
  if (!javaSplit(servers, ',').every(hasPort)) throw options.usage('Please provide valid host:port like host1:9091,host2:9092\n')
  return options
}

/** Utils.getPort finds one. */
function hasPort(address: string): boolean {
  return /^(?:[0-9a-z%._-]*:\/\/)?\[?[0-9a-z%._:-]*\]?:\d+$/i.test(address)
}

interface OffsetOf extends TopicPartition {
  readonly offset: number
}

/** In the order of their names, as text. */
async function offsets(options: Options, io: FaceIo): Promise<OffsetOf[]> {
  if (options.has('topic-partitions') && (options.has('topic') || options.has('partitions'))) {
    throw terse('--topic-partitions cannot be used with --topic or --partitions')
  }
  const timestamp = timeOf(options.value('time') ?? '')
  const filters = options.has('topic-partitions')
    ? javaSplit(options.value('topic-partitions') ?? '', ',').map(ruleOf)
    : [{ isTopic: topicFilter(options.value('topic') ?? '.*'), isPartition: partitionSet(options.value('partitions') ?? '') }]
  const properties = new Map(await loadProperties(options.value('command-config')))
  properties.set('client.id', 'GetOffsetShell')
  const bootstrapServer = options.value('bootstrap-server')
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'GetOffsetShell', kind: 'KafkaAdminClient' })
  try {
    const partitions = await partitionsOf(cluster, filters, options.has('exclude-internal-topics'))
    if (partitions.length === 0) throw terse('Could not match any topic-partitions with the specified filters')
    return await offsetsAt(cluster, partitions, timestamp, io)
  } finally {
    await cluster.close()
  }
}

async function offsetsAt(cluster: Cluster, partitions: readonly TopicPartition[], timestamp: number, io: FaceIo): Promise<OffsetOf[]> {
  const answers = await answersOf(cluster, partitions, timestamp)
  const found: OffsetOf[] = []
  for (const { topic, partition, result } of answers) {
    if (!result.ok) {
      io.err(`Skip getting offsets for topic-partition ${topic}-${partition} due to error: ${throwableText(toJava(result.error))}\n`)
    } else if (result.value.offset >= 0) found.push({ topic, partition, offset: result.value.offset })
  }
  const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`
  return found.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
}

/** What keeps all of them from being asked for is the failure of each. */
async function answersOf(cluster: Cluster, partitions: readonly TopicPartition[], timestamp: number) {
  try {
    return await listOffsets(cluster, partitions.map((place) => ({ ...place, timestamp }))) // prettier-ignore
  } catch (error) {
    const result = { ok: false, error: toJava(error, 'listOffsets') } as const
    return partitions.map((place) => ({ ...place, result }))
  }
}

/** What Future.get throws where the client's `call` fails. */
async function got<T>(call: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw executionException(error, call)
  }
}

interface Filter {
  readonly isTopic: (topic: string) => boolean
  readonly isPartition: (partition: number) => boolean
}

async function partitionsOf(cluster: Cluster, filters: readonly Filter[], excludesInternal: boolean): Promise<TopicPartition[]> {
  const listed = await got('listTopics', listTopics(cluster))
  const names = listed.filter(({ name, isInternal }) => !(excludesInternal && (isInternal || isInternalTopic(name)))).map(({ name }) => name)
  const wanted = names.filter((name) => filters.some(({ isTopic }) => isTopic(name)))
  const described = await got('describeTopics', describeTopics(cluster, wanted))
  return [...described].flatMap(([topic, result]) => {
    if (!result.ok) throw executionException(result.error)
    const places = result.value.partitions.map(({ partition }) => ({ topic, partition }))
    return places.filter(({ partition }) => filters.some(({ isTopic, isPartition }) => isTopic(topic) && isPartition(partition)))
  })
}

function timeOf(text: string): number {
  if (Object.hasOwn(TIMES, text)) return TIMES[text as keyof typeof TIMES]
  const time = integer(text, 2n ** 63n)
  if (time === undefined) throw terse(`Malformed time argument ${text}. Please use ${TIME_WORDS}, or a specified long format timestamp`)
  return Number(time)
}

function partitionSet(text: string): Filter['isPartition'] {
  if (text === '') return () => true
  const ids = javaSplit(text, ',').map((id) => integer(id, 2n ** 31n))
  if (ids.includes(undefined)) throw terse(`--partitions expects a comma separated list of numeric partition ids, but received: ${text}`)
  return (partition) => ids.includes(BigInt(partition))
}

/** `topics`, `topics:1`, `topics:1-3`, `topics:1-`, `topics:-3`; the upper end is left out. */
function ruleOf(text: string): Filter {
  const match = /^([^:,]*)(?::(?:(\d*)|(\d*)-(\d*)))?$/.exec(text) as (string | undefined)[] | null
  if (match === null) throw runtimeException(`${TERSE}: Invalid rule specification: ${text}`)
  const [, topics, only, from, to] = match
  const isTopic = topicFilter(topics || '.*')
  if (only) {
    const id = partitionId(only)
    return { isTopic, isPartition: (partition) => partition === id }
  }
  const [first, end] = [from ? partitionId(from) : 0, to ? partitionId(to) : Infinity]
  return { isTopic, isPartition: (partition) => partition >= first && partition < end }
}

function partitionId(text: string): number {
  const id = integer(text, 2n ** 31n)
  if (id === undefined) throw new JavaError('java.lang.NumberFormatException', `For input string: "${text}"`)
  return Number(id)
}

function terse(message: string): JavaError {
  return new JavaError(TERSE, message)
}
