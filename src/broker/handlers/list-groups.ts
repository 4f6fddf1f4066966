// ListGroups (16): every group of this broker; from 4 on filtered by states, from 5 on by types. Case does not matter.

import type { ListGroups } from '../../protocol/apis/list-groups.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

export const handleListGroups: Handler<typeof ListGroups> = async (request, { broker, isAllowed }) => {
  const seesAll = isAllowed('DESCRIBE', 'CLUSTER', CLUSTER_NAME)
  const isWanted = (filter: readonly string[], value: string): boolean => {
    return filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase())
  }
  const groups = (await broker.groups.list())
    .filter(({ state, type }) => isWanted(request.statesFilter, state) && isWanted(request.typesFilter, type))
    .filter(({ id }) => seesAll || isAllowed('DESCRIBE', 'GROUP', id))
    .map(({ id: groupId, protocolType, state: groupState, type: groupType }) => {
      return { groupId, protocolType, groupState, groupType }
    })
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, groups }
}
