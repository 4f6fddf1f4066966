// kafka-reassign-partitions (ReassignPartitionsCommand of Apache Kafka 4.3).
//
// --zookeeper is accepted as it was until 2.8: a loopback host means the broker here.

import {
  alterPartitionReassignments, alterReplicaLogDirs, describeCluster, describeReplicaLogDirs, describeTopics, incrementalAlterConfigs,
  listPartitionReassignments, type Reassignment, type Replica, type ResourceChange, type TopicPartition,
} from '../../src/client/admin.ts' // prettier-ignore
import type { Cluster } from '../../src/client/cluster.ts'
import { type Clock, systemClock } from '../../src/base/clock.ts'
import { type Face, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { readJavaFile } from '../../src/cli/apache/file-text.ts'
import { called, executionException, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, stringHash } from '../../src/cli/apache/java-hash.ts'
import { checkRequired, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { openAdmin } from '../../src/cli/apache/open-admin.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import {
  type Assignment, brokerOrder, commandFailed, type DirectoryOf, inOrder, operationFailed, parseExecutable, parseGenerate, parsePlan,
  partitionName, planText, propose, replicaName, throttledReplicas,
} from './kafka-reassign-partitions-plan.ts' // prettier-ignore

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  verify: { help: 'Show how far a reassignment is; when all is done, take the throttles away.' },
  generate: { help: 'Propose a reassignment, and change nothing.' },
  execute: { help: 'Begin a reassignment.' },
  cancel: { help: 'Call off a reassignment.' },
  list: { help: 'Show the reassignments under way.' },
  'bootstrap-server': { arg: 'optional', describedAs: 'Server(s) to use for bootstrapping', help: 'The broker to ask first, HOST:PORT.' },
  'command-config': { arg: 'required', describedAs: 'Admin client property file', help: 'A file of client properties.' },
  'reassignment-json-file': {
    arg: 'required',
    describedAs: 'manual assignment json file path',
    help: 'The reassignment, as {"version": 1, "partitions": [{"topic": "foo", "partition": 1, "replicas": [1,2], "log_dirs": ["any","any"]}]}; log_dirs may be left out.',
  },
  'topics-to-move-json-file': { arg: 'required', describedAs: 'topics to reassign json file path', help: 'For --generate, as {"version": 1, "topics": [{"topic": "foo"}]}.' },
  'broker-list': { arg: 'required', describedAs: 'brokerlist', help: 'For --generate: where the topics may go, as 0,1,2.' },
  'bootstrap-controller': { arg: 'optional', describedAs: 'bootstrap controller to connect to', help: 'The controller, for --cancel and --list.' },
  'disable-rack-aware': { help: 'Take no notice of racks.' },
  throttle: { arg: 'required', type: 'Long', describedAs: 'throttle', default: '-1', help: 'Most bytes a second between brokers.' },
  'replica-alter-log-dirs-throttle': { arg: 'required', type: 'Long', describedAs: 'replicaAlterLogDirsThrottle', default: '-1', help: 'Most bytes a second between directories.' },
  timeout: { arg: 'required', type: 'Long', describedAs: 'timeout', default: '10000', help: 'Ms to wait for moves between directories to begin.' },
  additional: { help: 'Beside the reassignments under way.' },
  'preserve-throttles': { help: 'Leave the throttles as they are.' },
  'disallow-replication-factor-change': { help: 'Fail where a partition would get more or fewer replicas.' },
  zookeeper: { arg: 'required', isHidden: true },
} as const

type Name = keyof typeof OPTIONS
type Options = Jopt<Name>

const ACTIONS = ['generate', 'execute', 'verify', 'cancel', 'list'] as const
type Action = (typeof ACTIONS)[number]

