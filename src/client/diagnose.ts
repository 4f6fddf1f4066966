// Why a broker would not have us. Kafka closes the connection without a word when a client speaks plaintext
// to TLS, TLS to plaintext, or forgets to log in; a second look at the port tells which it was.

import { ErrorCode } from '../protocol/errors.ts'
import { decodeResponsePayload, encodeRequestFrame } from '../protocol/frames.ts'
import { SaslHandshake } from '../protocol/apis/sasl-handshake.ts'
import {
  noSaslListenerError, notKafkaError, plaintextOnTlsError, saslNotOfferedError, saslRequiredError,
  tlsOnPlaintextError,
} from './connect-errors.ts' // prettier-ignore
import { ConnectError } from './errors.ts'
import { probe } from './probe-wire.ts'
import type { Endpoint, TlsSettings, WireOptions } from './wire.ts'

// Two of these after a connection that failed fast leave a command time to answer within 5 s.
const PROBE_MS = 1_500

/**
 * A more telling error where one can be found, else `error` itself, perhaps with a hint. Takes at most two
 * probes.
 */
export async function diagnose(error: unknown, endpoint: Endpoint, options: WireOptions): Promise<unknown> {
  if (!(error instanceof ConnectError)) return error
  switch (error.reason) {
    case 'saslNotOffered':
      return (options.sasl && (await explainMechanism(endpoint, options, options.sasl))) ?? error
    case 'closed':
    case 'tls':
    case 'tlsOnPlaintext':
      return (
        (await (options.tls ? explainTls(endpoint, options) : explainPlaintext(endpoint, options))) ??
        closedWithHint(error)
      )
    case 'timeout': // most of the time is gone: only the likeliest mistake is looked for
      return (
        (await (options.tls
          ? explainTlsToPlaintext(endpoint, options, PROBE_MS / 2)
          : explainSilence(endpoint, options, PROBE_MS / 2))) ?? error
      )
    default:
      return error
  }
}

/** The login failed for its mechanism: which ones are there? */
async function explainMechanism(
  endpoint: Endpoint,
  options: WireOptions,
  sasl: NonNullable<WireOptions['sasl']>,
): Promise<ConnectError | undefined> {
  const listener = await askListener(endpoint, options.tls)
  if (listener.kind === 'sasl') return saslNotOfferedError(endpoint, sasl, listener.mechanisms)
  return listener.kind === 'noSasl' ? noSaslListenerError(endpoint, options) : undefined
}

/** We spoke plaintext and were cut off. */
async function explainPlaintext(endpoint: Endpoint, options: WireOptions): Promise<ConnectError | undefined> {
  const listener = await askListener(endpoint, undefined)
  if (listener.kind === 'sasl' && !options.sasl)
    return saslRequiredError(endpoint, listener.mechanisms, options)
  if (listener.kind === 'other') return notKafkaError(endpoint, listener.answer, options)
  if (listener.kind !== 'silent') return undefined
  const { isConnected } = await probe(endpoint, Buffer.alloc(0), PROBE_MS, 'tls')
  return isConnected ? plaintextOnTlsError(endpoint, options) : undefined
}

/** We spoke plaintext and nothing came back. Servers of text wait for the end of a line. */
async function explainSilence(endpoint: Endpoint, options: WireOptions, timeoutMs: number): Promise<ConnectError | undefined> {
  const { answer } = await probe(endpoint, Buffer.from('GET / HTTP/1.0\r\n\r\n'), timeoutMs, undefined, (bytes) => bytes.includes('\n'))
  return answer.length > 0 ? notKafkaError(endpoint, answer, options) : undefined
}

/** Our TLS handshake failed, or went through and we were cut off afterwards. */
async function explainTls(endpoint: Endpoint, options: WireOptions): Promise<ConnectError | undefined> {
  const mistake = await explainTlsToPlaintext(endpoint, options, PROBE_MS)
  if (mistake || options.sasl) return mistake
  const listener = await askListener(endpoint, options.tls)
  if (listener.kind === 'sasl') return saslRequiredError(endpoint, listener.mechanisms, options)
  return listener.kind === 'other' ? notKafkaError(endpoint, listener.answer, options) : undefined
}

async function explainTlsToPlaintext(
  endpoint: Endpoint,
  options: WireOptions,
  timeoutMs: number,
): Promise<ConnectError | undefined> {
  const listener = await askListener(endpoint, undefined, timeoutMs)
  if (listener.kind === 'sasl') return tlsOnPlaintextError(endpoint, options, 'SASL_PLAINTEXT')
  if (listener.kind === 'noSasl') return tlsOnPlaintextError(endpoint, options, 'PLAINTEXT')
  const isOther = listener.kind === 'other' && !isTlsAlert(listener.answer)
  return isOther ? notKafkaError(endpoint, listener.answer, options) : undefined
}

function isTlsAlert(answer: Buffer): boolean {
  return answer[0] === 0x15 && answer[1] === 0x03
}

type Listener =
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'noSasl' }
  | { readonly kind: 'other'; readonly answer: Buffer }
  | { readonly kind: 'silent' }

/**
 * A SASL handshake for a mechanism that nobody has: a listener with logins answers with its list, one without
 * says that this is not the state for it, and anything but Kafka betrays itself.
 */
async function askListener(
  endpoint: Endpoint,
  settings: TlsSettings | undefined,
  timeoutMs = PROBE_MS,
): Promise<Listener> {
  const header = { correlationId: 1, clientId: 'ktool' }
  const question = Buffer.concat(encodeRequestFrame(SaslHandshake, 1, header, { mechanism: 'NONE' }))
  const isWhole = (bytes: Buffer) => bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE()
  const { answer } = await probe(endpoint, question, timeoutMs, settings, isWhole)
  if (answer.length === 0) return { kind: 'silent' }
  if (!isWhole(answer) || answer.length < 8 || answer.readInt32BE(4) !== header.correlationId)
    return { kind: 'other', answer }
  try {
    const { errorCode, mechanisms } = decodeResponsePayload(SaslHandshake, 1, answer.subarray(8))
    if (errorCode === ErrorCode.UNSUPPORTED_SASL_MECHANISM) return { kind: 'sasl', mechanisms }
    return { kind: 'noSasl' }
  } catch {
    return { kind: 'other', answer }
  }
}

function closedWithHint(error: ConnectError): ConnectError {
  if (error.reason !== 'closed') return error
  return new ConnectError('closed', error.endpoint, {
    message: `${error.endpoint} accepted the connection and closed it without an answer.`,
    hint: 'Is it a Kafka broker, and does its listener speak what security.protocol says?',
    cause: error.cause,
  })
}
