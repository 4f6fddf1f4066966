// SyncGroup (14). Parks until the leader has handed in the assignment. From 3 on with the instance id, from 5 on with the
// protocol, which must be the group's.

import type { SyncGroup } from '../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { refusedSync } from '../groups/classic-requests.ts'
import type { SyncResult } from '../groups/classic-requests.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { untilClosed } from '../parked.ts'

export const handleSyncGroup: Handler<typeof SyncGroup> = async (request, { broker, connection, isAllowed }) => {
  const { groupId, memberId, groupInstanceId, generationId, protocolType, protocolName } = request
  if (!isAllowed('READ', 'GROUP', groupId)) return responseOf(refusedSync('GROUP_AUTHORIZATION_FAILED'))
  try {
    const syncing = broker.groups.sync(groupId, {
      memberId,
      instanceId: groupInstanceId,
      generation: generationId,
      protocolType,
      protocolName,
      // Copied: they stay, the request does not.
      assignments: request.assignments.map((each) => ({ memberId: each.memberId, assignment: Buffer.from(each.assignment) })),
    })
    return responseOf(await untilClosed(connection, syncing, refusedSync('NOT_COORDINATOR')))
  } catch (error) {
    return responseOf(refusedSync(itemError(error, broker, `SyncGroup of ${groupId}`).error))
  }
}

function responseOf({ error, protocolType, protocolName, assignment }: SyncResult): ResponseInput<typeof SyncGroup> {
  return { throttleTimeMs: 0, errorCode: ErrorCode[error], protocolType, protocolName, assignment }
}
