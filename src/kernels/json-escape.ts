// Text into JSON strings as bytes: what needs no escape is copied in runs, so that text is spliced and never decoded.

import { type ByteOutput } from './byte-output.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

const SHORT: Readonly<Record<number, string>> = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' }

/** Escapes of the bytes below 0x20, of the quote and of the backslash. */
const ESCAPES = Array.from({ length: BACKSLASH + 1 }, (_, byte) =>
  Buffer.from(SHORT[byte] ?? `\\u${byte.toString(16).padStart(4, '0')}`),
)

/** Appends `source[start, end)`, which must be valid UTF-8, as a JSON string with its quotes. */
export function writeJsonString(out: ByteOutput, source: Buffer, start: number, end: number): void {
  out.reserve(end - start + 2)
  out.bytes[out.at++] = QUOTE
  let run = start
  for (let at = start; at < end; at++) {
    const byte = source[at]
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue
    out.range(source, run, at)
    out.all(ESCAPES[byte])
    run = at + 1
  }
  out.range(source, run, end)
  out.reserve(1)
  out.bytes[out.at++] = QUOTE
}
