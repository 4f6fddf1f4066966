// The bit fields that say what a client may do: of what a resource of the kind has (AclEntry.supportedOperations), what the
// authorizer lets it do. Without an authorizer that is all.

import type { RequestContext } from './handler.ts'
import { AclOperation, CLUSTER_NAME } from './security/acl.ts'
import type { Operation, ResourceKind } from './security/acl.ts'

export const NOT_ASKED = -2147483648

const SUPPORTED = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DELETE', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: ['CREATE', 'ALTER', 'DESCRIBE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE'],
} as const satisfies Partial<Record<ResourceKind, readonly Operation[]>>

type Described = keyof typeof SUPPORTED

// prettier-ignore
const ALL: Readonly<Record<Described, number>> = { TOPIC: bits(SUPPORTED.TOPIC), GROUP: bits(SUPPORTED.GROUP), CLUSTER: bits(SUPPORTED.CLUSTER) }

export function authorizedOperations(context: RequestContext, kind: Described, name: string): number {
  if (context.broker.authorizer === undefined) return ALL[kind]
  return bits(SUPPORTED[kind].filter((operation) => context.isAllowed(operation, kind, name)))
}

/** Of the cluster nothing is told to who may not describe it (AuthHelper). */
export function clusterOperations(context: RequestContext): number {
  return context.isAllowed('DESCRIBE', 'CLUSTER', CLUSTER_NAME) ? authorizedOperations(context, 'CLUSTER', CLUSTER_NAME) : 0
}

function bits(operations: readonly Operation[]): number {
  return operations.reduce((field, operation) => field | (1 << AclOperation[operation]), 0)
}
