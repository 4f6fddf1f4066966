// Brings the metadata of a data directory to life. In two steps, because a directory that this broker can't serve must
// not be touched: readMetadata looks (before the store opens), openMetadata writes: the new epoch, the first records of
// a new cluster, this node's registration, a leader for partitions that lost theirs.

import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { randomUuid } from '../../base/uuid.ts'
import { batchSizeAt } from '../../protocol/record-batch.ts'
import type { Disk } from '../../storage/disk.ts'
import { defaultLogConfig } from '../../storage/log-config.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import type { LogStore } from '../../storage/log-store.ts'
import type { SecurityProtocol } from '../config/broker-configs.ts'
import { MetadataController } from './controller.ts'
import { raisedFeatures } from './feature-updates.ts'
import { SUPPORTED_FEATURES } from './features.ts'
import { METADATA_TOPIC, METADATA_TOPIC_ID } from './image.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataOnDisk } from './metadata-reader.ts'
import { leaderChangeBatch } from './metadata-writer.ts'
import { METADATA_VERSION } from './records.ts'
import type { NewRecord } from './records.ts'
import { MetadataLogError } from './replay.ts'
import { writeQuorumState } from './snapshots.ts'

export interface Endpoint {
  readonly name: string
  readonly protocol: SecurityProtocol
  readonly host: string
  readonly port: number
}

export interface OpenMetadataOptions {
  readonly store: LogStore
  readonly found: MetadataOnDisk
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
  readonly nodeId: number
  /** Where clients are told to go. A port that is not known yet is 0. */
  readonly endpoints: readonly Endpoint[]
  readonly rack: string | null
  readonly snapshotBytes: number
  /** Of an ephemeral broker: nothing is synced. */
  readonly neverSync?: boolean
}

const SECURITY_PROTOCOLS: Readonly<Record<SecurityProtocol, number>> = { PLAINTEXT: 0, SSL: 1, SASL_PLAINTEXT: 2, SASL_SSL: 3 }
const CORDONED_SINCE = 30 // metadata.version
const REGISTRATION_SINCE = 15 // of controllers

/** Resolves when this node leads its log and is registered in it. */
export async function openMetadata(options: OpenMetadataOptions): Promise<MetadataController> {
  const { store, found, disk, clock, logger, nodeId, snapshotBytes } = options
  const { replay } = found
  const startOffset = found.snapshotOffset > 0 ? { startOffset: found.snapshotOffset } : {}
  const log = await store.openLog(METADATA_TOPIC, 0, METADATA_TOPIC_ID, logConfig(options), startOffset)
  if (log.failure !== undefined) throw new MetadataLogError(`the metadata log is damaged: ${log.failure.message}`)
  if (log.logEndOffset !== found.endOffset) {
    throw new MetadataLogError(`the metadata log was read up to ${found.endOffset} and opened at ${log.logEndOffset}`)
  }
  refuseOtherDirectories(replay.image, store.directoryId)

  const epoch = Math.max(replay.epoch, found.quorumState?.leaderEpoch ?? 0) + 1
  const dataVersion = Math.max(found.quorumState?.dataVersion ?? 0, replay.kraftVersion)
  await writeQuorumState(disk, log.directory, nodeId, epoch, dataVersion)
  log.leaderEpoch = epoch
  const change = leaderChangeBatch(nodeId, clock.now())
  await log.safe(log.append(change, 'metadata').lastOffset + 1)
  replay.epoch = epoch
  replay.voters = [nodeId]

  const bytesSinceSnapshot = found.bytesSinceSnapshot + batchSizeAt(change, 0)
  const parts = { log, replay, disk, clock, logger, nodeId }
  const controller = new MetadataController({ ...parts, snapshotBytes, bytesSinceSnapshot })
  if (replay.isInTransaction) {
    await controller.commit([{ name: 'AbortTransactionRecord', value: { reason: 'The controller restarted.' } }])
  }
  if (found.bootstrap !== undefined) await controller.commit(found.bootstrap)
  // Before this node registers: what its last registration knew decides.
  await controller.submit((image) => ({ records: raisedFeatures(image, nodeId), result: undefined }))
  await controller.submit((image) => {
    // The registration's epoch is the offset of its own record; the controller's comes first.
    const controllerRecords = registerController(options, image)
    const brokerEpoch = log.logEndOffset + controllerRecords.length
    return { records: [...controllerRecords, ...registerBroker(options, image, brokerEpoch)], result: undefined }
  })
  await controller.submit((image) => ({ records: electLeaders(image, nodeId), result: undefined }))
  return controller
}

