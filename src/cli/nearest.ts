// The nearest of a list of known words to one that is not among them, for "did you mean".

/** Up to `limit` of `known` that are likely meant by `word`, nearest first. */
export function nearest(word: string, known: Iterable<string>, limit = 3): string[] {
  const wanted = word.toLowerCase()
  const reach = Math.max(1, Math.floor(wanted.length / 3))
  const near: { name: string; distance: number }[] = []
  for (const name of known) {
    const other = name.toLowerCase()
    const distance = other.startsWith(wanted) && wanted.length >= 3 ? 0.5 : editDistance(wanted, other, reach)
    if (distance <= reach) near.push({ name, distance })
  }
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
  const best = near.at(0)?.distance ?? 0
  return near.filter(({ distance }) => distance <= best + 1).slice(0, limit).map(({ name }) => name)
}

/** "did you mean 'a' or 'b'?", or null when nothing is near. */
export function didYouMean(word: string, known: Iterable<string>): string | null {
  const names = nearest(word, known).map((name) => `'${name}'`)
  const last = names.pop()
  if (last === undefined) return null
  return names.length === 0 ? `did you mean ${last}?` : `did you mean ${names.join(', ')} or ${last}?`
}

/** Insertions, deletions, replacements and swaps of neighbours between two words; anything above `limit` is limit + 1. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let cost = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1)
      }
      row.push(cost)
    }
    beforeLast = last
    last = row
  }
  return Math.min(last[b.length] ?? 0, limit + 1)
}
