// The transactional side of Produce: which of a request's batches begin to write in a partition and must be let in
// first, and the last look just before each is appended.

import type { RequestContext } from '../handler.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { attributesAt, BATCH_OVERHEAD, baseSequenceAt, producerAt, TRANSACTIONAL_FLAG } from '../../protocol/record-batch.ts'
import { brokerConfigValue } from '../config/resolve.ts'
import type { Partition } from '../partitions.ts'
import { admit, produceError } from './admission.ts'
import type { Admission, Verdict } from './admission.ts'
import type { ProducerIdentity } from './transaction.ts'

const ADDS_SINCE = 12
const ABORTABLE_SINCE = 11

/** A batch and where it goes. */
export interface Write {
  readonly partition: Partition
  readonly batch: Buffer
}

export function isTransactional(batch: Buffer | null): boolean {
  return batch !== null && batch.length >= BATCH_OVERHEAD && (attributesAt(batch, 0) & TRANSACTIONAL_FLAG) !== 0
}

/** Whether transactional batches are of one producer, in one epoch. */
export function isOfOneProducer(batches: readonly (Buffer | null)[]): boolean {
  const producers = batches.flatMap((batch) => (batch !== null && isTransactional(batch) ? [producerAt(batch, 0)] : []))
  return producers.every(({ producerId, epoch }) => producerId === producers[0].producerId && epoch === producers[0].epoch)
}

export class ProduceAdmission {
  readonly #id: string
  readonly #context: RequestContext
  readonly #admission: Admission
  readonly #isChecked: boolean
  #verdict: Verdict | undefined

  constructor(id: string, context: RequestContext) {
    const { apiVersion, broker } = context
    this.#id = id
    this.#context = context
    this.#admission = apiVersion >= ADDS_SINCE ? 'adds' : apiVersion >= ABORTABLE_SINCE ? 'abortable' : 'old'
    this.#isChecked =
      this.#admission === 'adds' ||
      brokerConfigValue(broker.config, broker.metadata.image, 'transaction.partition.verification.enable') !== 'false'
  }

  /** Has the partitions let in that need it; undefined when none does. All of one producer. */
  prepare(writes: readonly Write[]): Promise<void> | undefined {
    if (!this.#isChecked) return undefined
    const needed = new Map<string, Set<number>>()
    let producer: ProducerIdentity | undefined
    for (const { partition, batch } of writes) {
      if (!isTransactional(batch) || !this.#needsWord(partition, batch)) continue
      producer = producerAt(batch, 0)
      const sequence = baseSequenceAt(batch, 0)
      const startsAtZero = this.#admission === 'adds'
      partition.log.awaitTransaction({ ...producer, sequence, startsAtZero }, this.#context.broker.clock.now())
      const indexes = needed.get(partition.topic) ?? new Set()
      needed.set(partition.topic, indexes.add(partition.index))
    }
    if (producer === undefined) return undefined
    const { transactions } = this.#context.broker
    return admit(transactions, this.#id, producer, needed, this.#admission).then((verdict) => {
      this.#verdict = verdict
    })
  }

  /** Call it in the turn of the append. Throws the KafkaError that the batch is refused with. */
  check({ partition, batch }: Write): void {
    if (!this.#isChecked || !isTransactional(batch) || !this.#needsWord(partition, batch)) return
    const { topic, index } = partition
    const error = this.#verdict?.(topic, index)
    if (error !== undefined) throw produceError(error, this.#admission)
    const producer = producerAt(batch, 0)
    if (!this.#context.broker.transactions.isWritable(this.#id, producer, topic, index)) {
      throw new KafkaError('INVALID_TXN_STATE', 'Record was not part of an ongoing transaction')
    }
  }

  /** Not a partition that the transaction is in already, nor a producer that the log refuses for its old epoch. */
  #needsWord({ log }: Partition, batch: Buffer): boolean {
    const { producerId, epoch } = producerAt(batch, 0)
    if (producerId < 0n || log.hasOpenTransaction(producerId, epoch)) return false
    return epoch >= (log.producerEpoch(producerId) ?? -1)
  }
}
