// Kafka's client properties as one typed value. A key that is unknown, or known but without a way to honour it here, is a
// ConfigError that names it: a setting that is silently ignored costs its owner more than a refusal.

import type { Endpoint, SaslSettings, TlsSettings } from './wire.ts'

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

/** All times in ms, all sizes in bytes. Names are Kafka's, in camelCase. */
export interface ClientConfig {
  readonly bootstrapServers: readonly Endpoint[]
  readonly clientId: string
  readonly securityProtocol: SecurityProtocol
  /** Set for SSL and SASL_SSL. */
  readonly tls: TlsSettings | undefined
  /** Set for SASL_PLAINTEXT and SASL_SSL. */
  readonly sasl: SaslSettings | undefined
  readonly requestTimeoutMs: number
  readonly defaultApiTimeoutMs: number
  readonly retries: number
  readonly retryBackoffMs: number
  readonly retryBackoffMaxMs: number
  readonly reconnectBackoffMs: number
  readonly reconnectBackoffMaxMs: number
  readonly socketConnectionSetupTimeoutMs: number
  /** -1: never. */
  readonly connectionsMaxIdleMs: number
  readonly metadataMaxAgeMs: number
  readonly producer: ProducerConfig
  readonly consumer: ConsumerConfig
  /** The keys that were given, so that a caller can tell a default from a wish. */
  readonly given: ReadonlySet<string>
}

export interface ProducerConfig {
  readonly acks: -1 | 0 | 1
  readonly lingerMs: number
  readonly batchSize: number
  readonly bufferMemory: number
  readonly compressionType: 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
  /** undefined: the codec's own default. */
  readonly compressionLevel: number | undefined
  readonly enableIdempotence: boolean
  readonly maxRequestSize: number
  readonly maxInFlightRequestsPerConnection: number
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
  readonly partitioner: 'default' | 'roundRobin'
  readonly partitionerIgnoreKeys: boolean
  readonly transactionalId: string | undefined
  readonly transactionTimeoutMs: number
}

export interface ConsumerConfig {
  readonly groupId: string | undefined
  readonly groupInstanceId: string | undefined
  readonly groupProtocol: 'classic' | 'consumer'
  /** undefined: the broker's default. */
  readonly groupRemoteAssignor: string | undefined
  /** Names of classic assignors, in order of preference. */
  readonly partitionAssignmentStrategy: readonly ('range' | 'roundrobin' | 'sticky' | 'cooperative-sticky')[]
  readonly autoOffsetReset: AutoOffsetReset
  readonly enableAutoCommit: boolean
  readonly autoCommitIntervalMs: number
  readonly isolationLevel: 'read_uncommitted' | 'read_committed'
  readonly fetchMinBytes: number
  readonly fetchMaxBytes: number
  readonly fetchMaxWaitMs: number
  readonly maxPartitionFetchBytes: number
  readonly maxPollRecords: number
  readonly maxPollIntervalMs: number
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  readonly checkCrcs: boolean
  readonly allowAutoCreateTopics: boolean
  readonly excludeInternalTopics: boolean
  readonly clientRack: string
}

/** `byDuration`: start this many ms before now (KIP-1106). */
export type AutoOffsetReset = 'earliest' | 'latest' | 'none' | { readonly byDuration: number }

/** `properties` by Kafka's names, as from files and the command line. Reads key and trust stores. Throws ConfigError. */
export declare function clientConfig(properties: ReadonlyMap<string, string>): Promise<ClientConfig>
