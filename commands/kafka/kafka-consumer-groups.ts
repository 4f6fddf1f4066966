// kafka-consumer-groups (ConsumerGroupCommand of Apache Kafka 4.3): everything but its options (kafka-consumer-groups-options.ts),
// its tables of groups (…-describe.ts) and its resets (…-reset.ts). A failure behind the checks is printed on stdout, and the
// exit code stays 0.

import { deleteGroups, describeTopics, type TopicPartition } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, FaceExit, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { groupListings } from '../../src/cli/apache/group-listings.ts'
import { executionException, illegalArgument, JavaError, throwableText, toJava, wrappedInRuntime } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, partitionHash, stringHash } from '../../src/cli/apache/java-hash.ts'
import { javaSplit, widest } from '../../src/cli/apache/java-text.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { regexProblem } from '../../src/cli/apache/regex-check.ts'
import { type DeletedOffsets, tryDeleteOffsets } from '../../src/cli/verbs/groups.ts'
import { describe, printError } from './kafka-consumer-groups-describe.ts'
import { checkNumbers, type Options, parseOptions } from './kafka-consumer-groups-options.ts'
import { partitionsOfTopic, reset } from './kafka-consumer-groups-reset.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const STATES = ['PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead', 'Empty', 'Assigning', 'Reconciling']
const TYPES = ['Consumer', 'Classic']

export const face: Face = async (argv, io) => {
  const options = parseOptions(argv, io)
  if (options.has('validate-regex')) {
    validateRegex(options, io)
    return 0
  }
  const bootstrapServer = options.has('bootstrap-server') ? undefined : await brokerForZookeeper(io, options.value('zookeeper') ?? '')
  try {
    await run(options, bootstrapServer, io)
  } catch (error) {
    if (error instanceof FaceExit) throw error
    const java = toJava(error)
    if (/\.(IllegalArgument|NumberFormat)Exception$/.test(java.className)) throw options.usage(java.message)
    printError(io, `Executing consumer group command failed due to ${java.message}`)
    io.err(traceOf(java))
  }
  return 0
}

function validateRegex(options: Options, io: FaceIo): void {
  const regex = textOrUsage(options, () => options.value('validate-regex') ?? '')
  const problem = regexProblem(regex)
  io.out(`The regular expression \`${regex}\` is ${problem === undefined ? 'valid' : `invalid: ${problem}`}.\n`)
}

function textOrUsage(options: Options, read: () => string): string {
  try {
    return read()
  } catch (error) {
    throw error instanceof JavaError ? options.usage(error.message) : error
  }
}

