// The authorizer as a pure function: its index against rules applied one by one, as StandardAuthorizer's text has them.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AclOperation, AclPatternType, AclPermissionType, AclResourceType } from '../../../src/broker/security/acl.ts'
import type { Acl, Operation, ResourceKind } from '../../../src/broker/security/acl.ts'
import { AclSet } from '../../../src/broker/security/acl-set.ts'
import { Authorizer, hostOf } from '../../../src/broker/security/authorizer.ts'
import type { Client } from '../../../src/broker/security/authorizer.ts'

const NAMES = ['a', 'ab', 'abc', 'b', '*', '*x', 'hardcode', 'h']
const OPERATIONS: Operation[] = ['READ', 'WRITE', 'CREATE', 'DELETE', 'ALTER', 'DESCRIBE', 'DESCRIBE_CONFIGS', 'ALTER_CONFIGS']
const KINDS: ResourceKind[] = ['TOPIC', 'GROUP']
const nobody = { superUsers: new Set<string>(), allowsEveryoneWithoutAcl: false }

const anAcl: fc.Arbitrary<Acl> = fc.record({
  resourceType: fc.constantFrom(...KINDS.map((kind) => AclResourceType[kind])),
  resourceName: fc.constantFrom(...NAMES),
  patternType: fc.constantFrom(AclPatternType.LITERAL, AclPatternType.PREFIXED),
  principal: fc.constantFrom('User:ann', 'User:bob', 'User:*', 'Group:ann'),
  host: fc.constantFrom('*', '10.0.0.1', '10.0.0.2'),
  operation: fc.constantFrom(AclOperation.ALL, ...OPERATIONS.map((operation) => AclOperation[operation])),
  permissionType: fc.constantFrom(AclPermissionType.ALLOW, AclPermissionType.ALLOW, AclPermissionType.DENY),
})
const aClient: fc.Arbitrary<Client> = fc.record({
  principal: fc.constantFrom('User:ann', 'User:bob', 'User:cid', 'Group:ann'),
  host: fc.constantFrom('10.0.0.1', '10.0.0.3'),
})
const aConfig = fc.record({
  superUsers: fc.constantFrom(new Set<string>(), new Set(['User:cid'])),
  allowsEveryoneWithoutAcl: fc.boolean(),
})
/** Some come, and some of them go again. */
const aHistory = fc.array(fc.record({ acl: anAcl, isRemoved: fc.boolean() }), { maxLength: 12 })

type History = readonly { readonly acl: Acl; readonly isRemoved: boolean }[]

function setOf(history: History): { set: AclSet; left: Acl[] } {
  const set = new AclSet()
  for (const [index, { acl }] of history.entries()) set.add(String(index), acl)
  for (const [index, { isRemoved }] of history.entries()) if (isRemoved) expect(set.remove(String(index))).toBe(true)
  return { set, left: history.filter(({ isRemoved }) => !isRemoved).map(({ acl }) => acl) }
}

interface Config {
  readonly superUsers: ReadonlySet<string>
  readonly allowsEveryoneWithoutAcl: boolean
}

function isAbout(acl: Acl, client: Client): boolean {
  return [client.principal, 'User:*'].includes(acl.principal) && [client.host, '*'].includes(acl.host)
}

/** One rule after the other, none skipped. */
function naive(acls: readonly Acl[], config: Config, client: Client, operation: Operation, kind: ResourceKind, name: string): boolean {
  if (config.superUsers.has(client.principal)) return true
  const onResource = acls.filter(({ resourceType, resourceName, patternType }) => {
    if (resourceType !== AclResourceType[kind]) return false
    return patternType === AclPatternType.PREFIXED ? name.startsWith(resourceName) : [name, '*'].includes(resourceName)
  })
  if (onResource.length === 0) return config.allowsEveryoneWithoutAcl
  const implying: Partial<Record<Operation, Operation[]>> = {
    DESCRIBE: ['DESCRIBE', 'READ', 'WRITE', 'DELETE', 'ALTER'],
    DESCRIBE_CONFIGS: ['DESCRIBE_CONFIGS', 'ALTER_CONFIGS'],
  }
  const allowing = [AclOperation.ALL, ...(implying[operation] ?? [operation]).map((one) => AclOperation[one])] as number[]
  const denying = [AclOperation.ALL, AclOperation[operation]] as number[]
  const about = onResource.filter((acl) => isAbout(acl, client))
  if (about.some((acl) => acl.permissionType === AclPermissionType.DENY && denying.includes(acl.operation))) return false
  return about.some((acl) => acl.permissionType === AclPermissionType.ALLOW && allowing.includes(acl.operation))
}

/** Authorizer.authorizeByResourceType, as its interface's default does it. */
function naiveForSome(acls: readonly Acl[], config: Config, client: Client, operation: Operation, kind: ResourceKind): boolean {
  if (naive(acls, config, client, operation, kind, 'hardcode')) return true
  const rules = acls.filter((acl) => {
    return acl.resourceType === AclResourceType[kind] && isAbout(acl, client) && [AclOperation[operation], AclOperation.ALL].includes(acl.operation as never)
  })
  const denied = rules.filter(({ permissionType }) => permissionType === AclPermissionType.DENY)
  const isPrefix = ({ patternType }: Acl) => patternType === AclPatternType.PREFIXED
  if (denied.some((acl) => !isPrefix(acl) && acl.resourceName === '*')) return false
  return rules.some((acl) => {
    if (acl.permissionType === AclPermissionType.DENY) return false
    if (!isPrefix(acl) && acl.resourceName === '*') return true
    return !denied.some((deny) => {
      return isPrefix(deny) ? acl.resourceName.startsWith(deny.resourceName) : !isPrefix(acl) && acl.resourceName === deny.resourceName
    })
  })
}