const REQUIRED: Readonly<Record<Action, readonly Name[]>> = {
  verify: ['reassignment-json-file'],
  generate: ['topics-to-move-json-file', 'broker-list'],
  execute: ['reassignment-json-file'],
  cancel: ['reassignment-json-file'],
  list: [],
}
const PERMITTED: Readonly<Record<Action, readonly Name[]>> = {
  verify: ['preserve-throttles'],
  generate: ['disable-rack-aware'],
  execute: ['additional', 'throttle', 'replica-alter-log-dirs-throttle', 'timeout', 'disallow-replication-factor-change'],
  cancel: ['bootstrap-controller', 'preserve-throttles', 'timeout'],
  list: ['bootstrap-controller'],
}
const ALWAYS_PERMITTED: readonly Name[] = ['bootstrap-server', 'command-config', 'zookeeper']

const BROKER_THROTTLES = ['leader.replication.throttled.rate', 'follower.replication.throttled.rate', 'replica.alter.log.dirs.io.max.bytes.per.second']
const TOPIC_THROTTLES = ['leader.replication.throttled.replicas', 'follower.replication.throttled.replicas']

const MOVE_PAUSE_MS = 100

/** Printed without a trace: TerseException. */
class Terse extends Error {
  override readonly name = 'Terse'
}

export const face: Face = async (argv, io) => {
  const options = parseJopt(OPTIONS, argv)
  const action = checkOptions(options, argv)
  let close = (): Promise<void> => Promise.resolve()
  try {
    const properties = await loadProperties(options.value('command-config'))
    const opened = await open(io, options, properties)
    close = () => opened.close()
    await { verify, generate, execute, cancel, list }[action](opened.cluster, options, io)
    return 0
  } catch (error) {
    if (error instanceof Terse) io.out(`${error.message}\n`)
    else {
      const java = toJava(error)
      io.out(`Error: ${java.message === '' ? 'null' : java.message}\n${traceOf(java)}\n`)
    }
    return 1
  } finally {
    await close()
  }
}

function checkOptions(options: Options, argv: readonly string[]): Action {
  maybeHelp(options, argv, 'This tool helps to move topic partitions between replicas.')
  const actions = ACTIONS.filter((action) => options.has(action))
  if (actions.length !== 1) {
    throw options.usage(`Command must include exactly one action: ${ACTIONS.map((action) => `--${action}`).join(', ')}`)
  }
  const [action] = actions
  const hasServer = options.has('bootstrap-server') || options.has('zookeeper')
  const hasController = options.has('bootstrap-controller')
  if (hasServer && hasController) throw options.usage("Please don't specify both --bootstrap-server and --bootstrap-controller")
  if (!hasServer && !hasController) throw options.usage('Please specify either --bootstrap-server or --bootstrap-controller')
  checkRequired(options, ...REQUIRED[action])
  const permitted: readonly Name[] = [action, ...REQUIRED[action], ...PERMITTED[action], ...ALWAYS_PERMITTED]
  const stray = options.given.find((name) => !permitted.includes(name))
  if (stray !== undefined) throw options.usage(`Option "[${stray}]" can't be used with action "[${action}]"`)
  return action
}

/** With --bootstrap-controller the cluster is the active controller. */
async function open(
  io: FaceIo,
  options: Options,
  wished: ReadonlyMap<string, string>,
): Promise<{ readonly cluster: Cluster; close(): Promise<void> }> {
  const properties = new Map([['client.id', 'reassign-partitions-tool'], ...wished])
  if (options.has('bootstrap-controller')) {
    const bootstrapController = options.value('bootstrap-controller')
    if (bootstrapController === undefined) throw nullPointer()
    const admin = await openAdmin(io, { bootstrapController, properties })
    try {
      const cluster = await admin.call('listPartitionReassignments', (active) => Promise.resolve(active))
      return { cluster, close: () => admin.close() }
    } catch (error) {
      await admin.close()
      throw executionException(error)
    }
  }
  const zookeeper = options.value('zookeeper')
  const bootstrapServer = options.value('bootstrap-server') ?? (zookeeper === undefined ? undefined : await brokerForZookeeper(io, zookeeper))
  if (bootstrapServer === undefined) throw nullPointer()
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'reassign-partitions-tool', kind: 'KafkaAdminClient' })
  return { cluster, close: () => cluster.close() }
}

function nullPointer(): JavaError {
  return new JavaError('java.lang.NullPointerException', '')
}

