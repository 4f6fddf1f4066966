// Topics to bytes: a topic read by itself, or as a member of a group, or from where a group is.

import { type Clock, systemClock } from '../../base/clock.ts'
import { deleteGroups, type IsolationLevel } from '../../client/admin.ts'
import type { AutoOffsetReset } from '../../client/client-config.ts'
import type { Cluster } from '../../client/cluster.ts'
import { type Consumer, type ConsumerPosition, openConsumer, type Start } from '../../client/consumer.ts'
import { GroupConsumer } from '../../client/groups/group-consumer.ts'
import { openPeek } from '../../client/groups/group-peek.ts'
import { Subscriber, type SubscriberOptions } from '../../client/subscriber.ts'
import type { Wanted } from '../../client/topic-watch.ts'
import type { ByteSink } from '../formats/byte-sink.ts'
import type { Positions } from '../formats/positions.ts'
import type { RecordFormat } from '../formats/record-format.ts'
import { Outlet, pour, type RecordSource } from './outlet.ts'
import { resolvePositions, simpleStart } from './positions.ts'
import { type ConsumeResult, type StopOptions, Stops } from './stops.ts'

export type { ConsumerPosition, ConsumeResult, Start, Wanted }

interface CommonOptions extends StopOptions {
  readonly isolation: IsolationLevel
  /** Stop at the end as it is at the start. */
  readonly untilEnd: boolean
  readonly maxMessages?: number | undefined
  readonly format: RecordFormat
  readonly sink: ByteSink
  /** Of a group's member: whenever it gets partitions or loses some. */
  readonly onPositioned?: (positions: readonly ConsumerPosition[]) => void
  readonly onNotice?: (text: string) => void
}

export interface ConsumeOptions extends CommonOptions {
  readonly topic: string
  /** To be read with it, in the same way. */
  readonly otherTopics?: readonly string[] | undefined
  readonly partitions?: readonly number[] | undefined
  /** Places with an end stop there, whether `untilEnd` or not. */
  readonly start: Start | Positions
}

export interface FollowOptions extends Omit<CommonOptions, 'untilEnd'>, Omit<SubscriberOptions, 'isolation'> {}

export interface GroupConsumeOptions extends CommonOptions {
  readonly groupId: string
  /** They exist. */
  readonly topics: readonly string[]
  /** Instead of `topics`: they need not exist yet, and are looked for again and again. */
  readonly wanted?: Wanted | undefined
  /** Where the group has committed nothing. */
  readonly reset: AutoOffsetReset
}

// How long a reader of our output may take for the rest once the user has said stop: what it doesn't take is not committed.
const GRACE_MS = 1_000

/** Throws KafkaError when a topic can't be read; what was printed until then has left. */
export function consumeTopic(cluster: Cluster, options: ConsumeOptions, clock: Clock = systemClock): Promise<ConsumeResult> {
  const { untilEnd, partitions, start, isolation, onNotice } = options
  const openTopic = async (topic: string, other?: Consumer): Promise<Consumer> => {
    const wanted = { topic, partitions, untilEnd, isolation, ...(onNotice && { onNotice }) }
    const places = 'byPartition' in start ? (simpleStart(start) ?? { exact: await resolvePositions(cluster, start, wanted, clock) }) : start
    return openConsumer(cluster, { ...wanted, start: places }, clock, other)
  }
  const open = async (): Promise<Consumer> => {
    let consumer = await openTopic(options.topic)
    for (const topic of options.otherTopics ?? []) consumer = await openTopic(topic, consumer)
    return consumer
  }
  return pourFrom(open, cluster, options, clock)
}

/** Goes on for ever, with whatever partitions there are, as a subscriber of them. Throws KafkaError for what will not pass. */
export function followTopics(cluster: Cluster, options: FollowOptions, clock: Clock = systemClock): Promise<ConsumeResult> {
  const open = () => Promise.resolve(new Subscriber(cluster, options, clock))
  return pourFrom(open, cluster, { ...options, untilEnd: false }, clock)
}

/** The same from where a group is, without joining it. */
export function peekGroup(cluster: Cluster, options: GroupConsumeOptions, clock: Clock = systemClock): Promise<ConsumeResult> {
  return pourFrom(() => openPeek(cluster, options, clock), cluster, options, clock)
}

async function pourFrom(
  open: () => Promise<RecordSource & { readonly positions: readonly ConsumerPosition[] }>,
  cluster: Cluster,
  options: CommonOptions,
  clock: Clock,
): Promise<ConsumeResult> {
  const stops = new Stops(clock, options)
  try {
    if (options.maxMessages === 0) return { messages: 0, reason: 'count' }
    const opening = open()
    const consumer = await Promise.race([opening, stops.stopped])
    if (consumer === undefined) {
      opening.catch(() => undefined) // nobody waits for it any more, and the cluster will be closed
      return { messages: 0, reason: stops.reason ?? 'interrupted' }
    }
    options.onPositioned?.(inOrder(consumer.positions))
    return await pour(consumer, new Outlet(options.format, options.sink), options, stops, cluster.config.consumer)
  } finally {
    stops.end()
  }
}

/**
 * Reads as a member of a group, and commits the offsets of exactly those records that the sink took. Leaves the group at the
 * end, whatever it is. Throws KafkaError when group or topics can't be read, or the last offsets can't be committed.
 */
export async function consumeGroup(cluster: Cluster, options: GroupConsumeOptions, clock: Clock = systemClock): Promise<ConsumeResult> {
  const { format, sink, signal, maxMessages, onPositioned } = options
  const stops = new Stops(clock, options)
  const giveUpReader = (): void => void clock.after(GRACE_MS, () => sink.abandon())
  signal.addEventListener('abort', giveUpReader)
  try {
    if (maxMessages === 0) return { messages: 0, reason: 'count' }
    const outlet = new Outlet(format, sink, (place, next, leaderEpoch) => consumer.processed(place, next, leaderEpoch))
    const wanted = {
      ...options,
      collect: () => outlet.collect(),
      flush: () => outlet.flush(),
      ...(onPositioned && { onAssigned: (positions: readonly ConsumerPosition[]) => onPositioned(inOrder(positions)) }),
    }
    const consumer = new GroupConsumer(cluster, wanted, clock)
    try {
      return await pour(consumer, outlet, options, stops, cluster.config.consumer)
    } finally {
      await consumer.close()
    }
  } finally {
    signal.removeEventListener('abort', giveUpReader)
    stops.end()
  }
}

function inOrder(positions: readonly ConsumerPosition[]): ConsumerPosition[] {
  return [...positions].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1))
}

/** Deletes what the group has committed; one that isn't there is none the worse. Throws what else keeps it from that. */
export async function forgetGroup(cluster: Cluster, groupId: string): Promise<void> {
  const result = (await deleteGroups(cluster, [groupId])).get(groupId)
  if (result?.ok === false && result.error.error !== 'GROUP_ID_NOT_FOUND') throw result.error
}
