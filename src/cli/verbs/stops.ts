// The reasons for a command that streams to stop that come from outside: its deadline, idleness, the user.

import type { Clock, Timer } from '../../base/clock.ts'

export interface ConsumeResult {
  readonly messages: number
  readonly reason: 'end' | 'count' | 'timeout' | 'idle' | 'closed' | 'interrupted'
}

export interface StopOptions {
  /** For everything together, ms from the call. */
  readonly timeoutMs?: number | undefined
  /** Without a record for so long, ms. */
  readonly idleMs?: number | undefined
  /** Aborted: stop and say how far it came. */
  readonly signal: AbortSignal
}

export class Stops {
  reason: ConsumeResult['reason'] | undefined
  readonly stopped: Promise<undefined>
  readonly #clock: Clock
  readonly #idleMs: number | undefined
  readonly #signal: AbortSignal
  readonly #onAbort: () => void
  #stop: () => void = () => {}
  #deadline: Timer | undefined
  #idle: Timer | undefined

  constructor(clock: Clock, { timeoutMs, idleMs, signal }: StopOptions) {
    this.#clock = clock
    this.#idleMs = idleMs
    this.#signal = signal
    this.stopped = new Promise((resolve) => {
      this.#stop = () => resolve(undefined)
    })
    this.#onAbort = () => this.#end('interrupted')
    signal.addEventListener('abort', this.#onAbort)
    if (timeoutMs !== undefined) this.#deadline = clock.after(timeoutMs, () => this.#end('timeout'), true)
    this.sawRecords()
  }

  /** Idleness counts anew. */
  sawRecords(): void {
    if (this.#idleMs === undefined) return
    this.#idle?.cancel()
    this.#idle = this.#clock.after(this.#idleMs, () => this.#end('idle'), true)
  }

  end(): void {
    this.#deadline?.cancel()
    this.#idle?.cancel()
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #end(reason: ConsumeResult['reason']): void {
    this.reason ??= reason
    this.#stop()
  }
}
