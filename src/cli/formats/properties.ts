// What the properties of Kafka's readers and formatters have in common: `name=value` words, Java's booleans, and that a
// name nobody knows is a mistake here (Apache's tools pass over it).

import { usageError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'

/**
 * `words` of the form name=value, later ones winning; a name without `=` has the value ''. `isApache`: a name may be empty,
 * as it may be for Kafka's CommandLineUtils.
 */
export function parseProperties(flag: string, words: readonly string[], isApache = false): Map<string, string> {
  return new Map(
    words.map((word) => {
      const at = word.indexOf('=')
      if (!isApache && (at === 0 || word === '')) throw usageError(`${flag} '${word}' has no name`, 'write NAME=VALUE')
      return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** Boolean.parseBoolean: anything that is not "true" is false. */
export function isTrue(text: string): boolean {
  return text.trim().toLowerCase() === 'true'
}

export function checkNames(what: string, given: ReadonlyMap<string, string>, known: readonly string[]): void {
  for (const name of given.keys()) {
    if (!known.includes(name)) {
      throw usageError(`'${name}' is not a property of the ${what}`, didYouMean(name, known) ?? `known are ${known.join(', ')}`)
    }
  }
}
