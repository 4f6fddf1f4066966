// Transactions as handlers use them: each call goes to the shard that keeps the id, and resolves when what it says is
// durable. What is decided is durable before the first marker is written, and markers are before it counts as done.

import type { Clock } from '../../base/clock.ts'
import { type Logger, withStack } from '../../base/logger.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BrokerConfig } from '../config/broker-configs.ts'
import { CoordinatorRuntime } from '../coordinator/runtime.ts'
import type { Operation } from '../coordinator/runtime.ts'
import { answering } from '../coordinator/shard.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import { transactionVersion } from '../metadata/features.ts'
import type { MetadataController } from '../metadata/controller.ts'
import type { Node } from '../metadata/topics.ts'
import type { Partitions } from '../partitions.ts'
import { TransactionMarkers } from './markers.ts'
import { TransactionShard } from './transaction-shard.ts'
import type { Outcome } from './transaction-shard.ts'
import { hasPartition, isPrepared } from './transaction.ts'
import type { PartitionSet, ProducerIdentity, Transaction } from './transaction.ts'

export interface TransactionCoordinatorOptions {
  readonly metadata: MetadataController
  readonly partitions: Partitions
  readonly groups: GroupCoordinator
  readonly config: BrokerConfig
  readonly node: Node
  readonly clock: Clock
  readonly logger: Logger
}

const TRANSACTIONS_TOPIC = '__transaction_state'