/** Whom to ask for reassignments. */
function activeOne(options: Options): { readonly node: 'controller' | 'any' } {
  return { node: options.has('bootstrap-controller') ? 'any' : 'controller' }
}

async function list(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const reassignments = await asked('listPartitionReassignments', listPartitionReassignments(cluster, activeOne(options)))
  const part = (name: string, ids: readonly number[]): string => (ids.length === 0 ? '' : ` ${name}: ${ids.join(',')}.`)
  const lines = inOrder(reassignments).map((each) => {
    return `${partitionName(each)}: replicas: ${each.replicas.join(',')}.${part('adding', each.adding)}${part('removing', each.removing)}\n`
  })
  io.out(lines.length === 0 ? 'No partition reassignments found.\n' : `Current partition reassignments:\n${lines.join('')}`)
}

async function generate(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const text = await readJavaFile(options.value('topics-to-move-json-file') ?? '')
  const { brokers, topics } = parseGenerate(text, options.value('broker-list') ?? '')
  const current = await assignmentsOf(cluster, topics)
  const directories = await directoriesOf(cluster, current)
  const isRackAware = !options.has('disable-rack-aware')
  const live = (await asked('describeCluster', describeCluster(cluster))).brokers.filter(({ nodeId }) => brokers.includes(nodeId))
  const rackless = live.filter(({ rack }) => rack === null).length
  if (isRackAware && rackless !== 0 && rackless !== live.length) {
    throw operationFailed(
      'Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.',
    )
  }
  const usable = live.map(({ nodeId, rack }) => ({ nodeId, rack: isRackAware ? rack : null }))
  const proposed = propose(current, usable)
  io.out(`Current partition replica assignment\n${planText(current, directories)}\n\n`)
  io.out(`Proposed partition reassignment configuration\n${planText(proposed, [])}\n`)
}

async function execute(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const isAdditional = options.has('additional')
  const text = await readJavaFile(options.value('reassignment-json-file') ?? '')
  const throttle = options.long('throttle') ?? -1
  const directoryThrottle = options.long('replica-alter-log-dirs-throttle') ?? -1
  const timeoutMs = options.long('timeout') ?? 0
  const { partitions, directories } = parseExecutable(text)
  const reassignments = await asked('listPartitionReassignments', listPartitionReassignments(cluster))
  if (!isAdditional && reassignments.length > 0) {
    throw new Terse(
      'Cannot execute because there is an existing partition assignment.  Use --additional to override this and ' +
        'create a new partition assignment in addition to the existing one. The --additional ' +
        'flag can also be used to change the throttle by resubmitting the current reassignment.',
    )
  }
  const { brokers } = await asked('describeCluster', describeCluster(cluster))
  const unknown = brokerOrder(partitions.flatMap(({ replicas }) => replicas)).find((id) => !brokers.some(({ nodeId }) => nodeId === id))
  if (unknown !== undefined) throw commandFailed(`Unknown broker id ${unknown}`)
  const current = await assignmentsFor(cluster, partitions)
  io.out(`Current partition replica assignment\n\n${planText(current, await directoriesOf(cluster, current))}\n\n`)
  io.out('Save this to use as the --reassignment-json-file option during rollback\n')
  if (throttle >= 0 || directoryThrottle >= 0) {
    io.out('Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.\n')
    if (throttle >= 0) await setThrottle(cluster, throttledReplicas(reassignments, partitions, current), throttle, io)
    if (directoryThrottle >= 0) await setDirectoryThrottle(cluster, directories, directoryThrottle, io)
  }
  const allowReplicationFactorChange = !options.has('disallow-replication-factor-change')
  const answers = await asked('alterPartitionReassignments', alterPartitionReassignments(cluster, partitions, { allowReplicationFactorChange }))
  const errors = errorLines(answers)
  if (errors.length > 0) throw new Terse(`Error reassigning partition(s):\n${errors.join('\n')}`)
  io.out(`Successfully started partition reassignment${plural(partitions)} for ${inOrder(partitions).map(partitionName).join(',')}\n`)
  if (directories.length > 0) await executeMoves(cluster, directories, timeoutMs, io)
}

