// A Kafka cluster as commands, producers and consumers see it: typed calls to a broker chosen by node id, by
// role or freely, with versions, metadata, connections, retries and deadlines looked after.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { ErrorName } from '../protocol/errors.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import type { ClientConfig } from './client-config.ts'
import type { OpenWire } from './wire.ts'

/**
 * One connection per broker and lane, since a broker answers a connection in order: a long poll holds up its
 * own lane.
 */
export type Lane = 'control' | 'fetch' | 'produce' | 'group'

/** A node id, any broker, or the one that answers for the controller. */
export type Target = number | 'any' | 'controller'

export interface Wait {
  /** For everything together, retries included; default.api.timeout.ms when left out. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CallOptions<A extends Api = Api> extends Wait {
  readonly node?: Target | undefined // 'any' when left out
  readonly lane?: Lane | undefined // 'control' when left out
  readonly maxVersion?: number | undefined
  /** An answer to try again after a while, metadata renewed; when time runs out it is returned as it is. */
  readonly retryIf?: ((response: ResponseOf<A>) => boolean) | undefined
}

export interface SendOptions {
  readonly node: number
  readonly lane: Lane
  readonly maxVersion?: number | undefined
  /** Of this one request; request.timeout.ms when left out. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ConnectOptions {
  readonly openWire?: OpenWire
  readonly clock?: Clock
  readonly logger?: Logger
  /**
   * How long to go on trying while no bootstrap server has ever answered, ms. Default 0: each is tried once.
   */
  readonly patienceMs?: number
}

export interface Cluster {
  readonly config: ClientConfig

  /**
   * One request, tried again after transport trouble until the deadline. Throws ConnectError, TimeoutError,
   * KafkaError UNSUPPORTED_VERSION.
   */
  call<A extends Api>(api: A, request: RequestInput<A>, options?: CallOptions<A>): Promise<ResponseOf<A>>

  /** One attempt at one request: connects when needed, tries nothing again. */
  send<A extends Api>(api: A, request: RequestInput<A>, options: SendOptions): Promise<ResponseOf<A>>

  /** A request without an answer (Produce with acks=0); resolves when it is handed to the socket. */
  sendOneWay<A extends Api>(api: A, request: RequestInput<A>, options: SendOptions): Promise<void>

  /** What a broker offers, from the connection in `lane`. */
  versionsOf(node: Target, wait?: Wait): Promise<BrokerVersions>

  /** The version that would be used for `api`; undefined when the two ends have none in common. */
  versionFor(api: Api, node: Target, wait?: Wait): Promise<number | undefined>

  /**
   * The cluster and the named topics (none: no topics; left out: all of them), from the cache where that is
   * young enough. A topic that can't be described carries its error.
   */
  metadata(topics?: readonly string[], options?: MetadataOptions): Promise<ClusterMetadata>

  /**
   * The partition's leader. Waits while there is none. KafkaError UNKNOWN_TOPIC_OR_PARTITION and other
   * answers that waiting doesn't change are thrown.
   */
  leader(topic: string, partition: number, wait?: Wait): Promise<Leader>

  /**
   * Forgets a topic, or everything, so that the next question is asked anew: after NOT_LEADER_OR_FOLLOWER and
   * the like.
   */
  invalidate(topic?: string): void

  /** At once. Calls that are under way reject with ConnectError 'closed'. */
  close(): Promise<void>
}

export interface Leader {
  readonly node: number
  readonly leaderEpoch: number
  readonly topicId: string // ZERO_UUID from brokers before 2.8
}

export interface MetadataOptions extends Wait {
  /** Ask the brokers even if the cache knows. */
  readonly fresh?: boolean
  /** Let the broker create topics that don't exist. Default false. */
  readonly allowAutoTopicCreation?: boolean
}

export interface BrokerVersions {
  /** By API key. */
  readonly apis: ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>
  readonly supportedFeatures: readonly {
    readonly name: string
    readonly minVersion: number
    readonly maxVersion: number
  }[]
  readonly finalizedFeatures: readonly {
    readonly name: string
    readonly minVersionLevel: number
    readonly maxVersionLevel: number
  }[]
  /** -1: the broker doesn't say. */
  readonly finalizedFeaturesEpoch: number
}

export interface ClusterMetadata {
  readonly clusterId: string | null
  readonly controllerId: number // -1: none known
  readonly brokers: readonly BrokerNode[]
  readonly topics: ReadonlyMap<string, TopicMetadata>
}

export interface BrokerNode {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface TopicMetadata {
  readonly name: string
  readonly topicId: string // ZERO_UUID from brokers before 2.8
  readonly isInternal: boolean
  readonly error: ErrorName | undefined
  /** Sorted by index. */
  readonly partitions: readonly PartitionMetadata[]
}

export interface PartitionMetadata {
  readonly partition: number
  readonly error: ErrorName | undefined
  readonly leader: number // -1: none
  readonly leaderEpoch: number // -1: the broker doesn't say
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly offlineReplicas: readonly number[]
}
