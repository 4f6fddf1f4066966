// What the metadata log says: topics and their partitions, configs, features, quotas, ACLs, SCRAM users, producer ids, who
// is registered. Changed only by replay(record), in log order, so that the same log always gives the same image. Kinds
// that nothing uses yet (tokens) are kept as their records, so that a snapshot loses nothing.

import { AclSet } from '../security/acl-set.ts'
import { ClientQuotas } from './client-quotas.ts'
import type { MetadataRecord, NewRecord, RecordOf } from './records.ts'
import { ScramUserImage } from './scram-users.ts'

export const METADATA_TOPIC = '__cluster_metadata'
export const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

export interface PartitionImage {
  readonly index: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** -1 where there is none. */
  readonly leader: number
  readonly leaderRecoveryState: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** One data directory's id a replica; empty in logs from before directories had ids. */
  readonly directories: readonly string[]
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

export interface TopicImage {
  readonly name: string
  readonly id: string
  /** By index: 0 … size - 1, in order. */
  readonly partitions: ReadonlyMap<number, PartitionImage>
}

export const ResourceType = { topic: 2, broker: 4, brokerLogger: 8, clientMetrics: 16, group: 32 } as const

export type BrokerRegistration = RecordOf<'RegisterBrokerRecord'>
export type ControllerRegistration = RecordOf<'RegisterControllerRecord'>

interface Topic extends TopicImage {
  readonly partitions: Map<number, PartitionImage>
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map()
const NO_CHANGE = -2 // of a leader, in PartitionChangeRecord

/** A record that names something the image does not have: the log is not whole. */
export class MetadataImageError extends Error {
  override readonly name = 'MetadataImageError'
}

export class MetadataImage {
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()
  readonly #byMetricName = new Map<string, Set<string>>() // names with '.' or '_'
  readonly #configs = new Map<number, Map<string, Map<string, string>>>()
  readonly #features = new Map<string, number>()
  readonly #brokers = new Map<number, BrokerRegistration>()
  readonly #controllers = new Map<number, ControllerRegistration>()
  readonly scramUsers = new ScramUserImage()
  readonly #kept = new Map<string, MetadataRecord>()
  readonly quotas = new ClientQuotas()
  readonly acls = new AclSet()
  #producerIds: RecordOf<'ProducerIdsRecord'> | undefined

  topic(name: string): TopicImage | undefined {
    return this.#topics.get(name)
  }

  topicById(id: string): TopicImage | undefined {
    return this.#topicsById.get(id)
  }

  /** All topics, in the order they were created. */
  topics(): Iterable<TopicImage> {
    return this.#topics.values()
  }

  get topicCount(): number {
    return this.#topics.size
  }

  /** A topic whose metrics would have the same name as those of `name`, in which '.' and '_' are one (Topic.hasCollision). */
  collidingTopic(name: string): string | undefined {
    return METRIC_CHARACTERS.test(name) ? this.#byMetricName.get(metricName(name))?.values().next().value : undefined
  }

  /** What was set on one resource; empty when nothing was. The name of the cluster-wide broker resource is ''. */
  configs(resourceType: number, resourceName: string): ReadonlyMap<string, string> {
    return this.#configs.get(resourceType)?.get(resourceName) ?? NO_CONFIGS
  }

