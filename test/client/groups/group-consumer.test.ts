// Members of groups against the bundled broker, over sockets; what the group is like is asked of the broker by hand.

import { onTestFinished, describe, expect, it, vi } from 'vitest'
import { alterGroupOffsets, createTopics, deleteTopics, describeGroups, listGroupOffsets } from '../../../src/client/admin.ts'
import { clientConfig } from '../../../src/client/client-config.ts'
import type { Cluster } from '../../../src/client/cluster.ts'
import { connectCluster } from '../../../src/client/kafka-cluster.ts'
import { batchesOf } from '../../../src/client/consumer-batches.ts'
import { GroupConsumer, type GroupConsumerOptions } from '../../../src/client/groups/group-consumer.ts'
import { Produce } from '../../../src/protocol/apis/produce.ts'
import { LeaveGroup } from '../../../src/protocol/apis/leave-group.ts'
import { RecordCursor } from '../../../src/protocol/record-cursor.ts'
import { testBroker, type TestBroker } from '../../support/broker.ts'
import { batchOf } from '../../support/raw-client.ts'

const PARTITIONS = 4
const WAIT = { timeout: 20_000, interval: 20 }

async function world(heartbeatMs = 50) {
  const properties = {
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.heartbeat.interval.ms': String(heartbeatMs),
    'group.consumer.min.heartbeat.interval.ms': '50',
  }
  const broker = await testBroker({ topics: [`t:${PARTITIONS}`], properties })
  const admin = await client(broker)
  const raw = await broker.connect()
  let next = 0
  return {
    broker,
    admin,
    /** So many records to each partition: numbers, all different. */
    produce: async (count: number) => {
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const records = batchOf(Array.from({ length: count }, () => String(next++)))
        await raw.call(Produce, 11, { acks: -1, timeoutMs: 5000, topicData: [{ name: 't', partitionData: [{ index: partition, records }] }] } as never)
      }
      return next
    },
    group: async () => {
      const result = (await describeGroups(admin, ['g'])).get('g')
      return result?.ok ? `${result.value.state} ${result.value.members.length}` : 'none'
    },
    committed: async () => {
      const offsets = await listGroupOffsets(admin, 'g')
      return Array.from({ length: PARTITIONS }, (_, partition) => offsets.find((each) => each.partition === partition)?.offset ?? -1)
    },
  }
}

async function client(broker: TestBroker, properties: Record<string, string> = {}): Promise<Cluster> {
  const defaults = { 'bootstrap.servers': `127.0.0.1:${broker.port}`, 'heartbeat.interval.ms': '30', 'auto.commit.interval.ms': '30' }
  const cluster = connectCluster(await clientConfig(new Map(Object.entries({ ...defaults, ...properties }))))
  onTestFinished(() => cluster.close())
  return cluster
}

interface Member {
  readonly values: string[]
  readonly consumer: GroupConsumer
  /** Resolves when it has come to an end by itself; then it has left. */
  readonly done: Promise<void>
  stop(): Promise<void>
  assigned: number[]
}

