// __remote_log_metadata as kafka-dump-log prints it: the text of the Java objects.

import {
  RemoteLogSegmentMetadataRecord, RemoteLogSegmentMetadataSnapshotRecord, RemoteLogSegmentMetadataUpdateRecord,
  RemotePartitionDeleteMetadataRecord,
} from '../../protocol/records/remote-log-schemas.ts' // prettier-ignore
import type { Decoded, Fields, Message, ValueOf } from '../../protocol/schema.ts'
import { attempt, DecodeError, framed, type FramedSchema, type RecordDecoder } from './record-decoders.ts'

const SEGMENT_STATES = ['COPY_SEGMENT_STARTED', 'COPY_SEGMENT_FINISHED', 'DELETE_SEGMENT_STARTED', 'DELETE_SEGMENT_FINISHED']
const PARTITION_STATES = ['DELETE_PARTITION_MARKED', 'DELETE_PARTITION_STARTED', 'DELETE_PARTITION_FINISHED']

type Copied = ValueOf<typeof RemoteLogSegmentMetadataRecord>
type SegmentId = Copied['remoteLogSegmentId']

interface Shown extends FramedSchema {
  readonly text: (decoded: Decoded<Fields>) => string
}

function shown<F extends Fields>(label: number, message: Message<F>, text: (value: Decoded<F>) => string): readonly [number, Shown] {
  return [label, { label: String(label), message: message, text: text as (decoded: Decoded<Fields>) => string }]
}

const BY_TYPE: ReadonlyMap<number, Shown> = new Map([
  shown(0, RemoteLogSegmentMetadataRecord, (value) => {
    const { brokerId, maxTimestampMs, eventTimestampMs } = value
    const middle = `brokerId=${brokerId}, maxTimestampMs=${maxTimestampMs}, eventTimestampMs=${eventTimestampMs}`
    return `RemoteLogSegmentMetadata{remoteLogSegmentId=${segmentId(value.remoteLogSegmentId)}, ${copied(value, middle)}}`
  }),
  shown(1, RemoteLogSegmentMetadataUpdateRecord, ({ remoteLogSegmentId, customMetadata, remoteLogSegmentState, eventTimestampMs, brokerId }) => {
    const state = SEGMENT_STATES[remoteLogSegmentState] ?? 'null'
    return `RemoteLogSegmentMetadataUpdate{remoteLogSegmentId=${segmentId(remoteLogSegmentId)}, customMetadata=${custom(customMetadata)}, state=${state}, eventTimestampMs=${eventTimestampMs}, brokerId=${brokerId}}`
  }),
  shown(2, RemotePartitionDeleteMetadataRecord, ({ topicIdPartition, remotePartitionDeleteState, eventTimestampMs, brokerId }) => {
    const state = PARTITION_STATES[remotePartitionDeleteState] ?? 'null'
    return `RemotePartitionDeleteMetadata{topicPartition=${partition(topicIdPartition)}, state=${state}, eventTimestampMs=${eventTimestampMs}, brokerId=${brokerId}}`
  }),
  shown(3, RemoteLogSegmentMetadataSnapshotRecord, (value) => {
    return `RemoteLogSegmentMetadataSnapshot{segmentId=${value.segmentId}, ${copied(value, `maxTimestampMs=${value.maxTimestampMs}`)}}`
  }),
])

export const remoteLogDecoder: RecordDecoder = ({ offset, value }) => {
  try {
    const { schema, version, from } = framed(BY_TYPE, value ?? Buffer.alloc(0))
    const decoded = attempt(() => schema.message.codec(version).decode(from), () => `Failed to deserialize record with type ${schema.label}`)
    if (from.remaining > 0) throw new DecodeError(`Found ${from.remaining} byte(s) of garbage after ${schema.message.name}`)
    return { key: undefined, value: schema.text(decoded) }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { key: undefined, value: `Error at offset ${offset}, skipping. ${error.message}` }
  }
}

function copied(value: Omit<Copied, 'remoteLogSegmentId'>, middle: string): string {
  const epochs = value.segmentLeaderEpochs.toSorted((a, b) => a.leaderEpoch - b.leaderEpoch).map(({ leaderEpoch, offset }) => `${leaderEpoch}=${offset}`)
  return (
    `startOffset=${value.startOffset}, endOffset=${value.endOffset}, ${middle}, segmentLeaderEpochs={${epochs.join(', ')}}` +
    `, segmentSizeInBytes=${value.segmentSizeInBytes}, customMetadata=${custom(value.customMetadata)}` +
    `, state=${SEGMENT_STATES[value.remoteLogSegmentState] ?? 'null'}, txnIdxEmpty=${value.txnIndexEmpty}`
  )
}

function custom(bytes: Buffer | null): string {
  return bytes === null ? 'Optional.empty' : `Optional[CustomMetadata{${bytes.length} bytes}]`
}

function segmentId({ topicIdPartition, id }: SegmentId): string {
  return `RemoteLogSegmentId{topicIdPartition=${partition(topicIdPartition)}, id=${id}}`
}

function partition({ id, name, partition }: SegmentId['topicIdPartition']): string {
  return `${id}:${name}-${partition}`
}
