// What access control lists speak of: operations, resources, and the rules themselves.

import { AclOperation, AclPatternType, AclPermissionType, AclResourceType } from '../../protocol/acl-words.ts'

export { AclOperation, AclPatternType, AclPermissionType, AclResourceType }

/** What somebody wants to do; ANY and ALL are for lists and filters only. */
export type Operation = Exclude<keyof typeof AclOperation, 'ANY' | 'ALL'>
export type ResourceKind = Exclude<keyof typeof AclResourceType, 'ANY'>

/** The one resource of kind CLUSTER. */
export const CLUSTER_NAME = 'kafka-cluster'

/** Of a literal pattern, any name; of an entry, any host. */
export const WILDCARD = '*'
export const ANY_USER = 'User:*'

/** Who has shown nothing. */
export const ANONYMOUS = 'User:ANONYMOUS'

/** One rule: who may, or may not, do what to which resources. Types are codes. */
export interface Acl {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  /** TYPE:NAME */
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}
