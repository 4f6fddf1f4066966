// kafka-topics (TopicCommand of Apache Kafka 4.3).
//
// From older releases: --zookeeper (until 2.8; loopback means the broker here), --force and --disable-rack-aware (until 2.8),
// and --alter --config and --delete-config, which do what they did until 2.8: change the topic's settings.

import {
  createPartitions, createTopics, deleteTopics, describeCluster, describeConfigs, describeTopics, describeTopicsById,
  incrementalAlterConfigs, listPartitionReassignments, listTopics, type ConfigEntry, type PartitionDescription, type Reassignment,
  type Result, type TopicDescription,
} from '../../src/client/admin.ts' // prettier-ignore
import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, type FaceIo, traceOf, printTrace } from '../../src/cli/apache/face.ts'
import { called, illegalArgument, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, stringHash } from '../../src/cli/apache/java-hash.ts'
import { isInternalTopic, javaSplit, listText, topicFilter } from '../../src/cli/apache/java-text.ts'
import { checkInvalid, checkRequired, DEFAULT_OPTIONS, integer, type Jopt, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'
import { repeated } from '../../src/cli/apache/repeated.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'server to connect to', help: 'REQUIRED: the broker to ask first, HOST:PORT.' },
  'command-config': { arg: 'required', describedAs: 'command config property file', help: 'A file of client properties.' },
  list: { help: 'Print the names of the topics.' },
  create: { help: 'Create a topic.' },
  delete: { help: 'Delete topics.' },
  alter: { help: 'Add partitions.' },
  describe: { help: 'Show topics and their partitions.' },
  topic: { arg: 'required', describedAs: 'topic', help: 'The topic; except with --create also a regular expression.' },
  'topic-id': { arg: 'required', describedAs: 'topic-id', help: 'The id of the topic to describe.' },
  config: { arg: 'required', describedAs: 'name=value', help: 'A setting of the new topic.' },
  'delete-config': { arg: 'required', describedAs: 'name', help: 'No longer supported.' },
  partitions: { arg: 'required', type: 'Integer', describedAs: '# of partitions', help: 'How many partitions.' },
  'replication-factor': { arg: 'required', type: 'Integer', describedAs: 'replication factor', help: 'Copies of each partition.' },
  'replica-assignment': { arg: 'required', describedAs: 'id:id,id:id, ...', help: 'Brokers of each partition.' },
  'under-replicated-partitions': { help: 'With --describe, only partitions that miss replicas.' },
  'unavailable-partitions': { help: 'With --describe, only partitions without a leader that is alive.' },
  'under-min-isr-partitions': { help: 'With --describe, only partitions with fewer in-sync replicas than min.insync.replicas.' },
  'at-min-isr-partitions': { help: 'With --describe, only partitions with just min.insync.replicas of them.' },
  'topics-with-overrides': { help: 'With --describe, only topics with settings of their own.' },
  'if-exists': { help: 'A topic that is not there is no error.' },
  'if-not-exists': { help: 'A topic that is there is no error.' },
  'exclude-internal': { help: 'Leave out internal topics.' },
  'partition-size-limit-per-response': { arg: 'required', type: 'Integer', describedAs: 'maximum number of partitions per response', help: 'Partitions asked for at a time.' },
  zookeeper: { arg: 'required', isHidden: true },
  force: { isHidden: true },
  'disable-rack-aware': { isHidden: true },
} as const

type Options = Jopt<keyof typeof OPTIONS>

const ACTIONS = ['alter', 'create', 'describe', 'list', 'delete'] as const
const REPORTS = ['under-replicated-partitions', 'under-min-isr-partitions', 'at-min-isr-partitions', 'unavailable-partitions'] as const
const CONFIGS_TOOL = ' (To alter topic configurations, the kafka-configs tool can be used.)'

export const face: Face = async (argv, io) => {
  let options: Options
  let cluster: Cluster
  try {
    options = parseJopt(OPTIONS, argv)
    checkOptions(options, argv, io)
    const properties = await loadProperties(options.value('command-config'))
    const bootstrapServer = options.value('bootstrap-server') ?? (await brokerForZookeeper(io, options.value('zookeeper') ?? ''))
    cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
  } catch (error) {
    if (!(error instanceof JavaError)) throw error
    printTrace(io, error)
    return 1
  }
  try {
    const action = ACTIONS.find((action) => options.has(action))
    await (action === 'create' ? create : action === 'alter' ? alter : action === 'list' ? list : action === 'delete' ? remove : describe)(cluster, options, io)
    return 0
  } catch (error) {
    const java = toJava(error)
    io.out(`Error while executing topic command : ${java.message}\n`)
    logLine(io, 'ERROR', traceOf(java), 'org.apache.kafka.tools.TopicCommand')
    return 1
  } finally {
    await cluster.close()
  }
}

