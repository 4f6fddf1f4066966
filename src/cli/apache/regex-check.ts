// kafka-consumer-groups --validate-regex: RE2/J's opinion of an expression.

import { parseRegex, RegexProblem } from '../../protocol/re2.ts'

/** What is wrong with it, in RE2/J's words; undefined: nothing. */
export function regexProblem(source: string): string | undefined {
  try {
    parseRegex(source)
    return undefined
  } catch (error) {
    if (error instanceof RegexProblem) return error.message
    throw error
  }
}
