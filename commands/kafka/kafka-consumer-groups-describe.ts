// kafka-consumer-groups --describe: three tables, each group by itself, in the order of their names.

import { describeGroups, type GroupDescription, type TopicPartition } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import type { FaceIo } from '../../src/cli/apache/face.ts'
import { executionException, illegalArgument, JavaError, wrappedInRuntime } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, stringHash } from '../../src/cli/apache/java-hash.ts'
import { widest } from '../../src/cli/apache/java-text.ts'
import { describeGroupOffsets, type OffsetRow } from '../../src/cli/verbs/groups.ts'
import type { Options } from './kafka-consumer-groups-options.ts'

const MISSING = '-'

/** Prints nothing unless it has all of the groups. */
export async function describe(cluster: Cluster, names: readonly string[], options: Options, io: FaceIo): Promise<void> {
  const described = await describedGroups(cluster, names)
  const groups = described.map(({ group }) => {
    if (group instanceof JavaError) throw group
    return group
  })
  groups.sort((a, b) => (a.groupId < b.groupId ? -1 : 1))
  const isVerbose = options.has('verbose')
  if (options.has('members')) for (const group of groups) printMembers(group, isVerbose, io)
  else if (options.has('state')) for (const group of groups) printState(group, isVerbose, io)
  else for (const { group, rows } of await groupOffsets(cluster, groups)) printOffsets(group, rows, isVerbose, io)
}

export interface Described {
  readonly name: string
  /** Or the ExecutionException of its future. */
  readonly group: GroupDescription | JavaError
}

/** In the order of a hash map. */
export async function describedGroups(cluster: Cluster, names: readonly string[]): Promise<Described[]> {
  if (names.length === 0) return []
  const ordered = inHashOrder(names, stringHash)
  try {
    const results = await describeGroups(cluster, names)
    return ordered.flatMap((name): Described[] => {
      const result = results.get(name)
      if (result === undefined) return []
      if (result.ok) return [{ name, group: result.value }]
      const { error } = result
      const isOther = error.error === 'INCONSISTENT_GROUP_PROTOCOL'
      return [{ name, group: executionException(isOther ? illegalArgument(error.message.replace(/^Group /, 'GroupId ')) : error) }]
    })
  } catch (error) {
    const failure = executionException(error, 'describeConsumerGroups(api=FIND_COORDINATOR)')
    return ordered.map((name) => ({ name, group: failure }))
  }
}

async function groupOffsets(cluster: Cluster, groups: readonly GroupDescription[]) {
  try {
    return await describeGroupOffsets(cluster, groups)
  } catch (error) {
    throw wrappedInRuntime(executionException(error, 'listConsumerGroupOffsets'))
  }
}

/** Says what state the group is in, and whether there is something to show. */
function isShown({ groupId, state }: GroupDescription, count: number, io: FaceIo): boolean {
  switch (state) {
    case 'Dead':
      printError(io, `Consumer group '${groupId}' does not exist.`)
      return false
    case 'Empty':
      io.err(`\nConsumer group '${groupId}' has no active members.\n`)
      break
    case 'PreparingRebalance':
    case 'CompletingRebalance':
    case 'Assigning':
    case 'Reconciling':
      io.err(`\nWarning: Consumer group '${groupId}' is rebalancing.\n`)
      break
    case 'Stable':
      break
    default:
      throw new JavaError('org.apache.kafka.common.KafkaException', `Expected a valid consumer group state, but found '${state}'.`)
  }
  return count > 0
}

function printOffsets(group: GroupDescription, rows: readonly OffsetRow[], isVerbose: boolean, io: FaceIo): void {
  if (!isShown(group, rows.length, io)) return
  const text = (value: string | number | null | undefined): string => (value === null || value === undefined ? MISSING : String(value))
  const table = rows.map((row) => [
    group.groupId, text(row.topic), text(row.partition), ...(isVerbose ? [text(row.leaderEpoch)] : []),
    text(row.offset), text(row.logEndOffset), text(row.lag), text(row.member?.memberId), text(row.member?.host), text(row.member?.clientId),
  ]) // prettier-ignore
  const epoch = isVerbose ? ['LEADER-EPOCH'] : []
  const headings = ['GROUP', 'TOPIC', 'PARTITION', ...epoch, 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'CONSUMER-ID', 'HOST', 'CLIENT-ID']
  const widthOf = (heading: string): number => {
    const column = headings.indexOf(heading)
    return widest(15, table.map((row) => row[column]))
  }
  const widths = headings.map((heading) => {
    if (['GROUP', 'TOPIC', 'CONSUMER-ID', 'HOST'].includes(heading)) return widthOf(heading)
    return heading === 'PARTITION' ? 10 : heading === 'CLIENT-ID' ? 0 : 15
  })
  for (const row of [headings, ...table]) io.out(`\n${aligned(row, widths)}`)
  io.out('\n')
}

