// Chooses the log that compaction serves most and has it cleaned, one at a time; remembers in cleaner-offset-checkpoint how
// far each log is clean. Work that is stopped or fails leaves the log as it was.

import { CheckpointError, readOffsetCheckpoint, writeOffsetCheckpoint } from './checkpoints.ts'
import { type CleaningPlan, planCleaning } from './cleanable.ts'
import { CleaningError, cleanLog } from './cleaner.ts'
import { DiskError } from './disk.ts'
import type { Log } from './log.ts'
import type { LogHost } from './log-host.ts'

const CHECKPOINT = 'cleaner-offset-checkpoint'

class StoppedError extends Error {
  override readonly name = 'StoppedError'
}

export class LogCleaner {
  readonly #host: LogHost
  readonly #directory: string
  readonly #cleanedTo = new Map<string, number>() // by `<topic>-<partition>`
  readonly #uncleanable = new Set<Log>()
  #current: { readonly log: Log; isStopped: boolean; done: Promise<boolean> } | undefined
  #isClosed = false

  constructor(host: LogHost, directory: string) {
    this.#host = host
    this.#directory = directory
  }

  get #path(): string {
    return `${this.#directory}/${CHECKPOINT}`
  }

  /** Reads the checkpoint; one that can't be read means that nothing is clean. */
  load(): void {
    const { disk, logger } = this.#host
    try {
      for (const [name, offset] of readOffsetCheckpoint(disk, this.#path) ?? []) {
        if (disk.stat(`${this.#directory}/${name}`) !== undefined) this.#cleanedTo.set(name, offset)
      }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error
      logger.warn(`${error.message}: passed over`)
    }
  }

  /** Up to where a log is clean; undefined: it was never cleaned. */
  cleanedTo(log: Log): number | undefined {
    return this.#cleanedTo.get(log.name)
  }

  /**
   * Cleans the dirtiest of the compacted logs that are due, with at most `mapBytes` of memory for keys. Whether it did: then
   * there may be more to do. One call at a time.
   */
  async cleanDirtiest(logs: Iterable<Log>, mapBytes: number): Promise<boolean> {
    if (this.#isClosed || this.#current !== undefined || this.#host.fatal !== undefined) return false
    let dirtiest: { log: Log; plan: CleaningPlan } | undefined
    for (const log of logs) {
      if (!log.config.cleanupPolicy.has('compact') || log.failure !== undefined || this.#uncleanable.has(log)) continue
      const plan = planCleaning(log.cleanable(), log.config, this.#cleanedTo.get(log.name), this.#host.clock.now())
      if (plan?.isDue !== true) continue
      if (dirtiest === undefined || plan.dirtyRatio > dirtiest.plan.dirtyRatio) dirtiest = { log, plan }
    }
    if (dirtiest === undefined) return false
    const { log, plan } = dirtiest
    const current = { log, isStopped: false, done: Promise.resolve(false) }
    this.#current = current
    current.done = this.#clean(log, plan, mapBytes, () => current.isStopped)
      .catch((error: unknown) => this.#failed(log, error))
      .finally(() => (this.#current = undefined))
    return current.done
  }

  async #clean(log: Log, plan: CleaningPlan, mapBytes: number, isStopped: () => boolean): Promise<boolean> {
    const { disk, clock, logger } = this.#host
    const { firstDirtyOffset, endOffset } = plan
    const turn = async () => {
      await new Promise((resolve) => setImmediate(resolve))
      if (isStopped()) throw new StoppedError()
    }
    const sources = log.cleanable().segments.filter((segment) => segment.endOffset <= endOffset)
    const sizeBefore = log.sizeBytes
    log.holdSegments(true)
    try {
      // What a recovery point says is durable may have gaps afterwards, and nothing else may.
      await this.#host.checkpoint()
      await turn()
      const cleanedTo = await cleanLog({
        disk,
        directory: log.directory,
        sources,
        firstDirtyOffset,
        endOffset,
        segmentBytes: log.config.segmentBytes,
        indexIntervalBytes: log.config.indexIntervalBytes,
        deleteRetentionMs: log.config.deleteRetentionMs,
        aborted: log.abortedTransactions(0, endOffset),
        lastBatches: log.lastBatches(),
        mapBytes,
        nowMs: clock.now(),
        turn,
        swap: (cleaned, replaced) => log.replaceSegments(cleaned, replaced),
      })
      if (cleanedTo <= firstDirtyOffset) throw new CleaningError(`one batch at ${firstDirtyOffset} has more keys than fit`)
      logger.info(`${log.name}: compacted up to ${cleanedTo}, ${sizeBefore} to ${log.sizeBytes} bytes`)
      this.#cleanedTo.set(log.name, cleanedTo)
    } finally {
      log.holdSegments(false)
    }
    await this.#writeCheckpoint()
    return true
  }

  #failed(log: Log, error: unknown): boolean {
    const { logger } = this.#host
    if (error instanceof StoppedError || this.#host.fatal !== undefined) return false
    if (error instanceof CleaningError) {
      this.#uncleanable.add(log)
      logger.error(`${log.name} can't be compacted: ${error.message}`)
    } else if (error instanceof DiskError && error.reason !== 'noSpace' && error.reason !== 'tooManyOpen') {
      this.#host.fail(error)
    } else {
      logger.warn(`${log.name} was not compacted: ${error instanceof Error ? error.message : String(error)}`)
    }
    return false
  }

  async #writeCheckpoint(): Promise<void> {
    const entries = Array.from(this.#cleanedTo, ([name, offset]) => {
      const dash = name.lastIndexOf('-')
      return { topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)), offset }
    })
    await writeOffsetCheckpoint(this.#host.disk, this.#path, entries)
  }

  /** The log goes: work on it is stopped, and what is known of it forgotten. */
  async leave(log: Log): Promise<void> {
    if (this.#current?.log === log) await this.#stop()
    this.#uncleanable.delete(log)
    this.#cleanedTo.delete(log.name)
  }

  /** A new log gets this name: nothing of an older one may be believed of it. Durable. */
  async forget(name: string): Promise<void> {
    if (this.#cleanedTo.delete(name)) await this.#writeCheckpoint()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#stop()
  }

  async #stop(): Promise<void> {
    if (this.#current === undefined) return
    this.#current.isStopped = true
    await this.#current.done
  }
}
