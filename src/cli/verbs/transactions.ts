// What `transactions` does: look at transactions and producers, find transactions that their coordinator has forgotten (they
// hold up every reader of committed records), and end those. Nothing here prints.

import {
  abortTransaction, describeProducers, describeTransactions, listTransactions, type OpenTransaction, type ProducerState,
  type TopicPartition, type TransactionDescription, type TransactionFilter, type TransactionListing,
} from '../../client/admin.ts' // prettier-ignore
import type { Cluster } from '../../client/cluster.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { operationError } from '../errors.ts'
import { didYouMean } from '../nearest.ts'
import { unknownTopic } from './existing-topic.ts'
import { placeOf } from './groups.ts'

export type { ProducerState, TransactionDescription, TransactionListing }

/** In order of their ids. */
export function listAllTransactions(cluster: Cluster, filter: TransactionFilter): Promise<TransactionListing[]> {
  return listTransactions(cluster, filter)
}

/** Throws, with the nearest names, for an id that no coordinator knows. */
export async function describeTransaction(cluster: Cluster, transactionalId: string): Promise<TransactionDescription> {
  const result = (await describeTransactions(cluster, [transactionalId])).get(transactionalId)
  if (result?.ok === true) return result.value
  const error = result?.error ?? new KafkaError('TRANSACTIONAL_ID_NOT_FOUND')
  if (error.error !== 'TRANSACTIONAL_ID_NOT_FOUND') throw error
  const names = (await listTransactions(cluster)).map((each) => each.transactionalId)
  const hint = didYouMean(transactionalId, names) ?? 'see `ktool transactions --list`'
  throw operationError(error.error, `transactional id '${transactionalId}' does not exist`, hint)
}

/** Throws when the partition can't be asked. */
export async function describePartitionProducers(cluster: Cluster, place: TopicPartition): Promise<readonly ProducerState[]> {
  await ensurePartition(cluster, place)
  const [{ result }] = await describeProducers(cluster, [place])
  if (!result.ok) throw result.error
  return result.value
}

export interface HangingTransaction extends OpenTransaction {
  readonly startOffset: number
  readonly lastTimestamp: number // ms since 1970
}

export interface HangingScope {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  /** Only partitions with a replica on this broker, asked at their leaders. */
  readonly broker?: number | undefined
}

/**
 * Transactions that are open in a partition, were last written to before `olderThan` (ms since 1970), and of which no
 * coordinator knows that it has yet to end them there.
 */
export async function findHanging(cluster: Cluster, scope: HangingScope, olderThan: number): Promise<HangingTransaction[]> {
  const places = await placesIn(cluster, scope)
  const open: HangingTransaction[] = []
  for (const { topic, partition, result } of await describeProducers(cluster, places)) {
    if (!result.ok) throw result.error
    for (const { transactionStart: startOffset, lastTimestamp, coordinatorEpoch, producerId, producerEpoch } of result.value) {
      if (startOffset < 0 || lastTimestamp >= olderThan) continue
      open.push({ topic, partition, producerId, producerEpoch, coordinatorEpoch: Math.max(0, coordinatorEpoch), startOffset, lastTimestamp })
    }
  }
  if (open.length === 0) return []
  const listed = await listTransactions(cluster, { producerIds: [...new Set(open.map(({ producerId }) => producerId))] })
  const idOf = new Map(listed.map(({ producerId, transactionalId }) => [producerId, transactionalId]))
  const described = await describeTransactions(cluster, [...new Set(idOf.values())])
  return open.filter((transaction) => {
    const result = described.get(idOf.get(transaction.producerId) ?? '')
    if (result === undefined) return true
    if (!result.ok) {
      if (result.error.error === 'TRANSACTIONAL_ID_NOT_FOUND') return true
      throw result.error
    }
    return !result.value.partitions.some((place) => placeOf(place) === placeOf(transaction))
  })
}

/** The open transaction that begins at `startOffset`. Throws when there is none. */
export async function openTransactionAt(cluster: Cluster, place: TopicPartition, startOffset: number): Promise<OpenTransaction> {
  const producers = await describePartitionProducers(cluster, place)
  const found = producers.find(({ transactionStart }) => transactionStart === startOffset)
  if (found === undefined) {
    const starts = producers.flatMap(({ transactionStart }) => (transactionStart < 0 ? [] : [transactionStart]))
    const hint = starts.length === 0 ? 'none is open there' : `transactions are open there from ${starts.join(', ')}`
    throw operationError('NO_TRANSACTION', `no open transaction starts at offset ${startOffset} of ${placeOf(place)}`, hint)
  }
  const { producerId, producerEpoch, coordinatorEpoch } = found
  return { ...place, producerId, producerEpoch, coordinatorEpoch: Math.max(0, coordinatorEpoch) }
}

/** Ends it in this partition. What its producer writes afterwards is refused. Throws when the broker refuses. */
export async function abortOpenTransaction(cluster: Cluster, transaction: OpenTransaction): Promise<void> {
  await ensurePartition(cluster, transaction)
  await abortTransaction(cluster, transaction)
}

async function placesIn(cluster: Cluster, { topic, partition, broker }: HangingScope): Promise<TopicPartition[]> {
  if (topic !== undefined && partition !== undefined) {
    await ensurePartition(cluster, { topic, partition })
    return [{ topic, partition }]
  }
  const { topics } = await cluster.metadata(topic === undefined ? undefined : [topic], { fresh: true })
  if (topic !== undefined && (topics.get(topic)?.partitions.length ?? 0) === 0) throw await noSuchTopic(cluster, topic)
  return [...topics.values()].flatMap(({ name, partitions }) =>
    partitions
      .filter(({ leader, replicas }) => leader >= 0 && (broker === undefined || replicas.includes(broker)))
      .map((each) => ({ topic: name, partition: each.partition })),
  )
}

async function ensurePartition(cluster: Cluster, { topic, partition }: TopicPartition): Promise<void> {
  const known = (await cluster.metadata([topic], { fresh: true })).topics.get(topic)?.partitions ?? []
  if (known.length === 0) throw await noSuchTopic(cluster, topic)
  if (known.some((each) => each.partition === partition)) return
  throw operationError('UNKNOWN_TOPIC_OR_PARTITION', `${topic} has no partition ${partition}; it has ${known.length}, from 0`)
}

async function noSuchTopic(cluster: Cluster, topic: string): Promise<Error> {
  return unknownTopic(topic, (await cluster.metadata()).topics.keys())
}
