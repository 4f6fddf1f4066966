// A request that waits: for something to happen, a deadline, or its client to leave, whichever comes first. It holds up
// its own connection only and leaves nothing behind: timer and subscriptions are gone when it ends.

import type { Clock } from '../base/clock.ts'
import type { Connection } from './connection.ts'

export type WaitEnd = 'woken' | 'deadline' | 'closed'

/**
 * Waits until `isReady()` is true, which is asked whenever a source speaks, for `waitMs` at most. Each source takes a
 * listener and returns how to unsubscribe.
 */
export function park(options: {
  readonly clock: Clock
  readonly connection: Connection
  readonly waitMs: number
  readonly sources: readonly ((listener: () => void) => () => void)[]
  readonly isReady: () => boolean
}): Promise<WaitEnd> {
  return new Promise((resolve) => {
    let hasEnded = false
    const undo: (() => void)[] = []
    const end = (how: WaitEnd): void => {
      if (hasEnded) return
      hasEnded = true
      for (const forget of undo) forget()
      resolve(how)
    }
    const timer = options.clock.after(options.waitMs, () => end('deadline'))
    undo.push(() => timer.cancel())
    undo.push(options.connection.onClose(() => end('closed')))
    for (const source of options.sources) {
      undo.push(
        source(() => {
          if (!hasEnded && options.isReady()) end('woken')
        }),
      )
    }
  })
}

/** What `answer` resolves with, or `ifClosed` when the client leaves, or the broker is about to stop, before that. */
export function untilClosed<T>(connection: Connection, answer: Promise<T>, ifClosed: T): Promise<T> {
  let forget: () => void = () => undefined
  const closed = new Promise<T>((resolve) => (forget = connection.onClose(() => resolve(ifClosed))))
  return Promise.race([answer, closed]).finally(forget)
}
