// What `cluster` does: look at a cluster's nodes, disks, features, quorum and versions. Nothing here prints.

import {
  describeCluster, describeFeatures, describeLogDirs, describeQuorum, type ClusterDescription, type Features, type LogDirectory, type Quorum,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import type { KafkaError } from '../../protocol/errors.ts'
import { CLIENT_APIS } from '../apache/client-apis.ts'
import { METADATA_VERSION, metadataVersionOf } from '../apache/feature-levels.ts'
import { operationError } from '../errors.ts'
import { unknownTopic } from './existing-topic.ts'

export type { Features, Quorum }

export interface ClusterOverview extends Omit<ClusterDescription, 'brokers' | 'authorizedOperations'> {
  readonly brokers: readonly (ClusterDescription['brokers'][number] & { readonly disk: Disk | undefined })[]
}

/** Of all its log directories together. */
export interface Disk {
  readonly replicas: number
  readonly sizeBytes: number
  /** undefined: the broker doesn't say. */
  readonly usableBytes: number | undefined
}

/** The disk is undefined where the broker doesn't tell. */
export async function overview(cluster: Cluster): Promise<ClusterOverview> {
  const { brokers, clusterId, controllerId } = await describeCluster(cluster, { includeFencedBrokers: false })
  const directories = await describeLogDirs(cluster, brokers.map(({ nodeId }) => nodeId))
  const withDisks = brokers.map((broker) => {
    const result = directories.get(broker.nodeId)
    return { ...broker, disk: result?.ok === true ? diskOf(result.value) : undefined }
  })
  return { clusterId, controllerId, brokers: withDisks.sort((a, b) => a.nodeId - b.nodeId) }
}

function diskOf(directories: readonly LogDirectory[]): Disk {
  const replicas = directories.flatMap((directory) => directory.replicas)
  const usable = directories.map(({ usableBytes }) => usableBytes)
  return {
    replicas: replicas.length,
    sizeBytes: replicas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    usableBytes: usable.some((bytes) => bytes < 0) ? undefined : usable.reduce((sum, bytes) => sum + bytes, 0),
  }
}

export interface BrokerDirectory extends Omit<LogDirectory, 'error'> {
  readonly broker: number
  readonly error: KafkaError | undefined
}

/** Of all brokers, or of one; `topic`: only its replicas are told of. Throws when a broker doesn't answer. */
export async function logDirectories(
  cluster: Cluster,
  { broker, topic }: { readonly broker?: number | undefined; readonly topic?: string | undefined },
): Promise<BrokerDirectory[]> {
  const { brokers, topics } = await cluster.metadata(topic === undefined ? [] : [topic], { fresh: true })
  const ids = brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b)
  if (broker !== undefined && !ids.includes(broker)) throw operationError('BROKER_ID_NOT_REGISTERED', `there is no broker ${broker}`, `there are ${ids.join(', ')}`)
  const known = topic === undefined ? undefined : topics.get(topic)
  if (topic !== undefined && (known?.partitions.length ?? 0) === 0) throw unknownTopic(topic, (await cluster.metadata()).topics.keys())
  const wanted = topic === undefined ? undefined : [{ topic, partitions: known?.partitions.map(({ partition }) => partition) ?? [] }]
  const results = await describeLogDirs(cluster, broker === undefined ? ids : [broker], { topics: wanted })
  return [...results].flatMap(([id, result]) => {
    if (!result.ok) throw result.error
    return result.value.map((directory) => ({ ...directory, broker: id }))
  })
}

/** As any node knows them. */
export function features(cluster: Cluster): Promise<Features> {
  return describeFeatures(cluster)
}

/** A level as people say it: 4.3-IV0 for one of metadata.version. */
export function levelText(feature: string, level: number): string {
  return feature === METADATA_VERSION ? (metadataVersionOf(level)?.name ?? String(level)) : String(level)
}

export function quorum(cluster: Cluster): Promise<Quorum> {
  return describeQuorum(cluster)
}

export interface ApiVersions {
  readonly key: number
  /** null: Kafka 4.3 doesn't know it either. */
  readonly name: string | null
  /** By broker; one that lacks the API is left out. */
  readonly versions: ReadonlyMap<number, readonly [number, number]>
}

/** Of every broker, by API key. */
export async function apiVersions(cluster: Cluster): Promise<{ brokers: readonly number[]; apis: readonly ApiVersions[] }> {
  const metadata = await cluster.metadata([], { fresh: true })
  const brokers = metadata.brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b)
  const answers = await Promise.all(brokers.map(async (broker) => [broker, (await cluster.versionsOf(broker)).apis] as const))
  const keys = [...new Set(answers.flatMap(([, apis]) => [...apis.keys()]))].sort((a, b) => a - b)
  const apis = keys.map((key) => {
    const versions = answers.flatMap(([broker, apis]) => {
      const range = apis.get(key)
      return range === undefined ? [] : [[broker, [range.minVersion, range.maxVersion]] as const]
    })
    return { key, name: CLIENT_APIS.get(key)?.name ?? null, versions: new Map(versions) }
  })
  return { brokers, apis }
}
