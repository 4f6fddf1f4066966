// Transactions as coordinators know them, producers as partitions know them, and the marker that ends a transaction which
// its coordinator has forgotten.

import { DescribeProducers } from '../../protocol/apis/describe-producers.ts'
import { DescribeTransactions } from '../../protocol/apis/describe-transactions.ts'
import { InitProducerId } from '../../protocol/apis/init-producer-id.ts'
import { ListTransactions } from '../../protocol/apis/list-transactions.ts'
import { WriteTxnMarkers } from '../../protocol/apis/write-txn-markers.ts'
import { errorName, KafkaError } from '../../protocol/errors.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { askCoordinators, TRANSACTION } from './coordinators.ts'
import { groupBy } from './group-by.ts'
import { byLeader, type PartitionResult, type TopicPartition } from './partitions.ts'
import { resultOf, type Result } from './result.ts'

export interface TransactionListing {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly state: string
  readonly coordinator: number
}

export interface TransactionFilter {
  readonly producerIds?: readonly bigint[]
  /** Only those under way for longer than so many ms. */
  readonly longerThanMs?: number | undefined
  /** A regular expression, as the broker understands them. */
  readonly pattern?: string | undefined
}

/** Of all coordinators, sorted by id. KafkaError UNSUPPORTED_VERSION when a broker is too old for a filter. */
export async function listTransactions(cluster: Cluster, filter: Wait & TransactionFilter = {}): Promise<TransactionListing[]> {
  const answers = [...(await listTransactionsByBroker(cluster, filter)).values()].map((result) => {
    if (!result.ok) throw result.error
    return result.value
  })
  return answers.flat().sort((a, b) => (a.transactionalId < b.transactionalId ? -1 : 1))
}

/** By coordinator. KafkaError UNSUPPORTED_VERSION when a broker is too old for a filter. */
export async function listTransactionsByBroker(
  cluster: Cluster,
  { producerIds = [], longerThanMs, pattern, ...wait }: Wait & TransactionFilter = {},
): Promise<Map<number, Result<readonly TransactionListing[]>>> {
  const { brokers } = await cluster.metadata([], { fresh: true, ...wait })
  const answers = await Promise.all(
    brokers.map(async ({ nodeId }): Promise<[number, Result<readonly TransactionListing[]>]> => {
      const version = await cluster.versionFor(ListTransactions, nodeId, wait)
      if ((longerThanMs !== undefined && (version ?? 0) < 1) || (pattern !== undefined && (version ?? 0) < 2)) {
        const what = `Broker ${nodeId} is too old to select transactions by ${pattern === undefined ? 'duration' : 'pattern'}`
        throw new KafkaError('UNSUPPORTED_VERSION', what)
      }
      const request = {
        stateFilters: [],
        producerIdFilters: producerIds,
        durationFilter: longerThanMs ?? -1,
        transactionalIdPattern: pattern ?? null,
      }
      const isLoading = ({ errorCode }: { errorCode: number }): boolean => errorName(errorCode) === 'COORDINATOR_LOAD_IN_PROGRESS'
      const response = await cluster.call(ListTransactions, request, { ...wait, node: nodeId, retryIf: isLoading })
      const listed = response.transactionStates.map(({ transactionalId, producerId, transactionState: state }) => {
        return { transactionalId, producerId, state, coordinator: nodeId }
      })
      return [nodeId, resultOf(response.errorCode, null, listed)]
    }),
  )
  return new Map(answers)
}

export interface TransactionDescription {
  readonly transactionalId: string
  readonly coordinator: number
  readonly state: string
  readonly timeoutMs: number
  readonly startedAt: number // ms since 1970; -1: none under way
  readonly producerId: bigint
  readonly producerEpoch: number
  /** What it has written to, as long as no marker is there. */
  readonly partitions: readonly TopicPartition[]
}

