// FACE (being filled in): the one writer of metadata.
import type { MetadataImage, PartitionImage, TopicImage } from './image.ts'
import type { MetadataRecord } from './records.ts'

/** What one commit changed. Topics are as they are after it; deleted ones as they were. */
export interface MetadataDelta {
  readonly createdTopics: readonly TopicImage[]
  readonly deletedTopics: readonly TopicImage[]
  /** Partitions added to or changed in topics that existed before. */
  readonly changedPartitions: readonly { readonly topic: TopicImage; readonly partition: PartitionImage; readonly isNew: boolean }[]
  readonly changedConfigs: readonly { readonly resourceType: number; readonly resourceName: string }[]
}

export interface MetadataController {
  readonly image: MetadataImage
  /** Runs `operation` on the image when all earlier commits are in it; commits its records; gives its result when they are durable, replayed and listeners are done. What operation throws is thrown, nothing changed. */
  submit<T>(operation: (image: MetadataImage) => { readonly records: readonly MetadataRecord[]; readonly result: T }): Promise<T>
  commit(records: readonly MetadataRecord[]): Promise<void>
  /** A producer id nobody had before, also after a crash. */
  nextProducerId(): Promise<bigint>
  /** Listeners are called in order and awaited before the commit's promise resolves. */
  onChange(listener: (delta: MetadataDelta) => void | Promise<void>): () => void
  /** After an unclean start: a new leader epoch for each of these partitions. */
  raiseLeaderEpochs(partitions: readonly { readonly topicId: string; readonly partition: number }[]): Promise<void>
  /** Refused from now on; resolves when what was asked before is done. */
  close(): Promise<void>
}
