// What `topics` does: list, describe, create, alter and delete topics of any cluster. Names are literal unless a pattern is
// asked for. Each topic has its own result; nothing here prints.

import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeConfigs,
  describeTopics,
  listTopics,
  type ConfigEntry,
  type PartitionDescription,
  type Result,
} from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import type { KafkaError } from '../../protocol/errors.ts'
import { CliError, operationError, usageError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { wholeMatcher } from '../whole-match.ts'
import { unknownTopic } from './existing-topic.ts'

/** On the bundled broker, where a topic was left out. */
export const DEFAULT_TOPIC = 'messages'

/** Which topics are meant. No names: all of them. */
export interface TopicSelection {
  readonly names: readonly string[]
  /** Each name is a regular expression that must match a whole topic name. */
  readonly isPattern: boolean
  readonly excludeInternal: boolean
}

export interface TopicDetails {
  readonly name: string
  readonly topicId: string
  readonly internal: boolean
  readonly partitions: readonly PartitionDescription[]
  readonly replicationFactor: number
  /** What is set on the topic itself. */
  readonly configs: Readonly<Record<string, string | null>>
}

export interface NewTopic {
  readonly name: string
  /** undefined: the cluster's default. */
  readonly partitions: number | undefined
  readonly replicationFactor: number | undefined
  /** Brokers by partition; leaves out the two above. */
  readonly assignments: readonly (readonly number[])[] | undefined
  readonly configs: ReadonlyMap<string, string>
}

/** What became of one topic. */
export interface TopicOutcome {
  readonly name: string
  /** False where there was nothing to do, as asked: it existed (--if-not-exists), or didn't (--if-exists). */
  readonly done: boolean
  readonly partitions: number | null
  readonly error: CliError | null
}

/** Names in order. A pattern or name that matches nothing is no error here, as in Kafka. */
export async function listTopicNames(cluster: Cluster, selection: TopicSelection): Promise<string[]> {
  const topics = await listTopics(cluster)
  const isWanted = matcher(selection)
  return topics
    .filter(({ name, isInternal }) => isWanted(name) && !(selection.excludeInternal && isInternal))
    .map(({ name }) => name)
    .sort(byName)
}

export interface SelectedTopics {
  /** In order. */
  readonly names: readonly string[]
  /** Names that are none, each with the error that says so. */
  readonly missing: readonly MissingTopic[]
}

export interface MissingTopic {
  readonly name: string
  readonly error: CliError
}

/** The existing topics that a selection means; `ifExists`: what isn't there is left out. Throws for a pattern without any. */
export async function selectTopics(cluster: Cluster, selection: TopicSelection, ifExists: boolean): Promise<SelectedTopics> {
  const all = await listTopicNames(cluster, { names: [], isPattern: false, excludeInternal: selection.excludeInternal })
  const isWanted = matcher(selection)
  const names = all.filter(isWanted)
  if (ifExists) return { names, missing: [] }
  if (selection.isPattern) {
    if (names.length === 0) throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `no topic matches ${selection.names.join(', ')}`)
    return { names, missing: [] }
  }
  const missing = [...new Set(selection.names)].filter((name) => !all.includes(name))
  return { names, missing: missing.map((name) => ({ name, error: unknownTopic(name, all) })) }
}

/** In the order of the names. */
export async function describeTopicDetails(cluster: Cluster, names: readonly string[]): Promise<TopicDetails[]> {
  if (names.length === 0) return []
  const [topics, configs] = await Promise.all([
    describeTopics(cluster, names),
    describeConfigs(cluster, names.map((name) => ({ type: 'topic' as const, name }))),
  ])
  return names.flatMap((name, i) => {
    const result = topics.get(name)
    if (result === undefined) return []
    if (!result.ok) {
      // Deleted since it was listed.
      if (result.error.error === 'UNKNOWN_TOPIC_OR_PARTITION') return []
      throw result.error
    }
    const topic = result.value
    const entries = configs[i].result
    const own = entries.ok ? entries.value.filter(isTopicsOwn) : []
    return [
      {
        name,
        topicId: topic.topicId,
        internal: topic.isInternal,
        partitions: topic.partitions,
        replicationFactor: topic.partitions[0]?.replicas.length ?? 0,
        configs: Object.fromEntries(own.map(({ name, value }) => [name, value])),
      },
    ]
  })
}

