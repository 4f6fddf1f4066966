// Since when a log has bytes that are written and not synced, for flush.ms.

import type { Clock } from '../base/clock.ts'

export class FlushTimer {
  readonly #clock: Clock
  #since: number | undefined // monotonic
  #isArmed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wrote(): void {
    this.#since ??= this.#clock.monotonic()
  }

  synced(): void {
    this.#since = undefined
  }

  /** Whether the oldest bytes have waited `flushMs`. */
  isDue(flushMs: number): boolean {
    return this.#since !== undefined && this.#clock.monotonic() - this.#since >= flushMs
  }

  /** Calls `action` once when they will have; one call at a time is pending. */
  arm(flushMs: number, action: () => void): void {
    if (flushMs === Number.MAX_SAFE_INTEGER || this.#since === undefined || this.#isArmed) return
    this.#isArmed = true
    this.#clock.after(Math.max(0, this.#since + flushMs - this.#clock.monotonic()), () => {
      this.#isArmed = false
      action()
    })
  }
}
