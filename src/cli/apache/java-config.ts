// ConfigException in the words of Java's ConfigDef, for the properties that its clients check when they are made.

import { CONFIG_KEYS } from '../../client/config-keys.ts'
import type { ConfigError } from '../../client/errors.ts'
import { JavaError } from './java-errors.ts'
import { inHashOrder, stringHash } from './java-hash.ts'

const INT_MAX = 2 ** 31 - 1

/** Undefined where Java has no such words: what is wrong is found later there, or is of our own making. */
export function configException({ key }: ConfigError, properties: ReadonlyMap<string, string>): JavaError | undefined {
  const given = key === null ? undefined : properties.get(key)
  const rule = key !== null && Object.hasOwn(CONFIG_KEYS, key) ? CONFIG_KEYS[key] : undefined
  if (key === null || given === undefined || rule === undefined) return undefined
  const value = given.trim()
  const why = (): string | undefined => {
    switch (rule.kind) {
      case 'int':
        if (!/^[-+]?\d+$/.test(value)) return `Not a number of type ${rule.max <= INT_MAX ? 'INT' : 'LONG'}`
        return Number(value) < rule.min ? `Value must be at least ${rule.min}` : `Value must be no more than ${rule.max}`
      case 'bool':
        return 'Expected value to be either true or false'
      case 'choice':
        // Some checks come after that of the value.
        if (rule.choices.some((choice) => choice.toLowerCase() === value.toLowerCase())) return undefined
        return rule.caseless
          ? `String must be one of (case insensitive): ${inHashOrder(rule.choices, stringHash).join(', ')}`
          : `String must be one of: ${rule.choices.join(', ')}`
      default:
        return undefined
    }
  }
  const reason = why()
  return reason === undefined
    ? undefined
    : new JavaError('org.apache.kafka.common.config.ConfigException', `Invalid value ${value} for configuration ${key}: ${reason}`)
}