async function join(broker: TestBroker, properties: Record<string, string> = {}, options: Partial<GroupConsumerOptions> = {}, pause?: () => Promise<void>): Promise<Member> {
  const values: string[] = []
  const pending: (() => void)[] = []
  const collect = (): void => pending.splice(0).forEach((report) => report())
  const consumer = new GroupConsumer(await client(broker, properties), {
    groupId: 'g',
    topics: ['t'],
    reset: 'earliest',
    untilEnd: false,
    isolation: 'read_uncommitted',
    collect,
    flush: () => {
      collect()
      return Promise.resolve()
    },
    onAssigned: (positions) => void (member.assigned = positions.map(({ partition }) => partition).sort()),
    ...options,
  })
  const run = async (): Promise<void> => {
    try {
      for (let fetched = await consumer.next(); fetched !== undefined; fetched = await consumer.next()) {
        for (const batch of batchesOf(fetched, true)) {
          const cursor = new RecordCursor(batch.header, batch.records)
          while (cursor.next()) if (cursor.offset >= fetched.from && cursor.offset < fetched.until) values.push(cursor.value()?.toString() ?? '')
        }
        const place = fetched
        pending.push(() => consumer.processed(place, Math.min(place.next, place.until), 0))
        await pause?.()
      }
    } finally {
      await consumer.close()
    }
  }
  const done = run()
  done.catch(() => undefined)
  const member: Member = { values, consumer, done, assigned: [], stop: () => (consumer.stop(), done) }
  onTestFinished(() => member.stop().catch(() => undefined))
  return member
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const numbers = (...members: Member[]) => members.flatMap(({ values }) => values).map(Number).sort((a, b) => a - b)

const PROTOCOLS: Record<string, Record<string, string>> = {
  'range, all given up at each rebalance': {},
  'sticky, a few at a time': { 'partition.assignment.strategy': 'org.apache.kafka.clients.consumer.CooperativeStickyAssignor' },
  "KIP-848's": { 'group.protocol': 'consumer' },
}

describe.each(Object.entries(PROTOCOLS))('members whose partitions are shared out by %s', (_, properties) => {
  it('read what is there, commit it and leave', async () => {
    const { broker, produce, group, committed } = await world()
    const total = await produce(5)
    const member = await join(broker, properties, { untilEnd: true })
    await member.done
    expect(numbers(member)).toEqual(upTo(total))
    expect(await committed()).toEqual([5, 5, 5, 5])
    expect(await group()).toBe('Empty 0')
  })

  it('get each record once while members come and go', async () => {
    const { broker, produce, group, committed } = await world()
    await produce(10)
    const first = await join(broker, properties)
    await vi.waitFor(() => expect(first.values).toHaveLength(40), WAIT)
    const second = await join(broker, properties)
    let total = await produce(10)
    await vi.waitFor(() => expect([first.assigned.length, second.assigned.length]).toEqual([2, 2]), WAIT)
    const third = await join(broker, properties)
    total = await produce(10)
    await vi.waitFor(() => expect([first, second, third].map((each) => each.assigned.length).sort()).toEqual([1, 1, 2]), WAIT)
    await first.stop()
    total = await produce(10)
    await vi.waitFor(() => expect([...second.assigned, ...third.assigned].sort()).toEqual([0, 1, 2, 3]), WAIT)
    await vi.waitFor(() => expect(numbers(first, second, third)).toHaveLength(total), WAIT)
    expect(numbers(first, second, third)).toEqual(upTo(total))
    await Promise.all([second.stop(), third.stop()])
    expect(await committed()).toEqual([40, 40, 40, 40])
    expect(await group()).toBe('Empty 0')
  })

  it('commit what was dealt with, not what was fetched', async () => {
    const { broker, produce, committed } = await world()
    await produce(5)
    const member = await join(broker, properties, { collect: () => undefined })
    await vi.waitFor(() => expect(member.values).toHaveLength(20), WAIT)
    await member.stop()
    expect((await committed()).every((offset) => offset <= 0)).toBe(true)
  })

  it('come back when they were left out, where the group is', async () => {
    const { broker, produce, group } = await world()
    const total = await produce(5)
    const notices: string[] = []
    let goOn = (): void => undefined
    const gate = new Promise<void>((resolve) => (goOn = resolve))
    const slow = { ...properties, 'max.poll.interval.ms': '300' }
    const member = await join(broker, slow, { onNotice: (text) => notices.push(text) }, () => gate)
    await vi.waitFor(async () => expect(await group()).toBe('Empty 0'), WAIT)
    goOn()
    await vi.waitFor(async () => expect(await group()).toBe('Stable 1'), WAIT)
    await vi.waitFor(() => expect(new Set(numbers(member)).size).toBe(total), WAIT)
    expect(notices.join()).toContain('max.poll.interval.ms')
  })

  it('start at the end where nothing is committed, and remember that', async () => {
    const { broker, produce, committed } = await world()
    await produce(5)
    const first = await join(broker, properties, { reset: 'latest' })
    await vi.waitFor(async () => expect(await committed()).toEqual([5, 5, 5, 5]), WAIT)
    await first.stop()
    await produce(1)
    const second = await join(broker, properties, { reset: 'latest', untilEnd: true })
    await second.done
    expect(numbers(first, second)).toEqual([20, 21, 22, 23])
  })

  it('end at the end also without partitions, once the others are there', async () => {
    const { broker, produce } = await world()
    await produce(1)
    const members = await Promise.all(upTo(PARTITIONS + 1).map(() => join(broker, properties, { untilEnd: true })))
    await Promise.all(members.map(({ done }) => done))
    expect(numbers(...members)).toEqual(upTo(PARTITIONS))
  })
})

// Between two heartbeats nobody has told the member: it fetches, and commits, as if the topic were the one it was given.
describe.each([50, 700])("a member of KIP-848's group that is told every %i ms", (heartbeatMs) => {
  it('reads a topic that was deleted and made anew from its beginning, and commits nothing of the old one to it', async () => {
    const { broker, admin, produce, committed } = await world(heartbeatMs)
    await produce(5)
    const notices: string[] = []
    // What was read is not committed yet when the partitions go.
    const properties = { 'group.protocol': 'consumer', 'retry.backoff.ms': '10', 'auto.commit.interval.ms': '60000' }
    const member = await join(broker, properties, { onNotice: (text) => notices.push(text) })
    await vi.waitFor(() => expect(member.values).toHaveLength(20), WAIT)
    await deleteTopics(admin, ['t'])
    await createTopics(admin, [{ name: 't', partitions: PARTITIONS }])
    const total = await produce(8)
    await vi.waitFor(() => expect(numbers(member)).toEqual(upTo(total)), WAIT)
    await member.stop()
    expect(await committed()).toEqual([8, 8, 8, 8])
    expect(notices).toEqual([])
  })
})

describe('a member', () => {
  it('keeps its place over a restart with group.instance.id, and is told when another takes it', async () => {
    const { broker, group } = await world()
    const properties = { 'group.instance.id': 'i' }
    const first = await join(broker, properties)
    await vi.waitFor(() => expect(first.assigned).toHaveLength(PARTITIONS), WAIT)
    const second = await join(broker, properties)
    await expect(first.done).rejects.toThrow('Another member of the group uses group.instance.id=i')
    await vi.waitFor(() => expect(second.assigned).toHaveLength(PARTITIONS), WAIT)
    await second.stop()
    expect(await group()).toBe('Stable 1')
  })

  it('joins again when somebody threw it out', async () => {
    const { broker, admin, produce, group } = await world()
    const member = await join(broker)
    await vi.waitFor(() => expect(member.assigned).toHaveLength(PARTITIONS), WAIT)
    const described = (await describeGroups(admin, ['g'])).get('g')
    const memberId = described?.ok ? described.value.members[0].memberId : ''
    await admin.call(LeaveGroup, { groupId: 'g', memberId: '', members: [{ memberId }] })
    await vi.waitFor(async () => expect(await group()).toBe('Stable 1'), WAIT)
    const total = await produce(3)
    await vi.waitFor(() => expect(numbers(member)).toEqual(upTo(total)), WAIT)
  })

  it('goes on where the group was moved to', async () => {
    const { broker, admin, produce } = await world()
    await produce(5)
    await alterGroupOffsets(admin, 'g', upTo(PARTITIONS).map((partition) => ({ topic: 't', partition, offset: 4 })))
    const member = await join(broker, {}, { untilEnd: true })
    await member.done
    expect(numbers(member)).toEqual([4, 9, 14, 19])
  })

  it('commits nothing with enable.auto.commit=false', async () => {
    const { broker, produce, committed } = await world()
    await produce(2)
    const member = await join(broker, { 'enable.auto.commit': 'false' }, { untilEnd: true })
    await member.done
    expect(member.values).toHaveLength(8)
    expect(await committed()).toEqual([-1, -1, -1, -1])
  })

  it('reads partitions that are added to its topic', async () => {
    const { broker } = await world()
    const { createPartitions } = await import('../../../src/client/admin.ts')
    const member = await join(broker, { 'metadata.max.age.ms': '50' })
    await vi.waitFor(() => expect(member.assigned).toHaveLength(PARTITIONS), WAIT)
    await createPartitions(await client(broker), [{ topic: 't', count: PARTITIONS + 1 }])
    await vi.waitFor(() => expect(member.assigned).toHaveLength(PARTITIONS + 1), WAIT)
  })

  it('says what it lacks where a group has no offset and none may be chosen', async () => {
    const { broker } = await world()
    const member = await join(broker, {}, { reset: 'none' })
    await expect(member.done).rejects.toThrow('Group g has no committed offset for t-0, and auto.offset.reset is none')
  })
})
