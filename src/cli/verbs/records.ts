// What `records` does: delete the records before a place, partition by partition. Nothing here prints.

import { systemClock } from '../../base/clock.ts'
import { deleteRecords, EARLIEST, offsetsAt, type TopicPartition } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import type { CliError } from '../errors.ts'
import { operationError } from '../errors.ts'
import type { Positions } from '../formats/positions.ts'
import { ensureTopic } from './existing-topic.ts'
import { resolvePositions } from './positions.ts'

export interface RecordDeletion extends TopicPartition {
  /** The first offset there is; after the deletion, the one there is then. */
  readonly start: number
  /** What lies before it goes. */
  readonly before: number
  /** How many offsets that are, which is no fewer than there are records. */
  readonly offsets: number
  readonly error: CliError | null
}

/** What would go of a topic. Without `partitions` all of them. Throws for topics, partitions and offsets that don't exist. */
export async function planRecordDeletion(
  cluster: Cluster,
  topic: string,
  positions: Positions,
  partitions: readonly number[] | undefined,
): Promise<RecordDeletion[]> {
  await ensureTopic(cluster, topic, 'fail')
  const isolation = 'read_uncommitted' // what is deleted is deleted of open transactions too
  const stretches = await resolvePositions(cluster, positions, { topic, partitions, isolation })
  const starts = await offsetsAt(cluster, systemClock, topic, [...stretches.keys()], EARLIEST, isolation)
  return Array.from(stretches, ([partition, { offset: before }]) => {
    const start = starts.get(partition) ?? 0
    return { topic, partition, start, before, offsets: Math.max(0, before - start), error: null }
  })
}

/** Does what was planned; partitions of which nothing would go are left alone. */
export async function deletePlannedRecords(cluster: Cluster, plan: readonly RecordDeletion[]): Promise<RecordDeletion[]> {
  const wanted = plan.filter(({ offsets }) => offsets > 0).map(({ topic, partition, before }) => ({ topic, partition, offset: before }))
  const results = wanted.length === 0 ? [] : await deleteRecords(cluster, wanted)
  return plan.map((row) => {
    const result = results.find(({ topic, partition }) => topic === row.topic && partition === row.partition)?.result
    if (result === undefined) return row
    if (result.ok) return { ...row, start: result.value.lowWatermark }
    return { ...row, error: operationError(result.error.error, result.error.message) }
  })
}
