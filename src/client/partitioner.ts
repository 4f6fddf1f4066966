// Which partition a record goes to, as Java's default partitioner has it: by the key where there is one, else to one
// partition until a batch is full, then to the next, so that records without keys travel in large batches.

import { murmur2, toPositive } from '../kernels/murmur2.ts'

export interface PartitionerSettings {
  /** Every record to the next partition, whatever its key. */
  readonly roundRobin: boolean
  /** Records with a key are treated like those without. */
  readonly ignoreKeys: boolean
}

export class Partitioner {
  /** Whether each record must ask: neighbours without keys may go to different partitions. */
  readonly isPerRecord: boolean
  readonly #partitions: number
  readonly #usesKeys: boolean
  #sticky: number

  /** `random` in [0, 1): where the round starts, so that many short runs spread over the partitions. */
  constructor(partitions: number, settings: PartitionerSettings, random: number = Math.random()) {
    this.#partitions = partitions
    this.isPerRecord = settings.roundRobin
    this.#usesKeys = !settings.ignoreKeys && !settings.roundRobin
    this.#sticky = Math.floor(random * partitions)
  }

  /** The partition for a record with the key `bytes[start, end)`; a start of −1: without. */
  pick(bytes: Buffer, start: number, end: number): number {
    if (start >= 0 && this.#usesKeys) return toPositive(murmur2(bytes, start, end)) % this.#partitions
    if (this.isPerRecord) this.#next()
    return this.#sticky
  }

  /** The partition of records without a key, for now. */
  get current(): number {
    return this.#sticky
  }

  /** The batch for `partition` is closed: records without a key go elsewhere if they went there. */
  batchClosed(partition: number): void {
    if (partition === this.#sticky) this.#next()
  }

  #next(): void {
    this.#sticky = (this.#sticky + 1) % this.#partitions
  }
}
