// Quotas of bytes: whose they are, how long one waits who has had too much, and that nobody else does.

import { describe, expect, test } from 'vitest'
import { ClientQuotas, quotaRecord } from '../../src/broker/metadata/client-quotas.ts'
import { Throttle } from '../../src/broker/throttle.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { testBroker } from '../support/broker.ts'
import { manualClock } from '../support/manual-clock.ts'
import { batchOf } from '../support/raw-client.ts'

type Entity = Readonly<Record<string, string | null>>

function throttleWith(...given: [Entity, number | undefined][]) {
  const quotas = new ClientQuotas()
  const set = (entity: Entity, value: number | undefined): void => {
    const parts = Object.entries(entity).map(([entityType, entityName]) => ({ entityType, entityName }))
    quotas.replay({ entity: parts, key: 'producer_byte_rate', value: value ?? 0, remove: value === undefined })
  }
  for (const [entity, value] of given) set(entity, value)
  const clock = manualClock()
  const throttle = new Throttle(quotas, clock)
  return { set, clock, count: (user: string, client: string, bytes: number) => throttle.count('producer_byte_rate', user, client, bytes) }
}

test('without a quota nobody waits', () => {
  const { count } = throttleWith()
  expect(count('ann', 'app', 1e12)).toBe(0)
})

test('ten seconds\' worth may come at once; what is more has to be waited for', () => {
  const { count, clock } = throttleWith([{ user: 'ann' }, 1000])
  expect(count('ann', 'app', 10_000)).toBe(0)
  expect(count('ann', 'app', 500)).toBe(500)
  clock.advance(500)
  expect(count('ann', 'app', 0)).toBe(500)
  clock.advance(20_000)
  expect(count('ann', 'app', 9000)).toBe(0)
})

test('over a minute a client gets what its quota says', () => {
  const { count, clock } = throttleWith([{ user: 'ann' }, 1000])
  let bytes = 0
  while (clock.monotonic() < 60_000) {
    bytes += 3000
    clock.advance(Math.max(1, count('ann', 'app', 3000)))
  }
  expect(bytes / 60).toBeGreaterThan(900)
  expect(bytes / 60).toBeLessThan(1300) // with the ten seconds' worth at the start
})

describe('the most specific quota counts', () => {
  const all: [Entity, number][] = [
    [{ user: 'ann', 'client-id': 'app' }, 1], [{ user: 'ann', 'client-id': null }, 2], [{ user: 'ann' }, 3],
    [{ user: null, 'client-id': 'app' }, 4], [{ user: null, 'client-id': null }, 5], [{ user: null }, 6],
    [{ 'client-id': 'app' }, 7], [{ 'client-id': null }, 8],
  ] // prettier-ignore
  test.each(all.map((_, from) => from))('from the %ith on', (from) => {
    const { count } = throttleWith(...all.slice(from))
    const rate = all[from][1]
    // 420 bytes at `rate` a second, less ten seconds; a multiple of all rates.
    expect(count('ann', 'app', 420)).toBe(Math.min(60_000, Math.max(0, Math.round((420 / rate) * 1000 - 10_000))))
  })
})

test('those whom one quota is about share it; others have one each', () => {
  const { count } = throttleWith([{ user: 'ann' }, 100], [{ 'client-id': null }, 100])
  expect(count('ann', 'a', 1000)).toBe(0)
  expect(count('ann', 'b', 100)).toBe(1000)
  expect(count('bob', 'c', 1000)).toBe(0)
  expect(count('bob', 'd', 1000)).toBe(0)
  expect(count('eve', 'c', 100)).toBe(1000)
})

test('a quota that changes counts at once', () => {
  const { count, set } = throttleWith([{ user: 'ann' }, 1])
  expect(count('ann', 'a', 20)).toBe(10_000)
  set({ user: 'ann' }, 2)
  expect(count('ann', 'a', 0)).toBe(0)
  set({ user: 'ann' }, undefined)
  expect(count('ann', 'a', 1e9)).toBe(0)
})

test('producers and consumers over their quota are told, and wait; other clients do not', async () => {
  const clock = manualClock()
  const { connect, broker } = await testBroker({ topics: ['orders'], clock })
  const entity = new Map([['client-id', 'greedy']])
  await broker.metadata.commit([quotaRecord(entity, 'producer_byte_rate', 10), quotaRecord(entity, 'consumer_byte_rate', 10)])
  const produce = async (clientId: string) => {
    const client = await connect()
    const request = { transactionalId: null, acks: 1, timeoutMs: 1000, topicData: [{ name: 'orders', partitionData: [{ index: 0, records: batchOf(['x'.repeat(200)]) }] }] }
    const answer = await client.call(Produce, 9, request as never, clientId)
    expect(answer.responses[0].partitionResponses[0].errorCode).toBe(0)
    return { client, ms: answer.throttleTimeMs }
  }
  expect((await produce('modest')).ms).toBe(0)
  const { client, ms } = await produce('greedy')
  expect(ms).toBeGreaterThan(10_000)
  let isAnswered = false
  const next = client.call(Metadata, 12, { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false } as never).then(() => (isAnswered = true))
  expect((await produce('modest')).ms).toBe(0)
  expect(isAnswered).toBe(false)
  clock.advance(ms)
  await next

  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20 }]
  const fetch = { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 20, isolationLevel: 0, sessionId: 0, sessionEpoch: -1, topics: [{ topic: 'orders', partitions }], forgottenTopicsData: [], rackId: '' }
  const consumer = await connect()
  const { throttleTimeMs, responses } = await consumer.call(Fetch, 11, fetch as never, 'greedy')
  expect(throttleTimeMs).toBeGreaterThan(0)
  expect(responses[0].partitions[0].records?.length).toBeGreaterThan(200)
})