function checkOptions(options: Options, argv: readonly string[], io: FaceIo): void {
  if (argv.length === 0) throw options.usage('Create, delete, describe, or change a topic.')
  maybeHelp(options, argv, 'This tool helps to create, delete, describe, or change a topic.')
  if (ACTIONS.filter((action) => options.has(action)).length !== 1) {
    throw options.usage('Command must include exactly one action: --list, --describe, --create, --alter or --delete')
  }
  const isOld = options.has('zookeeper') && !options.has('bootstrap-server')
  if (options.has('delete-config') && !changesConfigs(options)) {
    io.err('delete-config option is no longer supported and deprecated since version 4.0. The config will be fully removed in future releases.\n')
  }
  if (!options.has('bootstrap-server') && !isOld) throw illegalArgument('--bootstrap-server must be specified')
  if (options.has('describe') && options.has('if-exists')) {
    if (!options.has('topic') && !options.has('topic-id')) throw options.usage('--topic or --topic-id is required to describe a topic')
    if (options.has('topic') && options.has('topic-id')) {
      io.out('Only topic id will be used when both --topic and --topic-id are specified and topicId is not Uuid.ZERO_UUID\n')
    }
  }
  if (!options.has('list') && !options.has('describe')) checkRequired(options, 'topic')
  if (options.has('alter') && !changesConfigs(options)) {
    if (options.has('config')) throw options.usage(`Option combination "[[bootstrap-server], [config]]" can't be used with option "[alter]"${CONFIGS_TOOL}`)
    checkRequired(options, 'partitions')
  }
  checkPairs(options)
}

/** `--alter --config`, which 4.3 sends to kafka-configs: of a script from before 3.0, which says --zookeeper. */
function changesConfigs(options: Options): boolean {
  return options.has('alter') && options.has('zookeeper') && (options.has('config') || options.has('delete-config'))
}

function checkPairs(options: Options): void {
  const others = (...mine: readonly (typeof ACTIONS)[number][]) => ACTIONS.filter((action) => !mine.includes(action))
  checkInvalid(options, 'config', others('alter', 'create'))
  checkInvalid(options, 'partitions', others('alter', 'create'))
  checkInvalid(options, 'replication-factor', others('create'))
  checkInvalid(options, 'replica-assignment', others('alter', 'create'))
  if (options.has('create')) checkInvalid(options, 'replica-assignment', ['partitions', 'replication-factor'])
  for (const report of REPORTS) checkInvalid(options, report, [...others('describe'), 'topics-with-overrides'])
  checkInvalid(options, 'topics-with-overrides', [...others('describe'), ...REPORTS])
  checkInvalid(options, 'if-exists', others('alter', 'delete', 'describe'))
  checkInvalid(options, 'if-not-exists', others('create'))
  checkInvalid(options, 'exclude-internal', others('list', 'describe'))
}

async function create(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const name = options.value('topic') ?? ''
  const partitions = options.int('partitions')
  const replicationFactor = options.int('replication-factor')
  const assignments = replicaAssignment(options)
  const configs = new Map(topicConfigs(options))
  if (/[._]/.test(name)) {
    io.out(
      "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. " +
        'To avoid issues it is best to use either, but not both.\n',
    )
  }
  if (replicationFactor !== undefined && (replicationFactor < 1 || replicationFactor > 32767)) {
    throw illegalArgument('The replication factor must be between 1 and 32767 inclusive')
  }
  if (partitions !== undefined && partitions < 1) throw illegalArgument('The partitions must be greater than 0')
  if (name === '') {
    throw new JavaError('org.apache.kafka.common.errors.InvalidTopicException', `The given topic name '${name}' cannot be represented in a request.`)
  }
  const topic = assignments.length > 0 ? { name, assignments, configs } : { name, partitions, replicationFactor, configs }
  const result = (await called('createTopics', createTopics(cluster, [topic]))).get(name)
  if (result?.ok === false) {
    if (result.error.error === 'TOPIC_ALREADY_EXISTS' && options.has('if-not-exists')) return
    // Java's tool checks the settings of a topic itself, and throws this then; of names that it doesn't know it throws the other.
    if (result.error.error === 'INVALID_CONFIG' && !result.error.message.startsWith('Unknown topic config name')) {
      throw new JavaError('org.apache.kafka.common.config.ConfigException', result.error.message)
    }
    throw result.error
  }
  io.out(`Created topic ${name}.\n`)
}

