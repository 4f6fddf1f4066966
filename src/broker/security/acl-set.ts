// The ACLs in force, found by the name of a resource: a look-up each for the name itself, for '*', and for every length
// that a prefix has. What is kept under a name is kept by principal, so that a decision reads only rules about its client.

import { AclPatternType, WILDCARD } from './acl.ts'
import type { Acl } from './acl.ts'

/** The rules of one pattern, by principal. */
export type PatternAcls = ReadonlyMap<string, readonly Acl[]>

type Names = Map<string, Map<string, Acl[]>>

interface Patterns {
  readonly literal: Names
  readonly prefixed: Names
  /** How many prefixes have which length. */
  readonly lengths: Map<number, number>
}

export class AclSet {
  readonly #byId = new Map<string, Acl>()
  readonly #ids = new Map<string, string>()
  readonly #patterns = new Map<number, Patterns>()

  get size(): number {
    return this.#byId.size
  }

  /** By the ids of their records, in the order they came. */
  entries(): Iterable<[id: string, acl: Acl]> {
    return this.#byId.entries()
  }

  /** Whether there is a rule with the same fields. */
  has(acl: Acl): boolean {
    return this.#ids.has(aclKey(acl))
  }

  add(id: string, acl: Acl): void {
    this.remove(id)
    this.#byId.set(id, acl)
    this.#ids.set(aclKey(acl), id)
    const patterns = this.#patternsOf(acl.resourceType)
    const isPrefix = acl.patternType === AclPatternType.PREFIXED
    const names = isPrefix ? patterns.prefixed : patterns.literal
    let rules = names.get(acl.resourceName)
    if (rules === undefined) {
      names.set(acl.resourceName, (rules = new Map<string, Acl[]>()))
      const { length } = acl.resourceName
      if (isPrefix) patterns.lengths.set(length, (patterns.lengths.get(length) ?? 0) + 1)
    }
    const ofPrincipal = rules.get(acl.principal)
    if (ofPrincipal === undefined) rules.set(acl.principal, [acl])
    else ofPrincipal.push(acl)
  }

  /** Returns whether there was one. */
  remove(id: string): boolean {
    const acl = this.#byId.get(id)
    if (acl === undefined) return false
    this.#byId.delete(id)
    if (this.#ids.get(aclKey(acl)) === id) this.#ids.delete(aclKey(acl))
    const patterns = this.#patternsOf(acl.resourceType)
    const isPrefix = acl.patternType === AclPatternType.PREFIXED
    const names = isPrefix ? patterns.prefixed : patterns.literal
    const rules = names.get(acl.resourceName)
    const left = rules?.get(acl.principal)?.filter((one) => one !== acl) ?? []
    if (left.length > 0) rules?.set(acl.principal, left)
    else rules?.delete(acl.principal)
    if (rules?.size !== 0) return true
    names.delete(acl.resourceName)
    if (!isPrefix) return true
    const { length } = acl.resourceName
    const count = patterns.lengths.get(length) ?? 0
    if (count > 1) patterns.lengths.set(length, count - 1)
    else patterns.lengths.delete(length)
    return true
  }

  /** Every pattern that covers the resource. */
  covering(resourceType: number, name: string): PatternAcls[] {
    const found: PatternAcls[] = []
    const patterns = this.#patterns.get(resourceType)
    if (patterns === undefined) return found
    const { literal, prefixed, lengths } = patterns
    const exact = literal.get(name)
    if (exact !== undefined) found.push(exact)
    const any = name === WILDCARD ? undefined : literal.get(WILDCARD)
    if (any !== undefined) found.push(any)
    for (const length of lengths.keys()) {
      const rules = length <= name.length ? prefixed.get(name.slice(0, length)) : undefined
      if (rules !== undefined) found.push(rules)
    }
    return found
  }

  /** All patterns of one type of resource: the literal ones and the prefixes, by name. */
  ofType(resourceType: number): { readonly literal: ReadonlyMap<string, PatternAcls>; readonly prefixed: ReadonlyMap<string, PatternAcls> } {
    return this.#patterns.get(resourceType) ?? NO_PATTERNS
  }

  #patternsOf(resourceType: number): Patterns {
    let patterns = this.#patterns.get(resourceType)
    if (patterns === undefined) {
      patterns = { literal: new Map(), prefixed: new Map(), lengths: new Map() }
      this.#patterns.set(resourceType, patterns)
    }
    return patterns
  }
}

const NO_PATTERNS = { literal: new Map<string, PatternAcls>(), prefixed: new Map<string, PatternAcls>() }

/** The same for rules with the same fields, and for no others. */
export function aclKey(acl: Acl): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl
  return JSON.stringify([resourceType, patternType, operation, permissionType, resourceName, principal, host])
}
