// The broker's own settings, typed, from Kafka's properties. What can't be honoured is refused by name, so that nobody
// believes in a setting that does nothing; what Kafka itself would pass over with a warning is a warning here.

import { KafkaError } from '../../protocol/errors.ts'
import { BROKER_CONFIGS, brokerConfigKey, parseBrokerValue } from './broker-config-keys.ts'
import { ConfigError } from './config-error.ts'
import { parseGroupConsumer } from './group-consumer-config.ts'
import type { GroupConsumerConfig } from './group-consumer-config.ts'
import { parseListeners } from './listener-configs.ts'
import type { ListenerConfig } from './listener-configs.ts'
import { listOf, numberOf } from './values.ts'
import { STANDARD_AUTHORIZER } from '../security/authorizer.ts'
import type { AuthorizerConfig } from '../security/authorizer.ts'

export { ConfigError } from './config-error.ts'
export type { ListenerConfig, SecurityProtocol } from './listener-configs.ts'

export interface BrokerConfig {
  readonly nodeId: number
  readonly clusterId: string | undefined
  /** Those for clients; the controller's own are passed over, since the quorum is this process. */
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
  /** -1: no limit. */
  readonly queuedMaxRequestBytes: number
  readonly fetchMaxBytes: number
  readonly maxFetchSessions: number
  readonly maxRequestPartitionSizeLimit: number
  readonly retentionCheckIntervalMs: number
  readonly cleanerEnabled: boolean
  readonly cleanerBackoffMs: number
  readonly cleanerDedupeBufferSize: number
  readonly flushOffsetCheckpointIntervalMs: number
  readonly producerIdExpirationMs: number
  readonly producerIdExpirationCheckIntervalMs: number
  readonly metadataSnapshotBytes: number
  readonly groupMinSessionTimeoutMs: number
  readonly groupMaxSessionTimeoutMs: number
  readonly groupInitialRebalanceDelayMs: number
  readonly groupMaxSize: number
  readonly groupConsumer: GroupConsumerConfig
  readonly offsetsTopicPartitions: number
  readonly offsetsTopicSegmentBytes: number
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckIntervalMs: number
  readonly offsetMetadataMaxBytes: number
  /** undefined: everybody may do everything. */
  readonly authorizer: AuthorizerConfig | undefined
  readonly transactionTopicPartitions: number
  readonly transactionTopicSegmentBytes: number
  readonly transactionTopicMinIsr: number
  readonly transactionMaxTimeoutMs: number
  readonly transactionAbortIntervalMs: number
  readonly transactionalIdExpirationMs: number
  readonly transactionalIdExpirationIntervalMs: number
  /** What was given, by Kafka's names, with what follows from it: STATIC_BROKER_CONFIG when described. */
  readonly properties: ReadonlyMap<string, string>
  /** Defaults of this broker that are not those of its table. */
  readonly defaults: ReadonlyMap<string, string>
  /** Lines for the log at the start: unknown keys, keys without effect. */
  readonly warnings: readonly string[]
}

const NEVER = '9223372036854775807'

// Known here, and in no table of Kafka's: the one is of meta.properties, the others are the authorizer's own.
const SUPER_USERS = 'super.users'
const ALLOW_WITHOUT_ACL = 'allow.everyone.if.no.acl.found'
const UNLISTED: ReadonlySet<string> = new Set(['cluster.id', SUPER_USERS, ALLOW_WITHOUT_ACL])

// Keys that would load Java classes, or switch on what this broker does not have.
const REFUSED: ReadonlyMap<string, (value: string) => boolean> = new Map(
  Object.entries({
    'alter.config.policy.class.name': isGiven,
    'create.topic.policy.class.name': isGiven,
    'client.quota.callback.class': isGiven,
    'config.providers': isGiven,
    'delegation.token.secret.key': isGiven,
    'kafka.metrics.reporters': isGiven,
    'principal.builder.class': isGiven,
    'replica.selector.class': isGiven,
    'sasl.server.callback.handler.class': isGiven,
    'security.providers': isGiven,
    'remote.log.storage.system.enable': (value: string) => value.toLowerCase() === 'true',
  }),
)

