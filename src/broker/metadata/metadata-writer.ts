// The bytes that the metadata log and its snapshots are made of, as Apache's controller writes them.

import { BatchBuilder } from '../../protocol/batch-builder.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { stampOffset } from '../../protocol/record-batch.ts'
import {
  encodeControlKey,
  encodeControlValue,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord,
} from '../../protocol/records/control.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { ControlType } from '../../protocol/records/control.ts'
import type { NewRecord } from './records.ts'
import { encodeRecord } from './records.ts'
import type { MetadataReplay } from './replay.ts'

const LARGEST_BATCH = 8 * 1024 * 1024 // KafkaRaftClient.MAX_BATCH_SIZE_BYTES
const SNAPSHOT_BATCH = 1024 * 1024

/**
 * Records as one batch: all of them take effect or none. Offset and epoch are stamped by the log. Throws KafkaError
 * POLICY_VIOLATION when they are too many bytes: a request may bring more than a batch holds.
 */
export function recordsBatch(values: readonly Buffer[], timestamp: number): Buffer {
  const builder = new BatchBuilder(LARGEST_BATCH)
  for (const value of values) {
    if (builder.append(null, value, [], timestamp)) continue
    throw new KafkaError('POLICY_VIOLATION', 'Unable to perform excessively large batch operation.')
  }
  return builder.finish({ codec: 'none' })
}

/** Version 0 whatever the quorum: Apache writes no other, and reads every one as that (ControlRecordUtils). */
export function leaderChangeBatch(nodeId: number, timestamp: number): Buffer {
  const voter = { voterId: nodeId, voterDirectoryId: ZERO_UUID }
  const value = encodeControlValue(LeaderChangeMessage, 0, { version: 0, leaderId: nodeId, voters: [voter], grantingVoters: [voter] })
  return controlBatch([['LEADER_CHANGE', value]], timestamp)
}

/** A whole snapshot file: header, what Raft keeps, the image's records, footer. */
export function snapshotBytes(replay: MetadataReplay, epoch: number, timestamp: number): Buffer {
  const batches: Buffer[] = []
  let offset = 0
  const add = (batch: Buffer, count: number) => {
    stampOffset(batch, 0, offset, epoch)
    offset += count
    batches.push(batch)
  }
  const header = encodeControlValue(SnapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp: replay.timestamp })
  const controls: [ControlType, Buffer][] = [['SNAPSHOT_HEADER', header]]
  if (replay.kraftVersion > 0) {
    const kRaftVersion = replay.kraftVersion
    controls.push(['KRAFT_VERSION', encodeControlValue(KRaftVersionRecord, 0, { version: 0, kRaftVersion })])
  }
  if (replay.votersRecord !== undefined) {
    controls.push(['KRAFT_VOTERS', encodeControlValue(VotersRecord, 0, replay.votersRecord)])
  }
  add(controlBatch(controls, timestamp), controls.length)
  for (const batch of batchesOf(replay.image.records(), replay.image.features, timestamp)) add(batch.bytes, batch.count)
  const footer = encodeControlValue(SnapshotFooterRecord, 0, { version: 0 })
  add(controlBatch([['SNAPSHOT_FOOTER', footer]], timestamp), 1)
  return Buffer.concat(batches)
}

function* batchesOf(
  records: Iterable<NewRecord>,
  features: ReadonlyMap<string, number>,
  timestamp: number,
): Generator<{ bytes: Buffer; count: number }> {
  const builder = new BatchBuilder(SNAPSHOT_BATCH)
  for (const record of records) {
    const value = encodeRecord(record, features)
    if (builder.append(null, value, [], timestamp)) continue
    const count = builder.count
    yield { bytes: builder.finish({ codec: 'none' }), count }
    builder.append(null, value, [], timestamp)
  }
  const count = builder.count
  if (count > 0) yield { bytes: builder.finish({ codec: 'none' }), count }
}

function controlBatch(records: readonly (readonly [ControlType, Buffer])[], timestamp: number): Buffer {
  const builder = new BatchBuilder(LARGEST_BATCH)
  for (const [type, value] of records) builder.append(encodeControlKey(type), value, [], timestamp)
  return builder.finish({ codec: 'none', isControl: true })
}
