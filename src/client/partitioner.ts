// Which partition a record goes to, as Java's default partitioner has it: by the key where there is one, else to one
// partition until a batch is full, then to the next, so that records without keys travel in large batches.

import { murmur2, toPositive } from '../kernels/murmur2.ts'

export class Partitioner {
  readonly #partitions: number
  #sticky: number

  /** `random` in [0, 1): where the round starts, so that many short runs spread over the partitions. */
  constructor(partitions: number, random: number = Math.random()) {
    this.#partitions = partitions
    this.#sticky = Math.floor(random * partitions)
  }

  /** The partition of the key `bytes[start, end)`. */
  forKey(bytes: Buffer, start: number, end: number): number {
    return toPositive(murmur2(bytes, start, end)) % this.#partitions
  }

  /** The partition of records without a key, for now. */
  get current(): number {
    return this.#sticky
  }

  /** The batch for `partition` is closed: records without a key go elsewhere if they went there. */
  batchClosed(partition: number): void {
    if (partition === this.#sticky) this.#sticky = (this.#sticky + 1) % this.#partitions
  }
}
