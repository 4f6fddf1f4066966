// kafka-leader-election (LeaderElectionCommand of Apache Kafka 4.3).
//
// --zookeeper is accepted as its predecessor's (kafka-preferred-replica-election, until 2.8).

import { electLeaders, type ElectionType, type PartitionResult, type TopicPartition } from '../../src/client/admin.ts'
import { type Face, type FaceIo, traceOf, printTrace } from '../../src/cli/apache/face.ts'
import { readJavaFile } from '../../src/cli/apache/file-text.ts'
import { called, executionException, JavaError, toJava, wrappedInRuntime } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, partitionHash } from '../../src/cli/apache/java-hash.ts'
import { asArray, asObject, field, type JsonNode, toInt, toText, tryParseJson } from '../../src/cli/apache/java-json.ts'
import { listText } from '../../src/cli/apache/java-text.ts'
import { checkInvalid, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'
import { repeated } from '../../src/cli/apache/repeated.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'host:port', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  'admin.config': { arg: 'required', describedAs: 'config file', help: 'Old name of --command-config.' },
  'command-config': { arg: 'required', describedAs: 'Config file', help: 'A file of client properties.' },
  'path-to-json-file': { arg: 'required', describedAs: 'Path to JSON file', help: 'The partitions, as {"partitions": [{"topic": "foo", "partition": 1}]}.' },
  topic: { arg: 'required', describedAs: 'topic name', help: 'The topic of the partition.' },
  partition: { arg: 'required', type: 'Integer', describedAs: 'partition id', help: 'The partition, with --topic.' },
  'all-topic-partitions': { help: 'All partitions that need an election.' },
  'election-type': { arg: 'required', describedAs: 'election type', help: 'REQUIRED: preferred, or unclean where no leader is left.' },
  zookeeper: { arg: 'required', isHidden: true },
} as const

type Options = Jopt<keyof typeof OPTIONS>

const PURPOSE =
  'This tool attempts to elect a new leader for a set of topic partitions. ' +
  'The type of elections supported are preferred replicas and unclean replicas.'
const SCOPES = ['topic', 'all-topic-partitions', 'path-to-json-file'] as const
const TIMEOUT_MS = 30_000

export const face: Face = async (argv, io) => {
  try {
    const options = parseJopt(OPTIONS, argv)
    maybeHelp(options, argv, PURPOSE)
    checkOptions(options)
    const type = electionType(options)
    const partitions = await partitionsOf(options)
    if (options.has('admin.config')) {
      io.out('Option --admin.config has been deprecated and will be removed in a future version. Use --command-config instead.\n')
    }
    const properties = new Map(await loadProperties(options.value('admin.config') ?? options.value('command-config')))
    if (!properties.has('default.api.timeout.ms')) properties.set('default.api.timeout.ms', String(TIMEOUT_MS))
    if (!properties.has('request.timeout.ms')) properties.set('request.timeout.ms', String(TIMEOUT_MS / 2))
    const bootstrapServer = options.value('bootstrap-server') ?? (await brokerForZookeeper(io, options.value('zookeeper') ?? ''))
    const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
    try {
      report(io, type, await elected(io, called('electLeaders', electLeaders(cluster, type, partitions))))
    } finally {
      await cluster.close()
    }
    return 0
  } catch (error) {
    if (!(error instanceof JavaError)) throw error
    printTrace(io, error)
    return 1
  }
}

function checkOptions(options: Options): void {
  const hasServer = options.has('bootstrap-server') || options.has('zookeeper')
  const missing = [...(hasServer ? [] : ['bootstrap-server']), ...(options.has('election-type') ? [] : ['election-type'])]
  if (missing.length > 0) throw commandFailed(`Missing required option(s): ${missing.join(', ')}`)
  checkInvalid(options, 'admin.config', ['command-config'])
  if (SCOPES.filter((scope) => options.has(scope)).length !== 1) {
    throw commandFailed(`One and only one of the following options is required: ${SCOPES.join(', ')}`)
  }
  if (options.has('topic') && !options.has('partition')) throw commandFailed('Missing required option(s): partition')
  if (!options.has('topic') && options.has('partition')) throw commandFailed('Option partition is only allowed if topic is used')
}

