// All groups of a broker, of every type. Empty filters let everything through.

import { api, array, int16, int32, string } from '../schema.ts'

export const ListGroups = api('ListGroups', {
  key: 16,
  versions: [0, 5],
  flexible: 3,
  request: { statesFilter: array(string).since(4), typesFilter: array(string).since(5) },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.since(4).ignorable(),
      groupType: string.since(5).ignorable(),
    }),
  },
})
