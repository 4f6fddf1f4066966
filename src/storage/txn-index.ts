// `.txnindex`: the aborted transactions whose marker lies in a segment, so that readers of committed records know what to
// leave out. Other than the sparse indexes it is no hint: its entries are made with the marker, and made anew only by
// recovery. There is no file without an aborted transaction.

import type { Disk } from './disk.ts'
import { IndexFile } from './index-file.ts'

/** An aborted transaction in one partition. */
export interface AbortedTransaction {
  readonly producerId: bigint
  readonly firstOffset: number
  /** Of the abort marker. */
  readonly lastOffset: number
  /** The last stable offset when it was aborted: later entries concern only transactions that began there or later. */
  readonly lastStableOffset: number
}

// int16 version; int64 each: producer id, first offset, last offset, last stable offset.
export const TXN_ENTRY_BYTES = 34
const VERSION = 0

export class TxnIndex extends IndexFile {
  constructor(disk: Disk, path: string, isNew: boolean) {
    super(disk, path, TXN_ENTRY_BYTES, isNew)
  }

  append(transaction: AbortedTransaction): void {
    const at = this.grow()
    const bytes = this.load()
    bytes.writeInt16BE(VERSION, at)
    bytes.writeBigInt64BE(transaction.producerId, at + 2)
    bytes.writeBigInt64BE(BigInt(transaction.firstOffset), at + 10)
    bytes.writeBigInt64BE(BigInt(transaction.lastOffset), at + 18)
    bytes.writeBigInt64BE(BigInt(transaction.lastStableOffset), at + 26)
  }

  /** All entries, in the order of their markers. */
  entries(): AbortedTransaction[] {
    const bytes = this.load()
    return Array.from({ length: this.count }, (_, index) => {
      const at = index * TXN_ENTRY_BYTES
      return {
        producerId: bytes.readBigInt64BE(at + 2),
        firstOffset: Number(bytes.readBigInt64BE(at + 10)),
        lastOffset: Number(bytes.readBigInt64BE(at + 18)),
        lastStableOffset: Number(bytes.readBigInt64BE(at + 26)),
      }
    })
  }

  /** Writes what the file lacks; makes none for no entries. */
  override flush(): void {
    if (this.count > 0 || this.isThere) super.flush()
  }

  /** Makes the file durable if there is one to be. */
  override async sync(): Promise<void> {
    if (this.count > 0) await super.sync()
  }

  protected override follows(bytes: Buffer, at: number, before: number): boolean {
    const first = bytes.readBigInt64BE(at + 10)
    const last = bytes.readBigInt64BE(at + 18)
    if (bytes.readInt16BE(at) !== VERSION || bytes.readBigInt64BE(at + 2) < 0n || first < 0n || last < first) return false
    return before < 0 || last > bytes.readBigInt64BE(before + 18)
  }
}

/**
 * Adds to `found` the transactions that concern readers of [from, upTo) (Kafka's TransactionIndex); whether later
 * segments have none that do.
 */
export function collectAborted(index: TxnIndex, from: number, upTo: number, found: AbortedTransaction[]): boolean {
  if (index.count === 0) return false
  for (const entry of index.entries()) {
    if (entry.lastOffset >= from && entry.firstOffset < upTo) found.push(entry)
    if (entry.lastStableOffset >= upTo) return true
  }
  return false
}
