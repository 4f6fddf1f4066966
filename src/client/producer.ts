// A producer: records are gathered in one batch per partition and sent when it is full or has lingered, several requests
// under way to each broker, in order. Memory is bounded: a caller who finds no batch to write to waits for `room`.
// Kernels write records straight into the open batch; nothing here is done per record but `append`, the slow path.

import { assert } from '../base/assert.ts'
import { type Clock, systemClock, type Timer } from '../base/clock.ts'
import { allocate, release } from '../kernels/memory.ts'
import { NO_HEADERS, writeRecord } from '../kernels/record-writer.ts'
import { Produce } from '../protocol/apis/produce.ts'
import { prepareCodec } from '../protocol/compression/index.ts'
import { errorName, isRetriable, KafkaError } from '../protocol/errors.ts'
import type { ResponseOf } from '../protocol/schema.ts'
import type { Cluster } from './cluster.ts'
import { ConfigError, ConnectError, TimeoutError } from './errors.ts'
import { Partitioner } from './partitioner.ts'
import { initProducerId, recordErrorText } from './producer-answers.ts'
import { NO_IDENTITY, ProducerBatch, type ProducerIdentity, type RecordSizes, serializedSize } from './producer-batch.ts'
import { ProducerPartition } from './producer-partition.ts'
import type { ProducerEvents, ProducerTotals, RecordRanges } from './producer-records.ts'
import { produceRequest, type Sent } from './producer-request.ts'
import { LAST_PRODUCE_VERSION, type Transactions } from './transaction.ts'

export interface ProducerTopic {
  readonly name: string
  readonly partitions: readonly ProducerPartition[]
  readonly partitioner: Partitioner
}

interface Node {
  underWay: number // requests
  notBefore: number // monotonic ms: throttled until then (KIP-219)
}

// Batches of 16 KiB, Java's default, cost twice the CPU of these (DECISIONS.md, Batch size and producer memory).
const DEFAULT_BATCH_SIZE = 256 * 1024
const SMALLEST_BATCH_SIZE = 16 * 1024
// A quarter of Java's 32 MiB unless asked for: several times what is under way, and more only waits longer.
const DEFAULT_MEMORY = 8 * 1024 * 1024

export class Producer {
  readonly totals: ProducerTotals = { acknowledged: 0, failed: 0, bytes: 0, firstFailure: undefined, lastError: undefined }
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #config: Cluster['config']
  readonly #isIdempotent: boolean
  readonly #events: ProducerEvents
  readonly #transactions: Transactions | undefined
  #isInTrouble = false
  readonly #active = new Set<ProducerPartition>() // with records not acknowledged
  readonly #nodes = new Map<number, Node>()
  readonly #memory: number
  #slotSize: number
  #used = 0 // bytes of memory in batches
  #identity: ProducerIdentity | undefined
  #isAskingIdentity = false
  #isFlushing = false
  #isClosed = false
  #timer: Timer | undefined
  #timerAt = Infinity
  #waiters: (() => void)[] = [] // look again at memory, or at whether all is done