test('decides as the rules one by one do, whatever came and went', () => {
  const property = fc.property(aHistory, aConfig, aClient, (history, config, client) => {
    const { set, left } = setOf(history)
    const authorizer = new Authorizer(set, config)
    for (const kind of KINDS) {
      for (const operation of OPERATIONS) {
        for (const name of NAMES) {
          const expected = naive(left, config, client, operation, kind, name)
          if (authorizer.isAllowed(client, operation, kind, name) !== expected) {
            throw new Error(`${operation} on ${kind} ${name}: should be ${expected}`)
          }
        }
        const expected = naiveForSome(left, config, client, operation, kind)
        if (authorizer.isAllowedForSome(client, operation, kind) !== expected) throw new Error(`some ${kind}: should be ${expected}`)
      }
    }
  })
  fc.assert(property, { numRuns: 500 })
})

test('a set from which all has gone is as one that never had anything', () => {
  fc.assert(
    fc.property(fc.array(anAcl, { maxLength: 10 }), (acls) => {
      const { set } = setOf(acls.map((acl) => ({ acl, isRemoved: true })))
      expect(set.size).toBe(0)
      for (const acl of acls) expect(set.has(acl)).toBe(false)
      for (const kind of KINDS) for (const name of NAMES) expect(set.covering(AclResourceType[kind], name)).toEqual([])
      expect(set.remove('0')).toBe(false)
    }),
  )
})

describe('a decision', () => {
  const ann = { principal: 'User:ann', host: '10.0.0.1' }
  const decide = (acls: Partial<Acl>[], operation: Operation, name: string, config: Config = nobody) => {
    const set = new AclSet()
    for (const [index, acl] of acls.entries()) {
      const usual = { resourceType: 2, resourceName: 'a', patternType: 3, principal: 'User:ann', host: '*', operation: 3, permissionType: 3 }
      set.add(String(index), { ...usual, ...acl })
    }
    return new Authorizer(set, config).isAllowed(ann, operation, 'TOPIC', name)
  }
  const open = { ...nobody, allowsEveryoneWithoutAcl: true }

  test('without a rule is no; yes where everyone is allowed; no again once the resource has any rule', () => {
    expect(decide([], 'READ', 'a')).toBe(false)
    expect(decide([], 'READ', 'a', open)).toBe(true)
    expect(decide([{ principal: 'User:bob' }], 'READ', 'a', open)).toBe(false)
    expect(decide([{ principal: 'User:bob' }], 'READ', 'b', open)).toBe(true)
    expect(decide([{ resourceName: '*', principal: 'User:bob' }], 'READ', 'b', open)).toBe(false)
  })

  test('a denial beats what allows, wherever it stands; it does not deny what its operation brings with it', () => {
    const deny = { permissionType: 2 }
    expect(decide([{}, { ...deny, resourceName: '*' }], 'READ', 'a')).toBe(false)
    expect(decide([{ resourceName: 'abc' }, { ...deny, patternType: 4 }], 'READ', 'abc')).toBe(false)
    expect(decide([{ operation: 8 }, deny], 'DESCRIBE', 'a')).toBe(true)
    expect(decide([{ operation: 2 }, { ...deny, operation: 2 }], 'DESCRIBE', 'a')).toBe(false)
  })

  test('super users may do all, denied or not', () => {
    expect(decide([{ permissionType: 2, operation: 2 }], 'READ', 'a', { ...nobody, superUsers: new Set(['User:ann']) })).toBe(true)
  })
})

test('a hundred thousand rules, and a name of 249 letters, are no burden', () => {
  const set = new AclSet()
  const name = 'x'.repeat(249)
  for (let i = 0; i < 100_000; i++) {
    const resourceName = i < 249 ? name.slice(0, i + 1) : `topic-${i}`
    const patternType = i < 249 ? AclPatternType.PREFIXED : AclPatternType.LITERAL
    set.add(String(i), { resourceType: 2, resourceName, patternType, principal: `User:${i}`, host: '*', operation: 3, permissionType: 3 })
  }
  const authorizer = new Authorizer(set, nobody)
  const begin = performance.now()
  for (let i = 0; i < 100; i++) expect(authorizer.isAllowed({ principal: 'User:248', host: 'h' }, 'READ', 'TOPIC', name)).toBe(true)
  expect(performance.now() - begin).toBeLessThan(1000)
})

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::1', '0:0:0:0:0:0:0:1'],
  ['::', '0:0:0:0:0:0:0:0'],
  ['fe80::a0B:1%eth0', 'fe80:0:0:0:0:0:a0b:1%eth0'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2:3:4:5:6'],
  ['2001:db8::', '2001:db8:0:0:0:0:0:0'],
])('the address %s is the host %s', (address, host) => expect(hostOf(address)).toBe(host))
