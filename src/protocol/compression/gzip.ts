// gzip by node:zlib. Members one behind another are read as one, as in Java.

import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { corrupt, tooLarge } from './refusals.ts'

const MAX_CHUNK = 0x100000

export function gzip(bytes: Buffer, level: number = constants.Z_DEFAULT_COMPRESSION): Buffer {
  return gzipSync(bytes, { level })
}

export function gunzip(bytes: Buffer, maxBytes: number): Buffer {
  // The trailer says the size of the last member (modulo 2^32): an honest bomb is refused before it is unpacked.
  if (bytes.length >= 4 && bytes.readUInt32LE(bytes.length - 4) > maxBytes) throw tooLarge(maxBytes)
  // One step of output is as large as the data suggests, so that small batches stay small.
  const chunkSize = Math.max(1024, Math.min(bytes.length * 4, maxBytes, MAX_CHUNK))
  try {
    return gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(maxBytes) // ERR_BUFFER_TOO_LARGE
    throw corrupt('gzip', error instanceof Error ? error.message : String(error))
  }
}
