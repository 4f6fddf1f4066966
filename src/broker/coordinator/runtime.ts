// Keeps the state of one kind of coordinator in an internal topic: one shard a partition. An operation on a shard gives
// records and answers; the records become one batch, are appended and then replayed, and the answers leave when the log
// is as safe as its settings promise. What could not be appended has changed nothing; what was appended and then lost
// for want of space is taken back by reading the log anew. So a shard is always what its log says, and no answer rests
// on what a crash could take back.

import type { Clock, Timer } from '../../base/clock.ts'
import { type Logger, withStack } from '../../base/logger.ts'
import { BatchBuilder } from '../../protocol/batch-builder.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { encodeControlKey, encodeControlValue, EndTxnMarker } from '../../protocol/records/control.ts'
import type { RecordBytes } from '../../protocol/records/coordinator.ts'
import type { Log } from '../../storage/log.ts'
import type { BrokerConfig } from '../config/broker-configs.ts'
import type { MetadataController } from '../metadata/controller.ts'
import type { MetadataDelta } from '../metadata/delta.ts'
import type { Node } from '../metadata/topics.ts'
import type { Partitions } from '../partitions.ts'
import { createInternalTopic, partitionOfId } from './internal-topic.ts'
import type { InternalTopic } from './internal-topic.ts'
import { replayLog } from './replay-log.ts'
import { answer } from './shard.ts'
import type { Answer, CoordinatorShard, Now, Producer, Step, Ticket } from './shard.ts'

export interface RuntimeOptions<S extends CoordinatorShard> {
  readonly topic: InternalTopic
  readonly makeShard: () => S
  readonly metadata: MetadataController
  readonly partitions: Partitions
  readonly config: BrokerConfig
  readonly node: Node
  readonly clock: Clock
  readonly logger: Logger
}

export type Operation<S, T> = (state: S, now: Now, ticket: Ticket<T>) => Step

interface Shard<S> {
  readonly name: string
  readonly log: Log | undefined // undefined: could not be opened
  state: S | undefined // undefined: being loaded, or failed
  hasFailed: boolean
  end: number // of the log, when all of it is in the state
  retryAt: number // monotonic ms: no deadline is looked at before, since the last one could not be met
}

const MAX_BATCH_BYTES = 64 * 1024 * 1024
const RETRY_MS = 1000
// A timer later than this shows that the process stood still: what clients sent meanwhile is still to be read.
const LATE_MS = 1000
const LATE_GRACE_MS = 100

export class CoordinatorRuntime<S extends CoordinatorShard> {
  readonly #options: RuntimeOptions<S>
  #shards: Shard<S>[] = []
  #creating: Promise<void> | undefined
  #timer: Timer | undefined
  #firesAt = Infinity // monotonic ms
  #isClosed = false

  constructor(options: RuntimeOptions<S>) {
    this.#options = options
  }

