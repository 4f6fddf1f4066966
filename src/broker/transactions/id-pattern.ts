// The pattern of ListTransactions, for the whole of an id.

import { LinearRegex } from '../../protocol/linear-regex.ts'

/** Which ids `pattern` matches; the empty one all. Throws KafkaError INVALID_REGULAR_EXPRESSION, as what it gives does. */
export function idPattern(pattern: string): (ids: readonly string[]) => ReadonlySet<string> {
  if (pattern === '') return (ids) => new Set(ids)
  const regex = new LinearRegex('Transaction ID pattern', pattern)
  // However many there are: one look at each character is no more than it took to list them.
  return (ids) => regex.matching(ids, ids.reduce((sum, { length }) => sum + length, 0))
}
