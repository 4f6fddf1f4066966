// Produces as fast as it can, or as fast as is asked, and tells the latency of each record. Records are written by a kernel
// straight into the batches; the moments they were written at are kept as runs of records of the same millisecond.

import { type Clock, systemClock } from '../../base/clock.ts'
import type { Cluster } from '../../client/cluster.ts'
import { Producer, type ProducerTopic } from '../../client/producer.ts'
import { openTransactions, type Transactions } from '../../client/transaction.ts'
import { type ProducerBatch, serializedSize } from '../../client/producer-batch.ts'
import { encodePieces, NO_HEADERS, writeRecord } from '../../kernels/record-writer.ts'
import { allocate } from '../../kernels/memory.ts'
import { awaitTopic } from './existing-topic.ts'

/** What the values are: so many random capital letters, one of a list by chance, or numbers that count up from 0. */
export type Payload = { readonly size: number } | { readonly list: readonly Buffer[] } | 'monotonic'

/** Records that were written to a batch within one millisecond. */
export interface SentRun {
  readonly latencyMs: number
  readonly records: number
  readonly bytes: number
  /** They came after the warm-up. */
  readonly isSteady: boolean
}

export interface PerfProduceOptions {
  readonly topic: string
  readonly records: number
  readonly payload: Payload
  /** Transactions of transactional.id end after so many ms; undefined: there are none. */
  readonly transactionMs?: number | undefined
  /** Records a second; negative: no limit. */
  readonly throughput: number
  readonly warmupRecords: number
  readonly onSent: (run: SentRun) => void
  /** For each record that was given up. */
  readonly onFailed: (error: Error) => void
  /** The first record behind the warm-up is about to be written. */
  readonly onSteady: () => void
}

// Between two looks at the clock.
const RUN_RECORDS = 64
// Longer than any batch, so that within one nothing is said twice and compression finds as much as in fresh letters.
const POOL_BYTES = 4 * 1024 * 1024
const THROTTLE_MS = 2

/** The topic may be made by the broker. Throws ConfigError for settings, and what keeps all records from being sent. */
export async function producePerf(cluster: Cluster, options: PerfProduceOptions, clock: Clock = systemClock): Promise<void> {
  const runs = new WeakMap<ProducerBatch, Runs>()
  const onAcknowledged = (batch: ProducerBatch): void => tell(batch, runs.get(batch), options, clock.now())
  const events = { onAcknowledged, onFailed: ({ error }: { error: Error }) => options.onFailed(error) }
  const { transactionalId = '' } = cluster.config.producer
  const transactions = options.transactionMs === undefined ? undefined : await openTransactions(cluster, transactionalId, clock)
  const producer = new Producer(cluster, clock, events, transactions)
  try {
    await awaitTopic(cluster, options.topic, cluster.config.producer.maxBlockMs, new AbortController().signal, clock)
    await send(producer, await producer.topic(options.topic), runs, options, transactions, clock)
    await producer.flush()
  } finally {
    producer.close()
  }
}