/** By id, in the order asked. */
export function describeTransactions(
  cluster: Cluster,
  transactionalIds: readonly string[],
  wait: Wait = {},
): Promise<Map<string, Result<TransactionDescription>>> {
  return askCoordinators(cluster, TRANSACTION, transactionalIds, wait, async (node, asked, left) => {
    const { transactionStates } = await cluster.call(DescribeTransactions, { transactionalIds: asked }, { ...left, node })
    return transactionStates.map((each) => {
      const description = {
        transactionalId: each.transactionalId,
        coordinator: node,
        state: each.transactionState,
        timeoutMs: each.transactionTimeoutMs,
        startedAt: each.transactionStartTimeMs,
        producerId: each.producerId,
        producerEpoch: each.producerEpoch,
        partitions: each.topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))),
      }
      return [each.transactionalId, resultOf(each.errorCode, null, description)] as const
    })
  })
}

export interface ProducerState {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number // ms since 1970
  readonly coordinatorEpoch: number // -1: it never wrote in a transaction
  readonly transactionStart: number // the offset; -1: none is open
}

/** In the order asked, of the leaders; `broker`: of the replicas on this one. Throws what Cluster.call throws. */
export async function describeProducers(
  cluster: Cluster,
  places: readonly TopicPartition[],
  { broker, ...wait }: Wait & { readonly broker?: number | undefined } = {},
): Promise<PartitionResult<readonly ProducerState[]>[]> {
  const ask = async (node: number, wanted: readonly TopicPartition[], timeoutMs: number | undefined): Promise<PartitionResult<readonly ProducerState[]>[]> => {
    const topics = [...groupBy(wanted, ({ topic }) => topic)].map(([name, list]) => ({ name, partitionIndexes: list.map(({ partition }) => partition) }))
    const response = await cluster.call(DescribeProducers, { topics }, { node, timeoutMs, signal: wait.signal })
    return response.topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, errorCode, errorMessage, activeProducers }) => {
        const producers = activeProducers.map(({ currentTxnStartOffset, ...producer }) => ({ ...producer, transactionStart: currentTxnStartOffset }))
        return { topic: name, partition: partitionIndex, result: resultOf(errorCode, errorMessage, producers) }
      }),
    )
  }
  return broker === undefined ? byLeader(cluster, places, wait, ask) : ask(broker, places, wait.timeoutMs)
}

export interface OpenTransaction extends TopicPartition {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
}

/** Has the leader write the marker that aborts it. KafkaError when it refuses. */
export async function abortTransaction(cluster: Cluster, transaction: OpenTransaction, wait: Wait = {}): Promise<void> {
  const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction
  const [{ result }] = await byLeader(cluster, [{ topic, partition }], wait, async (node, _, timeoutMs) => {
    const topics = [{ name: topic, partitionIndexes: [partition] }]
    const markers = [{ producerId, producerEpoch, coordinatorEpoch, transactionResult: false, topics }]
    const response = await cluster.call(WriteTxnMarkers, { markers }, { node, timeoutMs, signal: wait.signal })
    return response.markers.flatMap((marker) =>
      marker.topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, errorCode }) => ({ topic: name, partition: partitionIndex, result: resultOf(errorCode, null, null) })),
      ),
    )
  })
  if (!result.ok) throw result.error
}

/**
 * Ends what is under way by the producer of this id, by being its next one; an id that nobody used comes into being. Throws
 * KafkaError when its coordinator refuses.
 */
export async function forceTerminateTransaction(cluster: Cluster, transactionalId: string, wait: Wait = {}): Promise<void> {
  const results = await askCoordinators(cluster, TRANSACTION, [transactionalId], wait, async (node, _, left) => {
    const request = { transactionalId, transactionTimeoutMs: cluster.config.requestTimeoutMs }
    const isBusy = ({ errorCode }: { errorCode: number }): boolean => errorName(errorCode) === 'CONCURRENT_TRANSACTIONS'
    const { errorCode } = await cluster.call(InitProducerId, request, { ...left, node, retryIf: isBusy, maxVersion: 5 })
    return [[transactionalId, resultOf(errorCode, null, null)]]
  })
  const result = results.get(transactionalId)
  if (result?.ok === false) throw result.error
}
