// Who may do what: the decisions of Apache's StandardAuthorizer. A DENY wins wherever it stands; without any rule for a
// resource the configured default holds; some permissions bring others with them. Rules are read from the image for
// every decision, so that a change is in force for open connections, too, as soon as it is committed.

import { AclOperation, AclPermissionType, AclResourceType, ANY_USER, WILDCARD } from './acl.ts'
import type { Acl, Operation, ResourceKind } from './acl.ts'
import type { AclSet, PatternAcls } from './acl-set.ts'

/** The one that authorizer.class.name may name. */
export const STANDARD_AUTHORIZER = 'org.apache.kafka.metadata.authorizer.StandardAuthorizer'

export interface AuthorizerConfig {
  readonly superUsers: ReadonlySet<string>
  readonly allowsEveryoneWithoutAcl: boolean
}

/** Who asks: the principal as TYPE:NAME, and the address as ACLs have it. */
export interface Client {
  readonly principal: string
  readonly host: string
}

export class Authorizer {
  readonly #acls: AclSet
  readonly #config: AuthorizerConfig

  constructor(acls: AclSet, config: AuthorizerConfig) {
    this.#acls = acls
    this.#config = config
  }

  isAllowed(client: Client, operation: Operation, kind: ResourceKind, name: string): boolean {
    if (this.#config.superUsers.has(client.principal)) return true
    const patterns = this.#acls.covering(AclResourceType[kind], name)
    if (patterns.length === 0) return this.#config.allowsEveryoneWithoutAcl
    const code = AclOperation[operation]
    let isAllowed = false
    for (const rules of patterns) {
      for (const acl of rulesFor(client, rules)) {
        if (acl.permissionType === AclPermissionType.ALLOW) isAllowed ||= grants(acl.operation, code)
        else if (acl.operation === code || acl.operation === AclOperation.ALL) return false
      }
    }
    return isAllowed
  }

  /**
   * Whether the client may do this to some resource of the kind, existing or not (Authorizer.authorizeByResourceType).
   * Unlike above only the operation itself and ALL count, and a denial counts only where it covers all that is allowed.
   */
  isAllowedForSome(client: Client, operation: Operation, kind: ResourceKind): boolean {
    // A name that nobody has: super users, wildcards, and clusters where what has no rule is free.
    if (this.isAllowed(client, operation, kind, 'hardcode')) return true
    const { literal, prefixed } = this.#acls.ofType(AclResourceType[kind])
    const isNamed = (rules: PatternAcls | undefined, permission: number): boolean => {
      const codes: readonly number[] = [AclOperation[operation], AclOperation.ALL]
      return rulesFor(client, rules).some((acl) => acl.permissionType === permission && codes.includes(acl.operation))
    }
    const { ALLOW, DENY } = AclPermissionType
    if (isNamed(literal.get(WILDCARD), DENY)) return false
    if (isNamed(literal.get(WILDCARD), ALLOW)) return true
    const isDeniedByPrefix = (name: string): boolean => {
      for (let length = 1; length <= name.length; length++) if (isNamed(prefixed.get(name.slice(0, length)), DENY)) return true
      return false
    }
    for (const [name, rules] of literal) {
      if (isNamed(rules, ALLOW) && !isNamed(rules, DENY) && !isDeniedByPrefix(name)) return true
    }
    for (const [name, rules] of prefixed) if (isNamed(rules, ALLOW) && !isDeniedByPrefix(name)) return true
    return false
  }
}

const NO_RULES: readonly Acl[] = []

/** Those about the client, by name or as anybody, from its host. */
function rulesFor({ principal, host }: Client, rules: PatternAcls | undefined): readonly Acl[] {
  const own = rules?.get(principal) ?? NO_RULES
  const everybody = principal === ANY_USER ? NO_RULES : (rules?.get(ANY_USER) ?? NO_RULES)
  if (own.length === 0 && everybody.length === 0) return NO_RULES
  return [...own, ...everybody].filter((acl) => acl.host === WILDCARD || acl.host === host)
}

/** Whether permission for one operation is permission for the other. A denial denies no more than it says. */
function grants(given: number, wanted: number): boolean {
  if (given === wanted || given === AclOperation.ALL) return true
  const { READ, WRITE, DELETE, ALTER, DESCRIBE, ALTER_CONFIGS, DESCRIBE_CONFIGS } = AclOperation
  if (wanted === DESCRIBE) return given === READ || given === WRITE || given === DELETE || given === ALTER
  return wanted === DESCRIBE_CONFIGS && given === ALTER_CONFIGS
}

/** A socket's address as Java prints it and ACLs name it: IPv4 also where it came as IPv6, IPv6 in eight numbers. */
export function hostOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped !== null) return mapped[1]
  if (!address.includes(':')) return address
  const [numbers, ...scope] = address.split('%')
  const [first, ...rest] = numbers.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const last = rest.flat()
  const zeros = rest.length === 0 ? [] : Array.from({ length: 8 - first.length - last.length }, () => '0')
  const words = [...first, ...zeros, ...last].map((word) => Number.parseInt(word, 16).toString(16))
  return [words.join(':'), ...scope].join('%')
}
