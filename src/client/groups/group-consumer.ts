// A consumer in a group: partitions come and go while it fetches. All of that happens inside `next`, as in Java's poll: who
// reads has then dealt with the records before, so that what is committed when a partition goes is what was dealt with.
// Offsets are committed for records reported with `processed`, never for records merely fetched.

import { type Clock, systemClock, type Timer } from '../../base/clock.ts'
import { ErrorCode, type ErrorName, errorName, KafkaError } from '../../protocol/errors.ts'
import { type IsolationLevel, LATEST, listOffsets, placeOf, type TopicPartition } from '../admin/partitions.ts'
import type { AutoOffsetReset } from '../client-config.ts'
import type { Cluster } from '../cluster.ts'
import type { FetchedRecords } from '../consumer-batches.ts'
import { Consumer, type ConsumerPosition } from '../consumer.ts'
import { ClassicMember } from './classic-member.ts'
import { type FoundTopics, TopicWatch, type Wanted } from '../topic-watch.ts'
import { ConsumerMember } from './consumer-member.ts'
import { type AssignedPartition, Coordinator, type MemberEvents, type Membership, refusal, THROWN_OUT } from './membership.ts'
import { commitOffsets } from './offsets.ts'
import { committedOffsets, type GroupReader, startingPoints } from './starting-points.ts'

export interface GroupConsumerOptions {
  readonly groupId: string
  /** They exist. */
  readonly topics: readonly string[]
  /** Instead of `topics`: they need not exist yet, and are looked for again and again. */
  readonly wanted?: Wanted | undefined
  /** Where the group has committed nothing. */
  readonly reset: AutoOffsetReset
  /** Stop at the ends seen at the start. */
  readonly untilEnd: boolean
  readonly isolation: IsolationLevel
  /** Reports with `processed` what has been dealt with by now. */
  readonly collect: () => void
  /** Deals with all records given out, and reports them: partitions are about to go. */
  readonly flush: () => Promise<void>
  readonly onAssigned?: (positions: readonly ConsumerPosition[]) => void
  readonly onNotice?: (text: string) => void
}

interface Held extends AssignedPartition {
  /** Behind the last record dealt with. */
  next: number
  leaderEpoch: number
  committed: number // -1: nothing
}

type Task =
  | { readonly kind: 'rejoin' }
  | { readonly kind: 'assigned'; readonly partitions: readonly AssignedPartition[] }
  | { readonly kind: 'lost'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: Error }

// To a commit: nobody is in want of these offsets. The next assignment, or fetching, says so.
const DELETED: ReadonlySet<ErrorName> = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'UNKNOWN_TOPIC_ID'])

// How long saying good-bye may take, all in all: somebody waits for the prompt.
const CLOSE_TIMEOUT_MS = 5_000

