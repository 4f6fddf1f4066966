// Between a Transaction and its record in __transaction_state.

import { ProtocolError } from '../../protocol/errors.ts'
import type { RecordBytes } from '../../protocol/records/coordinator.ts'
import { TRANSACTION_RECORDS, encodeTransactionRecord } from '../../protocol/records/transaction.ts'
import type { ValueOf } from '../../protocol/schema.ts'
import { NO_PARTITIONS, PHASES } from './transaction.ts'
import type { Transaction } from './transaction.ts'

type TransactionLog = ValueOf<typeof TRANSACTION_RECORDS.TransactionLog.value>

/** Version 1, with what KIP-890 added, from level 1 of transaction.version on, as Apache writes it. */
export function transactionRecord(transactionalId: string, transaction: Transaction, serverVersion: number): RecordBytes {
  const isFlexible = serverVersion >= 1
  const { phase, partitions } = transaction
  return encodeTransactionRecord({
    name: 'TransactionLog',
    key: { transactionalId },
    version: isFlexible ? 1 : 0,
    value: {
      producerId: transaction.producerId,
      producerEpoch: transaction.epoch,
      transactionTimeoutMs: transaction.timeoutMs,
      transactionStatus: PHASES.indexOf(phase),
      transactionPartitions:
        phase === 'Empty' ? null : Array.from(partitions, ([topic, ids]) => ({ topic, partitionIds: [...ids] })),
      transactionLastUpdateTimestampMs: transaction.updatedAt,
      transactionStartTimestampMs: transaction.startedAt,
      ...(isFlexible
        ? {
            previousProducerId: transaction.previousProducerId,
            nextProducerId: transaction.nextProducerId,
            clientTransactionVersion: transaction.clientVersion,
          }
        : {}),
    },
  })
}

export function transactionTombstone(transactionalId: string): RecordBytes {
  return encodeTransactionRecord({ name: 'TransactionLog', key: { transactionalId }, value: null })
}

/** Throws ProtocolError for a phase that no release writes. */
export function transactionFrom(value: TransactionLog): Transaction {
  const phase = PHASES.at(value.transactionStatus)
  if (value.transactionStatus < 0 || phase === undefined) {
    throw new ProtocolError(`a transaction with status ${value.transactionStatus}`)
  }
  const partitions = new Map<string, Set<number>>()
  for (const { topic, partitionIds } of value.transactionPartitions ?? []) {
    partitions.set(topic, new Set([...(partitions.get(topic) ?? []), ...partitionIds]))
  }
  return {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    epoch: value.producerEpoch,
    lastEpoch: -1,
    timeoutMs: value.transactionTimeoutMs,
    phase,
    partitions: phase === 'Empty' ? NO_PARTITIONS : partitions,
    startedAt: value.transactionStartTimestampMs,
    updatedAt: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  }
}
