// DeleteGroups (42): groups without members, with all that they committed.

import type { DeleteGroups } from '../../protocol/apis/delete-groups.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'

export const handleDeleteGroups: Handler<typeof DeleteGroups> = async (request, { broker, isAllowed }) => {
  const remove = async (groupId: string) => {
    try {
      if (!isAllowed('DELETE', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
      await broker.groups.delete(groupId)
      return { groupId, errorCode: ErrorCode.NONE }
    } catch (error) {
      return { groupId, errorCode: itemError(error, broker, `DeleteGroups of ${groupId}`).code }
    }
  }
  return { throttleTimeMs: 0, results: await Promise.all([...new Set(request.groupsNames)].map(remove)) }
}
