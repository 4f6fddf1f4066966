// What may be changed on a broker while it runs, checked in Kafka's order and words (DynamicBrokerConfig, then its
// controller). Some checks are of things that have no effect here, such as numbers of threads: who tries a change on this
// broker is to learn what a Kafka would say.

import { KafkaError } from '../../protocol/errors.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { ELR_VERSION } from '../metadata/records.ts'
import { checkLength } from './alterations.ts'
import { asInvalidRequest, brokerConfigKey, parseBrokerValue } from './broker-config-keys.ts'
import type { BrokerConfig } from './broker-configs.ts'
import { brokerConfigValue } from './resolve.ts'
import { listOf } from './values.ts'

const MIN_ISR = 'min.insync.replicas'
// Kafka applies these while it runs; this broker can't.
const FIXED: ReadonlySet<string> = new Set([
  'listeners', 'listener.security.protocol.map', 'cordoned.log.dirs', 'principal.builder.class',
]) // prettier-ignore
// Certificates and logins of a listener: they are read when it opens.
const LISTENER_SECURITY = /^listener\.name\.[^.]*\.(.*\.)?(ssl|sasl)\./
const THREADS: ReadonlySet<string> = new Set([
  'background.threads', 'num.io.threads', 'num.network.threads', 'num.recovery.threads.per.data.dir', 'num.replica.fetchers',
]) // prettier-ignore

export interface BrokerAlteration {
  /** '' is the default of all brokers. */
  readonly resourceName: string
  readonly current: ReadonlyMap<string, string>
  /** All that the resource has afterwards. */
  readonly wanted: ReadonlyMap<string, string>
  /** The configs that the request gives a value. */
  readonly given: readonly string[]
  /** Those that it takes it from, set or not. */
  readonly removed: readonly string[]
}

/** Throws KafkaError with Kafka's message. */
export function checkBrokerAlteration(config: BrokerConfig, image: MetadataImage, alteration: BrokerAlteration): void {
  const { resourceName, wanted, given } = alteration
  const isDefault = resourceName === ''
  const refuse = (text: string, isWrong: (name: string) => boolean) => {
    const wrong = given.filter(isWrong)
    if (wrong.length > 0) throw new KafkaError('INVALID_REQUEST', `${text}: [${wrong.join(', ')}]`)
  }
  refuse('Cannot update these configs dynamically', (name) => brokerConfigKey(name)?.isDynamic === false)
  refuse(
    'These security configs can be dynamically updated only per-listener using the listener prefix',
    (name) => name.startsWith('ssl.') && brokerConfigKey(name) !== undefined,
  )
  if (isDefault) {
    const text = 'Cannot update these configs at default cluster level, broker id must be specified'
    refuse(text, (name) => brokerConfigKey(name)?.isPerBroker === true)
  }
  try {
    for (const [name, value] of wanted) {
      checkLength(name, value)
      parseBrokerValue(name, value)
    }
    for (const name of given) checkEffect(config, image, name, wanted.get(name) ?? '')
  } catch (error) {
    throw asInvalidRequest(error)
  }
  refuse('This broker cannot change these configs while it runs', (name) => FIXED.has(name) || LISTENER_SECURITY.test(name))
  checkMinIsr(image, alteration)
}

/** Refusals by the parts of a Kafka that a change would reach. */
function checkEffect(config: BrokerConfig, image: MetadataImage, name: string, value: string): void {
  const refuse = (why: string) => {
    const text = `Invalid value org.apache.kafka.common.config.ConfigException: ${why} for configuration Invalid dynamic configuration`
    return new KafkaError('INVALID_REQUEST', text)
  }
  const number = Number(value)
  const now = Number(brokerConfigValue(config, image, name))
  if (THREADS.has(name) && number !== now) {
    const what = `Dynamic thread count update validation failed for ${name}=${number}, value should`
    if (number < Math.trunc(now / 2)) throw refuse(`${what} be at least half the current value ${now}`)
    if (number > now * 2) throw refuse(`${what} not be greater than double the current value ${now}`)
  } else if (name === 'log.cleaner.threads') {
    if (number < 1) throw refuse('Log cleaner threads should be at least 1')
    const half = 'Log cleaner threads cannot be reduced to less than half the current value'
    if (number < Math.trunc(now / 2)) throw refuse(`${half} ${now}`)
    const double = 'Log cleaner threads cannot be increased to more than double the current value'
    if (number > now * 2) throw refuse(`${double} ${now}`)
  } else if (name === 'max.connection.creation.rate' && number < 1) throw refuse(`Invalid ${name} ${number}`)
  else if (name === 'max.connections.per.ip.overrides') checkOverrides(name, value)
  else if (name === 'metric.reporters' && value !== brokerConfigKey(name)?.default) {
    const part = 'kafka.server.DynamicMetricsReporters'
    throw refuse(`Validation of dynamic config update of Set(${name}) failed with class class ${part}`)
  }
}

/** HOST:COUNT, … */
function checkOverrides(name: string, value: string): void {
  for (const override of listOf(value)) {
    const colon = override.lastIndexOf(':')
    const count = override.slice(colon + 1)
    if (colon < 0) {
      const why = `begin 0, end -1, length ${override.length}`
      throw new KafkaError('INVALID_REQUEST', `Error parsing configuration property '${name}': ${why}`)
    }
    if (!/^[+-]?\d+$/.test(count)) throw new KafkaError('INVALID_REQUEST', `For input string: "${count}"`)
  }
}

/** KIP-966: with ELR there is one min.insync.replicas for the cluster, and it stays. */
function checkMinIsr(image: MetadataImage, { resourceName, given, removed, current }: BrokerAlteration): void {
  if ((image.features.get(ELR_VERSION) ?? 0) < 1) return
  if (resourceName === '') {
    if (!removed.includes(MIN_ISR) || !current.has(MIN_ISR)) return
    throw new KafkaError('INVALID_CONFIG', `Cluster-level ${MIN_ISR} cannot be removed while ELR is enabled.`)
  }
  if (!given.includes(MIN_ISR) && !removed.includes(MIN_ISR)) return
  throw new KafkaError('INVALID_CONFIG', `Broker-level ${MIN_ISR} cannot be altered while ELR is enabled.`)
}
