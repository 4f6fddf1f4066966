// Questions to the leaders of partitions: offsets by timestamp, and deleting records. Each leader is asked
// once for all of its partitions; those that have moved meanwhile are asked for again.

import { DeleteRecords } from '../../protocol/apis/delete-records.ts'
import { ListOffsets } from '../../protocol/apis/list-offsets.ts'
import { errorName, KafkaError, type ErrorName } from '../../protocol/errors.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { groupBy } from './group-by.ts'
import { failed, resultOf, type Result } from './result.ts'
import { brokerTimeout } from './topics.ts'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** In one word, as Kafka's logs and directories have it. */
export function placeOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

export type PartitionResult<T> = TopicPartition & { readonly result: Result<T> }

// ListOffsets asks for ends with negative timestamps: −1 latest, −2 earliest, −3 greatest timestamp, −4 earliest on the
// broker's own disk, −5 latest in tiered storage, −6 earliest not yet uploaded. The version from which each may be asked for:
const SPEC_VERSIONS: Readonly<Record<number, number>> = { [-3]: 7, [-4]: 8, [-5]: 9, [-6]: 11 }

export const EARLIEST = -2
export const LATEST = -1

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

export interface OffsetQuestion extends TopicPartition {
  /** Ms since 1970: the first record at or after it. Negative: an end (see SPEC_VERSIONS). */
  readonly timestamp: number
}

export interface OffsetAnswer {
  readonly offset: number // -1: no such record
  readonly timestamp: number // -1: of an end
  readonly leaderEpoch: number
}

/** In the order asked. Throws what Cluster.call throws. */
export function listOffsets(
  cluster: Cluster,
  questions: readonly OffsetQuestion[],
  options: AskOptions & { readonly isolationLevel?: IsolationLevel | undefined } = {},
): Promise<PartitionResult<OffsetAnswer>[]> {
  const isolationLevel = options.isolationLevel === 'read_committed' ? 1 : 0
  return byLeader(cluster, questions, options, async (node, wanted, timeoutMs) => {
    const version = (await cluster.versionFor(ListOffsets, node, { timeoutMs, signal: options.signal })) ?? 0
    const tooNew = wanted.filter(({ timestamp }) => (SPEC_VERSIONS[timestamp] ?? 0) > version)
    const askable = wanted.filter((question) => !tooNew.includes(question))
    const refused = new KafkaError('UNSUPPORTED_VERSION', 'The broker does not support this kind of offset.')
    const answers: PartitionResult<OffsetAnswer>[] = tooNew.map((question) => ({
      ...question,
      result: failed(refused),
    }))
    if (askable.length === 0) return answers
    const topics = byTopic(askable, ({ partition, timestamp }) => ({ partitionIndex: partition, timestamp }))
    const request = {
      replicaId: -1,
      isolationLevel,
      topics,
      timeoutMs: brokerTimeout(cluster, { timeoutMs }),
    }
    const response = await cluster.call(ListOffsets, request, {
      node,
      timeoutMs,
      signal: options.signal,
      maxVersion: version,
    })
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex, errorCode, offset, timestamp, leaderEpoch } of partitions) {
        const result = resultOf(errorCode, null, { offset, timestamp, leaderEpoch })
        answers.push({ topic: name, partition: partitionIndex, result })
      }
    }
    return answers
  })
}

/** Offsets by partition of one topic, −1 where no record is as young as `timestamp`. KafkaError when one has none. */
export async function offsetsAt(
  cluster: Cluster,
  clock: Clock,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  isolationLevel: IsolationLevel,
): Promise<Map<number, number>> {
  const questions = partitions.map((partition) => ({ topic, partition, timestamp }))
  const offsets = new Map<number, number>()
  for (const { partition, result } of await listOffsets(cluster, questions, { isolationLevel, clock })) {
    if (!result.ok) throw result.error
    offsets.set(partition, result.value.offset)
  }
  return offsets
}

export interface DeleteRecordsQuestion extends TopicPartition {
  /** Everything before it goes; -1: everything up to the high watermark. */
  readonly offset: number
}

