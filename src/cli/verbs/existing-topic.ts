// Before records flow: is the topic there? A missing one is made where that is allowed, and otherwise named together with
// those it may have been meant to be.

import { type Clock, systemClock } from '../../base/clock.ts'
import { backoffMs } from '../../client/backoff.ts'
import type { Cluster, TopicMetadata } from '../../client/cluster.ts'
import { ConnectError, TimeoutError } from '../../client/errors.ts'
import { CreateTopics } from '../../protocol/apis/create-topics.ts'
import { ErrorCode, type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { type CliError, operationError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'

/** `create`: we make it, with the broker's defaults. `auto`: the broker may. */
export type IfMissing = 'create' | 'auto' | 'fail'

// How long a topic just made may take to be seen with a leader.
const CREATION_MS = 10_000
const LOOK_AGAIN_MS = 50
const NOT_YET: readonly (ErrorName | undefined)[] = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE']

/** Returns whether the topic had to be made. Throws when it is not there, or can't be used. */
export async function ensureTopic(cluster: Cluster, name: string, ifMissing: IfMissing, clock: Clock = systemClock): Promise<boolean> {
  const found = await look(cluster, name, false)
  if (isUsable(found)) return false
  if (found?.error !== undefined && found.error !== 'UNKNOWN_TOPIC_OR_PARTITION' && found.error !== 'LEADER_NOT_AVAILABLE') {
    throw new KafkaError(found.error)
  }
  if (ifMissing === 'fail' && found?.error !== 'LEADER_NOT_AVAILABLE') throw unknownTopic(name, (await cluster.metadata()).topics.keys())
  if (ifMissing === 'create') await create(cluster, name)
  const deadline = clock.monotonic() + CREATION_MS
  while (clock.monotonic() < deadline) {
    const topic = await look(cluster, name, ifMissing === 'auto')
    if (isUsable(topic)) return found?.error !== 'LEADER_NOT_AVAILABLE'
    if (topic?.error !== undefined && !NOT_YET.includes(topic.error)) throw new KafkaError(topic.error)
    await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve, true))
  }
  if (ifMissing !== 'auto') throw new KafkaError('LEADER_NOT_AVAILABLE')
  throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `topic '${name}' does not exist, and the broker did not create it`, 'create it with `ktool topics --create`')
}

/**
 * Waits for the topic as Java's producer does: the broker may make it, an unreachable one is tried again. Throws KafkaError
 * where waiting is of no use, and TimeoutError after `maxBlockMs`, both in Java's words; what it likes once aborted.
 */
export async function awaitTopic(cluster: Cluster, name: string, maxBlockMs: number, signal: AbortSignal, clock: Clock = systemClock): Promise<void> {
  const deadline = clock.monotonic() + maxBlockMs
  for (let attempt = 0; ; attempt++) {
    const error = await cluster
      .metadata([name], { fresh: true, allowAutoTopicCreation: true, timeoutMs: Math.max(1, deadline - clock.monotonic()), signal })
      .then(({ topics }) => topicError(topics.get(name)), (thrown: unknown) => mayPass(thrown)) // prettier-ignore
    if (error === undefined) return
    if (error === 'INVALID_TOPIC_EXCEPTION') throw new KafkaError(error, `Invalid topics: [${name}]`)
    if (error === 'TOPIC_AUTHORIZATION_FAILED') throw new KafkaError(error, `Not authorized to access topics: [${name}]`)
    if (!NOT_YET.includes(error)) throw new KafkaError(error)
    const pause = backoffMs(attempt, LOOK_AGAIN_MS, cluster.config.retryBackoffMaxMs)
    if (clock.monotonic() + pause >= deadline) throw new TimeoutError(`Topic ${name} not present in metadata after ${maxBlockMs} ms.`)
    signal.throwIfAborted()
    await new Promise<void>((resolve) => clock.after(pause, resolve, true))
    signal.throwIfAborted()
  }
}

function topicError(topic: TopicMetadata | undefined): ErrorName | undefined {
  if (topic?.error !== undefined) return topic.error
  return isUsable(topic) ? undefined : 'LEADER_NOT_AVAILABLE'
}

/** As an answer that there is no leader yet; rethrows what time doesn't mend. */
function mayPass(error: unknown): ErrorName {
  if (error instanceof TimeoutError || (error instanceof ConnectError && error.retriable)) return 'LEADER_NOT_AVAILABLE'
  throw error
}

/** The error for a topic that isn't there, with the nearest of `names`, which are those there are. */
export function unknownTopic(name: string, names: Iterable<string>): CliError {
  const hint = didYouMean(name, names) ?? `see \`ktool topics --list\`, or create it with \`ktool topics --create --topic ${name}\``
  return operationError('UNKNOWN_TOPIC_OR_PARTITION', `topic '${name}' does not exist`, hint)
}

async function look(cluster: Cluster, name: string, allowAutoTopicCreation: boolean): Promise<TopicMetadata | undefined> {
  return (await cluster.metadata([name], { fresh: true, allowAutoTopicCreation })).topics.get(name)
}

function isUsable(topic: TopicMetadata | undefined): boolean {
  return topic?.error === undefined && topic !== undefined && topic.partitions.some(({ leader }) => leader >= 0)
}

async function create(cluster: Cluster, name: string): Promise<void> {
  const { defaultApiTimeoutMs: timeoutMs } = cluster.config
  const topics = [{ name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] }]
  const response = await cluster.call(CreateTopics, { topics, timeoutMs, validateOnly: false }, { node: 'controller' })
  const { errorCode = 0, errorMessage = null } = response.topics.at(0) ?? {}
  if (errorCode !== 0 && errorCode !== ErrorCode.TOPIC_ALREADY_EXISTS) throw KafkaError.from(errorCode, errorMessage)
}
