// From requests to records: which ACLs are created and removed, and why not (AclApis, AclControlManager). Pure: the ACLs
// in force and a request in, records and one result an item out.

import { randomUuid } from '../../base/uuid.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { NewRecord } from '../metadata/records.ts'
import { AclOperation, AclPatternType, AclPermissionType, AclResourceType, CLUSTER_NAME } from './acl.ts'
import type { Acl } from './acl.ts'
import { matchesFilter, unknownPart } from './acl-filter.ts'
import type { AclFilter } from './acl-filter.ts'
import { aclKey } from './acl-set.ts'
import type { AclSet } from './acl-set.ts'

const MAX_RECORDS = 10_000 // QuorumController.MAX_RECORDS_PER_USER_OP
const MAX_BYTES = 4 * 1024 * 1024 // of all texts in one request; a commit is one batch, and that has a limit

/** An error an ACL, in order; undefined where it is in force, or was before. */
export function createAcls(acls: AclSet, wanted: readonly Acl[]): { records: NewRecord[]; result: (KafkaError | undefined)[] } {
  const created = new Map<string, NewRecord>()
  let bytes = 0
  const result = wanted.map((acl): KafkaError | undefined => {
    const error = refusalOf(acl)
    if (error !== undefined || acls.has(acl)) return error
    const key = aclKey(acl)
    if (created.has(key)) return undefined
    created.set(key, { name: 'AccessControlEntryRecord', value: { ...acl, id: randomUuid() } })
    bytes += Buffer.byteLength(acl.resourceName) + Buffer.byteLength(acl.principal) + Buffer.byteLength(acl.host)
    return undefined
  })
  if (created.size > MAX_RECORDS || bytes > MAX_BYTES) {
    throw new KafkaError('POLICY_VIOLATION', 'Unable to perform excessively large batch operation.')
  }
  return { records: [...created.values()], result }
}

/** A filter each, in order: the ACLs it removed, or why none. What two filters match is listed for both. */
export function deleteAcls(
  acls: AclSet,
  filters: readonly AclFilter[],
): { records: NewRecord[]; result: (readonly Acl[] | KafkaError)[] } {
  const removed = new Set<string>()
  const result = filters.map((filter): readonly Acl[] | KafkaError => {
    const unknown = unknownPart(filter)
    if (unknown !== undefined) return new KafkaError('INVALID_REQUEST', `Unknown ${unknown}.`)
    const matching: Acl[] = []
    for (const [id, acl] of acls.entries()) {
      if (!matchesFilter(acl, filter)) continue
      matching.push(acl)
      removed.add(id)
    }
    return matching
  })
  if (removed.size > MAX_RECORDS) {
    throw new KafkaError('INVALID_REQUEST', `Cannot remove more than ${MAX_RECORDS} acls in a single delete operation.`)
  }
  return { records: [...removed].map((id) => ({ name: 'RemoveAccessControlEntryRecord', value: { id } })), result }
}

function refusalOf(acl: Acl): KafkaError | undefined {
  const refuse = (what: string) => new KafkaError('INVALID_REQUEST', what)
  if (acl.resourceType === AclResourceType.CLUSTER && acl.resourceName !== CLUSTER_NAME) {
    return refuse(`The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`)
  }
  if (acl.resourceName === '') return refuse('Invalid empty resource name')
  const words: readonly (readonly [string, number, Readonly<Record<string, number>>, readonly string[]])[] = [
    ['resourceType', acl.resourceType, AclResourceType, ['ANY']],
    ['patternType', acl.patternType, AclPatternType, ['ANY', 'MATCH']],
    ['operation', acl.operation, AclOperation, ['ANY']],
    ['permissionType', acl.permissionType, AclPermissionType, ['ANY']],
  ]
  for (const [what, code, known, filters] of words) {
    const word = Object.keys(known).find((name) => known[name] === code) ?? 'UNKNOWN'
    if (word === 'UNKNOWN' || filters.includes(word)) return refuse(`Invalid ${what} ${word}`)
  }
  if (acl.principal.includes(':')) return undefined
  return refuse(
    `Could not parse principal from \`${acl.principal}\` (no colon is present separating the principal type from the principal name)`,
  )
}
