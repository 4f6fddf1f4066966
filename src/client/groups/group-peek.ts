// Reads on from where a group is, without being in it and without moving it.

import { type Clock, systemClock } from '../../base/clock.ts'
import { type IsolationLevel, LATEST, listOffsets } from '../admin/partitions.ts'
import type { AutoOffsetReset } from '../client-config.ts'
import type { Cluster } from '../cluster.ts'
import { Consumer } from '../consumer.ts'
import { Coordinator } from './membership.ts'
import { startingPoints } from './starting-points.ts'

export interface PeekOptions {
  readonly groupId: string
  /** They exist. */
  readonly topics: readonly string[]
  /** Where the group has committed nothing. */
  readonly reset: AutoOffsetReset
  /** Stop at the end seen at the start. */
  readonly untilEnd: boolean
  readonly isolation: IsolationLevel
  readonly onNotice?: (text: string) => void
  readonly signal: AbortSignal
}

/** KafkaError when offsets or topics can't be read. */
export async function openPeek(cluster: Cluster, options: PeekOptions, clock: Clock = systemClock): Promise<Consumer> {
  const { groupId, isolation, reset, untilEnd, onNotice, signal } = options
  const { topics } = await cluster.metadata(options.topics, { signal })
  const places = [...topics.values()].flatMap(({ name, partitions }) => partitions.map(({ partition }) => ({ topic: name, partition })))
  const coordinator = new Coordinator(cluster, clock, groupId, signal)
  const points = await startingPoints({ cluster, clock, coordinator, groupId, isolation, reset }, places)
  const ends = untilEnd
    ? await listOffsets(cluster, places.map((place) => ({ ...place, timestamp: LATEST })), { isolationLevel: isolation, clock, signal }) // prettier-ignore
    : []
  const consumer = new Consumer(cluster, { isolation, ...(onNotice && { onNotice }) }, clock)
  points.forEach(({ topic, partition, offset }, index) => {
    const end = ends.at(index)?.result
    if (end?.ok === false) throw end.error
    consumer.add({ topic, partition, offset, end: end?.value.offset ?? Infinity })
  })
  return consumer
}