export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions
  readonly #runtime: CoordinatorRuntime<TransactionShard>
  readonly #markers: TransactionMarkers

  constructor(options: TransactionCoordinatorOptions) {
    const { metadata, partitions, groups, config, node, clock, logger } = options
    this.#options = options
    const host = {
      // The shard serves when this turn is over.
      resumed: (id: string) => queueMicrotask(() => void this.#markers.drive(id)),
      timedOut: (id: string, producer: ProducerIdentity) => void this.#abort(id, producer),
      serverVersion: () => transactionVersion(metadata.image),
    }
    const settings = {
      abortIntervalMs: config.transactionAbortIntervalMs,
      expirationMs: config.transactionalIdExpirationMs,
      expirationIntervalMs: config.transactionalIdExpirationIntervalMs,
    }
    this.#runtime = new CoordinatorRuntime({
      topic: {
        name: TRANSACTIONS_TOPIC,
        partitions: config.transactionTopicPartitions,
        configs: {
          'unclean.leader.election.enable': 'false',
          'compression.type': 'uncompressed',
          'cleanup.policy': 'compact',
          'min.insync.replicas': String(config.transactionTopicMinIsr),
          'segment.bytes': String(config.transactionTopicSegmentBytes),
        },
      },
      makeShard: () => new TransactionShard(host, settings),
      metadata,
      partitions,
      config,
      node,
      clock,
      logger,
    })
    this.#markers = new TransactionMarkers({
      partitions,
      groups,
      clock,
      logger,
      prepared: (id) => {
        const found = this.#runtime.peek(id)?.get(id)
        return found !== undefined && isPrepared(found) ? found : undefined
      },
      coordinatorEpoch: (id) => partitions.get(TRANSACTIONS_TOPIC, this.#runtime.partitionOf(id)).leaderEpoch,
      complete: (id) => this.#run<undefined>(id, (shard, now, ticket) => shard.complete(id, now, ticket)),
    })
  }

  /** Reads what the log says, and goes on with what was decided. Call it when the groups are open. */
  open(): Promise<void> {
    return this.#runtime.open()
  }

  close(): void {
    this.#runtime.close()
    this.#markers.close()
  }

  /** Makes the topic when it is not there. Rejects with COORDINATOR_NOT_AVAILABLE. */
  ensureTopic(): Promise<void> {
    return this.#runtime.ensureTopic()
  }

  /**
   * `expected`: who the client believes to be (KIP-360). Over an ongoing transaction: that is aborted, and the answer is
   * CONCURRENT_TRANSACTIONS when it is; the client comes again.
   */
  async init(id: string, timeoutMs: number, expected: ProducerIdentity | undefined): Promise<ProducerIdentity> {
    if (id === '') throw new KafkaError('INVALID_REQUEST')
    if (timeoutMs <= 0 || timeoutMs > this.#options.config.transactionMaxTimeoutMs) {
      throw new KafkaError('INVALID_TRANSACTION_TIMEOUT')
    }
    await this.#runtime.ensureTopic()
    const { kind, next } = await this.#withProducerId(id, (newId) => (shard, now, ticket) => {
      return shard.init(id, expected, timeoutMs, newId, now, ticket)
    })
    if (kind === 'done') return next
    await this.#markers.drive(id)
    throw new KafkaError('CONCURRENT_TRANSACTIONS')
  }

  /** `clientVersion`: the level of transaction.version that the request speaks for. */
  async add(id: string, producer: ProducerIdentity, partitions: PartitionSet, clientVersion: number): Promise<void> {
    checkId(id)
    await this.#run<Outcome>(id, (shard, now, ticket) => {
      return shard.add(id, producer, partitions, clientVersion, now, ticket)
    })
  }

  /** Which of `partitions` the producer's transaction has. */
  async verify(
    id: string,
    producer: ProducerIdentity,
  ): Promise<(topic: string, partition: number) => boolean> {
    checkId(id)
    const transaction = await this.#run<Transaction>(id, (shard, _now, ticket) => shard.verify(id, producer, ticket))
    return (topic, partition) => hasPartition(transaction, topic, partition)
  }

  /**
   * Whether the producer may write to the partition in this very turn. What `add` and `verify` said may be over by then,
   * and what is written behind a marker would hang: ask it just before the append.
   */
  isWritable(id: string, producer: ProducerIdentity, topic: string, partition: number): boolean {
    return this.#runtime.peek(id)?.isWritable(id, producer, topic, partition) === true
  }

  /** Resolves when the markers are durable, with what the producer goes on with. */
  async end(id: string, producer: ProducerIdentity, isCommit: boolean, clientVersion: number): Promise<ProducerIdentity> {
    checkId(id)
    const { kind, next } = await this.#withProducerId(id, (newId) => (shard, now, ticket) => {
      return shard.end(id, producer, isCommit, clientVersion, newId, now, ticket)
    })
    if (kind === 'prepared') await this.#markers.drive(id)
    return next
  }

  /** Resolves when markers that are being written for the id are. */
  settled(id: string): Promise<void> {
    return this.#markers.drive(id)
  }

  /** Rejects with TRANSACTIONAL_ID_NOT_FOUND. */
  async describe(id: string): Promise<Transaction> {
    checkId(id)
    const found = await this.#run<Transaction | undefined>(id, (shard, _now, ticket) => answering(ticket, shard.get(id)))
    if (found === undefined) throw new KafkaError('TRANSACTIONAL_ID_NOT_FOUND')
    return found
  }

  async list(): Promise<(readonly [id: string, transaction: Transaction])[]> {
    const lists = this.#runtime.runAll<(readonly [string, Transaction])[]>((shard, _now, ticket) => {
      return answering(ticket, [...shard.all()])
    })
    return (await Promise.all(lists)).flat()
  }

  async #abort(id: string, producer: ProducerIdentity): Promise<void> {
    const { logger } = this.#options
    try {
      const { kind } = await this.#withProducerId(id, (newId) => (shard, now, ticket) => {
        return shard.abort(id, producer, newId, now, ticket)
      })
      if (kind === 'done') return
      logger.info(`transaction ${id} of producer ${producer.producerId} has timed out and is aborted`)
      await this.#markers.drive(id)
    } catch (error) {
      logger.warn(`transaction ${id} has timed out and could not be aborted, it is tried again: ${withStack(error)}`)
    }
  }

  /** Runs an operation that may need a new producer id, which takes a while to get. */
  async #withProducerId(
    id: string,
    operation: (newProducerId: bigint | undefined) => Operation<TransactionShard, Outcome>,
  ): Promise<Exclude<Outcome, { kind: 'needsProducerId' }>> {
    let newProducerId: bigint | undefined
    for (;;) {
      const outcome = await this.#run<Outcome>(id, operation(newProducerId))
      if (outcome.kind !== 'needsProducerId') return outcome
      newProducerId = await this.#options.metadata.nextProducerId()
    }
  }

  /** Only FindCoordinator and InitProducerId make the topic: before them there is nothing to ask for. */
  async #run<T>(id: string, operation: Operation<TransactionShard, T>): Promise<T> {
    if (this.#runtime.partitionOf(id) < 0) throw new KafkaError('NOT_COORDINATOR')
    return this.#runtime.run(id, operation)
  }
}

function checkId(id: string): void {
  if (id === '') throw new KafkaError('INVALID_REQUEST')
}
