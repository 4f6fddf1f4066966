// DescribeTransactions (65), version 0: what the coordinator knows of transactional ids. Partitions of topics that the
// client may not describe are left out.

import { DescribeTransactions } from '../../protocol/apis/describe-transactions.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'

type State = ResponseInput<typeof DescribeTransactions>['transactionStates'][number]

export const handleDescribeTransactions: Handler<typeof DescribeTransactions> = async ({ transactionalIds }, context) => ({
  throttleTimeMs: 0,
  transactionStates: await Promise.all([...new Set(transactionalIds)].map((id) => stateOf(id, context))),
})

async function stateOf(transactionalId: string, { broker, isAllowed }: RequestContext): Promise<State> {
  try {
    if (!isAllowed('DESCRIBE', 'TRANSACTIONAL_ID', transactionalId)) {
      throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    }
    const { phase, timeoutMs, startedAt, producerId, epoch, partitions } = await broker.transactions.describe(transactionalId)
    const topics = Array.from(partitions, ([topic, indexes]) => ({ topic, partitions: [...indexes] }))
    return {
      errorCode: ErrorCode.NONE,
      transactionalId,
      transactionState: phase,
      transactionTimeoutMs: timeoutMs,
      transactionStartTimeMs: startedAt,
      producerId,
      producerEpoch: epoch,
      topics: topics.filter(({ topic }) => isAllowed('DESCRIBE', 'TOPIC', topic)),
    }
  } catch (error) {
    return {
      errorCode: itemError(error, broker, `DescribeTransactions of ${transactionalId}`).code,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0n,
      producerEpoch: 0,
      topics: [],
    }
  }
}
