// SaslHandshake v0-1. On a listener that asks for a login it begins one; on others it is out of place, as in Kafka, and
// clients set to SASL can say what is wrong.

import type { SaslHandshake } from '../../protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'

export const handleSaslHandshake: Handler<typeof SaslHandshake> = ({ mechanism }, { connection, apiVersion }) =>
  connection.login?.handshake(mechanism, apiVersion) ?? { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
