// The leader of a classic group hands in everyone's assignment, and each member gets its own. A consumer's is a
// ConsumerProtocolAssignment (records/consumer-protocol.ts).

import { api, array, bytes, int16, int32, string } from '../schema.ts'

export const SyncGroup = api('SyncGroup', {
  key: 14,
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.since(3).nullable().or(null),
    protocolType: string.since(5).nullable().or(null).ignorable(),
    protocolName: string.since(5).nullable().or(null).ignorable(),
    assignments: array({ memberId: string, assignment: bytes }),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    protocolType: string.since(5).nullable().or(null).ignorable(),
    protocolName: string.since(5).nullable().or(null).ignorable(),
    assignment: bytes,
  },
})
