// Where replicas are: elections of leaders, moves to other brokers and to other log directories.

import { AlterPartitionReassignments } from '../../protocol/apis/alter-partition-reassignments.ts'
import { AlterReplicaLogDirs } from '../../protocol/apis/alter-replica-log-dirs.ts'
import { ElectLeaders } from '../../protocol/apis/elect-leaders.ts'
import { errorName, KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { describeLogDirs } from './cluster-info.ts'
import { groupBy } from './group-by.ts'
import type { PartitionResult, TopicPartition } from './partitions.ts'
import { failed, resultOf, type Result } from './result.ts'
import { type AtController, brokerTimeout, isMisdirected, waitOf } from './topics.ts'

/** ElectionType, by its codes. */
const ELECTION_TYPES = { preferred: 0, unclean: 1 } as const
export type ElectionType = keyof typeof ELECTION_TYPES

/** `partitions` null: all that need an election; the others are left out of the answer. Throws what the cluster refuses whole. */
export async function electLeaders(
  cluster: Cluster,
  type: ElectionType,
  partitions: readonly TopicPartition[] | null,
  wait: Wait = {},
): Promise<PartitionResult<null>[]> {
  const topicPartitions = partitions && [...groupBy(partitions, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    partitions: group.map(({ partition }) => partition),
  })) // prettier-ignore
  const request = { electionType: ELECTION_TYPES[type], topicPartitions, timeoutMs: brokerTimeout(cluster, wait) }
  const response = await cluster.call(ElectLeaders, request, {
    ...waitOf(wait),
    node: 'controller',
    retryIf: (answer) => isMisdirected([answer]),
  })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode)
  return response.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
    partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
      topic,
      partition: partitionId,
      result: resultOf(errorCode, errorMessage, null),
    })),
  )
}

export interface NewReassignment extends TopicPartition {
  /** null: the move that is under way is called off. */
  readonly replicas: readonly number[] | null
}

/** In the order of the answer. Throws what the cluster refuses whole. */
export async function alterPartitionReassignments(
  cluster: Cluster,
  moves: readonly NewReassignment[],
  options: AtController & { readonly allowReplicationFactorChange?: boolean } = {},
): Promise<PartitionResult<null>[]> {
  const { allowReplicationFactorChange = true, node = 'controller', ...wait } = options
  const version = (await cluster.versionFor(AlterPartitionReassignments, node, waitOf(wait))) ?? 0
  if (!allowReplicationFactorChange && version < 1) {
    throw new KafkaError('UNSUPPORTED_VERSION', 'The broker does not support the AllowReplicationFactorChange option for the AlterPartitionReassignments API.')
  }
  const topics = [...groupBy(moves, ({ topic }) => topic)].map(([name, group]) => ({
    name,
    partitions: group.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas: replicas && [...replicas] })),
  }))
  const request = { timeoutMs: brokerTimeout(cluster, wait), allowReplicationFactorChange, topics }
  const response = await cluster.call(AlterPartitionReassignments, request, {
    ...waitOf(wait),
    node,
    maxVersion: version,
    retryIf: (answer) => isMisdirected([answer]),
  })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  return response.responses.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode, errorMessage }) => ({
      topic: name,
      partition: partitionIndex,
      result: resultOf(errorCode, errorMessage, null),
    })),
  )
}

/** One replica of a partition: the one on `broker`. */
export interface Replica extends TopicPartition {
  readonly broker: number
}

/** In the order asked; the broker answers once the move has begun, or says why it does not. Throws what Cluster.call throws. */
export async function alterReplicaLogDirs(
  cluster: Cluster,
  moves: readonly (Replica & { readonly path: string })[],
  wait: Wait = {},
): Promise<(Replica & { readonly result: Result<null> })[]> {
  const asked = [...groupBy(moves, ({ broker }) => broker)].map(async ([node, group]) => {
    const dirs = [...groupBy(group, ({ path }) => path)].map(([path, replicas]) => ({
      path,
      topics: [...groupBy(replicas, ({ topic }) => topic)].map(([name, all]) => ({ name, partitions: all.map(({ partition }) => partition) })),
    }))
    const { results } = await cluster.call(AlterReplicaLogDirs, { dirs }, { ...waitOf(wait), node })
    return results.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => ({
        topic: topicName,
        partition: partitionIndex,
        broker: node,
        result: resultOf(errorCode, null, null),
      })),
    )
  })
  const answers = new Map((await Promise.all(asked)).flat().map((answer) => [keyOf(answer), answer.result]))
  const missing = failed(new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this item out of its answer.'))
  return moves.map((move) => ({ ...move, result: answers.get(keyOf(move)) ?? missing }))
}

export interface ReplicaLogDirs {
  /** undefined: in none that works. */
  readonly current: string | undefined
  /** Where it is being moved to. */
  readonly future: string | undefined
}

/** In the order asked. Throws KafkaError when a broker can't be asked, or has a directory in trouble that is not the disk's. */
export async function describeReplicaLogDirs(
  cluster: Cluster,
  replicas: readonly Replica[],
  wait: Wait = {},
): Promise<(Replica & ReplicaLogDirs)[]> {
  const found = new Map<string, { current: string | undefined; future: string | undefined }>()
  const asked = [...groupBy(replicas, ({ broker }) => broker)].map(async ([node, group]) => {
    const topics = [...groupBy(group, ({ topic }) => topic)].map(([topic, all]) => ({ topic, partitions: all.map(({ partition }) => partition) }))
    const answer = (await describeLogDirs(cluster, [node], { ...wait, topics })).get(node)
    if (answer?.ok !== true) throw answer?.error ?? new KafkaError('UNKNOWN_SERVER_ERROR')
    for (const { path, error, replicas: held } of answer.value) {
      if (error !== undefined && errorName(error.code) !== 'KAFKA_STORAGE_ERROR') throw error
      for (const { topic, partition, isFuture } of error === undefined ? held : []) {
        const key = keyOf({ topic, partition, broker: node })
        const place = found.get(key) ?? { current: undefined, future: undefined }
        found.set(key, isFuture ? { ...place, future: path } : { ...place, current: path })
      }
    }
  })
  await Promise.all(asked)
  return replicas.map((replica) => ({ ...replica, ...(found.get(keyOf(replica)) ?? { current: undefined, future: undefined }) }))
}

function keyOf({ topic, partition, broker }: Replica): string {
  return `${topic}-${partition}-${broker}`
}
