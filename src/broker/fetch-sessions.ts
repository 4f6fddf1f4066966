// Fetch sessions (KIP-227): a consumer names its partitions once and then sends and gets only what changed. The cache is
// bounded; a client that gets no session simply goes on without one.

import { randomInt } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Fetch } from '../protocol/apis/fetch.ts'
import { KafkaError } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/reader.ts'
import type { RequestOf, ResponseInput } from '../protocol/schema.ts'

type FetchRequest = RequestOf<typeof Fetch>
export type FetchRow = ResponseInput<typeof Fetch>['responses'][number]['partitions'][number]

/** One partition that a fetch asks for. */
export interface FetchTarget {
  /** The name the topic had when the client first asked for its id; '' while nobody knows the id. */
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: number
  readonly lastFetchedEpoch: number
  readonly maxBytes: number
}

/** What a fetch reads, and which rows of it the answer shows. */
export interface FetchContext {
  readonly targets: readonly FetchTarget[]
  /** The session the answer names; 0: none. Call once, with the rows that are sent in the end. */
  finish(rows: readonly FetchRow[]): { readonly sessionId: number; readonly shown: readonly number[] }
}

interface Cached {
  target: FetchTarget
  // As last sent; −1 so that the next answer shows the partition in any case.
  highWatermark: number
  lastStableOffset: number
  logStartOffset: number
}

interface Session {
  readonly id: number
  readonly usesTopicIds: boolean
  /** In the order they are read: who got data goes to the end, so that nobody starves. */
  readonly partitions: Map<string, Cached>
  epoch: number
  lastUsed: number
}

const INITIAL_EPOCH = 0
const FINAL_EPOCH = -1
const LAST_EPOCH = 0x7fffffff
const FIRST_VERSION_WITH_IDS = 13
const EVICTABLE_AFTER_MS = 120_000 // FetchSessionCache: min.incremental.fetch.session.eviction.ms
const MAX_PARTITIONS = 100_000 // of all sessions together

export class FetchSessions {
  readonly #clock: Clock
  readonly #slots: number
  readonly #nameOf: (topicId: string) => string | undefined
  readonly #sessions = new Map<number, Session>() // the least recently used first
  #partitionCount = 0

  /** `nameOf` says what topic has an id now. */
  constructor(clock: Clock, slots: number, nameOf: (topicId: string) => string | undefined) {
    this.#clock = clock
    this.#slots = slots
    this.#nameOf = nameOf
  }

  get count(): number {
    return this.#sessions.size
  }

  /** Throws KafkaError FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR. */
  begin(request: FetchRequest, apiVersion: number): FetchContext {
    const { sessionId, sessionEpoch } = request
    const usesTopicIds = apiVersion >= FIRST_VERSION_WITH_IDS
    if (sessionEpoch === INITIAL_EPOCH || sessionEpoch === FINAL_EPOCH) {
      this.#remove(this.#sessions.get(sessionId))
      const targets = this.#targetsOf(request)
      return sessionEpoch === FINAL_EPOCH ? withoutSession(targets) : this.#full(targets, usesTopicIds)
    }
    const session = this.#sessions.get(sessionId)
    if (session === undefined) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND')
    if (session.epoch !== sessionEpoch) throw new KafkaError('INVALID_FETCH_SESSION_EPOCH')
    if (session.usesTopicIds !== usesTopicIds) throw new KafkaError('FETCH_SESSION_TOPIC_ID_ERROR')
    this.#update(session, request)
    if (session.partitions.size === 0) {
      this.#remove(session)
      return withoutSession([])
    }
    session.epoch = session.epoch === LAST_EPOCH ? 1 : session.epoch + 1
    session.lastUsed = this.#clock.monotonic()
    this.#sessions.delete(session.id)
    this.#sessions.set(session.id, session)
    for (const cached of session.partitions.values()) {
      if (cached.target.topic === '') cached.target = this.#named(cached.target)
    }
    return incremental(session)
  }