async function run(options: Options, bootstrapServer: string | undefined, io: FaceIo): Promise<void> {
  const properties = new Map(await configProperties(options))
  const timeoutMs = Math.max(1, options.long('timeout') ?? 0)
  properties.set('default.api.timeout.ms', String(timeoutMs))
  if (Number(properties.get('request.timeout.ms') ?? 30_000) > timeoutMs) properties.set('request.timeout.ms', String(timeoutMs))
  const server = options.value('bootstrap-server') ?? bootstrapServer
  const cluster = await openCluster(io, { bootstrapServer: server, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
  try {
    checkNumbers(options)
    const groups = async () => (options.has('all-groups') ? await listedGroups(cluster) : [...new Set(options.all('group'))])
    if (options.has('list')) await list(cluster, options, io)
    else if (options.has('describe')) await describe(cluster, await groups(), options, io)
    else if (options.has('delete')) await remove(cluster, await groups(), io)
    else if (options.has('reset-offsets')) await reset(cluster, await groups(), options, io)
    else await removeOffsets(cluster, options, io)
  } finally {
    await cluster.close()
  }
}

async function configProperties(options: Options): Promise<ReadonlyMap<string, string>> {
  const path = options.value('command-config')
  try {
    return await loadProperties(path)
  } catch (error) {
    throw error instanceof JavaError && error.className.startsWith('java.') ? wrappedInRuntime(error) : error
  }
}

async function listedGroups(cluster: Cluster): Promise<string[]> {
  try {
    return (await consumerGroups(cluster, {})).map(({ groupId }) => groupId)
  } catch (error) {
    throw wrappedInRuntime(toJava(error))
  }
}

async function consumerGroups(cluster: Cluster, filters: { readonly states?: readonly string[]; readonly types?: readonly string[] }) {
  try {
    const listings = await groupListings(cluster, filters)
    return listings.filter(({ protocolType, type }) => ['consumer', ''].includes(protocolType) && ['', ...TYPES].includes(type))
  } catch (error) {
    throw executionException(error)
  }
}

async function list(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  if (!options.has('type') && !options.has('state')) {
    for (const group of await listedGroups(cluster)) io.out(`${group}\n`)
    return
  }
  const types = wordsOf(options.value('type') ?? '', TYPES, 'types list')
  const states = wordsOf(options.value('state') ?? '', STATES, 'state list')
  const groups = await consumerGroups(cluster, { types, states })
  const width = widest(15, groups.map(({ groupId }) => groupId)) + 10
  const row = (group: string, type: string, state: string): string => {
    const cells = [group.padEnd(width), ...(options.has('type') ? [type.padEnd(20)] : []), ...(options.has('state') ? [state.padEnd(20)] : [])]
    return `${cells.join(' ')}\n`
  }
  io.out(row('GROUP', 'TYPE', 'STATE'))
  for (const { groupId, type, state } of groups) io.out(row(groupId, type || 'Unknown', state || 'Unknown'))
}

/** The words of a list that may be left out, each as it is written in `known`. */
function wordsOf(text: string, known: readonly string[], what: string): string[] {
  if (text === '') return []
  return javaSplit(text, ',').map((word) => {
    const found = known.find((each) => each.toLowerCase() === word.trim().toLowerCase())
    if (found !== undefined) return found
    throw illegalArgument(`Invalid ${what} '${text}'. Valid ${what.split(' ', 1)[0].replace(/s?$/, 's')} are: ${known.join(', ')}`)
  })
}

async function remove(cluster: Cluster, groups: readonly string[], io: FaceIo): Promise<void> {
  const results = inHashOrder([...(await deleted(cluster, groups))], ([group]) => stringHash(group))
  const names = results.filter(([, result]) => result.ok).map(([group]) => `'${group}'`)
  const failures = results.flatMap(([group, result]) => (result.ok ? [] : [{ group, error: result.error }]))
  if (failures.length === 0) {
    io.out(`Deletion of requested consumer groups (${names.join(', ')}) was successful.\n`)
    return
  }
  printError(io, 'Deletion of some consumer groups failed:')
  for (const { group, error } of failures) io.out(`* Group '${group}' could not be deleted due to: ${throwableText(toJava(error))}\n`)
  if (names.length > 0) io.out(`\nThese consumer groups were deleted successfully: ${names.join(', ')}\n`)
}

type Deleted = Map<string, { readonly ok: true } | { readonly ok: false; readonly error: Error }>

async function deleted(cluster: Cluster, groups: readonly string[]): Promise<Deleted> {
  try {
    return groups.length === 0 ? new Map() : await deleteGroups(cluster, groups)
  } catch (error) {
    const java = toJava(error, 'deleteConsumerGroups(api=FIND_COORDINATOR)')
    return new Map(groups.map((group) => [group, { ok: false, error: java }]))
  }
}

/** The group as a whole was refused. */
const OF_THE_GROUP = new Set(['INVALID_GROUP_ID', 'GROUP_ID_NOT_FOUND', 'GROUP_AUTHORIZATION_FAILED', 'NON_EMPTY_GROUP'])
const OF_PARTITIONS = new Set(['GROUP_SUBSCRIBED_TO_TOPIC', 'TOPIC_AUTHORIZATION_FAILED', 'UNKNOWN_TOPIC_OR_PARTITION'])

interface Deletion extends TopicPartition {
  /** undefined: it succeeded. */
  readonly error: JavaError | undefined
}

async function removeOffsets(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const group = options.value('group') ?? ''
  const { places, unknown } = await deletionPlaces(cluster, options.all('topic'))
  const { refusal, results } = await deletedOffsets(cluster, group, places)
  const error = refusal ?? results.map(({ result }) => (result.ok ? undefined : result.error)).find((each) => each !== undefined)
  if (error === undefined) io.out(`Request succeeded for deleting offsets from group ${group}.\n`)
  else if (OF_THE_GROUP.has(error.error)) printError(io, error.message)
  else if (OF_PARTITIONS.has(error.error)) printError(io, 'Encountered some partition-level error, see the follow-up details.')
  else printError(io, `Encountered some unknown error: ${error.error}`)
  const rows: Deletion[] = results.map(({ topic, partition, result }) => ({ topic, partition, error: result.ok ? undefined : executionException(result.error) }))
  rows.push(...unknown)
  rows.sort((a, b) => (`${a.topic}${a.partition}` < `${b.topic}${b.partition}` ? -1 : 1))
  const width = widest(15, rows.map(({ topic }) => topic))
  const line = (...[topic, partition, status]: readonly string[]) => io.out(`\n${topic.padEnd(width)} ${partition.padEnd(10)} ${status.padEnd(15)}`)
  line('TOPIC', 'PARTITION', 'STATUS')
  for (const { topic, partition, error } of rows) {
    line(topic, partition < 0 ? '-' : String(partition), error === undefined ? 'Successful' : `Error: ${error.message}`)
  }
  io.out('\n')
}

async function deletionPlaces(cluster: Cluster, scopes: readonly string[]): Promise<{ places: TopicPartition[]; unknown: Deletion[] }> {
  const places = [...new Set(scopes)].filter((scope) => scope.includes(':')).flatMap(partitionsOfTopic)
  const unknown: Deletion[] = []
  const names = [...new Set(scopes.filter((scope) => !scope.includes(':')))]
  for (const [topic, result] of await describeTopics(cluster, names)) {
    if (result.ok) places.push(...result.value.partitions.map(({ partition }) => ({ topic, partition })))
    else unknown.push({ topic, partition: -1, error: executionException(result.error) })
  }
  const distinct = new Map(places.map((place) => [`${place.topic}-${place.partition}`, place]))
  return { places: inHashOrder([...distinct.values()], partitionHash), unknown }
}

async function deletedOffsets(cluster: Cluster, group: string, places: readonly TopicPartition[]): Promise<DeletedOffsets> {
  try {
    return await tryDeleteOffsets(cluster, group, places)
  } catch (error) {
    throw toJava(error, 'deleteConsumerGroupOffsets(api=FIND_COORDINATOR)')
  }
}
