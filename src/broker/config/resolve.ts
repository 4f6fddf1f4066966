// Which value a config has, and why: the topic's own, then the broker's dynamic one, the cluster's dynamic default, the
// properties the broker was started with, its default. What DescribeConfigs says and what a log does come from here.

import { KafkaError } from '../../protocol/errors.ts'
import { ResourceType } from '../metadata/image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { BROKER_CONFIGS, brokerConfigKey, brokerSynonyms, isDescribed } from './broker-config-keys.ts'
import type { BrokerConfig } from './broker-configs.ts'
import { HIDDEN_TOPIC_CONFIGS, TOPIC_CONFIGS } from './topic-configs.ts'
import type { TopicConfig } from './topic-configs.ts'
import { CONFIG_TYPE_CODES, shownValue } from './values.ts'

/** As DescribeConfigs numbers them. */
export const ConfigSource = {
  unknown: 0,
  topic: 1,
  dynamicBroker: 2,
  dynamicDefaultBroker: 3,
  staticBroker: 4,
  default: 5,
  dynamicBrokerLogger: 6,
  clientMetrics: 7,
  group: 8,
} as const

export interface ConfigSynonym {
  readonly name: string
  readonly value: string | null
  readonly source: number
}

export interface DescribedConfig {
  readonly name: string
  /** null where there is none, and for secrets. */
  readonly value: string | null
  readonly isReadOnly: boolean
  readonly source: number
  readonly isSensitive: boolean
  /** The values on the way to the default, the strongest first. */
  readonly synonyms: readonly ConfigSynonym[]
  /** 0: unknown. */
  readonly type: number
  readonly documentation: string | null
}

/** Every config of a topic: what `overrides` sets, and what the rest comes from. In the order of the table. */
export function describeTopicConfigs(
  config: BrokerConfig,
  image: MetadataImage,
  overrides: ReadonlyMap<string, string>,
): DescribedConfig[] {
  const sources = sourcesOf(config, image)
  const described: DescribedConfig[] = []
  for (const key of TOPIC_CONFIGS.values()) {
    const set = overrides.get(key.name)
    const own = set === undefined ? undefined : shown(key, set)
    if (own === undefined && HIDDEN_TOPIC_CONFIGS.has(key.name)) continue
    const first = key.synonyms.at(0)
    const synonyms = first === undefined ? [] : synonymsIn(sources, first.name)
    if (own !== undefined) synonyms.unshift({ name: key.name, value: own, source: ConfigSource.topic })
    described.push({
      name: key.name,
      value: own ?? inherited(key, sources),
      isReadOnly: false,
      source: synonyms.at(0)?.source ?? ConfigSource.default,
      isSensitive: false,
      synonyms,
      type: CONFIG_TYPE_CODES[key.type],
      documentation: key.documentation,
    })
  }
  return described
}

/** As it is when it can't be parsed, since a directory may have been another broker's. */
function shown({ name, type }: TopicConfig, text: string): string {
  try {
    return shownValue(name, type, text)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return text
  }
}

/** The value of one topic config. */
export function topicConfigValue(
  config: BrokerConfig,
  image: MetadataImage,
  overrides: ReadonlyMap<string, string>,
  key: TopicConfig,
): string {
  return overrides.get(key.name) ?? inherited(key, sourcesOf(config, image))
}

/** Every config of this broker; names Kafka lacks too, as secrets. Sorted by name. */
export function describeBrokerConfigs(config: BrokerConfig, image: MetadataImage): DescribedConfig[] {
  const sources = sourcesOf(config, image)
  const names = new Set(BROKER_CONFIGS.keys())
  for (const { values } of sources) for (const name of values.keys()) names.add(name)
  return [...names].filter(isDescribed).sort().map((name) => described(name, synonymsIn(sources, name)))
}

/** What is set for all brokers together. */
export function describeBrokerDefaults(image: MetadataImage): DescribedConfig[] {
  const source = ConfigSource.dynamicDefaultBroker
  const given = [...image.configs(ResourceType.broker, '')].filter(([name]) => isDescribed(name))
  const values = given.sort(([a], [b]) => (a < b ? -1 : 1))
  return values.map(([name, value]) => described(name, [{ name, value: isSensitive(name) ? null : value, source }]))
}

function described(name: string, synonyms: ConfigSynonym[]): DescribedConfig {
  const key = brokerConfigKey(name)
  const first = synonyms.at(0)
  return {
    name,
    value: first?.value ?? null,
    isReadOnly: key?.isDynamic !== true || key.name !== name,
    source: first?.source ?? ConfigSource.default,
    isSensitive: isSensitive(name),
    synonyms,
    type: key === undefined ? 0 : CONFIG_TYPE_CODES[key.type],
    documentation: key?.documentation ?? null,
  }
}

interface Source {
  readonly source: number
  readonly values: ReadonlyMap<string, string>
  readonly config: BrokerConfig
}

function sourcesOf(config: BrokerConfig, image: MetadataImage): Source[] {
  return [
    { source: ConfigSource.dynamicBroker, values: image.configs(ResourceType.broker, String(config.nodeId)), config },
    { source: ConfigSource.dynamicDefaultBroker, values: image.configs(ResourceType.broker, ''), config },
    { source: ConfigSource.staticBroker, values: config.properties, config },
  ]
}

/** From the strongest on; what stands before `name` itself belongs to its other names alone and is left out, as in Kafka. */
function synonymsIn(sources: readonly Source[], name: string): ConfigSynonym[] {
  const names = brokerSynonyms(name)
  const synonyms: ConfigSynonym[] = []
  const add = (synonym: string, value: string | null | undefined, source: number) => {
    if (value === undefined || value === null) return
    synonyms.push({ name: synonym, value: isSensitive(synonym) ? null : value, source })
  }
  for (const { source, values } of sources) for (const one of names) add(one, values.get(one), source)
  const [{ config }] = sources
  for (const one of names) add(one, defaultOf(config, one), ConfigSource.default)
  const start = synonyms.findIndex((synonym) => synonym.name === name)
  return start < 0 ? [] : synonyms.slice(start)
}

/** What a topic config is when the topic says nothing: hours and minutes count where there are no milliseconds. */
function inherited(key: TopicConfig, sources: readonly Source[]): string {
  const [{ config }] = sources
  for (const { name, factor } of key.synonyms) {
    const value = sources.find(({ values }) => values.has(name))?.values.get(name) ?? defaultOf(config, name)
    if (value === null) continue
    if (factor === 1) return value
    return BigInt(value) < 0n ? '-1' : String(BigInt(value) * BigInt(factor))
  }
  return key.default
}

/** The value that a broker config has now; '' where there is none. */
export function brokerConfigValue(config: BrokerConfig, image: MetadataImage, name: string): string {
  return synonymsIn(sourcesOf(config, image), name).at(0)?.value ?? ''
}

/** Where the value of one broker config comes from, the strongest first. */
export function brokerConfigSynonyms(config: BrokerConfig, image: MetadataImage, name: string): ConfigSynonym[] {
  return synonymsIn(sourcesOf(config, image), name)
}

/** What the broker was started with, or its default; '' where there is none. */
export function defaultBrokerValue(config: BrokerConfig, name: string): string {
  return config.properties.get(name) ?? defaultOf(config, name) ?? ''
}

function defaultOf(config: BrokerConfig, name: string): string | null {
  return config.defaults.get(name) ?? BROKER_CONFIGS.get(name)?.default ?? null
}

/** Passwords; and what is not known may be one. */
export function isSensitive(name: string): boolean {
  const type = brokerConfigKey(name)?.type
  return type === undefined || type === 'password'
}
