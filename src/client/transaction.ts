// Transactions of one producer, one after the other (KIP-98, the first protocol: partitions are named before records go to
// them, versions of requests from before KIP-890). Nothing here is for several at once.

import { type Clock, systemClock } from '../base/clock.ts'
import { AddPartitionsToTxn } from '../protocol/apis/add-partitions-to-txn.ts'
import { EndTxn } from '../protocol/apis/end-txn.ts'
import { InitProducerId } from '../protocol/apis/init-producer-id.ts'
import { errorName, KafkaError } from '../protocol/errors.ts'
import { askCoordinator, TRANSACTION } from './admin/coordinators.ts'
import { resultOf, type Result } from './admin/result.ts'
import type { Cluster, Wait } from './cluster.ts'
import type { ProducerIdentity } from './producer-batch.ts'

/** Newer ones speak of the second protocol. */
export const LAST_PRODUCE_VERSION = 11
const LAST_ADD_VERSION = 3
const LAST_END_VERSION = 4

const RETRY_MS = 20

export class Transactions {
  readonly id: string
  readonly identity: ProducerIdentity
  readonly #cluster: Cluster
  readonly #clock: Clock

  constructor(cluster: Cluster, id: string, identity: ProducerIdentity, clock: Clock) {
    this.#cluster = cluster
    this.#clock = clock
    this.id = id
    this.identity = identity
  }

  /** Begins one, with all partitions that it may write to. Throws KafkaError when the coordinator refuses. */
  async begin(topic: string, partitions: readonly number[]): Promise<void> {
    const { producerId, epoch } = this.identity
    const request = {
      transactions: [],
      v3AndBelowTransactionalId: this.id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: epoch,
      v3AndBelowTopics: [{ name: topic, partitions: [...partitions] }],
    }
    await patiently(this.#cluster, this.id, this.#clock, async (node, wait) => {
      const response = await this.#cluster.call(AddPartitionsToTxn, request, { ...wait, node, maxVersion: LAST_ADD_VERSION })
      const codes = response.resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) => resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode))
      // That another partition failed says less than why it failed.
      const failures = codes.filter((code) => code !== 0)
      return resultOf(failures.find((code) => errorName(code) !== 'OPERATION_NOT_ATTEMPTED') ?? failures.at(0) ?? 0, null, null)
    })
  }

  /** All records must have been acknowledged. Throws KafkaError when the coordinator refuses. */
  async end(committed: boolean): Promise<void> {
    const { producerId, epoch: producerEpoch } = this.identity
    const request = { transactionalId: this.id, producerId, producerEpoch, committed }
    await patiently(this.#cluster, this.id, this.#clock, async (node, wait) => {
      const { errorCode } = await this.#cluster.call(EndTxn, request, { ...wait, node, maxVersion: LAST_END_VERSION })
      return resultOf(errorCode, null, null)
    })
  }
}

/** Takes the transactional id over; what it had open is aborted. Throws KafkaError when the coordinator refuses. */
export async function openTransactions(cluster: Cluster, id: string, clock: Clock = systemClock): Promise<Transactions> {
  const request = { transactionalId: id, transactionTimeoutMs: cluster.config.producer.transactionTimeoutMs }
  const identity = await patiently(cluster, id, clock, async (node, wait) => {
    const { errorCode, producerId, producerEpoch } = await cluster.call(InitProducerId, request, { ...wait, node })
    return resultOf(errorCode, null, { producerId, epoch: producerEpoch })
  })
  return new Transactions(cluster, id, identity, clock)
}

/** Until the transaction before is through, for max.block.ms. */
async function patiently<T>(cluster: Cluster, id: string, clock: Clock, ask: (node: number, wait: Wait) => Promise<Result<T>>): Promise<T> {
  const deadline = clock.monotonic() + cluster.config.producer.maxBlockMs
  for (;;) {
    try {
      return await askCoordinator(cluster, TRANSACTION, id, { clock, timeoutMs: Math.max(1, deadline - clock.monotonic()) }, ask)
    } catch (error) {
      const mayPass = error instanceof KafkaError && error.error === 'CONCURRENT_TRANSACTIONS'
      if (!mayPass || clock.monotonic() + RETRY_MS >= deadline) throw error
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve, true))
    }
  }
}
