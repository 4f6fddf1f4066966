// A consumer without a group: it is told its partitions and where to start, and gives out batches as bytes. One fetch is
// under way per broker; the next leaves before the last one's records are looked at, and at most two answers wait.
// Its end, where asked for, is the one seen at the start, reached by position and not by seeing a record.

import { type Clock, systemClock, type Timer } from '../base/clock.ts'
import { Fetch } from '../protocol/apis/fetch.ts'
import { prepareCodec } from '../protocol/compression/index.ts'
import { type ErrorName, errorName, KafkaError, ProtocolError } from '../protocol/errors.ts'
import type { RequestInput, ResponseOf } from '../protocol/schema.ts'
import { EARLIEST, type IsolationLevel, LATEST, offsetsAt, placeOf } from './admin/partitions.ts'
import { groupBy } from './admin/group-by.ts'
import type { AutoOffsetReset } from './client-config.ts'
import type { Cluster, Leader } from './cluster.ts'
import { type FetchedRecords, scanBatches } from './consumer-batches.ts'
import { ConnectError, TimeoutError } from './errors.ts'

/** Where to start in each partition. `last`: so many offsets before the end. `timestamp`: the first record as young, ms. */
export type Start =
  | { readonly at: 'beginning' | 'end' }
  | { readonly offset: number }
  | { readonly last: number }
  | { readonly timestamp: number }
  /** Offsets that are known already, and where to stop: these partitions and no others. */
  | { readonly exact: ReadonlyMap<number, { readonly offset: number; readonly end: number }> }

export interface ConsumerOptions {
  readonly topic: string
  /** All when left out. KafkaError UNKNOWN_TOPIC_OR_PARTITION for one that doesn't exist. */
  readonly partitions?: readonly number[] | undefined
  readonly start: Start
  /** Stop at the end seen at the start. */
  readonly untilEnd: boolean
  readonly isolation: IsolationLevel
  /** Something a person should know: a position that had to be moved. */
  readonly onNotice?: (text: string) => void
}

/** What the Consumer itself goes by, whatever its partitions are. */
export interface FetchOptions extends Pick<ConsumerOptions, 'isolation' | 'onNotice'> {
  /** While true `next` gives undefined instead of waiting; `wake` makes it look. */
  readonly isInterrupted?: () => boolean
  /** What becomes of a position that is no longer, or not yet, there; left out: on to the nearest end. */
  readonly outOfRange?: AutoOffsetReset | undefined
  /** How long fetching from a partition may fail for reasons that may pass, ms; default.api.timeout.ms when left out. */
  readonly patienceMs?: number
}

export interface ConsumerPosition {
  readonly topic: string
  readonly partition: number
  /** The next offset to be fetched. */
  readonly offset: number
  /** Where to stop; Infinity: nowhere. */
  readonly end: number
}

interface Assigned {
  readonly topic: string
  readonly partition: number
  offset: number
  end: number
  node: number // of the leader; -1: to be asked
  leaderEpoch: number
  topicId: string
  readonly incarnation: string | undefined // the topic's id that is meant; undefined: whatever has its name
  isAskingLeader: boolean
  isFetching: boolean
  notBefore: number // monotonic ms
  failingSince: number // monotonic ms; Infinity while all is well
  isGone: boolean // no longer ours: what is still under way for it counts for nothing
}

// Unless set: Kafka's 50 MiB would only wait in memory, where three answers may be (DECISIONS.md, Fetch sizes).
const DEFAULT_FETCH_BYTES = 2 * 1024 * 1024
const MOST_ANSWERS_WAITING = 2
const NO_LEADER = { node: -1, leaderEpoch: -1 }