  /** Names of the resources of one type that have anything set, in the order they got it. */
  configuredResources(resourceType: number): string[] {
    return [...(this.#configs.get(resourceType)?.keys() ?? [])]
  }

  /** Finalized levels by feature name. A feature at level 0 is not listed. */
  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  get brokers(): ReadonlyMap<number, BrokerRegistration> {
    return this.#brokers
  }

  get controllers(): ReadonlyMap<number, ControllerRegistration> {
    return this.#controllers
  }

  /** The first producer id that no block holds yet. */
  get nextProducerId(): bigint {
    return this.#producerIds?.nextProducerId ?? 0n
  }

  /** Records of kinds that the image does not interpret; only those still in force. */
  kept(): Iterable<MetadataRecord> {
    return this.#kept.values()
  }

  replay(record: MetadataRecord): void {
    switch (record.name) {
      case 'TopicRecord':
        this.#addTopic(record.value)
        return
      case 'RemoveTopicRecord':
        this.#removeTopic(this.#topicOf(record.value.topicId))
        return
      case 'PartitionRecord':
        this.#topicOf(record.value.topicId).partitions.set(record.value.partitionId, partitionOf(record.value))
        return
      case 'PartitionChangeRecord':
        this.#changePartition(record.value)
        return
      case 'ClearElrRecord':
        this.#clearElr(record.value.topicName)
        return
      case 'ConfigRecord':
        this.#setConfig(record.value)
        return
      case 'FeatureLevelRecord':
        if (record.value.featureLevel === 0) this.#features.delete(record.value.name)
        else this.#features.set(record.value.name, record.value.featureLevel)
        return
      case 'ClientQuotaRecord':
        this.quotas.replay(record.value)
        return
      case 'ProducerIdsRecord':
        this.#producerIds = record.value
        return
      case 'RegisterControllerRecord':
        this.#controllers.set(record.value.controllerId, record.value)
        return
      case 'RegisterBrokerRecord':
        this.#brokers.set(record.value.brokerId, record.value)
        return
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.value.brokerId)
        return
      case 'BrokerRegistrationChangeRecord':
      case 'FenceBrokerRecord':
      case 'UnfenceBrokerRecord':
        this.#changeBroker(record)
        return
      case 'AccessControlEntryRecord': {
        const { id, ...acl } = record.value
        this.acls.add(id, acl)
        return
      }
      case 'RemoveAccessControlEntryRecord':
        if (!this.acls.remove(record.value.id)) throw new MetadataImageError(`no ACL has the id ${record.value.id}`)
        return
      case 'UserScramCredentialRecord':
        this.scramUsers.set(record.value)
        return
      case 'RemoveUserScramCredentialRecord':
        this.scramUsers.remove(record.value)
        return
      default:
        this.#keep(record)
    }
  }

  /** Records that bring an empty image to this one, as a snapshot holds them. */
  *records(): Generator<NewRecord> {
    // metadata.version comes first: it says how to read the rest.
    const isFirst = (name: string) => Number(name === METADATA_VERSION)
    const features = [...this.#features].sort(([a], [b]) => isFirst(b) - isFirst(a))
    for (const [name, featureLevel] of features) yield { name: 'FeatureLevelRecord', value: { name, featureLevel } }
    for (const value of this.#controllers.values()) yield { name: 'RegisterControllerRecord', value }
    for (const value of this.#brokers.values()) yield { name: 'RegisterBrokerRecord', value }
    for (const topic of this.#topics.values()) {
      yield { name: 'TopicRecord', value: { name: topic.name, topicId: topic.id } }
      for (const partition of topic.partitions.values()) yield recordOf(topic.id, partition)
    }
    for (const [resourceType, resources] of this.#configs) {
      for (const [resourceName, configs] of resources) {
        for (const [name, value] of configs) {
          yield { name: 'ConfigRecord', value: { resourceType, resourceName, name, value } }
        }
      }
    }
    yield* this.quotas.records()
    if (this.#producerIds !== undefined) yield { name: 'ProducerIdsRecord', value: this.#producerIds }
    for (const [id, acl] of this.acls.entries()) yield { name: 'AccessControlEntryRecord', value: { id, ...acl } }
    for (const value of this.scramUsers.records()) yield { name: 'UserScramCredentialRecord', value }
    yield* this.#kept.values()
  }

  #topicOf(id: string): Topic {
    const topic = this.#topicsById.get(id)
    if (topic === undefined) throw new MetadataImageError(`no topic has the id ${id}`)
    return topic
  }

  #addTopic({ name, topicId: id }: RecordOf<'TopicRecord'>): void {
    if (this.#topics.has(name)) throw new MetadataImageError(`topic ${name} is created twice`)
    const topic: Topic = { name, id, partitions: new Map() }
    this.#topics.set(name, topic)
    this.#topicsById.set(id, topic)
    if (!METRIC_CHARACTERS.test(name)) return
    const same = this.#byMetricName.get(metricName(name))
    if (same === undefined) this.#byMetricName.set(metricName(name), new Set([name]))
    else same.add(name)
  }

  #removeTopic({ name, id }: Topic): void {
    this.#topics.delete(name)
    this.#topicsById.delete(id)
    const same = this.#byMetricName.get(metricName(name))
    if (same?.delete(name) === true && same.size === 0) this.#byMetricName.delete(metricName(name))
    this.#configs.get(ResourceType.topic)?.delete(name)
  }

  #changePartition(change: RecordOf<'PartitionChangeRecord'>): void {
    const topic = this.#topicOf(change.topicId)
    const old = topic.partitions.get(change.partitionId)
    if (old === undefined) throw new MetadataImageError(`topic ${topic.name} has no partition ${change.partitionId}`)
    // Naming a leader raises the epoch even when it is the one that leads already (PartitionRegistration.merge).
    const elects = change.leader !== NO_CHANGE
    topic.partitions.set(change.partitionId, {
      index: old.index,
      replicas: change.replicas ?? old.replicas,
      isr: change.isr ?? old.isr,
      removingReplicas: change.removingReplicas ?? old.removingReplicas,
      addingReplicas: change.addingReplicas ?? old.addingReplicas,
      leader: elects ? change.leader : old.leader,
      leaderRecoveryState: change.leaderRecoveryState >= 0 ? change.leaderRecoveryState : old.leaderRecoveryState,
      leaderEpoch: elects ? old.leaderEpoch + 1 : old.leaderEpoch,
      partitionEpoch: old.partitionEpoch + 1,
      directories: change.directories ?? old.directories,
      eligibleLeaderReplicas: change.eligibleLeaderReplicas ?? old.eligibleLeaderReplicas,
      lastKnownElr: change.lastKnownElr ?? old.lastKnownElr,
    })
  }

  /** An empty name means every topic. */
  #clearElr(topicName: string): void {
    for (const topic of this.#topics.values()) {
      if (topicName !== '' && topic.name !== topicName) continue
      for (const [index, partition] of topic.partitions) {
        if (partition.eligibleLeaderReplicas.length === 0 && partition.lastKnownElr.length === 0) continue
        topic.partitions.set(index, { ...partition, eligibleLeaderReplicas: [], lastKnownElr: [] })
      }
    }
  }

  #setConfig({ resourceType, resourceName, name, value }: RecordOf<'ConfigRecord'>): void {
    const resources = mapIn(this.#configs, resourceType)
    const configs = mapIn(resources, resourceName)
    if (value === null) configs.delete(name)
    else configs.set(name, value)
    if (configs.size === 0) resources.delete(resourceName)
    if (resources.size === 0) this.#configs.delete(resourceType)
  }

  #changeBroker(record: Extract<MetadataRecord, { name: BrokerChange }>): void {
    const id = record.name === 'BrokerRegistrationChangeRecord' ? record.value.brokerId : record.value.id
    const old = this.#brokers.get(id)
    if (old === undefined) throw new MetadataImageError(`broker ${id} is not registered`)
    if (record.name !== 'BrokerRegistrationChangeRecord') {
      this.#brokers.set(id, { ...old, fenced: record.name === 'FenceBrokerRecord' })
      return
    }
    const { fenced, inControlledShutdown, logDirs, cordonedLogDirs } = record.value
    this.#brokers.set(id, {
      ...old,
      fenced: fenced === 0 ? old.fenced : fenced > 0,
      inControlledShutdown: inControlledShutdown === 0 ? old.inControlledShutdown : inControlledShutdown > 0,
      logDirs: logDirs.length === 0 ? old.logDirs : logDirs,
      cordonedLogDirs: cordonedLogDirs ?? old.cordonedLogDirs,
    })
  }

