// When a log's written bytes are synced: by count, by time, and at once when a segment was closed. One round after
// another while the settings ask for it; writes during a round wait for the next.

import type { LogConfig } from './log-config.ts'
import type { LogHost } from './log-host.ts'
import type { Unsynced } from './unsynced.ts'

/** The log that is flushed. */
export interface Flushed {
  readonly config: LogConfig
  /** Behind the last batch written. */
  readonly writtenEnd: number
  /** The synced end has moved. */
  synced(): void
}

export class LogFlush {
  /** Below it everything is durable. */
  end: number
  readonly #host: LogHost
  readonly #unsynced: Unsynced
  readonly #log: Flushed
  #since: number | undefined // monotonic; the oldest bytes written and not synced
  #isArmed = false
  #isSyncing = false
  #isClosed = false
  #idle: (() => void)[] = [] // called when no sync is under way

  constructor(host: LogHost, unsynced: Unsynced, log: Flushed, end: number) {
    this.#host = host
    this.#unsynced = unsynced
    this.#log = log
    this.end = end
  }

  /** Bytes were written: syncs them now or when it is time. */
  wrote(): void {
    this.#since ??= this.#host.clock.monotonic()
    if (this.#isDue()) void this.#run()
    else this.#arm()
  }

  /** One round now; rejects with what failed. */
  round(): Promise<void> {
    const target = this.#log.writtenEnd
    this.#since = undefined
    const synced = () => {
      this.end = target
      this.#log.synced()
    }
    return this.#unsynced.round(target, synced, () => this.#host.checkpoint())
  }

  /** Begins nothing more by itself; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    while (this.#isSyncing) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #isDue(): boolean {
    const { writtenEnd, config } = this.#log
    if (this.#unsynced.hasClosed) return true
    if (writtenEnd === this.end) return false
    if (writtenEnd - this.end >= config.flushMessages) return true
    return this.#since !== undefined && this.#host.clock.monotonic() - this.#since >= config.flushMs
  }

  #arm(): void {
    const { writtenEnd, config } = this.#log
    if (config.flushMs === Number.MAX_SAFE_INTEGER || this.#since === undefined || writtenEnd === this.end) return
    if (this.#isArmed) return
    this.#isArmed = true
    this.#host.clock.after(Math.max(0, this.#since + config.flushMs - this.#host.clock.monotonic()), () => {
      this.#isArmed = false
      if (this.#isClosed || this.#host.fatal !== undefined) return
      if (this.#isDue()) void this.#run()
      else this.#arm()
    })
  }

  async #run(): Promise<void> {
    if (this.#isSyncing) return
    this.#isSyncing = true
    try {
      while (this.#isDue()) await this.round()
    } catch (error) {
      this.#host.fail(error)
    } finally {
      this.#isSyncing = false
      for (const resolve of this.#idle.splice(0)) resolve()
    }
  }
}
