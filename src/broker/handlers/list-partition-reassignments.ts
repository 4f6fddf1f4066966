// ListPartitionReassignments (46): with one node no replica is ever on the move.

import { ErrorCode } from '../../protocol/errors.ts'
import type { ListPartitionReassignments } from '../../protocol/apis/list-partition-reassignments.ts'
import type { Handler } from '../handler.ts'

export const handleListPartitionReassignments: Handler<typeof ListPartitionReassignments> = () => ({
  throttleTimeMs: 0,
  errorCode: ErrorCode.NONE,
  errorMessage: null,
  topics: [],
})
