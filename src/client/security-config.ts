// security.protocol, sasl.* and ssl.*: which of them are wanted, and what they come to.

import { parseJaasConfig } from '../protocol/jaas.ts'
import { SettingError } from '../protocol/setting-error.ts'
import type { CheckedProperties } from './config-keys.ts'
import { ConfigError } from './errors.ts'
import { readConfigFile } from './config-file.ts'
import type { SaslMechanism, SaslSettings, TlsSettings } from './wire.ts'

export type SecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'

export interface SecuritySettings {
  readonly securityProtocol: SecurityProtocol
  readonly tls: TlsSettings | undefined
  readonly sasl: SaslSettings | undefined
}

/** As in Kafka, ssl.* and sasl.* count only if security.protocol says so. Throws ConfigError. */
export async function securitySettings(values: CheckedProperties): Promise<SecuritySettings> {
  const securityProtocol = values.choice('security.protocol') as SecurityProtocol
  try {
    const sasl = securityProtocol.startsWith('SASL') ? saslSettings(values) : undefined
    const tls = securityProtocol.endsWith('SSL') ? await tlsSettings(values) : undefined
    return { securityProtocol, tls, sasl }
  } catch (error) {
    if (error instanceof SettingError) throw new ConfigError(error.key, error.message, { cause: error })
    throw error
  }
}

const MECHANISMS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

function saslSettings(values: CheckedProperties): SaslSettings {
  const key = 'sasl.mechanism'
  const name = values.text(key)
  const mechanism = MECHANISMS.find((known) => known === name?.toUpperCase())
  if (mechanism === undefined) {
    const problem = name === undefined ? `${key} is missing, and Kafka's default GSSAPI` : `${key}=${name}`
    throw new ConfigError(key, `${problem} can't be honoured: ktool has ${MECHANISMS.join(', ')}`)
  }
  const jaas = values.secret('sasl.jaas.config')
  if (jaas === undefined)
    throw new ConfigError('sasl.jaas.config', `sasl.jaas.config is missing: ${example(mechanism)}`)
  const { loginModule, options } = parseJaasConfig(jaas)
  if (loginModule.split('.').at(-1) !== moduleOf(mechanism)) {
    const needed = `${mechanism} needs ${moduleOf(mechanism)}: ${example(mechanism)}`
    const text = `sasl.jaas.config names ${loginModule}, and ${needed}`
    throw new ConfigError('sasl.jaas.config', text)
  }
  const username = options.get('username')
  const password = options.get('password')
  if (username === undefined || password === undefined) {
    throw new ConfigError(
      'sasl.jaas.config',
      `sasl.jaas.config has no username or no password: ${example(mechanism)}`,
    )
  }
  if (options.get('tokenauth')?.toLowerCase() === 'true') {
    throw new ConfigError(
      'sasl.jaas.config',
      "sasl.jaas.config: tokenauth can't be honoured, ktool has no delegation tokens",
    )
  }
  return { mechanism, username, password }
}

function moduleOf(mechanism: SaslMechanism): string {
  return mechanism === 'PLAIN' ? 'PlainLoginModule' : 'ScramLoginModule'
}

function example(mechanism: SaslMechanism): string {
  const module = moduleOf(mechanism)
  const path = mechanism === 'PLAIN' ? 'plain' : 'scram'
  return `org.apache.kafka.common.security.${path}.${module} required username="…" password="…";`
}

async function tlsSettings(values: CheckedProperties): Promise<TlsSettings> {
  const { readIdentity, readTrust } = await import('../protocol/stores/ssl-stores.ts')
  const source = { text: (key: string) => values.text(key), secret: (key: string) => values.secret(key), read: readConfigFile }
  const [minVersion, maxVersion] = tlsVersions(values)
  return {
    ca: await readTrust(source),
    identity: await readIdentity(source),
    checkHost: values.choice('ssl.endpoint.identification.algorithm') === 'https',
    minVersion,
    maxVersion,
  }
}

type TlsVersion = TlsSettings['minVersion']

/** ssl.enabled.protocols is what may be used, ssl.protocol the newest of it. */
function tlsVersions(values: CheckedProperties): [min: TlsVersion, max: TlsVersion] {
  const key = 'ssl.enabled.protocols'
  const listed = values.list(key)
  const unknown = listed.find((name) => name !== 'TLSv1.2' && name !== 'TLSv1.3')
  if (unknown !== undefined)
    throw new ConfigError(key, `${key}=${unknown} can't be honoured: ktool has TLSv1.2 and TLSv1.3`)
  const newest = values.choice('ssl.protocol') === 'TLSv1.2' ? 'TLSv1.2' : 'TLSv1.3'
  const enabled = (listed.length > 0 ? listed : ['TLSv1.2', 'TLSv1.3']).filter(
    (name) => name <= newest,
  ) as TlsVersion[]
  if (enabled.length === 0)
    throw new ConfigError(key, `${key} and ssl.protocol=${newest} have no version in common`)
  enabled.sort()
  return [enabled[0], enabled[enabled.length - 1]]
}
