// Reads topics as a subscriber does that is alone in its group, without a group: partitions are found as metadata tells of
// them, also later, each is read from where auto.offset.reset says, and what is not there yet is waited for. Nothing that
// may pass ends it.

import { type Clock, systemClock } from '../base/clock.ts'
import { KafkaError } from '../protocol/errors.ts'
import { EARLIEST, type IsolationLevel, LATEST, listOffsets, placeOf, type TopicPartition } from './admin/partitions.ts'
import type { AutoOffsetReset } from './client-config.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import { Consumer, type ConsumerPosition } from './consumer.ts'
import type { FetchedRecords } from './consumer-batches.ts'
import { type FoundTopics, mayPass, TopicWatch, type Wanted } from './topic-watch.ts'

export interface SubscriberOptions {
  readonly wanted: Wanted
  /** Of one topic only this partition, from there: Java's assign and seek. */
  readonly assigned?: { readonly partition: number; readonly start: 'earliest' | 'latest' | number } | undefined
  readonly reset: AutoOffsetReset
  readonly isolation: IsolationLevel
}

export class Subscriber {
  readonly #cluster: Cluster
  readonly #options: SubscriberOptions
  readonly #clock: Clock
  readonly #consumer: Consumer
  readonly #watch: TopicWatch
  readonly #held = new Map<string, TopicPartition & { readonly topicId: string }>()

  constructor(cluster: Cluster, options: SubscriberOptions, clock: Clock = systemClock) {
    const { isolation, reset, wanted } = options
    this.#cluster = cluster
    this.#options = options
    this.#clock = clock
    this.#consumer = new Consumer(cluster, { isolation, outOfRange: reset, patienceMs: Infinity }, clock)
    const onError = (error: Error): void => this.#consumer.fail(error)
    this.#watch = new TopicWatch(cluster, wanted, clock, { onFound: (found) => this.#take(found), onError })
  }

  /** The next records of some partition. Undefined: it was stopped. Throws what will not pass. */
  next(): Promise<FetchedRecords | undefined> {
    return this.#consumer.next()
  }

  get isDrained(): boolean {
    return this.#consumer.isDrained
  }

  get positions(): readonly ConsumerPosition[] {
    return this.#consumer.positions
  }

  stop(): void {
    this.#watch.stop()
    this.#consumer.stop()
  }

  async #take({ topics }: FoundTopics): Promise<boolean> {
    const { assigned } = this.#options
    this.#drop(topics)
    const there = topics.flatMap(({ name, topicId, partitions }) => {
      const led = partitions.filter(({ partition, leader }) => leader >= 0 && (assigned === undefined || partition === assigned.partition))
      return led.map(({ partition, leader: node, leaderEpoch }) => ({ topic: name, partition, topicId, node, leaderEpoch }))
    })
    const added = there.filter((place) => !this.#held.has(placeOf(place)))
    const starts = await this.#starts(added)
    if (this.#watch.signal.aborted) return true
    for (const place of added) {
      const offset = starts.get(placeOf(place))
      if (offset === undefined) continue
      this.#held.set(placeOf(place), place)
      this.#consumer.add({ topic: place.topic, partition: place.partition, offset, end: Infinity }, place)
    }
    if (added.length > 0) this.#consumer.wake()
    return starts.size === added.length && (assigned === undefined || this.#held.size > 0)
  }

  /** Topics that were deleted, or deleted and made again. */
  #drop(topics: readonly TopicMetadata[]): void {
    const ids = new Map(topics.map(({ name, topicId }) => [name, topicId]))
    const gone = new Set([...this.#held].filter(([, { topic, topicId }]) => ids.get(topic) !== topicId).map(([place]) => place))
    if (gone.size === 0) return
    for (const place of gone) this.#held.delete(place)
    this.#consumer.remove((topic, partition) => gone.has(placeOf({ topic, partition })))
  }

  /** Where to start, by place; left out where that has to be asked again. */
  async #starts(places: readonly TopicPartition[]): Promise<Map<string, number>> {
    if (places.length === 0) return new Map()
    const { assigned, reset } = this.#options
    const start = assigned?.start ?? reset
    if (typeof start === 'number') return new Map(places.map((place) => [placeOf(place), start]))
    if (start === 'none') {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `Undefined offset with no reset policy for partitions: [${places.map(placeOf).join(', ')}]`)
    }
    if (typeof start === 'string') return this.#ask(places, start === 'earliest' ? EARLIEST : LATEST)
    const offsets = await this.#ask(places, this.#clock.now() - start.byDuration)
    const tooYoung = places.filter((place) => (offsets.get(placeOf(place)) ?? 0) < 0)
    return new Map([...offsets, ...(await this.#ask(tooYoung, LATEST))])
  }

  async #ask(places: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> {
    if (places.length === 0) return new Map()
    const questions = places.map(({ topic, partition }) => ({ topic, partition, timestamp }))
    const options = { isolationLevel: this.#options.isolation, clock: this.#clock, signal: this.#watch.signal }
    const offsets = new Map<string, number>()
    for (const { topic, partition, result } of await listOffsets(this.#cluster, questions, options)) {
      if (result.ok) offsets.set(placeOf({ topic, partition }), result.value.offset)
      else if (!mayPass(result.error)) throw result.error
    }
    return offsets
  }
}
