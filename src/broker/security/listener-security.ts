// A listener's security, from Kafka's properties: `listener.name.<listener>.` in front of a setting is for that listener,
// `listener.name.<listener>.<mechanism>.` for one mechanism of it. What can't be had is refused before a port is open.

import { parseJaasConfig } from '../../protocol/jaas.ts'
import { SettingError } from '../../protocol/setting-error.ts'
import { readIdentity, readTrust, type SslIdentity, type SslSettings } from '../../protocol/stores/ssl-stores.ts'
import { DiskError, type Disk } from '../../storage/disk.ts'
import { BROKER_CONFIGS } from '../config/broker-config-keys.ts'
import { ConfigError } from '../config/config-error.ts'
import type { ListenerConfig } from '../config/listener-configs.ts'
import { listOf, numberOf } from '../config/values.ts'
import { plainExchange, plainUsers } from './plain.ts'
import { principalMapping, type PrincipalMapping } from './principal-mapping.ts'
import type { SaslMechanism, SaslSettings } from './sasl.ts'
import { SCRAM_MECHANISMS, ScramExchange, type ScramUsers } from './scram.ts'

export interface ListenerSecurity {
  readonly tls: TlsSettings | undefined
  readonly sasl: SaslSettings | undefined
}

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3'

export interface TlsSettings {
  readonly identity: SslIdentity
  /** PEM; undefined: those that Node trusts. */
  readonly trust: readonly string[] | undefined
  readonly clientAuth: 'none' | 'requested' | 'required'
  readonly minVersion: TlsVersion
  readonly maxVersion: TlsVersion
  /** By the names of OpenSSL; empty: OpenSSL's choice. */
  readonly ciphers: readonly string[]
  readonly principalOf: PrincipalMapping
}

const MAX_STORE_BYTES = 16 * 1024 * 1024

/** Rejects with ConfigError. */
export async function listenerSecurity(
  listener: ListenerConfig,
  properties: ReadonlyMap<string, string>,
  disk: Disk,
  users: ScramUsers,
): Promise<ListenerSecurity> {
  const settings = new ListenerSettings(listener, properties)
  try {
    const { protocol } = listener
    return {
      tls: protocol === 'SSL' || protocol === 'SASL_SSL' ? await tlsSettings(settings, disk) : undefined,
      sasl: protocol === 'SASL_PLAINTEXT' || protocol === 'SASL_SSL' ? saslSettings(settings, users) : undefined,
    }
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    throw new ConfigError(error.key, `listener ${listener.name}: ${error.message}`, { cause: error })
  }
}

/** What to warn of where nobody can log in; undefined where somebody can, or need not. */
export function loginWarning(listener: string, { sasl }: ListenerSecurity, users: ScramUsers): string | undefined {
  if (sasl === undefined || sasl.mechanisms.has('PLAIN')) return undefined
  const hasUser = SCRAM_MECHANISMS.some(({ name, type }) => sasl.mechanisms.has(name) && users.any(type) !== undefined)
  if (hasUser) return undefined
  return `listener ${listener}: nobody can log in until a SCRAM user is made (kafka-configs --alter --entity-type users, by another listener)`
}

class ListenerSettings {
  readonly listener: ListenerConfig
  readonly prefix: string
  readonly #properties: ReadonlyMap<string, string>

  constructor(listener: ListenerConfig, properties: ReadonlyMap<string, string>) {
    this.listener = listener
    this.prefix = `listener.name.${listener.name.toLowerCase()}.`
    this.#properties = properties
  }

