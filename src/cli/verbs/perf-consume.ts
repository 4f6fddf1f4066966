// Consumes as a member of a group as fast as it can, and counts. Records are looked at only for their sizes, in rounds of
// max.poll.records, as Java's poll gives them out: what is asked for is looked at between rounds.

import { type Clock, systemClock } from '../../base/clock.ts'
import type { Cluster } from '../../client/cluster.ts'
import { batchesOf, type FetchedBatch, type FetchedRecords } from '../../client/consumer-batches.ts'
import { GroupConsumer } from '../../client/groups/group-consumer.ts'
import type { Wanted } from '../../client/topic-watch.ts'
import { RecordCursor } from '../../protocol/record-cursor.ts'

export interface PerfConsumeOptions {
  readonly groupId: string
  readonly wanted: Wanted
  readonly reset: 'earliest' | 'latest'
  /** Stop when that many have been read, at the end of a round. */
  readonly records: number
  /** Stop when for longer than this nothing came. */
  readonly timeoutMs: number
  readonly reportingIntervalMs: number
  /** At the first record that comes so much later than the last report. */
  readonly onProgress: (progress: Progress) => void
}

export interface PerfConsumed {
  /** Wall times, ms. */
  readonly startedAt: number
  readonly endedAt: number
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
  /** Without partitions, ms. */
  readonly joinMs: number
}

export interface Progress extends PerfConsumed {
  /** Since the last report. */
  readonly window: { readonly startedAt: number; readonly records: number; readonly bytes: number; readonly joinMs: number }
}

/** Throws KafkaError when group or topics can't be read. */
export async function consumePerf(cluster: Cluster, options: PerfConsumeOptions, clock: Clock = systemClock): Promise<PerfConsumed> {
  const count = new Count(options, clock, cluster.config.consumer.maxPollRecords)
  const consumer: GroupConsumer = new GroupConsumer(cluster, {
    groupId: options.groupId,
    topics: [],
    wanted: options.wanted,
    reset: options.reset,
    untilEnd: false,
    isolation: cluster.config.consumer.isolationLevel,
    collect: () => {
      count.report(consumer)
    },
    flush: () => {
      count.lost(consumer)
      return Promise.resolve()
    },
    onAssigned: ({ length }) => {
      count.assigned(length)
    },
  }, clock) // prettier-ignore
  const watch = (): void => {
    const left = count.lastConsumedAt + options.timeoutMs - clock.now()
    if (left >= 0) timer = clock.after(left + 1, watch, true)
    else consumer.stop()
  }
  let timer = clock.after(options.timeoutMs + 1, watch, true)
  try {
    while (!count.isEnough) {
      const fetched = await consumer.next()
      if (fetched === undefined) break
      const { maxPartitionFetchBytes, checkCrcs } = cluster.config.consumer
      count.take(fetched, batchesOf(fetched, checkCrcs, maxPartitionFetchBytes))
    }
    return count.result(clock.now())
  } finally {
    timer.cancel()
    await consumer.close()
  }
}

class Count {
  lastConsumedAt: number // wall time, ms
  readonly #options: PerfConsumeOptions
  readonly #clock: Clock
  readonly #roundRecords: number
  readonly #startedAt: number
  #records = 0
  #bytes = 0
  #joinMs = 0
  #joinStartedAt: number
  #isAssigned = false
  #windowStartedAt: number
  #windowJoinMs = 0
  #lastRecords = 0
  #lastBytes = 0
  readonly #done = new Map<string, { readonly fetched: FetchedRecords; readonly next: number; readonly leaderEpoch: number }>()

  constructor(options: PerfConsumeOptions, clock: Clock, roundRecords: number) {
    this.#options = options
    this.#clock = clock
    this.#roundRecords = roundRecords
    this.#startedAt = clock.now()
    this.lastConsumedAt = this.#startedAt
    this.#joinStartedAt = this.#startedAt
    this.#windowStartedAt = this.#startedAt
  }

  get isEnough(): boolean {
    return this.#records >= this.#options.records
  }

  take(fetched: FetchedRecords, batches: Iterable<FetchedBatch>): void {
    let leaderEpoch = -1
    let round = 0
    for (const { header, records } of batches) {
      leaderEpoch = header.leaderEpoch
      const cursor = new RecordCursor(header, records)
      while (cursor.next()) {
        if (cursor.offset < fetched.from) continue
        if (round === 0) {
          if (this.isEnough) {
            this.#finish(fetched, cursor.offset, leaderEpoch)
            return
          }
          round = this.#roundRecords
          this.lastConsumedAt = this.#clock.now()
        }
        this.#records++
        const { keyStart, keyEnd, valueStart, valueEnd } = cursor
        this.#bytes += keyEnd - keyStart + valueEnd - valueStart
        if (round-- === this.#roundRecords && this.lastConsumedAt - this.#windowStartedAt >= this.#options.reportingIntervalMs) this.#progress()
      }
    }
    this.#finish(fetched, fetched.next, leaderEpoch)
  }

  assigned(partitions: number): void {
    if (this.#isAssigned || partitions === 0) return
    this.#isAssigned = true
    const elapsed = this.#clock.now() - this.#joinStartedAt
    this.#joinMs += elapsed
    this.#windowJoinMs += elapsed
  }

  lost(consumer: GroupConsumer): void {
    this.report(consumer)
    this.#isAssigned = false
    this.#joinStartedAt = this.#clock.now()
  }

  /** What may be committed. */
  report(consumer: GroupConsumer): void {
    for (const { fetched, next, leaderEpoch } of this.#done.values()) consumer.processed(fetched, next, leaderEpoch)
    this.#done.clear()
  }

  result(endedAt: number): PerfConsumed {
    return { startedAt: this.#startedAt, endedAt, records: this.#records, bytes: this.#bytes, joinMs: this.#joinMs }
  }

  #finish(fetched: FetchedRecords, next: number, leaderEpoch: number): void {
    this.#done.set(`${fetched.topic}-${fetched.partition}`, { fetched, next, leaderEpoch })
  }

  #progress(): void {
    const window = {
      startedAt: this.#windowStartedAt,
      records: this.#records - this.#lastRecords,
      bytes: this.#bytes - this.#lastBytes,
      joinMs: this.#windowJoinMs,
    }
    this.#options.onProgress({ ...this.result(this.lastConsumedAt), window })
    this.#windowJoinMs = 0
    this.#windowStartedAt = this.lastConsumedAt
    this.#lastRecords = this.#records
    this.#lastBytes = this.#bytes
  }
}
