// Waiting with an end: deadlines, pauses, and promises that somebody else settles, all of which closing ends
// at once.

import type { Clock } from '../base/clock.ts'
import { TimeoutError } from './errors.ts'

export interface Deadline {
  readonly startedAt: number // monotonic ms
  readonly at: number
}

export class Waiting {
  readonly #clock: Clock
  readonly #closing: AbortSignal

  constructor(clock: Clock, closing: AbortSignal) {
    this.#clock = clock
    this.#closing = closing
  }

  deadline(timeoutMs: number): Deadline {
    const startedAt = this.#clock.monotonic()
    return { startedAt, at: startedAt + timeoutMs }
  }

  /** Ms until the deadline. Throws TimeoutError when it has passed. */
  left(deadline: Deadline): number {
    const left = deadline.at - this.#clock.monotonic()
    if (left <= 0)
      throw new TimeoutError(`Not done within ${Math.round(deadline.at - deadline.startedAt)} ms.`)
    return left
  }

  /**
   * Keeps the process alive, since no socket may be open meanwhile. Rejects with the reason of `signal` or of
   * closing.
   */
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    let timer: { cancel(): void } | undefined
    try {
      await this.#unlessAborted(
        new Promise<void>((resolve) => (timer = this.#clock.after(ms, resolve, true))),
        signal,
      )
    } finally {
      timer?.cancel()
    }
  }

  /** What `promise` gives, unless the deadline comes first: TimeoutError saying that `what` is missing. */
  async within<T>(
    promise: Promise<T>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
    what: string,
  ): Promise<T> {
    const left = this.left(deadline)
    let timer: { cancel(): void } | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.after(left, () =>
        reject(new TimeoutError(`No ${what} within ${Math.round(left)} ms.`)),
      )
    })
    try {
      return await this.#unlessAborted(Promise.race([promise, late]), signal)
    } finally {
      timer?.cancel()
    }
  }

  #unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const signals = signal ? [signal, this.#closing] : [this.#closing]
    return new Promise((resolve, reject) => {
      const stop = () => {
        const reason: unknown = signals.find((each) => each.aborted)?.reason
        reject(reason instanceof Error ? reason : new Error(String(reason)))
      }
      const forget = () => signals.forEach((each) => each.removeEventListener('abort', stop))
      for (const each of signals) each.addEventListener('abort', stop)
      promise.then(resolve, reject).finally(forget)
      if (signals.some((each) => each.aborted)) stop()
    })
  }
}
