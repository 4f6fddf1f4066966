// DescribeConfigs (32): every config of a topic, a broker or a client metrics subscription, where its value comes from and what stands behind it.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { DescribeConfigs } from '../../protocol/apis/describe-configs.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { Broker } from '../broker.ts'
import { describeClientMetrics } from '../config/client-metrics-configs.ts'
import { ConfigSource, describeBrokerConfigs, describeBrokerDefaults, describeTopicConfigs } from '../config/resolve.ts'
import type { DescribedConfig } from '../config/resolve.ts'
import { refusalOf } from '../config/config-permissions.ts'
import { describeGroupConfigs } from '../config/group-configs.ts'
import { itemError, turns } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { ResourceType } from '../metadata/image.ts'
import { checkTopicName } from '../metadata/topics.ts'

type Resource = RequestOf<typeof DescribeConfigs>['resources'][number]
type Result = ResponseInput<typeof DescribeConfigs>['results'][number]

// Of groups and subscriptions that need not exist; each is some kilobytes of answer.
const MAX_NAMES = 10_000

export const handleDescribeConfigs: Handler<typeof DescribeConfigs> = async (request, context) => {
  const { broker } = context
  // Each resource once, however often it is named: an answer is a thousand times as long as what asks for it.
  const resources = new Map(request.resources.map((resource) => [`${resource.resourceType} ${resource.resourceName}`, resource]))
  let names = 0
  const describe = (resource: Resource): Result => {
    const { resourceType, resourceName, configurationKeys } = resource
    try {
      const refusal = refusalOf(resource, 'DESCRIBE_CONFIGS', context)
      if (refusal !== undefined) return { errorCode: refusal.code, errorMessage: refusal.message, resourceType, resourceName, configs: [] }
      const isMadeUp = resourceType === ResourceType.group || resourceType === ResourceType.clientMetrics
      if (isMadeUp && ++names > MAX_NAMES) throw new KafkaError('INVALID_REQUEST', `More than ${MAX_NAMES} names in one request.`)
      const wanted = new Set(configurationKeys)
      const configs = configsOf(resource, broker)
        .filter(({ name }) => wanted.size === 0 || wanted.has(name))
        .map((config) => resultOf(config, request.includeSynonyms, request.includeDocumentation))
      return { errorCode: ErrorCode.NONE, errorMessage: '', resourceType, resourceName, configs }
    } catch (error) {
      const { code, message, isStandardText } = itemError(error, broker, `describing ${resourceName}`)
      // Kafka's text of an unknown topic is empty, and tools print what they get.
      const errorMessage = isStandardText && code !== ErrorCode.INVALID_REQUEST ? '' : message
      return { errorCode: code, errorMessage, resourceType, resourceName, configs: [] }
    }
  }
  const results: Result[] = []
  const letOthers = turns(broker.clock)
  for (const resource of resources.values()) {
    results.push(describe(resource))
    await letOthers()
  }
  return { throttleTimeMs: 0, results }
}

function configsOf({ resourceType, resourceName }: Resource, broker: Broker): DescribedConfig[] {
  const { config } = broker
  const { image } = broker.metadata
  switch (resourceType) {
    case ResourceType.topic: {
      checkTopicName(resourceName)
      if (image.topic(resourceName) === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
      return describeTopicConfigs(config, image, image.configs(ResourceType.topic, resourceName))
    }
    case ResourceType.broker:
      if (resourceName === '') return describeBrokerDefaults(image)
      checkNode(resourceName, broker, (id) => {
        return `Unexpected broker id, expected ${broker.nodeId} or empty string, but received ${id}`
      })
      return describeBrokerConfigs(config, image)
    case ResourceType.brokerLogger:
      if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'Broker id must not be empty')
      checkNode(resourceName, broker, (id) => `Unexpected broker id, expected ${broker.nodeId} but received ${id}`)
      return [rootLogger(broker)]
    case ResourceType.clientMetrics:
      return describeClientMetrics(resourceName, image.configs(ResourceType.clientMetrics, resourceName))
    case ResourceType.group:
      if (resourceName === '') throw new KafkaError('INVALID_REQUEST', 'Group name must not be empty')
      return describeGroupConfigs(config, image, resourceName)
    default:
      throw new KafkaError('INVALID_REQUEST')
  }
}

/** There is one log, and one level for all of it. */
function rootLogger({ logger }: Broker): DescribedConfig {
  return {
    name: 'root',
    value: (logger.level ?? 'info').toUpperCase(),
    isReadOnly: false,
    source: ConfigSource.dynamicBrokerLogger,
    isSensitive: false,
    synonyms: [],
    type: 0,
    documentation: '',
  }
}

function checkNode(name: string, broker: Broker, otherwise: (id: string) => string): void {
  if (!/^-?\d{1,10}$/.test(name)) {
    throw new KafkaError('INVALID_REQUEST', `Broker id must be an integer, but it is: ${name}`)
  }
  if (Number(name) !== broker.nodeId) throw new KafkaError('INVALID_REQUEST', otherwise(name))
}

function resultOf(config: DescribedConfig, withSynonyms: boolean, withDocumentation: boolean): Result['configs'][number] {
  return {
    name: config.name,
    value: config.value,
    readOnly: config.isReadOnly,
    configSource: config.source,
    isSensitive: config.isSensitive,
    synonyms: withSynonyms ? config.synonyms : [],
    configType: config.type,
    documentation: withDocumentation ? config.documentation : null,
  }
}
