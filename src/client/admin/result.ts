// What administration gives back for each item it was asked about: one item's failure is no reason to lose
// the others.

import { KafkaError } from '../../protocol/errors.ts'

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: KafkaError }

/** From an answer's error code and text; `value` counts if the code is 0. */
export function resultOf<T>(errorCode: number, errorMessage: string | null | undefined, value: T): Result<T> {
  return errorCode === 0
    ? { ok: true, value }
    : { ok: false, error: KafkaError.from(errorCode, errorMessage) }
}

export function failed(error: KafkaError): { readonly ok: false; readonly error: KafkaError } {
  return { ok: false, error }
}
