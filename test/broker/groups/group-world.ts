// One shard of groups with a clock moved by hand and a log in memory: operations on plain values, no broker.

import { KafkaError } from '../../../src/protocol/errors.ts'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import type { RecordBytes } from '../../../src/protocol/records/coordinator.ts'
import type { Now, Producer, Step, Ticket } from '../../../src/broker/coordinator/shard.ts'
import type { JoinRequest, JoinResult, SyncRequest, SyncResult } from '../../../src/broker/groups/classic-requests.ts'
import { randomUuid } from '../../../src/base/uuid.ts'
import type { ConsumerSettings } from '../../../src/broker/groups/consumer/settings.ts'
import type { GroupTopic, GroupTopics } from '../../../src/broker/groups/topics.ts'
import { GroupShard } from '../../../src/broker/groups/group-shard.ts'
import type { GroupSettings } from '../../../src/broker/groups/group-shard.ts'
import type { Committer } from '../../../src/broker/groups/group.ts'
import { ZERO_UUID } from '../../../src/protocol/reader.ts'
import { ConsumerProtocolSubscription, encodeConsumerProtocol } from '../../../src/protocol/records/consumer-protocol.ts'

/** Topics as a broker would have them. */
export class FakeTopics implements GroupTopics {
  readonly #byName = new Map<string, GroupTopic>()
  version = 0

  /** Makes the topic, or gives it as many partitions. */
  set(name: string, partitions: number): GroupTopic {
    const id = this.#byName.get(name)?.id ?? randomUuid()
    const topic = { name, id, partitions: { size: partitions } }
    this.#byName.set(name, topic)
    this.version++
    return topic
  }

  delete(name: string): void {
    this.#byName.delete(name)
    this.version++
  }

  topic(name: string): GroupTopic | undefined {
    return this.#byName.get(name)
  }

  topicById(id: string): GroupTopic | undefined {
    return [...this.#byName.values()].find((topic) => topic.id === id)
  }

  topics(): Iterable<GroupTopic> {
    return this.#byName.values()
  }

  get topicCount(): number {
    return this.#byName.size
  }

  racksOf(): readonly string[] {
    return []
  }
}

export const CONSUMER_SETTINGS: ConsumerSettings = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5000,
  assignmentIntervalMs: 0,
  maxSize: 1000,
  classicMaxSize: 100,
  assignors: ['uniform', 'range'],
  canUpgrade: true,
  canDowngrade: true,
  regexRefreshMs: 600_000,
}

/** What a request was answered so far. */
export interface Outcome<T> {
  value: T | undefined
  error: ErrorName | undefined
}

export interface Entry {
  readonly record?: RecordBytes
  readonly end?: 'commit' | 'abort'
  readonly producer: Producer | undefined
}

const SETTINGS: GroupSettings = {
  maxSize: 100,
  initialDelayMs: 0,
  newMemberJoinTimeoutMs: 300_000,
  offsetsRetentionMs: 7 * 24 * 3600_000,
  offsetsRetentionCheckMs: 600_000,
  consumer: { topics: new FakeTopics(), settings: () => CONSUMER_SETTINGS },
}

export const GROUP = 'g'
export const SESSION = 10_000
export const REBALANCE = 60_000

export class World {
  readonly log: Entry[] = []
  readonly settings: GroupSettings
  shard: GroupShard
  ms = 0
  /** Refuses the next appends. */
  isFull = false
  #ids = 0

  constructor(settings: Partial<GroupSettings> = {}) {
    this.settings = { ...SETTINGS, ...settings }
    this.shard = this.reloaded()
  }

  get now(): Now {
    return { wall: 1_700_000_000_000 + this.ms, monotonic: this.ms }
  }

  /** What a restart would make of the log. */
  reloaded(): GroupShard {
    const shard = new GroupShard(this.settings)
    this.log.forEach(({ record, end, producer }, offset) => {
      if (record !== undefined) shard.replay(record, offset, producer)
      else if (producer !== undefined) shard.endTransaction(producer, end === 'commit')
    })
    shard.resume(this.now)
    return shard
  }

  restart(): void {
    this.shard = this.reloaded()
  }

  run<T>(operation: (shard: GroupShard, now: Now, ticket: Ticket<T>) => Step): Outcome<T> {
    const outcome: Outcome<T> = { value: undefined, error: undefined }
    const ticket: Ticket<T> = {
      resolve: (value) => (outcome.value = value),
      reject: (error) => (outcome.error = error.error),
    }
    try {
      this.perform(operation(this.shard, this.now, ticket))
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      outcome.error = error.error
    }
    return outcome
  }

  perform({ records, producer, then }: Step): void {
    if (records.length > 0 && this.isFull) throw new KafkaError('NOT_COORDINATOR')
    for (const record of records) {
      this.shard.replay(record, this.log.length, producer)
      this.log.push({ record, producer })
    }
    for (const each of then()) each.send()
  }

