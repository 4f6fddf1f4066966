// There is one log directory. A partition may be sent to where it is; any other directory is not in the config.

import type { AlterReplicaLogDirs } from '../../protocol/apis/alter-replica-log-dirs.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { itemError, type Handler, type RequestContext } from '../handler.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

export const handleAlterReplicaLogDirs: Handler<typeof AlterReplicaLogDirs> = ({ dirs }, context) => {
  const byTopic = new Map<string, { partitionIndex: number; errorCode: number }[]>()
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      const rows = byTopic.get(name) ?? []
      byTopic.set(name, rows)
      for (const index of partitions) rows.push({ partitionIndex: index, errorCode: answerTo(path, name, index, context) })
    }
  }
  return { throttleTimeMs: 0, results: [...byTopic].map(([topicName, partitions]) => ({ topicName, partitions })) }
}

function answerTo(path: string, topic: string, index: number, { broker, isAllowed }: RequestContext): number {
  try {
    if (!isAllowed('ALTER', 'CLUSTER', CLUSTER_NAME)) throw new KafkaError('CLUSTER_AUTHORIZATION_FAILED')
    if (path !== broker.store.directory) throw new KafkaError('LOG_DIR_NOT_FOUND')
    broker.partitions.get(topic, index)
    return ErrorCode.NONE
  } catch (error) {
    return itemError(error, broker, `AlterReplicaLogDirs of ${topic}-${index}`).code
  }
}
