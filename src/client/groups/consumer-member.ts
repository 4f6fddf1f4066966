// A member of a consumer group of KIP-848 (group.protocol=consumer): the broker works out who reads what; one request,
// the heartbeat, says what this member holds and brings what it should hold. What must go is given up first and reported;
// then the broker hands out what others gave up.

import { randomBytes } from 'node:crypto'
import type { Timer } from '../../base/clock.ts'
import { ConsumerGroupHeartbeat } from '../../protocol/apis/consumer-group-heartbeat.ts'
import { errorName, KafkaError } from '../../protocol/errors.ts'
import type { RequestInput, ResponseOf } from '../../protocol/schema.ts'
import { groupBy } from '../admin/group-by.ts'
import type { Wait } from '../cluster.ts'
import { type AssignedPartition, type MemberOptions, type Membership, refusal, THROWN_OUT } from './membership.ts'
import type { Asker } from './offsets.ts'

const JOIN_EPOCH = 0
const LEAVE_EPOCH = -1
const STATIC_LEAVE_EPOCH = -2
// Before the broker has said its own.
const FIRST_INTERVAL_MS = 5_000

type Assignment = NonNullable<ResponseOf<typeof ConsumerGroupHeartbeat>['assignment']>

export class ConsumerMember implements Membership {
  readonly isEager = false
  readonly #options: MemberOptions
  readonly #memberId = randomBytes(16).toString('base64url')
  #epoch = JOIN_EPOCH
  #owned: readonly AssignedPartition[] = []
  #ids = new Map<string, string>() // topic names by id
  #reported: string | undefined // what the broker knows we hold
  #assigned = ''
  #unresolved: Assignment | undefined // has topics that nobody knows the names of yet
  #intervalMs = FIRST_INTERVAL_MS
  #timer: Timer | undefined
  #turn = 0 // moves on when a heartbeat under way no longer counts
  #isBeating = false
  #isDue = false
  readonly #closing = new AbortController()

  constructor(options: MemberOptions) {
    this.#options = options
  }

  get asker(): Asker {
    return { memberId: this.#memberId, generation: this.#epoch, instanceId: this.#instanceId }
  }

  join(owned: readonly AssignedPartition[]): void {
    this.#turn++
    this.#epoch = JOIN_EPOCH
    this.#owned = owned
    this.#reported = undefined
    this.#assigned = ''
    this.#unresolved = undefined
    this.#beatNow()
  }

  settled(owned: readonly AssignedPartition[]): void {
    this.#owned = owned
    this.#beatNow()
  }

  async leave(wait: Wait): Promise<void> {
    this.#turn++
    this.#timer?.cancel()
    this.#closing.abort()
    await this.#sayGoodBye(wait)
  }

  get #instanceId(): string | null {
    return this.#options.cluster.config.consumer.groupInstanceId ?? null
  }

