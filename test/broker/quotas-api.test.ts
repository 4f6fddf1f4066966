// DescribeClientQuotas and AlterClientQuotas: what is set is described, survives, and every refusal is Apache's.

import { expect, test } from 'vitest'
import { AlterClientQuotas } from '../../src/protocol/apis/alter-client-quotas.ts'
import { DescribeClientQuotas } from '../../src/protocol/apis/describe-client-quotas.ts'
import { ErrorCode } from '../../src/protocol/errors.ts'
import { temporaryDirectory, testBroker } from '../support/broker.ts'
import type { RawClient } from '../support/raw-client.ts'

type Entity = Readonly<Record<string, string | null>>
type Ops = Readonly<Record<string, number | null>>
type Component = [entityType: string, matchType: number, match?: string | null]

const [EXACT, DEFAULT, ANY] = [0, 1, 2]

const partsOf = (entity: Entity) => Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
const entryOf = (entity: Entity, ops: Ops) => ({
  entity: partsOf(entity),
  ops: Object.entries(ops).map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
})

async function alter(client: RawClient, entries: [Entity, Ops][], validateOnly = false) {
  const request = { entries: entries.map(([entity, ops]) => entryOf(entity, ops)), validateOnly }
  const answer = await client.call(AlterClientQuotas, 1, request)
  return answer.entries.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
}

async function find(client: RawClient, components: Component[], strict = false) {
  const asked = components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match }))
  const answer = await client.call(DescribeClientQuotas, 1, { components: asked, strict })
  if (answer.entries === null) return [answer.errorCode, answer.errorMessage]
  return answer.entries.map(({ entity, values }) => {
    const names = entity.map(({ entityType, entityName }) => `${entityType}=${entityName}`).sort()
    return `${names.join(' ')}: ${values.map(({ key, value }) => `${key}=${value}`).join(' ')}`
  })
}

test('quotas are found by what a filter says, strictly or not', async () => {
  const client = await (await testBroker()).connect()
  const entries: [Entity, Ops][] = [
    [{ user: 'ann' }, { producer_byte_rate: 1000, request_percentage: 12.5 }],
    [{ user: null }, { producer_byte_rate: 2000 }],
    [{ user: 'ann', 'client-id': 'app' }, { consumer_byte_rate: 3000 }],
    [{ user: 'ann', 'client-id': null }, { consumer_byte_rate: 4000 }],
    [{ 'client-id': 'app' }, { controller_mutation_rate: 0.5 }],
    [{ ip: '10.0.0.1' }, { connection_creation_rate: 5 }],
    [{ ip: null }, { connection_creation_rate: 6 }],
  ]
  expect(await alter(client, entries)).toEqual(entries.map(() => [0, null]))
  expect(await find(client, [['user', EXACT, 'ann']], true)).toEqual(['user=ann: request_percentage=12.5 producer_byte_rate=1000'])
  expect(await find(client, [['user', EXACT, 'ann']])).toHaveLength(3)
  expect(await find(client, [['user', DEFAULT]])).toEqual(['user=null: producer_byte_rate=2000'])
  expect(await find(client, [['user', ANY]], true)).toHaveLength(2)
  expect(await find(client, [['user', EXACT, 'ann'], ['client-id', DEFAULT]])).toEqual(['client-id=null user=ann: consumer_byte_rate=4000'])
  expect(await find(client, [['client-id', EXACT, 'app']])).toHaveLength(2)
  expect(await find(client, [['ip', ANY]])).toHaveLength(2)
  expect(await find(client, [])).toHaveLength(7)
  expect(await find(client, [], true)).toEqual([])
  expect(await find(client, [['user', EXACT, 'nobody']])).toEqual([])
})

test('a quota changes, goes, and is checked only where that is asked for', async () => {
  const client = await (await testBroker()).connect()
  await alter(client, [[{ user: 'ann' }, { producer_byte_rate: 1000, consumer_byte_rate: 1 }]])
  await alter(client, [[{ user: 'ann' }, { producer_byte_rate: 5 }]], true)
  await alter(client, [[{ user: 'ann' }, { consumer_byte_rate: null, request_percentage: null }]])
  expect(await find(client, [])).toEqual(['user=ann: producer_byte_rate=1000'])
  await alter(client, [[{ user: 'ann' }, { producer_byte_rate: 2000.0 }]])
  expect(await find(client, [])).toEqual(['user=ann: producer_byte_rate=2000'])
  await alter(client, [[{ user: 'ann' }, { producer_byte_rate: null }]])
  expect(await find(client, [])).toEqual([])
})