  /** Reads what is there, and follows the metadata from now on. Call it when the partitions are open. */
  async open(): Promise<void> {
    const { metadata, topic } = this.#options
    metadata.onChange((delta) => this.#follow(delta))
    const found = metadata.image.topic(topic.name)
    if (found !== undefined) await this.#attach(found.partitions.size)
  }

  /** No timer fires any more. Requests that are parked end with their connections. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** Makes the topic when it is not there. Rejects with COORDINATOR_NOT_AVAILABLE. */
  async ensureTopic(): Promise<void> {
    if (this.#shards.length > 0) return
    const { topic, metadata, config, node, logger } = this.#options
    this.#creating ??= createInternalTopic(topic, metadata, config, node).finally(() => (this.#creating = undefined))
    try {
      await this.#creating
    } catch (error) {
      logger.error(`${topic.name} could not be created: ${withStack(error)}`)
    }
    if (this.#shards.length === 0) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
  }

  /** The partition that `key` is kept in; -1 while there are none. */
  partitionOf(key: string): number {
    return this.#shards.length === 0 ? -1 : partitionOfId(key, this.#shards.length)
  }

  /**
   * Runs `operation` on the shard of `key`, in this turn unless the topic is still to be made. Resolves with what its
   * ticket is given. Rejects with the KafkaError that the operation threw, or with Kafka's one for a failed append.
   */
  async run<T>(key: string, operation: Operation<S, T>): Promise<T> {
    if (this.#shards.length === 0) await this.ensureTopic()
    return this.#runIn(this.#shards[this.partitionOf(key)], operation)
  }

  /** The state that `key` is kept in, as it is now: what it says may not be durable yet. undefined: not served. */
  peek(key: string): S | undefined {
    const shard = this.#shards.at(this.partitionOf(key))
    return shard === undefined || shard.hasFailed ? undefined : shard.state
  }

  /** The same on every shard there is, each with its own outcome. */
  runAll<T>(operation: Operation<S, T>): Promise<T>[] {
    return this.#shards.map((shard) => this.#runIn(shard, operation))
  }

  /** Writes a transaction's marker into `partition`; resolves when it is safe. */
  async endTransaction(
    partition: number,
    producer: Producer,
    isCommit: boolean,
    coordinatorEpoch: number,
  ): Promise<void> {
    await this.#settled<undefined>((ticket) => {
      const shard = this.#shards.at(partition)
      if (shard === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
      const { state, log } = this.#serving(shard)
      const value = encodeControlValue(EndTxnMarker, 0, { coordinatorEpoch })
      const records = [{ key: encodeControlKey(isCommit ? 'COMMIT' : 'ABORT'), value }]
      append(log, batchOf(records, this.#now().wall, producer, true))
      this.#applying(shard, () => state.endTransaction(producer, isCommit))
      this.#finish(shard, log, state, [answer(ticket, undefined)])
    })
  }

  #runIn<T>(shard: Shard<S>, operation: Operation<S, T>): Promise<T> {
    return this.#settled<T>((ticket) => {
      const { state, log } = this.#serving(shard)
      this.#perform(shard, log, state, operation(state, this.#now(), ticket))
    })
  }

  /** A promise for what a ticket is given; what `work` throws rejects it. */
  #settled<T>(work: (ticket: Ticket<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      try {
        work({ resolve, reject })
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)))
      }
    })
  }

  #serving(shard: Shard<S>): { state: S; log: Log } {
    const { log, state } = shard
    if (log === undefined || shard.hasFailed) throw new KafkaError('COORDINATOR_NOT_AVAILABLE')
    // Appends that were not written any more: the state is ahead of its log.
    if (state !== undefined && log.logEndOffset < shard.end) this.#reload(shard)
    if (shard.state === undefined) throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS')
    return { state: shard.state, log }
  }

  #perform(shard: Shard<S>, log: Log, state: S, { records, producer, then }: Step): void {
    if (records.length > 0) {
      const baseOffset = append(log, batchOf(records, this.#now().wall, producer, false))
      this.#applying(shard, () => {
        records.forEach((record, index) => state.replay(record, baseOffset + index, producer))
      })
    }
    this.#finish(shard, log, state, this.#applying(shard, then))
  }

  /** A mistake in taking over what is in the log must not leave half of it. */
  #applying<T>(shard: Shard<S>, work: () => T): T {
    try {
      return work()
    } catch (error) {
      this.#reload(shard)
      throw error
    }
  }

  /** Sends the answers when everything appended so far is safe; a state that was ahead of that is read anew. */
  #finish(shard: Shard<S>, log: Log, state: S, answers: readonly Answer[]): void {
    shard.end = log.logEndOffset
    this.#arm()
    if (log.highWatermark >= shard.end) {
      for (const each of answers) each.send()
      return
    }
    log.safe(shard.end).then(
      () => answers.forEach((each) => each.send()),
      (error: unknown) => {
        for (const each of answers) each.fail(coordinatorError(error))
        if (shard.state === state) this.#reload(shard)
      },
    )
  }

  async #attach(count: number): Promise<void> {
    const { partitions, topic } = this.#options
    this.#shards = Array.from({ length: count }, (_, index): Shard<S> => {
      const shard = { name: `${topic.name}-${index}`, state: undefined, end: 0, retryAt: 0 }
      try {
        return { ...shard, log: partitions.get(topic.name, index).log, hasFailed: false }
      } catch {
        return { ...shard, log: undefined, hasFailed: true } // partitions has said why
      }
    })
    for (const shard of this.#shards) await this.#load(shard)
    this.#arm()
  }

  async #load(shard: Shard<S>): Promise<void> {
    const { log } = shard
    if (log === undefined) return
    try {
      await log.safe(log.logEndOffset)
      const state = this.#options.makeShard()
      await replayLog(log, state)
      state.resume(this.#now())
      shard.end = log.logEndOffset
      shard.state = state
    } catch (error) {
      shard.hasFailed = true
      this.#options.logger.error(`${shard.name} can't be loaded, what it coordinates is not served: ${withStack(error)}`)
    }
  }

  #reload(shard: Shard<S>): void {
    const lost = shard.state
    if (lost === undefined) return
    this.#options.logger.warn(`${shard.name} is behind what was appended to it, and is read anew`)
    shard.state = undefined
    for (const each of lost.abandon()) each.fail(new KafkaError('NOT_COORDINATOR'))
    void this.#load(shard).then(() => this.#arm())
  }

  async #follow(delta: MetadataDelta): Promise<void> {
    const { name } = this.#options.topic
    if (delta.deletedTopics.some((topic) => topic.name === name)) {
      const lost = this.#shards
      this.#shards = []
      for (const { state } of lost) for (const each of state?.abandon() ?? []) each.fail(new KafkaError('NOT_COORDINATOR'))
    }
    const created = delta.createdTopics.find((topic) => topic.name === name)
    if (created !== undefined) await this.#attach(created.partitions.size)
  }

  #arm(): void {
    if (this.#isClosed) return
    let next = Infinity
    for (const { state, retryAt } of this.#shards) {
      if (state !== undefined) next = Math.min(next, Math.max(state.nextDeadline, retryAt))
    }
    if (next >= this.#firesAt) return
    this.#timer?.cancel()
    this.#firesAt = next
    this.#timer = this.#options.clock.after(next - this.#options.clock.monotonic(), () => this.#fire())
  }

  #fire(): void {
    const { clock } = this.#options
    const isLate = clock.monotonic() - this.#firesAt > LATE_MS
    this.#firesAt = Infinity
    if (isLate) {
      this.#firesAt = clock.monotonic() + LATE_GRACE_MS
      this.#timer = clock.after(LATE_GRACE_MS, () => this.#fire())
      return
    }
    for (const shard of this.#shards) this.#expire(shard)
    this.#arm()
  }

  #expire(shard: Shard<S>): void {
    const now = this.#now()
    if (shard.state === undefined || Math.max(shard.state.nextDeadline, shard.retryAt) > now.monotonic) return
    try {
      const { state, log } = this.#serving(shard)
      for (const step of state.expire(now)) this.#perform(shard, log, state, step)
    } catch (error) {
      shard.retryAt = now.monotonic + RETRY_MS
      this.#options.logger.warn(`${shard.name}: what is due could not be written: ${withStack(error)}`)
    }
  }

  #now(): Now {
    const { clock } = this.#options
    return { wall: clock.now(), monotonic: clock.monotonic() }
  }
}

