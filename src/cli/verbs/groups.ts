// What `groups` does, but for moving offsets (group-resets.ts): list, describe and delete groups of any cluster. Names are
// literal. Each group has its own result; nothing here prints. What is not known is null, never 0.

import {
  deleteGroupOffsets, deleteGroups, describeGroups, type GroupDescription, LATEST, listGroupOffsets, listGroups, listOffsets,
  type PartitionResult, type TopicPartition,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { CliError, operationError, usageError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'

export const GROUP_STATES = ['Stable', 'PreparingRebalance', 'CompletingRebalance', 'Empty', 'Dead', 'Assigning', 'Reconciling'] as const
export const GROUP_TYPES = ['Classic', 'Consumer'] as const

export interface GroupEntry {
  readonly group: string
  readonly type: string
  readonly state: string
}

/** Groups of consumers, in order. */
export async function listConsumerGroups(
  cluster: Cluster,
  { states = [], types = [] }: { readonly states?: readonly string[]; readonly types?: readonly string[] } = {},
): Promise<GroupEntry[]> {
  const listings = await listGroups(cluster, { states, types })
  return listings
    .filter(({ protocolType, type }) => ['consumer', ''].includes(protocolType) && ['', ...GROUP_TYPES].includes(type))
    .map(({ groupId, type, state }) => ({ group: groupId, type, state }))
}

/** `text` as one of `words`, whatever its case. */
export function oneOf<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word.toLowerCase() === text.trim().toLowerCase())
  if (found === undefined) throw usageError(`${flag} '${text}' is not one of ${words.join(', ')}`, didYouMean(text, words))
  return found
}

/** One partition as a group sees it, or a member without partitions. */
export interface OffsetRow {
  readonly topic: string | null
  readonly partition: number | null
  readonly leaderEpoch: number | null
  /** null: nothing is committed. */
  readonly offset: number | null
  /** null: the partition has no leader. */
  readonly logEndOffset: number | null
  /** null where one of the two is. */
  readonly lag: number | null
  /** null: nobody reads it. */
  readonly member: GroupDescription['members'][number] | null
}

export interface GroupOffsets {
  readonly group: GroupDescription
  readonly rows: readonly OffsetRow[]
}

/** Groups as the coordinator has them; `failures` for those it has not. */
export interface Described<T> {
  readonly groups: readonly T[]
  readonly failures: readonly { readonly group: string; readonly error: CliError }[]
}

/** In the order of the names. */
export async function describeConsumerGroups(cluster: Cluster, names: readonly string[]): Promise<Described<GroupDescription>> {
  const described = await describeGroups(cluster, names)
  const groups: GroupDescription[] = []
  const failures: { group: string; error: CliError }[] = []
  for (const [group, result] of described) {
    if (result.ok) groups.push(result.value)
    else failures.push({ group, error: await groupError(cluster, group, result.error) })
  }
  return { groups, failures }
}

/**
 * Partitions by member, those with most partitions first, then what is committed and read by nobody; each part in order of
 * topic and partition, as kafka-consumer-groups has them.
 */
export async function describeGroupOffsets(cluster: Cluster, groups: readonly GroupDescription[]): Promise<GroupOffsets[]> {
  return Promise.all(
    groups.map(async (group) => {
      const committed = new Map((await listGroupOffsets(cluster, group.groupId)).map((each) => [placeOf(each), each]))
      const readers = group.members.filter(({ assignment }) => assignment.length > 0)
      const assigned = new Set(readers.flatMap(({ assignment }) => assignment.map(placeOf)))
      const unread = [...committed.values()].filter((each) => !assigned.has(placeOf(each))).sort(byPlace)
      const places = [...readers.flatMap(({ assignment }) => assignment), ...unread]
      const ends = await endOffsets(cluster, places)
      const row = ({ topic, partition }: TopicPartition, member: OffsetRow['member']): OffsetRow => {
        const place = placeOf({ topic, partition })
        const found = committed.get(place)
        const offset = found?.offset ?? null
        const logEndOffset = ends.get(place) ?? null
        const lag = offset === null || logEndOffset === null ? null : logEndOffset - offset
        const leaderEpoch = found === undefined || found.leaderEpoch < 0 ? null : found.leaderEpoch
        return { topic, partition, leaderEpoch, offset, logEndOffset, lag, member }
      }
      const byCount = [...readers].sort((a, b) => b.assignment.length - a.assignment.length)
      const rows = [
        ...byCount.flatMap((member) => [...member.assignment].sort(byPlace).map((place) => row(place, member))),
        ...unread.map((place) => row(place, null)),
      ]
      return { group, rows }
    }),
  )
}

