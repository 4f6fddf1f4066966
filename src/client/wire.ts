// One authenticated byte pipe to one broker. All above it is ours and knows nothing of sockets; all below it
// is replaceable. Requests leave in the order of `send`, and answers are matched by correlation id.

export interface Endpoint {
  readonly host: string // a name or an address; IPv6 without brackets
  readonly port: number
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.host.includes(':')
    ? `[${endpoint.host}]:${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}`
}

export interface WireRequest {
  readonly apiName: string // for error texts
  readonly apiKey: number
  readonly apiVersion: number
  /**
   * Everything after the client id: header tags (flexible versions) and body. Must not change until it is
   * sent.
   */
  readonly payload: readonly Buffer[]
  /** The broker sends no answer (Produce with acks=0). */
  readonly oneWay?: boolean
  /** After this many ms without an answer the wire closes, since a broker answers one connection in order. */
  readonly timeoutMs: number
  /** Stops waiting. The request may have been sent; its answer is dropped. */
  readonly signal?: AbortSignal | undefined
}

export interface Wire {
  readonly endpoint: Endpoint
  /**
   * The bytes after the correlation id; undefined when `oneWay`. Rejects with ConnectError 'closed' when the
   * connection goes, TimeoutError, ProtocolError for bytes that are not Kafka's, or the signal's reason.
   */
  send(request: WireRequest): Promise<Buffer | undefined>
  /** At once; pending sends reject with ConnectError 'closed'. */
  close(): Promise<void>
  /** Settles when the connection is gone, with the reason; undefined when we closed it. Never rejects. */
  readonly closed: Promise<Error | undefined>
}

export interface TlsSettings {
  /** PEM; undefined means Node's own list of authorities. */
  readonly ca: readonly string[] | undefined
  /** PEM: our certificate chain and its key. */
  readonly identity:
    | { readonly chain: string; readonly key: string; readonly passphrase?: string | undefined }
    | undefined
  /** Whether the certificate must be for the host we connect to. */
  readonly checkHost: boolean
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
}

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

export interface SaslSettings {
  readonly mechanism: SaslMechanism
  readonly username: string
  readonly password: string
}

export interface WireOptions {
  readonly clientId: string
  /** For the connection, the TLS handshake and the login together. */
  readonly setupTimeoutMs: number
  readonly tls?: TlsSettings | undefined
  readonly sasl?: SaslSettings | undefined
}

/** Resolves when connected and logged in; rejects with ConnectError. */
export type OpenWire = (endpoint: Endpoint, options: WireOptions) => Promise<Wire>
