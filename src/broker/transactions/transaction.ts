// What is known of one transactional id, and every way it can change. Values only: a transition gives a new one, and
// counts when its record is in the log (transaction-shard.ts). Rules as Kafka's TransactionMetadata and
// TransactionCoordinator (KIP-98, KIP-360, KIP-890).

import { assert } from '../../base/assert.ts'
import { KafkaError } from '../../protocol/errors.ts'

/** By the numbers that records have for them. Dead and PrepareEpochFence are never written. */
export const PHASES = [
  'Empty', 'Ongoing', 'PrepareCommit', 'PrepareAbort', 'CompleteCommit', 'CompleteAbort', 'Dead', 'PrepareEpochFence',
] as const // prettier-ignore

export type Phase = (typeof PHASES)[number]

/** Partition numbers by topic. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>

export interface Transaction {
  readonly producerId: bigint
  /** The producer id before the last change: tells a retry after an exhausted epoch. -1n: none. */
  readonly previousProducerId: bigint
  /** Of a prepared transaction that ends with a new producer id; -1n: it keeps its own. */
  readonly nextProducerId: bigint
  /** -1: nobody has had this id yet. */
  readonly epoch: number
  /** The epoch before the last bump, by which its retry is known; -1: none. Not in the log, as in Kafka. */
  readonly lastEpoch: number
  readonly timeoutMs: number
  readonly phase: Phase
  readonly partitions: PartitionSet
  /** ms since 1970; -1 before the first one. */
  readonly startedAt: number
  /** ms since 1970 */
  readonly updatedAt: number
  /** The level of transaction.version that the client went by. */
  readonly clientVersion: number
}

export interface ProducerIdentity {
  readonly producerId: bigint
  readonly epoch: number
}

export const NO_PRODUCER: ProducerIdentity = { producerId: -1n, epoch: -1 }
/** From this level on each transaction has an epoch of its own (KIP-890). */
export const EPOCH_PER_TRANSACTION = 2
export const NO_PARTITIONS: PartitionSet = new Map()
const MAX_EPOCH = 32767

/** The last epoch is for fencing: a producer id with this one or the next has none left to give. */
export function isExhausted(epoch: number): boolean {
  return epoch >= MAX_EPOCH - 1
}

export function isPrepared({ phase }: Transaction): boolean {
  return phase === 'PrepareCommit' || phase === 'PrepareAbort'
}

/** Whether nothing goes on: the id may begin anew, and expire. */
export function isIdle({ phase }: Transaction): boolean {
  return phase === 'Empty' || phase === 'CompleteCommit' || phase === 'CompleteAbort'
}

export function newTransaction(producerId: bigint, timeoutMs: number, nowMs: number): Transaction {
  return {
    producerId,
    previousProducerId: -1n,
    nextProducerId: -1n,
    epoch: -1,
    lastEpoch: -1,
    timeoutMs,
    phase: 'Empty',
    partitions: NO_PARTITIONS,
    startedAt: -1,
    updatedAt: nowMs,
    clientVersion: 0,
  }
}

/** Throws KafkaError PRODUCER_FENCED when `expected` is not the producer that has the id, nor was until its epochs ended. */
export function checkExpected(transaction: Transaction, expected: ProducerIdentity | undefined): void {
  if (expected === undefined || transaction.epoch === -1 || expected.producerId === transaction.producerId) return
  if (expected.producerId === transaction.previousProducerId && isExhausted(expected.epoch)) return
  throw new KafkaError('PRODUCER_FENCED')
}

/** Whether InitProducerId must bring a new producer id. */
export function needsNewProducerId(transaction: Transaction, expected: ProducerIdentity | undefined): boolean {
  return isExhausted(transaction.epoch) && (expected === undefined || expected.epoch === transaction.epoch)
}

