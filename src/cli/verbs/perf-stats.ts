// Latencies of a performance test: over all of it, and over the window since the last report.

import type { SentRun } from './perf-produce.ts'

export interface Window {
  records: number
  bytes: number
  latencyMs: number // of all records together
  maxLatencyMs: number
}

const none = (): Window => ({ records: 0, bytes: 0, latencyMs: 0, maxLatencyMs: 0 })

export class LatencyStats {
  readonly total = none()
  readonly startedAt: number // wall time, ms
  readonly #intervalMs: number
  readonly #onWindow: (window: Window, elapsedMs: number) => void
  readonly #byLatency = new Map<number, number>() // records by ms
  #window = none()
  #windowStartedAt: number

  /** `onWindow` is called at the first record that is `intervalMs` or more behind the start of its window. */
  constructor(now: number, intervalMs: number, onWindow: (window: Window, elapsedMs: number) => void) {
    this.startedAt = now
    this.#windowStartedAt = now
    this.#intervalMs = intervalMs
    this.#onWindow = onWindow
  }

  record({ latencyMs, records, bytes }: SentRun, now: number): void {
    for (const sum of [this.total, this.#window]) {
      sum.records += records
      sum.bytes += bytes
      sum.latencyMs += latencyMs * records
      sum.maxLatencyMs = Math.max(sum.maxLatencyMs, latencyMs)
    }
    this.#byLatency.set(latencyMs, (this.#byLatency.get(latencyMs) ?? 0) + records)
    if (now - this.#windowStartedAt < this.#intervalMs) return
    this.#onWindow(this.#window, now - this.#windowStartedAt)
    this.#window = none()
    this.#windowStartedAt = now
  }

  /** The latency that the part `share` of all records does not reach; 0 without records. */
  percentile(share: number): number {
    let left = Math.floor(share * this.total.records)
    for (const [latencyMs, records] of [...this.#byLatency].sort(([a], [b]) => a - b)) {
      if (left < records) return latencyMs
      left -= records
    }
    return 0
  }
}
