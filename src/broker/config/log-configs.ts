// A topic's configs as its logs use them: values instead of text, saturating where text has room for more.

import type { CompressionCodec } from '../../protocol/compression/index.ts'
import type { LogConfig } from '../../storage/log-config.ts'
import { ResourceType } from '../metadata/image.ts'
import type { MetadataImage } from '../metadata/image.ts'
import type { BrokerConfig } from './broker-configs.ts'
import { topicConfigValue } from './resolve.ts'
import { TOPIC_CONFIGS } from './topic-configs.ts'
import { listOf, numberOf } from './values.ts'

/** Of the topic as it is in `image` now; a topic that is not there gets what a new one would. */
export function topicLogConfig(config: BrokerConfig, image: MetadataImage, topic: string): LogConfig {
  const overrides = image.configs(ResourceType.topic, topic)
  const text = (name: string): string => {
    const key = TOPIC_CONFIGS.get(name)
    return key === undefined ? '' : topicConfigValue(config, image, overrides, key)
  }
  const number = (name: string) => numberOf(text(name))
  const compressionType = text('compression.type')
  const gzipLevel = number('compression.gzip.level')
  const policies = listOf(text('cleanup.policy'))
  return {
    segmentBytes: number('segment.bytes'),
    segmentMs: number('segment.ms'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    maxMessageBytes: number('max.message.bytes'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    cleanupPolicy: new Set((['compact', 'delete'] as const).filter((policy) => policies.includes(policy))),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    deleteRetentionMs: number('delete.retention.ms'),
    timestampType: text('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    compressionType: compressionType === 'uncompressed' ? 'none' : (compressionType as CompressionCodec | 'producer'),
    compressionLevels: {
      ...(gzipLevel > 0 ? { gzip: gzipLevel } : {}),
      lz4: number('compression.lz4.level'),
      zstd: number('compression.zstd.level'),
    },
    preallocate: text('preallocate').toLowerCase() === 'true',
  }
}
