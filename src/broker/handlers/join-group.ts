// JoinGroup (11). Parks until the group is complete. Version 0 has no rebalance timeout; from 4 on a member joins twice,
// the second time with the id it was given; 5: static members; 7: null instead of an empty protocol name where there is
// none; 9: a leader may be told to skip the assignment.

import type { JoinGroup } from '../../protocol/apis/join-group.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { refusedJoin } from '../groups/classic-requests.ts'
import type { JoinResult } from '../groups/classic-requests.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { untilClosed } from '../parked.ts'

const KNOWN_ID_REQUIRED_SINCE = 4
const NULL_PROTOCOL_SINCE = 7
const SKIPS_ASSIGNMENT_SINCE = 9

export const handleJoinGroup: Handler<typeof JoinGroup> = async (request, context) => {
  const { broker, apiVersion, clientId, clientAddress, connection } = context
  const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request
  const refused = (error: ErrorName) => responseOf(refusedJoin(error, memberId), apiVersion)
  if (!context.isAllowed('READ', 'GROUP', groupId)) return responseOf(refusedJoin('GROUP_AUTHORIZATION_FAILED', ''), apiVersion)
  try {
    const joining = broker.groups.join(groupId, {
      memberId,
      instanceId: request.groupInstanceId,
      clientId: clientId ?? '',
      clientHost: `/${clientAddress}`,
      sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutMs === -1 ? sessionTimeoutMs : rebalanceTimeoutMs,
      protocolType: request.protocolType,
      // Copied: they stay, the request does not.
      protocols: protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      requiresKnownId: apiVersion >= KNOWN_ID_REQUIRED_SINCE,
      canSkipAssignment: apiVersion >= SKIPS_ASSIGNMENT_SINCE,
    })
    return responseOf(await untilClosed(connection, joining, refusedJoin('NOT_COORDINATOR', memberId)), apiVersion)
  } catch (error) {
    return refused(itemError(error, broker, `JoinGroup of ${groupId}`).error)
  }
}

function responseOf(result: JoinResult, apiVersion: number): ResponseInput<typeof JoinGroup> {
  const { error, generation, protocolName, protocolType, leader, skipAssignment, memberId, members } = result
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode[error],
    generationId: generation,
    protocolType,
    protocolName: protocolName ?? (apiVersion >= NULL_PROTOCOL_SINCE ? null : ''),
    leader,
    skipAssignment,
    memberId,
    members,
  }
}
