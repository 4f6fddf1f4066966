// Records of __transaction_state: one for each change of a transactional id. Version 1 came with the transaction
// protocol of Kafka 4.0 (KIP-890).

import { array, exactInt64, int8, int16, int32, int64, string } from '../schema.ts'
import { coordinatorRecord, decodeCoordinatorRecord, encodeCoordinatorRecord } from './coordinator.ts'
import type { CoordinatorRecord, CoordinatorRecordInput, RecordBytes } from './coordinator.ts'

export const TRANSACTION_RECORDS = {
  TransactionLog: coordinatorRecord('TransactionLog', {
    type: 0,
    key: { transactionalId: string },
    versions: [0, 1],
    flexible: 1,
    value: {
      producerId: exactInt64,
      previousProducerId: exactInt64.or(-1n).tagged(0, 1),
      nextProducerId: exactInt64.or(-1n).tagged(1, 1),
      producerEpoch: int16,
      nextProducerEpoch: int16.or(-1).tagged(3, 1),
      transactionTimeoutMs: int32,
      transactionStatus: int8,
      transactionPartitions: array({ topic: string, partitionIds: array(int32) }).nullable(),
      transactionLastUpdateTimestampMs: int64,
      transactionStartTimestampMs: int64,
      clientTransactionVersion: int16.or(0).tagged(2, 1),
    },
  }),
}

export type TransactionRecord = CoordinatorRecord<typeof TRANSACTION_RECORDS>
export type TransactionRecordInput = CoordinatorRecordInput<typeof TRANSACTION_RECORDS>

/** Throws ProtocolError for a version that the record does not have. */
export function encodeTransactionRecord(record: TransactionRecordInput): RecordBytes {
  return encodeCoordinatorRecord(TRANSACTION_RECORDS, record)
}

/** ProtocolError for a known type in an unknown version, and for bytes that make no sense. */
export function decodeTransactionRecord(key: Buffer, value: Buffer | null): TransactionRecord {
  return decodeCoordinatorRecord(TRANSACTION_RECORDS, key, value)
}
