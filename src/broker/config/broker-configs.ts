// FACE (being filled in): the broker's own settings, typed, from Kafka's properties.

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export interface ListenerConfig {
  readonly name: string
  readonly protocol: SecurityProtocol
  /** '' is every interface. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly advertisedHost: string
  /** 0: the bound one. */
  readonly advertisedPort: number
}

export interface BrokerConfig {
  readonly nodeId: number
  readonly clusterId: string | undefined
  readonly listeners: readonly ListenerConfig[]
  readonly logDir: string
  readonly rack: string | null
  readonly numPartitions: number
  readonly defaultReplicationFactor: number
  readonly autoCreateTopics: boolean
  readonly deleteTopics: boolean
  readonly socketRequestMaxBytes: number
  readonly socketListenBacklog: number
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
  readonly connectionsMaxIdleMs: number
  readonly queuedMaxRequests: number
  /** -1: no limit. */
  readonly queuedMaxRequestBytes: number
  readonly fetchMaxBytes: number
  readonly maxFetchSessions: number
  readonly maxRequestPartitionSizeLimit: number
  readonly retentionCheckIntervalMs: number
  readonly flushOffsetCheckpointIntervalMs: number
  readonly producerIdExpirationMs: number
  readonly producerIdExpirationCheckIntervalMs: number
  readonly metadataSnapshotBytes: number
  /** Every property as it was given, by Kafka's name. */
  readonly properties: ReadonlyMap<string, string>
  /** Lines for the log at the start: unknown keys, keys without effect. */
  readonly warnings: readonly string[]
}

/** A property that is malformed or can't be honoured; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

declare function _parse(properties: ReadonlyMap<string, string>): BrokerConfig
export type ParseBrokerConfig = typeof _parse