  /** All partitions are shown; a session is made if there is room for it. */
  #full(targets: readonly FetchTarget[], usesTopicIds: boolean): FetchContext {
    return {
      targets,
      finish: (rows) => {
        const shown = rows.map((_, at) => at)
        if (targets.length === 0 || !this.#makeRoom(targets.length)) return { sessionId: 0, shown }
        let id = randomInt(1, LAST_EPOCH)
        while (this.#sessions.has(id)) id = randomInt(1, LAST_EPOCH)
        const partitions = new Map(targets.map((target, at) => [keyOf(target), cacheOf(target, rows[at])]))
        this.#sessions.set(id, { id, usesTopicIds, partitions, epoch: 1, lastUsed: this.#clock.monotonic() })
        this.#partitionCount += partitions.size
        return { sessionId: id, shown }
      },
    }
  }

  #update(session: Session, request: FetchRequest): void {
    const { partitions } = session
    const before = partitions.size
    const targets = this.#targetsOf(request)
    const added = targets.filter((target) => !partitions.has(keyOf(target))).length
    // The client begins a new one, and may go without.
    if (this.#partitionCount + added > MAX_PARTITIONS) throw new KafkaError('FETCH_SESSION_ID_NOT_FOUND')
    for (const target of targets) {
      const cached = partitions.get(keyOf(target))
      if (cached === undefined) partitions.set(keyOf(target), cacheOf(target))
      else cached.target = { ...target, topic: cached.target.topic || target.topic }
    }
    for (const { topic, topicId, partitions: indexes } of request.forgottenTopicsData) {
      for (const index of indexes) partitions.delete(keyOf({ topic, topicId, index }))
    }
    this.#partitionCount += partitions.size - before
  }

  /** Room for one more session of `size` partitions, made at the cost of one that is long unused. */
  #makeRoom(size: number): boolean {
    for (const oldest of this.#sessions.values()) {
      if (this.#sessions.size < this.#slots && this.#partitionCount + size <= MAX_PARTITIONS) break
      if (this.#clock.monotonic() - oldest.lastUsed < EVICTABLE_AFTER_MS) return false
      this.#remove(oldest)
    }
    return this.#sessions.size < this.#slots && this.#partitionCount + size <= MAX_PARTITIONS
  }

  /** Each partition once, at its last mention, as in Kafka. */
  #targetsOf(request: FetchRequest): FetchTarget[] {
    const targets = request.topics.flatMap(({ topic, topicId, partitions }) =>
      partitions.map(({ partition, currentLeaderEpoch, fetchOffset, lastFetchedEpoch, partitionMaxBytes }) =>
        this.#named({
          topic,
          topicId,
          index: partition,
          currentLeaderEpoch,
          fetchOffset,
          lastFetchedEpoch,
          maxBytes: partitionMaxBytes,
        }),
      ),
    )
    return [...new Map(targets.map((target) => [keyOf(target), target])).values()]
  }

  #named(target: FetchTarget): FetchTarget {
    return target.topic === '' ? { ...target, topic: this.#nameOf(target.topicId) ?? '' } : target
  }

  #remove(session: Session | undefined): void {
    if (session === undefined || !this.#sessions.delete(session.id)) return
    this.#partitionCount -= session.partitions.size
  }
}

function withoutSession(targets: readonly FetchTarget[]): FetchContext {
  return { targets, finish: (rows) => ({ sessionId: 0, shown: rows.map((_, at) => at) }) }
}

/** Shows what has records or an error, or has moved since it was last shown. */
function incremental(session: Session): FetchContext {
  const cached = [...session.partitions]
  return {
    targets: cached.map(([, { target }]) => target),
    finish: (rows) => {
      const shown: number[] = []
      for (const [at, row] of rows.entries()) {
        const [key, entry] = cached[at]
        const hasRecords = row.records !== null && row.records.length > 0
        const hasProblem = row.errorCode !== 0 || row.divergingEpoch !== undefined
        const hasMoved =
          row.highWatermark !== entry.highWatermark ||
          row.lastStableOffset !== entry.lastStableOffset ||
          row.logStartOffset !== entry.logStartOffset
        if (!hasRecords && !hasProblem && !hasMoved) continue
        shown.push(at)
        Object.assign(entry, { ...cacheOf(entry.target, row), target: entry.target })
        if (hasRecords && session.partitions.get(key) === entry) {
          session.partitions.delete(key)
          session.partitions.set(key, entry)
        }
      }
      return { sessionId: session.id, shown }
    },
  }
}

function cacheOf(target: FetchTarget, row?: FetchRow): Cached {
  if (row === undefined || row.errorCode !== 0 || row.divergingEpoch !== undefined) {
    return { target, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 }
  }
  const { highWatermark, lastStableOffset = -1, logStartOffset = -1 } = row
  return { target, highWatermark, lastStableOffset, logStartOffset }
}

function keyOf({ topic, topicId, index }: Pick<FetchTarget, 'topic' | 'topicId' | 'index'>): string {
  return topicId === ZERO_UUID ? `${topic}:${index}` : `${topicId}:${index}`
}
