// DescribeAcls, CreateAcls, DeleteAcls: codes and texts as Apache Kafka 4.3 has them; and that a change is in force when it
// is answered, also for connections, sessions and fetches that were there before.

import { describe, expect, test } from 'vitest'
import { AclPatternType } from '../../../src/broker/security/acl.ts'
import type { AclFilter } from '../../../src/broker/security/acl-filter.ts'
import { STANDARD_AUTHORIZER } from '../../../src/broker/security/authorizer.ts'
import { CreateAcls } from '../../../src/protocol/apis/create-acls.ts'
import { DeleteAcls } from '../../../src/protocol/apis/delete-acls.ts'
import { DescribeAcls } from '../../../src/protocol/apis/describe-acls.ts'
import { Fetch } from '../../../src/protocol/apis/fetch.ts'
import { Metadata } from '../../../src/protocol/apis/metadata.ts'
import { Produce } from '../../../src/protocol/apis/produce.ts'
import { ZERO_UUID } from '../../../src/protocol/reader.ts'
import type { RequestOf } from '../../../src/protocol/schema.ts'
import { temporaryDirectory, testBroker } from '../../support/broker.ts'
import { batchOf, type RawClient } from '../../support/raw-client.ts'

type NewAcl = RequestOf<typeof CreateAcls>['creations'][number]

const guarded = { 'authorizer.class.name': STANDARD_AUTHORIZER, 'super.users': 'User:root;User:ANONYMOUS' }
const byRules = { 'authorizer.class.name': STANDARD_AUTHORIZER }
const TOPIC_DENIED = 29

function acl(given: Partial<NewAcl> = {}): NewAcl {
  return { resourceType: 2, resourceName: 'orders', resourcePatternType: 3, principal: 'User:ann', host: '*', operation: 3, permissionType: 3, ...given }
}

function filter(given: Partial<AclFilter> = {}): AclFilter {
  const all = { resourceTypeFilter: 1, resourceNameFilter: null, patternTypeFilter: 1, principalFilter: null, hostFilter: null, operation: 1, permissionType: 1 }
  return { ...all, ...given }
}

async function create(client: RawClient, ...creations: NewAcl[]) {
  const { results } = await client.call(CreateAcls, 3, { creations })
  return results.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
}

/** What the filter finds, in a word each. */
async function list(client: RawClient, given: Partial<AclFilter> = {}): Promise<string[]> {
  const { errorCode, resources } = await client.call(DescribeAcls, 3, filter(given))
  expect(errorCode).toBe(0)
  return resources.flatMap(({ resourceName, patternType, acls }) =>
    acls.map(({ principal }) => `${resourceName}${patternType === AclPatternType.PREFIXED ? '+' : ''} ${principal}`),
  )
}

describe('without an authorizer', () => {
  test('all three say so', async () => {
    const client = await (await testBroker()).connect()
    expect(await client.call(DescribeAcls, 3, filter())).toMatchObject({ errorCode: 54, errorMessage: 'No Authorizer is configured on the broker', resources: [] })
    expect(await create(client, acl(), acl())).toEqual([[54, 'No Authorizer is configured.'], [54, 'No Authorizer is configured.']]) // prettier-ignore
    const { filterResults } = await client.call(DeleteAcls, 1, { filters: [{ ...filter(), patternTypeFilter: 3 }] })
    expect(filterResults).toEqual([{ errorCode: 54, errorMessage: 'No Authorizer is configured.', matchingAcls: [] }])
  })
})

describe('CreateAcls', () => {
  const invalid: [string, Partial<NewAcl>][] = [
    ['The only valid name for the CLUSTER resource is kafka-cluster', { resourceType: 4, resourceName: 'mine' }],
    ['Invalid empty resource name', { resourceName: '' }],
    ['Invalid resourceType ANY', { resourceType: 1 }],
    ['Invalid resourceType UNKNOWN', { resourceType: 99 }],
    ['Invalid patternType MATCH', { resourcePatternType: 2 }],
    ['Invalid patternType UNKNOWN', { resourcePatternType: 0 }],
    ['Invalid operation ANY', { operation: 1 }],
    ['Invalid operation UNKNOWN', { operation: 77 }],
    ['Invalid permissionType ANY', { permissionType: 1 }],
    ['Could not parse principal from `ann` (no colon is present separating the principal type from the principal name)', { principal: 'ann' }],
  ]
  test('refuses what is none, and takes the others of the request', async () => {
    const { broker, connect } = await testBroker({ properties: guarded })
    const answers = await create(await connect(), ...invalid.map(([, given]) => acl(given)), acl())
    expect(answers).toEqual([...invalid.map(([message]) => [42, message]), [0, null]])
    expect(broker.metadata.image.acls.size).toBe(1)
  })

  test('of what is there, or named twice, succeeds and adds nothing', async () => {
    const { broker, connect } = await testBroker({ properties: guarded })
    const client = await connect()
    expect(await create(client, acl(), acl(), acl({ host: '10.0.0.1' }))).toEqual([[0, null], [0, null], [0, null]]) // prettier-ignore
    expect(await create(client, acl())).toEqual([[0, null]])
    expect(broker.metadata.image.acls.size).toBe(2)
  })

  test('of more than one commit may hold is refused whole', async () => {
    const { broker, connect } = await testBroker({ properties: guarded })
    const many = Array.from({ length: 10_001 }, (_, i) => acl({ resourceName: `t${i}` }))
    const large = Array.from({ length: 300 }, (_, i) => acl({ principal: `User:${i}${'x'.repeat(30_000)}` }))
    const client = await connect()
    for (const acls of [many, large]) expect(new Set((await create(client, ...acls)).map(([code]) => code))).toEqual(new Set([44]))
    expect(broker.metadata.image.acls.size).toBe(0)
  })
})

