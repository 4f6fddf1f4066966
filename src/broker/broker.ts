// A broker in one process: opens the data directory, replays the metadata, brings the partitions to life, and only then
// opens the listeners. Stopping goes the other way round, in bounded time, and leaves a clean mark.

import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Disk } from '../storage/disk.ts'
import type { LogStore } from '../storage/log-store.ts'
import type { BrokerConfig } from './config/broker-configs.ts'
import type { MetadataController } from './metadata/controller.ts'
import type { Partitions } from './partitions.ts'

export interface BrokerOptions {
  /** Kafka's names: listeners, log.dirs, node.id, log.retention.ms … */
  readonly properties: ReadonlyMap<string, string>
  readonly disk?: Disk
  readonly clock?: Clock
  readonly logger?: Logger
  /** Nothing outlives the broker: no flush to the disk is waited for. The caller removes the directory. */
  readonly ephemeral?: boolean
}

export interface BrokerListener {
  readonly name: string
  readonly protocol: string
  readonly host: string
  readonly port: number
  readonly advertisedHost: string
  readonly advertisedPort: number
}

export interface Broker {
  readonly clusterId: string
  readonly nodeId: number
  readonly listeners: readonly BrokerListener[]
  readonly config: BrokerConfig
  readonly metadata: MetadataController
  readonly partitions: Partitions
  readonly store: LogStore
  readonly clock: Clock
  readonly logger: Logger
  stop(): Promise<void>
  /** Resolves when the broker has stopped: with the error that stopped it, undefined when it was asked to. */
  readonly stopped: Promise<Error | undefined>
}
