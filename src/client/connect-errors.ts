// What a failed socket, handshake or login means, in words: the reason, one sentence on what happened, and
// what to do.

import { ConnectError, type ConnectReason } from './errors.ts'
import { formatEndpoint, type Endpoint, type SaslSettings, type WireOptions } from './wire.ts'

type Security = Pick<WireOptions, 'tls' | 'sasl'>

/** An error of a socket, before or after it connected. */
export function socketError(endpoint: Endpoint, error: Error, options: Security): ConnectError {
  if (error instanceof ConnectError) return error
  const code = codeOf(error)
  const at = formatEndpoint(endpoint)
  const make = (reason: ConnectReason, message: string, hint = ''): ConnectError =>
    new ConnectError(reason, at, { message, hint, cause: error })

  if (code === 'ECONNREFUSED') {
    const hint = 'Start the broker, or check --bootstrap-server.'
    return make('refused', `Connection to ${at} refused: nothing listens there.`, hint)
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_NODATA' || code === 'EAI_NONAME') {
    const hint = `Check the spelling of ${endpoint.host}, or the name servers of this machine.`
    return make('dns', `The host name ${endpoint.host} has no address (${code}).`, hint)
  }
  if (code === 'ECONNRESET' || code === 'EPIPE') {
    if (!options.tls || !/secure TLS connection/.test(error.message)) return closedError(endpoint, error)
    return make(
      'tls',
      `${at} ended the TLS handshake.`,
      'Is TLS (security.protocol=SSL or SASL_SSL) what this port speaks?',
    )
  }
  if (code === 'ETIMEDOUT')
    return make('timeout', `No connection to ${at}: the network does not answer.`, TIMEOUT_HINT)
  if (code.startsWith('E') && /^E(HOST|NET|ADDR|ACCES|PERM|INVAL)/.test(code)) {
    return make(
      'unreachable',
      `${at} can't be reached (${code}).`,
      'Check the address, the network and the firewall.',
    )
  }
  return tlsError(endpoint, error, options, make)
}

const TIMEOUT_HINT = 'Check the address and the firewall; socket.connection.setup.timeout.ms is the limit.'

type Make = (reason: ConnectReason, message: string, hint?: string) => ConnectError

function tlsError(endpoint: Endpoint, error: Error, options: Security, make: Make): ConnectError {
  const code = codeOf(error)
  const at = formatEndpoint(endpoint)
  const certificate = CERTIFICATE_ERRORS.get(code)
  if (certificate) return make('certificate', `The certificate of ${at} ${certificate[0]}.`, certificate[1])
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = (error as { cert?: { subjectaltname?: string } }).cert?.subjectaltname
    const host = names ? ` (${describeNames(names)})` : ''
    const message = `The certificate of ${at} is for another host${host}.`
    return make(
      'certificate',
      message,
      'Use a name from the certificate, or set ssl.endpoint.identification.algorithm= (empty) to skip the check.',
    )
  }
  if (/CERT|VERIFY|CRL|UNABLE_TO/.test(code) && !code.startsWith('ERR_SSL')) {
    return make('certificate', `The certificate of ${at} is not acceptable: ${error.message}.`, TRUST_HINT)
  }
  if (
    /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_UNKNOWN|CERTIFICATE_EXPIRED)/.test(
      code,
    )
  ) {
    const hint =
      'Set ssl.keystore.location and ssl.keystore.password to a certificate that the broker trusts.'
    return make('clientCertificate', `${at} wants a client certificate that it trusts.`, hint)
  }
  if (
    /WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|UNEXPECTED_MESSAGE|INVALID_RECORD/.test(
      code + error.message.toUpperCase().replaceAll(' ', '_'),
    )
  ) {
    return tlsOnPlaintextError(endpoint, options)
  }
  if (/UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE|NO_CIPHER/.test(code)) {
    const hint =
      'No TLS version or cipher in common (ssl.enabled.protocols), or no client certificate (ssl.keystore.*).'
    return make('tls', `The TLS handshake with ${at} failed: ${describe(error)}.`, hint)
  }
  if (
    code.startsWith('ERR_SSL') ||
    code.startsWith('ERR_TLS') ||
    code === 'EPROTO' ||
    code.startsWith('ERR_OSSL')
  ) {
    return make(
      'tls',
      `The TLS handshake with ${at} failed: ${describe(error)}.`,
      'Check the ssl.* settings on both ends.',
    )
  }
  return make('closed', `The connection to ${at} failed: ${error.message}.`)
}

