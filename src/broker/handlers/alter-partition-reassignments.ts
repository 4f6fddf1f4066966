// AlterPartitionReassignments (45): a replica can only stay where it is, on the one node; that succeeds and changes
// nothing. No move is ever under way, so there is none to cancel.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { AlterPartitionReassignments } from '../../protocol/apis/alter-partition-reassignments.ts'
import type { Broker } from '../broker.ts'
import { itemError } from '../handler.ts'
import type { Handler } from '../handler.ts'
import { checkReplicas } from '../metadata/topics.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleAlterPartitionReassignments: Handler<typeof AlterPartitionReassignments> = (request, context) => {
  const { broker } = context
  checkCluster(context, 'ALTER')
  const responses = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const error = refusalOf(broker, name, partitionIndex, replicas)
      return { partitionIndex, errorCode: error?.code ?? ErrorCode.NONE, errorMessage: textOf(error) }
    }),
  }))
  const { allowReplicationFactorChange } = request
  return { throttleTimeMs: 0, allowReplicationFactorChange, errorCode: ErrorCode.NONE, errorMessage: null, responses }
}

/** Kafka has no text where the code's own says all. */
function textOf(error: KafkaError | undefined): string | null {
  return error === undefined || error.isStandardText ? null : error.message
}

function refusalOf(
  broker: Broker,
  name: string,
  partition: number,
  replicas: readonly number[] | null,
): KafkaError | undefined {
  try {
    const topic = broker.metadata.image.topic(name)
    const unknown = (text: string) => new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', text)
    if (topic === undefined) throw unknown(`Unable to find a topic named ${name}.`)
    if (!topic.partitions.has(partition)) throw unknown(`Unable to find partition ${name}:${partition}.`)
    if (replicas === null) throw new KafkaError('NO_REASSIGNMENT_IN_PROGRESS')
    checkReplicas(replicas, { nodeId: broker.nodeId, directoryId: broker.store.directoryId })
    return undefined
  } catch (error) {
    return itemError(error, broker, `reassigning ${name}-${partition}`)
  }
}
