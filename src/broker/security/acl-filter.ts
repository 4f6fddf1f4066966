// Which ACLs a filter means (AclBindingFilter, ResourcePatternFilter): a null or ANY matches all; MATCH asks for every
// pattern that covers a resource of that name.

import { AclOperation, AclPatternType, AclPermissionType, AclResourceType, WILDCARD } from './acl.ts'
import type { Acl } from './acl.ts'

export interface AclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

export function matchesFilter(acl: Acl, filter: AclFilter): boolean {
  return (
    (filter.resourceTypeFilter === AclResourceType.ANY || filter.resourceTypeFilter === acl.resourceType) &&
    matchesPattern(acl, filter) &&
    (filter.principalFilter === null || filter.principalFilter === acl.principal) &&
    (filter.hostFilter === null || filter.hostFilter === acl.host) &&
    (filter.operation === AclOperation.ANY || filter.operation === acl.operation) &&
    (filter.permissionType === AclPermissionType.ANY || filter.permissionType === acl.permissionType)
  )
}

function matchesPattern(acl: Acl, { patternTypeFilter: type, resourceNameFilter: name }: AclFilter): boolean {
  const { ANY, MATCH, PREFIXED } = AclPatternType
  if (type !== ANY && type !== MATCH && type !== acl.patternType) return false
  if (name === null) return true
  if (type !== MATCH) return name === acl.resourceName
  if (acl.patternType === PREFIXED) return name.startsWith(acl.resourceName)
  return name === acl.resourceName || acl.resourceName === WILDCARD
}

export type UnknownPart = 'patternFilter' | 'entryFilter'

/** Which half of the filter has a word that Kafka does not; undefined where all are known. */
export function unknownPart(filter: AclFilter): UnknownPart | undefined {
  const isWord = (words: Readonly<Record<string, number>>, code: number) => Object.values(words).includes(code)
  if (!isWord(AclResourceType, filter.resourceTypeFilter) || !isWord(AclPatternType, filter.patternTypeFilter)) return 'patternFilter'
  if (!isWord(AclOperation, filter.operation) || !isWord(AclPermissionType, filter.permissionType)) return 'entryFilter'
  return undefined
}
