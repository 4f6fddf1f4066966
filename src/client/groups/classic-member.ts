// A member of a classic group: joins, hands out partitions when it leads, and keeps its session alive. Heartbeats go on
// until the moment it asks to join again, however long its consumer takes to give up what it holds.

import type { Timer } from '../../base/clock.ts'
import { Heartbeat } from '../../protocol/apis/heartbeat.ts'
import { JoinGroup } from '../../protocol/apis/join-group.ts'
import { LeaveGroup } from '../../protocol/apis/leave-group.ts'
import { SyncGroup } from '../../protocol/apis/sync-group.ts'
import { type ErrorName, errorName } from '../../protocol/errors.ts'
import {
  ConsumerProtocolAssignment, ConsumerProtocolSubscription, decodeConsumerProtocol, encodeConsumerProtocol,
} from '../../protocol/records/consumer-protocol.ts' // prettier-ignore
import type { ResponseOf } from '../../protocol/schema.ts'
import { groupBy } from '../admin/group-by.ts'
import type { TopicPartition } from '../admin/partitions.ts'
import type { Wait } from '../cluster.ts'
import { assign, type AssignorName, type Subscription } from './assignors.ts'
import { type MemberOptions, type Membership, refusal, THROWN_OUT } from './membership.ts'
import type { Asker } from './offsets.ts'

const PROTOCOL_TYPE = 'consumer'
const SUBSCRIPTION_VERSION = 3
// Every version says the same, and all clients read the first.
const ASSIGNMENT_VERSION = 0
// The answer to JoinGroup may take the whole rebalance time-out, and its way back.
const JOIN_SLACK_MS = 5_000
const LEAVE_REASON = 'the consumer is being closed'

export class ClassicMember implements Membership {
  readonly isEager: boolean
  readonly #options: MemberOptions
  readonly #strategies: readonly AssignorName[]
  #memberId = ''
  #generation = -1
  #counts: ReadonlyMap<string, number> | undefined // of the partitions that this member, as the leader, handed out
  #countedAt = 0
  #owned: readonly TopicPartition[] = []
  #heartbeat: Timer | undefined
  #isRejoining = false
  #turn = 0 // moves on when a heartbeat under way no longer counts
  readonly #closing = new AbortController()

  constructor(options: MemberOptions) {
    this.#options = options
    this.#strategies = options.cluster.config.consumer.partitionAssignmentStrategy
    // As Java's ConsumerCoordinator: incremental only when all that may be chosen are.
    this.isEager = this.#strategies.some((name) => name !== 'cooperative-sticky')
  }

  get asker(): Asker {
    return { memberId: this.#memberId, generation: this.#generation, instanceId: this.#instanceId }
  }

  join(owned: readonly TopicPartition[]): void {
    this.#turn++
    this.#heartbeat?.cancel()
    this.#owned = owned
    this.#join().catch((error: unknown) => this.#fail(error))
  }

  settled(owned: readonly TopicPartition[], hasRevoked: boolean): void {
    this.#owned = owned
    if (hasRevoked && !this.isEager) this.#askToRejoin()
  }

  async leave(wait: Wait): Promise<void> {
    this.#turn++
    this.#heartbeat?.cancel()
    this.#closing.abort()
    await this.#sayGoodBye(this.#memberId, LEAVE_REASON, wait)
  }

  async #sayGoodBye(memberId: string, reason: string, wait: Wait): Promise<void> {
    const { coordinator, cluster, groupId } = this.#options
    // A static member keeps its place until its session ends (KIP-345).
    if (memberId === '' || this.#instanceId !== null) return
    try {
      // Not in the lane where a JoinGroup may be waiting.
      const node = await coordinator.node(wait)
      const version = (await cluster.versionFor(LeaveGroup, node, wait)) ?? 0
      const request = version >= 3 ? { groupId, memberId: '', members: [{ memberId, reason }] } : { groupId, memberId, members: [] }
      await cluster.send(LeaveGroup, request, { node, lane: 'control', timeoutMs: wait.timeoutMs, maxVersion: version })
    } catch {
      // The session ends by itself.
    }
  }

  get #instanceId(): string | null {
    return this.#options.cluster.config.consumer.groupInstanceId ?? null
  }

