// Many groups, many members, in a daemon of its own: what they cost, and how soon they settle. The figures are printed; the
// counts are exact, the times generous.

import { describe, expect, onTestFinished, test } from 'vitest'
import { ConsumerGroupHeartbeat } from '../../../src/protocol/apis/consumer-group-heartbeat.ts'
import { CreateTopics } from '../../../src/protocol/apis/create-topics.ts'
import { errorName } from '../../../src/protocol/errors.ts'
import { startDaemon } from '../../support/daemon.ts'
import { GroupClient } from '../../support/group-client.ts'
import { RawClient } from '../../support/raw-client.ts'

async function dial(port: number): Promise<RawClient> {
  const client = await RawClient.open(port)
  onTestFinished(() => client.close())
  return client
}

async function makeTopic(client: RawClient, name: string, numPartitions: number): Promise<void> {
  const topics = [{ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] }]
  const answer = await client.call(CreateTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false })
  expect(errorName(answer.topics[0].errorCode)).toBe('NONE')
}

interface Owned {
  topicId: string
  partitions: number[]
}

/** A member of a consumer group as a client keeps it: what it was told is what it says it owns. */
class ConsumerMember {
  epoch = 0
  owned: Owned[] = []
  readonly #client: RawClient
  readonly #group: string
  readonly #id: string

  constructor(client: RawClient, group: string, id: string) {
    this.#client = client
    this.#group = group
    this.#id = id
  }

  async beat(): Promise<void> {
    const answer = await this.#client.call(ConsumerGroupHeartbeat, 1, {
      groupId: this.#group,
      memberId: this.#id,
      memberEpoch: this.epoch,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: ['t'],
      topicPartitions: this.owned,
    })
    expect(errorName(answer.errorCode)).toBe('NONE')
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
  }
}

test('500 idle connections and 200 groups cost less than 60 MB', async () => {
  const daemon = await startDaemon({ 'offsets.topic.num.partitions': '50', 'group.initial.rebalance.delay.ms': '0' })
  const client = await dial(daemon.port)
  await makeTopic(client, 't', 4)
  // The topic of groups is there, with one group in it: what an idle broker has that was used once.
  await new GroupClient(client, 'first').findCoordinator()
  expect(await new GroupClient(client, 'first').commit('t', 1)).toBe('NONE')
  const before = daemon.rss()
  const idle = await Promise.all(Array.from({ length: 500 }, () => dial(daemon.port)))
  for (let at = 0; at < 200; at++) {
    const group = new GroupClient(idle[at], `group-${at}`)
    if (at % 2 === 0) {
      const { memberId, generationId } = await group.joinTwice({ sessionTimeoutMs: 60_000 })
      expect(await group.sync(memberId, generationId, { [memberId]: 'all' })).toMatchObject({ error: 'NONE' })
      expect(await group.commit('t', at, { memberId, generation: generationId })).toBe('NONE')
    } else {
      const members = [new ConsumerMember(idle[at], group.group, 'a'), new ConsumerMember(idle[at + 200], group.group, 'b')]
      for (let beat = 0; beat < 3; beat++) for (const member of members) await member.beat()
      expect(await group.commit('t', at, { memberId: 'a', generation: members[0].epoch })).toBe('NONE')
    }
  }
  const cost = daemon.rss() - before
  console.log(`500 connections and 200 groups: ${cost.toFixed(1)} MB above ${before.toFixed(1)} MB`)
  expect(cost).toBeLessThan(60)
}, 120_000)

describe('50 members that join one group', () => {
  const MEMBERS = 50

  test.each([[200, 1], [0, 3]])('with group.initial.rebalance.delay.ms=%i settle in %i generations at most', async (delay, generations) => {
    const heartbeatMs = 3000
    const daemon = await startDaemon({ 'offsets.topic.num.partitions': '1', 'group.initial.rebalance.delay.ms': `${delay}` })
    const members = await Promise.all(Array.from({ length: MEMBERS }, async () => new GroupClient(await dial(daemon.port), 'g')))
    await makeTopic(members[0].client, 't', MEMBERS)
    await members[0].findCoordinator()
    const seen = new Set<number>()
    const begin = performance.now()
    /** As a client does: joins, syncs, and joins again when it is told to, by the sync or by a heartbeat. */
    const settle = async (member: GroupClient): Promise<number> => {
      let { memberId } = await member.join()
      for (;;) {
        const joined = await member.join({ memberId })
        expect(joined.error).toBe('NONE')
        seen.add(joined.generationId)
        const all = Object.fromEntries(joined.members.map((each) => [each.memberId, each.memberId]))
        const { error } = await member.sync(memberId, joined.generationId, joined.leader === memberId ? all : {})
        memberId = joined.memberId
        if (error === 'NONE' && joined.generationId > 0 && (await isSettled(member, memberId, joined.generationId))) return joined.generationId
      }
    }
    let settledAt = 0
    let inLast = 0
    const isSettled = async (member: GroupClient, memberId: string, generation: number): Promise<boolean> => {
      const size = sizes.get(generation) ?? 0
      sizes.set(generation, size + 1)
      if (size + 1 === MEMBERS) {
        settledAt = performance.now() - begin
        inLast = generation
      }
      for (;;) {
        if (inLast === generation) return true
        const error = await member.heartbeat(memberId, generation)
        if (error === 'REBALANCE_IN_PROGRESS') return false
        expect(error).toBe('NONE')
      }
    }
    const sizes = new Map<number, number>()
    const last = await Promise.all(members.map(settle))
    console.log(`50 classic members, delay ${delay} ms: ${seen.size} generations, ${settledAt.toFixed(0)} ms`)
    expect(new Set(last).size).toBe(1)
    expect(seen.size).toBeLessThanOrEqual(generations)
    expect(settledAt).toBeLessThan(2 * heartbeatMs)
  }, 60_000)

  test('of the new protocol each have their partition after two heartbeats', async () => {
    const daemon = await startDaemon({ 'offsets.topic.num.partitions': '1' })
    const clients = await Promise.all(Array.from({ length: MEMBERS }, () => dial(daemon.port)))
    await makeTopic(clients[0], 't', MEMBERS)
    await new GroupClient(clients[0], 'g').findCoordinator()
    const members = clients.map((client, at) => new ConsumerMember(client, 'g', `member-${at}`))
    const begin = performance.now()
    const beatAll = () => Promise.all(members.map((member) => member.beat()))
    await beatAll() // joins
    const shares = () => members.map(({ owned }) => owned.reduce((sum, { partitions }) => sum + partitions.length, 0))
    let intervals = 0
    while (shares().some((share) => share !== 1) || new Set(members.map(({ epoch }) => epoch)).size > 1) {
      expect(++intervals).toBeLessThan(10)
      await beatAll()
    }
    const rounds = intervals
    console.log(`50 consumer members: ${rounds} heartbeats after the join, ${(performance.now() - begin).toFixed(0)} ms of work`)
    const partitions = members.flatMap(({ owned }) => owned.flatMap((each) => each.partitions))
    expect(new Set(partitions).size).toBe(MEMBERS)
    expect(rounds).toBeLessThanOrEqual(2)
  }, 60_000)
})