/** `validateOnly`: the broker says what it would do. */
export interface TopicChange {
  readonly validateOnly: boolean
}

export async function createNewTopics(
  cluster: Cluster,
  topics: readonly NewTopic[],
  { ifNotExists, validateOnly }: TopicChange & { readonly ifNotExists: boolean },
): Promise<TopicOutcome[]> {
  const results = await createTopics(cluster, topics, { validateOnly })
  const outcomes: TopicOutcome[] = []
  for (const topic of topics) {
    const result = results.get(topic.name)
    if (result === undefined) continue
    if (result.ok) {
      const { partitions } = result.value
      outcomes.push({ name: topic.name, done: true, partitions: partitions < 0 ? null : partitions, error: null })
    } else if (result.error.error === 'TOPIC_ALREADY_EXISTS' && ifNotExists) {
      outcomes.push({ name: topic.name, done: false, partitions: null, error: null })
    } else {
      outcomes.push({ name: topic.name, done: false, partitions: null, error: await creationError(cluster, topic, result.error) })
    }
  }
  return outcomes
}

/** Kafka can only add partitions. */
export async function growTopics(cluster: Cluster, names: readonly string[], partitions: number, { validateOnly }: TopicChange): Promise<TopicOutcome[]> {
  if (names.length === 0) return []
  const results = await createPartitions(cluster, names.map((topic) => ({ topic, count: partitions })), { validateOnly }) // prettier-ignore
  return names.map((name) => outcome(name, results.get(name), partitions))
}

/** Kafka knows no dry run of this: all that are there would go. */
export async function removeTopics(cluster: Cluster, names: readonly string[], { validateOnly }: TopicChange): Promise<TopicOutcome[]> {
  if (names.length === 0) return []
  if (validateOnly) return names.map((name) => outcome(name, undefined, null))
  const results = await deleteTopics(cluster, names)
  return names.map((name) => outcome(name, results.get(name), null))
}

/** `0:1,1:2` is two partitions, the first on brokers 0 and 1. */
export function parseReplicaAssignment(text: string): number[][] {
  return text.split(',').map((replicas) => {
    return replicas.split(':').map((id) => {
      if (!/^\d+$/.test(id.trim())) throw usageError(`--replica-assignment takes broker ids like 1:2,2:3, not '${text}'`)
      return Number(id)
    })
  })
}

/** From `--config name=value`. */
export function parseTopicConfigs(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw usageError(`--config takes NAME=VALUE, not '${pair}'`)
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()] as const
    }),
  )
}

function matcher({ names, isPattern }: TopicSelection): (name: string) => boolean {
  if (names.length === 0) return () => true
  if (!isPattern) return (name) => names.includes(name)
  const patterns = names.map((name) => {
    try {
      return wholeMatcher(name, new RegExp(`^(?:${name})$`, 'u'))
    } catch {
      throw usageError(`'${name}' is no regular expression`, /(^|[^.])\*/.test(name) ? 'for any text write .*' : null)
    }
  })
  return (name) => patterns.some((matches) => matches(name))
}

function isTopicsOwn({ source }: ConfigEntry): boolean {
  return source === 'DYNAMIC_TOPIC_CONFIG'
}

async function creationError(cluster: Cluster, topic: NewTopic, error: KafkaError): Promise<CliError> {
  if (error.error === 'TOPIC_ALREADY_EXISTS') {
    return operationError(error.error, error.message, '--if-not-exists takes it as it is')
  }
  if (error.error === 'INVALID_CONFIG') {
    const unknown = [...topic.configs.keys()].find((name) => error.message.includes(name))
    if (unknown !== undefined && /unknown/i.test(error.message)) {
      // A dry run without settings tells which there are.
      const trial = await createTopics(cluster, [{ ...topic, configs: new Map() }], { validateOnly: true })
      const created = trial.get(topic.name)
      const known = created?.ok ? (created.value.configs ?? []).map(({ name }) => name) : []
      return operationError(error.error, `there is no topic setting '${unknown}'`, didYouMean(unknown, known))
    }
  }
  return topicError(error)
}

function outcome(name: string, result: Result<null> | undefined, partitions: number | null): TopicOutcome {
  const error = result === undefined || result.ok ? null : topicError(result.error)
  return { name, done: error === null, partitions: error === null ? partitions : null, error }
}

function topicError(error: KafkaError): CliError {
  return new CliError({ code: error.error, message: error.message, exitCode: 1 }, error)
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
