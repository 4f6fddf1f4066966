// Where a leader epoch ended: a client that knows an epoch finds out from it whether its offsets still stand.

import { OffsetForLeaderEpoch } from '../../protocol/apis/offset-for-leader-epoch.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError, type Handler, type RequestContext } from '../handler.ts'
import { checkLeaderEpoch } from '../partitions.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

export const handleOffsetForLeaderEpoch: Handler<typeof OffsetForLeaderEpoch> = (request, context) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch: wanted }) => {
      try {
        if (!mayAsk(topic, context)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
        const partition = context.broker.partitions.get(topic, index)
        checkLeaderEpoch(partition, currentLeaderEpoch)
        const { epoch, endOffset } = partition.log.endOffsetForEpoch(wanted)
        return { partition: index, errorCode: ErrorCode.NONE, leaderEpoch: epoch, endOffset }
      } catch (error) {
        const { code } = itemError(error, context.broker, `OffsetForLeaderEpoch of ${topic}-${index}`)
        return { partition: index, errorCode: code, leaderEpoch: -1, endOffset: -1 }
      }
    }),
  })),
})

/** Brokers may ask of every topic, clients of those they may see (KIP-320). */
function mayAsk(topic: string, { isAllowed }: RequestContext): boolean {
  return isAllowed('CLUSTER_ACTION', 'CLUSTER', CLUSTER_NAME) || isAllowed('DESCRIBE', 'TOPIC', topic)
}