async function verify(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const { partitions, directories } = parsePlan(await readJavaFile(options.value('reassignment-json-file') ?? ''))
  const reassignments = await asked('listPartitionReassignments', listPartitionReassignments(cluster))
  const states = await partitionStates(cluster, partitions, reassignments)
  io.out(`${['Status of partition reassignment:', ...states].join('\n')}\n`)
  const moves = await moveStates(cluster, directories)
  io.out(`${moves.map(({ text }) => text).join('\n')}\n`)
  const isOngoing = reassignments.length > 0 || moves.some(({ isDone }) => !isDone)
  if (!isOngoing && !options.has('preserve-throttles')) await clearThrottles(cluster, partitions, io)
}

async function cancel(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const text = await readJavaFile(options.value('reassignment-json-file') ?? '')
  const timeoutMs = options.long('timeout') ?? 0
  const { partitions, directories } = parsePlan(text)
  const places = [...new Map(partitions.map((each) => [partitionName(each), each])).values()]
  const listed = await asked('listPartitionReassignments', listPartitionReassignments(cluster, { ...activeOne(options), partitions: places }))
  const active = listed.filter(({ adding, removing }) => adding.length > 0 || removing.length > 0)
  if (active.length === 0) io.out('None of the specified partition reassignments are active.\n')
  else {
    const stops = active.map(({ topic, partition }) => ({ topic, partition, replicas: null }))
    const errors = errorLines(await asked('alterPartitionReassignments', alterPartitionReassignments(cluster, stops, activeOne(options))))
    if (errors.length > 0) throw new Terse(`Error cancelling partition reassignment${plural(errors)} for:\n${errors.join('\n')}`)
    io.out(`Successfully cancelled partition reassignment${plural(active)} for: ${inOrder(active).map(partitionName).join(',')}\n`)
  }
  const moving = (await moveStates(cluster, directories)).filter(({ isDone }) => !isDone)
  if (moving.length === 0) io.out('None of the specified partition moves are active.')
  else await executeMoves(cluster, moving.map(({ replica, current }) => ({ ...replica, path: current })), timeoutMs, io)
  if (!options.has('preserve-throttles')) await clearThrottles(cluster, partitions, io)
}

/** Lines of --verify. */
async function partitionStates(cluster: Cluster, partitions: readonly Assignment[], reassignments: readonly Reassignment[]): Promise<string[]> {
  const moving = new Set(reassignments.map(partitionName))
  const places = [...new Map(partitions.map((each) => [partitionName(each), each])).values()]
  const settled = places.filter((each) => !moving.has(partitionName(each)))
  const topics = await described(cluster, settled.map(({ topic }) => topic), undefined)
  return inOrder(places).map((each) => {
    const name = partitionName(each)
    if (moving.has(name)) return `Reassignment of partition ${name} is still in progress.`
    const now = replicasNow(topics.get(each.topic), each.partition).join(',')
    const wanted = each.replicas.join(',')
    if (now === wanted) return `Reassignment of partition ${name} is completed.`
    return `There is no active reassignment of partition ${name}, but replica set is ${now} rather than ${wanted}.`
  })
}

/** Without the topic, or with a partition far behind its last, there are none; just behind it Java's list throws. */
function replicasNow(partitions: readonly Assignment[] | undefined, index: number): readonly number[] {
  if (partitions === undefined || partitions.length < index) return []
  const found = partitions.find(({ partition }) => partition === index)
  if (found === undefined) throw new JavaError('java.lang.IndexOutOfBoundsException', `Index ${index} out of bounds for length ${partitions.length}`)
  return found.replicas
}

interface MoveState {
  readonly replica: Replica
  readonly text: string
  readonly isDone: boolean
  readonly current: string
}