async function list(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  io.out(`${(await topicNames(cluster, options)).join('\n')}\n`)
}

async function alter(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  if (changesConfigs(options)) return alterConfigs(cluster, options, io)
  const count = options.int('partitions') ?? 0
  const assignments = replicaAssignment(options)
  const names = await existingTopics(cluster, options)
  if (names.length === 0) return
  const topics = await called('describeTopics', describeTopics(cluster, names))
  const wanted = names.map((topic) => {
    const now = value(topics.get(topic)).partitions.length
    return { topic, count, assignments: assignments.length > 0 ? assignments.slice(now) : undefined }
  })
  throwFirst(await called('createPartitions', createPartitions(cluster, wanted)))
}

async function alterConfigs(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const names = await existingTopics(cluster, options)
  const set = topicConfigs(options).map(([name, value]) => ({ name, operation: 'set' as const, value }))
  const removed = options.all('delete-config').map((name) => ({ name, operation: 'delete' as const, value: null }))
  const resources = names.map((name) => ({ type: 'topic' as const, name, changes: [...removed, ...set] }))
  for (const { result } of await called('incrementalAlterConfigs', incrementalAlterConfigs(cluster, resources))) value(result)
  for (const name of names) io.out(`Updated config for topic ${name}.\n`)
}

async function remove(cluster: Cluster, options: Options): Promise<void> {
  const names = await existingTopics(cluster, options)
  if (names.length > 0) throwFirst(await called('deleteTopics', deleteTopics(cluster, names)))
}

async function describe(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const topics = await describedTopics(cluster, options)
  if (topics.length === 0) return
  const [configs, { brokers }, moves] = await Promise.all([
    called('describeConfigs', describeConfigs(cluster, topics.map(({ name }) => ({ type: 'topic' as const, name })))),
    called('describeCluster', describeCluster(cluster)),
    reassignments(cluster),
  ])
  const isReport = REPORTS.some((report) => options.has(report))
  const live = new Set(brokers.map(({ nodeId }) => nodeId))
  for (const [index, topic] of topics.entries()) {
    const entries = value(configs[index].result)
    const own = entries.filter(({ source }) => source !== 'DEFAULT_CONFIG')
    const moveOf = (partition: number) => moves.find((move) => move.topic === topic.name && move.partition === partition)
    if (!isReport && !(options.has('topics-with-overrides') && own.length === 0)) io.out(topicLine(topic, own, moveOf(0)))
    if (options.has('topics-with-overrides')) continue
    const minIsr = Number(entries.find(({ name }) => name === 'min.insync.replicas')?.value)
    for (const partition of topic.partitions) {
      const move = moveOf(partition.partition)
      if (!isReport || isReported(partition, move, minIsr, live, options)) io.out(partitionLine(topic.name, partition, move))
    }
  }
}

function topicLine({ name, topicId, partitions }: TopicDescription, own: readonly ConfigEntry[], move: Reassignment | undefined): string {
  const configs = own.map(({ name, value }) => `${name}=${value ?? 'null'}`).join(',')
  const id = topicId === ZERO_UUID ? '' : `\tTopicId: ${topicId}`
  const factor = partitions.length === 0 ? 0 : replicationFactor(partitions[0], move)
  return `Topic: ${name}${id}\tPartitionCount: ${partitions.length}\tReplicationFactor: ${factor}\tConfigs: ${configs}\n`
}

function partitionLine(topic: string, partition: PartitionDescription, move: Reassignment | undefined): string {
  const { leader, replicas, isr, eligibleLeaderReplicas, lastKnownElr } = partition
  const moving = move === undefined ? '' : `\tAdding Replicas: ${move.adding.join(',')}\tRemoving Replicas: ${move.removing.join(',')}`
  return (
    `\tTopic: ${topic}\tPartition: ${partition.partition}\tLeader: ${leader < 0 ? 'none' : leader}\tReplicas: ${replicas.join(',')}` +
    `\tIsr: ${isr.join(',')}${moving}\tElr: ${eligibleLeaderReplicas?.join(',') ?? 'N/A'}\tLastKnownElr: ${lastKnownElr?.join(',') ?? 'N/A'}\n`
  )
}

function isReported(partition: PartitionDescription, move: Reassignment | undefined, minIsr: number, live: ReadonlySet<number>, options: Options): boolean {
  const { leader, isr } = partition
  return (
    (options.has('under-replicated-partitions') && replicationFactor(partition, move) > isr.length) ||
    (options.has('unavailable-partitions') && !live.has(leader)) ||
    (options.has('under-min-isr-partitions') && (leader < 0 || isr.length < minIsr)) ||
    (options.has('at-min-isr-partitions') && isr.length === minIsr)
  )
}

