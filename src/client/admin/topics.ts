// Topics: what there is, and making, growing and deleting them. Changes go to the controller, or to the
// broker that stands in for it.

import { CreatePartitions } from '../../protocol/apis/create-partitions.ts'
import { CreateTopics } from '../../protocol/apis/create-topics.ts'
import { DeleteTopics } from '../../protocol/apis/delete-topics.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { type ConfigEntry, configEntry } from './configs.ts'
import { failed, resultOf, type Result } from './result.ts'

export interface TopicListing {
  readonly name: string
  readonly topicId: string
  readonly isInternal: boolean
}

/** Sorted by name, internal topics included. */
export async function listTopics(cluster: Cluster, wait: Wait = {}): Promise<TopicListing[]> {
  const { topics } = await cluster.metadata(undefined, wait)
  const listed = [...topics.values()].filter(
    ({ error }) => error === undefined || error === 'LEADER_NOT_AVAILABLE',
  )
  return listed
    .map(({ name, topicId, isInternal }) => ({ name, topicId, isInternal }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

export interface NewTopic {
  readonly name: string
  /** Left out: the broker's default. */
  readonly partitions?: number | undefined
  /** Left out: the broker's default. */
  readonly replicationFactor?: number | undefined
  /** Brokers by partition, instead of the two counts. */
  readonly assignments?: readonly (readonly number[])[] | undefined
  readonly configs?: ReadonlyMap<string, string> | undefined
}

export interface CreatedTopic {
  readonly topicId: string // ZERO_UUID from brokers before 2.8
  readonly partitions: number // -1: the broker doesn't say
  readonly replicationFactor: number
  /** null: not authorized to see them, or the broker doesn't say. */
  readonly configs: readonly ConfigEntry[] | null
}

export interface AtController extends Wait {
  /** 'any' where the cluster is one of controllers, whose active one is connected; the controller when left out. */
  readonly node?: 'controller' | 'any'
}

interface ChangeOptions extends Wait {
  readonly validateOnly?: boolean | undefined
}

/** By name, in the order asked. */
export async function createTopics(
  cluster: Cluster,
  topics: readonly NewTopic[],
  options: ChangeOptions = {},
): Promise<Map<string, Result<CreatedTopic>>> {
  const request = {
    topics: topics.map(({ name, partitions = -1, replicationFactor = -1, assignments, configs }) => ({
      name,
      numPartitions: assignments ? -1 : partitions,
      replicationFactor: assignments ? -1 : replicationFactor,
      assignments: (assignments ?? []).map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
      configs: [...(configs ?? [])].map(([key, value]) => ({ name: key, value })),
    })),
    timeoutMs: brokerTimeout(cluster, options),
    validateOnly: options.validateOnly ?? false,
  }
  const response = await cluster.call(CreateTopics, request, {
    ...waitOf(options),
    node: 'controller',
    retryIf: ({ topics }) => isMisdirected(topics),
  })
  forgetTopics(cluster, topics.map(({ name }) => name)) // prettier-ignore
  return inOrder(
    topics.map(({ name }) => name),
    response.topics.map((topic) => {
      const { topicId, numPartitions, replicationFactor } = topic
      // An error here means: made, but its configs are not ours to see.
      const configs =
        topic.topicConfigErrorCode === 0 && topic.configs
          ? topic.configs.map((config) => configEntry(config))
          : null
      const created = { topicId, partitions: numPartitions, replicationFactor, configs }
      return [topic.name, resultOf(topic.errorCode, topic.errorMessage, created)]
    }),
  )
}

/** By name, in the order asked. */
export async function deleteTopics(
  cluster: Cluster,
  names: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<null>>> {
  const version = (await cluster.versionFor(DeleteTopics, 'controller', wait)) ?? 0
  const request = {
    topics: version >= 6 ? names.map((name) => ({ name, topicId: ZERO_UUID })) : [],
    topicNames: [...names],
    timeoutMs: brokerTimeout(cluster, wait),
  }
  const response = await cluster.call(DeleteTopics, request, {
    ...waitOf(wait),
    node: 'controller',
    maxVersion: version, // the request was made for it
    retryIf: ({ responses }) => isMisdirected(responses),
  })
  forgetTopics(cluster, names)
  return inOrder(
    names,
    response.responses.map(({ name, errorCode, errorMessage }) => [
      name ?? '',
      resultOf(errorCode, errorMessage, null),
    ]),
  )
}

/** By topic id, in the order asked (brokers from 2.8 on). */
export async function deleteTopicsById(
  cluster: Cluster,
  topicIds: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<null>>> {
  const version = (await cluster.versionFor(DeleteTopics, 'controller', wait)) ?? 0
  if (version < 6) {
    const error = new KafkaError('UNSUPPORTED_VERSION', 'The broker does not support deleting topics by id.')
    return new Map(topicIds.map((id) => [id, failed(error)]))
  }
  const request = {
    topics: topicIds.map((topicId) => ({ name: null, topicId })),
    timeoutMs: brokerTimeout(cluster, wait),
  }
  const response = await cluster.call(DeleteTopics, request, {
    ...waitOf(wait),
    node: 'controller',
    retryIf: ({ responses }) => isMisdirected(responses),
  })
  cluster.invalidate()
  return inOrder(
    topicIds,
    response.responses.map(({ topicId, errorCode, errorMessage }) => [
      topicId,
      resultOf(errorCode, errorMessage, null),
    ]),
  )
}

export interface NewPartitions {
  readonly topic: string
  /** The new total. */
  readonly count: number
  /** Brokers of each partition that is added. */
  readonly assignments?: readonly (readonly number[])[] | undefined
}

/** By topic, in the order asked. */
export async function createPartitions(
  cluster: Cluster,
  topics: readonly NewPartitions[],
  options: ChangeOptions = {},
): Promise<Map<string, Result<null>>> {
  const request = {
    topics: topics.map(({ topic, count, assignments }) => ({
      name: topic,
      count,
      assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
    })),
    timeoutMs: brokerTimeout(cluster, options),
    validateOnly: options.validateOnly ?? false,
  }
  const response = await cluster.call(CreatePartitions, request, {
    ...waitOf(options),
    node: 'controller',
    retryIf: ({ results }) => isMisdirected(results),
  })
  const names = topics.map(({ topic }) => topic)
  forgetTopics(cluster, names)
  return inOrder(
    names,
    response.results.map(({ name, errorCode, errorMessage }) => [
      name,
      resultOf(errorCode, errorMessage, null),
    ]),
  )
}

/** A broker that isn't the controller refuses the whole request: nothing of it was done. */
export function isMisdirected(items: readonly { readonly errorCode: number }[]): boolean {
  return items.length > 0 && items.every(({ errorCode }) => errorCode === ErrorCode.NOT_CONTROLLER)
}

/** How long the broker may take: as long as we wait for it at most. */
export function brokerTimeout(cluster: Cluster, wait: Wait): number {
  return Math.min(wait.timeoutMs ?? cluster.config.defaultApiTimeoutMs, cluster.config.requestTimeoutMs)
}

/** `options` without what is not for Cluster.call. */
export function waitOf({ timeoutMs, signal }: Wait): Wait {
  return { timeoutMs, signal }
}

function forgetTopics(cluster: Cluster, names: readonly string[]): void {
  for (const name of names) cluster.invalidate(name)
}

/** Answers in the order of the questions; one that is missing is the broker's mistake. */
export function inOrder<T>(
  keys: readonly string[],
  answers: readonly (readonly [string, Result<T>])[],
): Map<string, Result<T>> {
  const byKey = new Map(answers)
  const missing = failed(
    new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this item out of its answer.'),
  )
  return new Map(keys.map((key) => [key, byKey.get(key) ?? missing]))
}
