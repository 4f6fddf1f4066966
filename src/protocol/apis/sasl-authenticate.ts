// One step of the exchange that SaslHandshake opened.

import { api, bytes, int16, int64, string } from '../schema.ts'

export const SaslAuthenticate = api('SaslAuthenticate', {
  key: 36,
  versions: [0, 2],
  flexible: 2,
  request: { authBytes: bytes },
  response: {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.since(1).or(0).ignorable(),
  },
})