  async #join(): Promise<void> {
    const { coordinator, events } = this.#options
    for (;;) {
      try {
        const answer = await this.#askToJoin()
        if (this.#closing.signal.aborted) return
        if (answer === 'again') continue
        if (answer === 'out') {
          this.#reset('the group no longer knows this member')
          return
        }
        this.#isRejoining = false
        coordinator.succeeded()
        this.#armHeartbeat(this.#options.cluster.config.consumer.heartbeatIntervalMs)
        events.onAssigned(answer)
        return
      } catch (error) {
        if (this.#closing.signal.aborted) return
        await coordinator.pause(error)
      }
    }
  }

  /** One JoinGroup and one SyncGroup. */
  async #askToJoin(): Promise<readonly TopicPartition[] | 'again' | 'out'> {
    const { cluster, groupId } = this.#options
    const { sessionTimeoutMs, maxPollIntervalMs } = cluster.config.consumer
    const node = await this.#options.coordinator.node()
    const metadata = this.#subscription()
    const request = {
      groupId,
      sessionTimeoutMs,
      rebalanceTimeoutMs: maxPollIntervalMs,
      memberId: this.#memberId,
      groupInstanceId: this.#instanceId,
      protocolType: PROTOCOL_TYPE,
      protocols: this.#strategies.map((name) => ({ name, metadata })),
    }
    const options = { node, lane: 'group' as const, timeoutMs: maxPollIntervalMs + JOIN_SLACK_MS, signal: this.#closing.signal }
    const joined = await cluster.send(JoinGroup, request, options)
    const refused = this.#verdict(errorName(joined.errorCode))
    if (refused === 'again') this.#memberId = joined.memberId || this.#memberId
    if (refused !== undefined) return refused
    this.#memberId = joined.memberId
    this.#generation = joined.generationId
    const isLeader = joined.leader === joined.memberId
    const assignments = isLeader && !joined.skipAssignment ? await this.#handOut(joined) : []
    if (!isLeader) this.#counts = undefined
    const synced = await cluster.send(
      SyncGroup,
      {
        groupId,
        generationId: this.#generation,
        memberId: this.#memberId,
        groupInstanceId: this.#instanceId,
        protocolType: PROTOCOL_TYPE,
        protocolName: joined.protocolName,
        assignments,
      },
      options,
    )
    const verdict = this.#verdict(errorName(synced.errorCode))
    if (verdict !== undefined) return verdict
    if (synced.assignment.length === 0) return []
    const { assignedPartitions } = decodeConsumerProtocol(ConsumerProtocolAssignment, synced.assignment)
    return assignedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
  }

  /** undefined: all is well. Throws what is to be thought about: whether waiting helps. */
  #verdict(error: ErrorName): 'again' | 'out' | undefined {
    if (error === 'NONE') return undefined
    if (error === 'MEMBER_ID_REQUIRED' || error === 'REBALANCE_IN_PROGRESS') return 'again'
    if (THROWN_OUT.has(error)) return 'out'
    throw refusal(error, this.#instanceId)
  }

  #subscription(): Buffer {
    const userData = Buffer.alloc(4) // where Java's cooperative assignor of before 3.2 looks for the generation
    userData.writeInt32BE(this.#generation)
    return encodeConsumerProtocol(ConsumerProtocolSubscription, SUBSCRIPTION_VERSION, {
      topics: this.#options.topics(),
      userData: this.isEager ? null : userData,
      ownedPartitions: byTopic(this.#owned),
      generationId: this.#generation,
      rackId: this.#options.cluster.config.consumer.clientRack || null,
    })
  }

  /** Everyone's part, as the leader sees it. */
  async #handOut({ protocolName, members }: ResponseOf<typeof JoinGroup>): Promise<{ memberId: string; assignment: Buffer }[]> {
    const subscriptions = members.map(({ memberId, groupInstanceId, metadata }): Subscription => {
      const { topics, ownedPartitions, generationId } = decodeConsumerProtocol(ConsumerProtocolSubscription, metadata)
      const owned = ownedPartitions.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))
      return { memberId, instanceId: groupInstanceId, topics, owned, generation: generationId }
    })
    this.#counts = await this.#count([...new Set(subscriptions.flatMap(({ topics }) => topics))])
    this.#countedAt = this.#options.clock.monotonic()
    const assigned = assign(protocolName as AssignorName, subscriptions, this.#counts)
    return [...assigned].map(([memberId, partitions]) => {
      const assignment = { assignedPartitions: byTopic(partitions) }
      return { memberId, assignment: encodeConsumerProtocol(ConsumerProtocolAssignment, ASSIGNMENT_VERSION, assignment) }
    })
  }

