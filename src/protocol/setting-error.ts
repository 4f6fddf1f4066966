// A security setting that both ends read alike (key stores, JAAS entries) and that can't be used: `key` is the property's
// name. Client and broker turn it into their own ConfigError. The text never shows a secret.

export class SettingError extends Error {
  override readonly name = 'SettingError'
  readonly key: string

  constructor(key: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.key = key
  }
}
