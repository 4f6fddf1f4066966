// One partition of a producer: the batch being filled, those waiting and those under way, in order. A batch that must be
// sent again stops the partition until everything under way has come back; then all of them go again in their order,
// which is what keeps order and sequence numbers right (KIP-98, KIP-360) without comparing sequences across requests.

import { nextSequence, NO_IDENTITY, type ProducerBatch, type ProducerIdentity } from './producer-batch.ts'

const LAST_EPOCH = 0x7fff

export class ProducerPartition {
  readonly topic: string
  readonly index: number
  node = -1 // of the leader; -1: to be asked
  topicId = ''
  isAskingLeader = false
  open: ProducerBatch | undefined
  readonly waiting: ProducerBatch[] = []
  /** Monotonic ms before which nothing is sent: after a failure that may pass. */
  notBefore = 0
  failuresInARow = 0
  /** Why the last batch has to go again. */
  lastFailure: Error | undefined
  #underWay = 0
  #again: { place: number; batch: ProducerBatch }[] = []
  #sent = 0 // batches ever sent: their order
  readonly #places = new Map<ProducerBatch, number>()
  #isStopped = false
  #restarts = false // sequences start anew
  #identity: ProducerIdentity = NO_IDENTITY
  #sequence = 0

  constructor(topic: string, index: number) {
    this.topic = topic
    this.index = index
  }

  get isIdle(): boolean {
    return this.open === undefined && this.waiting.length === 0 && this.#underWay === 0
  }

  /** Whether an earlier batch is to be sent again, so that one that came back now may have failed for want of it. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  canSend(now: number, mostUnderWay: number): boolean {
    return this.waiting.length > 0 && !this.#isStopped && this.#underWay < mostUnderWay && now >= this.notBefore
  }

  /** Takes the next batch to send. `identity`: of the producer; the partition goes on from it with epochs of its own. */
  take(identity: ProducerIdentity): ProducerBatch | undefined {
    const batch = this.waiting.shift()
    if (batch === undefined) return undefined
    if (identity.producerId >= 0n) this.#number(batch, identity)
    batch.attempts++
    this.#underWay++
    this.#places.set(batch, this.#sent++)
    return batch
  }

  /** A batch came back. `again`: what replaces it in the queue; empty when it is done with. */
  returned(batch: ProducerBatch, again: readonly ProducerBatch[]): void {
    const place = this.#places.get(batch) ?? 0
    this.#places.delete(batch)
    this.#underWay--
    for (const each of again) this.#again.push({ place, batch: each })
    if (again.length > 0) this.#isStopped = true
    if (this.#underWay === 0 && this.#isStopped) this.#resume()
  }

  /** A numbered batch will never be written: what follows it needs a new epoch, whose sequence starts at 0. */
  loseSequence(): void {
    this.#restarts = true
    this.#isStopped = true
  }

  /** Takes out the waiting batches whose time is up. */
  expire(now: number): ProducerBatch[] {
    if (this.waiting.length === 0 || now < this.waiting[0].deadline) return []
    const late = this.waiting.filter(({ deadline }) => now >= deadline)
    this.waiting.splice(0, this.waiting.length, ...this.waiting.filter(({ deadline }) => now < deadline))
    if (late.some(({ sequence }) => sequence >= 0)) {
      this.loseSequence()
      if (this.#underWay === 0) this.#resume()
    }
    return late
  }

  #resume(): void {
    this.#again.sort((a, b) => a.place - b.place)
    this.waiting.unshift(...this.#again.map(({ batch }) => batch))
    this.#again = []
    this.#isStopped = false
    if (!this.#restarts) return
    this.#restarts = false
    const { producerId, epoch } = this.#identity
    // Out of epochs: the identity is dropped, and the partition takes the producer's newest.
    this.#identity = epoch < LAST_EPOCH ? { producerId, epoch: epoch + 1 } : NO_IDENTITY
    this.#sequence = 0
    for (const batch of this.waiting) batch.assign(NO_IDENTITY, -1)
  }

  /** The partition's epochs are used up: the producer must get itself a new id. Only of idempotent producers. */
  get isOutOfEpochs(): boolean {
    return this.#identity === NO_IDENTITY && this.#sent > 0
  }

  #number(batch: ProducerBatch, identity: ProducerIdentity): void {
    if (batch.sequence >= 0) return // sent before, perhaps written: it keeps its place
    if (this.#identity.producerId < 0n) this.#identity = identity
    batch.assign(this.#identity, this.#sequence)
    this.#sequence = nextSequence(this.#sequence, batch.count)
  }
}
