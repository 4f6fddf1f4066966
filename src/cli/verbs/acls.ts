// Access control lists: what the words of a command mean as rules, and listing, adding and removing them. Nothing here prints.

import {
  ACL_OPERATIONS, type AclEntry, type AclFilter, type AclOperationName, type AclPattern, type AclPatternTypeName,
  type AclPermissionName, type AclResourceTypeName, type AclRule, createAcls, deleteAcls, describeAcls,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import { type CliError, operationError, usageError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'

export type { AclRule }

export const CLUSTER_PATTERN: AclPattern = { resourceType: 'CLUSTER', name: 'kafka-cluster', patternType: 'LITERAL' }

/** What a producer needs, of topics and transactional ids, and a consumer, of topics and groups (AclCommand). */
export const CONVENIENCES = {
  producer: { TOPIC: ['WRITE', 'DESCRIBE', 'CREATE'], TRANSACTIONAL_ID: ['WRITE', 'DESCRIBE'] },
  consumer: { TOPIC: ['READ', 'DESCRIBE'], GROUP: ['READ'] },
} as const

/** AclEntry.supportedOperations; ALL goes with each. */
const SUPPORTED: Partial<Record<AclResourceTypeName, readonly AclOperationName[]>> = {
  TOPIC: ['READ', 'WRITE', 'CREATE', 'DESCRIBE', 'DELETE', 'ALTER', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  GROUP: ['READ', 'DESCRIBE', 'DELETE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  CLUSTER: ['CREATE', 'CLUSTER_ACTION', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS', 'IDEMPOTENT_WRITE', 'ALTER', 'DESCRIBE'],
  TRANSACTIONAL_ID: ['DESCRIBE', 'WRITE', 'TWO_PHASE_COMMIT'],
  DELEGATION_TOKEN: ['DESCRIBE'],
  USER: ['CREATE_TOKENS', 'DESCRIBE_TOKENS'],
}

export function supportedOperations(type: AclResourceTypeName): readonly AclOperationName[] {
  return ['ALL', ...(SUPPORTED[type] ?? [])]
}

/** `read`, `DescribeConfigs`, `describe-configs`. Usage error for anything else. */
export function parseOperation(word: string): AclOperationName {
  const plain = (text: string) => text.replaceAll(/[-_]/g, '').toUpperCase()
  const known = ACL_OPERATIONS.filter((name) => name !== 'ANY')
  const found = known.find((name) => plain(name) === plain(word))
  if (found !== undefined) return found
  const names = known.map(operationWord)
  throw usageError(`there is no operation '${word}'`, didYouMean(word, names) ?? names.join(', '))
}

/** As it is typed: describe-configs. */
export function operationWord(operation: AclOperationName): string {
  return operation.toLowerCase().replaceAll('_', '-')
}

/** TYPE:NAME; a name alone is a user's. */
export function parsePrincipal(text: string): string {
  if (text === '') throw usageError('a principal has a name', 'write NAME, or TYPE:NAME')
  return text.includes(':') ? text : `User:${text}`
}

/** What is said of who may do what. */
export interface Grants {
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
  readonly allowedHosts: readonly string[]
  readonly deniedHosts: readonly string[]
}

/** Every operation for every principal from every host. */
export function entriesFor(operations: readonly AclOperationName[], { allowed, denied, allowedHosts, deniedHosts }: Grants): AclEntry[] {
  const entries = (principals: readonly string[], hosts: readonly string[], permission: AclPermissionName) =>
    principals.flatMap((principal) => operations.flatMap((operation) => hosts.map((host) => ({ principal, host, operation, permission }))))
  return [...entries(allowed, allowedHosts, 'ALLOW'), ...entries(denied, deniedHosts, 'DENY')]
}

/** Usage error where one of the operations is none of that kind of resource. */
export function checkOperations({ resourceType }: AclPattern, entries: readonly AclEntry[]): void {
  const valid = supportedOperations(resourceType)
  const wrong = entries.find(({ operation }) => !valid.includes(operation))
  if (wrong === undefined) return
  throw usageError(`nobody can ${operationWord(wrong.operation)} a ${resourceWord(resourceType)}`, `its operations are ${valid.map(operationWord).join(', ')}`)
}

/** As it is typed: transactional-id. */
export function resourceWord(type: AclResourceTypeName): string {
  return type.toLowerCase().replaceAll('_', '-')
}

/** What any of the filters matches, each rule once, by resource. */
export async function listRules(cluster: Cluster, filters: readonly AclFilter[]): Promise<AclRule[]> {
  const found = new Map<string, AclRule>()
  for (const filter of filters) for (const rule of await describeAcls(cluster, filter)) found.set(keyOf(rule), rule)
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule)
}

export interface RuleOutcome {
  readonly rule: AclRule
  readonly done: boolean
  readonly error: CliError | null
}

/** A rule that is there already is not done, and no error. `validateOnly`: nothing is changed. */
export async function addRules(cluster: Cluster, rules: readonly AclRule[], { validateOnly }: { readonly validateOnly: boolean }): Promise<RuleOutcome[]> {
  const filters = new Map(rules.map((rule): [string, AclFilter] => [`${rule.resourceType} ${rule.patternType} ${rule.name}`, exactly(rule)]))
  const there = new Set((await listRules(cluster, [...filters.values()])).map(keyOf))
  const missing = rules.filter((rule) => !there.has(keyOf(rule)))
  const results = validateOnly || missing.length === 0 ? [] : await createAcls(cluster, missing)
  const errors = new Map(missing.map((rule, index) => [keyOf(rule), results.at(index)]))
  return rules.map((rule) => {
    const result = errors.get(keyOf(rule))
    const error = result?.ok === false ? operationError(result.error.error, result.error.message) : null
    return { rule, done: !there.has(keyOf(rule)) && error === null, error }
  })
}

/** Removes just these. */
export async function removeRules(cluster: Cluster, rules: readonly AclRule[]): Promise<RuleOutcome[]> {
  const results = await deleteAcls(cluster, rules)
  return rules.map((rule, index) => {
    const result = results.at(index)
    const error = result?.ok === false ? operationError(result.error.error, result.error.message) : null
    return { rule, done: error === null, error }
  })
}

/** All rules of the same pattern. */
function exactly({ resourceType, name, patternType }: AclPattern): AclFilter {
  return { resourceType, name, patternType, principal: null, host: null, operation: 'ANY', permission: 'ANY' }
}

function keyOf({ resourceType, name, patternType, principal, host, operation, permission }: AclRule): string {
  return JSON.stringify([resourceType, name, patternType, principal, permission, operation, host])
}

export interface RuleSelection {
  /** None: of everything. */
  readonly patterns: readonly { readonly resourceType: AclResourceTypeName; readonly name: string }[]
  readonly patternType: AclPatternTypeName
  readonly principals: readonly string[]
  readonly hosts: readonly string[]
  readonly operations: readonly AclOperationName[]
  readonly permission: AclPermissionName
}

/** A filter for each combination. */
export function filtersFor({ patterns, patternType, principals, hosts, operations, permission }: RuleSelection): AclFilter[] {
  const orAny = <T, A>(items: readonly T[], any: A): readonly (T | A)[] => (items.length === 0 ? [any] : items)
  const resources: readonly Pick<AclFilter, 'resourceType' | 'name' | 'patternType'>[] =
    patterns.length === 0
      ? [{ resourceType: 'ANY', name: null, patternType: 'ANY' }]
      : patterns.map(({ resourceType, name }) => ({ resourceType, name, patternType: resourceType === 'CLUSTER' ? 'LITERAL' : patternType }))
  return resources.flatMap((resource) =>
    orAny(principals, null).flatMap((principal) =>
      orAny(hosts, null).flatMap((host) => orAny(operations, 'ANY' as const).map((operation) => ({ ...resource, principal, host, operation, permission }))),
    ),
  )
}
