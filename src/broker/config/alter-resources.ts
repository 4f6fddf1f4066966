// Both APIs that alter configs: the checks that Kafka's broker makes first (ConfigAdminManager), then those of its
// controller, then one commit for all resources that passed.

import type { LogLevel } from '../../base/logger.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Broker } from '../broker.ts'
import { itemError } from '../handler.ts'
import type { RequestContext } from '../handler.ts'
import { ResourceType } from '../metadata/image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { NewRecord } from '../metadata/records.ts'
import { checkTopicName } from '../metadata/topics.ts'
import {
  applyChanges,
  checkTopicConfigs,
  ConfigOperation,
  configRecords,
} from './alterations.ts'
import type { ConfigChange } from './alterations.ts'
import { checkBrokerAlteration } from './broker-alterations.ts'
import { checkClientMetrics } from './client-metrics-configs.ts'
import { refusalOf } from './config-permissions.ts'
import { checkGroupConfigs } from './group-configs.ts'

// Kafka's levels, and what they are here.
const LOG_LEVELS: ReadonlyMap<string, LogLevel> = new Map([
  ['TRACE', 'debug'],
  ['DEBUG', 'debug'],
  ['INFO', 'info'],
  ['WARN', 'warn'],
  ['ERROR', 'error'],
  ['FATAL', 'error'],
])

export interface AlteredResource {
  readonly resourceType: number
  readonly resourceName: string
  readonly changes: readonly ConfigChange[]
}

export interface AlterOptions {
  /** Configs that are not named are reset. */
  readonly replacesAll: boolean
  readonly validateOnly: boolean
}

/** One entry a resource, in order: why it was refused, undefined where it was not. */
export function alterConfigs(
  context: RequestContext,
  resources: readonly AlteredResource[],
  options: AlterOptions,
): Promise<(KafkaError | undefined)[]> {
  const { broker } = context
  const counts = new Map<string, number>()
  for (const resource of resources) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1)
  return broker.metadata.submit((image) => {
    const records: NewRecord[] = []
    const result = resources.map((resource) => {
      try {
        if ((counts.get(keyOf(resource)) ?? 0) > 1) {
          throw new KafkaError('INVALID_REQUEST', 'Each resource must appear at most once.')
        }
        checkShape(resource)
        const refusal = refusalOf(resource, 'ALTER_CONFIGS', context)
        if (refusal !== undefined) throw refusal
        const more = recordsFor(broker, image, resource, options)
        if (!options.validateOnly) records.push(...more)
        return undefined
      } catch (error) {
        return itemError(error, broker, `altering the configs of ${resource.resourceName}`)
      }
    })
    return { records, result }
  })
}

function keyOf({ resourceType, resourceName }: AlteredResource): string {
  return `${resourceType} ${resourceName}`
}

function checkShape({ changes }: AlteredResource): void {
  if (new Set(changes.map(({ name }) => name)).size < changes.length) {
    throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
  }
  const nulls = changes.filter(({ operation, value }) => value === null && operation !== ConfigOperation.delete)
  if (nulls.length > 0) {
    const names = nulls.map(({ name }) => name).join(',')
    throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${names}`)
  }
}

/** Where Kafka breaks off with an unexpected error, this broker says what was wrong. */
function checkOperations({ changes }: AlteredResource): void {
  const { set, subtract } = ConfigOperation
  const unknown = changes.find(({ operation }) => operation < set || operation > subtract)
  if (unknown !== undefined) throw new KafkaError('INVALID_REQUEST', `Unknown operations type ${unknown.operation}`)
}

function recordsFor(broker: Broker, image: MetadataImage, resource: AlteredResource, options: AlterOptions): NewRecord[] {
  const { resourceType } = resource
  if (resourceType !== ResourceType.broker) checkOperations(resource)
  switch (resourceType) {
    case ResourceType.topic:
      return topicRecords(broker, image, resource, options)
    case ResourceType.broker:
      return brokerRecords(broker, image, resource, options)
    case ResourceType.brokerLogger:
      if (!options.replacesAll) return alterLogLevel(broker, resource, options)
      break
    case ResourceType.clientMetrics:
      return clientMetricsRecords(image, resource, options)
    case ResourceType.group:
      return groupRecords(broker, image, resource, options)
  }
  throw new KafkaError('INVALID_REQUEST', `Unknown resource type ${resourceType}`)
}

function topicRecords(
  broker: Broker,
  image: MetadataImage,
  resource: AlteredResource,
  options: AlterOptions,
): NewRecord[] {
  const { resourceName, changes } = resource
  if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'Default topic resources are not allowed.')
  checkTopicName(resourceName)
  if (image.topic(resourceName) === undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${resourceName}' does not exist.`)
  }
  const current = image.configs(ResourceType.topic, resourceName)
  const wanted = applyChanges(ResourceType.topic, options.replacesAll ? new Map() : current, changes)
  checkTopicConfigs(broker.config, image, wanted)
  return configRecords(ResourceType.topic, resourceName, current, wanted)
}

