// What `records` does: delete the records before a place, partition by partition. Nothing here prints.

import { systemClock } from '../../base/clock.ts'
import { deleteRecords, EARLIEST, offsetsAt, type TopicPartition } from '../../client/admin.ts'
import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { CliError, ExitCode, operationError } from '../errors.ts'
import type { Positions } from '../formats/positions.ts'
import { ensureTopic } from './existing-topic.ts'
import type { TopicScope } from './groups.ts'
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

export interface RecordDeletionPlan {
  readonly topic: string
  readonly rows: readonly RecordDeletion[]
  /** The topic, a partition or an offset that does not exist: of this topic nothing is planned. */
  readonly error: CliError | null
}

/** What would go of each topic, in their order. */
export async function planRecordDeletions(cluster: Cluster, scopes: readonly TopicScope[], positions: Positions): Promise<RecordDeletionPlan[]> {
  const plans: RecordDeletionPlan[] = []
  for (const topic of new Set(scopes.map((scope) => scope.topic))) {
    const said = scopes.filter((scope) => scope.topic === topic).map((scope) => scope.partitions)
    const partitions = said.includes(undefined) ? undefined : [...new Set(said.flatMap((some) => some ?? []))]
    try {
      plans.push({ topic, rows: await planRecordDeletion(cluster, topic, positions, partitions), error: null })
    } catch (error) {
      const isBeyond = error instanceof KafkaError && error.error === 'OFFSET_OUT_OF_RANGE' && positions.all !== undefined
      const hint = isBeyond ? await partitionHint(cluster, topic, partitions) : null
      const failure = error instanceof KafkaError ? operationError(error.error, error.message, hint) : error
      if (!(failure instanceof CliError) || failure.exitCode !== ExitCode.failed) throw error
      plans.push({ topic, rows: [], error: failure })
    }
  }
  return plans
}

/** One offset for several partitions is often meant for one of them. */
async function partitionHint(cluster: Cluster, topic: string, partitions: readonly number[] | undefined): Promise<string | null> {
  const count = partitions?.length ?? (await cluster.metadata([topic])).topics.get(topic)?.partitions.length ?? 0
  return count < 2 ? null : `name the partition that is meant: ${topic}:0, or --before 0=N,1=N by partition`
}

async function planRecordDeletion(cluster: Cluster, topic: string, positions: Positions, partitions: readonly number[] | undefined): Promise<RecordDeletion[]> {
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
