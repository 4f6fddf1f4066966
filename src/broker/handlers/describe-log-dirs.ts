// Sizes on disk, of the one data directory. Partitions that don't exist are left out, as in Kafka.

import { DescribeLogDirs } from '../../protocol/apis/describe-log-dirs.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import type { Partition } from '../partitions.ts'
import { CLUSTER_NAME } from '../security/acl.ts'

export const handleDescribeLogDirs: Handler<typeof DescribeLogDirs> = (request, { broker, isAllowed }) => {
  if (!isAllowed('DESCRIBE', 'CLUSTER', CLUSTER_NAME)) {
    return { throttleTimeMs: 0, errorCode: ErrorCode.CLUSTER_AUTHORIZATION_FAILED, results: [] }
  }
  const wanted = request.topics?.map(({ topic, partitions }) => [topic, new Set(partitions)] as const)
  const chosen = wanted && new Map(wanted)
  const byTopic = new Map<string, Partition[]>()
  for (const partition of broker.partitions.all()) {
    if (chosen && !chosen.get(partition.topic)?.has(partition.index)) continue
    const listed = byTopic.get(partition.topic)
    if (listed === undefined) byTopic.set(partition.topic, [partition])
    else listed.push(partition)
  }
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    results: [
      {
        errorCode: ErrorCode.NONE,
        logDir: broker.store.directory,
        topics: [...byTopic].map(([name, partitions]) => ({
          name,
          partitions: partitions.map(({ index, log }) => ({
            partitionIndex: index,
            partitionSize: log.sizeBytes,
            offsetLag: log.logEndOffset - log.highWatermark,
            isFutureKey: false,
          })),
        })),
        usableBytes: broker.store.freeBytes,
      },
    ],
  }
}
