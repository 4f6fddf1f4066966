// The partitions this broker serves: the metadata image's topics, each with its log.

import type { Log } from '../storage/log.ts'

export interface Partition {
  readonly topic: string
  readonly topicId: string
  readonly index: number
  readonly log: Log
  readonly leaderEpoch: number
}

export interface Partitions {
  /** Throws KafkaError UNKNOWN_TOPIC_OR_PARTITION. */
  get(topic: string, partition: number): Partition
  /** Throws KafkaError UNKNOWN_TOPIC_ID, or UNKNOWN_TOPIC_OR_PARTITION for the partition. */
  byId(topicId: string, partition: number): Partition
  all(): Iterable<Partition>
}