/** By place; left out where they can't be had: no leader, no topic. */
async function endOffsets(cluster: Cluster, places: readonly TopicPartition[]): Promise<Map<string, number>> {
  const distinct = new Map(places.map(({ topic, partition }) => [placeOf({ topic, partition }), { topic, partition, timestamp: LATEST }]))
  if (distinct.size === 0) return new Map()
  const { topics } = await cluster.metadata([...new Set(places.map(({ topic }) => topic))], { fresh: true })
  const led = [...distinct.values()].filter(({ topic, partition }) => {
    return (topics.get(topic)?.partitions.find((each) => each.partition === partition)?.leader ?? -1) >= 0
  })
  const answers = await listOffsets(cluster, led)
  return new Map(answers.flatMap((each) => (each.result.ok ? [[placeOf(each), each.result.value.offset] as const] : [])))
}

export interface GroupOutcome {
  readonly group: string
  readonly error: CliError | null
}

/** In the order of the names. */
export async function removeGroups(cluster: Cluster, names: readonly string[]): Promise<GroupOutcome[]> {
  const results = [...(await deleteGroups(cluster, names))]
  return Promise.all(
    results.map(async ([group, result]) => ({ group, error: result.ok ? null : await groupError(cluster, group, result.error) })),
  )
}

/** What removeGroups would do, as far as can be told without doing it: groups that are there and have no members would go. */
export async function tryRemovingGroups(cluster: Cluster, names: readonly string[]): Promise<GroupOutcome[]> {
  const described = [...(await describeGroups(cluster, names))]
  return Promise.all(
    described.map(async ([group, result]) => {
      if (!result.ok) return { group, error: await groupError(cluster, group, result.error) }
      const isFree = result.value.state === 'Empty' || result.value.state === 'Dead'
      return { group, error: isFree ? null : await groupError(cluster, group, new KafkaError('NON_EMPTY_GROUP')) }
    }),
  )
}

export interface OffsetOutcome extends TopicPartition {
  /** What is committed; null: nothing. */
  readonly offset: number | null
  readonly error: CliError | null
}

/** What deleting offsets would delete: of a topic without partitions, all that the group has committed. */
export async function planOffsetRemoval(cluster: Cluster, group: string, scopes: readonly TopicScope[]): Promise<OffsetOutcome[]> {
  const { failures } = await describeConsumerGroups(cluster, [group])
  if (failures.length > 0) throw failures[0].error
  const committed = [...(await listGroupOffsets(cluster, group))].sort(byPlace)
  return scopes.flatMap(({ topic, partitions }): OffsetOutcome[] => {
    const ofTopic = committed.filter((each) => each.topic === topic)
    if (ofTopic.length === 0) {
      const hint = didYouMean(topic, new Set(committed.map((each) => each.topic)))
      throw operationError('NO_OFFSETS', `group '${group}' has committed nothing for topic '${topic}'`, hint)
    }
    const wanted = partitions ?? ofTopic.map(({ partition }) => partition)
    const offsets = new Map(ofTopic.map(({ partition, offset }) => [partition, offset]))
    return wanted.map((partition) => ({ topic, partition, offset: offsets.get(partition) ?? null, error: null }))
  })
}

