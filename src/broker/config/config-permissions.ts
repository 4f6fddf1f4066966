// Whose permission it takes to read or change a resource's configs: a topic's and a group's their own, the rest the cluster's
// (ConfigHelper, ControllerApis.authorizeAlterResource).

import { KafkaError } from '../../protocol/errors.ts'
import type { RequestContext } from '../handler.ts'
import { ResourceType } from '../metadata/image.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

interface Resource {
  readonly resourceType: number
  readonly resourceName: string
}

/** undefined: allowed, or of a type that nobody can be allowed anything of. */
export function refusalOf(
  { resourceType, resourceName }: Resource,
  operation: 'DESCRIBE_CONFIGS' | 'ALTER_CONFIGS',
  { isAllowed }: RequestContext,
): KafkaError | undefined {
  switch (resourceType) {
    case ResourceType.topic:
      return isAllowed(operation, 'TOPIC', resourceName) ? undefined : new KafkaError('TOPIC_AUTHORIZATION_FAILED')
    case ResourceType.group:
      return isAllowed(operation, 'GROUP', resourceName) ? undefined : new KafkaError('GROUP_AUTHORIZATION_FAILED')
    case ResourceType.broker:
    case ResourceType.brokerLogger:
    case ResourceType.clientMetrics: {
      // Log levels are changed in the broker alone, and not for its clients (RuntimeLoggerManager).
      const isLogLevel = resourceType === ResourceType.brokerLogger && operation === 'ALTER_CONFIGS'
      const needed = isLogLevel ? 'CLUSTER_ACTION' : operation
      return isAllowed(needed, 'CLUSTER', CLUSTER_NAME) ? undefined : new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
    }
    default:
      return undefined
  }
}
