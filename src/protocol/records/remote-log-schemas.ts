// The records of __remote_log_metadata, by which Apache's brokers keep track of segments in tiered storage: for looking at.
// They are framed as metadata records are.

import { array, bool, bytes, int8, int32, int64, message, string, struct, uuid } from '../schema.ts'

const topicIdPartition = struct({ name: string, id: uuid, partition: int32 })
const remoteLogSegmentId = struct({ topicIdPartition, id: uuid })
const customMetadata = bytes.nullable().or(null)
const copied = {
  startOffset: int64,
  endOffset: int64,
  brokerId: int32,
  maxTimestampMs: int64,
  eventTimestampMs: int64,
  segmentLeaderEpochs: array({ leaderEpoch: int32, offset: int64 }),
  segmentSizeInBytes: int32,
  customMetadata,
  remoteLogSegmentState: int8,
  txnIndexEmpty: bool.tagged(0, 0),
}

export const RemoteLogSegmentMetadataRecord = message('RemoteLogSegmentMetadataRecord', [0, 0], 0, { remoteLogSegmentId, ...copied })

export const RemoteLogSegmentMetadataUpdateRecord = message('RemoteLogSegmentMetadataUpdateRecord', [0, 0], 0, {
  remoteLogSegmentId,
  brokerId: int32,
  eventTimestampMs: int64,
  customMetadata,
  remoteLogSegmentState: int8,
})

export const RemotePartitionDeleteMetadataRecord = message('RemotePartitionDeleteMetadataRecord', [0, 0], 0, {
  topicIdPartition,
  brokerId: int32,
  eventTimestampMs: int64,
  remotePartitionDeleteState: int8,
})

export const RemoteLogSegmentMetadataSnapshotRecord = message('RemoteLogSegmentMetadataSnapshotRecord', [0, 0], 0, { segmentId: uuid, ...copied })