  async #count(names: readonly string[]): Promise<Map<string, number>> {
    const { topics } = await this.#options.cluster.metadata(names, { fresh: true, signal: this.#closing.signal })
    return new Map([...topics].filter(([, { partitions }]) => partitions.length > 0).map(([name, { partitions }]) => [name, partitions.length]))
  }

  #armHeartbeat(afterMs: number): void {
    this.#heartbeat?.cancel()
    this.#heartbeat = this.#options.clock.after(afterMs, () => {
      this.#beat().catch((error: unknown) => this.#fail(error))
    }, true) // prettier-ignore
  }

  async #beat(): Promise<void> {
    const { cluster, coordinator, events, groupId } = this.#options
    const { heartbeatIntervalMs, sessionTimeoutMs } = cluster.config.consumer
    if (!events.isAlive()) {
      const reason = 'records were not taken for longer than max.poll.interval.ms'
      void this.#sayGoodBye(this.#memberId, reason, {})
      this.#reset(reason)
      return
    }
    const turn = this.#turn
    let pause = heartbeatIntervalMs
    try {
      const node = await coordinator.node()
      const request = { groupId, generationId: this.#generation, memberId: this.#memberId, groupInstanceId: this.#instanceId }
      const options = { node, lane: 'group' as const, timeoutMs: sessionTimeoutMs, signal: this.#closing.signal }
      const error = errorName((await cluster.send(Heartbeat, request, options)).errorCode)
      if (turn !== this.#turn) return
      if (error === 'REBALANCE_IN_PROGRESS') this.#askToRejoin()
      else if (this.#verdict(error) === 'out') {
        this.#reset('the group no longer knows this member')
        return
      }
      coordinator.succeeded()
      await this.#lookForPartitions()
    } catch (error) {
      if (turn !== this.#turn) return
      pause = coordinator.failed(error)
    }
    if (turn === this.#turn) this.#armHeartbeat(pause)
  }

  /** The leader sees to it that partitions added to a topic are read, as often as metadata grows old. */
  async #lookForPartitions(): Promise<void> {
    const { clock, cluster } = this.#options
    if (this.#counts === undefined || clock.monotonic() - this.#countedAt < cluster.config.metadataMaxAgeMs) return
    this.#countedAt = clock.monotonic()
    const known = this.#counts
    const counts = await this.#count([...known.keys()])
    if ([...counts].some(([topic, count]) => known.get(topic) !== count)) this.#askToRejoin()
  }

  #askToRejoin(): void {
    if (this.#isRejoining) return
    this.#isRejoining = true
    this.#options.events.onRejoin()
  }

  #reset(reason: string): void {
    this.#turn++
    this.#heartbeat?.cancel()
    this.#memberId = ''
    this.#generation = -1
    this.#isRejoining = true
    this.#options.events.onLost(reason)
  }

  #fail(error: unknown): void {
    this.#heartbeat?.cancel()
    if (this.#closing.signal.aborted) return
    this.#options.events.onError(error instanceof Error ? error : new Error(String(error)))
  }
}

function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  return [...groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({ topic, partitions: list.map(({ partition }) => partition) }))
}
