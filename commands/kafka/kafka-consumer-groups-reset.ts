// kafka-consumer-groups --reset-offsets (OffsetsUtils of Apache Kafka 4.3): a plan for each group without members, its commit
// with --execute, and the plan as a table or as CSV. Rows come in the order of Java's hash maps.

import { systemClock } from '../../src/base/clock.ts'
import { alterGroupOffsets, describeTopics, listGroupOffsets, type PartitionDescription, type TopicPartition } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { csvCell, parsePlan, type PlanRow, planText } from '../../src/cli/apache/csv-plan.ts'
import type { FaceIo } from '../../src/cli/apache/face.ts'
import { executionException, illegalArgument, JavaError, toJava, wrappedInRuntime } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, partitionHash, stringHash } from '../../src/cli/apache/java-hash.ts'
import { javaSplit, widest } from '../../src/cli/apache/java-text.ts'
import { javaDateTime, javaDuration } from '../../src/cli/apache/java-time.ts'
import { integer } from '../../src/cli/apache/jopt.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { resetRows, type ResetRow, type ResetTarget, withinLog } from '../../src/cli/verbs/group-resets.ts'
import { describedGroups, printError } from './kafka-consumer-groups-describe.ts'
import type { Options } from './kafka-consumer-groups-options.ts'

interface Plan {
  readonly group: string
  readonly rows: readonly (TopicPartition & { readonly to: number })[]
}

export async function reset(cluster: Cluster, groups: readonly string[], options: Options, io: FaceIo): Promise<void> {
  const plans: Plan[] = []
  for (const { name, group } of await describedGroups(cluster, groups)) {
    if (group instanceof JavaError) {
      if (!group.message.startsWith('org.apache.kafka.common.errors.GroupIdNotFoundException')) throw wrappedInRuntime(group)
    } else if (group.state !== 'Empty' && group.state !== 'Dead') {
      printError(io, `Assignments can only be reset if the group '${name}' is inactive, but the current state is ${group.state}.`)
      plans.push({ group: name, rows: [] })
      continue
    }
    const rows = inHashOrder(await planned(cluster, name, options, io), partitionHash)
    if (options.has('execute')) await commit(cluster, name, rows)
    plans.push({ group: name, rows })
  }
  const inOrder = inHashOrder(plans, ({ group }) => stringHash(group))
  if (options.has('export')) io.out(`${csv(inOrder, options.all('group').length !== 1)}\n`)
  else printTable(inOrder, io)
}

async function commit(cluster: Cluster, group: string, rows: Plan['rows']): Promise<void> {
  const offsets = rows.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))
  const answers = await alterGroupOffsets(cluster, group, offsets).catch((error: unknown) => {
    throw toJava(error, 'alterConsumerGroupOffsets(api=FIND_COORDINATOR)')
  })
  const failed = answers.find(({ result }) => !result.ok)
  if (failed?.result.ok !== false) return
  const names = answers.filter(({ result }) => !result.ok).map(({ topic, partition }) => `${topic}-${partition}`)
  const { className } = toJava(failed.result.error)
  throw new JavaError(className, `Failed altering group offsets for the following partitions: [${names.join(', ')}]`)
}

function csv(plans: readonly Plan[], hasGroups: boolean): string {
  const lines = plans.flatMap(({ group, rows }) => {
    return rows.map(({ topic, partition, to }) => `${hasGroups ? `${csvCell(group)},` : ''}${csvCell(topic)},${partition},${to}\n`)
  })
  return lines.join('')
}

function printTable(plans: readonly Plan[], io: FaceIo): void {
  const groupWidth = widest(15, plans.map(({ group }) => group))
  const topicWidth = widest(15, plans.flatMap(({ rows }) => rows.map(({ topic }) => topic)))
  const line = (group: string, topic: string, partition: string, offset: string) => {
    io.out(`\n${group.padEnd(groupWidth)} ${topic.padEnd(topicWidth)} ${partition.padEnd(10)} ${offset}`)
  }
  if (plans.length > 0) line('GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET')
  for (const { group, rows } of plans) for (const { topic, partition, to } of rows) line(group, topic, String(partition), String(to))
  io.out('\n')
}

