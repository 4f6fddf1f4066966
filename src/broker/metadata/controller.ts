// The one writer of metadata. Commits run one after another: append one batch, wait until it is durable, replay the very
// bytes that were written, tell the listeners. So the image never says what a crash could take back, and what one
// commit checked still holds when its records are written.

import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { decodeMetadataRecord } from '../../protocol/records/metadata.ts'
import type { Disk } from '../../storage/disk.ts'
import type { Log } from '../../storage/log.ts'
import { DeltaBuilder } from './delta.ts'
import type { MetadataDelta } from './delta.ts'
import type { MetadataImage } from './image.ts'
import { recordsBatch, snapshotBytes } from './metadata-writer.ts'
import { encodeRecord } from './records.ts'
import type { NewRecord } from './records.ts'
import type { MetadataReplay } from './replay.ts'
import { writeSnapshot } from './snapshots.ts'

const MAX_WAITING = 10_000
const PRODUCER_ID_BLOCK = 1000n // as Kafka's

/** What `operation` of submit gives: records to commit (none: nothing is written), and the caller's result. */
export interface Operation<T> {
  readonly records: readonly NewRecord[]
  readonly result: T
}

export interface ControllerOptions {
  readonly log: Log
  readonly replay: MetadataReplay
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeId: number
  /** A snapshot is written when so many bytes of log are behind the last one. */
  readonly snapshotBytes: number
  /** Of those, how many there are already. */
  readonly bytesSinceSnapshot: number
}

/** Raft's view of the metadata log. */
export interface QuorumView {
  /** Everything before it is durable and in the image. */
  readonly endOffset: number
  readonly epoch: number
  /** The directory id that this node votes with; all zeros where voters are named in the configuration. */
  readonly voterDirectoryId: string
}

const NO_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'

export class MetadataController {
  readonly image: MetadataImage
  readonly #options: ControllerOptions
  readonly #listeners = new Set<(delta: MetadataDelta) => void | Promise<void>>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #isClosed = false
  #bytesSinceSnapshot: number
  #endOffset: number
  #nextId = 0n
  #idsEnd = 0n
  #idsBlock: Promise<void> | undefined

  /** Made by openMetadata (open.ts), with the log replayed and this node registered in it. */
  constructor(options: ControllerOptions) {
    this.#options = options
    this.image = options.replay.image
    this.#bytesSinceSnapshot = options.bytesSinceSnapshot
    this.#endOffset = options.log.logEndOffset
  }

  get quorum(): QuorumView {
    const { log, replay } = this.#options
    const voterDirectoryId = replay.votersRecord?.voters.at(0)?.voterDirectoryId ?? NO_DIRECTORY
    return { endOffset: this.#endOffset, epoch: log.leaderEpoch, voterDirectoryId }
  }

  /** The offset of the last record: grows with every change. */
  get version(): number {
    return this.#options.log.logEndOffset - 1
  }

  /** The epoch of this broker's registration, as its clean-shutdown mark names it; -1 before there is one. */
  get brokerEpoch(): number {
    return this.image.brokers.get(this.#options.nodeId)?.brokerEpoch ?? -1
  }

  /**
   * Runs `operation` when all earlier commits are in the image, and commits its records. Resolves with its result when
   * they are durable, replayed, and the listeners are done. Rejects with what `operation` threw, then nothing has
   * changed; with REQUEST_TIMED_OUT when too many wait or the controller stops; with KAFKA_STORAGE_ERROR when the log
   * could not take the records.
   */
  async submit<T>(operation: (image: MetadataImage) => Operation<T>): Promise<T> {
    if (this.#isClosed) throw stopping()
    if (this.#waiting >= MAX_WAITING) throw new KafkaError('REQUEST_TIMED_OUT', 'Too many changes of metadata wait.')
    this.#waiting++
    const turn = this.#last.then(() => {
      // Behind thousands of others a stop would take minutes.
      if (this.#isClosed) throw stopping()
      return this.#run(operation)
    })
    this.#last = turn.then(
      () => this.#waiting--,
      () => this.#waiting--,
    )
    return turn
  }

  commit(records: readonly NewRecord[]): Promise<void> {
    return this.submit(() => ({ records, result: undefined }))
  }

  /**
   * A producer id that nobody had before, also after a crash: ids come from blocks that are durable before use. Rejects
   * with COORDINATOR_LOAD_IN_PROGRESS when there is none: of the errors that pass the one that old clients, too, take
   * for such (RPCProducerIdManager).
   */
  async nextProducerId(): Promise<bigint> {
    while (this.#nextId >= this.#idsEnd) {
      this.#idsBlock ??= this.#reserveProducerIds().finally(() => (this.#idsBlock = undefined))
      await this.#idsBlock.catch((error: unknown) => {
        if (!(error instanceof KafkaError)) throw error
        throw new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', undefined, { cause: error })
      })
    }
    return this.#nextId++
  }

