// Producers that are about to begin a transaction in a log, while the coordinator is asked about it (Kafka's
// VerificationStateEntry): the lowest sequence that came. When it is refused for a reason that passes, and a later batch is
// let in, that one must not stand first: the lower one would be out of order for ever. Lost with the process, as in Kafka.

import { KafkaError } from '../protocol/errors.ts'
import type { BatchHeader } from '../protocol/record-batch.ts'

// Producers are what clients say, before anybody is asked; the oldest goes.
const MAX_PRODUCERS = 10_000

interface Awaited {
  readonly epoch: number
  readonly lowest: number
  readonly startsAtZero: boolean
  readonly since: number // ms
}

/** The first batch of a transaction that came for a log, and is to be let in. */
export interface Beginning {
  readonly producerId: bigint
  readonly epoch: number
  readonly sequence: number
  /** The producer has a new epoch for each transaction, so that it begins with sequence 0 where nothing is known of it. */
  readonly startsAtZero: boolean
}

export class AwaitedSequences {
  readonly #byProducer = new Map<bigint, Awaited>()

  await({ producerId, epoch, sequence, startsAtZero }: Beginning, nowMs: number): void {
    const known = this.#byProducer.get(producerId)
    if (known === undefined) {
      const oldest = this.#byProducer.size < MAX_PRODUCERS ? undefined : this.#byProducer.keys().next().value
      if (oldest !== undefined) this.#byProducer.delete(oldest)
      this.#byProducer.set(producerId, { epoch, lowest: sequence, startsAtZero, since: nowMs })
    } else if (epoch > known.epoch || (epoch === known.epoch && sequence < known.lowest)) {
      this.#byProducer.set(producerId, { ...known, epoch, lowest: sequence })
    }
  }

  /** Throws the KafkaError of a batch that is not the lowest. `isKnown`: the log has heard of its producer. */
  check({ producerId, baseSequence }: BatchHeader, isKnown: boolean, name: string): void {
    const awaited = this.#byProducer.get(producerId)
    if (awaited === undefined) return
    const what = `sequence number for producer ${producerId} in partition ${name}: ${baseSequence} (incoming seq. number)`
    if (awaited.startsAtZero && baseSequence !== 0 && !isKnown) {
      throw new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', `Invalid ${what}, expected 0 for a producer without state`)
    }
    if (baseSequence > awaited.lowest) {
      throw new KafkaError('OUT_OF_ORDER_SEQUENCE_NUMBER', `Out of order ${what}, ${awaited.lowest} (earliest seen sequence)`)
    }
  }

  /** A batch is in the log: its producer's transaction has begun, or ended. */
  appended({ producerId, producerEpoch, isTransactional, isControl }: BatchHeader): void {
    if (!isTransactional || this.#byProducer.size === 0) return
    const awaited = this.#byProducer.get(producerId)
    // The marker of the transaction before: its epoch is that of the one that is to begin.
    if (awaited?.startsAtZero === true && isControl && awaited.epoch === producerEpoch) return
    this.#byProducer.delete(producerId)
  }

  expire(beforeMs: number): void {
    for (const [producerId, { since }] of this.#byProducer) if (since < beforeMs) this.#byProducer.delete(producerId)
  }
}
