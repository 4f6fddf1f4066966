// The partitions this broker serves: the metadata image's topics, each partition with its log. Follows the image: what
// is created, deleted or configured there happens to the logs here, before the change is answered.

import type { Logger } from '../base/logger.ts'
import type { CompressionCodec } from '../protocol/compression/index.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { LogConfig } from '../storage/log-config.ts'
import type { LogStore } from '../storage/log-store.ts'
import type { Log } from '../storage/log.ts'
import type { MetadataDelta } from './metadata/delta.ts'
import { METADATA_TOPIC, ResourceType, type MetadataImage, type TopicImage } from './metadata/image.ts'

export interface Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly log: Log
  readonly leaderEpoch: number
}

interface Topic {
  readonly name: string
  readonly id: string
  /** By index; undefined where the log could not be opened. */
  readonly partitions: (OpenPartition | undefined)[]
  config: LogConfig
}

class OpenPartition implements Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly log: Log

  constructor(log: Log) {
    this.topic = log.topic
    this.topicId = log.topicId
    this.index = log.partition
    this.log = log
  }

  get leaderEpoch(): number {
    return this.log.leaderEpoch
  }
}

const OPEN_AT_ONCE = 16

/** KafkaError when a client has another idea of who leads since when; −1: it has none. */
export function checkLeaderEpoch(partition: Partition, clientsEpoch: number): void {
  if (clientsEpoch === -1 || clientsEpoch === partition.leaderEpoch) return
  throw new KafkaError(clientsEpoch < partition.leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH')
}

export class Partitions {
  readonly #store: LogStore
  readonly #logger: Logger
  readonly #configFor: (topic: string) => LogConfig
  readonly #topics = new Map<string, Topic>()
  readonly #topicsById = new Map<string, Topic>()

  constructor(store: LogStore, logger: Logger, configFor: (topic: string) => LogConfig) {
    this.#store = store
    this.#logger = logger
    this.#configFor = configFor
  }

  /** Throws KafkaError UNKNOWN_TOPIC_OR_PARTITION, or KAFKA_STORAGE_ERROR when its log could not be opened. */
  get(topic: string, index: number): Partition {
    return this.#in(this.#topics.get(topic), index)
  }

  /** The same with KafkaError UNKNOWN_TOPIC_ID. */
  byId(topicId: string, index: number): Partition {
    const topic = this.#topicsById.get(topicId)
    if (topic === undefined) throw new KafkaError('UNKNOWN_TOPIC_ID')
    return this.#in(topic, index)
  }

  /** Whether `partition` is still served, and not deleted. */
  has(partition: Partition): boolean {
    return this.#topicsById.get(partition.topicId)?.partitions[partition.index] === partition
  }

  topicName(topicId: string): string | undefined {
    return this.#topicsById.get(topicId)?.name
  }

  /** What a topic's batches are stored as. */
  compressionOf(topic: string): CompressionCodec | 'producer' {
    return this.#topics.get(topic)?.config.compressionType ?? 'producer'
  }

  *all(): Generator<Partition> {
    for (const { partitions } of this.#topics.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition
    }
  }

  /** At the start: opens, and where it must recovers, every partition of `image`. Strangers' directories are moved aside. */
  async open(image: MetadataImage): Promise<void> {
    for (const directory of this.#store.unopened()) {
      if (directory.topic === METADATA_TOPIC) continue
      const topic = image.topic(directory.topic)
      const isKnown = topic?.partitions.has(directory.partition) === true
      if (isKnown && (directory.topicId === undefined || directory.topicId === topic.id)) continue
      this.#logger.warn(`${directory.name} belongs to no topic; it is kept as a stray`)
      await this.#store.moveAside(directory)
    }
    const wanted: { topic: TopicImage; index: number }[] = []
    for (const topic of image.topics()) for (const index of topic.partitions.keys()) wanted.push({ topic, index })
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < wanted.length) {
        const { topic, index } = wanted[next++]
        await this.#openLog(topic, index)
      }
    }
    await Promise.all(Array.from({ length: OPEN_AT_ONCE }, worker))
  }

  /** Follows one commit of the controller. */
  async apply(delta: MetadataDelta): Promise<void> {
    for (const topic of delta.deletedTopics) await this.#delete(topic)
    for (const topic of delta.createdTopics) {
      await Promise.all([...topic.partitions.keys()].map((index) => this.#openLog(topic, index)))
    }
    for (const { topic, partition, isNew } of delta.changedPartitions) {
      if (isNew) await this.#openLog(topic, partition.index)
      const open = this.#topics.get(topic.name)?.partitions[partition.index]
      if (open !== undefined) open.log.leaderEpoch = partition.leaderEpoch
    }
    for (const { resourceType, resourceName } of delta.changedConfigs) {
      if (resourceType === ResourceType.topic) this.#reconfigure(resourceName)
      // A broker's settings are the defaults of its topics.
      if (resourceType === ResourceType.broker) for (const name of this.#topics.keys()) this.#reconfigure(name)
    }
  }

  #in(topic: Topic | undefined, index: number): Partition {
    if (topic === undefined || index < 0 || index >= topic.partitions.length) {
      throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
    }
    const partition = topic.partitions[index]
    if (partition === undefined) throw new KafkaError('KAFKA_STORAGE_ERROR')
    return partition
  }

  async #openLog(image: TopicImage, index: number): Promise<void> {
    let topic = this.#topicsById.get(image.id)
    if (topic === undefined) {
      topic = { name: image.name, id: image.id, partitions: [], config: this.#configFor(image.name) }
      this.#topics.set(topic.name, topic)
      this.#topicsById.set(topic.id, topic)
    }
    if (topic.partitions.length <= index) topic.partitions.length = index + 1
    try {
      const log = await this.#store.openLog(image.name, index, image.id, topic.config)
      log.leaderEpoch = image.partitions.get(index)?.leaderEpoch ?? 0
      topic.partitions[index] = new OpenPartition(log)
    } catch (error) {
      // The others serve; this one answers KAFKA_STORAGE_ERROR until the next start.
      const reason = error instanceof Error ? error.message : String(error)
      this.#logger.error(`partition ${image.name}-${index} can't be opened: ${reason}`)
    }
  }

  async #delete({ name, id }: TopicImage): Promise<void> {
    const topic = this.#topicsById.get(id)
    if (topic === undefined) return
    this.#topicsById.delete(id)
    if (this.#topics.get(name) === topic) this.#topics.delete(name)
    for (const partition of topic.partitions) if (partition !== undefined) await this.#store.deleteLog(partition.log)
  }

  #reconfigure(name: string): void {
    const topic = this.#topics.get(name)
    if (topic === undefined) return
    topic.config = this.#configFor(name)
    for (const partition of topic.partitions) if (partition !== undefined) partition.log.config = topic.config
  }
}
