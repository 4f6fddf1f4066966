// Patterns that a person gives, over names that others chose: a name can make (a+)+ take for ever. What RE2 has, too, matches in
// linear time; what looks around or refers back, which only Java and JavaScript have, goes the slow way.

import { KafkaError } from '../protocol/errors.ts'
import { LinearRegex } from '../protocol/linear-regex.ts'

/** Whether a whole text matches `source`; `regex` is the same for what RE2 lacks. KafkaError for a text that takes too long. */
export function wholeMatcher(source: string, regex: RegExp): (text: string) => boolean {
  try {
    const linear = new LinearRegex('The pattern', source)
    return (text) => linear.matching([text]).size > 0
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return (text) => regex.test(text)
  }
}
