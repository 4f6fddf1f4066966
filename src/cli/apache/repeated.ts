// What a list holds twice, which several of Apache's tools refuse (ToolsUtils.duplicates). In one pass: plans are long.

/** The items whose key came before, each key once. */
export function repeated<T>(items: readonly T[], keyOf: (item: T) => string | number): T[] {
  const seen = new Set<string | number>()
  const twice = new Map<string | number, T>()
  for (const item of items) {
    const key = keyOf(item)
    if (seen.has(key)) twice.set(key, item)
    seen.add(key)
  }
  return [...twice.values()]
}