const TRUST_HINT = "Point ssl.truststore.location at the authority that signed the broker's certificate."

const CERTIFICATE_ERRORS: ReadonlyMap<string, readonly [what: string, hint: string]> = new Map(
  Object.entries({
    DEPTH_ZERO_SELF_SIGNED_CERT: ['is self-signed and not in the trust store', TRUST_HINT],
    SELF_SIGNED_CERT_IN_CHAIN: ['is signed by an authority that is not in the trust store', TRUST_HINT],
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['is signed by an authority that is not in the trust store', TRUST_HINT],
    UNABLE_TO_GET_ISSUER_CERT: ['is signed by an authority that is not in the trust store', TRUST_HINT],
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
      'is signed by an authority that is not in the trust store',
      TRUST_HINT,
    ],
    CERT_SIGNATURE_FAILURE: ['has a signature that does not match the trust store', TRUST_HINT],
    CERT_HAS_EXPIRED: ['has expired', "Renew the broker's certificate, or check the clock of this machine."],
    CERT_NOT_YET_VALID: [
      'is not valid yet',
      'Check the clock of this machine and of the one that made the certificate.',
    ],
  } as const),
)

/** "DNS:a, DNS:b, IP Address:1.2.3.4" as "a, b, 1.2.3.4". */
function describeNames(names: string): string {
  return names
    .replace(/\b(DNS|IP Address|URI):/g, '')
    .replace(/["']/g, '')
    .slice(0, 200)
}

/**
 * OpenSSL's own words out of "C0:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake
 * failure:../deps/...".
 */
function describe(error: Error): string {
  return /:SSL routines:[^:]*:([^:]+):/.exec(error.message)?.[1] ?? error.message.trim()
}

export function closedError(endpoint: Endpoint, cause?: unknown): ConnectError {
  const at = formatEndpoint(endpoint)
  return new ConnectError('closed', at, { message: `The connection to ${at} was closed.`, cause })
}

export function setupTimeoutError(
  endpoint: Endpoint,
  timeoutMs: number,
  phase: 'connect' | 'login',
): ConnectError {
  const at = formatEndpoint(endpoint)
  const what = phase === 'connect' ? `No connection to ${at}` : `No end of the login to ${at}`
  return new ConnectError('timeout', at, { message: `${what} within ${timeoutMs} ms.`, hint: TIMEOUT_HINT })
}

/** A host or a port that can't be one. */
export function noAddressError(endpoint: Endpoint): ConnectError {
  const at = formatEndpoint(endpoint)
  return new ConnectError('dns', at, {
    message: `${at} is not an address that can be connected to.`,
    hint: "If the cluster advertises it, correct the broker's advertised.listeners.",
  })
}

/** The first bytes of an answer that can't be Kafka's. */
export function notKafkaError(endpoint: Endpoint, start: Buffer, options: Security): ConnectError {
  const at = formatEndpoint(endpoint)
  if (!options.tls && start[0] === 0x15 && start[1] === 0x03) return plaintextOnTlsError(endpoint, options)
  const text = start.toString('latin1')
  const what = text.startsWith('HTTP/')
    ? 'is an HTTP server'
    : text.startsWith('SSH-')
      ? 'is an SSH server'
      : undefined
  const shown = /^[\x20-\x7e\r\n]+$/.test(text)
    ? `, it says "${text.split('\r')[0].split('\n')[0].slice(0, 40)}"`
    : ''
  return new ConnectError('notKafka', at, {
    message: `${at} ${what === undefined ? 'does not speak the Kafka protocol' : `${what}, not a Kafka broker`}${shown}.`,
    hint: 'Check the port: brokers usually listen on 9092.',
  })
}

export function plaintextOnTlsError(endpoint: Endpoint, options: Security): ConnectError {
  const at = formatEndpoint(endpoint)
  const wanted = options.sasl ? 'SASL_SSL' : 'SSL (or SASL_SSL)'
  return new ConnectError('plaintextOnTls', at, {
    message: `${at} speaks TLS, and this client is set to plaintext.`,
    hint: `Set security.protocol=${wanted} and, for a private authority, ssl.truststore.location.`,
  })
}

/** `wanted` is what the listener speaks, as far as is known. */
export function tlsOnPlaintextError(endpoint: Endpoint, options: Security, wanted?: string): ConnectError {
  const at = formatEndpoint(endpoint)
  const protocol = wanted ?? (options.sasl ? 'SASL_PLAINTEXT' : 'PLAINTEXT (or SASL_PLAINTEXT)')
  return new ConnectError('tlsOnPlaintext', at, {
    message: `${at} does not speak TLS, and this client is set to it.`,
    hint: `Set security.protocol=${protocol}, or use the port of the TLS listener.`,
  })
}

/** The port took the connection and said nothing at all. */
export function silentError(endpoint: Endpoint, timeoutMs: number): ConnectError {
  const at = formatEndpoint(endpoint)
  return new ConnectError('timeout', at, {
    message: `${at} accepted the connection and did not answer within ${timeoutMs} ms.`,
    hint: 'Is it a Kafka broker? If it is, it may be overloaded or stopped.',
  })
}

export function saslRequiredError(
  endpoint: Endpoint,
  mechanisms: readonly string[],
  options: Security,
): ConnectError {
  const at = formatEndpoint(endpoint)
  const protocol = options.tls ? 'SASL_SSL' : 'SASL_PLAINTEXT'
  return new ConnectError('saslRequired', at, {
    message: `${at} wants a login (SASL ${mechanisms.join(', ')}), and this client has none configured.`,
    hint: `Set security.protocol=${protocol}, sasl.mechanism=${mechanisms[0] ?? 'PLAIN'} and sasl.jaas.config.`,
  })
}

export function saslNotOfferedError(
  endpoint: Endpoint,
  sasl: SaslSettings,
  mechanisms: readonly string[],
): ConnectError {
  const at = formatEndpoint(endpoint)
  return new ConnectError('saslNotOffered', at, {
    message: `${at} does not offer SASL ${sasl.mechanism}, it offers ${mechanisms.join(', ') || 'none'}.`,
    hint: `Set sasl.mechanism to one of those, or enable ${sasl.mechanism} on the broker (sasl.enabled.mechanisms).`,
  })
}

export function noSaslListenerError(endpoint: Endpoint, options: Security): ConnectError {
  const at = formatEndpoint(endpoint)
  return new ConnectError('saslNotOffered', at, {
    message: `${at} has no logins: its listener does not use SASL.`,
    hint: `Set security.protocol=${options.tls ? 'SSL' : 'PLAINTEXT'}, or use the port of the SASL listener.`,
  })
}

/** What the login ended with; errors of the connection itself are passed on. */
export function authenticationError(endpoint: Endpoint, sasl: SaslSettings, error: unknown): Error {
  if (error instanceof ConnectError) return error
  const at = formatEndpoint(endpoint)
  const { message, type } = error as Error & { type?: string }
  if (type === 'UNSUPPORTED_SASL_MECHANISM' || /mechanism is not supported/.test(message)) {
    return saslNotOfferedError(endpoint, sasl, [])
  }
  if (type === 'ILLEGAL_SASL_STATE') return noSaslListenerError(endpoint, { tls: undefined })
  const detail = message.replace(/^SASL [A-Z0-9-]+ (SHA\d+ )?authentication failed: /i, '')
  return new ConnectError('authentication', at, {
    message: `${at} refused the login of "${sasl.username}" with ${sasl.mechanism}: ${detail}`,
    hint: 'Check user name and password in sasl.jaas.config, and sasl.mechanism.',
    cause: error,
  })
}

function codeOf(error: Error): string {
  // Several addresses tried (happy eyeballs) end in one AggregateError; its code is that of the first.
  const { code } = error as NodeJS.ErrnoException
  return code ?? ''
}