/** In the order asked; the value is the new start of the log. Throws what Cluster.call throws. */
export function deleteRecords(
  cluster: Cluster,
  questions: readonly DeleteRecordsQuestion[],
  wait: Wait = {},
): Promise<PartitionResult<{ readonly lowWatermark: number }>[]> {
  return byLeader(cluster, questions, wait, async (node, wanted, timeoutMs) => {
    const topics = byTopic(wanted, ({ partition, offset }) => ({ partitionIndex: partition, offset }))
    const request = { topics, timeoutMs: brokerTimeout(cluster, { timeoutMs }) }
    const response = await cluster.call(DeleteRecords, request, { node, timeoutMs, signal: wait.signal })
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, lowWatermark }) => ({
        topic: name,
        partition: partitionIndex,
        result: resultOf(errorCode, null, { lowWatermark }),
      })),
    )
  })
}

function byTopic<Q extends TopicPartition, P>(questions: readonly Q[], toPartition: (question: Q) => P) {
  const groups = groupBy(questions, ({ topic }) => topic)
  return [...groups].map(([name, group]) => ({ name, partitions: group.map(toPartition) }))
}

/** Answers that say the question went to the wrong broker, or came at the wrong moment. */
const MOVED: ReadonlySet<ErrorName> = new Set([
  'NOT_LEADER_OR_FOLLOWER', 'LEADER_NOT_AVAILABLE', 'FENCED_LEADER_EPOCH', 'UNKNOWN_LEADER_EPOCH', 'REPLICA_NOT_AVAILABLE',
  'OFFSET_NOT_AVAILABLE', 'KAFKA_STORAGE_ERROR',
]) // prettier-ignore

interface AskOptions extends Wait {
  readonly clock?: Clock | undefined
}

type Ask<Q, T> = (
  node: number,
  questions: readonly Q[],
  timeoutMs: number,
) => Promise<readonly PartitionResult<T>[]>

export async function byLeader<Q extends TopicPartition, T>(
  cluster: Cluster,
  questions: readonly Q[],
  { clock = systemClock, ...wait }: AskOptions,
  ask: Ask<Q, T>,
): Promise<PartitionResult<T>[]> {
  const { retryBackoffMs, retryBackoffMaxMs, retries, defaultApiTimeoutMs } = cluster.config
  const deadline = clock.monotonic() + (wait.timeoutMs ?? defaultApiTimeoutMs)
  const results = new Map<string, Result<T>>()
  let open: readonly Q[] = questions
  for (let attempt = 0; open.length > 0; attempt++) {
    const timeoutMs = Math.max(deadline - clock.monotonic(), 1)
    for (const [key, result] of await askOnce(cluster, open, { ...wait, timeoutMs }, ask))
      results.set(key, result)
    open = open.filter((question) => {
      const result = results.get(placeOf(question))
      return result && !result.ok && MOVED.has(errorName(result.error.code))
    })
    const pause = backoffMs(attempt, retryBackoffMs, retryBackoffMaxMs)
    if (open.length === 0 || attempt >= retries || clock.monotonic() + pause >= deadline) break
    for (const { topic } of open) cluster.invalidate(topic)
    await new Promise<void>((resolve) => clock.after(pause, resolve, true))
    wait.signal?.throwIfAborted()
  }
  const missing = failed(
    new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this item out of its answer.'),
  )
  return questions.map((question) => ({
    topic: question.topic,
    partition: question.partition,
    result: results.get(placeOf(question)) ?? missing,
  }))
}

async function askOnce<Q extends TopicPartition, T>(
  cluster: Cluster,
  questions: readonly Q[],
  wait: Wait & { readonly timeoutMs: number },
  ask: Ask<Q, T>,
): Promise<Map<string, Result<T>>> {
  const results = new Map<string, Result<T>>()
  const leaders = new Map<number, Q[]>()
  // One question for all topics; leader() below then finds them in the cache.
  await cluster.metadata([...new Set(questions.map(({ topic }) => topic))], wait)
  for (const question of questions) {
    try {
      const { node } = await cluster.leader(question.topic, question.partition, wait)
      const group = leaders.get(node)
      if (group) group.push(question)
      else leaders.set(node, [question])
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      results.set(placeOf(question), failed(error))
    }
  }
  const answers = await Promise.all([...leaders].map(([node, group]) => ask(node, group, wait.timeoutMs)))
  for (const answer of answers.flat()) results.set(placeOf(answer), answer.result)
  return results
}
