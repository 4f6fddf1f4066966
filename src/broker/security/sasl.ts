// What a SASL mechanism is here: a listener's settings for it, and the exchange of one login.

/** One login attempt. */
export interface SaslExchange {
  /** Takes the client's next token; `user` is there when the login has succeeded. Throws LoginError. */
  step(token: Buffer): { readonly reply: Buffer; readonly user: string | undefined }
}

/** A login that failed. `told` goes to the client; undefined is the text that says nothing, about users least of all. */
export class LoginError extends Error {
  override readonly name = 'LoginError'
  readonly told: string | undefined

  constructor(told?: string) {
    super(told ?? 'the login failed')
    this.told = told
  }
}

export interface SaslMechanism {
  readonly name: string
  /** connections.max.reauth.ms: a login lasts so long; 0: as long as the connection. */
  readonly maxReauthMs: number
  start(): SaslExchange
}

/** What a listener's logins are like. */
export interface SaslSettings {
  /** By name, in the order of sasl.enabled.mechanisms. */
  readonly mechanisms: ReadonlyMap<string, SaslMechanism>
  /** connection.failed.authentication.delay.ms */
  readonly failureDelayMs: number
  /** sasl.server.max.receive.size */
  readonly maxReceiveBytes: number
}
