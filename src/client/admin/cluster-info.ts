// The cluster itself: its brokers, and what lies in their directories.

import { DescribeCluster } from '../../protocol/apis/describe-cluster.ts'
import { DescribeLogDirs } from '../../protocol/apis/describe-log-dirs.ts'
import { UnregisterBroker } from '../../protocol/apis/unregister-broker.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BrokerNode, Cluster, Wait } from '../cluster.ts'
import { failed, resultOf, type Result } from './result.ts'
import { waitOf } from './topics.ts'

export interface ClusterDescription {
  readonly clusterId: string | null
  readonly controllerId: number // -1: none known
  readonly brokers: readonly (BrokerNode & { readonly isFenced: boolean })[]
  /** A bit for each operation; -2147483648: the broker doesn't say. */
  readonly authorizedOperations: number
}

const NO_OPERATIONS = -2147483648

const BROKERS = 1
const CONTROLLERS = 2

export interface DescribeClusterOptions extends Wait {
  readonly includeFencedBrokers?: boolean | undefined
  /** `brokers` are the controllers then. Only a controller can be asked for them. */
  readonly ofControllers?: boolean | undefined
}

/** Throws KafkaError when the cluster refuses. */
export async function describeCluster(cluster: Cluster, options: DescribeClusterOptions = {}): Promise<ClusterDescription> {
  const version = await cluster.versionFor(DescribeCluster, 'any', waitOf(options))
  const { includeFencedBrokers = false, ofControllers = false } = options
  if (ofControllers && (version ?? 0) < 1) throw new KafkaError('UNSUPPORTED_VERSION', 'The node does not support DESCRIBE_CLUSTER')
  if (includeFencedBrokers && (version ?? 0) < 2) {
    throw new KafkaError('UNSUPPORTED_VERSION', 'The broker does not support describing fenced brokers.')
  }
  if (version === undefined) {
    const { clusterId, controllerId, brokers } = await cluster.metadata([], {
      ...waitOf(options),
      fresh: true,
    })
    const unfenced = brokers.map((broker) => ({ ...broker, isFenced: false }))
    return { clusterId, controllerId, brokers: unfenced, authorizedOperations: NO_OPERATIONS }
  }
  const request = { includeClusterAuthorizedOperations: false, includeFencedBrokers, endpointType: ofControllers ? CONTROLLERS : BROKERS }
  const response = await cluster.call(DescribeCluster, request, { ...waitOf(options), maxVersion: version })
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  return {
    clusterId: response.clusterId,
    controllerId: response.controllerId,
    brokers: response.brokers.map(({ brokerId, ...broker }) => ({ nodeId: brokerId, ...broker })),
    authorizedOperations: response.clusterAuthorizedOperations,
  }
}

/** Forgets a broker that is gone for good. Throws KafkaError when the cluster refuses. */
export async function unregisterBroker(cluster: Cluster, brokerId: number, wait: Wait = {}): Promise<void> {
  const { errorCode, errorMessage } = await cluster.call(UnregisterBroker, { brokerId }, wait)
  if (errorCode !== 0) throw KafkaError.from(errorCode, errorMessage)
}

export interface LogDirectory {
  readonly path: string
  readonly error: KafkaError | undefined
  readonly totalBytes: number // -1: the broker doesn't say
  readonly usableBytes: number
  readonly isCordoned: boolean
  readonly replicas: readonly LogDirectoryReplica[]
}

export interface LogDirectoryReplica {
  readonly topic: string
  readonly partition: number
  readonly sizeBytes: number
  readonly offsetLag: number
  readonly isFuture: boolean
}

/**
 * By broker, in the order asked; a broker that is not there has an error. Throws what Cluster.call throws.
 */
export async function describeLogDirs(
  cluster: Cluster,
  nodes: readonly number[],
  options: Wait & {
    readonly topics?:
      | readonly { readonly topic: string; readonly partitions: readonly number[] }[]
      | undefined
  } = {},
): Promise<Map<number, Result<readonly LogDirectory[]>>> {
  const answers = nodes.map(async (node): Promise<[number, Result<readonly LogDirectory[]>]> => {
    try {
      return [node, await describeOne(cluster, node, options)]
    } catch (error) {
      if (error instanceof KafkaError) return [node, failed(error)]
      throw error
    }
  })
  return new Map(await Promise.all(answers))
}

async function describeOne(
  cluster: Cluster,
  node: number,
  options: Parameters<typeof describeLogDirs>[2] & object,
): Promise<Result<readonly LogDirectory[]>> {
  const topics =
    options.topics?.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })) ?? null
  const response = await cluster.call(DescribeLogDirs, { topics }, { ...waitOf(options), node })
  const directories = response.results.map((directory) => ({
    path: directory.logDir,
    error: directory.errorCode === 0 ? undefined : KafkaError.from(directory.errorCode),
    totalBytes: directory.totalBytes,
    usableBytes: directory.usableBytes,
    isCordoned: directory.isCordoned,
    replicas: directory.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, partitionSize, offsetLag, isFutureKey }) => ({
        topic: name,
        partition: partitionIndex,
        sizeBytes: partitionSize,
        offsetLag,
        isFuture: isFutureKey,
      })),
    ),
  }))
  return resultOf(response.errorCode, null, directories)
}