export class GroupConsumer implements MemberEvents {
  readonly #cluster: Cluster
  readonly #options: GroupConsumerOptions
  readonly #clock: Clock
  readonly #reader: GroupReader
  readonly #member: Membership
  readonly #consumer: Consumer
  readonly #held = new Map<string, Held>()
  readonly #closing = new AbortController()
  #ends = new Map<string, number>()
  readonly #topicIds = new Map<string, string>() // by place: what it last was a partition of
  #task: Task | undefined
  #topics: readonly string[]
  #looking: TopicWatch | undefined
  #there: readonly string[] | undefined // the topics wanted that there are
  #isStopped = false
  #stop: () => void = () => {}
  readonly #stopped = new Promise<undefined>((resolve) => {
    this.#stop = () => resolve(undefined)
  })
  #isWaiting = false // in `next`, for something to happen
  #polledAt = 0 // monotonic ms
  #isAssigned = false // for the first time
  #othersAreDone = false
  #committing: Promise<void> = Promise.resolve()
  #timer: Timer | undefined

  constructor(cluster: Cluster, options: GroupConsumerOptions, clock: Clock = systemClock) {
    const { groupId, topics, wanted, isolation, reset, onNotice } = options
    this.#cluster = cluster
    this.#options = options
    this.#clock = clock
    const coordinator = new Coordinator(cluster, clock, groupId, this.#closing.signal)
    this.#reader = { cluster, clock, coordinator, groupId, isolation, reset }
    const Member = cluster.config.consumer.groupProtocol === 'consumer' ? ConsumerMember : ClassicMember
    this.#member = new Member({ cluster, clock, coordinator, groupId, topics: () => this.#topics, events: this })
    const isInterrupted = (): boolean => this.#isStopped || this.#task !== undefined || this.#othersAreDone
    this.#consumer = new Consumer(cluster, { isolation, isInterrupted, ...(wanted && { outOfRange: reset }), ...(onNotice && { onNotice }) }, clock)
    this.#topics = topics
    this.#armTimer()
    if (wanted === undefined) this.#task = { kind: 'rejoin' }
    else this.#looking = new TopicWatch(cluster, wanted, clock, { onFound: (found) => this.#subscribe(wanted, found), onError: (error) => this.onError(error) })
  }

  /** Whether nothing has arrived that was not given out: the moment to flush output. */
  get isDrained(): boolean {
    return this.#consumer.isDrained || this.#task !== undefined
  }

  /** The next records of some partition. Undefined: at the end, or `stop` was called. Throws what ends a consumer. */
  async next(): Promise<FetchedRecords | undefined> {
    for (;;) {
      this.#polledAt = this.#clock.monotonic()
      if (this.#isStopped || this.#othersAreDone) return undefined
      const task = this.#task
      if (task !== undefined) {
        this.#task = undefined
        await this.#carryOut(task)
        continue
      }
      this.#isWaiting = true
      const fetched = await this.#consumer.next()
      this.#isWaiting = false
      if (fetched !== undefined) return fetched
      if (this.#options.untilEnd && this.#consumer.isAtEnd && !this.#isInterrupted) return undefined
    }
  }

  /** The records before `next` have been dealt with. Counts for nothing where the partition is no longer held. */
  processed(place: TopicPartition, next: number, leaderEpoch: number): void {
    const held = this.#held.get(placeOf(place))
    if (held === undefined || next <= held.next) return
    held.next = next
    if (leaderEpoch >= 0) held.leaderEpoch = leaderEpoch
  }

  /** A waiting `next` gives undefined, and nothing more is fetched. */
  stop(): void {
    this.#isStopped = true
    this.#stop()
    this.#consumer.stop()
  }

  /** Commits what was dealt with, and leaves the group. Throws what keeps it from committing; it has left all the same. */
  async close(): Promise<void> {
    this.stop()
    this.#looking?.stop()
    this.#timer?.cancel()
    const deadline = this.#clock.monotonic() + CLOSE_TIMEOUT_MS
    const late = this.#clock.after(CLOSE_TIMEOUT_MS, () => this.#closing.abort(new KafkaError('REQUEST_TIMED_OUT', 'The offsets could not be committed in time')), true)
    try {
      this.#options.collect()
      await this.#commit()
    } finally {
      const timeoutMs = Math.max(1, deadline - this.#clock.monotonic())
      await this.#member.leave({ timeoutMs })
      late.cancel()
      this.#closing.abort(new Error('closed'))
    }
  }

  /** Joins, and again when a topic has come or gone. */
  #subscribe(wanted: Wanted, { topics }: FoundTopics): boolean {
    const names = topics.map(({ name }) => name).sort()
    if (this.#there?.join() === names.join()) return true
    this.#there = names
    this.#topics = typeof wanted === 'function' ? names : wanted
    this.onRejoin()
    return true
  }

  // ── What the member says

  onRejoin(): void {
    this.#put({ kind: 'rejoin' })
  }

  onAssigned(partitions: readonly AssignedPartition[]): void {
    this.#put({ kind: 'assigned', partitions })
  }

  onLost(reason: string): void {
    this.#put({ kind: 'lost', reason })
  }

  onError(error: Error): void {
    this.#put({ kind: 'failed', error })
  }

  isAlive(): boolean {
    return this.#isWaiting || this.#clock.monotonic() - this.#polledAt <= this.#cluster.config.consumer.maxPollIntervalMs
  }

  #put(task: Task): void {
    if (this.#task?.kind === 'failed') return
    this.#task = task
    this.#consumer.wake()
  }

  get #isInterrupted(): boolean {
    return this.#isStopped || this.#task !== undefined
  }

  async #carryOut(task: Task): Promise<void> {
    switch (task.kind) {
      case 'failed':
        throw task.error
      case 'rejoin':
        await this.#giveUp(this.#member.isEager ? [...this.#held.values()] : [])
        if (this.#task === undefined && !this.#isStopped) this.#member.join([...this.#held.values()])
        return
      case 'lost':
        if (this.#held.size > 0) this.#options.onNotice?.(`left out of group ${this.#options.groupId}, joining again: ${task.reason}`)
        this.#drop([...this.#held.values()])
        this.#member.join([])
        return
      case 'assigned':
        return this.#assign(task.partitions)
    }
  }

  async #assign(partitions: readonly AssignedPartition[]): Promise<void> {
    const wanted = new Map(partitions.map((place) => [placeOf(place), place.topicId]))
    const isWanted = (held: Held): boolean => wanted.has(placeOf(held)) && wanted.get(placeOf(held)) === held.topicId
    const revoked = [...this.#held.values()].filter((held) => !isWanted(held))
    if (revoked.length > 0) await this.#giveUp(revoked)
    const added = partitions.filter((place) => !this.#held.has(placeOf(place)))
    if (added.length > 0) await this.#add(added)
    if (this.#isInterrupted) return // something newer came meanwhile
    this.#isAssigned = true
    this.#member.settled(partitions, revoked.length > 0)
    this.#options.onAssigned?.([...this.#held.values()].map((held) => this.#position(held)))
  }

  /** Commits, with everything given out dealt with where something goes. */
  async #giveUp(revoked: readonly Held[]): Promise<void> {
    if (revoked.length > 0) {
      this.#consumer.remove(isAmong(revoked))
      await this.#options.flush()
    } else this.#options.collect()
    await Promise.race([this.#commit(), this.#stopped])
    if (this.#isStopped) return // `close` commits
    this.#drop(revoked)
  }

  #drop(revoked: readonly Held[]): void {
    this.#consumer.remove(isAmong(revoked))
    for (const held of revoked) this.#held.delete(placeOf(held))
  }

  async #add(added: readonly AssignedPartition[]): Promise<void> {
    const points = await Promise.race([startingPoints(this.#reader, added), this.#stopped])
    if (points === undefined) return
    for (const place of added) this.#forgetOldEnd(place)
    if (this.#options.untilEnd) await Promise.race([this.#findEnds(points), this.#stopped])
    const topicIds = new Map(added.map((place) => [placeOf(place), place.topicId]))
    for (const { topic, partition, offset, committed } of points) {
      const topicId = topicIds.get(placeOf({ topic, partition }))
      const held = { topic, partition, ...(topicId !== undefined && { topicId }), next: offset, leaderEpoch: -1, committed }
      this.#held.set(placeOf(held), held)
      this.#consumer.add(this.#position(held), undefined, topicId)
    }
  }

  /** The end seen at the start was that of a topic which is gone. */
  #forgetOldEnd(place: AssignedPartition): void {
    if (place.topicId === undefined) return
    const before = this.#topicIds.get(placeOf(place))
    if (before !== undefined && before !== place.topicId) this.#ends.delete(placeOf(place))
    this.#topicIds.set(placeOf(place), place.topicId)
  }

  #position({ topic, partition, next }: Held): ConsumerPosition {
    return { topic, partition, offset: next, end: this.#options.untilEnd ? (this.#ends.get(placeOf({ topic, partition })) ?? Infinity) : Infinity }
  }

  /** The ends as first seen, of all partitions of all topics at once. */
  async #findEnds(places: readonly TopicPartition[]): Promise<void> {
    if (this.#ends.size > 0 && places.every((place) => this.#ends.has(placeOf(place)))) return
    const { topics } = await this.#cluster.metadata(this.#topics)
    const all = [...topics.values()].flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition })))
    const distinct = new Map([...all, ...places].map((place) => [placeOf(place), place]))
    const unknown = [...distinct.values()].filter((place) => !this.#ends.has(placeOf(place)))
    const { isolation: isolationLevel } = this.#options
    const answers = await listOffsets(this.#cluster, unknown.map((place) => ({ ...place, timestamp: LATEST })), { isolationLevel, clock: this.#clock }) // prettier-ignore
    for (const { topic, partition, result } of answers) {
      if (!result.ok) throw result.error
      this.#ends.set(placeOf({ topic, partition }), result.value.offset)
    }
  }

  #armTimer(): void {
    this.#timer = this.#clock.after(Math.max(1, this.#cluster.config.consumer.autoCommitIntervalMs), () => {
      this.#tick().then(() => this.#isStopped || this.#armTimer(), (error: unknown) => {
        this.onError(error instanceof Error ? error : new Error(String(error)))
      }) // prettier-ignore
    })
  }

  async #tick(): Promise<void> {
    // While a task is under way it commits by itself, at the right moment.
    if (this.#isInterrupted) return
    this.#options.collect()
    await this.#commit()
    if (this.#options.untilEnd && this.#isAssigned && this.#held.size === 0) await this.#lookAtOthers()
  }

  /** A member without partitions is at the end when those who have them are. */
  async #lookAtOthers(): Promise<void> {
    await this.#findEnds([])
    const { topics } = await this.#cluster.metadata(this.#topics)
    const places = [...topics.values()].flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition })))
    const committed = await committedOffsets(this.#reader, places)
    if (this.#isInterrupted || this.#held.size > 0) return
    const isDone = (place: string, end: number): boolean => end === 0 || (committed.get(place) ?? -1) >= end
    this.#othersAreDone = places.every((place) => isDone(placeOf(place), this.#ends.get(placeOf(place)) ?? 0))
    if (this.#othersAreDone) this.#consumer.wake()
  }

  /** One commit after the other; what was dealt with when its turn comes. */
  #commit(): Promise<void> {
    if (!this.#cluster.config.consumer.enableAutoCommit) return Promise.resolve()
    const committed = this.#committing.then(() => this.#commitNow())
    this.#committing = committed.catch(() => undefined) // its caller is told
    return committed
  }

  async #commitNow(): Promise<void> {
    const { coordinator, groupId } = this.#reader
    for (;;) {
      const due = [...this.#held.values()].filter(({ next, committed }) => next !== committed)
      if (due.length === 0 || this.#member.asker.generation <= 0) return // no member: nothing of ours to say
      const offsets = due.map(({ topic, topicId, partition, next, leaderEpoch }) => ({ topic, topicId, partition, offset: next, leaderEpoch }))
      try {
        const node = await coordinator.node()
        const answers = await commitOffsets(this.#cluster, node, groupId, offsets, { asker: this.#member.asker, signal: this.#closing.signal })
        coordinator.succeeded()
        if (this.#taken(answers, offsets)) return
      } catch (error) {
        await coordinator.pause(error)
      }
    }
  }

  /** False: once more, after a while. Throws what should be waited out, and what ends the consumer. */
  #taken(
    answers: readonly (TopicPartition & { readonly errorCode: number })[],
    offsets: readonly (TopicPartition & { readonly offset: number })[],
  ): boolean {
    for (const { topic, partition, errorCode } of answers) {
      const place = placeOf({ topic, partition })
      const held = this.#held.get(place)
      const offset = offsets.find((each) => each.topic === topic && each.partition === partition)?.offset
      if (held !== undefined && offset !== undefined && errorCode === ErrorCode.NONE) held.committed = offset
    }
    const errors = answers.map(({ errorCode }) => errorName(errorCode))
    const error = errors.find((each) => each !== 'NONE' && !DELETED.has(each)) ?? 'NONE'
    // Too late: the group goes on without this commit, and tells us so in the next heartbeat.
    if (error === 'NONE' || error === 'REBALANCE_IN_PROGRESS' || THROWN_OUT.has(error)) return true
    // The broker's view of us has moved on; the next heartbeat brings it.
    if (error === 'STALE_MEMBER_EPOCH') throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'The member epoch is stale')
    throw refusal(error, this.#member.asker.instanceId)
  }
}

function isAmong(places: readonly TopicPartition[]): (topic: string, partition: number) => boolean {
  const keys = new Set(places.map(placeOf))
  return (topic, partition) => keys.has(placeOf({ topic, partition }))
}