function electionType(options: Options): ElectionType {
  const text = options.value('election-type') ?? ''
  const type = text.toLowerCase()
  if (type === 'preferred' || type === 'unclean') return type
  throw new JavaError('joptsimple.OptionArgumentConversionException', `Cannot parse argument '${text}' of option election-type`)
}

/** null: all. */
async function partitionsOf(options: Options): Promise<readonly TopicPartition[] | null> {
  const path = options.value('path-to-json-file')
  const [topic, partition] = [options.value('topic'), options.int('partition')]
  if (path !== undefined) return fromJson(await wrapped(readJavaFile(path)))
  return topic === undefined || partition === undefined ? null : [{ topic, partition }]
}

async function fromJson(text: string): Promise<readonly TopicPartition[]> {
  const document = tryParseJson(text)
  if (document === undefined) throw operationFailed('Replica election data is empty')
  const list = (await wrapped(() => asObject(document))).get('partitions')
  if (list === undefined) throw operationFailed('Replica election data is missing "partitions" field')
  const partitions = await wrapped(() => asArray(list).map(partitionOf))
  const twice = repeated(partitions, nameOf)
  if (twice.length > 0) {
    throw operationFailed(`Replica election data contains duplicate partitions: ${listText(inHashOrder(twice, partitionHash).map(nameOf))}`)
  }
  return partitions
}

function partitionOf(node: JsonNode): TopicPartition {
  const fields = asObject(node)
  return { topic: toText(field(fields, 'topic')), partition: toInt(field(fields, 'partition')) }
}

/** Fails with new RuntimeException(cause). */
async function wrapped<T>(work: Promise<T> | (() => T)): Promise<T> {
  try {
    return await (typeof work === 'function' ? work() : work)
  } catch (error) {
    if (!(error instanceof JavaError)) throw error
    throw new JavaError('java.lang.RuntimeException', `${error.className}: ${error.message}`, { cause: error })
  }
}

/** The answers; what keeps the whole election from taking place is said on stdout, too. */
async function elected(io: FaceIo, answers: Promise<PartitionResult<null>[]>): Promise<PartitionResult<null>[]> {
  try {
    return await answers
  } catch (error) {
    const java = toJava(error)
    const kind = java.className.slice(java.className.lastIndexOf('.') + 1)
    const text = { TimeoutException: 'Timeout waiting for election results', ClusterAuthorizationException: 'Not authorized to perform leader election' }[kind]
    if (text !== undefined) {
      io.out(`${text}\n`)
      throw commandFailed(text)
    }
    throw wrappedInRuntime(executionException(java))
  }
}

function report(io: FaceIo, type: ElectionType, answers: readonly PartitionResult<null>[]): void {
  const ordered = inHashOrder(answers, partitionHash)
  const names = (isWanted: (answer: PartitionResult<null>) => boolean): string => ordered.filter(isWanted).map(nameOf).join(', ')
  const succeeded = names(({ result }) => result.ok)
  const needless = names(({ result }) => !result.ok && result.error.error === 'ELECTION_NOT_NEEDED')
  if (succeeded !== '') io.out(`Successfully completed leader election (${type.toUpperCase()}) for partitions ${succeeded}\n`)
  if (needless !== '') io.out(`Valid replica already elected for partitions ${needless}\n`)
  let failures = 0
  for (const { topic, partition, result } of ordered) {
    if (result.ok || result.error.error === 'ELECTION_NOT_NEEDED') continue
    failures++
    io.out(`Error completing leader election (${type.toUpperCase()}) for partition: ${topic}-${partition}: ${traceOf(result.error)}`)
  }
  if (failures > 0) throw commandFailed(`${failures} replica(s) could not be elected`)
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

function commandFailed(message: string): JavaError {
  return new JavaError('org.apache.kafka.tools.AdminCommandFailedException', message)
}

function operationFailed(message: string): JavaError {
  return new JavaError('org.apache.kafka.tools.AdminOperationException', message)
}
