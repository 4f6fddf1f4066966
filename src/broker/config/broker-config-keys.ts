// What is known of a broker config by its name: type, default, where it may be changed, which other names stand
// behind it.

import { KafkaError } from '../../protocol/errors.ts'
import { BROKER_CONFIG_DOCUMENTATION, BROKER_CONFIG_ROWS } from './broker-config-table.ts'
import { TOPIC_CONFIGS } from './topic-configs.ts'
import type { TopicConfig } from './topic-configs.ts'
import { atLeast, parseValue } from './values.ts'
import type { Check, ConfigType, ConfigValue } from './values.ts'

export interface BrokerConfigKey {
  readonly name: string
  readonly type: ConfigType
  readonly default: string | null
  readonly isDynamic: boolean
  /** Only for one broker, never as the cluster's default. */
  readonly isPerBroker: boolean
  readonly documentation: string | null
}

const LISTENER_PREFIX = /^listener\.name\.[^.]+\.(?:(?:plain|scram-sha-256|scram-sha-512|gssapi|oauthbearer)\.)?(.+)$/
const PER_BROKER = /^(ssl\.|sasl\.|listeners$|listener\.security\.protocol\.map$|principal\.builder\.class$|cordoned\.log\.dirs$)/

// Of those that this broker reads itself; topic configs' ranges hold for the broker configs behind them.
const AT_LEAST: ReadonlyMap<string, number> = new Map(
  Object.entries({
    'node.id': 0,
    'num.partitions': 1,
    'default.replication.factor': 1,
    'socket.request.max.bytes': 1,
    'socket.listen.backlog.size': 1,
    'max.connections': 0,
    'max.connections.per.ip': 0,
    'queued.max.requests': 1,
    'fetch.max.bytes': 1024,
    'max.incremental.fetch.session.cache.slots': 0,
    'max.request.partition.size.limit': 1,
    'log.retention.check.interval.ms': 1,
    'producer.id.expiration.ms': 1,
    'metadata.log.max.record.bytes.between.snapshots': 1,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.segment.bytes': 1,
    'transaction.max.timeout.ms': 1,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1,
    'transactional.id.expiration.ms': 1,
    'transaction.remove.expired.transaction.cleanup.interval.ms': 1,
    'log.retention.hours': -1,
    'log.retention.minutes': -1,
    'log.roll.hours': 1,
    'log.roll.jitter.hours': 0,
    'log.cleaner.threads': 0,
    'num.io.threads': 1,
    'num.network.threads': 1,
    'num.replica.fetchers': 1,
    'num.recovery.threads.per.data.dir': 1,
    'background.threads': 1,
    'group.consumer.max.size': 1,
    'group.consumer.session.timeout.ms': 1,
    'group.consumer.heartbeat.interval.ms': 1,
    'group.consumer.assignment.interval.ms': 0,
  }),
)

const byName = new Map<string, BrokerConfigKey>()
for (const [name, type, defaultValue, dynamic] of BROKER_CONFIG_ROWS) {
  byName.set(name, {
    name,
    type,
    default: defaultValue,
    isDynamic: dynamic === 'dynamic',
    isPerBroker: PER_BROKER.test(name),
    documentation: BROKER_CONFIG_DOCUMENTATION.get(name) ?? topicConfigBehind(name)?.documentation ?? null,
  })
}

/** Every broker config that Kafka 4.3 describes, by name. */
export const BROKER_CONFIGS: ReadonlyMap<string, BrokerConfigKey> = byName

// Rates of replication (DynamicConfig.Broker): they can only be set dynamically, and Kafka never describes them.
const RATE = { type: 'long', default: null, isDynamic: true, isPerBroker: false, documentation: null } as const
const RATES = new Map<string, BrokerConfigKey>()
for (const name of ['leader.replication.throttled.rate', 'follower.replication.throttled.rate', 'replica.alter.log.dirs.io.max.bytes.per.second']) {
  RATES.set(name, { name, ...RATE })
}

/** Whether DescribeConfigs lists it, when it is set. */
export function isDescribed(name: string): boolean {
  return !RATES.has(name)
}

/** The key a name stands for: itself, or what follows `listener.name.<listener>.`; undefined for names Kafka lacks. */
export function brokerConfigKey(name: string): BrokerConfigKey | undefined {
  const direct = byName.get(name) ?? RATES.get(name)
  if (direct !== undefined) return direct
  const inner = LISTENER_PREFIX.exec(name)?.[1]
  return inner === undefined ? undefined : byName.get(inner)
}

/** Names that give a broker config its value, the strongest first; the same scale only where factor is 1. */
export function brokerSynonyms(name: string): readonly string[] {
  const key = brokerConfigKey(name)
  if (key !== undefined && key.name !== name) return [name, key.name]
  const synonyms = topicConfigBehind(name)?.synonyms
  return synonyms !== undefined && synonyms.length > 1 && synonyms[0]?.name === name
    ? synonyms.map((synonym) => synonym.name)
    : [name]
}

/** `text` as a value of `name`; KafkaError INVALID_CONFIG with Kafka's message. Names Kafka lacks take anything. */
export function parseBrokerValue(name: string, text: string): ConfigValue {
  const key = brokerConfigKey(name)
  if (key === undefined) return text
  const value = parseValue(name, key.type, text)
  checkOf(key.name)?.(name, value)
  return value
}

function checkOf(name: string): Check | undefined {
  if (RATES.has(name)) return atLeast(0)
  const minimum = AT_LEAST.get(name)
  return minimum === undefined ? topicConfigBehind(name)?.check : atLeast(minimum)
}

/** The topic config whose first synonym is `name`. */
function topicConfigBehind(name: string): TopicConfig | undefined {
  for (const config of TOPIC_CONFIGS.values()) if (config.synonyms[0]?.name === name) return config
  return undefined
}

/** Kafka answers a bad value of a broker with INVALID_REQUEST and the same text as of a topic with INVALID_CONFIG. */
export function asInvalidRequest(error: unknown): unknown {
  return error instanceof KafkaError && error.error === 'INVALID_CONFIG'
    ? new KafkaError('INVALID_REQUEST', error.message)
    : error
}
