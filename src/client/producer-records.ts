// What goes into a producer and what comes out: one record for the slow path, and the account of all of them.

import type { ProducerBatch, RecordSizes } from './producer-batch.ts'

/** One record as ranges of `source`, for the slow path. A start of −1 is null. */
export interface RecordRanges {
  readonly source: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly headers?: Buffer // encodeHeaders
  readonly timestamp?: number | undefined // ms; now, when left out
  readonly line: number // of the input, for the report; 0: none
}

/** A record that was not written, as Java's tools name it. */
export interface FailedRecord extends RecordSizes {
  readonly error: Error
}

export interface ProducerEvents {
  /** Sending failed for a reason that may pass; told once, until a batch is acknowledged again. */
  readonly onTrouble?: ((error: Error) => void) | undefined
  /** All of its records are written. The batch is the producer's again behind this. */
  readonly onAcknowledged?: ((batch: ProducerBatch) => void) | undefined
  /** A record was given up. */
  readonly onFailed?: ((record: FailedRecord) => void) | undefined
}

export interface ProducerTotals {
  acknowledged: number // records
  failed: number // records
  bytes: number // acknowledged, as stored
  /** The failure of the smallest line number. */
  firstFailure: { readonly line: number; readonly error: Error } | undefined
  lastError: Error | undefined
}
