// Items by what they have in common: partitions by broker, keys by coordinator.

/** Items by key, in the order they come. (Map.groupBy is newer than Node 20.) */
export function groupBy<K, V>(items: readonly V[], keyOf: (item: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