async function planned(cluster: Cluster, group: string, options: Options, io: FaceIo): Promise<Plan['rows']> {
  const committed = new Map((await committedOffsets(cluster, group)).map((each) => [`${each.topic}-${each.partition}`, each]))
  const places = options.has('all-topics')
    ? inHashOrder([...committed.values()].map(({ topic, partition }) => ({ topic, partition })), partitionHash) // prettier-ignore
    : await placesOfTopics(cluster, options)
  await checkPlaces(cluster, places)
  const target = targetOf(options)
  if (target === 'file') return fromFile(cluster, group, options, io)
  if (target.to === 'shift') {
    const unmoved = places.find(({ topic, partition }) => !committed.has(`${topic}-${partition}`))
    if (unmoved !== undefined) {
      throw illegalArgument(`Cannot shift offset for partition ${unmoved.topic}-${unmoved.partition} since there is no current committed offset`)
    }
  }
  const rows = await asked(resetRows(cluster, places, target, committed))
  const wanted = new Map(rows.map((row) => [row, target.to === 'shift' ? (row.from ?? 0) + target.by : target.to === 'offset' ? target.offset : row.to]))
  report(rows, (row) => wanted.get(row) ?? row.to, io)
  return rows
}

async function committedOffsets(cluster: Cluster, group: string) {
  try {
    return await listGroupOffsets(cluster, group)
  } catch (error) {
    throw wrappedInRuntime(executionException(error, 'listConsumerGroupOffsets(api=FIND_COORDINATOR)'))
  }
}

/** What Java's client throws for a list of offsets. */
async function asked(rows: Promise<ResetRow[]>): Promise<ResetRow[]> {
  try {
    return await rows
  } catch (error) {
    throw wrappedInRuntime(executionException(error, 'listOffsets'))
  }
}

/** Says which rows are not as `wanted`. */
function report(rows: readonly ResetRow[], wanted: (row: ResetRow) => number, io: FaceIo): void {
  for (const row of inHashOrder(rows, partitionHash)) {
    const { topic, partition, to, moved } = row
    if (moved === 'noRecord') io.out(`\nWarn: Partition ${partition} from topic ${topic} is empty. Falling back to latest known offset.\n`)
    else if (moved !== null) {
      const than = moved === 'end' ? 'higher than latest' : 'lower than earliest'
      const text = `New offset (${wanted(row)}) is ${than} offset for topic partition ${topic}-${partition}. Value will be set to ${to}`
      logLine(io, 'WARN', text, 'org.apache.kafka.tools.OffsetsUtils')
    }
  }
}

type OnTheSpot = Exclude<ResetTarget, { readonly to: 'plan' }>

function targetOf(options: Options): OnTheSpot | 'file' {
  if (options.has('to-offset')) return { to: 'offset', offset: Number(options.all('to-offset')[0]) }
  if (options.has('to-earliest')) return { to: 'earliest' }
  if (options.has('to-latest')) return { to: 'latest' }
  if (options.has('shift-by')) return { to: 'shift', by: options.long('shift-by') ?? 0 }
  if (options.has('to-datetime')) return { to: 'time', timestamp: dateTime(options.all('to-datetime')[0]) }
  if (options.has('by-duration')) return { to: 'time', timestamp: systemClock.now() - javaDuration(options.value('by-duration') ?? '') }
  if (options.has('from-file')) return 'file'
  if (options.has('to-current')) return { to: 'current' }
  const scenarios = ['to-offset', 'shift-by', 'to-datetime', 'by-duration', 'to-earliest', 'to-latest', 'to-current', 'from-file']
  throw options.usage(`Option '[reset-offsets]' requires one of the following scenarios: [${scenarios.map((name) => `[${name}]`).join(', ')}]`)
}

function dateTime(text: string): number {
  try {
    return javaDateTime(text)
  } catch (error) {
    throw error instanceof JavaError ? wrappedInRuntime(error) : error
  }
}