  endTransaction(producer: Producer, isCommit: boolean): void {
    this.shard.endTransaction(producer, isCommit)
    this.log.push({ end: isCommit ? 'commit' : 'abort', producer })
  }

  /** Time passes; what becomes due happens when it is due. */
  pass(ms: number): void {
    const end = this.ms + ms
    while (this.shard.nextDeadline <= end) {
      this.ms = Math.max(this.ms, this.shard.nextDeadline)
      for (const step of this.shard.expire(this.now)) this.perform(step)
    }
    this.ms = end
  }

  group(id = GROUP) {
    return this.shard.classic(id, this.now)
  }

  get phase(): string | undefined {
    return this.group()?.state
  }

  join(request: Partial<JoinRequest> = {}, id = GROUP): Outcome<JoinResult> {
    const full: JoinRequest = {
      memberId: '',
      instanceId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: SESSION,
      rebalanceTimeoutMs: REBALANCE,
      protocolType: 'consumer',
      protocols: [protocol('range', ['t'])],
      newMemberId: `m${++this.#ids}`,
      requiresKnownId: false,
      canSkipAssignment: true,
      ...request,
    }
    return this.run<JoinResult>((shard, now, ticket) => shard.join(id, full, now, ticket))
  }

  sync(memberId: string, request: Partial<SyncRequest> = {}, id = GROUP): Outcome<SyncResult> {
    const generation = this.group(id)?.generation ?? 0
    const full = { memberId, instanceId: null, generation, protocolType: null, protocolName: null, assignments: [], ...request }
    return this.run<SyncResult>((shard, now, ticket) => shard.sync(id, full, now, ticket))
  }

  heartbeat(memberId: string, generation = this.group()?.generation ?? 0, instanceId: string | null = null): ErrorName {
    try {
      this.shard.heartbeat(GROUP, memberId, instanceId, generation, this.now)
      return 'NONE'
    } catch (error) {
      if (error instanceof KafkaError) return error.error
      throw error
    }
  }

  leave(memberId: string, instanceId: string | null = null): ErrorName | undefined {
    const outcome = this.run<ErrorName[]>((shard, now, ticket) => shard.leave(GROUP, [{ memberId, instanceId }], now, ticket))
    return outcome.error ?? outcome.value?.at(0)
  }

  commit(offset: number, committer: Partial<Committer> = {}, topic = 't', id = GROUP): ErrorName {
    const who = { memberId: '', instanceId: null, generation: -1, knowsGroupNotFound: true, ...committer }
    const key = { group: id, topic, partition: 0 }
    const value = {
      offset: BigInt(offset),
      leaderEpoch: 3,
      metadata: 'note',
      commitTimestamp: this.now.wall,
      expireTimestamp: -1,
      topicId: ZERO_UUID,
    }
    return this.run<undefined>((shard, now, ticket) => shard.commit(id, who, [[key, value]], now, ticket)).error ?? 'NONE'
  }

  committed(topic = 't', id = GROUP): number | undefined {
    const found = this.shard.offsets.get({ group: id, topic, partition: 0 })
    return found === undefined ? undefined : Number(found.offset)
  }

  delete(id = GROUP): ErrorName {
    return this.run<undefined>((shard, now, ticket) => shard.delete(id, now, ticket)).error ?? 'NONE'
  }

  /** `count` members, all of them synced; the first leads. An instance id gets each one's number. Ids in their order. */
  stable(count = 1, request: Partial<JoinRequest> = {}): string[] {
    const ids: string[] = []
    for (let at = 0; at < count; at++) {
      const joined = this.join({ ...request, instanceId: instanceOf(request, at) })
      ids.forEach((memberId, before) => this.join({ ...request, memberId, instanceId: instanceOf(request, before) }))
      ids.push(joined.value?.memberId ?? '?')
    }
    this.syncAll(ids, request)
    return ids
  }

  syncAll(ids: readonly string[], request: Partial<JoinRequest> = {}): Outcome<SyncResult>[] {
    const assignments = ids.map((memberId) => ({ memberId, assignment: Buffer.from(`for ${memberId}`) }))
    return ids.map((memberId, at) => this.sync(memberId, { assignments, instanceId: instanceOf(request, at) }))
  }
}

function instanceOf({ instanceId = null }: Partial<JoinRequest>, at: number): string | null {
  return instanceId === null ? null : `${instanceId}${at}`
}

export function protocol(name: string, topics: readonly string[]) {
  const ownedPartitions: never[] = []
  return { name, metadata: encodeConsumerProtocol(ConsumerProtocolSubscription, 1, { topics, ownedPartitions }) }
}