function printMembers(group: GroupDescription, isVerbose: boolean, io: FaceIo): void {
  const { members } = group
  const isTable = isShown(group, members.length, io)
  const rows = members.map((member) => ({
    ...member,
    instance: member.instanceId ?? '',
    current: assignmentText(member.assignment),
    target: assignmentText(member.targetAssignment ?? []),
  }))
  // Without members to show the columns keep their least widths.
  const width = (least: number, cell: (row: (typeof rows)[number]) => string): number => widest(least, isTable ? rows.map(cell) : [])
  const hasInstances = isTable && rows.some(({ instance }) => instance !== '')
  const isMigrating = rows.some(({ isUpgraded }) => isUpgraded === true) && rows.some(({ isUpgraded }) => isUpgraded === false)
  const widths = [
    isTable ? Math.max(15, group.groupId.length) : 15, width(15, ({ memberId }) => memberId),
    ...(hasInstances ? [width(17, ({ instance }) => instance)] : []), width(15, ({ host }) => host), width(15, ({ clientId }) => clientId), 15,
  ] // prettier-ignore
  const more = [15, width(20, ({ current }) => current), 15, width(20, ({ target }) => target), ...(isMigrating ? [0] : [])]
  const line = (cells: readonly string[], details: readonly string[]): string => {
    return `${aligned(cells, widths)} ${isVerbose ? aligned(isMigrating ? details : details.slice(0, 4), more) : ''}\n`
  }
  const instanceHeading = hasInstances ? ['GROUP-INSTANCE-ID'] : []
  const headings = ['GROUP', 'CONSUMER-ID', ...instanceHeading, 'HOST', 'CLIENT-ID', '#PARTITIONS']
  io.out(`\n${line(headings, ['CURRENT-EPOCH', 'CURRENT-ASSIGNMENT', 'TARGET-EPOCH', 'TARGET-ASSIGNMENT', 'UPGRADED'])}`)
  for (const { memberId, instance, host, clientId, assignment, epoch, current, target, isUpgraded } of rows) {
    const cells = [group.groupId, memberId, ...(hasInstances ? [instance] : []), host, clientId, String(assignment.length)]
    io.out(line(cells, [String(epoch ?? MISSING), current, String(group.assignmentEpoch ?? MISSING), target, String(isUpgraded ?? MISSING)]))
  }
}

/** `orders:0,1;wide:3`. */
function assignmentText(places: readonly TopicPartition[]): string {
  const topics = [...new Set(places.map(({ topic }) => topic))]
  const texts = topics.map((topic) => {
    const partitions = places.filter((place) => place.topic === topic).map(({ partition }) => partition)
    return `${topic}:${partitions.sort((a, b) => a - b).join(',')}`
  })
  return texts.length === 0 ? MISSING : texts.sort().join(';')
}

function printState(group: GroupDescription, isVerbose: boolean, io: FaceIo): void {
  if (!isShown(group, 1, io)) return
  const { nodeId, host, port } = group.coordinator
  const coordinator = `${host}:${port}  (${nodeId})`
  const epochs = [String(group.epoch ?? MISSING), String(group.assignmentEpoch ?? MISSING)]
  const widths = [Math.max(15, group.groupId.length), Math.max(25, coordinator.length), 20, 20, ...(isVerbose ? [15, 25] : []), 0]
  const headings = ['GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE', ...(isVerbose ? ['GROUP-EPOCH', 'TARGET-ASSIGNMENT-EPOCH'] : []), '#MEMBERS']
  const cells = [group.groupId, coordinator, group.assignor || MISSING, group.state, ...(isVerbose ? epochs : []), String(group.members.length)]
  io.out(`\n${aligned(headings, widths)}\n${aligned(cells, widths)}\n`)
}

function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells.map((cell, at) => cell.padEnd(widths[at])).join(' ')
}

export function printError(io: FaceIo, text: string): void {
  io.out(`\nError: ${text}\n`)
}
