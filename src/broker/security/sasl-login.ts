// The login of one connection on a SASL listener: which request may come when, what is answered, and for how long a login
// lasts (Kafka's SaslServerAuthenticator, KIP-43, KIP-152, KIP-368). Before it is done nothing but ApiVersions,
// SaslHandshake and the tokens is even decoded.

import type { Clock } from '../../base/clock.ts'
import { ApiVersions } from '../../protocol/apis/api-versions.ts'
import { SaslAuthenticate } from '../../protocol/apis/sasl-authenticate.ts'
import { SaslHandshake } from '../../protocol/apis/sasl-handshake.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import { CloseConnection, type ClientConnection, type Login, type Reply } from '../connection.ts'
import { LoginError, type SaslExchange, type SaslMechanism, type SaslSettings } from './sasl.ts'

type State =
  | 'start' // ApiVersions or SaslHandshake
  | 'versioned' // ApiVersions is answered
  | 'tokens' // in SaslAuthenticate requests
  | 'rawTokens' // frames without a header, after SaslHandshake version 0
  | 'loggedIn'
  | 'renewing' // a SaslHandshake came on a connection with a login
  | 'failed'

const MIN_RENEWAL_INTERVAL_MS = 1000
const NO_BYTES = Buffer.alloc(0)

export class SaslLogin implements Login {
  readonly #connection: ClientConnection
  readonly #settings: SaslSettings
  readonly #clock: Clock
  #state: State = 'start'
  #mechanism: SaslMechanism | undefined
  #exchange: SaslExchange | undefined
  #isRenewal = false
  /** Of a renewal: the mechanism must be the one of the first login. */
  #isOtherMechanism = false
  #endsAt = Infinity // of the login, monotonic
  #renewedAt = -Infinity

  constructor(connection: ClientConnection, settings: SaslSettings, clock: Clock) {
    this.#connection = connection
    this.#settings = settings
    this.#clock = clock
  }

  serve(frame: Buffer, next: () => Reply | Promise<Reply>): Reply | Promise<Reply> {
    if (this.#state === 'loggedIn') {
      if (this.#endsAt !== Infinity) this.#checkEnd(frame)
      return next()
    }
    if (this.#state === 'rawTokens') return this.#rawToken(frame)
    const key = frame.length < 4 ? -1 : frame.readInt16BE(0)
    const isAllowed =
      this.#state === 'tokens'
        ? key === SaslAuthenticate.key || key === SaslHandshake.key
        : key === SaslHandshake.key || (key === ApiVersions.key && this.#state === 'start')
    if (!isAllowed) throw new CloseConnection(`a request with api key ${key} before the login on ${this.#connection.listener}`)
    // One it doesn't have is answered with the versions it has, and asked again.
    const [, newest] = ApiVersions.versions
    if (key === ApiVersions.key && frame.readInt16BE(2) <= newest) this.#state = 'versioned'
    return next()
  }

  /** Answers SaslHandshake of `version`. */
  async handshake(name: string, version: number): Promise<ResponseInput<typeof SaslHandshake>> {
    if (this.#state === 'loggedIn') return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
    if (this.#state === 'tokens') {
      await this.#fail('a second SaslHandshake')
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, mechanisms: [] }
    }
    const mechanisms = [...this.#settings.mechanisms.keys()]
    const mechanism = this.#settings.mechanisms.get(name)
    if (mechanism === undefined) {
      await this.#fail('a mechanism that is not enabled')
      return { errorCode: ErrorCode.UNSUPPORTED_SASL_MECHANISM, mechanisms }
    }
    this.#isOtherMechanism = this.#isRenewal && mechanism !== this.#mechanism
    if (!this.#isRenewal) this.#mechanism = mechanism
    this.#exchange = mechanism.start()
    this.#state = version === 0 ? 'rawTokens' : 'tokens'
    return { errorCode: ErrorCode.NONE, mechanisms }
  }

  /** Answers SaslAuthenticate. */
  async authenticate(token: Buffer): Promise<ResponseInput<typeof SaslAuthenticate>> {
    if (this.#state === 'loggedIn') {
      const errorMessage = 'SaslAuthenticate request received after successful authentication'
      return { errorCode: ErrorCode.ILLEGAL_SASL_STATE, errorMessage, authBytes: NO_BYTES }
    }
    try {
      const reply = this.#step(token)
      const sessionLifetimeMs = this.#state === 'tokens' ? 0 : (this.#mechanism?.maxReauthMs ?? 0)
      return { errorCode: ErrorCode.NONE, errorMessage: null, authBytes: reply, sessionLifetimeMs }
    } catch (error) {
      if (!(error instanceof LoginError)) throw error
      const errorMessage = error.told ?? this.#standardText()
      await this.#fail('wrong credentials')
      return { errorCode: ErrorCode.SASL_AUTHENTICATION_FAILED, errorMessage, authBytes: NO_BYTES }
    }
  }

  async #rawToken(token: Buffer): Promise<Reply> {
    try {
      const reply = this.#step(token)
      const length = Buffer.alloc(4)
      length.writeInt32BE(reply.length)
      return [length, reply]
    } catch (error) {
      if (!(error instanceof LoginError)) throw error
      await this.#fail('wrong credentials') // such a client can't be told
      return undefined
    }
  }

  #step(token: Buffer): Buffer {
    const mechanism = this.#mechanism
    if (this.#exchange === undefined || mechanism === undefined) throw new LoginError()
    if (this.#isOtherMechanism) {
      throw new LoginError(`The SASL mechanism of a connection cannot change during re-authentication; it is ${mechanism.name}`)
    }
    const { reply, user } = this.#exchange.step(token)
    if (user === undefined) return reply
    const principal = `User:${user}`
    const before = this.#connection.principal
    if (this.#isRenewal && principal !== before) {
      const [was, is] = [before, principal].map((name) => name.replace(':', '.'))
      throw new LoginError(`Cannot change principals during re-authentication from ${was}: ${is}`)
    }
    this.#exchange = undefined
    this.#state = 'loggedIn'
    this.#endsAt = mechanism.maxReauthMs > 0 ? this.#clock.monotonic() + mechanism.maxReauthMs : Infinity
    this.#connection.identify(principal)
    return reply
  }

  /** A login that lasts for a time is renewed by a handshake, at most once a second; when it has ended nothing else is served. */
  #checkEnd(frame: Buffer): void {
    const now = this.#clock.monotonic()
    const isHandshake = frame.length >= 2 && frame.readInt16BE(0) === SaslHandshake.key
    if (isHandshake && now - this.#renewedAt >= MIN_RENEWAL_INTERVAL_MS) {
      this.#renewedAt = now
      this.#isRenewal = true
      this.#state = 'renewing'
    } else if (now > this.#endsAt) {
      throw new CloseConnection(`the login on ${this.#connection.listener} has ended and was not renewed`)
    }
  }

  /** Resolves when the answer may go; it is the last one. The wait makes guessing slow. */
  async #fail(why: string): Promise<void> {
    this.#state = 'failed'
    this.#exchange = undefined
    const connection = this.#connection
    connection.report(`login on ${connection.listener} from ${connection.remoteAddress} failed: ${why}`)
    if (this.#settings.failureDelayMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(this.#settings.failureDelayMs, resolve)
        connection.onClose(() => {
          timer.cancel()
          resolve()
        })
      })
    }
    connection.finish()
  }

  #standardText(): string {
    const during = this.#isRenewal ? 're-authentication' : 'authentication'
    return `Authentication failed during ${during} due to invalid credentials with SASL mechanism ${this.#mechanism?.name ?? ''}`
  }
}