  /** This listener's own, else the broker's; undefined where neither is given. */
  given(key: string): string | undefined {
    return this.own(key) ?? (this.#properties.get(key) || undefined)
  }

  own(key: string): string | undefined {
    return this.#properties.get(this.prefix + key) || undefined
  }

  /** With Kafka's default. */
  text(key: string): string {
    return this.given(key) ?? BROKER_CONFIGS.get(key)?.default ?? ''
  }
}

async function tlsSettings(settings: ListenerSettings, disk: Disk): Promise<TlsSettings> {
  const source: SslSettings = {
    text: (key) => settings.given(key),
    secret: (key) => settings.given(key),
    read: (path, key) => Promise.resolve(readFile(disk, path, key)),
  }
  const identity = await readIdentity(source)
  if (identity === undefined) {
    const text = 'a TLS listener needs a certificate and its key: ssl.keystore.location (PKCS12, JKS or PEM), '
    throw new SettingError('ssl.keystore.location', `${text}or ssl.keystore.certificate.chain and ssl.keystore.key`)
  }
  const [minVersion, maxVersion] = tlsVersions(settings)
  return {
    identity,
    trust: await readTrust(source),
    clientAuth: clientAuth(settings),
    minVersion,
    maxVersion,
    ciphers: listOf(settings.text('ssl.cipher.suites')).map(openSslName),
    principalOf: principalMapping(settings.text('ssl.principal.mapping.rules')),
  }
}

function clientAuth(settings: ListenerSettings): TlsSettings['clientAuth'] {
  const key = 'ssl.client.auth'
  // With SASL only what is said for this very listener counts (ChannelBuilders).
  const value = settings.listener.protocol === 'SSL' ? settings.text(key) : (settings.own(key) ?? 'none')
  const choice = (['none', 'requested', 'required'] as const).find((one) => one === value.toLowerCase())
  if (choice === undefined) throw new SettingError(key, `${key}=${value} must be one of none, requested, required`)
  return choice
}

function tlsVersions(settings: ListenerSettings): [min: TlsVersion, max: TlsVersion] {
  const key = 'ssl.enabled.protocols'
  const enabled: TlsVersion[] = []
  for (const name of listOf(settings.text(key))) {
    if (name !== 'TLSv1.2' && name !== 'TLSv1.3') {
      throw new SettingError(key, `${key}: ${name} is not supported; this broker has TLSv1.2 and TLSv1.3`)
    }
    enabled.push(name)
  }
  enabled.sort()
  return [enabled.at(0) ?? 'TLSv1.2', enabled.at(-1) ?? 'TLSv1.3']
}

/** Java's names of cipher suites, as OpenSSL calls them; those of TLS 1.3 are the same. */
function openSslName(java: string): string {
  if (/^TLS_(AES|CHACHA20)_/.test(java) && !java.includes('_WITH_')) return java
  const match = /^TLS_([A-Z_]+)_WITH_(.+)$/.exec(java)
  if (match === null) return java
  const [, exchange, cipher] = match
  const parts = exchange === 'RSA' ? [] : exchange.split('_')
  const name = cipher.replace(/AES_(\d+)/, 'AES$1').replace('_CBC', '').replace('POLY1305_SHA256', 'POLY1305')
  return [...parts, ...name.split('_')].join('-')
}

function saslSettings(settings: ListenerSettings, users: ScramUsers): SaslSettings {
  const key = 'sasl.enabled.mechanisms'
  const names = settings.given(key) === undefined ? [] : listOf(settings.text(key))
  if (names.length === 0) {
    throw new SettingError(key, `${key} is missing; this broker has PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, not Kafka's default, GSSAPI`)
  }
  const mechanisms = names.map((name) => saslMechanism(name, settings, users))
  return {
    mechanisms: new Map(mechanisms.map((mechanism) => [mechanism.name, mechanism])),
    failureDelayMs: numberOf(settings.text('connection.failed.authentication.delay.ms')),
    maxReceiveBytes: numberOf(settings.text('sasl.server.max.receive.size')),
  }
}

function saslMechanism(name: string, settings: ListenerSettings, users: ScramUsers): SaslMechanism {
  const mine = `${name.toLowerCase()}.`
  const maxReauthMs = numberOf(settings.own(`${mine}connections.max.reauth.ms`) ?? settings.text('connections.max.reauth.ms'))
  const jaasKey = `${mine}sasl.jaas.config`
  const jaas = settings.own(jaasKey)
  const entry = jaas === undefined ? undefined : parseJaasConfig(jaas)
  const needs = (module: string): void => {
    if (entry === undefined || entry.loginModule.split('.').at(-1) === module) return
    throw new SettingError(settings.prefix + jaasKey, `${settings.prefix + jaasKey} names ${entry.loginModule}, and ${name} needs ${module}`)
  }
  if (name === 'PLAIN') {
    needs('PlainLoginModule')
    if (entry === undefined) {
      const example = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_NAME="PASSWORD";'
      throw new SettingError(settings.prefix + jaasKey, `PLAIN needs its users: ${settings.prefix + jaasKey}=${example}`)
    }
    const known = plainUsers(entry.options)
    return { name, maxReauthMs, start: () => plainExchange(known) }
  }
  const scram = SCRAM_MECHANISMS.find((one) => one.name === name)
  if (scram === undefined) {
    const text = `${name} is not supported; this broker has PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512`
    throw new SettingError('sasl.enabled.mechanisms', `sasl.enabled.mechanisms: ${text}`)
  }
  needs('ScramLoginModule')
  return { name, maxReauthMs, start: () => new ScramExchange(scram, users) }
}

function readFile(disk: Disk, path: string, key: string): Buffer {
  try {
    return disk.readSettingsFile(path, MAX_STORE_BYTES)
  } catch (error) {
    const why = error instanceof DiskError ? (WHY[error.reason] ?? error.message) : String(error)
    throw new SettingError(key, `${key}: can't read ${path}: ${why}`, { cause: error })
  }
}

const WHY: Readonly<Record<string, string>> = { notFound: 'no such file', notPermitted: 'permission denied' }
