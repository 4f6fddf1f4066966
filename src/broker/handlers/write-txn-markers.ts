// WriteTxnMarkers (27), versions 1 and 2: ends a producer's transaction in single partitions. Between brokers in Kafka;
// here it is how an administrator ends a transaction that nobody else would (kafka-transactions.sh abort). From version 2
// on it says by which rule epochs are checked. It doesn't ask the coordinator, nor tell it.

import { WriteTxnMarkers } from '../../protocol/apis/write-txn-markers.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import type { Broker } from '../broker.ts'
import { GROUPS_TOPIC } from '../groups/group-coordinator.ts'
import { itemError, turns } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'
import { writeMarker } from '../transactions/markers.ts'
import { EPOCH_PER_TRANSACTION } from '../transactions/transaction.ts'

type Marker = RequestOf<typeof WriteTxnMarkers>['markers'][number]

const MAX_EPOCH = 32767

export const handleWriteTxnMarkers: Handler<typeof WriteTxnMarkers> = async ({ markers }, { broker, isAllowed }) => {
  const mayWrite = isAllowed('ALTER', 'CLUSTER', CLUSTER_NAME) || isAllowed('CLUSTER_ACTION', 'CLUSTER', CLUSTER_NAME)
  // By producer and topic: a producer that has several markers is answered once.
  const producers = new Map<bigint, Map<string, Map<number, Promise<number>>>>()
  const letOthers = turns(broker.clock)
  for (const marker of markers) {
    await letOthers()
    const topics = producers.get(marker.producerId) ?? new Map<string, Map<number, Promise<number>>>()
    producers.set(marker.producerId, topics)
    for (const { name, partitionIndexes } of marker.topics) {
      const codes = topics.get(name) ?? new Map<number, Promise<number>>()
      topics.set(name, codes)
      for (const index of partitionIndexes) {
        codes.set(index, mayWrite ? write(marker, name, index, broker) : Promise.resolve(ErrorCode.CLUSTER_AUTHORIZATION_FAILED))
      }
    }
  }
  const answers = Array.from(producers, async ([producerId, topics]) => ({
    producerId,
    topics: await Promise.all(
      Array.from(topics, async ([name, codes]) => ({
        name,
        partitions: await Promise.all(
          Array.from(codes, async ([partitionIndex, code]) => ({ partitionIndex, errorCode: await code })),
        ),
      })),
    ),
  }))
  return { markers: await Promise.all(answers) }
}

async function write(marker: Marker, topic: string, index: number, broker: Broker): Promise<number> {
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult } = marker
  const producer = { id: producerId, epoch: producerEpoch }
  try {
    // A batch without a producer is no transaction's: nobody could read on behind it.
    if (producerId < 0n || producerEpoch < 0) throw new KafkaError('INVALID_REQUEST')
    checkEpoch(marker, topic, index, broker)
    await writeMarker({ producer, isCommit: transactionResult, coordinatorEpoch }, topic, index, broker)
    return ErrorCode.NONE
  } catch (error) {
    const failure = itemError(error, broker, `WriteTxnMarkers to ${topic}-${index}`)
    const isElsewhere = topic === GROUPS_TOPIC && COORDINATOR_ERRORS.has(failure.error)
    return isElsewhere ? ErrorCode.NOT_LEADER_OR_FOLLOWER : failure.code
  }
}

/** Where each transaction has an epoch of its own, its marker has a greater one than its records; a retry finds nothing open. */
function checkEpoch({ producerId, producerEpoch, transactionVersion }: Marker, topic: string, index: number, broker: Broker): void {
  const { log } = broker.partitions.get(topic, index)
  if (transactionVersion < EPOCH_PER_TRANSACTION || log.producerEpoch(producerId) !== producerEpoch) return
  if (log.hasOpenTransaction(producerId) && producerEpoch !== MAX_EPOCH) throw new KafkaError('INVALID_PRODUCER_EPOCH')
}

const COORDINATOR_ERRORS: ReadonlySet<string> = new Set([
  'COORDINATOR_NOT_AVAILABLE',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'NOT_COORDINATOR',
])
