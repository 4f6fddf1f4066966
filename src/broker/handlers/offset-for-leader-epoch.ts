// Where a leader epoch ended: a client that knows an epoch finds out from it whether its offsets still stand.

import { OffsetForLeaderEpoch } from '../../protocol/apis/offset-for-leader-epoch.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import { itemError, type Handler } from '../handler.ts'
import { checkLeaderEpoch } from '../partitions.ts'

export const handleOffsetForLeaderEpoch: Handler<typeof OffsetForLeaderEpoch> = (request, { broker }) => ({
  throttleTimeMs: 0,
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition: index, currentLeaderEpoch, leaderEpoch: wanted }) => {
      try {
        const partition = broker.partitions.get(topic, index)
        checkLeaderEpoch(partition, currentLeaderEpoch)
        const { epoch, endOffset } = partition.log.endOffsetForEpoch(wanted)
        return { partition: index, errorCode: ErrorCode.NONE, leaderEpoch: epoch, endOffset }
      } catch (error) {
        const { code } = itemError(error, broker, `OffsetForLeaderEpoch of ${topic}-${index}`)
        return { partition: index, errorCode: code, leaderEpoch: -1, endOffset: -1 }
      }
    }),
  })),
})