/** Kafka's settings of this log: never by time or size, because only a snapshot lets the old part go. */
function logConfig({ snapshotBytes, neverSync }: OpenMetadataOptions): LogConfig {
  return {
    ...defaultLogConfig,
    // A segment about as long as a snapshot is apart, so that snapshots free space.
    segmentBytes: Math.max(Math.min(snapshotBytes, defaultLogConfig.segmentBytes), 1024 * 1024),
    maxMessageBytes: 8 * 1024 * 1024,
    retentionMs: -1,
    retentionBytes: -1,
    flushMessages: neverSync === true ? Number.MAX_SAFE_INTEGER : 1,
    fileDeleteDelayMs: 0,
  }
}

function registerController({ nodeId }: OpenMetadataOptions, image: MetadataImage): NewRecord[] {
  if ((image.features.get(METADATA_VERSION) ?? 0) < REGISTRATION_SINCE) return []
  const value = {
    controllerId: nodeId,
    incarnationId: randomUuid(),
    zkMigrationReady: false,
    // The quorum is this process alone: there is no controller listener to go to.
    endPoints: [],
    features: supportedFeatures(),
  }
  return [{ name: 'RegisterControllerRecord', value }]
}

function registerBroker(options: OpenMetadataOptions, image: MetadataImage, brokerEpoch: number): NewRecord[] {
  const { nodeId: brokerId, endpoints, rack, store } = options
  const value = {
    brokerId,
    incarnationId: randomUuid(),
    brokerEpoch,
    endPoints: endpoints.map(({ name, host, port, protocol }) => {
      return { name, host, port, securityProtocol: SECURITY_PROTOCOLS[protocol] }
    }),
    features: supportedFeatures(),
    rack,
    fenced: true,
    logDirs: [store.directoryId],
    cordonedLogDirs: (image.features.get(METADATA_VERSION) ?? 0) >= CORDONED_SINCE ? [] : null,
  }
  return [
    { name: 'RegisterBrokerRecord', value },
    { name: 'BrokerRegistrationChangeRecord', value: { brokerId, brokerEpoch, fenced: -1 } },
  ]
}

function supportedFeatures() {
  return SUPPORTED_FEATURES.map(({ name, minVersion, maxVersion }) => {
    return { name, minSupportedVersion: minVersion, maxSupportedVersion: maxVersion }
  })
}

/** Apache takes the leader of every partition away when it stops; this node is the only one there can be. */
function electLeaders(image: MetadataImage, nodeId: number): NewRecord[] {
  const records: NewRecord[] = []
  for (const topic of image.topics()) {
    for (const partition of topic.partitions.values()) {
      if (partition.leader === nodeId) continue
      const hadElr = partition.eligibleLeaderReplicas.length > 0 || partition.lastKnownElr.length > 0
      const elr = hadElr ? { eligibleLeaderReplicas: [], lastKnownElr: [] } : {}
      const value = { topicId: topic.id, partitionId: partition.index, leader: nodeId, isr: [nodeId], ...elr }
      records.push({ name: 'PartitionChangeRecord', value })
    }
  }
  return records
}

/** Kafka can keep partitions in several directories; serving empty ones instead of them would look like loss. */
function refuseOtherDirectories(image: MetadataImage, directoryId: string): void {
  for (const topic of image.topics()) {
    for (const { index, directories } of topic.partitions.values()) {
      const directory = directories.at(0)
      if (directory === undefined || directory === directoryId || isPlaceholder(directory)) continue
      throw new MetadataLogError(
        `partition ${topic.name}-${index} lies in the data directory with id ${directory}; this one has ${directoryId}`,
      )
    }
  }
}

/** Ids that name no directory: the first hundred are reserved (DirectoryId: unassigned, lost, migrating). */
function isPlaceholder(directoryId: string): boolean {
  const bytes = Buffer.from(directoryId, 'base64url')
  return bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15] < 100
}
