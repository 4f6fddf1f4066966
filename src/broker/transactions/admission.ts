// Lets writes of a transaction into partitions: those of old clients when the coordinator knows that the partition is in
// the transaction, those of newer ones by adding it (KIP-890). Either way the coordinator's word is durable before the
// first record is: a crash leaves no transaction open that nobody would end.

import { errorMessage, ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { TransactionCoordinator } from './transaction-coordinator.ts'
import { EPOCH_PER_TRANSACTION } from './transaction.ts'
import type { PartitionSet, ProducerIdentity } from './transaction.ts'

/** What a request's version lets its client understand. */
export type Admission =
  /** The write itself adds the partition. */
  | 'adds'
  /** TRANSACTION_ABORTABLE for a partition that was not added. */
  | 'abortable'
  /** INVALID_TXN_STATE for it. */
  | 'old'

/** Why a partition may not be written to; undefined: it may, if `isWritable` still says so when it is. */
export type Verdict = (topic: string, partition: number) => KafkaError | undefined

/** Asks for all of `partitions`. Never rejects with what Kafka has a code for. */
export async function admit(
  coordinator: TransactionCoordinator,
  id: string,
  producer: ProducerIdentity,
  partitions: PartitionSet,
  admission: Admission,
): Promise<Verdict> {
  try {
    if (admission === 'adds') {
      await add(coordinator, id, producer, partitions)
      return () => undefined
    }
    const has = await coordinator.verify(id, producer)
    const missing = new KafkaError(admission === 'old' ? 'INVALID_TXN_STATE' : 'TRANSACTION_ABORTABLE')
    return (topic, partition) => (has(topic, partition) ? undefined : missing)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    // What producers expect here (AddPartitionsToTxnManager).
    const refusal = error.error === 'PRODUCER_FENCED' ? new KafkaError('INVALID_PRODUCER_EPOCH') : error
    return () => refusal
  }
}

/** The last transaction's markers may be on their way: they don't take long, and the client has sent its records. */
async function add(
  coordinator: TransactionCoordinator,
  id: string,
  producer: ProducerIdentity,
  partitions: PartitionSet,
): Promise<void> {
  try {
    await coordinator.add(id, producer, partitions, EPOCH_PER_TRANSACTION)
  } catch (error) {
    if (!(error instanceof KafkaError) || error.error !== 'CONCURRENT_TRANSACTIONS') throw error
    await coordinator.settled(id)
    await coordinator.add(id, producer, partitions, EPOCH_PER_TRANSACTION)
  }
}

/** As Produce tells it: an error that passes is one on which old clients retry without a look at the metadata. */
export function produceError(error: KafkaError, admission: Admission): KafkaError {
  if (error.error === 'INVALID_TXN_STATE') return new KafkaError(error.error, 'Partition was not added to the transaction')
  if (error.error === 'CONCURRENT_TRANSACTIONS' && admission === 'adds') return error
  if (!PASSING.has(error.error)) return new KafkaError(error.error, errorMessage(ErrorCode[error.error]))
  return new KafkaError(
    'NOT_ENOUGH_REPLICAS',
    `Unable to verify the partition has been added to the transaction. Underlying error: ${error.error}`,
  )
}

const PASSING: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
])
