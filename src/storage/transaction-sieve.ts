// Walks a log's batches beside compaction and says which belong to aborted transactions, and which markers have nothing
// left to mark (Kafka's CleanedTransactionMetadata).

import type { BatchHeader } from '../protocol/record-batch.ts'
import { transactionMarker } from './producer-state.ts'
import type { AbortedTransaction } from './txn-index.ts'

interface OngoingAborted {
  readonly transaction: AbortedTransaction
  hasBatches: boolean
}

export class TransactionSieve {
  readonly #coming: AbortedTransaction[] // the next one last
  readonly #aborted = new Map<bigint, OngoingAborted>()
  readonly #committed = new Set<bigint>() // producers of which batches came since their last marker
  #kept: AbortedTransaction[] = []

  /** `aborted`: all transactions of the range that its indexes name. */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#coming = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset)
  }

  /** Whether a batch of records belongs to an aborted transaction: then none of them is wanted. */
  isAborted(header: BatchHeader): boolean {
    this.#begin(header)
    if (!header.isTransactional) return false
    const ongoing = this.#aborted.get(header.producerId)
    if (ongoing === undefined) this.#committed.add(header.producerId)
    else ongoing.hasBatches = true
    return ongoing !== undefined
  }

  /** Whether a control batch marks the end of nothing that is still there. */
  isSpentMarker(header: BatchHeader, bytes: Buffer, at: number): boolean {
    this.#begin(header)
    if (header.recordCount === 0) return true // it was emptied before
    const marker = transactionMarker(header, bytes, at)
    if (marker === undefined) return false
    if (!marker.isAbort) return !this.#committed.delete(header.producerId)
    const ongoing = this.#aborted.get(header.producerId)
    this.#aborted.delete(header.producerId)
    if (ongoing?.hasBatches !== true) return true
    this.#kept.push(ongoing.transaction)
    return false
  }

  /** The aborted transactions that ended since the last call and had batches: to be noted where their marker goes. */
  takeKept(): AbortedTransaction[] {
    const kept = this.#kept
    this.#kept = []
    return kept
  }

  #begin({ baseOffset, lastOffsetDelta }: BatchHeader): void {
    const lastOffset = baseOffset + lastOffsetDelta
    for (let next = this.#coming.at(-1); next !== undefined && next.firstOffset <= lastOffset; next = this.#coming.at(-1)) {
      this.#coming.pop()
      if (!this.#aborted.has(next.producerId)) this.#aborted.set(next.producerId, { transaction: next, hasBatches: false })
    }
  }
}
