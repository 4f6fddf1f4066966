// The regexes of one group: which topics each stands for, when that was looked up, when it has to be looked up again. What
// was found is in the log (by group); when, is not: after a start all are looked up anew.

import { KafkaError } from '../../../protocol/errors.ts'
import type { GroupRecordInput } from '../../../protocol/records/group.ts'
import { LinearRegex } from '../../../protocol/linear-regex.ts'
import type { ConsumerGroup } from './consumer-group.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { regexRecord, regexTombstone } from './records.ts'
import type { ConsumerWorld } from './settings.ts'

export interface RegexLookup {
  /** Of the topics: how many there were at the time. */
  readonly version: number
  /** Monotonic ms. */
  readonly at: number
}

export interface RegexUpdate {
  readonly records: readonly GroupRecordInput[]
  /** What is different from what the group has; null: nobody has the regex any more. */
  readonly changes: ReadonlyMap<string, ReadonlySet<string> | null>
  readonly lookups: ReadonlyMap<string, RegexLookup>
}

export type MayDescribe = (topic: string) => boolean

// Steps of a heartbeat for regexes that are due, 50,000 names or so, or one regex; the next heartbeats do the rest.
const MAX_WORK = 1_500_000

/**
 * For the member `after`, which was `before`: a regex that it brings is looked up, one that it was the last to have goes;
 * then some of those whose time has come, unless it is not known what may be seen (`mayDescribe`). Throws KafkaError INVALID_REGULAR_EXPRESSION for the one that it brings.
 */
export function updateRegexes(
  group: ConsumerGroup,
  before: ConsumerMember,
  after: ConsumerMember,
  known: ReadonlyMap<string, RegexLookup>,
  topicsVersion: number,
  mayDescribe: MayDescribe | undefined,
  { topics, settings, now }: ConsumerWorld,
): RegexUpdate {
  const records: GroupRecordInput[] = []
  const changes = new Map<string, ReadonlySet<string> | null>()
  const lookups = new Map<string, RegexLookup>()
  const look = (regex: string): number => {
    const { found, work } = matchingTopics(regex, topics.topics(), mayDescribe ?? (() => false))
    lookups.set(regex, { version: topicsVersion, at: now.monotonic })
    if (sameSet(group.regexes.get(regex), found)) return work
    changes.set(regex, found)
    records.push(regexRecord(group.id, regex, found, topics.version, now.wall))
    return work
  }
  const isNew = before.regex !== after.regex
  if (isNew && before.regex !== '' && group.regexSubscribers(before.regex) === 1) {
    changes.set(before.regex, null)
    records.push(regexTombstone(group.id, before.regex))
  }
  if (isNew && after.regex !== '' && !group.regexes.has(after.regex)) look(after.regex)

  if (mayDescribe === undefined) return { records, changes, lookups }
  let work = 0
  for (const regex of group.regexes.keys()) {
    const last = known.get(regex)
    const isDue = last === undefined || last.version < topicsVersion || last.at + settings.regexRefreshMs <= now.monotonic
    if (!isDue || changes.has(regex) || work > MAX_WORK) continue
    try {
      work += look(regex)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      // There are too many topics for it by now: what it was resolved to stands.
      lookups.set(regex, { version: topicsVersion, at: now.monotonic })
      work = Infinity
    }
  }
  return { records, changes, lookups }
}

function matchingTopics(regex: string, topics: Iterable<{ readonly name: string }>, mayDescribe: MayDescribe): { found: Set<string>; work: number } {
  const compiled = new LinearRegex('SubscribedTopicRegex', regex)
  const found = compiled.matching(namesOf(topics))
  for (const name of found) if (!mayDescribe(name)) found.delete(name)
  return { found, work: compiled.work }
}

function* namesOf(topics: Iterable<{ readonly name: string }>): Generator<string> {
  for (const { name } of topics) yield name
}

function sameSet(one: ReadonlySet<string> | undefined, other: ReadonlySet<string>): boolean {
  if (one?.size !== other.size) return false
  for (const each of other) if (!one.has(each)) return false
  return true
}
