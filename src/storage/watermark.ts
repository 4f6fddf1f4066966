// How far a log may be seen, who waits for that, and who is told when it changes.

import type { KafkaError } from '../protocol/errors.ts'

interface Waiter {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: KafkaError) => void
}

export class Watermark {
  #offset: number
  #waiters: Waiter[] = []
  readonly #listeners = new Set<() => void>()

  constructor(offset: number) {
    this.#offset = offset
  }

  get offset(): number {
    return this.#offset
  }

  /** Moves forward to `offset`, never back. */
  advance(offset: number): void {
    if (offset <= this.#offset) return
    this.#offset = offset
    const waiting = this.#waiters
    this.#waiters = []
    for (const waiter of waiting) {
      if (waiter.offset <= offset) waiter.resolve()
      else this.#waiters.push(waiter)
    }
    this.changed()
  }

  /** Resolves when the watermark is at `offset` or more. */
  wait(offset: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ offset, resolve, reject }))
  }

  /** Refuses those who wait for more than `above`; all when it is left out. */
  reject(error: KafkaError, above = -1): void {
    const waiting = this.#waiters
    this.#waiters = waiting.filter(({ offset }) => offset <= above)
    for (const waiter of waiting) if (waiter.offset > above) waiter.reject(error)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
