// What kafka-reassign-partitions reads and writes as JSON, and where it would put replicas.

import type { Reassignment, Replica, TopicPartition } from '../../src/client/admin.ts'
import { JavaError } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, partitionHash, stringHash } from '../../src/cli/apache/java-hash.ts'
import { asArray, asObject, field, type JsonNode, parseJson, toInt, toList, toText, tryParseJson } from '../../src/cli/apache/java-json.ts'
import { javaSplit, listText } from '../../src/cli/apache/java-text.ts'
import { integer } from '../../src/cli/apache/jopt.ts'
import { repeated } from '../../src/cli/apache/repeated.ts'

/** The replicas that a partition shall have, or has. */
export interface Assignment extends TopicPartition {
  readonly replicas: readonly number[]
}

/** The log directory that a replica shall be in, or is in. */
export type DirectoryOf = Replica & { readonly path: string }

export interface Plan {
  readonly partitions: readonly Assignment[]
  readonly directories: readonly DirectoryOf[]
}

const ANY_DIRECTORY = 'any'

/** --reassignment-json-file. Throws JavaErrors. */
export function parsePlan(text: string): Plan {
  const fields = asObject(parsed(text))
  checkVersion(fields)
  const partitions: Assignment[] = []
  const directories = new Map<string, DirectoryOf>()
  const list = fields.get('partitions')
  for (const item of list === undefined ? [] : asArray(list)) {
    const { paths, ...assignment } = parseAssignment(item)
    partitions.push(assignment)
    const { topic, partition, replicas } = assignment
    for (const [index, path] of paths.entries()) {
      const place = { topic, partition, broker: replicas[index], path }
      if (path !== ANY_DIRECTORY) directories.set(replicaName(place), place)
    }
  }
  return { partitions, directories: [...directories.values()] }
}

function parsed(text: string): JsonNode {
  try {
    return parseJson(text)
  } catch (error) {
    throw error instanceof JavaError ? operationFailed(error.message) : error
  }
}

function parseAssignment(node: JsonNode): Assignment & { readonly paths: readonly string[] } {
  const fields = asObject(node)
  const topic = toText(field(fields, 'topic'))
  const partition = toInt(field(fields, 'partition'))
  const replicas = toList(field(fields, 'replicas'), toInt)
  const given = fields.get('log_dirs')
  const paths = given === undefined ? replicas.map(() => ANY_DIRECTORY) : toList(given, toText)
  if (replicas.length !== paths.length) {
    throw commandFailed(
      `Size of replicas list ${listText(replicas)} is different from size of log dirs list ${listText(paths)} ` +
        `for partition ${partitionName({ topic, partition })}`,
    )
  }
  return { topic, partition, replicas, paths }
}

/** The plan of --execute, which must be one that can be carried out. */
export function parseExecutable(text: string): Plan {
  const plan = parsePlan(text)
  const { partitions } = plan
  if (partitions.length === 0) throw commandFailed('Partition reassignment list cannot be empty')
  if (partitions.some(({ replicas }) => replicas.length === 0)) throw commandFailed('Partition replica list cannot be empty')
  const twice = repeated(partitions, partitionName)
  if (twice.length > 0) {
    throw commandFailed(`Partition reassignment contains duplicate topic partitions: ${inHashOrder(twice, partitionHash).map(partitionName).join(',')}`)
  }
  const repeating = partitions.map((each) => ({ each, twice: repeated(each.replicas, String) })).filter((item) => item.twice.length > 0)
  if (repeating.length > 0) {
    const texts = repeating.map((item) => `${partitionName(item.each)} contains multiple entries for ${brokerOrder(item.twice).join(',')}`)
    throw commandFailed(`Partition replica lists may not contain duplicate entries: ${texts.join('. ')}`)
  }
  return plan
}

/** What --generate is about. Throws JavaErrors. */
export function parseGenerate(text: string, brokerList: string): { readonly brokers: readonly number[]; readonly topics: readonly string[] } {
  const brokers = javaSplit(brokerList, ',').map((word) => {
    const id = integer(word, 2n ** 31n)
    if (id === undefined) throw new JavaError('java.lang.NumberFormatException', `For input string: "${word}"`)
    return Number(id)
  })
  const brokersTwice = repeated(brokers, String)
  if (brokersTwice.length > 0) throw commandFailed(`Broker list contains duplicate entries: ${listText(brokerOrder(brokersTwice))}`)
  const topics = parseTopics(text)
  const topicsTwice = repeated(topics, (topic) => topic)
  if (topicsTwice.length > 0) {
    throw commandFailed(`List of topics to reassign contains duplicate entries: ${listText(inHashOrder(topicsTwice, stringHash))}`)
  }
  return { brokers, topics }
}

function parseTopics(text: string): string[] {
  const document = tryParseJson(text)
  if (document === undefined) throw operationFailed('The input string is not a valid JSON')
  const fields = asObject(document)
  checkVersion(fields)
  const list = fields.get('topics')
  return list === undefined ? [] : asArray(list).map((item) => toText(field(asObject(item), 'topic')))
}

function checkVersion(fields: ReadonlyMap<string, JsonNode>): void {
  const version = fields.get('version')
  const number = version === undefined ? 1 : toInt(version)
  if (number !== 1) throw operationFailed(`Not supported version field value ${number}`)
}

