// Kafka's client properties as one typed value. A key that is unknown, or known but without a way to honour
// it here, is a ConfigError that names it: a setting that is silently ignored costs its owner more than a
// refusal.

import { parseBootstrapServers } from './bootstrap-servers.ts'
import { CheckedProperties } from './config-keys.ts'
import { ConfigError } from './errors.ts'
import { type SecurityProtocol, securitySettings } from './security-config.ts'
import type { Endpoint, SaslSettings, TlsSettings } from './wire.ts'

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

/**
 * `properties` by Kafka's names, as from files and the command line. Reads key and trust stores. Throws
 * ConfigError.
 */
export async function clientConfig(properties: ReadonlyMap<string, string>): Promise<ClientConfig> {
  const values = new CheckedProperties(properties)
  const bootstrap = values.text('bootstrap.servers')
  if (bootstrap === undefined) throw new ConfigError('bootstrap.servers', 'bootstrap.servers is missing')
  const bootstrapServers = parseBootstrapServers(bootstrap)
  const { securityProtocol, tls, sasl } = await securitySettings(values)
  return {
    bootstrapServers,
    clientId: values.text('client.id') ?? 'ktool',
    securityProtocol,
    tls,
    sasl,
    requestTimeoutMs: values.int('request.timeout.ms'),
    defaultApiTimeoutMs: values.int('default.api.timeout.ms'),
    retries: values.int('retries'),
    retryBackoffMs: values.int('retry.backoff.ms'),
    retryBackoffMaxMs: values.int('retry.backoff.max.ms'),
    reconnectBackoffMs: values.int('reconnect.backoff.ms'),
    reconnectBackoffMaxMs: values.int('reconnect.backoff.max.ms'),
    socketConnectionSetupTimeoutMs: values.int('socket.connection.setup.timeout.ms'),
    connectionsMaxIdleMs: values.int('connections.max.idle.ms'),
    metadataMaxAgeMs: values.int('metadata.max.age.ms'),
    producer: producerConfig(values, properties),
    consumer: consumerConfig(values),
    given: new Set(properties.keys()),
  }
}

function producerConfig(values: CheckedProperties, given: ReadonlyMap<string, string>): ProducerConfig {
  const acks = ({ all: -1, '-1': -1, '0': 0, '1': 1 } as const)[
    values.choice('acks') as 'all' | '-1' | '0' | '1'
  ]
  const maxInFlight = values.int('max.in.flight.requests.per.connection')
  const compressionType = values.choice('compression.type') as ProducerConfig['compressionType']
  const levelKey = `compression.${compressionType}.level`
  const partitioner = values.text('partitioner.class') ?? ''
  return {
    acks,
    lingerMs: values.int('linger.ms'),
    batchSize: values.int('batch.size'),
    bufferMemory: values.int('buffer.memory'),
    compressionType,
    compressionLevel: given.has(levelKey) ? values.int(levelKey) : undefined,
    enableIdempotence: idempotence(values, given, acks, maxInFlight),
    maxRequestSize: values.int('max.request.size'),
    maxInFlightRequestsPerConnection: maxInFlight,
    maxBlockMs: values.int('max.block.ms'),
    deliveryTimeoutMs: deliveryTimeout(values, given),
    partitioner: /RoundRobin/i.test(partitioner) ? 'roundRobin' : 'default',
    partitionerIgnoreKeys: values.bool('partitioner.ignore.keys') || /UniformSticky/i.test(partitioner),
    transactionalId: values.text('transactional.id'),
    transactionTimeoutMs: values.int('transaction.timeout.ms'),
  }
}

/**
 * As ProducerConfig.postProcessAndValidateIdempotenceConfigs: a default gives way to other wishes, a wish
 * does not.
 */