/** A batch as Kafka's coordinators write it, with sequences that nobody checks. */
function batchOf(records: readonly RecordBytes[], wall: number, producer: Producer | undefined, isControl: boolean): Buffer {
  const builder = new BatchBuilder(MAX_BATCH_BYTES)
  for (const { key, value } of records) {
    if (!builder.append(key, value, [], wall)) throw new KafkaError('UNKNOWN_SERVER_ERROR')
  }
  return builder.finish({
    codec: 'none',
    baseSequence: isControl ? -1 : 0,
    isTransactional: producer !== undefined,
    isControl,
    ...(producer === undefined ? {} : { producerId: producer.id, producerEpoch: producer.epoch }),
  })
}

/** The base offset. */
function append(log: Log, batch: Buffer): number {
  try {
    return log.append(batch, 'coordinator').baseOffset
  } catch (error) {
    throw coordinatorError(error)
  }
}

// What clients are told when a coordinator's log fails (CoordinatorOperationExceptionHelper): they look for the
// coordinator again, or wait.
const TOLD: Partial<Record<ErrorName, ErrorName>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
  MESSAGE_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  RECORD_LIST_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  INVALID_FETCH_SIZE: 'UNKNOWN_SERVER_ERROR',
}

function coordinatorError(error: unknown): KafkaError {
  if (!(error instanceof KafkaError)) return new KafkaError('UNKNOWN_SERVER_ERROR', undefined, { cause: error })
  return new KafkaError(TOLD[error.error] ?? error.error)
}
