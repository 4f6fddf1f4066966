// A topic to bytes. One loop: fetched records are printed into a buffer that leaves when it is full or when nothing more
// has arrived, so that a slow topic is seen at once and a fast one travels in large writes.

import { type Clock, systemClock, type Timer } from '../../base/clock.ts'
import type { Cluster } from '../../client/cluster.ts'
import { type Consumer, type ConsumerPosition, openConsumer, type Start } from '../../client/consumer.ts'
import { batchesOf } from '../../client/consumer-batches.ts'
import type { IsolationLevel } from '../../client/admin.ts'
import { ByteOutput } from '../../kernels/byte-output.ts'
import type { ByteSink } from '../formats/byte-sink.ts'
import type { RecordFormat } from '../formats/record-format.ts'

export type { ConsumerPosition, Start }

export interface ConsumeOptions {
  readonly topic: string
  readonly partitions?: readonly number[] | undefined
  readonly start: Start
  readonly isolation: IsolationLevel
  readonly untilEnd: boolean
  readonly maxMessages?: number | undefined
  /** For everything together, ms from the call. */
  readonly timeoutMs?: number | undefined
  /** Without a record for so long, ms. */
  readonly idleMs?: number | undefined
  readonly format: RecordFormat
  readonly sink: ByteSink
  /** Aborted: stop and say how far it came. */
  readonly signal: AbortSignal
  readonly onPositioned?: (positions: readonly ConsumerPosition[]) => void
  readonly onNotice?: (text: string) => void
}

export interface ConsumeResult {
  readonly messages: number
  readonly reason: 'end' | 'count' | 'timeout' | 'idle' | 'closed' | 'interrupted'
}

/** Throws KafkaError when the topic can't be read; what was printed until then has left. */
export async function consumeTopic(cluster: Cluster, options: ConsumeOptions, clock: Clock = systemClock): Promise<ConsumeResult> {
  const watch = new Watch(clock, options)
  try {
    const { maxMessages, untilEnd, topic, partitions, start, isolation, onNotice } = options
    if (maxMessages === 0) return { messages: 0, reason: 'count' }
    const opening = openConsumer(cluster, { topic, partitions, start, untilEnd, isolation, ...(onNotice && { onNotice }) }, clock)
    const consumer = await Promise.race([opening, watch.stopped])
    if (consumer === undefined) {
      opening.catch(() => undefined) // nobody waits for it any more, and the cluster will be closed
      return { messages: 0, reason: watch.reason ?? 'interrupted' }
    }
    options.onPositioned?.([...consumer.positions].sort((a, b) => a.partition - b.partition))
    return await pour(consumer, options, watch, cluster.config.consumer)
  } finally {
    watch.end()
  }
}

async function pour(
  consumer: Consumer,
  options: ConsumeOptions,
  watch: Watch,
  { checkCrcs, maxPartitionFetchBytes }: Cluster['config']['consumer'],
): Promise<ConsumeResult> {
  const { format, sink, maxMessages = Infinity } = options
  const out = new ByteOutput()
  const stop = (): void => consumer.close()
  void watch.stopped.then(stop)
  const isOver = (): boolean => watch.reason !== undefined || sink.isClosed || format.printed >= maxMessages
  try {
    for (let fetched = await consumer.next(); fetched !== undefined; fetched = await consumer.next()) {
      const before = format.printed
      for (const batch of batchesOf(fetched, checkCrcs, maxPartitionFetchBytes)) {
        format.start(batch, fetched)
        while (format.print(out, maxMessages) && !isOver()) await sink.write(out)
        if (isOver()) break
      }
      if (format.printed > before) watch.sawRecords()
      if (consumer.isDrained || isOver()) await sink.write(out)
      if (isOver()) break
    }
  } finally {
    consumer.close()
    await sink.write(out)
  }
  if (watch.reason !== 'interrupted') await sink.end()
  const isCounted = format.printed >= maxMessages
  return { messages: format.printed, reason: isCounted ? 'count' : sink.isClosed ? 'closed' : (watch.reason ?? 'end') }
}

/** The reasons to stop that come from outside: the deadline, idleness, the user. */
class Watch {
  reason: ConsumeResult['reason'] | undefined
  readonly stopped: Promise<undefined>
  readonly #clock: Clock
  readonly #idleMs: number | undefined
  readonly #signal: AbortSignal
  readonly #onAbort: () => void
  #stop: () => void = () => {}
  #deadline: Timer | undefined
  #idle: Timer | undefined

  constructor(clock: Clock, { timeoutMs, idleMs, signal }: ConsumeOptions) {
    this.#clock = clock
    this.#idleMs = idleMs
    this.#signal = signal
    this.stopped = new Promise((resolve) => {
      this.#stop = () => resolve(undefined)
    })
    this.#onAbort = () => this.#end('interrupted')
    signal.addEventListener('abort', this.#onAbort)
    if (timeoutMs !== undefined) this.#deadline = clock.after(timeoutMs, () => this.#end('timeout'), true)
    this.sawRecords()
  }

  /** Idleness counts anew. */
  sawRecords(): void {
    if (this.#idleMs === undefined) return
    this.#idle?.cancel()
    this.#idle = this.#clock.after(this.#idleMs, () => this.#end('idle'), true)
  }

  end(): void {
    this.#deadline?.cancel()
    this.#idle?.cancel()
    this.#signal.removeEventListener('abort', this.#onAbort)
  }

  #end(reason: ConsumeResult['reason']): void {
    this.reason ??= reason
    this.#stop()
  }
}
