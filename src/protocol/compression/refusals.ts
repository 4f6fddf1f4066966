// The two ways in which compressed data is refused.

import { KafkaError } from '../errors.ts'

export function tooLarge(maxBytes: number): KafkaError {
  return new KafkaError('MESSAGE_TOO_LARGE', `The records take more than ${maxBytes} bytes when decompressed.`)
}

export function corrupt(codec: string, what: string): KafkaError {
  return new KafkaError('CORRUPT_MESSAGE', `The ${codec} data is corrupt: ${what}.`)
}
