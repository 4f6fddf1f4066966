// Both APIs that alter configs: the checks that Kafka's broker makes first (ConfigAdminManager), then those of its
// controller, then one commit for all resources that passed.

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
  checkBrokerChanges,
  checkBrokerValues,
  checkTopicConfigs,
  ConfigOperation,
  configRecords,
} from './alterations.ts'
import type { ConfigChange } from './alterations.ts'
import { refusalOf } from './config-permissions.ts'

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
        checkShape(resource, options)
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

function checkShape({ changes }: AlteredResource, { replacesAll }: AlterOptions): void {
  if (new Set(changes.map(({ name }) => name)).size < changes.length) {
    throw new KafkaError('INVALID_REQUEST', 'Error due to duplicate config keys')
  }
  const nulls = changes.filter(({ operation, value }) => value === null && operation !== ConfigOperation.delete)
  if (nulls.length > 0) {
    const names = nulls.map(({ name }) => name).join(',')
    throw new KafkaError('INVALID_REQUEST', `Null value not supported for : ${names}`)
  }
  const { set, subtract } = ConfigOperation
  const isKnown = ({ operation }: ConfigChange) => operation >= set && operation <= subtract
  const unknown = replacesAll ? undefined : changes.find((change) => !isKnown(change))
  if (unknown !== undefined) throw new KafkaError('INVALID_REQUEST', `Unknown config operation ${unknown.operation}`)
}

function recordsFor(broker: Broker, image: MetadataImage, resource: AlteredResource, options: AlterOptions): NewRecord[] {
  const { resourceType, resourceName } = resource
  switch (resourceType) {
    case ResourceType.topic:
      return topicRecords(broker, image, resource, options)
    case ResourceType.broker:
      return brokerRecords(broker, image, resource, options)
    case ResourceType.brokerLogger:
      if (!options.replacesAll) throw loggerRefusal(broker, resource)
      break
    case ResourceType.clientMetrics:
      throw new KafkaError('INVALID_REQUEST', 'This broker has no client metrics.')
    case ResourceType.group:
      throw new KafkaError('INVALID_REQUEST', `This broker has no groups yet: ${resourceName}`)
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
  const current = image.configs(ResourceType.broker, resourceName)
  const wanted = applyChanges(ResourceType.broker, options.replacesAll ? new Map() : current, changes)
  const removed = [...current.keys()].filter((name) => !wanted.has(name))
  const allChanges = [
    ...changes.filter(({ operation }) => operation !== ConfigOperation.delete),
    ...removed.map((name) => ({ name, operation: ConfigOperation.delete, value: null })),
    ...changes.filter(({ name, operation }) => operation === ConfigOperation.delete && !removed.includes(name)),
  ]
  checkBrokerChanges(image, resourceName, allChanges)
  checkBrokerValues(wanted)
  return configRecords(ResourceType.broker, resourceName, current, wanted)
}

/** The daemon's log has one level, given when it is started; so every change is refused, each as Kafka would. */
function loggerRefusal(broker: Broker, { resourceName, changes }: AlteredResource): KafkaError {
  checkNode(resourceName, broker, (id) => `Unexpected node id. Expected ${broker.nodeId}, but received ${id}`)
  for (const { name, operation } of changes) {
    if (operation === ConfigOperation.append || operation === ConfigOperation.subtract) {
      const word = operation === ConfigOperation.append ? 'APPEND' : 'SUBTRACT'
      return new KafkaError('INVALID_REQUEST', `${word} operation is not allowed for the BROKER_LOGGER resource`)
    }
    if (name !== 'root') return new KafkaError('INVALID_CONFIG', `Logger ${name} does not exist!`)
    if (operation === ConfigOperation.delete) {
      return new KafkaError('INVALID_REQUEST', 'Removing the log level of the root logger is not allowed')
    }
  }
  return new KafkaError('INVALID_REQUEST', 'The log level of this broker cannot be changed while it runs.')
}

function checkNode(name: string, broker: Broker, otherwise: (id: string) => string): void {
  if (!/^-?\d{1,10}$/.test(name)) {
    throw new KafkaError('INVALID_REQUEST', `Node id must be an integer, but it is: ${name}`)
  }
  if (Number(name) !== broker.nodeId) throw new KafkaError('INVALID_REQUEST', otherwise(name))
}