  #keep(record: Extract<MetadataRecord, { name: Kept }>): void {
    switch (record.name) {
      case 'DelegationTokenRecord':
        this.#kept.set(`token ${record.value.tokenId}`, record)
        return
      case 'RemoveDelegationTokenRecord':
        this.#kept.delete(`token ${record.value.tokenId}`)
        return
      case 'ZkMigrationStateRecord':
        this.#kept.set('zkMigration', record)
        return
      // Transactions are unrolled before records come here (metadata-log.ts).
      case 'NoOpRecord':
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
    }
  }
}

const METADATA_VERSION = 'metadata.version'
const METRIC_CHARACTERS = /[._]/

function metricName(topic: string): string {
  return topic.replaceAll('.', '_')
}

type BrokerChange = 'BrokerRegistrationChangeRecord' | 'FenceBrokerRecord' | 'UnfenceBrokerRecord'
type Kept =
  | 'DelegationTokenRecord' | 'RemoveDelegationTokenRecord'
  | 'ZkMigrationStateRecord' | 'NoOpRecord' | 'BeginTransactionRecord' | 'EndTransactionRecord'
  | 'AbortTransactionRecord' // prettier-ignore

function partitionOf(record: RecordOf<'PartitionRecord'>): PartitionImage {
  return {
    index: record.partitionId,
    replicas: record.replicas,
    isr: record.isr,
    removingReplicas: record.removingReplicas,
    addingReplicas: record.addingReplicas,
    leader: record.leader,
    leaderRecoveryState: record.leaderRecoveryState,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    directories: record.directories,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
    lastKnownElr: record.lastKnownElr ?? [],
  }
}

function recordOf(topicId: string, partition: PartitionImage): NewRecord {
  const { index, eligibleLeaderReplicas, lastKnownElr, ...rest } = partition
  return {
    name: 'PartitionRecord',
    value: {
      partitionId: index,
      topicId,
      ...mutable(rest),
      eligibleLeaderReplicas: eligibleLeaderReplicas.length > 0 ? [...eligibleLeaderReplicas] : null,
      lastKnownElr: lastKnownElr.length > 0 ? [...lastKnownElr] : null,
    },
  }
}

function mutable(partition: Omit<PartitionImage, 'index' | 'eligibleLeaderReplicas' | 'lastKnownElr'>) {
  return {
    ...partition,
    replicas: [...partition.replicas],
    isr: [...partition.isr],
    removingReplicas: [...partition.removingReplicas],
    addingReplicas: [...partition.addingReplicas],
    directories: [...partition.directories],
  }
}

function mapIn<K, L, V>(maps: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const present = maps.get(key)
  if (present !== undefined) return present
  const map = new Map<L, V>()
  maps.set(key, map)
  return map
}