describe('DescribeAcls finds', () => {
  const there = [
    acl(),
    acl({ resourceName: 'ord', resourcePatternType: 4, principal: 'User:bob' }),
    acl({ resourceName: '*', principal: 'User:*', permissionType: 2, host: '10.0.0.1' }),
    acl({ resourceType: 3, resourceName: 'team', operation: 2 }),
  ]
  const cases: [string, Partial<AclFilter>, string[]][] = [
    ['all', {}, ['orders User:ann', 'ord+ User:bob', '* User:*', 'team User:ann']],
    ['a type', { resourceTypeFilter: 3 }, ['team User:ann']],
    ['a name, of any pattern', { resourceTypeFilter: 2, resourceNameFilter: 'ord' }, ['ord+ User:bob']],
    ['a literal name', { resourceNameFilter: 'orders', patternTypeFilter: 3 }, ['orders User:ann']],
    ['the literal asterisk', { resourceNameFilter: '*', patternTypeFilter: 3 }, ['* User:*']],
    ['a prefix', { resourceNameFilter: 'ord', patternTypeFilter: 4 }, ['ord+ User:bob']],
    ['no prefix of that name', { resourceNameFilter: 'orders', patternTypeFilter: 4 }, []],
    ['what covers a name', { resourceTypeFilter: 2, resourceNameFilter: 'orders', patternTypeFilter: 2 }, ['orders User:ann', 'ord+ User:bob', '* User:*']],
    ['literal patterns', { patternTypeFilter: 3 }, ['orders User:ann', '* User:*', 'team User:ann']],
    ['a principal', { principalFilter: 'User:ann' }, ['orders User:ann', 'team User:ann']],
    ['a principal, literally', { principalFilter: 'User:*' }, ['* User:*']],
    ['a host', { hostFilter: '10.0.0.1' }, ['* User:*']],
    ['an operation', { operation: 2 }, ['team User:ann']],
    ['denials', { permissionType: 2 }, ['* User:*']],
    ['nothing for words that Kafka does not have', { operation: 99 }, []],
    ['nothing for a pattern that Kafka does not have', { patternTypeFilter: 9 }, []],
  ]
  test('what its filter says', async () => {
    const client = await (await testBroker({ properties: guarded })).connect()
    await create(client, ...there)
    for (const [what, given, found] of cases) expect([what, await list(client, given)]).toEqual([what, found])
  })

  test('the rules of one pattern together', async () => {
    const client = await (await testBroker({ properties: guarded })).connect()
    await create(client, acl(), acl({ resourceType: 3 }), acl({ principal: 'User:bob', operation: 4, permissionType: 2, host: 'h' }))
    const { resources } = await client.call(DescribeAcls, 1, { ...filter(), patternTypeFilter: 3 })
    expect(resources).toEqual([
      {
        resourceType: 2,
        resourceName: 'orders',
        patternType: 3,
        acls: [
          { principal: 'User:ann', host: '*', operation: 3, permissionType: 3 },
          { principal: 'User:bob', host: 'h', operation: 4, permissionType: 2 },
        ],
      },
      { resourceType: 3, resourceName: 'orders', patternType: 3, acls: [{ principal: 'User:ann', host: '*', operation: 3, permissionType: 3 }] },
    ])
  })
})

