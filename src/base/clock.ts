// Time, as everything else sees it. Wall time is for timestamps and retention only; deadlines and timers use
// monotonic time, because the wall clock can be set. Tests pass a clock they move by hand.

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall time, ms since 1970. */
  now(): number
  /** Monotonic time in ms, from an arbitrary origin. */
  monotonic(): number
  /** Calls `action` once, `delayMs` from now. A pending timer does not keep the process alive unless `holdsProcess`. */
  after(delayMs: number, action: () => void, holdsProcess?: boolean): Timer
}

// Node fires a timer with a longer delay at once, with a warning.
const LONGEST_DELAY_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, action, holdsProcess = false) {
    const handle = setTimeout(action, Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS))
    if (!holdsProcess) handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
