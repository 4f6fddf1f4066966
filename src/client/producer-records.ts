// What goes into a producer and what comes out: one record for the slow path, and the account of all of them.

/** One record as ranges of `source`, for the slow path. A start of −1 is null. */
export interface RecordRanges {
  readonly source: Buffer
  readonly keyStart: number
  readonly keyEnd: number
  readonly valueStart: number
  readonly valueEnd: number
  readonly headers?: Buffer // encodeHeaders
  readonly line: number // of the input, for the report; 0: none
}

export interface ProducerTotals {
  acknowledged: number // records
  failed: number // records
  bytes: number // acknowledged, as stored
  /** The failure of the smallest line number. */
  firstFailure: { readonly line: number; readonly error: Error } | undefined
  lastError: Error | undefined
}
