// A transaction that is decided and has no markers yet, which no client can leave behind at will: the record of the decision
// is put into the state log by hand, as the coordinator would write it.

import { readdirSync } from 'node:fs'
import type { startBroker } from '../../../src/broker/broker.ts'
import { partitionOfId } from '../../../src/broker/coordinator/internal-topic.ts'
import { transactionRecord } from '../../../src/broker/transactions/transaction-record.ts'
import { prepared } from '../../../src/broker/transactions/transaction.ts'
import { BatchBuilder } from '../../../src/protocol/batch-builder.ts'

/** `broker` runs in this process on `directory`, and knows nothing of what is decided here until it is started again. */
export async function decide(broker: Awaited<ReturnType<typeof startBroker>>, directory: string, transactionalId: string): Promise<void> {
  const state = await broker.transactions.describe(transactionalId)
  const { key, value } = transactionRecord(transactionalId, prepared(state, true, 2, undefined, Date.now()), 2)
  const builder = new BatchBuilder(10_000)
  builder.append(key, value, [], Date.now())
  const index = readdirSync(directory).filter((name) => name.startsWith('__transaction_state-')).length
  const { log } = broker.partitions.get('__transaction_state', partitionOfId(transactionalId, index))
  await log.safe(log.append(builder.finish({ codec: 'none' }), 'coordinator').lastOffset + 1)
}
