// Keeps leader-epoch-checkpoint in step with a log's epochs: one write at a time, the newest state last.

import { writeEpochCheckpoint } from './checkpoints.ts'
import type { Disk } from './disk.ts'
import type { LeaderEpochs } from './leader-epochs.ts'

export class EpochFile {
  readonly path: string
  readonly #disk: Disk
  readonly #epochs: LeaderEpochs
  readonly #attempt: (path: string, write: () => Promise<void>) => Promise<void>
  readonly #fail: (error: unknown) => void
  #isDirty = false
  #writing: Promise<void> | undefined

  /** `attempt` runs each write, `fail` takes what it throws. */
  constructor(
    disk: Disk,
    directory: string,
    epochs: LeaderEpochs,
    attempt: (path: string, write: () => Promise<void>) => Promise<void>,
    fail: (error: unknown) => void,
  ) {
    this.#attempt = attempt
    this.#fail = fail
    this.#disk = disk
    this.#epochs = epochs
    this.path = `${directory}/leader-epoch-checkpoint`
  }

  /** Says that the epochs changed; `write` will have work. */
  changed(): void {
    this.#isDirty = true
  }

  /** Begins to write what changed. */
  write(): void {
    if (!this.#isDirty || this.#writing !== undefined) return
    const run = async () => {
      while (this.#isDirty) {
        this.#isDirty = false
        const entries = [...this.#epochs.entries]
        await this.#attempt(this.path, () => writeEpochCheckpoint(this.#disk, this.path, entries))
      }
    }
    this.#writing = run()
      .catch(this.#fail)
      .finally(() => (this.#writing = undefined))
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#writing
  }
}
