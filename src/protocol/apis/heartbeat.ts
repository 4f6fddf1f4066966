// Keeps a member's session in a classic group alive; the answer may be that the group rebalances.

import { api, int16, int32, string } from '../schema.ts'

export const Heartbeat = api('Heartbeat', {
  key: 12,
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.since(3).nullable().or(null),
  },
  response: { throttleTimeMs: int32.since(1).ignorable(), errorCode: int16 },
})