  /** `listener` is awaited before a commit's promise resolves; several run in the order they came. */
  onChange(listener: (delta: MetadataDelta) => void | Promise<void>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** After an unclean start: these partitions may have lost records, and clients that had them must notice. */
  async raiseLeaderEpochs(partitions: readonly { topicId: string; partition: number }[]): Promise<void> {
    const leader = this.#options.nodeId
    if (partitions.length === 0) return
    await this.commit(
      partitions.map(({ topicId, partition: partitionId }) => ({
        name: 'PartitionChangeRecord',
        value: { topicId, partitionId, leader },
      })),
    )
  }

  /**
   * Nothing is taken any more, and what waits is refused; resolves when what has begun is done. The log stays open: the store closes it.
   * The registration is marked as left (fenced), or Apache, started on the directory, waits until it has timed out.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return
    const brokerId = this.#options.nodeId
    const { brokerEpoch } = this
    const farewell: NewRecord = { name: 'BrokerRegistrationChangeRecord', value: { brokerId, brokerEpoch, fenced: 1 } }
    this.#isClosed = true
    const leave = () => this.#run(() => ({ records: brokerEpoch < 0 ? [] : [farewell], result: undefined }))
    const left = this.#last.then(leave)
    await left.catch((error: unknown) => this.#options.logger.warn(`not deregistered: ${String(error)}`))
  }

  async #run<T>(operation: (image: MetadataImage) => Operation<T>): Promise<T> {
    const { records, result } = operation(this.image)
    if (records.length === 0) return result
    const { log, replay, clock } = this.#options
    const values = records.map((record) => encodeRecord(record, this.image.features))
    const batch = recordsBatch(values, clock.now())
    const { lastOffset } = log.append(batch, 'metadata')
    await log.safe(lastOffset + 1)

    const delta = new DeltaBuilder(this.image)
    for (const value of values) {
      const record = decodeMetadataRecord(value)
      delta.note(record)
      replay.apply(record)
    }
    this.#endOffset = lastOffset + 1
    replay.timestamp = clock.now()
    this.#bytesSinceSnapshot += batch.length
    const change = delta.finish()
    for (const listener of this.#listeners) await listener(change)
    await this.#snapshotWhenDue()
    return result
  }

  async #reserveProducerIds(): Promise<void> {
    const start = await this.submit((image) => {
      const from = image.nextProducerId
      const nextProducerId = from + PRODUCER_ID_BLOCK
      const value = { brokerId: this.#options.nodeId, brokerEpoch: this.brokerEpoch, nextProducerId }
      return { records: [{ name: 'ProducerIdsRecord', value }], result: from }
    })
    this.#nextId = start
    this.#idsEnd = start + PRODUCER_ID_BLOCK
  }

  /** A snapshot that fails is tried again when as much log has come again: the log still has everything. */
  async #snapshotWhenDue(): Promise<void> {
    const { log, replay, disk, clock, logger } = this.#options
    if (this.#bytesSinceSnapshot < this.#options.snapshotBytes) return
    this.#bytesSinceSnapshot = 0
    try {
      const bytes = snapshotBytes(replay, log.leaderEpoch, clock.now())
      await writeSnapshot(disk, log.directory, log.logEndOffset, log.leaderEpoch, bytes)
      await log.deleteRecordsBefore(log.logEndOffset)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      logger.warn(`no metadata snapshot at ${log.logEndOffset}: ${why}`)
    }
  }
}

/** As Kafka's controller says it (EventHandlerExceptionInfo). */
function stopping(): KafkaError {
  return new KafkaError('REQUEST_TIMED_OUT', 'The controller is shutting down.')
}
