// Heartbeat (12), from 3 on with the instance id. REBALANCE_IN_PROGRESS renews the session as well.

import type { Heartbeat } from '../../protocol/apis/heartbeat.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'

export const handleHeartbeat: Handler<typeof Heartbeat> = async (request, { broker, isAllowed }) => {
  const { groupId, memberId, groupInstanceId, generationId } = request
  try {
    if (!isAllowed('READ', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
    await broker.groups.heartbeat(groupId, memberId, groupInstanceId, generationId)
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE }
  } catch (error) {
    const { code } = itemError(error, broker, `Heartbeat of ${groupId}`)
    // Each member has a full session from the end of loading on, so nothing is lost (GroupCoordinatorService).
    return { throttleTimeMs: 0, errorCode: code === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS ? ErrorCode.NONE : code }
  }
}
