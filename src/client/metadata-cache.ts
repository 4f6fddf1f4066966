// What the cluster last said of its brokers and topics. Bounded; never lets an older leader epoch replace a
// newer one (KIP-320: brokers may answer from a view that lags behind).

import { errorName } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/reader.ts'
import type { Metadata } from '../protocol/apis/metadata.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { BrokerNode, ClusterMetadata, PartitionMetadata, TopicMetadata } from './cluster.ts'

const MAX_TOPICS = 10_000

interface Cached {
  readonly topic: TopicMetadata
  readonly until: number // monotonic ms; -Infinity once invalidated, kept for its epochs
}

export class MetadataCache {
  readonly #topics = new Map<string, Cached>()
  #cluster: Omit<ClusterMetadata, 'topics'> | undefined
  #clusterUntil = -Infinity

  get brokers(): readonly BrokerNode[] {
    return this.#cluster?.brokers ?? []
  }

  cluster(now: number): Omit<ClusterMetadata, 'topics'> | undefined {
    return now < this.#clusterUntil ? this.#cluster : undefined
  }

  topic(name: string, now: number): TopicMetadata | undefined {
    const cached = this.#topics.get(name)
    return cached && now < cached.until ? cached.topic : undefined
  }

  invalidate(topic?: string): void {
    if (topic === undefined) this.#clusterUntil = -Infinity
    for (const name of topic === undefined ? this.#topics.keys() : [topic]) {
      const cached = this.#topics.get(name)
      if (cached) this.#topics.set(name, { ...cached, until: -Infinity })
    }
  }

  /** After REBOOTSTRAP_REQUIRED, or when no known broker answers any more. */
  forget(): void {
    this.#topics.clear()
    this.#cluster = undefined
    this.#clusterUntil = -Infinity
  }

  /** Takes an answer in and gives it back as metadata; it counts until `until`. */
  add(response: ResponseOf<typeof Metadata>, until: number): ClusterMetadata {
    const cluster = {
      clusterId: response.clusterId,
      controllerId: response.controllerId,
      brokers: response.brokers.map(({ nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
    }
    this.#cluster = cluster
    this.#clusterUntil = until
    const topics = new Map<string, TopicMetadata>()
    for (const described of response.topics) {
      const topic = this.#merge(topicOf(described))
      topics.set(topic.name, topic)
      this.#keep(topic, until)
    }
    return { ...cluster, topics }
  }

  #merge(topic: TopicMetadata): TopicMetadata {
    const known = this.#topics.get(topic.name)?.topic
    if (known === undefined || known.topicId !== topic.topicId || topic.topicId === ZERO_UUID) return topic
    const newest = new Map(known.partitions.map((partition) => [partition.partition, partition]))
    const partitions = topic.partitions.map((partition) => {
      const before = newest.get(partition.partition)
      return before && before.leaderEpoch > partition.leaderEpoch ? before : partition
    })
    return { ...topic, partitions }
  }

  #keep(topic: TopicMetadata, until: number): void {
    this.#topics.delete(topic.name) // to the end of the map's order, which is the order of eviction
    if (topic.error !== undefined) return
    const isSettled = topic.partitions.every(({ leader }) => leader >= 0)
    this.#topics.set(topic.name, { topic, until: isSettled ? until : -Infinity })
    if (this.#topics.size <= MAX_TOPICS) return
    const [oldest] = this.#topics.keys()
    this.#topics.delete(oldest)
  }
}

type DescribedTopic = ResponseOf<typeof Metadata>['topics'][number]

function topicOf(described: DescribedTopic): TopicMetadata {
  const { name, topicId, isInternal, errorCode } = described
  const partitions: PartitionMetadata[] = described.partitions.map((partition) => ({
    partition: partition.partitionIndex,
    error: partition.errorCode === 0 ? undefined : errorName(partition.errorCode),
    leader: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicas: partition.replicaNodes,
    isr: partition.isrNodes,
    offlineReplicas: partition.offlineReplicas,
  }))
  partitions.sort((a, b) => a.partition - b.partition)
  return {
    name: name ?? '',
    topicId,
    isInternal,
    error: errorCode === 0 ? undefined : errorName(errorCode),
    partitions,
  }
}
