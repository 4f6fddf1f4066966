// How long to wait before trying again: twice as long each time, give or take a fifth, so that clients which
// failed together don't come back together (KIP-580).

const JITTER = 0.2

/** Ms before attempt `attempt` + 1, counting from 0; `maxMs` below `firstMs` means always `firstMs`. */
export function backoffMs(attempt: number, firstMs: number, maxMs: number): number {
  const limit = Math.max(firstMs, maxMs)
  const grown = Math.min(firstMs * 2 ** Math.min(attempt, 30), limit)
  return Math.min(grown * (1 - JITTER + 2 * JITTER * Math.random()), limit)
}
