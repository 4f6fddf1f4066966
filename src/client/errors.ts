// What can go wrong below the protocol: a broker that can't be reached or won't have us, a wait that ended,
// settings that can't be used. Answers that Kafka defines are KafkaErrors (protocol/errors.ts). Every text
// says what to do about it.

export type ConnectReason =
  | 'refused' // nothing listens there
  | 'dns' // the host name has no address
  | 'unreachable' // no route, network down, not permitted
  | 'timeout' // no connection within socket.connection.setup.timeout.ms
  | 'closed' // the peer closed or reset an established connection, or we closed the client
  | 'tls' // the TLS handshake failed for another reason than the ones below
  | 'certificate' // the broker's certificate is not one we trust, has expired or is for another host
  | 'clientCertificate' // the broker wants a certificate from us, or refuses ours
  | 'plaintextOnTls' // we speak plaintext, the port speaks TLS
  | 'tlsOnPlaintext' // we speak TLS, the port doesn't
  | 'notKafka' // something answers, but not with Kafka's protocol
  | 'saslRequired' // the listener wants a login, we have none configured
  | 'saslNotOffered' // the listener doesn't log anybody in, or not with our mechanism
  | 'authentication' // the broker refused the login

/** Reasons that may pass by themselves, so that trying again makes sense. */
const TRANSIENT: ReadonlySet<ConnectReason> = new Set(['refused', 'dns', 'unreachable', 'timeout', 'closed'])

interface ErrorText {
  readonly message: string
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * A broker could not be reached, or the connection to it was lost. `message` is one sentence, `hint` what to
 * do.
 */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly reason: ConnectReason
  /** `host:port` as tried. */
  readonly endpoint: string
  /** What to do about it, one or two sentences; '' when there is nothing to say. */
  readonly hint: string

  constructor(reason: ConnectReason, endpoint: string, text: ErrorText) {
    super(text.message, text.cause === undefined ? undefined : { cause: text.cause })
    this.reason = reason
    this.endpoint = endpoint
    this.hint = text.hint ?? ''
  }

  get retriable(): boolean {
    return TRANSIENT.has(this.reason)
  }
}

/** A deadline passed. `cause` is the last failure of what was tried until then, if there was one. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** Settings that can't be used: `key` names the property, or is null where a whole file is meant. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly key: string | null

  constructor(key: string | null, message: string, options?: ErrorOptions) {
    super(message, options)
    this.key = key
  }
}
