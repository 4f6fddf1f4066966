// DescribeQuorum (55): the quorum of the metadata log is this node alone. There is no controller listener: the node is
// named without an address.

import { ErrorCode, errorMessage } from '../../protocol/errors.ts'
import type { DescribeQuorum } from '../../protocol/apis/describe-quorum.ts'
import type { Handler } from '../handler.ts'
import { METADATA_TOPIC } from '../metadata/image.ts'
import { checkCluster } from '../security/cluster.ts'

const UNKNOWN = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION

export const handleDescribeQuorum: Handler<typeof DescribeQuorum> = ({ topics }, context) => {
  checkCluster(context, 'DESCRIBE')
  const { metadata, nodeId, clock } = context.broker
  const isOurs =
    topics.length === 1 && topics[0].topicName === METADATA_TOPIC &&
    topics[0].partitions.length === 1 && topics[0].partitions[0].partitionIndex === 0 // prettier-ignore
  if (!isOurs) {
    const refused = topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({ ...NO_QUORUM, partitionIndex })),
    }))
    return { errorCode: ErrorCode.NONE, errorMessage: '', topics: refused, nodes: [] }
  }
  const { endOffset, epoch, voterDirectoryId } = metadata.quorum
  const now = clock.now()
  const self = {
    replicaId: nodeId,
    replicaDirectoryId: voterDirectoryId,
    logEndOffset: endOffset,
    lastFetchTimestamp: now,
    lastCaughtUpTimestamp: now,
  }
  const partition = {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    leaderId: nodeId,
    leaderEpoch: epoch,
    highWatermark: endOffset,
    currentVoters: [self],
    observers: [],
  }
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    topics: [{ topicName: METADATA_TOPIC, partitions: [partition] }],
    nodes: context.apiVersion >= 2 ? [{ nodeId, listeners: [] }] : [],
  }
}

const NO_QUORUM = {
  errorCode: UNKNOWN,
  errorMessage: errorMessage(UNKNOWN),
  leaderId: 0,
  leaderEpoch: 0,
  highWatermark: 0,
  currentVoters: [],
  observers: [],
}
