// SaslAuthenticate v0-2: the next token of a login. See SaslHandshake for listeners without one.

import type { SaslAuthenticate } from '../../protocol/apis/sasl-authenticate.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'

export const handleSaslAuthenticate: Handler<typeof SaslAuthenticate> = ({ authBytes }, { connection }) =>
  connection.login?.authenticate(authBytes) ?? {
    errorCode: ErrorCode.ILLEGAL_SASL_STATE,
    errorMessage: 'SaslAuthenticate request received after successful authentication',
    authBytes: Buffer.alloc(0),
  }
