// Moving a group's offsets: first a plan, row by row, then, if wanted, the commit. The targets are kafka-consumer-groups',
// with its rules for offsets that lie outside of the log; only a group without members can be moved.

import { readFileSync } from 'node:fs'
import {
  alterGroupOffsets, describeGroups, EARLIEST, LATEST, listGroupOffsets, listOffsets, type TopicPartition,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import { type CliError, operationError, usageError } from '../errors.ts'
import type { Place } from '../formats/positions.ts'
import { byPlace, groupError, partitionError, placeOf, placesOfScopes, type TopicScope } from './groups.ts'

/** Where to. `time` in ms since 1970; `plan`: offsets by group and partition, as from a file. */
export type ResetTarget =
  | { readonly to: 'earliest' | 'latest' | 'current' }
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'shift'; readonly by: number }
  | { readonly to: 'time'; readonly timestamp: number }
  /** So many behind the first (`from` start), or before the end; where the log is shorter, its other end. */
  | { readonly to: 'near'; readonly from: 'start' | 'end'; readonly count: number }
  /** Where another group is. */
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'plan'; readonly rows: readonly PlannedOffset[] }

/** A place in the words of `ktool consume --offset`. */
export function targetAt(place: Place): ResetTarget {
  if ('offset' in place) return { to: 'offset', offset: place.offset }
  if ('time' in place) return { to: 'time', timestamp: place.time }
  if ('stored' in place) return place.stored === null ? { to: 'current' } : { to: 'group', group: place.stored }
  if ('plus' in place) return place.plus === 0 ? { to: 'earliest' } : { to: 'near', from: 'start', count: place.plus }
  return place.minus === 0 ? { to: 'latest' } : { to: 'near', from: 'end', count: place.minus }
}

/** A line of a plan in a file; without a group it is for the one group that is named. */
export interface PlannedOffset extends TopicPartition {
  readonly group: string | null
  readonly offset: number
}

export interface ResetRow extends TopicPartition {
  /** null: nothing is committed. */
  readonly from: number | null
  readonly to: number
  /** Why `to` is not what was asked for: the log begins later, ends earlier, or has no record as young as the time. */
  readonly moved: 'first' | 'end' | 'noRecord' | null
  readonly error: CliError | null
}

export interface GroupReset {
  readonly group: string
  /** null: the group does not exist yet. */
  readonly state: string | null
  readonly rows: readonly ResetRow[]
  /** The group can't be moved; there are no rows then. */
  readonly error: CliError | null
}

/** Topics, or all that the group has committed offsets for. */
export type ResetScope = readonly TopicScope[] | 'committed'

/** In the order of the groups. Throws for topics and partitions that don't exist. */
export async function planResets(cluster: Cluster, groups: readonly string[], scope: ResetScope, target: ResetTarget): Promise<GroupReset[]> {
  const described = await describeGroups(cluster, groups)
  const places = scope === 'committed' || target.to === 'plan' ? undefined : await placesOfScopes(cluster, scope)
  const resets: GroupReset[] = []
  for (const [group, result] of described) {
    const isAbsent = !result.ok && result.error.error === 'GROUP_ID_NOT_FOUND'
    if (!result.ok && !isAbsent) {
      resets.push({ group, state: null, rows: [], error: await groupError(cluster, group, result.error) })
      continue
    }
    const state = result.ok ? result.value.state : null
    if (state !== null && state !== 'Empty' && state !== 'Dead') {
      const error = operationError('NON_EMPTY_GROUP', `group '${group}' is ${state}; offsets can be moved while it has no members`, 'stop them first')
      resets.push({ group, state, rows: [], error })
      continue
    }
    resets.push(await planOne(cluster, group, state, places, target, groups.length === 1))
  }
  return resets
}

async function planOne(
  cluster: Cluster,
  group: string,
  state: string | null,
  places: readonly TopicPartition[] | undefined,
  target: ResetTarget,
  isOnly: boolean,
): Promise<GroupReset> {
  const committed = new Map((await listGroupOffsets(cluster, group)).map((each) => [placeOf(each), each]))
  if (target.to === 'plan') {
    const rows = target.rows.filter((row) => (row.group ?? (isOnly ? group : null)) === group)
    if (rows.length === 0) {
      return { group, state, rows: [], error: operationError('NO_PLAN', `the file has no offsets for group '${group}'`) }
    }
    await placesOfScopes(cluster, rows.map(({ topic, partition }) => ({ topic, partitions: [partition] }))) // prettier-ignore
    const wanted = rows.map(({ topic, partition, offset }) => ({ topic, partition, to: offset }))
    return { group, state, rows: await withinLog(cluster, wanted, committed), error: null }
  }
  const all = places ?? [...committed.values()].map(({ topic, partition }) => ({ topic, partition })).sort(byPlace)
  return { group, state, rows: await resetRows(cluster, all, target, committed), error: null }
}

/** What a group has, by `placeOf`. */
type Committed = ReadonlyMap<string, { readonly offset: number }>

