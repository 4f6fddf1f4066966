// Where to go on reading: what the group committed, and where it has committed nothing, what auto.offset.reset says.

import type { Clock } from '../../base/clock.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { EARLIEST, type IsolationLevel, LATEST, listOffsets, placeOf, type TopicPartition } from '../admin/partitions.ts'
import type { AutoOffsetReset } from '../client-config.ts'
import type { Cluster } from '../cluster.ts'
import type { Coordinator } from './membership.ts'
import { fetchOffsets } from './offsets.ts'

export interface StartingPoint extends TopicPartition {
  readonly offset: number
  /** -1: the group has committed nothing here. */
  readonly committed: number
}

export interface GroupReader {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly coordinator: Coordinator
  readonly groupId: string
  readonly isolation: IsolationLevel
  readonly reset: AutoOffsetReset
}

/** In the order asked. KafkaError where nothing was committed and auto.offset.reset is none. */
export async function startingPoints(reader: GroupReader, partitions: readonly TopicPartition[]): Promise<StartingPoint[]> {
  const committed = await committedOffsets(reader, partitions)
  const unknown = partitions.filter((place) => committed.get(placeOf(place)) === undefined)
  const resets = await resetOffsets(reader, unknown)
  return partitions.map(({ topic, partition }) => {
    const place = placeOf({ topic, partition })
    const found = committed.get(place)
    return { topic, partition, offset: found ?? resets.get(place) ?? 0, committed: found ?? -1 }
  })
}

/** By `topic-partition`; left out where there is none. Waits for what transactions have yet to commit. */
export async function committedOffsets(
  { cluster, coordinator, groupId }: GroupReader,
  partitions: readonly TopicPartition[],
): Promise<Map<string, number>> {
  for (;;) {
    try {
      const node = await coordinator.node()
      const { errorCode, offsets } = await fetchOffsets(cluster, node, groupId, partitions, { isStable: true })
      const code = errorCode === 0 ? (offsets.find((each) => each.errorCode !== 0)?.errorCode ?? 0) : errorCode
      if (code !== 0) throw KafkaError.from(code)
      coordinator.succeeded()
      return new Map(offsets.filter(({ offset }) => offset >= 0).map((each) => [placeOf(each), each.offset]))
    } catch (error) {
      await coordinator.pause(error)
    }
  }
}

async function resetOffsets(reader: GroupReader, partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
  if (partitions.length === 0) return new Map()
  const { cluster, clock, isolation: isolationLevel, reset, groupId } = reader
  if (reset === 'none') {
    const what = `Group ${groupId} has no committed offset for ${placeOf(partitions[0])}, and auto.offset.reset is none`
    throw new KafkaError('OFFSET_OUT_OF_RANGE', what)
  }
  const ask = async (places: readonly TopicPartition[], timestamp: number): Promise<Map<string, number>> => {
    const answers = await listOffsets(cluster, places.map((place) => ({ ...place, timestamp })), { isolationLevel, clock }) // prettier-ignore
    return new Map(
      answers.map(({ topic, partition, result }) => {
        if (!result.ok) throw result.error
        return [placeOf({ topic, partition }), result.value.offset]
      }),
    )
  }
  if (typeof reset !== 'object') return ask(partitions, reset === 'earliest' ? EARLIEST : LATEST)
  const offsets = await ask(partitions, clock.now() - reset.byDuration)
  const tooYoung = partitions.filter((place) => (offsets.get(placeOf(place)) ?? -1) < 0)
  if (tooYoung.length > 0) for (const [place, end] of await ask(tooYoung, LATEST)) offsets.set(place, end)
  return offsets
}
