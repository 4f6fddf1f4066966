// What `offsets` does: where partitions begin and end, and which offset a place in them is. Each partition has its own result;
// nothing here prints.

import { EARLIEST, LATEST, listOffsets, type PartitionResult, type OffsetAnswer, type TopicPartition } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import { CliError, operationError } from '../errors.ts'
import type { Place } from '../formats/positions.ts'
import { resolvePositions } from './positions.ts'

export interface PartitionOffsets extends TopicPartition {
  /** Of the first record; null: it can't be had. */
  readonly start: number | null
  /** Of the next record; null: it can't be had. */
  readonly end: number | null
  /** Of the place that was asked for; null: none was, or it can't be had. */
  readonly at: number | null
  readonly error: CliError | null
}

export interface OffsetWish {
  /** Of each topic; all when left out. */
  readonly partitions?: readonly number[] | undefined
  readonly at?: Place | undefined
}

/** In the order of the topics, each by partition. Throws for a partition that a topic doesn't have, and for places that can't be. */
export async function topicOffsets(cluster: Cluster, topics: readonly string[], { partitions, at }: OffsetWish): Promise<PartitionOffsets[]> {
  if (topics.length === 0) return []
  const known = (await cluster.metadata(topics, { fresh: true })).topics
  const places = topics.flatMap((topic) => {
    const all = (known.get(topic)?.partitions ?? []).map(({ partition }) => partition)
    const missing = partitions?.find((partition) => !all.includes(partition))
    if (missing !== undefined) throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${missing}; it has ${all.length}, from 0`)
    return (partitions ?? all).map((partition) => ({ topic, partition }))
  })
  const ask = (timestamp: number) => listOffsets(cluster, places.map((place) => ({ ...place, timestamp }))) // prettier-ignore
  const [starts, ends] = await Promise.all([ask(EARLIEST), ask(LATEST)])
  const asked = at === undefined ? undefined : await offsetsOfPlace(cluster, topics, partitions, at)
  return places.map(({ topic, partition }, index) => {
    const error = [starts[index], ends[index]].map(errorOf).find((each) => each !== null) ?? null
    return { topic, partition, start: offsetOf(starts[index]), end: offsetOf(ends[index]), at: asked?.get(topic)?.get(partition) ?? null, error }
  })
}

async function offsetsOfPlace(cluster: Cluster, topics: readonly string[], partitions: readonly number[] | undefined, place: Place) {
  const positions = { all: { from: place }, byPartition: new Map<number, never>() }
  const resolved = topics.map(async (topic) => {
    const stretches = await resolvePositions(cluster, positions, { topic, partitions, isolation: 'read_uncommitted' })
    return [topic, new Map([...stretches].map(([partition, { offset }]) => [partition, offset]))] as const
  })
  return new Map(await Promise.all(resolved))
}

function offsetOf({ result }: PartitionResult<OffsetAnswer>): number | null {
  return result.ok ? result.value.offset : null
}

function errorOf({ result }: PartitionResult<OffsetAnswer>): CliError | null {
  return result.ok ? null : new CliError({ code: result.error.error, message: result.error.message, exitCode: 1 }, result.error)
}
