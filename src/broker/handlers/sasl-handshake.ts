// SaslHandshake v0-1. No listener of this broker asks for a login, so the state for one never comes: the answer is
// Kafka's of a PLAINTEXT listener, and clients set to SASL can say what is wrong. Not done: SASL listeners.

import type { SaslHandshake } from '../../protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'

export const handleSaslHandshake: Handler<typeof SaslHandshake> = () => ({
  errorCode: ErrorCode.ILLEGAL_SASL_STATE,
  mechanisms: [],
})
