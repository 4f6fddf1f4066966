// Which leader epoch each offset was written under: the epochs' start offsets, kept in memory and in
// leader-epoch-checkpoint. Batches carry their epoch too, so the file is a hint that recovery completes.

export interface EpochEntry {
  readonly epoch: number
  readonly startOffset: number
}

export class LeaderEpochs {
  #entries: EpochEntry[] = [] // both fields strictly increasing

  constructor(entries: readonly EpochEntry[] = []) {
    for (const { epoch, startOffset } of entries) this.assign(epoch, startOffset)
  }

  get entries(): readonly EpochEntry[] {
    return this.#entries
  }

  get latest(): EpochEntry | undefined {
    return this.#entries.at(-1)
  }

  /** Says that `epoch` starts at `startOffset`; whether that was new. A batch without an epoch (−1) says nothing. */
  assign(epoch: number, startOffset: number): boolean {
    if (epoch < 0) return false
    const latest = this.latest
    if (latest !== undefined && epoch === latest.epoch) return false
    // What an entry contradicts is gone from the log (LeaderEpochFileCache.maybeTruncateNonMonotonicEntries).
    while (this.#entries.length > 0 && this.#contradicts(epoch, startOffset)) this.#entries.pop()
    this.#entries.push({ epoch, startOffset })
    return true
  }

  #contradicts(epoch: number, startOffset: number): boolean {
    const latest = this.latest
    return latest !== undefined && (latest.epoch >= epoch || latest.startOffset >= startOffset)
  }

  /** Forgets epochs that start at `endOffset` or later. Whether any did. */
  truncateFromEnd(endOffset: number): boolean {
    const count = this.#entries.length
    while ((this.latest?.startOffset ?? -1) >= endOffset) this.#entries.pop()
    return this.#entries.length < count
  }

  /** Forgets epochs that ended before `startOffset`; the one that holds it starts there now. Whether anything changed. */
  truncateFromStart(startOffset: number): boolean {
    const holds = this.#entries.findLastIndex((entry) => entry.startOffset <= startOffset)
    if (holds < 0 || (holds === 0 && this.#entries[0].startOffset === startOffset)) return false
    const { epoch } = this.#entries[holds]
    this.#entries.splice(0, holds + 1, { epoch, startOffset })
    return true
  }

  /** The epoch `offset` was written under; −1 when none is known. */
  epochOf(offset: number): number {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1
  }

  /**
   * Kafka's answer to "where does this epoch end": the greatest known epoch at or below it and where the next starts.
   * Both −1 above the latest and where none are known.
   */
  endOffsetFor(epoch: number, logEndOffset: number): { epoch: number; endOffset: number } {
    const latest = this.latest
    if (epoch < 0 || latest === undefined || epoch > latest.epoch) return { epoch: -1, endOffset: -1 }
    if (epoch === latest.epoch) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch)
    const floor = next > 0 ? this.#entries[next - 1].epoch : epoch
    return { epoch: floor, endOffset: this.#entries[next].startOffset }
  }
}
