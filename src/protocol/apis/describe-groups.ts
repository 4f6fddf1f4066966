// State and members of classic groups. From 6 on a group that does not exist is GROUP_ID_NOT_FOUND instead of Dead.

import { api, array, bool, bytes, int16, int32, string } from '../schema.ts'

export const DescribeGroups = api('DescribeGroups', {
  key: 15,
  versions: [0, 6],
  flexible: 5,
  request: { groups: array(string), includeAuthorizedOperations: bool.since(3) },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    groups: array({
      errorCode: int16,
      errorMessage: string.since(6).nullable().or(null),
      groupId: string,
      groupState: string,
      protocolType: string,
      protocolData: string,
      members: array({
        memberId: string,
        groupInstanceId: string.since(4).nullable().or(null).ignorable(),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes,
      }),
      authorizedOperations: int32.since(3).or(-2147483648),
    }),
  },
})