/** How far the moves between directories are, by broker. */
async function moveStates(cluster: Cluster, directories: readonly DirectoryOf[]): Promise<MoveState[]> {
  const places = await asked('describeReplicaLogDirs', describeReplicaLogDirs(cluster, directories))
  const states = places.map(({ topic, partition, broker, current, future }, index): MoveState => {
    const { path } = directories[index]
    const replica = { topic, partition, broker }
    const where = `Partition ${topic}-${partition} on broker ${broker}`
    const name = replicaName(replica)
    const done = (text: string): MoveState => ({ replica, text, isDone: true, current: current ?? '' })
    if (current === undefined) {
      return done(`Partition ${topic}-${partition} is not found in any live log dir on broker ${broker}. There is likely an offline log directory on the broker.`)
    }
    if (future === undefined) {
      return done(current === path ? `Reassignment of replica ${name} completed successfully.` : `${where} is not being moved from log dir ${current} to ${path}.`)
    }
    const text = future === path ? `Reassignment of replica ${name} is still in progress.` : `${where} is being moved to log dir ${future} instead of ${path}.`
    return { replica, text, isDone: false, current }
  })
  return states.sort((a, b) => byBroker(a.replica, b.replica))
}

/** Until each has begun: a replica that moves to another broker is not there at once. */
async function executeMoves(cluster: Cluster, moves: readonly DirectoryOf[], timeoutMs: number, io: FaceIo, clock: Clock = systemClock): Promise<void> {
  const deadline = clock.monotonic() + timeoutMs
  let pending = [...moves].sort(byBroker)
  for (;;) {
    const answers = await asked('alterReplicaLogDirs', alterReplicaLogDirs(cluster, pending))
    const failure = answers.find(({ result }) => !result.ok && result.error.error !== 'REPLICA_NOT_AVAILABLE')
    if (failure !== undefined) throw commandFailed(`Failed to alter dir for ${replicaName(failure)}`)
    for (const [index, { topic, partition, broker, result }] of answers.entries()) {
      if (result.ok) io.out(`Successfully started moving log directory to ${pending[index].path} for replica ${topic}-${partition} with broker ${broker} \n`)
    }
    pending = pending.filter((_, index) => !answers[index].result.ok)
    if (pending.length === 0) return
    if (clock.monotonic() >= deadline) {
      throw new Terse(`Timed out before log directory move${plural(pending)} could be started for: ${pending.map(replicaName).join(',')}`)
    }
    await new Promise<void>((resolve) => clock.after(MOVE_PAUSE_MS, resolve, true))
  }
}

async function setThrottle(cluster: Cluster, { byTopic, brokers }: ReturnType<typeof throttledReplicas>, bytesPerSecond: number, io: FaceIo): Promise<void> {
  const topics = [...byTopic].map(([name, { leaders, followers }]): ResourceChange => {
    return { type: 'topic', name, changes: [set(TOPIC_THROTTLES[0], leaders), set(TOPIC_THROTTLES[1], followers)] }
  })
  await alterConfigs(cluster, topics)
  const rates = BROKER_THROTTLES.slice(0, 2).map((name) => set(name, String(bytesPerSecond)))
  await alterConfigs(cluster, brokers.map((id): ResourceChange => ({ type: 'broker', name: String(id), changes: rates })))
  io.out(`The inter-broker throttle limit was set to ${bytesPerSecond} B/s\n`)
}

async function setDirectoryThrottle(cluster: Cluster, moves: readonly Replica[], bytesPerSecond: number, io: FaceIo): Promise<void> {
  const changes = [set(BROKER_THROTTLES[2], String(bytesPerSecond))]
  await alterConfigs(cluster, brokerOrder(moves.map(({ broker }) => broker)).map((id): ResourceChange => ({ type: 'broker', name: String(id), changes })))
  io.out(`The replica-alter-dir throttle limit was set to ${bytesPerSecond} B/s\n`)
}

