// A clock that tests move by hand: nothing happens until advance() says so.

import type { Clock, Timer } from '../../src/base/clock.ts'

export interface ManualClock extends Clock {
  /** Moves wall and monotonic time on, and fires the timers that become due, in their order. */
  advance(ms: number): void
  /** Timers that are pending: a test that ends with some has leaked them. */
  readonly pending: number
}

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let elapsed = 0
  let timers: { readonly at: number; readonly action: () => void }[] = []
  const next = (end: number) => timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at).at(0)
  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(delayMs, action): Timer {
      const timer = { at: elapsed + Math.max(0, delayMs), action }
      timers.push(timer)
      return { cancel: () => void (timers = timers.filter((other) => other !== timer)) }
    },
    advance(ms) {
      const end = elapsed + ms
      for (let due = next(end); due !== undefined; due = next(end)) {
        const fired = due
        timers = timers.filter((other) => other !== fired)
        elapsed = Math.max(elapsed, due.at)
        due.action()
      }
      elapsed = end
    },
    get pending() {
      return timers.length
    },
  }
}
