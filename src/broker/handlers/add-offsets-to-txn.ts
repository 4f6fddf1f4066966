// AddOffsetsToTxn (25), versions 0 to 4: the partition that a group's offsets are kept in joins a transaction, before
// TxnOffsetCommit. Clients that know transaction.version 2 leave it out.

import { AddOffsetsToTxn } from '../../protocol/apis/add-offsets-to-txn.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { GROUPS_TOPIC } from '../groups/group-coordinator.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { forVersion } from '../transactions/errors.ts'

const FENCED_SINCE = 2

export const handleAddOffsetsToTxn: Handler<typeof AddOffsetsToTxn> = async (request, { broker, apiVersion, isAllowed }) => {
  const { transactionalId, producerId, producerEpoch, groupId } = request
  try {
    if (!isAllowed('WRITE', 'TRANSACTIONAL_ID', transactionalId)) {
      throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    }
    if (!isAllowed('READ', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
    await broker.groups.ensureTopic()
    const partitions = new Map([[GROUPS_TOPIC, new Set([broker.groups.partitionOf(groupId)])]])
    await broker.transactions.add(transactionalId, { producerId, epoch: producerEpoch }, partitions, 0)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE }
  } catch (error) {
    const failure = itemError(error, broker, `AddOffsetsToTxn of ${transactionalId}`)
    return { throttleTimeMs: 0, errorCode: forVersion(failure, apiVersion, FENCED_SINCE).code }
  }
}