async function fromFile(cluster: Cluster, group: string, options: Options, io: FaceIo): Promise<Plan['rows']> {
  const groups = options.all('group')
  const path = options.all('from-file')[0]
  let plan: readonly PlanRow[] = []
  // The file is read once to see whether there is a plan, and once for it; what is wrong with it is said as often.
  for (let times = 0; times < 2; times++) plan = parsePlan(await planText(path), groups.length === 1 ? groups[0] : undefined, io)
  const rows = plan.filter((row) => row.group === group)
  if (rows.length === 0) {
    printError(io, `No reset plan for group ${group} found`)
    return []
  }
  const wanted = new Map(rows.map((row) => [`${row.topic}-${row.partition}`, row]))
  const places = [...wanted.values()].map(({ topic, partition, offset }) => ({ topic, partition, to: offset }))
  const result = await asked(withinLog(cluster, places, new Map()))
  report(result, ({ topic, partition }) => wanted.get(`${topic}-${partition}`)?.offset ?? 0, io)
  return result
}

async function placesOfTopics(cluster: Cluster, options: Options): Promise<TopicPartition[]> {
  if (!options.has('topic')) {
    if (!options.has('from-file')) throw options.usage('One of the reset scopes should be defined: --all-topics, --topic.')
    return []
  }
  const scopes = options.all('topic')
  const places = scopes.filter((scope) => scope.includes(':')).flatMap(partitionsOfTopic)
  for (const [topic, partitions] of await partitionsByTopic(cluster, scopes.filter((scope) => !scope.includes(':')))) { // prettier-ignore
    places.push(...partitions.map(({ partition }) => ({ topic, partition })))
  }
  return [...new Map(places.map((place) => [`${place.topic}-${place.partition}`, place])).values()]
}

/** `topic:0,1`. Throws IllegalArgumentException. */
export function partitionsOfTopic(scope: string): TopicPartition[] {
  const parts = javaSplit(scope, ':')
  if (parts.length !== 2) throw illegalArgument(`Invalid topic arg '${scope}', expected topic name and partitions`)
  return javaSplit(parts[1], ',').map((text) => {
    const partition = integer(text, 2n ** 31n)
    if (partition === undefined) throw illegalArgument(`Invalid partition '${text}' specified in topic arg '${scope}''`)
    return { topic: parts[0], partition: Number(partition) }
  })
}

/** Throws for the first topic that can't be described. */
async function partitionsByTopic(cluster: Cluster, topics: readonly string[]): Promise<[string, readonly PartitionDescription[]][]> {
  const described = await describeTopics(cluster, [...new Set(topics)]).catch((error: unknown) => {
    throw toJava(error, 'describeTopics')
  })
  return [...described].map(([topic, result]) => {
    if (!result.ok) throw toJava(result.error)
    return [topic, result.value.partitions]
  })
}

/** Each must be there, and have a leader. */
async function checkPlaces(cluster: Cluster, places: readonly TopicPartition[]): Promise<void> {
  const found = await partitionsByTopic(cluster, places.map(({ topic }) => topic)).catch((error: unknown) => { // prettier-ignore
    throw wrappedInRuntime(executionException(error))
  })
  const leaders = new Map<string, number>(found.flatMap(([topic, partitions]) => partitions.map(({ partition, leader }) => [`${topic}-${partition}`, leader] as const)))
  const names = places.map(({ topic, partition }) => `${topic}-${partition}`)
  const missing = names.filter((name) => !leaders.has(name))
  const errors = 'org.apache.kafka.common.errors'
  if (missing.length > 0) throw new JavaError(`${errors}.UnknownTopicOrPartitionException`, `The partitions "${missing.join(',')}" do not exist`)
  const leaderless = names.filter((name) => (leaders.get(name) ?? -1) < 0)
  if (leaderless.length > 0) throw new JavaError(`${errors}.LeaderNotAvailableException`, `The partitions "${leaderless.join(',')}" have no leader`)
}
