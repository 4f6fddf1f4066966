// How transactional errors are told to clients of older versions.

import { KafkaError } from '../../protocol/errors.ts'

/** PRODUCER_FENCED came with KIP-588: before `since`, its name is INVALID_PRODUCER_EPOCH. */
export function forVersion(error: KafkaError, apiVersion: number, since: number): KafkaError {
  return error.error === 'PRODUCER_FENCED' && apiVersion < since ? new KafkaError('INVALID_PRODUCER_EPOCH') : error
}
