// Access control lists: rules about resources, in Kafka's words (AclBinding and AclBindingFilter of Java's admin client).

import { AclOperation, AclPatternType, AclPermissionType, AclResourceType } from '../../protocol/acl-words.ts'
import { CreateAcls } from '../../protocol/apis/create-acls.ts'
import { DeleteAcls } from '../../protocol/apis/delete-acls.ts'
import { DescribeAcls } from '../../protocol/apis/describe-acls.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { resultOf, type Result } from './result.ts'
import { waitOf } from './topics.ts'

export type AclResourceTypeName = keyof typeof AclResourceType | 'UNKNOWN'
export type AclPatternTypeName = keyof typeof AclPatternType | 'UNKNOWN'
export type AclOperationName = keyof typeof AclOperation | 'UNKNOWN'
export type AclPermissionName = keyof typeof AclPermissionType | 'UNKNOWN'

export const ACL_OPERATIONS = Object.keys(AclOperation) as readonly (keyof typeof AclOperation)[]

export interface AclPattern {
  readonly resourceType: AclResourceTypeName
  readonly name: string
  readonly patternType: AclPatternTypeName
}

export interface AclEntry {
  /** TYPE:NAME */
  readonly principal: string
  readonly host: string
  readonly operation: AclOperationName
  readonly permission: AclPermissionName
}

export interface AclRule extends AclPattern, AclEntry {}

/** null and ANY match everything; MATCH as a pattern's type every pattern that covers `name`. */
export interface AclFilter {
  readonly resourceType: AclResourceTypeName
  readonly name: string | null
  readonly patternType: AclPatternTypeName
  readonly principal: string | null
  readonly host: string | null
  readonly operation: AclOperationName
  readonly permission: AclPermissionName
}

export const ANY_ACL: AclFilter = {
  resourceType: 'ANY', name: null, patternType: 'ANY', principal: null, host: null, operation: 'ANY', permission: 'ANY',
} // prettier-ignore

const UNKNOWN = 0

/** In the broker's order. Throws KafkaError where it refuses. */
export async function describeAcls(cluster: Cluster, filter: AclFilter, wait: Wait = {}): Promise<AclRule[]> {
  const response = await cluster.call(DescribeAcls, filterOf(filter), waitOf(wait))
  if (response.errorCode !== 0) throw KafkaError.from(response.errorCode, response.errorMessage)
  return response.resources.flatMap(({ acls, ...resource }) => acls.map((entry) => ruleOf({ ...resource, ...entry })))
}

/** In the order asked. A rule that is there already is no error. */
export async function createAcls(cluster: Cluster, rules: readonly AclRule[], wait: Wait = {}): Promise<Result<null>[]> {
  const creations = rules.map((rule) => ({
    resourceType: codeOf(AclResourceType, rule.resourceType),
    resourceName: rule.name,
    resourcePatternType: codeOf(AclPatternType, rule.patternType),
    principal: rule.principal,
    host: rule.host,
    operation: codeOf(AclOperation, rule.operation),
    permissionType: codeOf(AclPermissionType, rule.permission),
  }))
  const { results } = await cluster.call(CreateAcls, { creations }, waitOf(wait))
  return rules.map((_, index) => {
    const answer = results.at(index)
    if (answer === undefined) return { ok: false, error: new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker left this item out of its answer.') }
    return resultOf(answer.errorCode, answer.errorMessage, null)
  })
}

/** By filter, in the order asked: what was removed. */
export async function deleteAcls(cluster: Cluster, filters: readonly AclFilter[], wait: Wait = {}): Promise<Result<readonly AclRule[]>[]> {
  const { filterResults } = await cluster.call(DeleteAcls, { filters: filters.map(filterOf) }, waitOf(wait))
  return filterResults.map(({ errorCode, errorMessage, matchingAcls }) => resultOf(errorCode, errorMessage, matchingAcls.map(ruleOf)))
}

function filterOf({ resourceType, name, patternType, principal, host, operation, permission }: AclFilter) {
  return {
    resourceTypeFilter: codeOf(AclResourceType, resourceType),
    resourceNameFilter: name,
    patternTypeFilter: codeOf(AclPatternType, patternType),
    principalFilter: principal,
    hostFilter: host,
    operation: codeOf(AclOperation, operation),
    permissionType: codeOf(AclPermissionType, permission),
  }
}

interface Codes {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

function ruleOf({ resourceType, resourceName, patternType, principal, host, operation, permissionType }: Codes): AclRule {
  return {
    resourceType: wordOf(AclResourceType, resourceType),
    name: resourceName,
    patternType: wordOf(AclPatternType, patternType),
    principal,
    host,
    operation: wordOf(AclOperation, operation),
    permission: wordOf(AclPermissionType, permissionType),
  }
}

function codeOf(words: Readonly<Record<string, number>>, word: string): number {
  return words[word] ?? UNKNOWN
}

function wordOf<W extends string>(words: Readonly<Record<W, number>>, code: number): W | 'UNKNOWN' {
  return (Object.keys(words) as W[]).find((word) => words[word] === code) ?? 'UNKNOWN'
}