  async #sayGoodBye(wait: Wait): Promise<void> {
    if (this.#epoch === JOIN_EPOCH) return
    const { cluster, coordinator, groupId } = this.#options
    const memberEpoch = this.#instanceId === null ? LEAVE_EPOCH : STATIC_LEAVE_EPOCH
    const request = { groupId, memberId: this.#memberId, memberEpoch, instanceId: this.#instanceId }
    try {
      const node = await coordinator.node(wait)
      await cluster.send(ConsumerGroupHeartbeat, request, { node, lane: 'control', timeoutMs: wait.timeoutMs })
    } catch {
      // The session ends by itself.
    }
  }

  #beatNow(): void {
    this.#timer?.cancel()
    this.#isDue = true
    if (this.#isBeating) return // the one under way sees it
    this.#isBeating = true
    this.#beatWhileDue().then(
      (pause) => {
        this.#isBeating = false
        if (pause !== undefined) this.#timer = this.#options.clock.after(pause, () => this.#beatNow(), true)
      },
      (error: unknown) => {
        this.#isBeating = false
        if (this.#closing.signal.aborted) return
        this.#options.events.onError(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  /** Ms until the next one; undefined: none until asked to join. */
  async #beatWhileDue(): Promise<number | undefined> {
    let pause: number | undefined
    while (this.#isDue && !this.#closing.signal.aborted) {
      this.#isDue = false
      pause = await this.#beat()
    }
    return this.#closing.signal.aborted ? undefined : pause
  }

  async #beat(): Promise<number | undefined> {
    const { cluster, coordinator, events } = this.#options
    if (!events.isAlive()) {
      void this.#sayGoodBye({})
      this.#turn++
      events.onLost('records were not taken for longer than max.poll.interval.ms')
      return undefined
    }
    const turn = this.#turn
    const reported = JSON.stringify(this.#owned)
    try {
      const node = await coordinator.node()
      const request = this.#request(reported)
      const { requestTimeoutMs } = cluster.config
      const options = { node, lane: 'group' as const, timeoutMs: requestTimeoutMs, signal: this.#closing.signal }
      const answer = await cluster.send(ConsumerGroupHeartbeat, request, options)
      if (turn !== this.#turn) return this.#intervalMs
      const error = errorName(answer.errorCode)
      if (THROWN_OUT.has(error)) {
        this.#turn++
        events.onLost('the group no longer knows this member')
        return undefined
      }
      if (error !== 'NONE') throw this.#refused(answer)
      coordinator.succeeded()
      this.#reported = reported
      await this.#take(answer)
      return this.#intervalMs
    } catch (error) {
      if (turn !== this.#turn) return this.#intervalMs
      this.#reported = undefined // say everything again: nobody knows what arrived
      return coordinator.failed(error)
    }
  }

  #refused(answer: ResponseOf<typeof ConsumerGroupHeartbeat>): KafkaError {
    return refusal(errorName(answer.errorCode), this.#instanceId, answer.errorMessage)
  }

  #request(reported: string): RequestInput<typeof ConsumerGroupHeartbeat> {
    const { cluster, groupId, topics } = this.#options
    const { maxPollIntervalMs, clientRack, groupRemoteAssignor } = cluster.config.consumer
    const base = { groupId, memberId: this.#memberId, memberEpoch: this.#epoch, instanceId: this.#instanceId }
    if (reported === this.#reported) return base
    const held = [...groupBy(this.#owned, ({ topicId = '' }) => topicId)].map(([topicId, list]) => {
      return { topicId, partitions: list.map(({ partition }) => partition) }
    })
    const isFull = this.#reported === undefined
    return {
      ...base,
      topicPartitions: this.#epoch === JOIN_EPOCH ? [] : held,
      ...(isFull && {
        rackId: clientRack || null,
        rebalanceTimeoutMs: maxPollIntervalMs,
        subscribedTopicNames: topics(),
        serverAssignor: groupRemoteAssignor ?? null,
      }),
    }
  }

  async #take({ memberEpoch, heartbeatIntervalMs, assignment }: ResponseOf<typeof ConsumerGroupHeartbeat>): Promise<void> {
    this.#epoch = memberEpoch
    this.#intervalMs = heartbeatIntervalMs
    // It is told once; a broker that has not heard of a new topic yet is asked again with the next heartbeat.
    const given = assignment ?? this.#unresolved
    if (given === undefined) return
    this.#unresolved = undefined
    const assigned: AssignedPartition[] = []
    for (const { topicId, partitions } of given.topicPartitions) {
      const topic = this.#ids.get(topicId) ?? (await this.#nameOf(topicId))
      if (topic === undefined) this.#unresolved = given
      else assigned.push(...partitions.map((partition) => ({ topic, partition, topicId })))
    }
    const text = JSON.stringify(assigned)
    if (text === this.#assigned) return
    this.#assigned = text
    this.#options.events.onAssigned(assigned)
  }

  async #nameOf(topicId: string): Promise<string | undefined> {
    const { cluster, topics } = this.#options
    const known = await cluster.metadata(topics(), { fresh: true, signal: this.#closing.signal })
    this.#ids = new Map([...known.topics].map(([name, topic]) => [topic.topicId, name]))
    return this.#ids.get(topicId)
  }
}
