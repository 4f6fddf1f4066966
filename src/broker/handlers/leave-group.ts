// LeaveGroup (13). One member up to version 2, whose error is the answer's; several from 3 on, each with its own, where an
// administrator names static members by their instance id alone.

import type { LeaveGroup } from '../../protocol/apis/leave-group.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'

const SEVERAL_SINCE = 3

export const handleLeaveGroup: Handler<typeof LeaveGroup> = async (request, { broker, apiVersion, isAllowed }) => {
  const { groupId } = request
  const members =
    apiVersion >= SEVERAL_SINCE ? request.members : [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
  try {
    if (!isAllowed('READ', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
    const leaving = members.map(({ memberId, groupInstanceId }) => ({ memberId, instanceId: groupInstanceId }))
    const codes = (await broker.groups.leave(groupId, leaving)).map((error) => ErrorCode[error])
    if (apiVersion < SEVERAL_SINCE) return { throttleTimeMs: 0, errorCode: codes[0], members: [] }
    const results = members.map(({ memberId, groupInstanceId }, at) => ({ memberId, groupInstanceId, errorCode: codes[at] }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, members: results }
  } catch (error) {
    const { code: errorCode } = itemError(error, broker, `LeaveGroup of ${groupId}`)
    return { throttleTimeMs: 0, errorCode, members: [] }
  }
}