/** Throws usage errors for what can't be shifted, and KafkaErrors of partitions whose offsets can't be had. */
export async function resetRows(
  cluster: Cluster,
  places: readonly TopicPartition[],
  target: Exclude<ResetTarget, { readonly to: 'plan' }>,
  committed: Committed,
): Promise<ResetRow[]> {
  const offsetOf = (place: TopicPartition): number | null => committed.get(placeOf(place))?.offset ?? null
  switch (target.to) {
    case 'earliest':
    case 'latest': {
      const offsets = await ask(cluster, places, target.to === 'earliest' ? EARLIEST : LATEST)
      return places.map((place, index) => ({ ...place, from: offsetOf(place), to: offsets[index], moved: null, error: null }))
    }
    case 'current': {
      const ends = await ask(cluster, places, LATEST)
      return places.map((place, index) => ({ ...place, from: offsetOf(place), to: offsetOf(place) ?? ends[index], moved: null, error: null }))
    }
    case 'time': {
      const [found, ends] = [await ask(cluster, places, target.timestamp), await ask(cluster, places, LATEST)]
      return places.map((place, index) => {
        const isThere = found[index] >= 0
        return { ...place, from: offsetOf(place), to: isThere ? found[index] : ends[index], moved: isThere ? null : 'noRecord', error: null }
      })
    }
    case 'near': {
      const [firsts, ends] = [await ask(cluster, places, EARLIEST), await ask(cluster, places, LATEST)]
      return places.map((place, index) => {
        const [first, end] = [firsts[index], ends[index]]
        const to = target.from === 'start' ? Math.min(first + target.count, end) : Math.max(end - target.count, first)
        return { ...place, from: offsetOf(place), to, moved: null, error: null }
      })
    }
    case 'group': {
      const theirs = new Map((await listGroupOffsets(cluster, target.group)).map((each) => [placeOf(each), each.offset]))
      const wanted = places.map((place) => {
        const to = theirs.get(placeOf(place))
        if (to === undefined) throw operationError('NO_OFFSET', `group '${target.group}' has committed nothing for ${placeOf(place)}`)
        return { ...place, to }
      })
      return withinLog(cluster, wanted, committed)
    }
    case 'offset':
      return withinLog(cluster, places.map((place) => ({ ...place, to: target.offset })), committed) // prettier-ignore
    case 'shift': {
      const wanted = places.map((place) => {
        const from = offsetOf(place)
        if (from === null) throw usageError(`nothing is committed for ${placeOf(place)}, so there is nothing to shift`)
        return { ...place, to: from + target.by }
      })
      return withinLog(cluster, wanted, committed)
    }
  }
}

/** Offsets before the first record become the first, those behind the end the end. */
export async function withinLog(
  cluster: Cluster,
  wanted: readonly (TopicPartition & { readonly to: number })[],
  committed: Committed,
): Promise<ResetRow[]> {
  const [firsts, ends] = [await ask(cluster, wanted, EARLIEST), await ask(cluster, wanted, LATEST)]
  return wanted.map(({ topic, partition, to }, index) => {
    const moved = to > ends[index] ? 'end' : to < firsts[index] ? 'first' : null
    const offset = moved === null ? to : moved === 'end' ? ends[index] : firsts[index]
    return { topic, partition, from: committed.get(placeOf({ topic, partition }))?.offset ?? null, to: offset, moved, error: null }
  })
}

/** In the order of the places. Throws for one whose offset can't be had. */
async function ask(cluster: Cluster, places: readonly TopicPartition[], timestamp: number): Promise<number[]> {
  if (places.length === 0) return []
  const answers = await listOffsets(cluster, places.map(({ topic, partition }) => ({ topic, partition, timestamp }))) // prettier-ignore
  return answers.map(({ result }) => {
    if (!result.ok) throw result.error
    return result.value.offset
  })
}

/** Commits what was planned; the rows then say what became of them. */
export async function executeResets(cluster: Cluster, resets: readonly GroupReset[]): Promise<GroupReset[]> {
  const done: GroupReset[] = []
  for (const reset of resets) {
    if (reset.error !== null || reset.rows.length === 0) {
      done.push(reset)
      continue
    }
    const offsets = reset.rows.map(({ topic, partition, to }) => ({ topic, partition, offset: to }))
    const answers = new Map((await alterGroupOffsets(cluster, reset.group, offsets)).map((each) => [placeOf(each), each.result]))
    const rows = reset.rows.map((row) => {
      const result = answers.get(placeOf(row))
      return { ...row, error: result === undefined || result.ok ? null : partitionError(result.error) }
    })
    done.push({ ...reset, rows })
  }
  return done
}

/** The text of the file; `-` is stdin. Usage error when it can't be read. */
export function readPlan(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? `${path} is not there` : code === 'EISDIR' ? `${path} is a directory` : message
    throw usageError(`the plan can't be read: ${why}`, '`ktool groups reset-offsets … --export` prints one')
  }
}

/** The lines of a plan: `topic,partition,offset`, or with the group in front. Usage error for anything else. */
export function parsePlan(text: string): PlannedOffset[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  return lines.map((line, index) => {
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    const [offset, partition] = [cells.at(-1) ?? '', cells.at(-2) ?? '']
    if ((cells.length !== 3 && cells.length !== 4) || !/^\d{1,15}$/.test(offset) || !/^\d{1,9}$/.test(partition)) {
      throw usageError(`line ${index + 1} of the plan is no [group,]topic,partition,offset: '${line}'`)
    }
    return { group: cells.length === 4 ? cells[0] : null, topic: cells.at(-3) ?? '', partition: Number(partition), offset: Number(offset) }
  })
}

/** The same lines; with the group where there are several. */
export function planText(resets: readonly GroupReset[], hasGroups: boolean): string {
  const lines = resets.flatMap(({ group, rows }) => rows.map((row) => `${hasGroups ? `${group},` : ''}${row.topic},${row.partition},${row.to}\n`))
  return lines.join('')
}