test('what was set is there after a restart, and in a snapshot', async () => {
  const directory = temporaryDirectory()
  const properties = { 'log.dirs': directory, 'metadata.log.max.record.bytes.between.snapshots': '1' }
  const first = await testBroker({ properties })
  await alter(await first.connect(), [[{ user: 'ann', 'client-id': null }, { producer_byte_rate: 1000 }], [{ ip: '::1' }, { connection_creation_rate: 2 }]])
  await first.broker.stop()
  const second = await testBroker({ properties })
  expect(await find(await second.connect(), [])).toEqual(['client-id=null user=ann: producer_byte_rate=1000', 'ip=::1: connection_creation_rate=2'])
})

test.each<[why: string, entity: Entity, ops: Ops]>([
  ['Invalid empty client quota entity', {}, { producer_byte_rate: 1 }],
  ['Unhandled client quota entity type: team', { team: 'a' }, { producer_byte_rate: 1 }],
  ['Empty user not supported', { user: '' }, { producer_byte_rate: 1 }],
  ['Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId', { user: 'a', ip: '1.2.3.4' }, { producer_byte_rate: 1 }],
  ['no.such.host.invalid is not a valid IP or resolvable host.', { ip: 'no.such.host.invalid' }, { connection_creation_rate: 1 }],
  ['300.1.1.1 is not a valid IP or resolvable host.', { ip: '300.1.1.1' }, { connection_creation_rate: 1 }],
  ['Invalid configuration key nonsense', { user: 'a' }, { nonsense: 1 }],
  ['Invalid configuration key connection_creation_rate', { user: 'a' }, { connection_creation_rate: 1 }],
  ['Invalid configuration key producer_byte_rate', { ip: '1.2.3.4' }, { producer_byte_rate: 1 }],
  ['Quota producer_byte_rate must be greater than 0', { user: 'a' }, { producer_byte_rate: 0 }],
  ['Quota producer_byte_rate must be greater than 0', { user: 'a' }, { producer_byte_rate: Number.NaN }],
  ['producer_byte_rate cannot be a fractional value.', { user: 'a' }, { producer_byte_rate: 1.5 }],
  ['Proposed value for producer_byte_rate is too large for a LONG.', { user: 'a' }, { producer_byte_rate: 1e30 }],
  ['Proposed value for connection_creation_rate is too large for an INT.', { ip: null }, { connection_creation_rate: 2 ** 31 }],
])('%s', async (why, entity, ops) => {
  const client = await (await testBroker()).connect()
  const answer = await alter(client, [[entity, ops], [{ user: 'other' }, { producer_byte_rate: 1 }]])
  expect(answer).toEqual([[ErrorCode.INVALID_REQUEST, why], [0, null]])
  expect(await find(client, [])).toEqual(['user=other: producer_byte_rate=1'])
})

test('a key or an entity named twice is refused', async () => {
  const client = await (await testBroker()).connect()
  const ops = [{ key: 'producer_byte_rate', value: 1, remove: false }, { key: 'producer_byte_rate', value: 2, remove: false }]
  const { entries } = await client.call(AlterClientQuotas, 1, { entries: [{ entity: partsOf({ user: 'a' }), ops }], validateOnly: false })
  expect(entries[0].errorMessage).toBe('Ignoring duplicate entity ClientQuotaEntity(entries={user=a})')
  const twice = await alter(client, [[{ user: 'b' }, { producer_byte_rate: 1 }], [{ user: 'b' }, { producer_byte_rate: 2 }]])
  expect(twice).toEqual([[ErrorCode.INVALID_REQUEST, 'Ignoring duplicate entity ClientQuotaEntity(entries={user=b})']])
})

test.each<[why: string, code: number, components: Component[]]>([
  ['Invalid empty entity type.', ErrorCode.INVALID_REQUEST, [['', ANY]]],
  ['Entity type user cannot appear more than once in the filter.', ErrorCode.INVALID_REQUEST, [['user', ANY], ['user', DEFAULT]]],
  ['Unsupported entity type team', ErrorCode.UNSUPPORTED_VERSION, [['team', ANY]]],
  ['Unknown match type 3', ErrorCode.INVALID_REQUEST, [['user', 3]]],
  ['Request specified MATCH_TYPE_EXACT, but set match string to null.', ErrorCode.INVALID_REQUEST, [['user', EXACT]]],
  ['Request specified MATCH_TYPE_DEFAULT, but also specified a match string.', ErrorCode.INVALID_REQUEST, [['user', DEFAULT, 'a']]],
  ['Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.', ErrorCode.INVALID_REQUEST, [['user', ANY, 'a']]],
  ['Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.',
    ErrorCode.INVALID_REQUEST, [['user', ANY], ['ip', ANY]]],
])('%s', async (why, code, components) => {
  const client = await (await testBroker()).connect()
  expect(await find(client, components)).toEqual([code, why])
})
