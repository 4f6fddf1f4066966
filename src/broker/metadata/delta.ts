// What one commit changed, gathered while its records are replayed, for those who keep live things in step with the
// image: partitions, configs.

import type { MetadataImage, PartitionImage, TopicImage } from './image.ts'
import { ResourceType } from './image.ts'
import type { MetadataRecord } from './records.ts'

/** Topics are as they are after the commit; deleted ones as they were before it. */
export interface MetadataDelta {
  readonly createdTopics: readonly TopicImage[]
  readonly deletedTopics: readonly TopicImage[]
  /** Partitions added to, or changed in, topics that existed before. */
  readonly changedPartitions: readonly ChangedPartition[]
  /** `resourceName` as in the record: '' is the cluster-wide broker resource. */
  readonly changedConfigs: readonly ChangedConfig[]
}

export interface ChangedPartition {
  readonly topic: TopicImage
  readonly partition: PartitionImage
  readonly isNew: boolean
}

export interface ChangedConfig {
  readonly resourceType: number
  readonly resourceName: string
}

export class DeltaBuilder {
  readonly #image: MetadataImage
  readonly #created = new Set<string>()
  readonly #deleted = new Map<string, TopicImage>()
  readonly #partitions = new Map<string, { topicId: string; index: number; isNew: boolean }>()
  readonly #configs = new Map<string, ChangedConfig>()

  constructor(image: MetadataImage) {
    this.#image = image
  }

  /** Call before `record` is replayed. */
  note(record: MetadataRecord): void {
    switch (record.name) {
      case 'TopicRecord':
        this.#created.add(record.value.topicId)
        return
      case 'RemoveTopicRecord': {
        const topic = this.#image.topicById(record.value.topicId)
        // A topic made and removed in one commit was never there.
        if (topic !== undefined && !this.#created.delete(topic.id)) this.#deleted.set(topic.id, topic)
        return
      }
      case 'PartitionRecord':
      case 'PartitionChangeRecord': {
        const { topicId, partitionId: index } = record.value
        if (this.#created.has(topicId)) return
        const key = `${topicId} ${index}`
        const isNew = record.name === 'PartitionRecord' || (this.#partitions.get(key)?.isNew ?? false)
        this.#partitions.set(key, { topicId, index, isNew })
        return
      }
      case 'ConfigRecord': {
        const { resourceType, resourceName } = record.value
        this.#configs.set(`${resourceType} ${resourceName}`, { resourceType, resourceName })
        return
      }
      default:
    }
  }

  /** Call when all records are replayed. */
  finish(): MetadataDelta {
    const image = this.#image
    const createdTopics = [...this.#created].map((id) => image.topicById(id)).filter((topic) => topic !== undefined)
    const changedPartitions: ChangedPartition[] = []
    for (const { topicId, index, isNew } of this.#partitions.values()) {
      const topic = image.topicById(topicId)
      const partition = topic?.partitions.get(index)
      if (topic !== undefined && partition !== undefined) changedPartitions.push({ topic, partition, isNew })
    }
    const created = new Set(createdTopics.map((topic) => topic.name))
    const changedConfigs = [...this.#configs.values()].filter(
      ({ resourceType, resourceName }) => resourceType !== ResourceType.topic || !created.has(resourceName),
    )
    return { createdTopics, deletedTopics: [...this.#deleted.values()], changedPartitions, changedConfigs }
  }
}
