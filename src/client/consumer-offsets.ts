// Asks leaders for offsets: the first, the last, or the first at or after a time. Leaders that moved are asked again
// where they went, until the deadline.

import { type Clock } from '../base/clock.ts'
import { ListOffsets } from '../protocol/apis/list-offsets.ts'
import { isRetriable, KafkaError } from '../protocol/errors.ts'
import type { Cluster } from './cluster.ts'

export const EARLIEST = -2
export const LATEST = -1

export type IsolationLevel = 'read_uncommitted' | 'read_committed'

/** Offsets by partition; −1 where no record is as young as `timestamp` (ms, or EARLIEST, LATEST). KafkaError when one has none. */
export async function offsetsAt(
  cluster: Cluster,
  clock: Clock,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  isolation: IsolationLevel,
): Promise<Map<number, number>> {
  const { defaultApiTimeoutMs, retryBackoffMs } = cluster.config
  const deadline = clock.monotonic() + defaultApiTimeoutMs
  const offsets = new Map<number, number>()
  let left = [...partitions]
  for (;;) {
    let failure = 0
    const timeoutMs = Math.max(1, deadline - clock.monotonic())
    for (const [node, asked] of await byLeader(cluster, topic, left, timeoutMs)) {
      const request = {
        replicaId: -1,
        isolationLevel: isolation === 'read_committed' ? 1 : 0,
        topics: [{ name: topic, partitions: asked.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
        timeoutMs,
      }
      const response = await cluster.call(ListOffsets, request, { node, timeoutMs })
      for (const answer of response.topics.at(0)?.partitions ?? []) {
        if (answer.errorCode === 0) offsets.set(answer.partitionIndex, answer.offset)
        else failure = answer.errorCode
      }
    }
    left = left.filter((partition) => !offsets.has(partition))
    if (left.length === 0) return offsets
    if (!isRetriable(failure) || clock.monotonic() + retryBackoffMs >= deadline) throw KafkaError.from(failure)
    cluster.invalidate(topic)
    await new Promise<void>((resolve) => clock.after(retryBackoffMs, resolve, true))
  }
}

async function byLeader(cluster: Cluster, topic: string, partitions: readonly number[], timeoutMs: number) {
  const groups = new Map<number, number[]>()
  for (const partition of partitions) {
    const { node } = await cluster.leader(topic, partition, { timeoutMs })
    const group = groups.get(node)
    if (group === undefined) groups.set(node, [partition])
    else group.push(partition)
  }
  return groups
}
