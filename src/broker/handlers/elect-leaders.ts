// ElectLeaders (43): the one node leads every partition already, so an election is never needed. The answer to "all
// partitions" leaves out those that need none, as Kafka's does, and is a list of bare topics.

import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { ElectLeaders } from '../../protocol/apis/elect-leaders.ts'
import type { Handler } from '../handler.ts'
import type { MetadataImage } from '../metadata/image.ts'
import { checkCluster } from '../security/cluster.ts'

export const handleElectLeaders: Handler<typeof ElectLeaders> = (request, context) => {
  const { image } = context.broker.metadata
  const asked = request.topicPartitions
  const results = (errorOf: (topic: string, partition: number) => KafkaError) =>
    (asked ?? []).map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map((partitionId) => {
        const { code, message } = errorOf(topic, partitionId)
        return { partitionId, errorCode: code, errorMessage: message }
      }),
    }))
  try {
    checkCluster(context, 'ALTER')
    if (asked?.length !== 0 && request.electionType !== 0 && request.electionType !== 1) {
      throw new KafkaError('INVALID_REQUEST', `Unknown election type ${request.electionType}`)
    }
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    return { throttleTimeMs: 0, errorCode: error.code, replicaElectionResults: results(() => error) }
  }
  if (asked === null) {
    const replicaElectionResults = [...image.topics()].map(({ name }) => ({ topic: name, partitionResult: [] }))
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults }
  }
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults: results(electionError(image)) }
}

function electionError(image: MetadataImage): (topic: string, partition: number) => KafkaError {
  return (name, partition) => {
    const topic = image.topic(name)
    if (topic === undefined) return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such topic as ${name}`)
    if (topic.partitions.has(partition)) return new KafkaError('ELECTION_NOT_NEEDED')
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `No such partition as ${name}-${partition}`)
  }
}
