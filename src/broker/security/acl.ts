// The words of access control lists, and their codes on the wire and in records: AclOperation, ResourceType, PatternType
// and AclPermissionType of Apache's clients.

export const AclOperation = {
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
} as const

export const AclResourceType = {
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const

export const AclPatternType = { ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const
export const AclPermissionType = { ANY: 1, DENY: 2, ALLOW: 3 } as const

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
