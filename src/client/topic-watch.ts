// Which topics there are of those that are wanted, looked at again and again: soon while one is missing, then now and then.
// Trouble that may pass is waited out, however long it takes.

import type { Clock, Timer } from '../base/clock.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { groupBy } from './admin/group-by.ts'
import { backoffMs } from './backoff.ts'
import type { Cluster, TopicMetadata } from './cluster.ts'
import { ConnectError, TimeoutError } from './errors.ts'

/** Topics by name, or all whose names please: internal ones by name only, unless exclude.internal.topics=false. */
export type Wanted = readonly string[] | ((topic: string) => boolean)

// Java looks every five minutes; a deleted topic must be noticed before fetching from it has failed for long.
const LOOK_MS = 30_000
const LOOK_SOON_MS = 100
const NOT_YET: ReadonlySet<ErrorName> = new Set<ErrorName>(['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'])

export interface FoundTopics {
  readonly topics: readonly TopicMetadata[]
  /** All that were named exist. */
  readonly isComplete: boolean
}

/** Asking for a topic by name makes it where the broker does that. KafkaError in Java's words for what waiting doesn't mend. */
async function findTopics(cluster: Cluster, wanted: Wanted, signal: AbortSignal): Promise<FoundTopics> {
  const { allowAutoCreateTopics, excludeInternalTopics } = cluster.config.consumer
  if (typeof wanted === 'function') {
    const all = [...(await cluster.metadata(undefined, { fresh: true, signal })).topics.values()]
    const topics = all.filter(({ name, isInternal, error }) => error === undefined && wanted(name) && !(isInternal && excludeInternalTopics))
    return { topics, isComplete: true }
  }
  const { topics } = await cluster.metadata(wanted, { fresh: true, allowAutoTopicCreation: allowAutoCreateTopics, signal })
  const byError = groupBy([...topics.values()], ({ error }) => error)
  for (const [error, refused] of byError) {
    const names = `[${refused.map(({ name }) => name).join(', ')}]`
    if (error === 'INVALID_TOPIC_EXCEPTION') throw new KafkaError(error, `Invalid topics: ${names}`)
    if (error === 'TOPIC_AUTHORIZATION_FAILED') throw new KafkaError(error, `Not authorized to access topics: ${names}`)
    if (error !== undefined && !NOT_YET.has(error) && !new KafkaError(error).retriable) throw new KafkaError(error)
  }
  const there = byError.get(undefined) ?? []
  return { topics: there, isComplete: there.length === wanted.length && there.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0)) }
}

export interface WatchEvents {
  /** After each look. False: something is not as it should be, look again soon. What it throws is treated as trouble. */
  onFound(found: FoundTopics): Promise<boolean> | boolean
  /** It won't pass, and nothing is looked at any more. */
  onError(error: Error): void
}

export class TopicWatch {
  readonly #cluster: Cluster
  readonly #wanted: Wanted
  readonly #clock: Clock
  readonly #events: WatchEvents
  readonly #abort = new AbortController()
  #timer: Timer | undefined
  #misses = 0

  /** Starts at once. */
  constructor(cluster: Cluster, wanted: Wanted, clock: Clock, events: WatchEvents) {
    this.#cluster = cluster
    this.#wanted = wanted
    this.#clock = clock
    this.#events = events
    this.#look()
  }

  /** For what is done on its behalf. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  stop(): void {
    this.#abort.abort()
    this.#timer?.cancel()
  }

  #look(): void {
    this.#lookOnce().then(
      (isComplete) => this.#lookAgain(isComplete),
      (error: unknown) => {
        if (this.#abort.signal.aborted) return
        if (mayPass(error)) this.#lookAgain(false)
        else this.#events.onError(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  async #lookOnce(): Promise<boolean> {
    const found = await findTopics(this.#cluster, this.#wanted, this.#abort.signal)
    if (this.#abort.signal.aborted) return true
    return (await this.#events.onFound(found)) && found.isComplete
  }

  #lookAgain(isComplete: boolean): void {
    if (this.#abort.signal.aborted) return
    const pause = isComplete ? LOOK_MS : backoffMs(this.#misses, LOOK_SOON_MS, this.#cluster.config.retryBackoffMaxMs)
    this.#misses = isComplete ? 0 : this.#misses + 1
    // Waiting for a topic is no reason for the process to end.
    this.#timer = this.#clock.after(pause, () => this.#look(), true)
  }
}

/** Whether trying again may help. */
export function mayPass(error: unknown): boolean {
  return error instanceof TimeoutError || ((error instanceof ConnectError || error instanceof KafkaError) && error.retriable)
}
