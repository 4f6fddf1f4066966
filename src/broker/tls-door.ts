// The TLS of one listener: from an accepted socket to a stream in the clear, and to who the client's certificate says it
// is. Binds no port: server.ts accepts, counts, and looks after how long a handshake may take.

import type { Socket } from 'node:net'
import { createServer, getCiphers, type Server, type TLSSocket } from 'node:tls'
import { StoreError } from '../protocol/stores/der.ts'
import { greetingIn } from './connection-frames.ts'
import type { Stranger } from './limits.ts'
import { ANONYMOUS } from './security/acl.ts'
import { certificatePrincipal } from './security/distinguished-name.ts'
import type { TlsSettings } from './security/listener-security.ts'
import { StartError } from './start-error.ts'

const TLS_HANDSHAKE = 0x16 // the first byte of a TLS client

/** How a handshake ends: one of them is called, once. */
export interface HandshakeEnd {
  done(stream: TLSSocket, principal: string): void
  /** The socket is destroyed. Without a reason the client just went. */
  failed(reason?: string): void
}

interface Handshake extends Stranger {
  close(reason?: string): void
  /** Whether it was still under way: whoever is told so ends it. */
  end(): boolean
  readonly outcome: HandshakeEnd
}

export class TlsDoor {
  readonly #settings: TlsSettings
  readonly #server: Server
  /** By address and port of the client: Node tells how a handshake went by its own socket, not by ours. */
  readonly #handshakes = new Map<string, Handshake>()

  /** Throws StartError for a certificate, key or ciphers that can't be used. */
  constructor(listener: string, settings: TlsSettings) {
    this.#settings = settings
    this.#server = tlsServer(listener, settings)
    this.#server.on('tlsClientError', (error, stream) => {
      this.#handshakes.get(keyOf(stream))?.close(`the TLS handshake failed: ${tlsReason(error)}`)
    })
    this.#server.on('secureConnection', (stream) => this.#onSecure(stream))
  }

  /** A client that sends nothing costs a socket and no more: TLS begins with its first byte. */
  shakeHands(socket: Socket, outcome: HandshakeEnd): Stranger {
    const key = keyOf(socket)
    let isOver = false
    const handshake: Handshake = {
      outcome,
      end: () => !isOver && (isOver = true),
      close: (reason) => {
        if (!handshake.end()) return
        socket.destroy()
        outcome.failed(reason)
      },
    }
    this.#handshakes.set(key, handshake)
    socket.allowHalfOpen = false // the TLS socket takes it over: who goes in the middle of the handshake is gone
    socket.on('error', () => undefined) // 'close' follows
    socket.once('close', () => {
      if (this.#handshakes.get(key) === handshake) this.#handshakes.delete(key)
      handshake.close()
    })
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null
      if (isOver) return
      if (first === null) handshake.close()
      else if (first[0] !== TLS_HANDSHAKE) handshake.close(greetingIn(first) ?? 'a client without TLS on a TLS listener')
      else {
        socket.unshift(first)
        this.#server.emit('connection', socket)
      }
    })
    return handshake
  }

  #onSecure(stream: TLSSocket): void {
    const handshake = this.#handshakes.get(keyOf(stream))
    const { principal, refusal } = this.#clientOf(stream)
    if (handshake === undefined) stream.destroy()
    else if (principal === undefined) handshake.close(refusal)
    else if (handshake.end()) {
      stream.allowHalfOpen = true // from now on: a client may say its last word and wait for answers
      handshake.outcome.done(stream, principal)
    } else stream.destroy()
  }

  #clientOf(stream: TLSSocket): { principal?: string | undefined; refusal?: string | undefined } {
    const { clientAuth, principalOf } = this.#settings
    const certificate = clientAuth === 'none' ? undefined : stream.getPeerX509Certificate()
    if (certificate === undefined) return { principal: ANONYMOUS }
    // First of all: what nobody vouches for isn't even read.
    if (!stream.authorized) return { refusal: `the client's certificate is not trusted: ${String(stream.authorizationError)}` }
    try {
      const principal = certificatePrincipal(certificate.raw, principalOf)
      return { principal, refusal: 'no rule of ssl.principal.mapping.rules fits its certificate' }
    } catch (error) {
      // OpenSSL takes some that are not DER.
      if (!(error instanceof StoreError)) throw error
      return { refusal: `the client's certificate can't be read: ${error.message}` }
    }
  }
}

function tlsServer(listener: string, settings: TlsSettings): Server {
  const { identity, trust, clientAuth, minVersion, maxVersion, ciphers } = settings
  const known = new Set(getCiphers())
  const unknown = ciphers.find((name) => !known.has(name.toLowerCase()))
  if (unknown !== undefined) throw new StartError(`listener ${listener}: ssl.cipher.suites: ${unknown} is not known here`)
  try {
    return createServer({
      key: identity.key,
      cert: identity.chain,
      ...(trust && { ca: [...trust] }),
      ...(ciphers.length > 0 && { ciphers: ciphers.join(':') }),
      minVersion,
      maxVersion,
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: clientAuth === 'required',
    })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StartError(`listener ${listener}: its certificate, key or ciphers can't be used: ${why}`, { cause: error })
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? 'unknown'} ${remotePort}`
}

/** OpenSSL's own words for what a client did, without the place in its source. */
function tlsReason(error: Error): string {
  const { reason, code } = error as Error & { reason?: string; code?: string }
  return reason ?? (code === 'ECONNRESET' ? 'the client went away' : error.message)
}
