// From batches of the metadata log, or of a snapshot, to the image: unrolls transactions, and keeps what Raft says in
// control records. Pure: batches in, facts out.

import { ProtocolError } from '../../protocol/errors.ts'
import { decodeMetadataRecord } from '../../protocol/records/metadata.ts'
import {
  decodeControlKey,
  decodeControlValue,
  KRaftVersionRecord,
  LeaderChangeMessage,
  VotersRecord,
} from '../../protocol/records/control.ts'
import { recordsOf } from '../../protocol/record-batch.ts'
import type { BatchHeader } from '../../protocol/record-batch.ts'
import { RecordCursor } from '../../protocol/record-cursor.ts'
import type { ValueOf } from '../../protocol/schema.ts'
import { MetadataImage, MetadataImageError } from './image.ts'
import { LATEST_METADATA_VERSION, METADATA_VERSION } from './records.ts'
import type { MetadataRecord } from './records.ts'

// Raft's own limit for a batch is 8 MiB (KafkaRaftClient.MAX_BATCH_SIZE_BYTES); compressed ones may grow.
const MAX_RECORD_BYTES = 64 * 1024 * 1024

/** The metadata log can't be used: damaged, of another node, or of a version that is not known. Nothing was written. */
export class MetadataLogError extends Error {
  override readonly name = 'MetadataLogError'
}

export class MetadataReplay {
  readonly image = new MetadataImage()
  /** The node ids of the quorum, as the last word of Raft has it. */
  voters: readonly number[] = []
  /** 0: voters are named in the configuration; 1: in the log. */
  kraftVersion = 0
  votersRecord: ValueOf<typeof VotersRecord> | undefined
  epoch = 0
  /** ms; of the last batch. */
  timestamp = 0
  records = 0
  sawSnapshotFooter = false
  #transaction: MetadataRecord[] | undefined

  /** Whether a transaction was begun and neither ended nor aborted. */
  get isInTransaction(): boolean {
    return this.#transaction !== undefined
  }

  /** Takes the records of one batch from `fromOffset` on. Throws MetadataLogError for what is not known here. */
  applyBatch(bytes: Buffer, at: number, header: BatchHeader, fromOffset = 0): void {
    this.epoch = Math.max(this.epoch, header.leaderEpoch)
    this.timestamp = header.maxTimestamp
    // A copy: the image keeps byte strings of records, and must not hold on to a read buffer.
    const cursor = new RecordCursor(header, Buffer.from(recordsOf(bytes, at, header, MAX_RECORD_BYTES)))
    while (cursor.next()) {
      if (cursor.offset < fromOffset) continue
      const value = cursor.valueStart < 0 ? Buffer.alloc(0) : cursor.bytes.subarray(cursor.valueStart, cursor.valueEnd)
      try {
        if (header.isControl) this.#control(cursor.bytes.subarray(cursor.keyStart, cursor.keyEnd), value)
        else this.apply(decodeMetadataRecord(value))
      } catch (error) {
        if (error instanceof MetadataImageError) throw damaged(cursor.offset, error)
        if (error instanceof ProtocolError) throw unknown(cursor.offset, error)
        throw error
      }
    }
  }

  apply(record: MetadataRecord): void {
    this.records++
    switch (record.name) {
      case 'BeginTransactionRecord':
        this.#transaction = []
        return
      case 'EndTransactionRecord': {
        const records = this.#transaction ?? []
        this.#transaction = undefined
        for (const one of records) this.image.replay(one)
        return
      }
      case 'AbortTransactionRecord':
        this.#transaction = undefined
        return
      case 'FeatureLevelRecord':
        refuseNewer(record.value.name, record.value.featureLevel)
        break
      default:
    }
    if (this.#transaction !== undefined) this.#transaction.push(record)
    else this.image.replay(record)
  }

  #control(key: Buffer, value: Buffer): void {
    switch (decodeControlKey(key)) {
      case 'LEADER_CHANGE':
        this.voters = decodeControlValue(LeaderChangeMessage, value).voters.map((voter) => voter.voterId)
        return
      case 'KRAFT_VERSION':
        this.kraftVersion = decodeControlValue(KRaftVersionRecord, value).kRaftVersion
        return
      case 'KRAFT_VOTERS':
        this.votersRecord = decodeControlValue(VotersRecord, value)
        this.voters = this.votersRecord.voters.map((voter) => voter.voterId)
        return
      case 'SNAPSHOT_FOOTER':
        this.sawSnapshotFooter = true
        return
      case 'SNAPSHOT_HEADER':
      case 'ABORT':
      case 'COMMIT':
      case undefined:
    }
  }
}

function refuseNewer(name: string, level: number): void {
  if (name === METADATA_VERSION && level > LATEST_METADATA_VERSION) {
    throw new MetadataLogError(
      `the data directory has metadata.version=${level}; this broker knows versions up to ${LATEST_METADATA_VERSION}`,
    )
  }
}

function damaged(offset: number, cause: Error): MetadataLogError {
  return new MetadataLogError(`the metadata log is damaged at offset ${offset}: ${cause.message}`, { cause })
}

function unknown(offset: number, cause: Error): MetadataLogError {
  return new MetadataLogError(
    `the metadata log holds something this version does not know, at offset ${offset}: ${cause.message}`,
    { cause },
  )
}
