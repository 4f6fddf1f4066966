// Random ids in Kafka's text form.

import { randomBytes } from 'node:crypto'

/** A version 4 UUID as 22 characters; like Kafka's, none that starts with a dash: tools would take it for an option. */
export function randomUuid(): string {
  for (;;) {
    const bytes = randomBytes(16)
    bytes[6] = (bytes[6] & 0x0f) | 0x40
    bytes[8] = (bytes[8] & 0x3f) | 0x80
    const text = bytes.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