async function send(
  producer: Producer,
  topic: ProducerTopic,
  runs: WeakMap<ProducerBatch, Runs>,
  options: PerfProduceOptions,
  transactions: Transactions | undefined,
  clock: Clock,
): Promise<void> {
  const { records, throughput, warmupRecords, transactionMs = 0 } = options
  const commit = async (): Promise<void> => {
    await producer.flush()
    if (producer.totals.lastError !== undefined) throw producer.totals.lastError
    await transactions?.end(true)
    began = undefined
  }
  let began: number | undefined
  const source = sourceOf(options.payload, producer.longestValue, records)
  const startedAt = clock.monotonic()
  let sent = 0
  while (sent < records) {
    if (warmupRecords > 0 && sent === warmupRecords) options.onSteady()
    const end = sent < warmupRecords ? warmupRecords : records
    const allowed = throughput < 0 ? RUN_RECORDS : Math.floor((throughput * (clock.monotonic() - startedAt)) / 1000) + 1 - sent
    if (allowed <= 0) {
      await new Promise<void>((resolve) => clock.after(THROTTLE_MS, resolve, true))
      continue
    }
    if (transactions !== undefined && began !== undefined && clock.now() - began >= transactionMs) await commit()
    if (transactions !== undefined && began === undefined) {
      await transactions.begin(topic.name, topic.partitions.map(({ index }) => index))
      began = clock.now()
    }
    if (source.isTooLong(sent)) {
      producer.refuseTooLong(sent, source.size(sent))
      sent++
      continue
    }
    const partition = topic.partitions[topic.partitioner.pick(NO_HEADERS, -1, -1)]
    const batch = producer.area(partition, serializedSize(-1, source.size(sent), NO_HEADERS.length))
    if (batch === undefined) {
      await producer.room()
      continue
    }
    const now = clock.now()
    const most = topic.partitioner.isPerRecord ? 1 : Math.min(RUN_RECORDS, end - sent, allowed)
    const written = source.write(batch, batch.deltaAt(now), sent, most)
    if (written > 0) runsOf(runs, batch).add(now, written, source.written, warmupRecords > 0 && sent >= warmupRecords)
    sent += written
    if (written === most) continue
    producer.closeBatch(topic, partition)
    // Answers are read, and batches that have lingered leave.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
  if (transactions !== undefined && began !== undefined) await commit()
}

function tell(batch: ProducerBatch, runs: Runs | undefined, { onSent, warmupRecords }: PerfProduceOptions, now: number): void {
  if (runs === undefined) {
    // Half of a batch that was too large.
    let bytes = 0
    for (const { valueSize } of batch.sizes()) bytes += valueSize
    onSent({ latencyMs: now - batch.baseTimestamp, records: batch.count, bytes, isSteady: warmupRecords > 0 })
  } else for (const run of runs.list) onSent({ latencyMs: now - run.at, records: run.records, bytes: run.bytes, isSteady: run.isSteady })
}

interface Run {
  readonly at: number // wall time, ms
  records: number
  bytes: number
  readonly isSteady: boolean
}

/** Of one batch. */
class Runs {
  readonly list: Run[] = []

  add(at: number, records: number, bytes: number, isSteady: boolean): void {
    const last = this.list.at(-1)
    if (last === undefined || last.at !== at || last.isSteady !== isSteady) this.list.push({ at, records, bytes, isSteady })
    else {
      last.records += records
      last.bytes += bytes
    }
  }
}

function runsOf(runs: WeakMap<ProducerBatch, Runs>, batch: ProducerBatch): Runs {
  const known = runs.get(batch)
  if (known !== undefined) return known
  const fresh = new Runs()
  runs.set(batch, fresh)
  return fresh
}

/** Where values come from. `index`: of the record among all. */
interface Source {
  /** Of the values that the last `write` has written, bytes. */
  readonly written: number
  size(index: number): number
  isTooLong(index: number): boolean
  /** Up to `most` records; fewer when there is no more room, or the next one is too long. */
  write(batch: ProducerBatch, timestampDelta: number, index: number, most: number): number
}

function sourceOf(payload: Payload, longest: number, records: number): Source {
  if (payload === 'monotonic') return new Numbers()
  return 'size' in payload ? new Letters(payload.size, longest, records) : new Choice(payload.list, longest)
}

class Letters implements Source {
  written = 0
  readonly #size: number
  readonly #longest: number
  readonly #pool: Buffer
  readonly #end: number
  #at = 0

  constructor(size: number, longest: number, records: number) {
    this.#size = size
    this.#longest = longest
    this.#end = size > longest ? 0 : Math.max(size, Math.min(POOL_BYTES, size * records))
    this.#pool = allocate(this.#end)
    fillWithLetters(this.#pool.subarray(0, this.#end))
  }

  size(): number {
    return this.#size
  }

  isTooLong(): boolean {
    return this.#size > this.#longest
  }

  write(batch: ProducerBatch, timestampDelta: number, _index: number, most: number): number {
    let count = 0
    while (count < most) {
      const wanted = Math.min(most - count, Math.floor((this.#end - this.#at) / this.#size))
      const written = encodePieces(batch, this.#pool, this.#at, this.#size, wanted, timestampDelta)
      count += written
      this.#at += written * this.#size
      if (this.#at + this.#size > this.#end) this.#at = 0
      if (written < wanted) break
    }
    this.written = count * this.#size
    return count
  }
}

/** Capital letters by xorshift32, five of each number: 26 ** 5 is well below 2 ** 32. */
function fillWithLetters(bytes: Buffer): void {
  let state = 0x9e3779b9
  for (let at = 0; at < bytes.length; ) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    let rest = state >>> 0
    for (let letter = 0; letter < 5 && at < bytes.length; letter++) {
      bytes[at++] = 65 + (rest % 26)
      rest = Math.floor(rest / 26)
    }
  }
}

class Choice implements Source {
  written = 0
  readonly #list: readonly Buffer[]
  readonly #longest: number
  #next: Buffer

  constructor(list: readonly Buffer[], longest: number) {
    this.#list = list
    this.#longest = longest
    this.#next = this.#pick()
  }

  size(): number {
    return this.#next.length
  }

  isTooLong(): boolean {
    const isIt = this.#next.length > this.#longest
    return isIt
  }

  write(batch: ProducerBatch, timestampDelta: number, _index: number, most: number): number {
    this.written = 0
    let count = 0
    while (count < most && !this.isTooLong()) {
      const value = this.#next
      if (!writeRecord(batch, timestampDelta, value, -1, -1, 0, value.length, NO_HEADERS)) break
      count++
      this.written += value.length
      this.#next = this.#pick()
    }
    return count
  }

  #pick(): Buffer {
    return this.#list[Math.floor(Math.random() * this.#list.length)]
  }
}

class Numbers implements Source {
  written = 0
  readonly #digits = Buffer.alloc(20)

  size(index: number): number {
    return String(index).length
  }

  isTooLong(): boolean {
    return false
  }

  write(batch: ProducerBatch, timestampDelta: number, index: number, most: number): number {
    this.written = 0
    let count = 0
    while (count < most) {
      const length = this.#digits.write(String(index + count), 'latin1')
      if (!writeRecord(batch, timestampDelta, this.#digits, -1, -1, 0, length, NO_HEADERS)) break
      count++
      this.written += length
    }
    return count
  }
}
