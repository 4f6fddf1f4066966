// Every config of a group (resource type GROUP) of Apache Kafka 4.3: type, default, range, the broker config it falls back
// to. Names, defaults and ranges are interface. What of them has an effect is what consumer groups read (groups/consumer).

import { KafkaError } from '../../protocol/errors.ts'
import { ResourceType } from '../metadata/image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { BrokerConfig } from './broker-configs.ts'
import { brokerConfigSynonyms, brokerConfigValue, ConfigSource } from './resolve.ts'
import type { DescribedConfig } from './resolve.ts'
import { atLeast, CONFIG_TYPE_CODES, numberOf, oneOf, parseValue } from './values.ts'
import type { Check, ConfigType } from './values.ts'

export interface GroupConfig {
  readonly name: string
  readonly type: ConfigType
  readonly check: Check | undefined
  /** The broker config that holds where the group says nothing. */
  readonly synonym: string | undefined
  readonly default: string
  readonly documentation: string
}

type Row = readonly [name: string, type: ConfigType, check: Check | undefined, synonym: string, defaultValue: string, documentation: string]

const autoOffsetReset: Check = (name, value) => {
  const text = String(value)
  if (/^(earliest|latest|by_duration:P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/i.test(text)) return
  const why = `Invalid value \`${text}\` for configuration ${name}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'.`
  throw new KafkaError('INVALID_CONFIG', `Invalid value ${text} for configuration ${name}: ${why}`)
}

// prettier-ignore
const ROWS: readonly Row[] = [
  ['consumer.session.timeout.ms', 'int', atLeast(1), 'group.consumer.session.timeout.ms', '45000', 'How long a member may be silent, ms.'],
  ['consumer.heartbeat.interval.ms', 'int', atLeast(1), 'group.consumer.heartbeat.interval.ms', '5000', 'How often members are to show themselves, ms.'],
  ['consumer.assignment.interval.ms', 'int', atLeast(0), 'group.consumer.assignment.interval.ms', '1000', 'How long an assignment stands at least, ms.'],
  ['share.session.timeout.ms', 'int', atLeast(1), 'group.share.session.timeout.ms', '45000', 'How long a member may be silent, ms.'],
  ['share.heartbeat.interval.ms', 'int', atLeast(1), 'group.share.heartbeat.interval.ms', '5000', 'How often members are to show themselves, ms.'],
  ['share.record.lock.duration.ms', 'int', atLeast(1000), 'group.share.record.lock.duration.ms', '30000', 'How long an acquired record is kept for its consumer, ms.'],
  ['share.delivery.count.limit', 'int', atLeast(2), 'group.share.delivery.count.limit', '5', 'How often a record is delivered at most.'],
  ['share.partition.max.record.locks', 'int', atLeast(100), 'group.share.partition.max.record.locks', '2000', 'How many records of a partition may be acquired at once.'],
  ['share.auto.offset.reset', 'string', autoOffsetReset, '', 'latest', 'Where a group begins that has no offset yet.'],
  ['share.isolation.level', 'string', oneOf('read_committed', 'read_uncommitted'), '', 'read_uncommitted', 'Whether records of open and aborted transactions are delivered.'],
  ['share.renew.acknowledge.enable', 'boolean', undefined, '', 'true', 'Whether a consumer may keep a record for longer.'],
  ['share.assignment.interval.ms', 'int', atLeast(0), 'group.share.assignment.interval.ms', '1000', 'How long an assignment stands at least, ms.'],
  ['streams.session.timeout.ms', 'int', atLeast(1), 'group.streams.session.timeout.ms', '45000', 'How long a member may be silent, ms.'],
  ['streams.heartbeat.interval.ms', 'int', atLeast(1), 'group.streams.heartbeat.interval.ms', '5000', 'How often members are to show themselves, ms.'],
  ['streams.num.standby.replicas', 'int', atLeast(0), 'group.streams.num.standby.replicas', '0', 'How many copies of a state are kept ready.'],
  ['streams.initial.rebalance.delay.ms', 'int', atLeast(0), 'group.streams.initial.rebalance.delay.ms', '3000', 'How long a new group waits for more members, ms.'],
  ['streams.assignment.interval.ms', 'int', atLeast(0), 'group.streams.assignment.interval.ms', '1000', 'How long an assignment stands at least, ms.'],
]

const GROUP_CONFIGS: ReadonlyMap<string, GroupConfig> = new Map(
  ROWS.map(([name, type, check, synonym, defaultValue, documentation]) => {
    return [name, { name, type, check, synonym: synonym || undefined, default: defaultValue, documentation }]
  }),
)

// Bounds that the broker sets: those of group.<kind>.min.<what> and group.<kind>.max.<what>.
const BOUNDED = [
  'consumer.heartbeat.interval.ms', 'consumer.session.timeout.ms', 'consumer.assignment.interval.ms', 'share.heartbeat.interval.ms',
  'share.session.timeout.ms', 'share.record.lock.duration.ms', 'share.delivery.count.limit', 'share.partition.max.record.locks',
  'share.assignment.interval.ms', 'streams.heartbeat.interval.ms', 'streams.session.timeout.ms', 'streams.assignment.interval.ms',
] // prettier-ignore

/** All of a group's own configs. Throws KafkaError INVALID_CONFIG with Kafka's message. */
export function checkGroupConfigs(config: BrokerConfig, image: MetadataImage, overrides: ReadonlyMap<string, string>): void {
  for (const name of overrides.keys()) {
    if (!GROUP_CONFIGS.has(name)) throw new KafkaError('INVALID_CONFIG', `Unknown group config name: ${name}`)
  }
  const value = (name: string) => overrides.get(name) ?? groupConfigValue(config, image, new Map(), name)
  for (const [name, text] of overrides) {
    const key = GROUP_CONFIGS.get(name)
    if (key !== undefined) key.check?.(name, parseValue(name, key.type, text))
  }
  for (const name of BOUNDED) {
    if (!overrides.has(name)) continue
    const bound = (which: string) => name.replace(/^(\w+)\./, `group.$1.${which}.`)
    const given = numberOf(value(name))
    if (given < numberOf(brokerConfigValue(config, image, bound('min')))) {
      throw new KafkaError('INVALID_CONFIG', `${name} must be greater than or equal to ${bound('min')}`)
    }
    if (given > numberOf(brokerConfigValue(config, image, bound('max')))) {
      throw new KafkaError('INVALID_CONFIG', `${name} must be less than or equal to ${bound('max')}`)
    }
  }
  for (const kind of ['consumer', 'share', 'streams']) {
    const [interval, session] = [`${kind}.heartbeat.interval.ms`, `${kind}.session.timeout.ms`]
    if (!overrides.has(interval) && !overrides.has(session)) continue
    if (numberOf(value(interval)) >= numberOf(value(session))) {
      throw new KafkaError('INVALID_CONFIG', `${session} must be greater than ${interval}`)
    }
  }
}

/** What holds for a group with these `overrides`. */
function groupConfigValue(
  config: BrokerConfig,
  image: MetadataImage,
  overrides: ReadonlyMap<string, string>,
  name: string,
): string {
  const key = GROUP_CONFIGS.get(name)
  return overrides.get(name) ?? (key?.synonym === undefined ? (key?.default ?? '') : brokerConfigValue(config, image, key.synonym))
}

/** Every config of a group. There need not be a group of that name. */
export function describeGroupConfigs(config: BrokerConfig, image: MetadataImage, groupId: string): DescribedConfig[] {
  const overrides = image.configs(ResourceType.group, groupId)
  return Array.from(GROUP_CONFIGS.values(), (key) => {
    const own = overrides.get(key.name)
    const synonyms = key.synonym === undefined ? [] : brokerConfigSynonyms(config, image, key.synonym)
    if (key.synonym === undefined) synonyms.push({ name: key.name, value: key.default, source: ConfigSource.default })
    if (own !== undefined) synonyms.unshift({ name: key.name, value: own, source: ConfigSource.group })
    return {
      name: key.name,
      value: own ?? groupConfigValue(config, image, overrides, key.name),
      isReadOnly: false,
      source: synonyms.at(0)?.source ?? ConfigSource.default,
      isSensitive: false,
      synonyms,
      type: CONFIG_TYPE_CODES[key.type],
      documentation: key.documentation,
    }
  })
}
