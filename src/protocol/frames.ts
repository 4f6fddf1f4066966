// Frames: a 4-byte length, a header, a body. Both ends of a connection are here: what a client sends a broker reads.
// Header versions follow from the API: flexible versions add tagged fields, and the client id stays a classic string.
// The one exception is ApiVersions, whose response header is never flexible, so that any client can read the refusal.

import { ProtocolError } from './errors.ts'
import { Reader } from './reader.ts'
import type { Api, Decoded, Encodable, Fields } from './schema.ts'
import { Writer } from './writer.ts'

const API_VERSIONS_KEY = 18

export interface RequestHeader {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  readonly clientId: string | null
}

/** The part of a request's header that is the same for every version; `skipHeaderTags` must follow in flexible ones. */
export function readRequestHeader(from: Reader): RequestHeader {
  const apiKey = from.int16()
  const apiVersion = from.int16()
  const correlationId = from.int32()
  const length = from.int16()
  if (length < -1) throw new ProtocolError(`client id of ${length} bytes`)
  return { apiKey, apiVersion, correlationId, clientId: length === -1 ? null : from.text(length) }
}

export function skipHeaderTags(from: Reader): void {
  for (let left = from.elements(from.uvarint()); left > 0; left--) {
    from.uvarint()
    from.take(from.uvarint())
  }
}

/** Everything of a request after the client id: header tags and body. */
export function encodeRequestPayload<Q extends Fields, S extends Fields>(
  api: Api<Q, S>,
  version: number,
  request: Encodable<Q>,
): Buffer[] {
  const to = new Writer()
  if (version >= api.flexible) to.uvarint(0)
  api.request.codec(version).encode(to, request)
  return to.finish()
}

/** A whole request, its length in front. */
export function encodeRequestFrame<Q extends Fields, S extends Fields>(
  api: Api<Q, S>,
  version: number,
  header: { readonly correlationId: number; readonly clientId: string | null },
  request: Encodable<Q>,
): Buffer[] {
  return frameRequest({ apiKey: api.key, apiVersion: version, ...header }, encodeRequestPayload(api, version, request))
}

/** Length and header in front of what `encodeRequestPayload` made; the pieces are not copied. */
export function frameRequest(header: RequestHeader, payload: readonly Buffer[]): Buffer[] {
  const to = openFrame(64)
  to.int16(header.apiKey)
  to.int16(header.apiVersion)
  to.int32(header.correlationId)
  if (header.clientId === null) to.int16(-1)
  else {
    const size = Buffer.byteLength(header.clientId)
    to.int16(size)
    to.text(header.clientId, size)
  }
  return closeFrame(to, payload)
}

/** A whole response, its length in front. */
export function encodeResponseFrame<Q extends Fields, S extends Fields>(
  api: Api<Q, S>,
  version: number,
  correlationId: number,
  response: Encodable<S>,
): Buffer[] {
  const to = openFrame()
  to.int32(correlationId)
  if (version >= api.flexible && api.key !== API_VERSIONS_KEY) to.uvarint(0)
  api.response.codec(version).encode(to, response)
  return closeFrame(to)
}

/** The body of a response, from the bytes after the correlation id. */
export function decodeResponsePayload<Q extends Fields, S extends Fields>(
  api: Api<Q, S>,
  version: number,
  payload: Buffer,
): Decoded<S> {
  const from = new Reader(payload)
  if (version >= api.flexible && api.key !== API_VERSIONS_KEY) skipHeaderTags(from)
  return api.response.codec(version).decode(from)
}

function openFrame(sizeHint?: number): Writer {
  const to = new Writer(sizeHint)
  to.int32(0) // the length, which closeFrame knows
  return to
}

function closeFrame(to: Writer, payload: readonly Buffer[] = []): Buffer[] {
  const pieces = [...to.finish(), ...payload]
  let size = 0
  for (const piece of pieces) size += piece.length
  pieces[0].writeInt32BE(size - 4)
  return pieces
}