  /** `transactions`: every record is of the one that is under way. */
  constructor(cluster: Cluster, clock: Clock = systemClock, events: ProducerEvents = {}, transactions?: Transactions) {
    const { config } = cluster
    this.#cluster = cluster
    this.#clock = clock
    this.#events = events
    this.#config = config
    this.#isIdempotent = config.producer.enableIdempotence && config.producer.acks === -1
    if (!this.#isIdempotent) this.#identity = NO_IDENTITY
    const wanted = config.given.has('batch.size') ? config.producer.batchSize : DEFAULT_BATCH_SIZE
    this.#memory = config.given.has('buffer.memory') ? config.producer.bufferMemory : DEFAULT_MEMORY
    this.#slotSize = Math.max(Math.min(wanted, config.producer.maxRequestSize, this.#memory), 1)
    this.#transactions = transactions
    if (transactions !== undefined) this.#identity = transactions.identity
    else if (config.producer.transactionalId !== undefined) {
      throw new ConfigError('transactional.id', "transactional.id can't be honoured here: this producer has no transactions")
    }
  }

  /** Finds the topic's partitions and makes the codec ready. KafkaError when the topic can't be used. */
  async topic(name: string): Promise<ProducerTopic> {
    await prepareCodec(this.#config.producer.compressionType)
    const { topics } = await this.#cluster.metadata([name])
    const topic = topics.get(name)
    if (topic === undefined || topic.partitions.length === 0) {
      throw new KafkaError(topic?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION')
    }
    const count = topic.partitions.length
    const share = Math.floor(this.#memory / (2 * count + 8))
    this.#slotSize = Math.max(Math.min(this.#slotSize, share), Math.min(this.#slotSize, SMALLEST_BATCH_SIZE))
    const partitions = topic.partitions.map(({ partition }) => new ProducerPartition(name, partition))
    const { partitioner, partitionerIgnoreKeys: ignoreKeys } = this.#config.producer
    return { name, partitions, partitioner: new Partitioner(count, { roundRobin: partitioner === 'roundRobin', ignoreKeys }) }
  }

  /** The batch for the next record of `partition`; undefined when memory is used up: wait for `room`, then ask again. */
  area(partition: ProducerPartition, atLeast = 0, baseTimestamp = this.#clock.now()): ProducerBatch | undefined {
    if (partition.open !== undefined) return partition.open
    const limit = Math.max(this.#slotSize, atLeast)
    const bytes = this.#allocate(limit)
    if (bytes === undefined) return undefined
    const now = this.#clock.monotonic()
    const deadline = now + this.#config.producer.deliveryTimeoutMs
    const batch = new ProducerBatch(partition.index, bytes, limit, baseTimestamp, now, deadline)
    partition.open = batch
    this.#active.add(partition)
    this.#wakeAt(now + this.#config.producer.lingerMs)
    return batch
  }

  /** No more records for the open batch of `partition`: it is sent as soon as may be. */
  closeBatch(topic: ProducerTopic, partition: ProducerPartition): void {
    if (!this.#shut(partition)) return
    topic.partitioner.batchClosed(partition.index)
    this.#dispatch()
  }

  /** Memory for at least one more batch. Sends everything that is open, since that is what memory is waiting for. */
  async room(): Promise<void> {
    while (this.#used > 0 && this.#used + this.#slotSize > this.#memory && !this.#isClosed) {
      for (const partition of this.#active) this.#shut(partition)
      this.#dispatch()
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /**
   * The slow path: one record to `partition`, or by the partitioner when undefined. False: memory is used up, wait for
   * `room` and call again. A record over max.request.size is counted as failed.
   */
  append(topic: ProducerTopic, record: RecordRanges, fixed?: ProducerPartition): boolean {
    const { source, keyStart, keyEnd, valueStart, valueEnd, headers = NO_HEADERS, line } = record
    const { partitioner, partitions } = topic
    const size = serializedSize(keyStart < 0 ? -1 : keyEnd - keyStart, valueStart < 0 ? -1 : valueEnd - valueStart, headers.length)
    if (this.#isTooLarge(size, line, keyStart < 0 ? -1 : keyEnd - keyStart, valueEnd - valueStart)) return true
    for (;;) {
      const partition = fixed ?? partitions[partitioner.pick(source, keyStart, keyEnd)]
      const isNew = partition.open === undefined
      if (isNew) {
        if (this.area(partition, size, record.timestamp) === undefined) return false
      }
      const batch = partition.open
      assert(batch !== undefined, 'a batch was just opened')
      batch.noteLine(line)
      const timestamp = record.timestamp ?? this.#clock.now()
      if (writeRecord(batch, timestamp - batch.baseTimestamp, source, keyStart, keyEnd, valueStart, valueEnd, headers)) {
        batch.deltaAt(timestamp)
        return true
      }
      assert(!isNew, 'a record does not fit in a batch of its size')
      this.closeBatch(topic, partition)
    }
  }

  /** The longest value, in bytes, that a record without a key and headers can have. */
  get longestValue(): number {
    const { maxRequestSize, bufferMemory } = this.#config.producer
    const most = Math.min(maxRequestSize, bufferMemory)
    let longest = Math.max(0, most - serializedSize(-1, 0, NO_HEADERS.length))
    while (longest > 0 && serializedSize(-1, longest, NO_HEADERS.length) > most) longest--
    return longest
  }

  /** Counts a record whose value of `size` bytes is longer than longestValue, and was dropped unseen. */
  refuseTooLong(line: number, size: number): void {
    this.#isTooLarge(serializedSize(-1, size, NO_HEADERS.length), line, -1, size)
  }

  /** Counts a record of `size` serialized bytes as failed if it is over the limits, in Java's words. */
  #isTooLarge(size: number, line: number, keySize: number, valueSize: number): boolean {
    const { maxRequestSize, bufferMemory } = this.#config.producer
    if (size <= maxRequestSize && size <= bufferMemory) return false
    const what =
      size > maxRequestSize
        ? `larger than ${maxRequestSize}, which is the value of the max.request.size configuration.`
        : 'larger than the total memory buffer you have configured with the buffer.memory configuration.'
    const message = `The message is ${size} bytes when serialized which is ${what}`
    this.#count(1, line, [{ keySize, valueSize }], new KafkaError('MESSAGE_TOO_LARGE', message))
    return true
  }

  /** Sends what is there and waits until every record is acknowledged or has failed. */
  async flush(): Promise<void> {
    this.#isFlushing = true
    try {
      for (;;) {
        this.#dispatch()
        if (this.#active.size === 0 || this.#isClosed) return
        await new Promise<void>((resolve) => this.#waiters.push(resolve))
      }
    } finally {
      this.#isFlushing = false
    }
  }

  /** Stops at once; what was not acknowledged stays unknown. Call `flush` before. The cluster stays open. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#wakeWaiters()
  }

  #shut(partition: ProducerPartition): boolean {
    const batch = partition.open
    if (batch === undefined) return false
    partition.open = undefined
    if (batch.count === 0) {
      this.#release(batch)
      return false
    }
    partition.waiting.push(batch)
    return true
  }

  #allocate(size: number): Buffer | undefined {
    if (this.#used > 0 && this.#used + size > this.#memory) return undefined
    return this.#allocateAnyway(size)
  }

  #release(batch: ProducerBatch): void {
    this.#used -= batch.bytes.length
    release(batch.bytes)
  }

  /** Sends whatever may be sent now, and sets the timer for what may be later. */
  #dispatch(): void {
    if (this.#isClosed) return
    const now = this.#clock.monotonic()
    const ready = new Map<number, ProducerPartition[]>()
    for (const partition of this.#active) {
      this.#lookAfter(partition, now)
      if (partition.waiting.length === 0) continue
      if (partition.node < 0) void this.#askLeader(partition)
      else (ready.get(partition.node) ?? ready.set(partition.node, []).get(partition.node))?.push(partition)
    }
    if (ready.size > 0 && this.#identity === undefined) void this.#askIdentity()
    else for (const [node, partitions] of ready) this.#sendTo(node, partitions, now)
  }

  /** Closes what has lingered, expires what is late, notes when to look again. */
  #lookAfter(partition: ProducerPartition, now: number): void {
    const { open } = partition
    if (open !== undefined) {
      const due = open.openedAt + this.#config.producer.lingerMs
      if (this.#isFlushing || now >= due) this.#shut(partition)
      else this.#wakeAt(due)
    }
    for (const batch of partition.expire(now)) this.#expired(partition, batch)
    if (partition.waiting.length > 0) this.#wakeAt(partition.waiting[0].deadline)
    if (now < partition.notBefore) this.#wakeAt(partition.notBefore)
    if (partition.isIdle) this.#active.delete(partition)
  }

  #sendTo(id: number, partitions: readonly ProducerPartition[], now: number): void {
    const node = this.#nodes.get(id) ?? { underWay: 0, notBefore: 0 }
    this.#nodes.set(id, node)
    if (now < node.notBefore) {
      this.#wakeAt(node.notBefore)
      return
    }
    const most = this.#config.producer.maxInFlightRequestsPerConnection
    while (node.underWay < most) {
      const sent: Sent[] = []
      let size = 0
      for (const partition of partitions) {
        if (!partition.canSend(now, most)) continue
        if (sent.length > 0 && size + partition.waiting[0].at > this.#config.producer.maxRequestSize) break
        const batch = partition.take(this.#identity ?? NO_IDENTITY)
        if (batch === undefined) continue
        size += batch.at
        sent.push({ partition, batch })
      }
      if (sent.length === 0) return
      void this.#send(id, node, sent)
    }
  }

  async #send(id: number, node: Node, sent: readonly Sent[]): Promise<void> {
    const { acks } = this.#config.producer
    node.underWay++
    let error: unknown
    let response: ResponseOf<typeof Produce> | undefined
    try {
      const request = produceRequest(sent, this.#config, this.#transactions?.id ?? null)
      const maxVersion = this.#transactions && LAST_PRODUCE_VERSION
      const options = { node: id, lane: 'produce' as const, timeoutMs: this.#timeLeft(sent), maxVersion }
      if (acks === 0) await this.#cluster.sendOneWay(Produce, request, options)
      else response = await this.#cluster.send(Produce, request, options)
    } catch (thrown) {
      error = thrown
    }
    node.underWay--
    if (response !== undefined) {
      if (response.throttleTimeMs > 0) node.notBefore = this.#clock.monotonic() + response.throttleTimeMs
      this.#answered(sent, response)
    } else if (error === undefined) {
      for (const each of sent) this.#acknowledged(each)
    } else {
      for (const each of sent) this.#unanswered(each, error)
    }
    this.#dispatch()
    this.#wakeWaiters()
  }

  #timeLeft(sent: readonly Sent[]): number {
    const deadline = Math.min(...sent.map(({ batch }) => batch.deadline))
    return Math.max(1, Math.min(this.#config.requestTimeoutMs, deadline - this.#clock.monotonic()))
  }

  #answered(sent: readonly Sent[], response: ResponseOf<typeof Produce>): void {
    for (const each of sent) {
      const { topic, topicId, index } = each.partition
      const answer = response.responses
        .find((one) => (one.name === '' ? one.topicId === topicId : one.name === topic))
        ?.partitionResponses.find((one) => one.index === index)
      if (answer === undefined) {
        this.#failed(each, new KafkaError('UNKNOWN_SERVER_ERROR', `The broker did not answer for ${topic}-${index}`))
        continue
      }
      const name = errorName(answer.errorCode)
      if (name === 'NONE' || name === 'DUPLICATE_SEQUENCE_NUMBER') this.#acknowledged(each)
      else this.#refused(each, KafkaError.from(answer.errorCode, recordErrorText(each.batch, answer)))
    }
  }

  #acknowledged({ partition, batch }: Sent): void {
    this.totals.acknowledged += batch.count
    this.totals.bytes += batch.at
    this.#events.onAcknowledged?.(batch)
    this.#isInTrouble = false
    partition.failuresInARow = 0
    partition.lastFailure = undefined
    this.#release(batch)
    partition.returned(batch, [])
  }

  /** The broker refused a batch: again, in parts, or not at all. */
  #refused(each: Sent, error: KafkaError): void {
    const { partition, batch } = each
    const followsMissing = error.error === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && partition.isStopped
    if (error.error === 'MESSAGE_TOO_LARGE' && batch.count > 1) {
      partition.returned(batch, batch.split((size) => this.#allocateAnyway(size)))
      this.#release(batch)
    } else if (error.error === 'UNKNOWN_PRODUCER_ID') {
      // The broker has forgotten us (retention): it takes a new epoch from sequence 0.
      partition.loseSequence()
      this.#again(each, error)
    } else if (isRetriable(error.code) || followsMissing) {
      if (!followsMissing && error.error !== 'CORRUPT_MESSAGE') this.#forgetLeader(partition)
      this.#again(each, error)
    } else {
      this.#failed(each, error)
    }
  }

  /** No answer: the batch may have been written, and goes again with the same sequence, if that can help. */
  #unanswered(each: Sent, error: unknown): void {
    this.#forgetLeader(each.partition)
    const mayPass = error instanceof TimeoutError || (error instanceof ConnectError && error.retriable)
    if (mayPass && !this.#isClosed) this.#again(each, error)
    else this.#failed(each, error instanceof Error ? error : new Error(String(error)))
  }

  #again(each: Sent, error: Error): void {
    const { partition, batch } = each
    const now = this.#clock.monotonic()
    partition.lastFailure = error
    if (batch.attempts > this.#config.retries) this.#failed(each, error)
    else if (now >= batch.deadline) this.#failed(each, this.#tooLate(partition, batch))
    else {
      const { retryBackoffMs, retryBackoffMaxMs } = this.#config
      const backoff = Math.min(retryBackoffMs * 2 ** Math.min(partition.failuresInARow++, 16), retryBackoffMaxMs)
      partition.notBefore = now + backoff
      partition.returned(batch, [batch])
      this.#tellTrouble(error)
    }
  }

  #tellTrouble(error: Error): void {
    if (!this.#isInTrouble) this.#events.onTrouble?.(error)
    this.#isInTrouble = true
  }

  #failed({ partition, batch }: Sent, error: Error): void {
    if (this.#isIdempotent) partition.loseSequence()
    this.#fail(batch, error)
    partition.returned(batch, [])
    // Other partitions go on with the id they have.
    if (this.#isIdempotent && partition.isOutOfEpochs) this.#identity = undefined
  }

  #expired(partition: ProducerPartition, batch: ProducerBatch): void {
    this.#fail(batch, this.#tooLate(partition, batch))
    this.#wakeWaiters()
  }

  #tooLate(partition: ProducerPartition, batch: ProducerBatch): TimeoutError {
    const age = Math.round(this.#clock.monotonic() - batch.openedAt)
    const where = `${partition.topic}-${partition.index}`
    const why = partition.lastFailure === undefined ? '' : ` (${partition.lastFailure.message})`
    return new TimeoutError(`Expiring ${batch.count} record(s) for ${where}:${age} ms has passed since batch creation${why}`)
  }

  #fail(batch: ProducerBatch, error: Error): void {
    this.#count(batch.count, batch.lineOf(0), batch.sizes(), error)
    this.#release(batch)
  }

  #count(records: number, line: number, sizes: Iterable<RecordSizes>, error: Error): void {
    const { onFailed } = this.#events
    if (onFailed !== undefined) for (const size of sizes) onFailed({ ...size, error })
    this.totals.failed += records
    this.totals.lastError = error
    const first = this.totals.firstFailure
    if (first === undefined || line < first.line) this.totals.firstFailure = { line, error }
  }

  #forgetLeader(partition: ProducerPartition): void {
    partition.node = -1
    this.#cluster.invalidate(partition.topic)
  }

  async #askLeader(partition: ProducerPartition): Promise<void> {
    if (partition.isAskingLeader || this.#clock.monotonic() < partition.notBefore) return
    partition.isAskingLeader = true
    try {
      const timeoutMs = Math.max(1, partition.waiting[0].deadline - this.#clock.monotonic())
      const leader = await this.#cluster.leader(partition.topic, partition.index, { timeoutMs })
      partition.node = leader.node
      partition.topicId = leader.topicId
    } catch (error) {
      this.#giveUp([partition], error)
    }
    partition.isAskingLeader = false
    this.#dispatch()
    this.#wakeWaiters()
  }

  async #askIdentity(): Promise<void> {
    if (this.#isAskingIdentity) return
    this.#isAskingIdentity = true
    try {
      const { producerId, producerEpoch } = await initProducerId(this.#cluster)
      this.#identity = { producerId, epoch: producerEpoch }
    } catch (error) {
      this.#giveUp([...this.#active], error)
    }
    this.#isAskingIdentity = false
    this.#dispatch()
    this.#wakeWaiters()
  }

  /** What is waiting can't be sent at all, for a reason that time does not cure. */
  #giveUp(partitions: readonly ProducerPartition[], thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    for (const partition of partitions) {
      const now = this.#clock.monotonic()
      const passes = error instanceof TimeoutError || (error instanceof ConnectError && error.retriable)
      if (passes && partition.waiting.some(({ deadline }) => now < deadline)) {
        partition.lastFailure = error
        partition.notBefore = now + this.#config.retryBackoffMaxMs
        this.#wakeAt(partition.notBefore)
        this.#tellTrouble(error)
        continue
      }
      for (const batch of partition.waiting.splice(0)) this.#fail(batch, error)
    }
  }

  /** Parts of a split batch may exceed memory for the moment: to wait for room here would be to wait for ourselves. */
  #allocateAnyway(size: number): Buffer {
    const slot = allocate(size)
    this.#used += slot.length
    return slot
  }

  #wakeAt(time: number): void {
    if (time >= this.#timerAt || this.#isClosed) return
    this.#timer?.cancel()
    this.#timerAt = time
    // Records wait: the process must not end before they are sent.
    this.#timer = this.#clock.after(Math.max(0, time - this.#clock.monotonic()), () => this.#wake(), true)
  }

  #wake(): void {
    this.#timer = undefined
    this.#timerAt = Infinity
    this.#dispatch()
    this.#wakeWaiters()
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter()
  }
}
