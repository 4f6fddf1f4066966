// Changes of configs, checked as Kafka's controller checks them: from what is set now and what is asked for to the
// ConfigRecords that make it so. Nothing here changes anything.

import { KafkaError } from '../../protocol/errors.ts'
import { ResourceType } from '../metadata/image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { brokerConfigKey, isDescribed } from './broker-config-keys.ts'
import type { BrokerConfig } from './broker-configs.ts'
import { topicConfigValue } from './resolve.ts'
import { HIDDEN_TOPIC_CONFIGS, TOPIC_CONFIGS } from './topic-configs.ts'
import { listOf, parseValue } from './values.ts'

export const ConfigOperation = { set: 0, delete: 1, append: 2, subtract: 3 } as const

export interface ConfigChange {
  readonly name: string
  readonly operation: number
  readonly value: string | null
}

const MAX_VALUE_LENGTH = 32767 // of a string in a ConfigRecord (Short.MAX_VALUE)
const OPERATION_NAMES = ['SET', 'DELETE', 'APPEND', 'SUBTRACT']

/** The configs a resource has after `changes`. KafkaError where a change makes no sense for its config. */
export function applyChanges(
  resourceType: number,
  current: ReadonlyMap<string, string>,
  changes: readonly ConfigChange[],
): Map<string, string> {
  const result = new Map(current)
  for (const { name, operation, value } of changes) {
    switch (operation) {
      case ConfigOperation.set:
        result.set(name, value ?? '')
        break
      case ConfigOperation.delete:
        result.delete(name)
        break
      case ConfigOperation.append:
      case ConfigOperation.subtract: {
        const words = listOf(current.get(name) ?? listDefault(resourceType, name, operation))
        result.set(name, changedList(words, operation, value ?? '').join(','))
        break
      }
      default:
        throw new KafkaError('INVALID_REQUEST', `Unknown config operation ${operation}`)
    }
  }
  return result
}

/** Throws KafkaError INVALID_CONFIG for what is no list, or no list that Kafka knows as one at this point. */
function listDefault(resourceType: number, name: string, operation: number): string {
  const word = OPERATION_NAMES[operation] ?? ''
  if (resourceType === ResourceType.broker) {
    const key = brokerConfigKey(name)
    if (key === undefined || !isDescribed(name)) throw new KafkaError('INVALID_CONFIG', `Unknown config name: ${name}`)
    if (key.type === 'list') return key.default ?? ''
    throw new KafkaError('INVALID_CONFIG', `Config value ${word.toLowerCase()} is not allowed for config key: ${name}`)
  }
  const key = resourceType === ResourceType.topic ? TOPIC_CONFIGS.get(name) : undefined
  if (key?.type === 'list') return key.default
  throw new KafkaError('INVALID_CONFIG', `Can't ${word} to key ${name} because its type is not LIST.`)
}

function changedList(words: readonly string[], operation: number, value: string): string[] {
  const given = value.split(',').map((word) => word.trim())
  if (operation === ConfigOperation.subtract) return words.filter((word) => !given.includes(word))
  return [...words, ...given.filter((word, index) => !words.includes(word) && given.indexOf(word) === index)]
}

/** The records that bring a resource from `current` to `wanted`; none for what stays. */
export function configRecords(
  resourceType: number,
  resourceName: string,
  current: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): NewRecord[] {
  const records: NewRecord[] = []
  const record = (name: string, value: string | null) => {
    records.push({ name: 'ConfigRecord', value: { resourceType, resourceName, name, value } })
  }
  for (const [name, value] of wanted) if (current.get(name) !== value) record(name, value)
  for (const name of current.keys()) if (!wanted.has(name)) record(name, null)
  return records
}

/** All of a topic's own configs. Throws KafkaError INVALID_CONFIG with Kafka's message. */
export function checkTopicConfigs(
  config: BrokerConfig,
  image: MetadataImage,
  overrides: ReadonlyMap<string, string>,
): void {
  for (const name of [...overrides.keys()].sort()) {
    if (!TOPIC_CONFIGS.has(name)) throw new KafkaError('INVALID_CONFIG', `Unknown topic config name: ${name}`)
  }
  for (const [name, key] of TOPIC_CONFIGS) {
    const text = overrides.get(name)
    if (text === undefined || HIDDEN_TOPIC_CONFIGS.has(name)) continue
    checkLength(name, text)
    const value = parseValue(name, key.type, text)
    key.check?.(name, value)
  }
  if (overrides.get('remote.storage.enable')?.trim().toLowerCase() === 'true') {
    const what = 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
    throw new KafkaError('INVALID_CONFIG', what)
  }
  const lag = (name: string): bigint => {
    const key = TOPIC_CONFIGS.get(name)
    return key === undefined ? 0n : BigInt(topicConfigValue(config, image, overrides, key).trim())
  }
  const [min, max] = [lag('min.compaction.lag.ms'), lag('max.compaction.lag.ms')]
  if (min > max) {
    const what = `conflict topic config setting min.compaction.lag.ms (${min}) > max.compaction.lag.ms (${max})`
    throw new KafkaError('INVALID_CONFIG', what)
  }
}

/** Throws KafkaError INVALID_CONFIG when the value does not fit into a record. */
export function checkLength(name: string, value: string): void {
  if (Buffer.byteLength(value) > MAX_VALUE_LENGTH) {
    throw new KafkaError('INVALID_CONFIG', `The configuration value for ${name} is longer than ${MAX_VALUE_LENGTH} bytes.`)
  }
}
