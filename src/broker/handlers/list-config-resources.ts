// ListConfigResources (74): names of what has configs. Groups and client metrics exist here only by what is set on them.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { ListConfigResources } from '../../protocol/apis/list-config-resources.ts'
import type { Handler } from '../handler.ts'
import { ResourceType } from '../metadata/image.ts'
import { checkCluster } from '../security/cluster.ts'

const TYPES: readonly number[] = Object.values(ResourceType)

export const handleListConfigResources: Handler<typeof ListConfigResources> = (request, context) => {
  checkCluster(context, 'DESCRIBE_CONFIGS')
  const { metadata, nodeId } = context.broker
  const supported = context.apiVersion === 0 ? [ResourceType.clientMetrics] : TYPES
  const asked = request.resourceTypes
  if (asked.some((type) => !supported.includes(type))) throw new KafkaError('UNSUPPORTED_VERSION')
  const wanted: readonly number[] = context.apiVersion === 0 || asked.length === 0 ? supported : asked
  const named = (resourceType: number, names: () => Iterable<string>) =>
    wanted.includes(resourceType) ? Array.from(names(), (resourceName) => ({ resourceName, resourceType })) : []
  const self = () => [String(nodeId)]
  const configResources = [
    ...named(ResourceType.group, () => metadata.image.configuredResources(ResourceType.group)),
    ...named(ResourceType.clientMetrics, () => metadata.image.configuredResources(ResourceType.clientMetrics)),
    ...named(ResourceType.brokerLogger, self),
    ...named(ResourceType.broker, self),
    ...named(ResourceType.topic, () => Array.from(metadata.image.topics(), ({ name }) => name)),
  ]
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, configResources }
}
