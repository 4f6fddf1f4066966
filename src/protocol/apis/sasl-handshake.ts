// Names the mechanism; from 1 on the exchange itself goes in SaslAuthenticate, with 0 it is raw frames.

import { api, array, int16, string } from '../schema.ts'

export const SaslHandshake = api('SaslHandshake', {
  key: 17,
  versions: [0, 1],
  request: { mechanism: string },
  response: { errorCode: int16, mechanisms: array(string) },
})
