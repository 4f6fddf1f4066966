// The transactional ids kept in one partition of __transaction_state, changed by replay alone. An operation plans one
// transition (transaction.ts) and gives its record. No marker is written from here: who was prepared, live or before a
// restart, is told to the host, which writes them and then completes.

import type { RecordBytes } from '../../protocol/records/coordinator.ts'
import { decodeTransactionRecord } from '../../protocol/records/transaction.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { answer, answering } from '../coordinator/shard.ts'
import type { Answer, CoordinatorShard, Now, Step, Ticket } from '../coordinator/shard.ts'
import { transactionFrom, transactionRecord, transactionTombstone } from './transaction-record.ts'
import {
  checkExpected,
  checkWriter,
  completed,
  EPOCH_PER_TRANSACTION,
  fenced,
  hasPartition,
  identityAfter,
  initialized,
  isExhausted,
  isIdle,
  isPrepared,
  needsNewProducerId,
  newTransaction,
  planEnd,
  prepared,
  withPartitions,
} from './transaction.ts'
import type { PartitionSet, ProducerIdentity, Transaction } from './transaction.ts'

export interface TransactionHost {
  /** Its markers are to be written: what was decided before the restart still is. */
  resumed(transactionalId: string): void
  /** It lasted longer than its timeout, and is to be aborted. */
  timedOut(transactionalId: string, producer: ProducerIdentity): void
  /** The finalized level of transaction.version. */
  serverVersion(): number
}

export interface TransactionSettings {
  /** ms between looks for transactions that have timed out */
  readonly abortIntervalMs: number
  /** ms without a change after which an id is forgotten */
  readonly expirationMs: number
  /** ms between looks for such ids */
  readonly expirationIntervalMs: number
}

/** What an operation came to. `needsProducerId`: nothing was done; ask again with a new producer id. */
export type Outcome =
  | { readonly kind: 'needsProducerId' }
  /** Markers are to be written now; `next` is what the producer goes on with. */
  | { readonly kind: 'prepared'; readonly next: ProducerIdentity }
  | { readonly kind: 'done'; readonly next: ProducerIdentity }

const NEEDS_PRODUCER_ID: Outcome = { kind: 'needsProducerId' }
const TOMBSTONES_IN_A_BATCH = 1000

export class TransactionShard implements CoordinatorShard {
  readonly #host: TransactionHost
  readonly #settings: TransactionSettings
  readonly #transactions = new Map<string, Transaction>()
  readonly #ongoing = new Set<string>()
  #abortsAt = Infinity
  #expiresAt = Infinity

  constructor(host: TransactionHost, settings: TransactionSettings) {
    this.#host = host
    this.#settings = settings
  }

  replay({ key, value }: RecordBytes): void {
    const record = decodeTransactionRecord(key, value)
    if (record.name === 'Unknown') return // left by a later release, as in Kafka
    const { transactionalId } = record.key
    if (record.value === null) {
      this.#transactions.delete(transactionalId)
      this.#ongoing.delete(transactionalId)
      return
    }
    const transaction = transactionFrom(record.value)
    this.#transactions.set(transactionalId, transaction)
    if (transaction.phase === 'Ongoing') this.#ongoing.add(transactionalId)
    else this.#ongoing.delete(transactionalId)
  }

  /** This log has no transactions of its own. */
  endTransaction(): void {
    return undefined
  }

