// A broker in one process: opens the data directory, replays the metadata, brings the partitions to life, and only then
// opens the listeners. Stopping goes the other way round, in bounded time, and leaves a clean mark. When the disk fails it
// leaves none: what memory holds and what the disk holds may differ, and the next start finds out.

import { systemClock, type Clock, type Timer } from '../base/clock.ts'
import type { BrokerListener } from '../base/control-messages.ts'
import { silentLogger, type Logger } from '../base/logger.ts'
import type { Disk } from '../storage/disk.ts'
import { openLogStore, type LogStore } from '../storage/log-store.ts'
import type { Log } from '../storage/log.ts'
import { nodeDisk } from '../storage/node-disk.ts'
import { parseBrokerConfig, type BrokerConfig } from './config/broker-configs.ts'
import { topicLogConfig } from './config/log-configs.ts'
import { FetchSessions } from './fetch-sessions.ts'
import { GroupCoordinator } from './groups/group-coordinator.ts'
import { LogUpkeep } from './log-upkeep.ts'
import type { MetadataController } from './metadata/controller.ts'
import type { MetadataImage } from './metadata/image.ts'
import { readMetadata } from './metadata/metadata-reader.ts'
import { openMetadata } from './metadata/open.ts'
import { Partitions } from './partitions.ts'
import { serveRequest } from './router.ts'
import { Authorizer } from './security/authorizer.ts'
import { listenerSecurity, loginWarning, type ListenerSecurity } from './security/listener-security.ts'
import { Server } from './server.ts'
import { Throttle } from './throttle.ts'
import { TransactionCoordinator } from './transactions/transaction-coordinator.ts'

export interface BrokerOptions {
  /** Kafka's names: listeners, log.dirs, node.id, log.retention.ms … */
  readonly properties: ReadonlyMap<string, string>
  readonly disk?: Disk
  readonly clock?: Clock
  readonly logger?: Logger
  /** Nothing outlives the broker: no sync of the disk is waited for. Its owner removes the directory. */
  readonly ephemeral?: boolean
}

const DEFAULT_REQUEST_MEMORY = 64 * 1024 * 1024
const CLOSE_TIMEOUT_MS = 30_000

/** Rejects with StartError, ConfigError, LogStoreError, MetadataLogError or DiskError, each with one clear line. */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { disk = nodeDisk, clock = systemClock, logger = silentLogger, ephemeral = false } = options
  const config = parseBrokerConfig(options.properties, { ephemeral })
  for (const line of config.warnings) logger.warn(line)

  const { nodeId } = config
  const found = readMetadata(disk, config.logDir, nodeId)
  const { scramUsers } = found.replay.image
  const securities = new Map<string, ListenerSecurity>()
  for (const listener of config.listeners) {
    const security = await listenerSecurity(listener, config.properties, disk, scramUsers)
    securities.set(listener.name, security)
    const warning = loginWarning(listener.name, security, scramUsers)
    if (warning !== undefined) logger.warn(warning)
  }
  let groups: GroupCoordinator | undefined
  let transactions: TransactionCoordinator | undefined
  const store = await openLogStore({ directory: config.logDir, disk, clock, logger, clusterId: config.clusterId, nodeId })
  try {
    const metadata = await openMetadata({
      store,
      found,
      disk,
      clock,
      logger,
      nodeId,
      endpoints: config.listeners.map(({ name, protocol, advertisedHost, advertisedPort, port }) => {
        return { name, protocol, host: advertisedHost, port: advertisedPort || port }
      }),
      rack: config.rack,
      snapshotBytes: config.metadataSnapshotBytes,
      neverSync: ephemeral,
    })
    const { image } = metadata
    const partitions = new Partitions(store, logger, (topic) => topicLogConfig(config, image, topic))
    // After an unclean stop clients may have read what is gone now; a new epoch lets them find out.
    if (!store.wasClean) await metadata.raiseLeaderEpochs(partitionsOf(image))
    await partitions.open(image)
    metadata.onChange((delta) => partitions.apply(delta))
    const node = { nodeId, directoryId: store.directoryId }
    groups = new GroupCoordinator({ metadata, partitions, config, node, clock, logger })
    await groups.open()
    transactions = new TransactionCoordinator({ metadata, partitions, groups, config, node, clock, logger })
    await transactions.open()
    const broker = new Broker({ config, metadata, partitions, groups, transactions, store, clock, logger })
    await broker.listen(securities)
    return broker
  } catch (error) {
    transactions?.close()
    groups?.close()
    await store.close().catch(() => undefined) // the first error is the one to tell
    throw error
  }
}

function partitionsOf(image: MetadataImage): { topicId: string; partition: number }[] {
  return [...image.topics()].flatMap(({ id, partitions }) =>
    [...partitions.keys()].map((partition) => ({ topicId: id, partition })),
  )
}

function* logsOf(partitions: Partitions): Generator<Log> {
  for (const { log } of partitions.all()) yield log
}

type Parts = Pick<Broker, 'config' | 'metadata' | 'partitions' | 'groups' | 'transactions' | 'store' | 'clock' | 'logger'>