/** InitProducerId on an idle id. Throws KafkaError PRODUCER_FENCED for an `expected` epoch that is neither the last nor the one before. */
export function initialized(
  transaction: Transaction,
  expected: ProducerIdentity | undefined,
  timeoutMs: number,
  newProducerId: bigint | undefined,
  nowMs: number,
): Transaction {
  assert(isIdle(transaction), `a producer begins anew while ${transaction.phase}`)
  const begun = { timeoutMs, phase: 'Empty', partitions: NO_PARTITIONS, startedAt: -1, updatedAt: nowMs } as const
  const { epoch, lastEpoch } = transaction
  if (needsNewProducerId(transaction, expected)) {
    assert(newProducerId !== undefined, 'epochs are exhausted, and there is no new producer id')
    const producer = { producerId: newProducerId, epoch: 0, lastEpoch: expected === undefined ? -1 : epoch }
    return changed(transaction, { ...begun, ...producer })
  }
  if (expected === undefined) return changed(transaction, { ...begun, epoch: nextEpoch(epoch), lastEpoch: -1 })
  if (epoch === -1 || expected.epoch === epoch) {
    return changed(transaction, { ...begun, epoch: nextEpoch(epoch), lastEpoch: epoch })
  }
  // A retry of the last bump.
  if (expected.epoch === lastEpoch) return changed(transaction, begun)
  throw new KafkaError('PRODUCER_FENCED')
}

