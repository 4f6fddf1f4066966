// SaslAuthenticate v0-2. See SaslHandshake: nobody can be in the state for it.

import type { SaslAuthenticate } from '../../protocol/apis/sasl-authenticate.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'

export const handleSaslAuthenticate: Handler<typeof SaslAuthenticate> = () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: Buffer.alloc(0),
})
