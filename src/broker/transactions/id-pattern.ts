// The pattern of ListTransactions, which comes from whoever can connect: it is matched with a time limit, since some
// patterns take for ever.

import { createContext, Script } from 'node:vm'
import { KafkaError } from '../../protocol/errors.ts'

const MATCH = new Script('ids.filter((id) => pattern.test(id))')
const MAX_MATCH_MS = 500

/** Which ids the whole of `pattern` matches; the empty one all. Throws KafkaError INVALID_REGULAR_EXPRESSION. */
export function idPattern(pattern: string): (ids: readonly string[]) => ReadonlySet<string> {
  if (pattern === '') return (ids) => new Set(ids)
  const compiled = compile(pattern)
  return (ids) => {
    try {
      const context = createContext({ ids, pattern: compiled })
      return new Set(MATCH.runInContext(context, { timeout: MAX_MATCH_MS }) as string[])
    } catch (error) {
      throw new KafkaError('INVALID_REGULAR_EXPRESSION', `Transaction ID pattern \`${pattern}\` takes too long.`, { cause: error })
    }
  }
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`, 'u')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `Transaction ID pattern \`${pattern}\` is not a valid regular expression: ${reason}.`,
    )
  }
}
