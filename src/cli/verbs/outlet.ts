// From a source of records to bytes: one loop prints fetched records into a buffer that leaves when it is full or when nothing
// more has arrived, so that a slow topic is seen at once and a fast one travels in large writes. For a group the outlet also
// knows how far each partition got: bytes that the system took, back to the records they were made of.

import { batchesOf, type FetchedBatch, type FetchedRecords } from '../../client/consumer-batches.ts'
import type { ClientConfig } from '../../client/client-config.ts'
import { ByteOutput } from '../../kernels/byte-output.ts'
import type { ByteSink } from '../formats/byte-sink.ts'
import type { RecordFormat } from '../formats/record-format.ts'
import type { ConsumeResult, Stops } from './stops.ts'

/** Where records come from. */
export interface RecordSource {
  next(): Promise<FetchedRecords | undefined>
  readonly isDrained: boolean
  /** A waiting `next` gives undefined. */
  stop(): void
}

/** Called with the offset behind the last record of a partition whose bytes the system has taken. */
export type Taken = (place: FetchedRecords, next: number, leaderEpoch: number) => void

/** Bytes [start, end) of all that is written hold records of one batch from `from` on; behind them the partition is at `next`. */
interface Stretch {
  readonly fetched: FetchedRecords
  readonly batch: FetchedBatch | undefined
  readonly from: number
  readonly next: number
  readonly start: number
  readonly end: number
}

export class Outlet {
  readonly #out = new ByteOutput()
  readonly #format: RecordFormat
  readonly #sink: ByteSink
  readonly #taken: Taken | undefined
  #handed = 0 // bytes given to the sink
  #noted = 0 // bytes that belong to a stretch
  #stretches: Stretch[] = []
  #measured = 0 // records printed once more, only to be measured

  constructor(format: RecordFormat, sink: ByteSink, taken?: Taken) {
    this.#format = format
    this.#sink = sink
    this.#taken = taken
  }

  /** Records printed since the start. */
  get printed(): number {
    return this.#format.printed - this.#measured
  }

  /** Prints all records that were fetched, up to `most` in all, or until `isOver`. */
  async print(fetched: FetchedRecords, batches: Iterable<FetchedBatch>, most: number, isOver: () => boolean): Promise<void> {
    let from = fetched.from
    for (const batch of batches) {
      this.#format.start(batch, fetched)
      for (;;) {
        const hasMore = this.#format.print(this.#out, most)
        const next = hasMore ? this.#format.next : batch.header.baseOffset + batch.header.lastOffsetDelta + 1
        if (this.#taken !== undefined) from = this.#note(fetched, batch, from, next)
        if (!hasMore || isOver()) break
        await this.write()
        if (this.#sink.isClosed) return
      }
      if (isOver()) return
    }
    if (this.#taken !== undefined) this.#note(fetched, undefined, from, fetched.next)
  }

  /** Hands everything printed to the sink. */
  async write(): Promise<void> {
    this.#handed += this.#out.at
    await this.#sink.write(this.#out)
    this.collect()
  }

  /** `write`, and all of it has left. */
  async flush(): Promise<void> {
    await this.write()
    await this.#sink.end()
    this.collect()
  }

  /** Reports what has been taken since the last time. */
  collect(): void {
    if (this.#taken === undefined) return
    const { taken, isClosed } = this.#sink
    let done = 0
    for (const { fetched, batch, next, end } of this.#stretches) {
      if (end > taken) break
      this.#taken(fetched, next, batch?.header.leaderEpoch ?? -1)
      done++
    }
    if (done > 0) this.#stretches = this.#stretches.slice(done)
    const broken = this.#stretches.at(0)
    if (isClosed && broken?.batch !== undefined && broken.start < taken) {
      this.#taken(broken.fetched, this.#nextWithin(broken, broken.batch, taken), broken.batch.header.leaderEpoch)
      this.#stretches = []
    }
  }

  #note(fetched: FetchedRecords, batch: FetchedBatch | undefined, from: number, behind: number): number {
    const next = Math.min(behind, fetched.until)
    const end = this.#handed + this.#out.at
    this.#stretches.push({ fetched, batch, from, next, start: this.#noted, end })
    this.#noted = end
    return next
  }

  /** The pipe broke in the middle of a stretch: its records are printed once more, one at a time, and measured. */
  #nextWithin({ fetched, from, start }: Stretch, batch: FetchedBatch, taken: number): number {
    const scratch = new ByteOutput()
    this.#format.start(batch, { ...fetched, from })
    let next = from
    for (let at = start; ; ) {
      const { printed } = this.#format
      const hasMore = this.#format.print(scratch, printed + 1)
      this.#measured += this.#format.printed - printed
      at += scratch.at
      scratch.at = 0
      if (at > taken || !hasMore) return next
      next = this.#format.next
    }
  }
}

/** Prints what the source gives until it ends, or there is a reason to stop. */
export async function pour(
  source: RecordSource,
  outlet: Outlet,
  { sink, maxMessages = Infinity }: { readonly sink: ByteSink; readonly maxMessages?: number | undefined },
  stops: Stops,
  { checkCrcs, maxPartitionFetchBytes }: ClientConfig['consumer'],
): Promise<ConsumeResult> {
  void stops.stopped.then(() => source.stop())
  const isOver = (): boolean => stops.reason !== undefined || sink.isClosed || outlet.printed >= maxMessages
  try {
    for (let fetched = await source.next(); fetched !== undefined; fetched = await source.next()) {
      const before = outlet.printed
      await outlet.print(fetched, batchesOf(fetched, checkCrcs, maxPartitionFetchBytes), maxMessages, isOver)
      if (outlet.printed > before) stops.sawRecords()
      if (source.isDrained || isOver()) await outlet.write()
      if (isOver()) break
    }
  } finally {
    source.stop()
    await outlet.write()
  }
  const messages = outlet.printed
  if (stops.reason !== 'interrupted') await sink.end()
  const reason = messages >= maxMessages ? 'count' : sink.isClosed ? 'closed' : (stops.reason ?? 'end')
  return { messages, reason }
}