test('DeleteAcls removes what any filter matches and lists it for each; a filter that is none spoils only itself', async () => {
  const client = await (await testBroker({ properties: guarded })).connect()
  await create(client, acl(), acl({ principal: 'User:bob' }), acl({ resourceName: 'kept' }))
  const filters = [filter({ resourceNameFilter: 'orders' }), filter({ principalFilter: 'User:bob' }), filter({ operation: 99 }), filter({ resourceTypeFilter: 99 })]
  const { filterResults } = await client.call(DeleteAcls, 3, { filters })
  expect(filterResults.map(({ errorCode, errorMessage, matchingAcls }) => [errorCode, errorMessage, matchingAcls.map(({ principal }) => principal)])).toEqual([
    [0, null, ['User:ann', 'User:bob']],
    [0, null, ['User:bob']],
    [42, 'Unknown entryFilter.', []],
    [42, 'Unknown patternFilter.', []],
  ])
  expect(await list(client)).toEqual(['kept User:ann'])
})

test('rules outlive the broker, in the log and in a snapshot', async () => {
  for (const bytes of ['1', '1000000']) {
    const properties = { ...guarded, 'log.dirs': temporaryDirectory(), 'metadata.log.max.record.bytes.between.snapshots': bytes }
    const first = await testBroker({ properties })
    await create(await first.connect(), acl(), acl({ principal: 'User:bob' }))
    await (await first.connect()).call(DeleteAcls, 3, { filters: [filter({ principalFilter: 'User:bob' })] })
    await first.broker.stop()
    expect(await list(await (await testBroker({ properties })).connect())).toEqual(['orders User:ann'])
  }
})

describe('a change is in force when it is answered', () => {
  const PERMISSIONS: NewAcl[] = [
    acl({ resourceType: 4, resourceName: 'kafka-cluster', principal: 'User:ANONYMOUS', operation: 7 }),
    acl({ principal: 'User:ANONYMOUS', operation: 2, host: '127.0.0.1' }),
  ]
  const fetching = (sessionId: number, sessionEpoch: number, maxWaitMs: number) => {
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const topics = sessionEpoch > 0 ? [] : [{ topic: 'orders', topicId: ZERO_UUID, partitions }]
    return { maxWaitMs, minBytes: 1, sessionId, sessionEpoch, topics }
  }
  const revoke = { filters: [filter({ resourceTypeFilter: 2 })] }

  async function world() {
    const directory = temporaryDirectory()
    const first = await testBroker({ properties: { ...guarded, 'log.dirs': directory }, topics: ['orders'] })
    await create(await first.connect(), ...PERMISSIONS)
    await first.broker.stop()
    return testBroker({ properties: { ...byRules, 'log.dirs': directory } })
  }

  test('for connections and fetch sessions that are open', async () => {
    const { connect } = await world()
    const [client, admin] = [await connect(), await connect()]
    const { sessionId, responses } = await client.call(Fetch, 12, fetching(0, 0, 0))
    expect(responses[0].partitions[0].errorCode).toBe(0)
    await admin.call(DeleteAcls, 3, revoke)
    const next = await client.call(Fetch, 12, fetching(sessionId, 1, 0))
    expect(next.responses[0].partitions[0].errorCode).toBe(TOPIC_DENIED)
    const { topics } = await client.call(Metadata, 12, {
      topics: [{ name: 'orders', topicId: ZERO_UUID }],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    expect(topics[0]).toMatchObject({ errorCode: TOPIC_DENIED, topicId: ZERO_UUID, partitions: [] })
    await create(admin, PERMISSIONS[1])
    const last = await client.call(Fetch, 12, fetching(sessionId, 2, 0))
    expect(last.responses[0].partitions[0].errorCode).toBe(0)
  })

  test('for a fetch that waits: records that came after it are not shown', async () => {
    const { connect } = await world()
    const [client, admin] = [await connect(), await connect()]
    const waiting = client.call(Fetch, 12, fetching(0, -1, 20_000))
    await admin.call(DeleteAcls, 3, revoke)
    await create(admin, acl({ principal: 'User:ANONYMOUS', operation: 4 }))
    const topicData = [{ name: 'orders', topicId: ZERO_UUID, partitionData: [{ index: 0, records: batchOf(['x']) }] }]
    await admin.call(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData })
    const { responses } = await waiting
    expect(responses[0].partitions[0]).toMatchObject({ errorCode: TOPIC_DENIED, records: Buffer.alloc(0), highWatermark: -1 })
  })

  test('only for the hosts it names', async () => {
    const { connect } = await world()
    const client = await connect()
    await client.call(DeleteAcls, 3, revoke)
    await create(client, acl({ principal: 'User:ANONYMOUS', operation: 2, host: '127.0.0.2' }))
    const { responses } = await client.call(Fetch, 12, fetching(0, -1, 0))
    expect(responses[0].partitions[0].errorCode).toBe(TOPIC_DENIED)
  })
})