async function clearThrottles(cluster: Cluster, partitions: readonly Assignment[], io: FaceIo): Promise<void> {
  const { brokers } = await asked('describeCluster', describeCluster(cluster))
  const ids = brokerOrder([...brokers.map(({ nodeId }) => nodeId), ...partitions.flatMap(({ replicas }) => replicas)])
  io.out(`Clearing broker-level throttles on broker${plural(ids)} ${ids.join(',')}\n`)
  await alterConfigs(cluster, ids.map((id): ResourceChange => ({ type: 'broker', name: String(id), changes: BROKER_THROTTLES.map(unset) })))
  const topics = inHashOrder([...new Set(partitions.map(({ topic }) => topic))], stringHash)
  io.out(`Clearing topic-level throttles on topic${plural(topics)} ${topics.join(',')}\n`)
  await alterConfigs(cluster, topics.map((name): ResourceChange => ({ type: 'topic', name, changes: TOPIC_THROTTLES.map(unset) })))
}

function set(name: string, value: string): ResourceChange['changes'][number] {
  return { name, operation: 'set', value }
}

function unset(name: string): ResourceChange['changes'][number] {
  return { name, operation: 'delete', value: null }
}

async function alterConfigs(cluster: Cluster, resources: readonly ResourceChange[]): Promise<void> {
  if (resources.length === 0) return
  const answers = await asked('incrementalAlterConfigs', incrementalAlterConfigs(cluster, resources))
  for (const { result } of answers) if (!result.ok) throw executionException(result.error)
}

/** Current replicas of `wanted`, all of which must exist. */
async function assignmentsFor(cluster: Cluster, wanted: readonly TopicPartition[]): Promise<Assignment[]> {
  const names = new Set(wanted.map(partitionName))
  const found = (await assignmentsOf(cluster, wanted.map(({ topic }) => topic))).filter((each) => names.has(partitionName(each)))
  const missing = wanted.filter((each) => !found.some((one) => partitionName(one) === partitionName(each)))
  if (missing.length > 0) throw executionException(unknownPartition(`Unable to find partition: ${missing.map(partitionName).join(', ')}`))
  return found
}

async function assignmentsOf(cluster: Cluster, topics: readonly string[]): Promise<Assignment[]> {
  const found = await described(cluster, topics, (topic) => executionException(unknownPartition(`Topic ${topic} not found.`)))
  return [...found.values()].flat()
}

/** A topic that does not exist is left out, or is what `missing` makes of it. */
async function described(
  cluster: Cluster,
  topics: readonly string[],
  missing: ((topic: string) => JavaError) | undefined,
): Promise<Map<string, Assignment[]>> {
  const found = new Map<string, Assignment[]>()
  const names = [...new Set(topics)]
  if (names.length === 0) return found
  for (const [topic, result] of await asked('describeTopics', describeTopics(cluster, names))) {
    if (result.ok) found.set(topic, result.value.partitions.map(({ partition, replicas }) => ({ topic, partition, replicas })))
    else if (result.error.error !== 'UNKNOWN_TOPIC_OR_PARTITION') throw executionException(result.error)
    else if (missing !== undefined) throw missing(topic)
  }
  return found
}

async function directoriesOf(cluster: Cluster, assignments: readonly Assignment[]): Promise<DirectoryOf[]> {
  const replicas = assignments.flatMap(({ topic, partition, replicas }) => replicas.map((broker) => ({ topic, partition, broker })))
  const places = await asked('describeReplicaLogDirs', describeReplicaLogDirs(cluster, replicas))
  return places.flatMap(({ current, topic, partition, broker }) => (current === undefined ? [] : [{ topic, partition, broker, path: current }]))
}

function errorLines(answers: Awaited<ReturnType<typeof alterPartitionReassignments>>): string[] {
  return inOrder(answers).flatMap((each) => (each.result.ok ? [] : [`${partitionName(each)}: ${each.result.error.message}`]))
}

function byBroker(a: Replica, b: Replica): number {
  return a.broker - b.broker || (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1)
}

function unknownPartition(message: string): JavaError {
  return new JavaError('org.apache.kafka.common.errors.UnknownTopicOrPartitionException', message)
}

/** A future's get: what the call failed with is the cause. */
async function asked<T>(call: string, work: Promise<T>): Promise<T> {
  try {
    return await called(call, work)
  } catch (error) {
    throw executionException(error)
  }
}

function plural(items: readonly unknown[]): string {
  return items.length === 1 ? '' : 's'
}
