// The quorum of controllers: its voters and observers, and who is added to it or taken from it.

import { AddRaftVoter } from '../../protocol/apis/add-raft-voter.ts'
import { DescribeQuorum } from '../../protocol/apis/describe-quorum.ts'
import { RemoveRaftVoter } from '../../protocol/apis/remove-raft-voter.ts'
import { errorName, KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { brokerTimeout } from './topics.ts'

export interface Quorum {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: number
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
}

export interface QuorumReplica {
  readonly replicaId: number
  /** ZERO_UUID: the quorum doesn't know it. */
  readonly directoryId: string
  readonly logEndOffset: number
  readonly lastFetchTimestamp: number // ms since 1970; -1: not known
  readonly lastCaughtUpTimestamp: number // ms since 1970; -1: not known
  /** Of a controller. */
  readonly endpoints: readonly RaftEndpoint[]
}

export interface RaftEndpoint {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** Throws KafkaError when the cluster refuses. */
export async function describeQuorum(cluster: Cluster, wait: Wait = {}): Promise<Quorum> {
  const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
  const isElsewhere = ({ errorCode }: { errorCode: number }): boolean => errorName(errorCode) === 'NOT_CONTROLLER'
  const response = await cluster.call(DescribeQuorum, { topics }, { ...wait, retryIf: isElsewhere })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  const partition = response.topics.at(0)?.partitions.at(0)
  if (partition === undefined) throw new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left the quorum out of its answer.')
  if (partition.errorCode !== 0) throw KafkaError.from(partition.errorCode, partition.errorMessage)
  const endpoints = new Map(response.nodes.map(({ nodeId, listeners }) => [nodeId, listeners]))
  const replicas = (list: typeof partition.currentVoters): QuorumReplica[] =>
    list.map(({ replicaDirectoryId, ...replica }) => ({
      ...replica,
      directoryId: replicaDirectoryId,
      endpoints: endpoints.get(replica.replicaId) ?? [],
    }))
  const { leaderId, leaderEpoch, highWatermark, currentVoters, observers } = partition
  return { leaderId, leaderEpoch, highWatermark, voters: replicas(currentVoters), observers: replicas(observers) }
}

/** Throws KafkaError when the cluster refuses. */
export async function addRaftVoter(
  cluster: Cluster,
  voter: { readonly id: number; readonly directoryId: string; readonly endpoints: readonly RaftEndpoint[] },
  wait: Wait = {},
): Promise<void> {
  const request = {
    clusterId: null,
    timeoutMs: brokerTimeout(cluster, wait),
    voterId: voter.id,
    voterDirectoryId: voter.directoryId,
    listeners: [...voter.endpoints],
  }
  const { errorCode, errorMessage } = await cluster.call(AddRaftVoter, request, wait)
  if (errorCode !== 0) throw KafkaError.from(errorCode, errorMessage)
}

/** Throws KafkaError when the cluster refuses. */
export async function removeRaftVoter(cluster: Cluster, voter: { readonly id: number; readonly directoryId: string }, wait: Wait = {}): Promise<void> {
  const request = { clusterId: null, voterId: voter.id, voterDirectoryId: voter.directoryId }
  const { errorCode, errorMessage } = await cluster.call(RemoveRaftVoter, request, wait)
  if (errorCode !== 0) throw KafkaError.from(errorCode, errorMessage)
}
