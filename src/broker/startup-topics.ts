// Topics that a broker is asked to have from its start on.

import { randomUuid } from '../base/uuid.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { Broker } from './broker.ts'
import type { NewRecord } from './metadata/records.ts'
import { checkNewTopicName, topicRecords } from './metadata/topics.ts'
import { StartError } from './start-error.ts'

export interface WantedTopic {
  readonly name: string
  /** Undefined: the broker's default. */
  readonly partitions: number | undefined
}

/** Creates those that don't exist; one that does keeps its partitions. Throws StartError for a name that can't be one. */
export async function createMissingTopics(broker: Broker, topics: readonly WantedTopic[]): Promise<void> {
  const node = { nodeId: broker.nodeId, directoryId: broker.store.directoryId }
  for (const { name, partitions = broker.config.numPartitions } of topics) {
    try {
      await broker.metadata.submit((image) => {
        const records: NewRecord[] = []
        if (image.topic(name) === undefined) {
          checkNewTopicName(image, name)
          records.push(...topicRecords(name, randomUuid(), partitions, node))
        }
        return { records, result: undefined }
      })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      throw new StartError(`topic ${name} can't be created: ${error.message}`, { cause: error })
    }
  }
}
