// Places as people write them to offsets of a cluster: ends, times and groups are asked for, each question once for all
// partitions. The ends of ranges are those seen now, so that reading up to them is a matter of position.

import { type Clock, systemClock } from '../../base/clock.ts'
import { EARLIEST, type IsolationLevel, LATEST, listGroupOffsets, offsetsAt } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import type { Start } from '../../client/consumer.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { operationError, usageError } from '../errors.ts'
import type { Place, Positions, Span } from '../formats/positions.ts'

export interface ResolveOptions {
  readonly topic: string
  /** All of the topic's when left out. */
  readonly partitions?: readonly number[] | undefined
  readonly isolation: IsolationLevel
  /** What `stored` without a name means. */
  readonly groupId?: string | undefined
  /** Told of a place that had to be moved. */
  readonly onNotice?: ((text: string) => void) | undefined
}

/** Offsets [offset, end) of a partition; an `end` of Infinity is none. */
export interface Stretch {
  readonly offset: number
  readonly end: number
}

/** The start that a Consumer finds for itself, without more questions than it needs; undefined when there are ranges. */
export function simpleStart({ all, byPartition }: Positions): Start | undefined {
  if (all === undefined || all.to !== undefined || byPartition.size > 0) return undefined
  const { from } = all
  if ('offset' in from) return { offset: from.offset }
  if ('time' in from) return { timestamp: from.time }
  if ('minus' in from) return from.minus === 0 ? { at: 'end' } : { last: from.minus }
  return 'plus' in from && from.plus === 0 ? { at: 'beginning' } : undefined
}

/**
 * By partition, in their order. KafkaError for partitions that don't exist and offsets behind the end, operation error where
 * a group has committed nothing.
 */
export async function resolvePositions(
  cluster: Cluster,
  positions: Positions,
  options: ResolveOptions,
  clock: Clock = systemClock,
): Promise<Map<number, Stretch>> {
  const { topic } = options
  const spans = spansOf(await partitionsOf(cluster, topic), positions, options)
  const resolver = new Resolver(cluster, options, [...spans.keys()], clock)
  const stretches = new Map<number, Stretch>()
  for (const [partition, { from, to }] of spans) {
    const offset = await resolver.offset(from, partition, true)
    const end = to === undefined ? Infinity : await resolver.offset(to, partition, false)
    stretches.set(partition, { offset, end })
  }
  return stretches
}

async function partitionsOf(cluster: Cluster, topic: string): Promise<number[]> {
  const known = (await cluster.metadata([topic])).topics.get(topic)
  if (known === undefined || known.partitions.length === 0) throw new KafkaError(known?.error ?? 'UNKNOWN_TOPIC_OR_PARTITION')
  return known.partitions.map(({ partition }) => partition).sort((a, b) => a - b)
}

function spansOf(existing: readonly number[], { all, byPartition }: Positions, { topic, partitions }: ResolveOptions): Map<number, Span> {
  for (const partition of [...(partitions ?? []), ...byPartition.keys()]) {
    if (existing.includes(partition)) continue
    throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}; it has ${existing.length}, from 0`)
  }
  const spans = new Map<number, Span>()
  for (const partition of partitions ?? existing) {
    const span = byPartition.get(partition) ?? all
    if (span !== undefined) spans.set(partition, span)
  }
  if (spans.size === 0) throw usageError('no partition is left to be read')
  return spans
}

class Resolver {
  readonly #cluster: Cluster
  readonly #options: ResolveOptions
  readonly #partitions: readonly number[]
  readonly #clock: Clock
  readonly #asked = new Map<number, Promise<Map<number, number>>>() // by timestamp
  readonly #committed = new Map<string, Promise<Map<number, number>>>() // by group

  constructor(cluster: Cluster, options: ResolveOptions, partitions: readonly number[], clock: Clock) {
    this.#cluster = cluster
    this.#options = options
    this.#partitions = partitions
    this.#clock = clock
  }

  /** `isStart`: the offset must be in the log; the end of a range may lie behind it, and is waited for. */
  async offset(place: Place, partition: number, isStart: boolean): Promise<number> {
    const first = await this.#at(EARLIEST, partition)
    const end = await this.#at(LATEST, partition)
    if ('plus' in place) return Math.min(first + place.plus, end)
    if ('minus' in place) return Math.max(first, end - place.minus)
    if ('time' in place) {
      const found = await this.#at(place.time, partition)
      return found < 0 ? end : found
    }
    const offset = 'stored' in place ? await this.#stored(place.stored, partition) : place.offset
    if (!isStart) return offset
    const { topic, onNotice } = this.#options
    if (offset > end) {
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `offset ${offset} of ${topic}-${partition} does not exist yet: the end is ${end}`)
    }
    if (offset < first) onNotice?.(`offset ${offset} of ${topic}-${partition} is gone; starting at the first, ${first}`)
    return Math.max(first, offset)
  }

  async #at(timestamp: number, partition: number): Promise<number> {
    const { topic, isolation } = this.#options
    let answer = this.#asked.get(timestamp)
    if (answer === undefined) {
      answer = offsetsAt(this.#cluster, this.#clock, topic, this.#partitions, timestamp, isolation)
      this.#asked.set(timestamp, answer)
    }
    return (await answer).get(partition) ?? -1
  }

  async #stored(name: string | null, partition: number): Promise<number> {
    const { topic, groupId } = this.#options
    const group = name ?? groupId
    if (group === undefined) throw usageError('stored needs the name of a group', 'write stored:GROUP')
    let answer = this.#committed.get(group)
    if (answer === undefined) {
      answer = listGroupOffsets(this.#cluster, group).then(
        (offsets) => new Map(offsets.filter((each) => each.topic === topic).map((each) => [each.partition, each.offset])),
      )
      this.#committed.set(group, answer)
    }
    const offset = (await answer).get(partition)
    if (offset === undefined) throw operationError('NO_OFFSET', `group '${group}' has committed nothing for ${topic}-${partition}`)
    return offset
  }
}