/** Throws what the group as a whole is refused. */
export async function removeOffsets(cluster: Cluster, group: string, planned: readonly OffsetOutcome[]): Promise<OffsetOutcome[]> {
  const { refusal, results } = await tryDeleteOffsets(cluster, group, planned)
  if (refusal !== undefined) throw await groupError(cluster, group, refusal)
  const byName = new Map(results.map((each) => [placeOf(each), each.result]))
  return planned.map((each) => {
    const result = byName.get(placeOf(each))
    return { ...each, error: result === undefined || result.ok ? null : partitionError(result.error) }
  })
}

export interface DeletedOffsets {
  /** What the group as a whole is refused; each partition has it too. */
  readonly refusal: KafkaError | undefined
  /** In the order asked. */
  readonly results: readonly PartitionResult<null>[]
}

/** Whatever is committed for these partitions. Throws when the coordinator can't be asked. */
export async function tryDeleteOffsets(cluster: Cluster, group: string, places: readonly TopicPartition[]): Promise<DeletedOffsets> {
  try {
    const results = new Map((await deleteGroupOffsets(cluster, group, places)).map((each) => [placeOf(each), each]))
    return { refusal: undefined, results: places.flatMap((place) => results.get(placeOf(place)) ?? []) }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { refusal: error, results: places.map((place) => ({ ...place, result: { ok: false, error } })) }
  }
}

/** `topic`, or `topic:0,1`. */
export interface TopicScope {
  readonly topic: string
  /** All when left out. */
  readonly partitions?: readonly number[] | undefined
}

export function parseTopicScope(text: string): TopicScope {
  const at = text.indexOf(':')
  if (at < 0) return { topic: text }
  const partitions = text.slice(at + 1).split(',').map((part) => {
    if (!/^\d{1,9}$/.test(part)) throw usageError(`--topic '${text}' names no partitions`, 'write TOPIC, or TOPIC:0,1,2')
    return Number(part)
  }) // prettier-ignore
  return { topic: text.slice(0, at), partitions }
}

/** The partitions that scopes mean. Throws for topics and partitions that don't exist. */
export async function placesOfScopes(cluster: Cluster, scopes: readonly TopicScope[]): Promise<TopicPartition[]> {
  const { topics } = await cluster.metadata([...new Set(scopes.map(({ topic }) => topic))], { fresh: true })
  const places = new Map<string, TopicPartition>()
  for (const { topic, partitions } of scopes) {
    const known = topics.get(topic)?.partitions.map(({ partition }) => partition) ?? []
    const missing = known.length === 0 ? undefined : partitions?.find((partition) => !known.includes(partition))
    if (known.length === 0) {
      const names = (await cluster.metadata()).topics.keys()
      throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `topic '${topic}' does not exist`, didYouMean(topic, names))
    }
    if (missing !== undefined) {
      throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${missing}; it has ${known.length}, from 0`)
    }
    for (const partition of partitions ?? known) places.set(placeOf({ topic, partition }), { topic, partition })
  }
  return [...places.values()].sort(byPlace)
}

export function placeOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

export function byPlace(a: TopicPartition, b: TopicPartition): number {
  return a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1
}

/** With the nearest names for a group that isn't there. */
export async function groupError(cluster: Cluster, group: string, error: KafkaError): Promise<CliError> {
  if (error.error === 'GROUP_ID_NOT_FOUND') {
    const names = (await listConsumerGroups(cluster)).map((each) => each.group)
    return operationError(error.error, `group '${group}' does not exist`, didYouMean(group, names) ?? 'see `ktool groups --list`')
  }
  if (error.error === 'NON_EMPTY_GROUP') return operationError(error.error, `group '${group}' has members`, 'stop them first')
  return new CliError({ code: error.error, message: error.message, exitCode: 1 }, error)
}

export function partitionError(error: KafkaError): CliError {
  if (error.error === 'GROUP_SUBSCRIBED_TO_TOPIC') return operationError(error.error, 'a member of the group reads this topic', 'stop it first')
  return new CliError({ code: error.error, message: error.message, exitCode: 1 }, error)
}
