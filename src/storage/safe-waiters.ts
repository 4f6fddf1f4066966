// Who waits until a log is safe up to an offset.

import type { KafkaError } from '../protocol/errors.ts'

interface Waiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: KafkaError) => void
}

export class SafeWaiters {
  #waiters: Waiter[] = []

  /** Resolves when `reached` is told `offset` or more. */
  wait(offset: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ offset, resolve, reject }))
  }

  reached(offset: number): void {
    const waiting = this.#waiters
    this.#waiters = []
    for (const waiter of waiting) {
      if (waiter.offset <= offset) waiter.resolve()
      else this.#waiters.push(waiter)
    }
  }

  /** Refuses those who wait for more than `above`; all when it is left out. */
  reject(error: KafkaError, above = -1): void {
    const waiting = this.#waiters
    this.#waiters = waiting.filter(({ offset }) => offset <= above)
    for (const waiter of waiting) if (waiter.offset > above) waiter.reject(error)
  }
}