/** In the form that --reassignment-json-file takes. */
export function planText(assignments: readonly Assignment[], directories: readonly DirectoryOf[]): string {
  const paths = new Map(directories.map((place) => [replicaName(place), place.path]))
  const partitions = inOrder(assignments).map(({ topic, partition, replicas }) => ({
    topic,
    partition,
    replicas,
    log_dirs: replicas.map((broker) => paths.get(replicaName({ topic, partition, broker })) ?? ANY_DIRECTORY),
  }))
  return JSON.stringify({ version: 1, partitions })
}

export interface UsableBroker {
  readonly nodeId: number
  readonly rack: string | null
}

/**
 * As many replicas as before for each partition, over racks and brokers in turn from a place that `random` (below 1) gives.
 * Throws the JavaError of too few brokers.
 */
export function propose(current: readonly Assignment[], brokers: readonly UsableBroker[], random: () => number = Math.random): Assignment[] {
  const topics = new Map<string, Assignment[]>()
  for (const assignment of current) topics.set(assignment.topic, [...(topics.get(assignment.topic) ?? []), assignment])
  return [...topics.values()].flatMap((partitions) => {
    const factor = partitions[0].replicas.length
    if (brokers.length === 0) throw invalidFactor('All brokers are currently fenced, or have all their log directories cordoned.')
    if (factor > brokers.length) {
      throw invalidFactor(
        `The target replication factor of ${factor} cannot be reached because only ${brokers.length} broker(s) are registered ` +
          'or some brokers have all their log directories cordoned.',
      )
    }
    const start = Math.floor(random() * brokers.length)
    return inOrder(partitions).map(({ topic, partition }, index) => {
      const ring = rackByRack(brokers, start + index)
      return { topic, partition, replicas: ring.slice(0, factor) }
    })
  })
}

/** All brokers, each rack giving one in its turn; another one begins for each `turn`. */
function rackByRack(brokers: readonly UsableBroker[], turn: number): number[] {
  const racks = new Map<string | null, number[]>()
  for (const { nodeId, rack } of [...brokers].sort((a, b) => a.nodeId - b.nodeId)) racks.set(rack, [...(racks.get(rack) ?? []), nodeId])
  const turned = rotated([...racks.keys()].sort(), turn).map((rack) => rotated(racks.get(rack) ?? [], Math.floor(turn / racks.size)))
  const longest = Math.max(...turned.map((ids) => ids.length))
  return Array.from({ length: longest }, (_, index) => turned.flatMap((ids) => ids.slice(index, index + 1))).flat()
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

/** Values of leader. and follower.replication.throttled.replicas by topic: who sends, and who takes. */
export function throttledReplicas(
  reassignments: readonly Reassignment[],
  proposed: readonly Assignment[],
  current: readonly Assignment[],
): { readonly byTopic: ReadonlyMap<string, { readonly leaders: string; readonly followers: string }>; readonly brokers: readonly number[] } {
  const moves = new Map<string, TopicPartition & { readonly sources: readonly number[]; readonly destinations: readonly number[] }>()
  for (const { topic, partition, replicas, adding } of reassignments) {
    const sources = replicas.filter((id) => !adding.includes(id))
    moves.set(partitionName({ topic, partition }), { topic, partition, sources, destinations: adding })
  }
  const now = new Map(current.map((assignment) => [partitionName(assignment), assignment.replicas]))
  for (const { topic, partition, replicas } of proposed) {
    const key = partitionName({ topic, partition })
    const sources = moves.get(key)?.sources ?? now.get(key) ?? []
    moves.set(key, { topic, partition, sources, destinations: replicas.filter((id) => !sources.includes(id)) })
  }
  const byTopic = new Map<string, { leaders: string; followers: string }>()
  for (const topic of new Set([...moves.values()].map((move) => move.topic))) {
    const ofTopic = [...moves.values()].filter((move) => move.topic === topic)
    const text = (idsOf: (move: (typeof ofTopic)[number]) => readonly number[]): string =>
      [...new Set(ofTopic.flatMap((move) => idsOf(move).map((id) => `${move.partition}:${id}`)))].sort().join(',')
    byTopic.set(topic, { leaders: text(({ sources }) => sources), followers: text(({ destinations }) => destinations) })
  }
  const brokers = [...new Set([...moves.values()].flatMap(({ sources, destinations }) => [...sources, ...destinations]))]
  return { byTopic, brokers: brokers.sort((a, b) => a - b) }
}

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

/** TopicPartitionReplica.toString. */
export function replicaName({ topic, partition, broker }: Replica): string {
  return `${topic}-${partition}-${broker}`
}

export function inOrder<T extends TopicPartition>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** As a HashSet of Integer gives them out. */
export function brokerOrder(ids: readonly number[]): number[] {
  return inHashOrder([...new Set(ids)], (id) => id)
}

export function commandFailed(message: string): JavaError {
  return new JavaError('org.apache.kafka.tools.AdminCommandFailedException', message)
}

export function operationFailed(message: string): JavaError {
  return new JavaError('org.apache.kafka.tools.AdminOperationException', message)
}

function invalidFactor(message: string): JavaError {
  return new JavaError('org.apache.kafka.common.errors.InvalidReplicationFactorException', message)
}