/** Finds partitions and positions; `other`: a consumer that shall read them, too. KafkaError when the topic can't be read. */
export async function openConsumer(
  cluster: Cluster,
  options: ConsumerOptions,
  clock: Clock = systemClock,
  other?: Consumer,
): Promise<Consumer> {
  const { topic, isolation } = options
  const known = (await cluster.metadata([topic])).topics.get(topic)
  if (known === undefined || known.partitions.length === 0) throw new KafkaError(known?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION')
  const all = known.partitions.map(({ partition }) => partition)
  const exact = 'exact' in options.start ? options.start.exact : undefined
  const wanted = exact === undefined ? (options.partitions ?? all) : [...exact.keys()]
  const missing = wanted.find((partition) => !all.includes(partition))
  if (missing !== undefined) {
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${missing}; it has ${all.length}, from 0`)
  }
  const asked = (timestamp: number) => offsetsAt(cluster, clock, topic, wanted, timestamp, isolation)
  const starts = await startOffsets(options, wanted, asked)
  const ends = options.untilEnd ? await asked(LATEST) : undefined
  const consumer = other ?? new Consumer(cluster, options, clock)
  // With the leaders that are known already, the first fetch asks for all of a broker's partitions, not for the first one.
  const leaders = new Map(known.partitions.map(({ partition, leader, leaderEpoch }) => [partition, { node: leader, leaderEpoch }]))
  for (const partition of wanted) {
    const offset = starts.get(partition) ?? 0
    const end = Math.min(ends?.get(partition) ?? Infinity, exact?.get(partition)?.end ?? Infinity)
    consumer.add({ topic, partition, offset, end }, { topicId: known.topicId, ...(leaders.get(partition) ?? NO_LEADER) })
  }
  return consumer
}

async function startOffsets(
  { topic, start, onNotice }: ConsumerOptions,
  partitions: readonly number[],
  asked: (timestamp: number) => Promise<Map<number, number>>,
): Promise<Map<number, number>> {
  if ('exact' in start) return new Map([...start.exact].map(([partition, { offset }]) => [partition, offset]))
  if ('at' in start) return asked(start.at === 'beginning' ? EARLIEST : LATEST)
  const latest = await asked(LATEST)
  const starts = new Map<number, number>()
  if ('timestamp' in start) {
    for (const [partition, offset] of await asked(start.timestamp)) {
      starts.set(partition, offset < 0 ? (latest.get(partition) ?? 0) : offset)
    }
    return starts
  }
  const earliest = await asked(EARLIEST)
  for (const partition of partitions) {
    const first = earliest.get(partition) ?? 0
    const end = latest.get(partition) ?? 0
    const offset = 'last' in start ? Math.max(first, end - start.last) : start.offset
    if (offset > end) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `offset ${offset} of ${topic}-${partition} does not exist yet: the end is ${end}`)
    }
    if (offset < first) onNotice?.(`offset ${offset} of ${topic}-${partition} is gone; starting at the first, ${first}`)
    starts.set(partition, Math.max(first, offset))
  }
  return starts
}

export class Consumer {
  readonly #cluster: Cluster
  readonly #options: FetchOptions
  readonly #clock: Clock
  #assigned: Assigned[] = [] // in the order of the next fetch
  readonly #busyNodes = new Set<number>()
  #ready: FetchedRecords[][] = [] // answers, oldest first
  #current: FetchedRecords[] = [] // of the answer being given out
  #error: Error | undefined
  #isClosed = false
  #waiting: (() => void) | undefined
  #timer: Timer | undefined
  readonly #abort = new AbortController()

  constructor(cluster: Cluster, options: FetchOptions, clock: Clock = systemClock) {
    this.#cluster = cluster
    this.#options = options
    this.#clock = clock
  }

  /**
   * One partition more; its leader is asked for where it is not told. With `incarnation`, a topic's id, nothing is read of
   * a topic that has come under the same name since: whoever gave the partition is to take it back.
   */
  add(position: ConsumerPosition, leader: Leader = { ...NO_LEADER, topicId: '' }, incarnation?: string): void {
    const { topic, partition, offset, end } = position
    this.#assigned.push({
      topic, partition, offset, end, ...leader, incarnation,
      isAskingLeader: false, isFetching: false, notBefore: 0, failingSince: Infinity, isGone: false,
    }) // prettier-ignore
  }

  /** Gives up partitions: nothing of theirs comes out any more. */
  remove(isGone: (topic: string, partition: number) => boolean): void {
    for (const assigned of this.#assigned) assigned.isGone = isGone(assigned.topic, assigned.partition)
    this.#assigned = this.#assigned.filter((assigned) => !assigned.isGone)
    const isKept = ({ topic, partition }: FetchedRecords): boolean => !isGone(topic, partition)
    this.#current = this.#current.filter(isKept)
    this.#ready = this.#ready.map((answer) => answer.filter(isKept)).filter((answer) => answer.length > 0)
  }

  get positions(): readonly ConsumerPosition[] {
    return this.#assigned
  }

  /** Whether nothing has arrived that was not given out: the moment to flush output. */
  get isDrained(): boolean {
    return this.#current.length === 0 && this.#ready.length === 0
  }

  /** Everything that was to be read has been given out. Never so without partitions. */
  get isAtEnd(): boolean {
    return this.isDrained && this.#assigned.length > 0 && this.#assigned.every(({ offset, end }) => offset >= end)
  }

  /** The next records of some partition, in the partition's order. Undefined: at the end, closed, or interrupted. */
  async next(): Promise<FetchedRecords | undefined> {
    for (;;) {
      if (this.#isClosed || this.#options.isInterrupted?.() === true) return undefined
      const fetched = this.#current.shift()
      if (fetched !== undefined) return fetched
      if (this.#error !== undefined) throw this.#error
      const answer = this.#ready.shift()
      if (answer !== undefined) {
        this.#current = answer
        this.#pump()
        for (const { codecs } of answer) for (const codec of codecs) await prepareCodec(codec)
        continue
      }
      if (this.isAtEnd) return undefined
      this.#pump()
      await new Promise<void>((resolve) => (this.#waiting = resolve))
    }
  }

  /** At once: a waiting `next` gives undefined. The cluster stays open. */
  stop(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#abort.abort()
    this.wake()
  }

  /** Sends a fetch to every broker that is free and has something for us. */
  #pump(): void {
    if (this.#isClosed || this.#error !== undefined || this.#ready.length >= MOST_ANSWERS_WAITING) return
    const now = this.#clock.monotonic()
    const byNode = new Map<number, Assigned[]>()
    let again = Infinity
    for (const assigned of this.#assigned) {
      if (assigned.offset >= assigned.end || assigned.isFetching) continue
      if (now < assigned.notBefore) again = Math.min(again, assigned.notBefore)
      else if (assigned.node < 0) void this.#askLeader(assigned)
      else if (!this.#busyNodes.has(assigned.node)) {
        const group = byNode.get(assigned.node)
        if (group === undefined) byNode.set(assigned.node, [assigned])
        else group.push(assigned)
      }
    }
    for (const [node, group] of byNode) void this.#fetch(node, group)
    this.#timer?.cancel()
    if (again < Infinity) this.#timer = this.#clock.after(again - now, () => this.#pump(), true)
  }

  async #fetch(node: number, group: readonly Assigned[]): Promise<void> {
    this.#busyNodes.add(node)
    for (const assigned of group) assigned.isFetching = true
    const { requestTimeoutMs, consumer } = this.#cluster.config
    const asked = group.map(({ offset }) => offset)
    try {
      const timeoutMs = requestTimeoutMs + consumer.fetchMaxWaitMs
      const options = { node, lane: 'fetch' as const, timeoutMs, signal: this.#abort.signal }
      const response = await this.#cluster.send(Fetch, this.#request(group), options)
      if (response.errorCode !== 0) throw KafkaError.from(response.errorCode)
      if (response.throttleTimeMs > 0) for (const each of group) each.notBefore = this.#clock.monotonic() + response.throttleTimeMs
      this.#answered(group, asked, response)
    } catch (error) {
      if (!this.#isClosed) for (const assigned of group) this.#failed(assigned, error)
    }
    this.#busyNodes.delete(node)
    for (const assigned of group) assigned.isFetching = false
    // Before anybody looks at the records: the broker works on the next answer while we work on this one.
    this.#pump()
    this.wake()
  }

  #request(group: readonly Assigned[]): RequestInput<typeof Fetch> {
    const { config } = this.#cluster
    const { consumer, given } = config
    const partitionMaxBytes = consumer.maxPartitionFetchBytes
    return {
      maxWaitMs: consumer.fetchMaxWaitMs,
      minBytes: consumer.fetchMinBytes,
      maxBytes: given.has('fetch.max.bytes') ? consumer.fetchMaxBytes : Math.max(DEFAULT_FETCH_BYTES, partitionMaxBytes),
      isolationLevel: this.#options.isolation === 'read_committed' ? 1 : 0,
      topics: [...groupBy(group, ({ topic }) => topic)].map(([topic, partitions]) => ({
        topic,
        topicId: partitions[0].topicId,
        partitions: partitions.map(({ partition, leaderEpoch, offset }) => ({
          partition,
          currentLeaderEpoch: leaderEpoch,
          fetchOffset: offset,
          partitionMaxBytes,
        })),
      })),
      rackId: consumer.clientRack,
    }
  }

  #answered(group: readonly Assigned[], asked: readonly number[], response: ResponseOf<typeof Fetch>): void {
    const answer: FetchedRecords[] = []
    for (const { topic: name, topicId, partitions } of response.responses) {
      for (const given of partitions) {
        // By name up to version 12, by id from 13 on.
        const isIt = (each: Assigned): boolean => (name === '' ? each.topicId === topicId : each.topic === name)
        const index = group.findIndex((each) => each.partition === given.partitionIndex && isIt(each))
        if (index < 0 || group[index].isGone) continue
        const assigned = group[index]
        if (given.errorCode !== 0) {
          this.#refused(assigned, errorName(given.errorCode))
          continue
        }
        assigned.failingSince = Infinity
        const bytes = given.records
        if (bytes === null || bytes.length === 0) continue
        const { next, codecs } = scanBatches(bytes)
        const { topic, partition, end } = assigned
        // The first batch has what was asked for, or what comes after it. Taking less would be asking for it for ever.
        if (next <= asked[index]) {
          const place = placeOf(assigned)
          throw new ProtocolError(`asked for offset ${asked[index]} of ${place}, the broker sent records that end at ${next - 1}`)
        }
        assigned.offset = Math.max(assigned.offset, next)
        const aborted = this.#options.isolation === 'read_committed' ? (given.abortedTransactions ?? []) : []
        const ends = { logStart: given.logStartOffset, lastStable: given.lastStableOffset, highWatermark: given.highWatermark }
        answer.push({ topic, partition, bytes, from: asked[index], until: end, next, aborted, codecs, ends })
      }
    }
    if (answer.length === 0) return
    this.#ready.push(answer)
    // The broker fills an answer in the order asked, and the first ones would starve the others.
    const served = new Set(answer.map(placeOf))
    const list = this.#assigned
    if (list.length > served.size) list.sort((a, b) => Number(served.has(placeOf(a))) - Number(served.has(placeOf(b))))
  }

  #refused(assigned: Assigned, error: ErrorName): void {
    if (error === 'OFFSET_OUT_OF_RANGE') void this.#moveIntoRange(assigned)
    // Retriable by Kafka's table, for producers; what is stored does not get better, and Java's consumer gives up, too.
    else if (error === 'CORRUPT_MESSAGE') {
      this.#error ??= new KafkaError(error, `The record at offset ${assigned.offset} of ${placeOf(assigned)} is damaged on the broker`)
    } else this.#failed(assigned, new KafkaError(error))
  }

  /** Tries again after a while what may pass, with the leader asked anew; anything else, or too long, ends the consumer. */
  #failed(assigned: Assigned, thrown: unknown): void {
    if (assigned.isGone) return
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const now = this.#clock.monotonic()
    const mayPass = error instanceof TimeoutError || ((error instanceof ConnectError || error instanceof KafkaError) && error.retriable)
    assigned.failingSince = Math.min(assigned.failingSince, now)
    const { defaultApiTimeoutMs, retryBackoffMs } = this.#cluster.config
    const { patienceMs = defaultApiTimeoutMs } = this.#options
    if (!mayPass || now - assigned.failingSince >= patienceMs) {
      this.fail(error)
      return
    }
    assigned.node = -1
    assigned.notBefore = now + retryBackoffMs
    this.#cluster.invalidate(assigned.topic)
  }

  async #askLeader(assigned: Assigned): Promise<void> {
    if (assigned.isAskingLeader) return
    assigned.isAskingLeader = true
    try {
      const { defaultApiTimeoutMs } = this.#cluster.config
      const wait = { timeoutMs: defaultApiTimeoutMs, signal: this.#abort.signal }
      const leader = await this.#cluster.leader(assigned.topic, assigned.partition, wait)
      if (assigned.incarnation !== undefined && assigned.incarnation !== leader.topicId) throw new KafkaError('UNKNOWN_TOPIC_ID')
      assigned.node = leader.node
      assigned.leaderEpoch = leader.leaderEpoch
      assigned.topicId = leader.topicId
    } catch (error) {
      if (!this.#isClosed) this.#failed(assigned, error)
    }
    assigned.isAskingLeader = false
    this.#pump()
  }

  /** What we want next was deleted, or the log was cut: on to the nearest end, and a person is told. */
  async #moveIntoRange(assigned: Assigned): Promise<void> {
    const { isolation, onNotice, outOfRange } = this.#options
    const { topic, partition, offset } = assigned
    if (outOfRange === 'none') {
      this.fail(new KafkaError('OFFSET_OUT_OF_RANGE', `Fetch position ${offset} is out of range for partition ${placeOf(assigned)}`))
      return
    }
    assigned.notBefore = Infinity
    try {
      const ask = async (timestamp: number) => (await offsetsAt(this.#cluster, this.#clock, topic, [partition], timestamp, isolation)).get(partition)
      const moved = outOfRange === undefined ? await nearest(offset, ask) : await resetOffset(outOfRange, this.#clock.now(), ask)
      onNotice?.(`offset ${offset} of ${topic}-${partition} is gone; going on at ${moved}`)
      assigned.offset = moved
      assigned.notBefore = 0
    } catch (error) {
      assigned.notBefore = 0
      if (!this.#isClosed) this.#failed(assigned, error)
    }
    this.#pump()
    this.wake()
  }

  /** Everything that has come is still given out; then `next` throws this. The first one counts. */
  fail(error: Error): void {
    this.#error ??= error
    this.wake()
  }

  /** A waiting `next` looks around. */
  wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }
}

type Ask = (timestamp: number) => Promise<number | undefined>

async function nearest(offset: number, ask: Ask): Promise<number> {
  const first = (await ask(EARLIEST)) ?? 0
  return offset < first ? first : ((await ask(LATEST)) ?? first)
}

/** Where auto.offset.reset leads, which is not 'none'. */
async function resetOffset(reset: AutoOffsetReset, now: number, ask: Ask): Promise<number> {
  const found = typeof reset === 'object' ? ((await ask(now - reset.byDuration)) ?? -1) : -1
  return found >= 0 ? found : ((await ask(reset === 'earliest' ? EARLIEST : LATEST)) ?? 0)
}
