// DescribeGroups (15). A group that does not exist is Dead, without an error up to version 5, GROUP_ID_NOT_FOUND from 6 on.
// The members' metadata and assignments are told of a stable group only.

import type { DescribeGroups } from '../../protocol/apis/describe-groups.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { authorizedOperations, NOT_ASKED } from '../authorized-operations.ts'
import type { ClassicGroup } from '../groups/classic-group.ts'
import { NO_BYTES } from '../groups/classic-requests.ts'
import { metadataOf } from '../groups/member.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'

type Description = ResponseInput<typeof DescribeGroups>['groups'][number]

const NOT_FOUND_SINCE = 6

export const handleDescribeGroups: Handler<typeof DescribeGroups> = async (request, context) => {
  const { broker, apiVersion } = context
  const describeClassic = async (groupId: string) => {
    const error = new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} not found.`)
    try {
      return { found: await broker.groups.describe(groupId, descriptionOf), error }
    } catch (other) {
      if (other instanceof KafkaError && other.error === 'GROUP_ID_NOT_FOUND') return { found: undefined, error: other }
      throw other
    }
  }
  const describe = async (groupId: string): Promise<Description> => {
    try {
      if (!context.isAllowed('DESCRIBE', 'GROUP', groupId)) throw new KafkaError('GROUP_AUTHORIZATION_FAILED')
      const { found, error } = await describeClassic(groupId)
      const isAsked = request.includeAuthorizedOperations
      const operations = isAsked ? authorizedOperations(context, 'GROUP', groupId) : NOT_ASKED
      if (found !== undefined) return { ...found, authorizedOperations: operations }
      return apiVersion >= NOT_FOUND_SINCE ? dead(groupId, error) : { ...dead(groupId), authorizedOperations: operations }
    } catch (error) {
      return { ...dead(groupId, itemError(error, broker, `DescribeGroups of ${groupId}`)), groupState: '', errorMessage: null }
    }
  }
  return { throttleTimeMs: 0, groups: await Promise.all([...new Set(request.groups)].map(describe)) }
}

function descriptionOf(group: ClassicGroup): Description {
  const { id: groupId, state: groupState, protocolType, protocolName } = group
  const isStable = groupState === 'Stable'
  return {
    errorCode: ErrorCode.NONE,
    groupId,
    groupState,
    protocolType,
    protocolData: isStable ? (protocolName ?? '') : '',
    members: group.members.map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: isStable ? metadataOf(member, protocolName) : NO_BYTES,
      memberAssignment: isStable ? member.assignment : NO_BYTES,
    })),
  }
}

function dead(groupId: string, error?: KafkaError): Description {
  const nothing = { groupState: 'Dead', protocolType: '', protocolData: '', members: [] }
  return { errorCode: error?.code ?? ErrorCode.NONE, errorMessage: error?.message ?? null, groupId, ...nothing }
}
