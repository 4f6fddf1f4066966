// Configs of client metrics subscriptions (KIP-714). They are stored, described and listed as in Kafka; the clients'
// metrics themselves are not collected, so that no client is ever asked for any. Checks as ClientMetricsConfigs'.

import { KafkaError } from '../../protocol/errors.ts'
import { ConfigSource } from './resolve.ts'
import type { DescribedConfig } from './resolve.ts'
import { CONFIG_TYPE_CODES, listOf, parseValue } from './values.ts'
import type { ConfigType } from './values.ts'

interface Key {
  readonly type: ConfigType
  readonly default: string
  readonly documentation: string
}

const KEYS: ReadonlyMap<string, Key> = new Map([
  ['interval.ms', { type: 'int', default: '300000', documentation: 'How often clients are to send their metrics, in ms.' }],
  ['match', { type: 'list', default: '', documentation: 'Which clients a subscription is for: names and patterns.' }],
  ['metrics', { type: 'list', default: '', documentation: 'Prefixes of the names of the metrics that are wanted.' }],
])
const MIN_INTERVAL_MS = 100
const MAX_INTERVAL_MS = 3_600_000
const MATCHES: readonly string[] = [
  'client_instance_id', 'client_id', 'client_software_name', 'client_software_version', 'client_source_address', 'client_source_port',
] // prettier-ignore

/** Everything that is set on a subscription. Throws KafkaError INVALID_REQUEST or INVALID_CONFIG, as Kafka. */
export function checkClientMetrics(name: string, configs: ReadonlyMap<string, string>): void {
  if (name === '') throw new KafkaError('INVALID_REQUEST', "Subscription name can't be empty")
  for (const key of configs.keys()) {
    if (!KEYS.has(key)) throw new KafkaError('INVALID_REQUEST', `Unknown client metrics configuration: ${key}`)
  }
  for (const [key, text] of configs) checkWords(key, parseValue(key, KEYS.get(key)?.type ?? 'string', text))
  const interval = configs.get('interval.ms')
  const ms = Number(interval)
  if (interval !== undefined && (ms < MIN_INTERVAL_MS || ms > MAX_INTERVAL_MS)) {
    const rule = 'interval must be between 100 and 3600000 (1 hour)'
    throw new KafkaError('INVALID_REQUEST', `Invalid value ${ms} for interval.ms, ${rule}`)
  }
  for (const pattern of listOf(configs.get('match') ?? '')) checkPattern(pattern)
}

function checkWords(key: string, value: unknown): void {
  if (!Array.isArray(value) || !value.includes('')) return
  throw new KafkaError('INVALID_CONFIG', `Configuration '${key}' values must not be empty.`)
}

function checkPattern(pattern: string): void {
  const [name = '', expression = '', ...more] = pattern.split('=')
  const isWhole = expression !== '' && more.length === 0 && MATCHES.includes(name.trim())
  if (isWhole && isPattern(expression.trim())) return
  throw new KafkaError('INVALID_CONFIG', `Illegal client matching pattern: ${pattern}`)
}

/** By JavaScript's rules, which are Java's for what such patterns are made of. */
function isPattern(expression: string): boolean {
  try {
    new RegExp(expression)
    return true
  } catch {
    return false
  }
}

/** A subscription that nobody made is described, too: by its defaults. */
export function describeClientMetrics(name: string, configs: ReadonlyMap<string, string>): DescribedConfig[] {
  if (name === '') throw new KafkaError('INVALID_REQUEST', 'Client metrics subscription name must not be empty')
  return [...KEYS].map(([key, { type, default: standard, documentation }]) => {
    const own = configs.get(key)?.trim()
    const source = ConfigSource.clientMetrics
    return {
      name: key,
      value: own ?? standard,
      isReadOnly: false,
      source: own === undefined ? ConfigSource.default : source,
      isSensitive: false,
      synonyms: own === undefined ? [] : [{ name: key, value: own, source }],
      type: CONFIG_TYPE_CODES[type],
      documentation,
    }
  })
}