/** Throws ConfigError, naming the key, for what is malformed, missing or not supported. */
export function parseBrokerConfig(
  given: ReadonlyMap<string, string>,
  options: { readonly ephemeral?: boolean } = {},
): BrokerConfig {
  const properties = new Map([...given].map(([name, value]) => [name, value.trim()]))
  const warnings: string[] = []
  for (const [name, value] of properties) checkProperty(name, value, warnings)
  const defaults = new Map(options.ephemeral === true ? [['log.flush.interval.messages', NEVER]] : [])
  const text = (name: string) => properties.get(name) ?? defaults.get(name) ?? BROKER_CONFIGS.get(name)?.default ?? ''
  const number = (name: string) => numberOf(text(name))

  const nodeId = nodeIdOf(properties)
  const listeners = parseListeners(properties)
  return {
    nodeId,
    clusterId: properties.get('cluster.id') || undefined,
    listeners,
    logDir: logDirOf(properties),
    rack: properties.get('broker.rack') || null,
    numPartitions: number('num.partitions'),
    defaultReplicationFactor: number('default.replication.factor'),
    autoCreateTopics: text('auto.create.topics.enable').toLowerCase() === 'true',
    deleteTopics: text('delete.topic.enable').toLowerCase() === 'true',
    socketRequestMaxBytes: number('socket.request.max.bytes'),
    socketListenBacklog: number('socket.listen.backlog.size'),
    maxConnections: number('max.connections'),
    maxConnectionsPerIp: number('max.connections.per.ip'),
    connectionsMaxIdleMs: number('connections.max.idle.ms'),
    queuedMaxRequestBytes: number('queued.max.request.bytes'),
    fetchMaxBytes: number('fetch.max.bytes'),
    maxFetchSessions: number('max.incremental.fetch.session.cache.slots'),
    maxRequestPartitionSizeLimit: number('max.request.partition.size.limit'),
    retentionCheckIntervalMs: number('log.retention.check.interval.ms'),
    cleanerEnabled: text('log.cleaner.enable').toLowerCase() === 'true',
    cleanerBackoffMs: number('log.cleaner.backoff.ms'),
    cleanerDedupeBufferSize: number('log.cleaner.dedupe.buffer.size'),
    flushOffsetCheckpointIntervalMs: number('log.flush.offset.checkpoint.interval.ms'),
    producerIdExpirationMs: number('producer.id.expiration.ms'),
    producerIdExpirationCheckIntervalMs: 600_000, // producer.id.expiration.check.interval.ms, internal in Kafka
    metadataSnapshotBytes: number('metadata.log.max.record.bytes.between.snapshots'),
    groupMinSessionTimeoutMs: number('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: number('group.max.session.timeout.ms'),
    groupInitialRebalanceDelayMs: number('group.initial.rebalance.delay.ms'),
    groupMaxSize: number('group.max.size'),
    groupConsumer: parseGroupConsumer(text),
    offsetsTopicPartitions: number('offsets.topic.num.partitions'),
    offsetsTopicSegmentBytes: number('offsets.topic.segment.bytes'),
    offsetsRetentionMs: number('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: number('offsets.retention.check.interval.ms'),
    offsetMetadataMaxBytes: number('offset.metadata.max.bytes'),
    authorizer: authorizerOf(properties, warnings),
    transactionTopicPartitions: number('transaction.state.log.num.partitions'),
    transactionTopicSegmentBytes: number('transaction.state.log.segment.bytes'),
    transactionTopicMinIsr: number('transaction.state.log.min.isr'),
    transactionMaxTimeoutMs: number('transaction.max.timeout.ms'),
    transactionAbortIntervalMs: number('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    transactionalIdExpirationMs: number('transactional.id.expiration.ms'),
    transactionalIdExpirationIntervalMs: number('transaction.remove.expired.transaction.cleanup.interval.ms'),
    properties,
    defaults,
    warnings,
  }
}

function checkProperty(name: string, value: string, warnings: string[]): void {
  const key = brokerConfigKey(name)
  if (key === undefined) {
    if (!UNLISTED.has(name)) warnings.push(`the property ${name} is not known and has no effect`)
    return
  }
  try {
    parseBrokerValue(name, value)
  } catch (error) {
    if (error instanceof KafkaError) throw new ConfigError(name, error.message)
    throw error
  }
  if (REFUSED.get(key.name)?.(value) === true) {
    throw new ConfigError(name, `${name}=${value} is not supported by this broker`)
  }
  if (key.type === 'class' && value !== '' && value !== key.default) {
    throw new ConfigError(name, `${name}: this broker can't load Java classes`)
  }
}

function isGiven(value: string): boolean {
  return value !== ''
}

function authorizerOf(properties: ReadonlyMap<string, string>, warnings: string[]): AuthorizerConfig | undefined {
  const name = properties.get('authorizer.class.name') ?? ''
  if (name === '') {
    for (const key of [SUPER_USERS, ALLOW_WITHOUT_ACL]) {
      if (properties.has(key)) warnings.push(`the property ${key} has no effect without authorizer.class.name`)
    }
    return undefined
  }
  if (name !== STANDARD_AUTHORIZER) {
    throw new ConfigError('authorizer.class.name', `authorizer.class.name=${name}: this broker has only ${STANDARD_AUTHORIZER}`)
  }
  const superUsers = (properties.get(SUPER_USERS) ?? '').split(';').map((user) => user.trim()).filter((user) => user !== '')
  const bad = superUsers.find((user) => !user.includes(':'))
  if (bad !== undefined) {
    throw new ConfigError(SUPER_USERS, `super.users: expected a string in format principalType:principalName but got ${bad}`)
  }
  const allowsEveryoneWithoutAcl = (properties.get(ALLOW_WITHOUT_ACL) ?? '').toLowerCase() === 'true'
  return { superUsers: new Set(superUsers), allowsEveryoneWithoutAcl }
}

/** `node.id`, or its old name; both are put into `properties`, as Kafka lists them. */
function nodeIdOf(properties: Map<string, string>): number {
  const named = properties.get('node.id') ?? properties.get('broker.id') ?? '1'
  const other = properties.get('broker.id')
  if (other !== undefined && other !== named) {
    throw new ConfigError('broker.id', 'You must set node.id to the same value as broker.id.')
  }
  properties.set('node.id', named)
  properties.set('broker.id', named)
  const roles = listOf(properties.get('process.roles') ?? 'broker,controller')
  if (!roles.includes('broker')) throw new ConfigError('process.roles', 'process.roles must contain broker')
  const voters = listOf(properties.get('controller.quorum.voters') ?? '')
  if (voters.some((voter) => Number(voter.split('@')[0]) !== Number(named))) {
    throw new ConfigError('controller.quorum.voters', 'controller.quorum.voters names another node; this broker runs alone')
  }
  return Number(named)
}

function logDirOf(properties: ReadonlyMap<string, string>): string {
  const directories = listOf(properties.get('log.dirs') ?? properties.get('log.dir') ?? '')
  const directory = directories.at(0)
  if (directory === undefined || directory === '') throw new ConfigError('log.dirs', 'log.dirs is missing')
  if (directories.length > 1) throw new ConfigError('log.dirs', 'log.dirs names several directories; this broker has one')
  const metadataDirectory = properties.get('metadata.log.dir')
  if (metadataDirectory !== undefined && metadataDirectory !== '' && metadataDirectory !== directory) {
    throw new ConfigError('metadata.log.dir', 'metadata.log.dir must be the one directory of log.dirs')
  }
  return directory
}
