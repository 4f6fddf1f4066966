// Ends what is prepared: markers into every partition of the transaction and, when all of them are durable, the
// completion. A decision that is durable is carried out, whatever fails on the way: it is tried again until it succeeds,
// also after a restart. One id is driven by one loop, so a late marker never meets the next transaction.

import type { Clock } from '../../base/clock.ts'
import { type Logger, withStack } from '../../base/logger.ts'
import { BatchBuilder } from '../../protocol/batch-builder.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { encodeControlKey, encodeControlValue, EndTxnMarker } from '../../protocol/records/control.ts'
import type { Producer } from '../coordinator/shard.ts'
import { GROUPS_TOPIC } from '../groups/group-coordinator.ts'
import type { GroupCoordinator } from '../groups/group-coordinator.ts'
import type { Partitions } from '../partitions.ts'
import type { Transaction } from './transaction.ts'

export interface MarkersOptions {
  readonly partitions: Partitions
  readonly groups: GroupCoordinator
  readonly clock: Clock
  readonly logger: Logger
  /** The transaction if it is prepared; undefined also when its coordinator is not there: it will come back. */
  readonly prepared: (transactionalId: string) => Transaction | undefined
  readonly coordinatorEpoch: (transactionalId: string) => number
  /** Appends the completion in this turn; resolves when it is durable. */
  readonly complete: (transactionalId: string) => Promise<unknown>
}

export interface Marker {
  readonly producer: Producer
  readonly isCommit: boolean
  readonly coordinatorEpoch: number
}

const RETRY_MS = 1000

/** Appends one marker in this turn; resolves when it is durable. Rejects with KafkaError. */
export async function writeMarker(
  { producer, isCommit, coordinatorEpoch }: Marker,
  topic: string,
  partition: number,
  { partitions, groups, clock }: Pick<MarkersOptions, 'partitions' | 'groups' | 'clock'>,
): Promise<void> {
  if (topic === GROUPS_TOPIC) return groups.endTransaction(partition, producer, isCommit, coordinatorEpoch)
  const { log } = partitions.get(topic, partition)
  const batch = markerBatch({ producer, isCommit, coordinatorEpoch }, clock.now())
  const { lastOffset } = log.append(batch, 'coordinator')
  await log.safe(lastOffset + 1)
}

export class TransactionMarkers {
  readonly #options: MarkersOptions
  readonly #driven = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(options: MarkersOptions) {
    this.#options = options
  }

  /** Begins to end what is prepared. Resolves when that is completed, or has failed once and goes on by itself. */
  drive(transactionalId: string): Promise<void> {
    const driven = this.#driven.get(transactionalId)
    if (driven !== undefined) return driven
    let tried: () => void = () => undefined
    const promise = new Promise<void>((resolve) => (tried = resolve))
    this.#driven.set(transactionalId, promise)
    void this.#drive(transactionalId, tried)
    return promise
  }

  close(): void {
    this.#isClosed = true
  }

  async #drive(transactionalId: string, tried: () => void): Promise<void> {
    const { logger, clock } = this.#options
    for (;;) {
      try {
        await this.#tryOnce(transactionalId)
        // In the turn of the completion: what is prepared next finds nobody driving.
        this.#driven.delete(transactionalId)
        tried()
        return
      } catch (error) {
        tried()
        if (this.#isClosed) return
        logger.warn(`the markers of transaction ${transactionalId} are written again: ${withStack(error)}`)
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve))
      }
    }
  }

  /** Throws what may pass. Returns in the turn in which nothing is prepared any more. */
  async #tryOnce(transactionalId: string): Promise<void> {
    const { logger, complete, prepared } = this.#options
    const transaction = prepared(transactionalId)
    if (transaction === undefined) return
    await this.#writeAll(transactionalId, transaction)
    const completion = complete(transactionalId)
    // It is appended. Should it be lost yet, the coordinator reads its log anew, and this begins anew.
    const lost = (error: unknown) => logger.warn(`the end of transaction ${transactionalId} is not durable: ${withStack(error)}`)
    if (prepared(transactionalId) === undefined) void completion.catch(lost)
    else await completion
  }

  /** Rejects with the first error that may pass. */
  async #writeAll(transactionalId: string, { producerId, epoch, phase, partitions }: Transaction): Promise<void> {
    const { logger, coordinatorEpoch } = this.#options
    const marker = {
      producer: { id: producerId, epoch },
      isCommit: phase === 'PrepareCommit',
      coordinatorEpoch: coordinatorEpoch(transactionalId),
    }
    const writes = Array.from(partitions, ([topic, indexes]) =>
      Array.from(indexes, (index) =>
        writeMarker(marker, topic, index, this.#options).catch((error: unknown) => {
          if (!(error instanceof KafkaError) || !SKIPPED.has(error.error)) throw error
          logger.info(`no marker of transaction ${transactionalId} in ${topic}-${index}: ${error.message}`)
        }),
      ),
    ).flat()
    const results = await Promise.allSettled(writes)
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
}

// The partition is gone, or has moved on: there is nothing left to end there.
const SKIPPED: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_PRODUCER_EPOCH',
  'TRANSACTION_COORDINATOR_FENCED',
])

function markerBatch({ producer, isCommit, coordinatorEpoch }: Marker, nowMs: number): Buffer {
  const builder = new BatchBuilder(1024)
  const value = encodeControlValue(EndTxnMarker, 0, { coordinatorEpoch })
  builder.append(encodeControlKey(isCommit ? 'COMMIT' : 'ABORT'), value, [], nowMs)
  return builder.finish({
    codec: 'none',
    isTransactional: true,
    isControl: true,
    producerId: producer.id,
    producerEpoch: producer.epoch,
  })
}
