// What a request needs of the cluster as a whole.

import { KafkaError } from '../../protocol/errors.ts'
import type { RequestContext } from '../handler.ts'
import { CLUSTER_NAME, type Operation } from './acl.ts'

/** Throws CLUSTER_AUTHORIZATION_FAILED unless the client may do this to the cluster. */
export function checkCluster(context: RequestContext, operation: Operation): void {
  if (context.isAllowed(operation, 'CLUSTER', CLUSTER_NAME)) return
  throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED', `Request needs ${operation} permission.`)
}