function clientMetricsRecords(
  image: MetadataImage,
  { resourceName, changes }: AlteredResource,
  options: AlterOptions,
): NewRecord[] {
  const current = image.configs(ResourceType.clientMetrics, resourceName)
  const wanted = applyChanges(ResourceType.clientMetrics, options.replacesAll ? new Map() : current, changes)
  checkClientMetrics(resourceName, wanted)
  return configRecords(ResourceType.clientMetrics, resourceName, current, wanted)
}

/** A group need not be there to have configs. */
function groupRecords(broker: Broker, image: MetadataImage, resource: AlteredResource, options: AlterOptions): NewRecord[] {
  const { resourceName, changes } = resource
  if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'Default group resources are not allowed.')
  const current = image.configs(ResourceType.group, resourceName)
  const wanted = applyChanges(ResourceType.group, options.replacesAll ? new Map() : current, changes)
  checkGroupConfigs(broker.config, image, wanted)
  return configRecords(ResourceType.group, resourceName, current, wanted)
}

function brokerRecords(
  broker: Broker,
  image: MetadataImage,
  resource: AlteredResource,
  options: AlterOptions,
): NewRecord[] {
  const { resourceName, changes } = resource
  if (resourceName !== '') {
    checkNode(resourceName, broker, (id) => `Unexpected broker id, expected ${broker.nodeId}, but received ${id}`)
  }
  checkOperations(resource)
  const current = image.configs(ResourceType.broker, resourceName)
  const wanted = applyChanges(ResourceType.broker, options.replacesAll ? new Map() : current, changes)
  const deleted = ({ operation }: ConfigChange) => operation === ConfigOperation.delete
  const removed = [...current.keys()].filter((name) => !wanted.has(name))
  checkBrokerAlteration(broker.config, image, {
    resourceName,
    current,
    wanted,
    given: changes.filter((change) => !deleted(change)).map(({ name }) => name),
    removed: [...removed, ...changes.filter(deleted).map(({ name }) => name)],
  })
  return configRecords(ResourceType.broker, resourceName, current, wanted)
}

/** The daemon's log has one level for all of it, by the name of the root logger, and forgets it at its end, as Kafka's. */
function alterLogLevel(broker: Broker, { resourceName, changes }: AlteredResource, options: AlterOptions): NewRecord[] {
  checkNode(resourceName, broker, (id) => `Unexpected node id. Expected ${broker.nodeId}, but received ${id}`)
  const { append, subtract } = ConfigOperation
  for (const { name, operation, value } of changes) {
    if (operation === append || operation === subtract) {
      const word = operation === append ? 'APPEND' : 'SUBTRACT'
      throw new KafkaError('INVALID_REQUEST', `${word} operation is not allowed for the BROKER_LOGGER resource`)
    }
    if (name !== 'root') throw new KafkaError('INVALID_CONFIG', `Logger ${name} does not exist!`)
    if (operation === ConfigOperation.delete) {
      throw new KafkaError('INVALID_REQUEST', 'Removing the log level of the root logger is not allowed')
    }
    if (LOG_LEVELS.has(value ?? '')) continue
    const what = `Cannot set the log level of root to ${value} as it is not a supported log level.`
    throw new KafkaError('INVALID_CONFIG', `${what} Valid log levels are ${[...LOG_LEVELS.keys()].sort().join(', ')}`)
  }
  const level = LOG_LEVELS.get(changes.at(0)?.value ?? '')
  if (level !== undefined && !options.validateOnly) broker.logger.level = level
  return []
}

function checkNode(name: string, broker: Broker, otherwise: (id: string) => string): void {
  if (!/^-?\d{1,10}$/.test(name)) {
    throw new KafkaError('INVALID_REQUEST', `Node id must be an integer, but it is: ${name}`)
  }
  if (Number(name) !== broker.nodeId) throw new KafkaError('INVALID_REQUEST', otherwise(name))
}