/** Replicas that are only being added don't count. */
function replicationFactor({ replicas }: PartitionDescription, move: Reassignment | undefined): number {
  const changing = [...(move?.adding ?? []), ...(move?.removing ?? [])]
  return move !== undefined && replicas.some((id) => changing.includes(id)) ? move.replicas.length - move.adding.length : replicas.length
}

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

async function describedTopics(cluster: Cluster, options: Options): Promise<TopicDescription[]> {
  const id = options.value('topic-id')
  if (id === undefined || id === ZERO_UUID) {
    const names = await existingTopics(cluster, options)
    const found = [...(await called('describeTopics', describeTopics(cluster, names))).values()].map(value)
    return inHashOrder(found, ({ name }) => stringHash(name), found.length)
  }
  checkUuid(id)
  const listed = await called('listTopics', listTopics(cluster))
  if (!listed.some(({ topicId, name }) => topicId === id && !(options.has('exclude-internal') && isInternalTopic(name)))) {
    if (options.has('if-exists')) return []
    throw illegalArgument(`TopicId '${id}' does not exist as expected`)
  }
  return [...(await called('describeTopics', describeTopicsById(cluster, [id]))).values()].map(value)
}

/** Uuid.fromString. */
function checkUuid(text: string): void {
  if (text.length > 24) {
    throw illegalArgument(`Input string with prefix \`${text.slice(0, 24)}\` is too long to be decoded as a base64 UUID`)
  }
  const bytes = Buffer.from(text, 'base64url').length
  if (bytes !== 16) {
    throw illegalArgument(`Input string \`${text}\` decoded as ${bytes} bytes, which is not equal to the expected 16 bytes of a base64-encoded UUID`)
  }
}

/** Those that --topic means. Throws where it means none, unless --if-exists. */
async function existingTopics(cluster: Cluster, options: Options): Promise<string[]> {
  const names = await topicNames(cluster, options)
  const wanted = options.value('topic')
  if (wanted && names.length === 0 && !options.has('if-exists')) throw illegalArgument(`Topic '${wanted}' does not exist as expected`)
  return names
}

async function topicNames(cluster: Cluster, options: Options): Promise<string[]> {
  const wanted = options.value('topic')
  const all = (await called('listTopics', listTopics(cluster))).map(({ name }) => name)
  const isWanted = wanted === undefined ? () => true : topicFilter(wanted)
  return all.filter((name) => isWanted(name) && !(options.has('exclude-internal') && isInternalTopic(name)))
}

/** None where the cluster doesn't know the question, or we may not ask it. */
async function reassignments(cluster: Cluster): Promise<Reassignment[]> {
  try {
    return await called('listPartitionReassignments', listPartitionReassignments(cluster))
  } catch (error) {
    if (error instanceof JavaError && /\.(UnsupportedVersion|ClusterAuthorization)Exception$/.test(error.className)) return []
    throw error
  }
}

function topicConfigs(options: Options): [string, string][] {
  const pairs = options.all('config').map((text) => javaSplit(text, /\s*=\s*/))
  if (!pairs.every((pair) => pair.length === 2)) {
    throw illegalArgument('requirement failed: Invalid topic config: all configs to be added must be in the format "key=val".')
  }
  return pairs.map(([name, value]) => [name.trim(), value.trim()])
}

function replicaAssignment(options: Options): number[][] {
  const text = options.value('replica-assignment') ?? ''
  if (text === '') return []
  const lists = javaSplit(text, ',').map((partition) => javaSplit(partition, ':').map((id) => brokerId(id.trim())))
  for (const [index, ids] of lists.entries()) {
    const twice = repeated(ids, (id) => id)
    if (twice.length > 0) {
      const message = `Partition replica lists may not contain duplicate entries: ${twice.join(',')}`
      throw new JavaError('org.apache.kafka.tools.AdminCommandFailedException', message)
    }
    if (ids.length !== lists[0].length) {
      const message = `Partition ${index} has different replication factor: ${listText(ids)}`
      throw new JavaError('org.apache.kafka.tools.AdminOperationException', message)
    }
  }
  return lists
}

function brokerId(text: string): number {
  const id = integer(text, 2n ** 31n)
  if (id === undefined) throw new JavaError('java.lang.NumberFormatException', `For input string: "${text}"`)
  return Number(id)
}

function value<T>(result: Result<T> | undefined): T {
  if (result?.ok === true) return result.value
  throw result?.error ?? illegalArgument('the broker left an item out of its answer')
}

function throwFirst(results: ReadonlyMap<string, Result<unknown>>): void {
  for (const result of results.values()) value(result)
}
