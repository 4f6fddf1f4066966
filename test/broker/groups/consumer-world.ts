// Consumer groups in a world of their own: topics made by hand, and clients that behave as KIP-848 asks of them.

import type { ErrorName } from '../../../src/protocol/errors.ts'
import type { HeartbeatRequest, HeartbeatResult } from '../../../src/broker/groups/consumer/heartbeat.ts'
import type { TopicPartitions } from '../../../src/broker/groups/consumer/reconcile.ts'
import type { ConsumerSettings } from '../../../src/broker/groups/consumer/settings.ts'
import { CONSUMER_SETTINGS, FakeTopics, GROUP, World } from './group-world.ts'
import type { Outcome } from './group-world.ts'

export const CONSUMER_SESSION = CONSUMER_SETTINGS.sessionTimeoutMs

export class ConsumerWorld extends World {
  readonly topics: FakeTopics
  consumerSettings: ConsumerSettings

  constructor(settings: Partial<ConsumerSettings> = {}) {
    const topics = new FakeTopics()
    const held = { settings: { ...CONSUMER_SETTINGS, ...settings } }
    super({ consumer: { topics, settings: () => held.settings } })
    this.topics = topics
    this.consumerSettings = held.settings
  }

  /** Topics that are new, larger or gone; the groups are told. */
  change(change: () => void, names: readonly string[], hasNew = false): void {
    change()
    this.shard.topicsChanged(names, hasNew)
  }

  send(request: Partial<HeartbeatRequest> & { readonly memberId: string; readonly epoch: number }, id = GROUP): Outcome<HeartbeatResult> {
    const full: HeartbeatRequest = {
      instanceId: null,
      rackId: null,
      clientId: 'client',
      clientHost: '/127.0.0.1',
      rebalanceTimeoutMs: -1,
      names: null,
      regex: null,
      assignor: null,
      owned: null,
      mayDescribe: () => true,
      ...request,
    }
    return this.run<HeartbeatResult>((shard, now, ticket) => shard.consumerHeartbeat(id, full, now, ticket))
  }

  client(id: string, subscription: Partial<HeartbeatRequest> = { names: ['t'] }): Client {
    return new Client(this, id, subscription)
  }

  consumers(id = GROUP) {
    const group = this.shard.consumers.get(id)
    if (group === undefined) throw new Error(`there is no consumer group ${id}`)
    return group
  }

  /** Until nobody's state changes any more; the rounds it took. */
  settle(clients: readonly Client[], most = 50): number {
    for (let round = 1; round <= most; round++) {
      const before = this.log.length
      for (const client of clients) client.beat()
      if (this.log.length === before && clients.every(({ isSettled }) => isSettled)) return round
    }
    throw new Error(`not settled after ${most} rounds`)
  }
}

// A group is not found when a broker started on less than it had.
const FATAL: readonly ErrorName[] = ['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID', 'GROUP_ID_NOT_FOUND']

/** A member's client: what it is told, it does, at its next heartbeat. */
export class Client {
  readonly #world: ConsumerWorld
  readonly id: string
  #subscription: Partial<HeartbeatRequest>
  epoch = 0
  /** `topic id:partition` */
  owned = new Set<string>()
  #assigned = new Set<string>()
  #hasNews = true
  #hasLost = false
  last: Outcome<HeartbeatResult> | undefined

  constructor(world: ConsumerWorld, id: string, subscription: Partial<HeartbeatRequest>) {
    this.#world = world
    this.id = id
    this.#subscription = subscription
  }

  /** Partitions by topic name, as `t0 t1 u0`. */
  get partitions(): string {
    const names = [...this.owned].map((key) => {
      const [topicId, partition] = key.split(':')
      return `${this.#world.topics.topicById(topicId)?.name ?? '?'}${partition}`
    })
    return names.sort().join(' ')
  }

  get isSettled(): boolean {
    return !this.#hasNews
  }

  /** One heartbeat, and what follows from the answer: partitions are given up before it says so. */
  beat(more: Partial<HeartbeatRequest> = {}): Outcome<HeartbeatResult> {
    const isFull = this.epoch <= 0 || this.#hasLost
    const full = { rebalanceTimeoutMs: 60_000, ...this.#subscription, owned: listOf(this.owned) }
    const owned = this.#hasNews ? { owned: listOf(this.owned) } : {}
    const request = isFull ? full : { instanceId: this.#subscription.instanceId ?? null, ...owned }
    this.#hasLost = false
    const outcome = this.#world.send({ memberId: this.id, epoch: Math.max(this.epoch, 0), ...request, ...more })
    this.last = outcome
    this.hear(outcome)
    return outcome
  }

  subscribe(names: readonly string[]): void {
    this.#subscription = { ...this.#subscription, names, regex: null }
    this.beat({ names })
  }

  /** A heartbeat whose answer never comes: the next one says, and asks, everything. */
  lose(): void {
    this.#world.send({ memberId: this.id, epoch: this.epoch, owned: listOf(this.owned) })
    this.#hasLost = true
  }

  hear({ value, error }: Outcome<HeartbeatResult>): void {
    if (error !== undefined || value === undefined) {
      if (error !== undefined && FATAL.includes(error)) this.forget()
      return
    }
    this.epoch = value.epoch
    this.#hasNews = false
    if (value.assignment === null) return
    this.#assigned = new Set(keysOf(value.assignment))
    const before = this.owned
    this.owned = this.#assigned
    // It says so when it has given up or taken over something.
    this.#hasNews = !sameSet(before, this.owned)
  }

  /** It was fenced, or starts again: it has nothing. */
  forget(): void {
    this.epoch = 0
    this.owned = new Set()
    this.#assigned = new Set()
    this.#hasNews = true
  }

  leave(epoch = -1): Outcome<HeartbeatResult> {
    const instanceId = this.#subscription.instanceId ?? null
    const outcome = this.#world.send({ memberId: this.id, epoch, instanceId })
    this.forget()
    return outcome
  }
}

function* keysOf(topics: readonly TopicPartitions[]): Generator<string> {
  for (const { topicId, partitions } of topics) for (const partition of partitions) yield `${topicId}:${partition}`
}

function listOf(keys: Iterable<string>): TopicPartitions[] {
  const topics = new Map<string, number[]>()
  for (const key of keys) {
    const [topicId, partition] = key.split(':')
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)])
  }
  return Array.from(topics, ([topicId, partitions]) => ({ topicId, partitions }))
}

function sameSet(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((key) => other.has(key))
}