  resume(now: Now): void {
    this.#abortsAt = now.monotonic + this.#settings.abortIntervalMs
    this.#expiresAt = now.monotonic + this.#settings.expirationIntervalMs
    for (const [id, transaction] of this.#transactions) if (isPrepared(transaction)) this.#host.resumed(id)
  }

  get nextDeadline(): number {
    return Math.min(this.#ongoing.size > 0 ? this.#abortsAt : Infinity, this.#transactions.size > 0 ? this.#expiresAt : Infinity)
  }

  *expire(now: Now): Generator<Step> {
    if (this.#abortsAt <= now.monotonic) {
      this.#abortsAt = now.monotonic + this.#settings.abortIntervalMs
      for (const id of [...this.#ongoing]) {
        const transaction = this.#transactions.get(id)
        if (transaction !== undefined && isOverdue(transaction, now.wall)) this.#host.timedOut(id, transaction)
      }
    }
    if (this.#expiresAt > now.monotonic) return
    const before = now.wall - this.#settings.expirationMs
    const expired = [...this.#transactions].filter(([, found]) => isIdle(found) && found.updatedAt <= before)
    for (let at = 0; at < expired.length; at += TOMBSTONES_IN_A_BATCH) {
      const ids = expired.slice(at, at + TOMBSTONES_IN_A_BATCH)
      yield { records: ids.map(([id]) => transactionTombstone(id)), then: () => [] }
    }
    this.#expiresAt = now.monotonic + this.#settings.expirationIntervalMs
  }

  /** Nobody is parked here. */
  abandon(): readonly Answer[] {
    return []
  }

  get(id: string): Transaction | undefined {
    return this.#transactions.get(id)
  }

  all(): Iterable<readonly [string, Transaction]> {
    return this.#transactions
  }

  /**
   * InitProducerId. Over an ongoing transaction it fences the producer that has it and prepares its abort. Throws
   * KafkaError PRODUCER_FENCED or CONCURRENT_TRANSACTIONS.
   */
  init(
    id: string,
    expected: ProducerIdentity | undefined,
    timeoutMs: number,
    newProducerId: bigint | undefined,
    now: Now,
    ticket: Ticket<Outcome>,
  ): Step {
    const found = this.#transactions.get(id)
    if (found === undefined && newProducerId === undefined) return answering(ticket, NEEDS_PRODUCER_ID)
    const transaction = found ?? newTransaction(newProducerId ?? -1n, timeoutMs, now.wall)
    checkExpected(transaction, expected)
    if (isPrepared(transaction)) throw new KafkaError('CONCURRENT_TRANSACTIONS')
    if (!isIdle(transaction)) return this.#fence(id, transaction, newProducerId, now, ticket)
    if (needsNewProducerId(transaction, expected) && newProducerId === undefined) return answering(ticket, NEEDS_PRODUCER_ID)
    const next = initialized(transaction, expected, timeoutMs, newProducerId, now.wall)
    return this.#change(id, next, ticket, { kind: 'done', next })
  }

  /** Partitions join. Throws the KafkaError of checkWriter, INVALID_PRODUCER_ID_MAPPING for an id that isn't known. */
  add(
    id: string,
    producer: ProducerIdentity,
    partitions: PartitionSet,
    clientVersion: number,
    now: Now,
    ticket: Ticket<Outcome>,
  ): Step {
    const transaction = this.#known(id)
    checkWriter(transaction, producer)
    const next = withPartitions(transaction, partitions, clientVersion, now.wall)
    if (next === undefined) return answering(ticket, { kind: 'done', next: producer })
    return this.#change(id, next, ticket, { kind: 'done', next: producer })
  }

  /** Resolves when it is durable that the producer may write; throws as `add`. */
  verify(id: string, producer: ProducerIdentity, ticket: Ticket<Transaction>): Step {
    const transaction = this.#known(id)
    checkWriter(transaction, producer)
    return answering(ticket, transaction)
  }

  /** Whether, this very moment, the producer's open transaction has the partition. */
  isWritable(id: string, producer: ProducerIdentity, topic: string, partition: number): boolean {
    const transaction = this.#transactions.get(id)
    if (transaction?.phase !== 'Ongoing') return false
    if (transaction.producerId !== producer.producerId || transaction.epoch !== producer.epoch) return false
    return hasPartition(transaction, topic, partition)
  }

  /** EndTxn. Throws the KafkaError of planEnd, INVALID_PRODUCER_ID_MAPPING for an id that isn't known. */
  end(
    id: string,
    producer: ProducerIdentity,
    isCommit: boolean,
    clientVersion: number,
    newProducerId: bigint | undefined,
    now: Now,
    ticket: Ticket<Outcome>,
  ): Step {
    const transaction = this.#known(id)
    if (planEnd(transaction, producer, isCommit, clientVersion) === 'done') {
      return answering(ticket, { kind: 'done', next: transaction })
    }
    const needsId = clientVersion >= EPOCH_PER_TRANSACTION && isExhausted(transaction.epoch)
    if (needsId && newProducerId === undefined) return answering(ticket, NEEDS_PRODUCER_ID)
    const next = prepared(transaction, isCommit, clientVersion, newProducerId, now.wall)
    return this.#change(id, next, ticket, { kind: 'prepared', next: identityAfter(next) })
  }

  /** Aborts what timed out, unless it is over by now: then it is done. */
  abort(
    id: string,
    producer: ProducerIdentity,
    newProducerId: bigint | undefined,
    now: Now,
    ticket: Ticket<Outcome>,
  ): Step {
    const transaction = this.#transactions.get(id)
    const isSame = transaction?.producerId === producer.producerId && transaction.epoch === producer.epoch
    if (!isSame || transaction.phase !== 'Ongoing' || !isOverdue(transaction, now.wall)) {
      return answering(ticket, { kind: 'done', next: producer })
    }
    return this.#fence(id, transaction, newProducerId, now, ticket)
  }

  /** The markers of what is prepared are durable. */
  complete(id: string, now: Now, ticket: Ticket<undefined>): Step {
    const transaction = this.#transactions.get(id)
    if (transaction === undefined || !isPrepared(transaction)) return answering(ticket, undefined)
    return this.#change(id, completed(transaction, now.wall), ticket, undefined)
  }

  #fence(
    id: string,
    transaction: Transaction,
    newProducerId: bigint | undefined,
    now: Now,
    ticket: Ticket<Outcome>,
  ): Step {
    const version = this.#host.serverVersion()
    const needsId = version >= EPOCH_PER_TRANSACTION && isExhausted(transaction.epoch)
    if (needsId && newProducerId === undefined) return answering(ticket, NEEDS_PRODUCER_ID)
    const next = fenced(transaction, version, newProducerId, now.wall)
    return this.#change(id, next, ticket, { kind: 'prepared', next: identityAfter(next) })
  }

  #change<T>(id: string, next: Transaction, ticket: Ticket<T>, result: T): Step {
    return {
      records: [transactionRecord(id, next, this.#host.serverVersion())],
      then: () => {
        // Replay has put it there without what is not in the log.
        this.#transactions.set(id, next)
        return [answer(ticket, result)]
      },
    }
  }

  #known(id: string): Transaction {
    const transaction = this.#transactions.get(id)
    if (transaction === undefined) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
    return transaction
  }
}

function isOverdue({ startedAt, timeoutMs }: Transaction, nowMs: number): boolean {
  // Int32's greatest: a two-phase commit, which is never timed out (KIP-939).
  return timeoutMs !== 2 ** 31 - 1 && startedAt + timeoutMs < nowMs
}
