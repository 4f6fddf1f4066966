// Config values: text as given, checked by type and range with Kafka's messages (ConfigDef). Values stay text; numbers
// come out of them only when used.

import { doubleText } from '../../base/float-text.ts'
import { KafkaError } from '../../protocol/errors.ts'

export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'

/** As DescribeConfigs numbers them; 0 is unknown. */
export const CONFIG_TYPE_CODES: Readonly<Record<ConfigType, number>> = {
  boolean: 1,
  string: 2,
  int: 3,
  short: 4,
  long: 5,
  double: 6,
  list: 7,
  class: 8,
  password: 9,
}

export type ConfigValue = boolean | string | bigint | number | readonly string[]

/** Throws KafkaError INVALID_CONFIG when `value` must not be `name`'s. */
export type Check = (name: string, value: ConfigValue) => void

const WHOLE_NUMBERS: Partial<Record<ConfigType, readonly [min: bigint, max: bigint]>> = {
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  short: [-(2n ** 15n), 2n ** 15n - 1n],
  long: [-(2n ** 63n), 2n ** 63n - 1n],
}

function invalidValue(name: string, value: string | number | bigint, reason: string): KafkaError {
  return new KafkaError('INVALID_CONFIG', `Invalid value ${value} for configuration ${name}: ${reason}`)
}

/** `text` as `type`; KafkaError INVALID_CONFIG with Kafka's message where it is none. */
export function parseValue(name: string, type: ConfigType, text: string): ConfigValue {
  const trimmed = text.trim()
  const range = WHOLE_NUMBERS[type]
  if (range !== undefined) {
    if (/^[+-]?\d{1,19}$/.test(trimmed)) {
      const value = BigInt(trimmed.replace('+', ''))
      if (value >= range[0] && value <= range[1]) return value
    }
    throw invalidValue(name, trimmed, `Not a number of type ${type.toUpperCase()}`)
  }
  switch (type) {
    case 'boolean': {
      const lower = trimmed.toLowerCase()
      if (lower === 'true' || lower === 'false') return lower === 'true'
      throw invalidValue(name, trimmed, 'Expected value to be either true or false')
    }
    case 'double': {
      if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed)
      throw invalidValue(name, trimmed, 'Not a number of type DOUBLE')
    }
    case 'list':
      return listOf(trimmed)
    default:
      return trimmed
  }
}

/** A value as DescribeConfigs shows it: Kafka's ConfigDef.convertToString of what it has parsed. Throws as `parseValue`. */
export function shownValue(name: string, type: ConfigType, text: string): string {
  return valueText(parseValue(name, type, text))
}

function valueText(value: ConfigValue): string {
  if (typeof value === 'number') return doubleText(value)
  return Array.isArray(value) ? [...new Set(value as readonly string[])].join(',') : String(value)
}

export function listOf(text: string): string[] {
  const trimmed = text.trim()
  return trimmed === '' ? [] : trimmed.split(/\s*,\s*/)
}

/** A whole number as JavaScript has them, saturating at ±(2^53−1): good enough for sizes and times. */
export function numberOf(text: string): number {
  const value = Number(text)
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value))
}

export function atLeast(min: number): Check {
  return (name, value) => {
    if (Number(value) < min) throw invalidValue(name, valueText(value), `Value must be at least ${min}`)
  }
}

export function between(min: number, max: number): Check {
  return (name, value) => {
    if (Number(value) < min) throw invalidValue(name, valueText(value), `Value must be at least ${min}`)
    if (Number(value) > max) throw invalidValue(name, valueText(value), `Value must be no more than ${max}`)
  }
}

export function oneOf(...allowed: readonly string[]): Check {
  return (name, value) => {
    if (!allowed.includes(String(value))) {
      throw invalidValue(name, String(value), `String must be one of: ${allowed.join(', ')}`)
    }
  }
}

/** A list of these words; empty is fine, an empty word is not. */
export function someOf(...allowed: readonly string[]): Check {
  return (name, value) => {
    const words = value as readonly string[]
    if (words.includes('')) {
      throw new KafkaError('INVALID_CONFIG', `Configuration '${name}' values must not be empty.`)
    }
    for (const word of words) oneOf(...allowed)(name, word)
  }
}

export const gzipLevel: Check = (name, value) => {
  const level = Number(value)
  if (level !== -1 && (level < 1 || level > 9)) {
    throw invalidValue(name, String(value), 'Value must be between 1 and 9 or equal to -1')
  }
}

export const throttledReplicas: Check = (name, value) => {
  const words = value as readonly string[]
  if (words.length === 0 || (words.length === 1 && words[0] === '*')) return
  if (words.every((word) => /^\d+:\d+$/.test(word))) return
  throw invalidValue(
    name,
    `[${words.join(', ')}]`,
    `${name} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...`,
  )
}
