// What logs need from time to time: old segments dropped (log.retention.check.interval.ms), compaction
// (log.cleaner.backoff.ms, in this thread, in slices that let requests run).

import type { Clock, Timer } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { LogStore } from '../storage/log-store.ts'
import type { Log } from '../storage/log.ts'

export interface UpkeepSettings {
  readonly retentionCheckIntervalMs: number
  readonly cleanerEnabled: boolean
  readonly cleanerBackoffMs: number
  /** Memory for the keys of one log, in bytes. */
  readonly cleanerDedupeBufferSize: number
}

export class LogUpkeep {
  readonly #store: LogStore
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #settings: UpkeepSettings
  /** The logs of topics; the metadata log keeps house itself. */
  readonly #logs: () => Iterable<Log>
  readonly #timers = new Set<Timer>()
  #isStopped = false

  constructor(store: LogStore, clock: Clock, logger: Logger, settings: UpkeepSettings, logs: () => Iterable<Log>) {
    this.#store = store
    this.#clock = clock
    this.#logger = logger
    this.#settings = settings
    this.#logs = logs
  }

  start(): void {
    this.#again(this.#settings.retentionCheckIntervalMs, () => this.#dropOldSegments())
    if (this.#settings.cleanerEnabled) this.#again(this.#settings.cleanerBackoffMs, () => this.#compact())
  }

  /** Begins nothing more; the store ends what is under way when it is closed. */
  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
  }

  #again(delayMs: number, work: () => Promise<void>): void {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer)
      work()
        .catch((error: unknown) => this.#logger.error(`upkeep of logs: ${messageOf(error)}`))
        .finally(() => {
          if (!this.#isStopped) this.#again(delayMs, work)
        })
    })
    this.#timers.add(timer)
  }

  async #dropOldSegments(): Promise<void> {
    for (const log of this.#logs()) {
      if (this.#isStopped) return
      try {
        const count = await log.deleteOldSegments()
        if (count > 0) this.#logger.info(`${log.name}: ${count} old segments dropped, the log starts at ${log.logStartOffset}`)
      } catch (error) {
        this.#logger.warn(`${log.name}: old segments not dropped: ${messageOf(error)}`)
      }
    }
  }

  async #compact(): Promise<void> {
    while (!this.#isStopped) {
      if (!(await this.#store.cleaner.cleanDirtiest(this.#logs(), this.#settings.cleanerDedupeBufferSize))) return
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