/** Made by startBroker. */
export class Broker {
  readonly clusterId: string
  readonly nodeId: number
  readonly config: BrokerConfig
  readonly metadata: MetadataController
  readonly partitions: Partitions
  readonly fetchSessions: FetchSessions
  readonly throttle: Throttle
  readonly groups: GroupCoordinator
  /** undefined: everybody may do everything. */
  readonly authorizer: Authorizer | undefined
  readonly transactions: TransactionCoordinator
  readonly store: LogStore
  readonly clock: Clock
  readonly logger: Logger
  /** Resolves when the broker has stopped: with the error that stopped it, undefined when it was asked to. */
  readonly stopped: Promise<Error | undefined>
  readonly #server: Server
  #listeners: readonly BrokerListener[] = []
  #hasStopped: (error: Error | undefined) => void = () => undefined
  #stopping: Promise<void> | undefined
  #expiry: Timer | undefined
  readonly #upkeep: LogUpkeep

  constructor({ config, metadata, partitions, groups, transactions, store, clock, logger }: Parts) {
    this.clusterId = store.clusterId
    this.nodeId = config.nodeId
    this.config = config
    this.metadata = metadata
    this.partitions = partitions
    this.groups = groups
    this.authorizer = config.authorizer && new Authorizer(metadata.image.acls, config.authorizer)
    this.transactions = transactions
    this.store = store
    this.clock = clock
    this.logger = logger
    this.#upkeep = new LogUpkeep(store, clock, logger, config, () => logsOf(partitions))
    this.throttle = new Throttle(metadata.image.quotas, clock)
    this.fetchSessions = new FetchSessions(clock, config.maxFetchSessions, (topicId) => this.partitions.topicName(topicId))
    this.stopped = new Promise((resolve) => (this.#hasStopped = resolve))
    this.#server = new Server({
      clock,
      logger,
      maxConnections: config.maxConnections,
      maxConnectionsPerIp: config.maxConnectionsPerIp,
      maxIdleMs: config.connectionsMaxIdleMs,
      maxFrameBytes: config.socketRequestMaxBytes,
      backlog: config.socketListenBacklog,
      requestMemoryBytes: config.queuedMaxRequestBytes > 0 ? config.queuedMaxRequestBytes : DEFAULT_REQUEST_MEMORY,
      serve: (frame, connection, letNextStart) => serveRequest(this, frame, connection, letNextStart),
    })
  }

  get listeners(): readonly BrokerListener[] {
    return this.#listeners
  }

  /** Bytes that replies may take now; 0 when slow readers hold too many, -1 when they hold far too many. */
  replyRoom(): number {
    return this.#server.replyMemory.room
  }

  replyBuffer(size: number): Buffer {
    return this.#server.replyMemory.buffers.take(size)
  }

  async listen(securities: ReadonlyMap<string, ListenerSecurity>): Promise<void> {
    this.#listeners = await this.#server.listen(this.config.listeners, securities)
    this.store.onFatal((error) => void this.#fail(error))
    this.#expireProducers()
    this.#upkeep.start()
  }

  /** Forgets producers that are long silent, again and again: each one-off producer leaves state behind. */
  #expireProducers(): void {
    const { producerIdExpirationMs, producerIdExpirationCheckIntervalMs } = this.config
    this.#expiry = this.clock.after(producerIdExpirationCheckIntervalMs, () => {
      for (const { log } of this.partitions.all()) log.expireProducers(this.clock.now() - producerIdExpirationMs)
      this.#expireProducers()
    })
  }

  /** Stops cleanly. Resolves when everything is durable and the directory free; the second caller waits, too. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopCleanly().then(
      () => this.#hasStopped(undefined),
      (error: unknown) => {
        this.#hasStopped(error instanceof Error ? error : new Error(String(error)))
        throw error
      },
    )
    return this.#stopping
  }

  async #stopCleanly(): Promise<void> {
    this.#expiry?.cancel()
    this.#upkeep.stop()
    await this.#server.stop()
    this.transactions.close()
    this.groups.close()
    await this.metadata.close()
    await this.#inTime(this.store.close({ brokerEpoch: this.metadata.brokerEpoch }))
  }

  /** The disk has failed. Nothing more is promised to anybody, and nothing more written. */
  async #fail(error: Error): Promise<void> {
    this.#expiry?.cancel()
    this.#upkeep.stop()
    this.transactions.close()
    this.groups.close()
    this.#stopping ??= this.#server.stop()
    await this.#stopping.catch(() => undefined) // a stop under way failed for this very error
    this.#hasStopped(error)
  }

  async #inTime(work: Promise<void>): Promise<void> {
    let timer: Timer | undefined
    const tooLate = new Promise<never>((_resolve, reject) => {
      const say = (): void => reject(new Error(`the data directory could not be closed within ${CLOSE_TIMEOUT_MS / 1000} s`))
      timer = this.clock.after(CLOSE_TIMEOUT_MS, say, true)
    })
    await Promise.race([work, tooLate]).finally(() => timer?.cancel())
  }
}
