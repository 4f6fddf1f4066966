// Which broker coordinates a group (key type 0), a transaction (1) or a share group (2). One key up to
// version 3, several from 4 on, each with its own answer.

import { api, array, int8, int16, int32, string } from '../schema.ts'

export const FindCoordinator = api('FindCoordinator', {
  key: 10,
  versions: [0, 6],
  flexible: 3,
  request: {
    key: string.until(3).or(''),
    keyType: int8.since(1).or(0),
    coordinatorKeys: array(string).since(4).or([]),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16.until(3).or(0),
    errorMessage: string.since(1).until(3).nullable().or('').ignorable(),
    nodeId: int32.until(3).or(0),
    host: string.until(3).or(''),
    port: int32.until(3).or(0),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode: int16,
      errorMessage: string.nullable().ignorable(),
    })
      .since(4)
      .or([]),
  },
})
