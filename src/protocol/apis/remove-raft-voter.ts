// Takes a controller from the voters of a dynamic quorum (KIP-853).

import { api, int16, int32, string, uuid } from '../schema.ts'

export const RemoveRaftVoter = api('RemoveRaftVoter', {
  key: 81,
  versions: [0, 0],
  flexible: 0,
  request: { clusterId: string.nullable(), voterId: int32, voterDirectoryId: uuid },
  response: { throttleTimeMs: int32, errorCode: int16, errorMessage: string.nullable().ignorable() },
})
