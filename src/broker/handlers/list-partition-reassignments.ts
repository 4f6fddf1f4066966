// ListPartitionReassignments (46): with one node no replica is ever on the move.

import { ErrorCode } from '../../protocol/errors.ts'
import type { ListPartitionReassignments } from '../../protocol/apis/list-partition-reassignments.ts'
import type { Handler } from '../handler.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleListPartitionReassignments: Handler<typeof ListPartitionReassignments> = (_request, context) => {
  checkCluster(context, 'DESCRIBE')
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, topics: [] }
}
