// The order in which Java's hash maps and sets go through what they hold, which Apache's tools print: by the lowest bits of
// a key's hash code (java.util.HashMap).

export interface HashedPartition {
  readonly topic: string
  readonly partition: number
}

/** String.hashCode. */
export function stringHash(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (Math.imul(31, hash) + text.charCodeAt(at)) | 0
  return hash
}

/** TopicPartition.hashCode. */
export function partitionHash({ topic, partition }: HashedPartition): number {
  return (Math.imul(31, 31 + partition) + stringHash(topic)) | 0
}

/** Of jopt-simple's option of this one name: that of a list of it. */
export function optionHash(name: string): number {
  return (31 + stringHash(name)) | 0
}

/** AbstractMap.hashCode of texts by text; null is a value. */
export function mapHash(entries: Iterable<readonly [string, string | null]>): number {
  let hash = 0
  for (const [key, value] of entries) hash = (hash + (stringHash(key) ^ (value === null ? 0 : stringHash(value)))) | 0
  return hash
}

/**
 * `items` as a HashMap has them that they were put into one by one; those that share a place stay in order. `capacity`: what
 * the map was made with.
 */
export function inHashOrder<T>(items: readonly T[], hashOf: (item: T) => number, capacity = 16): T[] {
  let places = 1
  while (places < capacity) places *= 2
  while (items.length > places * 0.75) places *= 2
  const placed = items.map((item) => {
    const hash = hashOf(item)
    return { item, place: (hash ^ (hash >>> 16)) & (places - 1) }
  })
  return placed.sort((a, b) => a.place - b.place).map(({ item }) => item)
}
