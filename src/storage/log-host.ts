// What a log is, and what it needs of the store it lies in.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { KafkaError } from '../protocol/errors.ts'
import type { Disk } from './disk.ts'
import type { OpenFiles } from './open-files.ts'

export interface LogIdentity {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
}

/** A log as the store writes it out. */
export interface TailedLog {
  readonly topic: string
  /** Writes what was appended and is in memory only. */
  writeOut(): void
}

/** What a log needs of the store it lies in. */
export interface LogHost {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly files: OpenFiles
  /** Has `writeOut` called at the end of this turn of the event loop. */
  needsWrite(log: TailedLog): void
  /** A sync failed, or a write for another reason than space: everything stops. */
  fail(error: unknown): void
  readonly fatal: KafkaError | undefined
  /** Whether writes may be tried; false for a while after space was wanting. */
  hasRoom(): boolean
  /** Space was wanting; whether some was made, so that the write may be tried again. */
  makeRoom(log: TailedLog): boolean
  /** Recovery points and log starts, durable. */
  checkpoint(): Promise<void>
}