/** Whether the producer may write in this transaction now. Throws the KafkaError that tells why not. */
export function checkWriter(transaction: Transaction, producer: ProducerIdentity): void {
  if (transaction.producerId !== producer.producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  if (transaction.epoch !== producer.epoch) throw new KafkaError('PRODUCER_FENCED')
  if (isPrepared(transaction)) throw new KafkaError('CONCURRENT_TRANSACTIONS')
}

export function hasPartition({ partitions }: Transaction, topic: string, partition: number): boolean {
  return partitions.get(topic)?.has(partition) === true
}

/** With `added` in it: the first ones begin a transaction. undefined: it had all of them. */
export function withPartitions(
  transaction: Transaction,
  added: PartitionSet,
  clientVersion: number,
  nowMs: number,
): Transaction | undefined {
  const partitions = new Map(transaction.partitions)
  let isNew = transaction.phase !== 'Ongoing'
  for (const [topic, indexes] of added) {
    const had = partitions.get(topic)
    const missing = [...indexes].filter((index) => had?.has(index) !== true)
    if (missing.length === 0) continue
    partitions.set(topic, new Set([...(had ?? []), ...missing]))
    isNew = true
  }
  if (!isNew) return undefined
  const startedAt = isIdle(transaction) ? nowMs : transaction.startedAt
  return changed(transaction, { phase: 'Ongoing', partitions, startedAt, updatedAt: nowMs, clientVersion })
}

export type EndPlan =
  /** A retry: all is done. */
  | 'done'
  /** Ends with a new epoch even where nothing was begun (from transaction.version 2 on). */
  | 'prepare'

/** What EndTxn comes to. Throws the KafkaError that it is refused with. */
export function planEnd(
  transaction: Transaction,
  producer: ProducerIdentity,
  isCommit: boolean,
  clientVersion: number,
): EndPlan {
  return clientVersion >= EPOCH_PER_TRANSACTION
    ? planEndWithNewEpoch(transaction, producer, isCommit)
    : planEndOfOldClient(transaction, producer, isCommit)
}

function planEndOfOldClient(transaction: Transaction, producer: ProducerIdentity, isCommit: boolean): EndPlan {
  if (transaction.producerId !== producer.producerId) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  if (transaction.epoch !== producer.epoch) throw new KafkaError('PRODUCER_FENCED')
  const { phase } = transaction
  if (phase === 'Ongoing') return 'prepare'
  if (phase === (isCommit ? 'PrepareCommit' : 'PrepareAbort')) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  if (phase === (isCommit ? 'CompleteCommit' : 'CompleteAbort')) return 'done'
  throw new KafkaError('INVALID_TXN_STATE')
}

function planEndWithNewEpoch(transaction: Transaction, producer: ProducerIdentity, isCommit: boolean): EndPlan {
  const { phase, epoch } = transaction
  const isOfPrevious =
    transaction.previousProducerId === producer.producerId && producer.epoch === MAX_EPOCH - 1 && epoch === 0
  if (transaction.producerId !== producer.producerId && !isOfPrevious) throw new KafkaError('INVALID_PRODUCER_ID_MAPPING')
  const isOfLastEpoch = epoch === producer.epoch + 1
  const isRetry = isOfLastEpoch || isOfPrevious
  const hasEnded = phase === 'CompleteCommit' || phase === 'CompleteAbort'
  const isCurrent = epoch === producer.epoch
  const isValid = isPrepared(transaction) ? isOfLastEpoch : hasEnded ? isRetry || isCurrent : isCurrent
  if (!isValid) throw new KafkaError('PRODUCER_FENCED')
  if (phase === 'Ongoing') return 'prepare'
  if (phase === (isCommit ? 'PrepareCommit' : 'PrepareAbort')) throw new KafkaError('CONCURRENT_TRANSACTIONS')
  if (hasEnded && isRetry && phase === (isCommit ? 'CompleteCommit' : 'CompleteAbort')) return 'done'
  // To abort what was never begun is allowed, and gives the next epoch: the client can't know that nothing arrived.
  if (isIdle(transaction) && !isRetry && !isCommit) return 'prepare'
  throw new KafkaError('INVALID_TXN_STATE')
}

/** The decision; `newProducerId` is used when the epochs are exhausted. */
export function prepared(
  transaction: Transaction,
  isCommit: boolean,
  clientVersion: number,
  newProducerId: bigint | undefined,
  nowMs: number,
): Transaction {
  const phase = isCommit ? 'PrepareCommit' : 'PrepareAbort'
  const startedAt = isIdle(transaction) ? nowMs : transaction.startedAt
  const decided = { phase, startedAt, updatedAt: nowMs, clientVersion } as const
  if (clientVersion < EPOCH_PER_TRANSACTION) return changed(transaction, { ...decided, nextProducerId: -1n })
  assert(!isExhausted(transaction.epoch) || newProducerId !== undefined, 'epochs are exhausted, and there is no new producer id')
  return changed(transaction, {
    ...decided,
    epoch: nextEpoch(transaction.epoch),
    lastEpoch: transaction.epoch,
    nextProducerId: isExhausted(transaction.epoch) ? (newProducerId ?? -1n) : -1n,
  })
}

/** An abort that the coordinator decides itself: the producer, wherever it is, has an old epoch from now on. */
export function fenced(
  transaction: Transaction,
  serverVersion: number,
  newProducerId: bigint | undefined,
  nowMs: number,
): Transaction {
  if (serverVersion >= EPOCH_PER_TRANSACTION) return prepared(transaction, false, serverVersion, newProducerId, nowMs)
  return { ...prepared(transaction, false, 0, undefined, nowMs), epoch: nextEpoch(transaction.epoch), lastEpoch: -1 }
}

/** The markers are written. */
export function completed(transaction: Transaction, nowMs: number): Transaction {
  assert(isPrepared(transaction), `a transaction is completed while ${transaction.phase}`)
  const hasNewId = transaction.clientVersion >= EPOCH_PER_TRANSACTION && transaction.nextProducerId !== -1n
  return changed(transaction, {
    phase: transaction.phase === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    producerId: hasNewId ? transaction.nextProducerId : transaction.producerId,
    epoch: hasNewId ? 0 : transaction.epoch,
    nextProducerId: -1n,
    partitions: NO_PARTITIONS,
    updatedAt: nowMs,
  })
}

/** What the client goes on with after the end of its transaction, known when that is decided. */
export function identityAfter({ producerId, epoch, nextProducerId }: Transaction): ProducerIdentity {
  return nextProducerId === -1n ? { producerId, epoch } : { producerId: nextProducerId, epoch: 0 }
}

function changed(transaction: Transaction, changes: Partial<Transaction>): Transaction {
  return { ...transaction, previousProducerId: transaction.producerId, ...changes }
}

function nextEpoch(epoch: number): number {
  return Math.min(epoch + 1, MAX_EPOCH)
}