function idempotence(
  values: CheckedProperties,
  given: ReadonlyMap<string, string>,
  acks: number,
  maxInFlight: number,
): boolean {
  const key = 'enable.idempotence'
  const isWanted = given.has(key) || given.has('transactional.id')
  if (!values.bool(key)) {
    if (given.has('transactional.id'))
      throw new ConfigError(key, 'transactional.id needs enable.idempotence=true')
    return false
  }
  const obstacle =
    acks !== -1
      ? 'acks=all'
      : maxInFlight > 5
        ? 'max.in.flight.requests.per.connection of 5 or less'
        : values.int('retries') === 0
          ? 'retries above 0'
          : undefined
  // Kafka refuses more than 5 in flight outright, and drops the default for acks and retries.
  if (obstacle !== undefined && (isWanted || maxInFlight > 5)) {
    throw new ConfigError(key, `enable.idempotence=true, which is the default, needs ${obstacle}`)
  }
  return obstacle === undefined
}

function deliveryTimeout(values: CheckedProperties, given: ReadonlyMap<string, string>): number {
  const key = 'delivery.timeout.ms'
  const wanted = values.int(key)
  const least = Math.min(values.int('linger.ms') + values.int('request.timeout.ms'), 2 ** 31 - 1)
  if (wanted >= least) return wanted
  if (given.has(key))
    throw new ConfigError(key, `${key} must be at least linger.ms + request.timeout.ms, ${least}`)
  return least
}

const ASSIGNORS = {
  rangeassignor: 'range',
  roundrobinassignor: 'roundrobin',
  stickyassignor: 'sticky',
  cooperativestickyassignor: 'cooperative-sticky',
} as const

function consumerConfig(values: CheckedProperties): ConsumerConfig {
  return {
    groupId: values.text('group.id'),
    groupInstanceId: values.text('group.instance.id'),
    groupProtocol: values.choice('group.protocol') as ConsumerConfig['groupProtocol'],
    groupRemoteAssignor: values.text('group.remote.assignor'),
    partitionAssignmentStrategy: assignors(values.list('partition.assignment.strategy')),
    autoOffsetReset: offsetReset(values.text('auto.offset.reset') ?? 'latest'),
    enableAutoCommit: values.bool('enable.auto.commit'),
    autoCommitIntervalMs: values.int('auto.commit.interval.ms'),
    isolationLevel: values.choice('isolation.level') as ConsumerConfig['isolationLevel'],
    fetchMinBytes: values.int('fetch.min.bytes'),
    fetchMaxBytes: values.int('fetch.max.bytes'),
    fetchMaxWaitMs: values.int('fetch.max.wait.ms'),
    maxPartitionFetchBytes: values.int('max.partition.fetch.bytes'),
    maxPollRecords: values.int('max.poll.records'),
    maxPollIntervalMs: values.int('max.poll.interval.ms'),
    sessionTimeoutMs: values.int('session.timeout.ms'),
    heartbeatIntervalMs: values.int('heartbeat.interval.ms'),
    checkCrcs: values.bool('check.crcs'),
    allowAutoCreateTopics: values.bool('allow.auto.create.topics'),
    excludeInternalTopics: values.bool('exclude.internal.topics'),
    clientRack: values.text('client.rack') ?? '',
  }
}

function assignors(classes: readonly string[]): ConsumerConfig['partitionAssignmentStrategy'] {
  if (classes.length === 0) return ['range', 'cooperative-sticky']
  return classes.map((name) => {
    const short = name.replace(/^org\.apache\.kafka\.clients\.consumer\./, '').toLowerCase()
    if (Object.hasOwn(ASSIGNORS, short)) return ASSIGNORS[short as keyof typeof ASSIGNORS]
    const key = 'partition.assignment.strategy'
    throw new ConfigError(key, `${key}=${name} can't be honoured: ktool has Kafka's own assignors only`)
  })
}

/** `by_duration:` takes days to seconds of ISO 8601, as Java's Duration does. */
function offsetReset(text: string): AutoOffsetReset {
  const value = text.toLowerCase()
  if (value === 'earliest' || value === 'latest' || value === 'none') return value
  const match = /^by_duration:P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d{1,9})?)S)?)?$/i.exec(
    text,
  )
  if (match && /\d/.test(text)) {
    const [days, hours, minutes, seconds] = match
      .slice(1)
      .map((part: string | undefined) => Number(part ?? 0))
    return { byDuration: Math.floor((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000) }
  }
  const key = 'auto.offset.reset'
  throw new ConfigError(key, `${key}=${text} is not one of earliest, latest, none, by_duration:PnDTnHnMnS`)
}
