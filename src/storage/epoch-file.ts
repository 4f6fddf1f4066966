// Keeps leader-epoch-checkpoint in step with a log's epochs: one write at a time, the newest state last.

import { writeEpochCheckpoint } from './checkpoints.ts'
import type { Disk } from './disk.ts'
import type { LeaderEpochs } from './leader-epochs.ts'

export class EpochFile {
  readonly path: string
  readonly #disk: Disk
  readonly #epochs: LeaderEpochs
  #isDirty = false
  #writing: Promise<void> | undefined

  constructor(disk: Disk, directory: string, epochs: LeaderEpochs) {
    this.#disk = disk
    this.#epochs = epochs
    this.path = `${directory}/leader-epoch-checkpoint`
  }

  /** Says that the epochs changed; `write` will have work. */
  changed(): void {
    this.#isDirty = true
  }

  /** Writes what changed; `attempt` runs each write, `fail` takes what it throws. */
  write(attempt: (path: string, write: () => Promise<void>) => Promise<void>, fail: (error: unknown) => void): void {
    if (!this.#isDirty || this.#writing !== undefined) return
    const run = async () => {
      while (this.#isDirty) {
        this.#isDirty = false
        const entries = [...this.#epochs.entries]
        await attempt(this.path, () => writeEpochCheckpoint(this.#disk, this.path, entries))
      }
    }
    this.#writing = run()
      .catch(fail)
      .finally(() => (this.#writing = undefined))
  }

  /** Resolves when no write is under way. */
  async settled(): Promise<void> {
    await this.#writing
  }
}
