// Every topic config of Apache Kafka 4.3: type, default, range, and the broker config it falls back to.
// Names, defaults and ranges are interface; the descriptions are ours.

import { atLeast, between, gzipLevel, oneOf, someOf, throttledReplicas } from './values.ts'
import type { Check, ConfigType } from './values.ts'

export interface TopicConfig {
  readonly name: string
  readonly type: ConfigType
  readonly default: string
  readonly check: Check | undefined
  /** Where an unset value comes from: the first of these that is set, times its factor. The first one is the synonym. */
  readonly synonyms: readonly Synonym[]
  readonly documentation: string
}

export interface Synonym {
  readonly name: string
  readonly factor: number
}

type Row = readonly [
  name: string,
  type: ConfigType,
  defaultValue: string,
  check: Check | undefined,
  synonyms: string,
  documentation: string,
]

const LONGEST = '9223372036854775807'
const COMPRESSION_TYPES = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']
const MINUTE = 60_000
const HOUR = 3_600_000

// In the order in which Apache's brokers list them: what its tools print of several overrides follows from it.
// prettier-ignore
const ROWS: readonly Row[] = [
  ['compression.type', 'string', 'producer', oneOf(...COMPRESSION_TYPES), 'compression.type', 'The codec batches are stored with; producer keeps what was sent.'],
  ['remote.log.delete.on.disable', 'boolean', 'false', undefined, '', 'For tiered storage: whether uploads are deleted when it is switched off.'],
  ['leader.replication.throttled.replicas', 'list', '', throttledReplicas, '', 'Replicas whose leaders serve followers at a limited rate; one broker has none.'],
  ['remote.storage.enable', 'boolean', 'false', undefined, '', 'Tiered storage; this broker has none.'],
  ['min.insync.replicas', 'int', '1', atLeast(1), 'min.insync.replicas', 'How many replicas must have a record that is produced with acks=all.'],
  ['segment.jitter.ms', 'long', '0', atLeast(0), 'log.roll.jitter.ms log.roll.jitter.hours', 'Up to how much earlier a segment is closed, at random, so that not all close at once.'],
  ['remote.log.copy.disable', 'boolean', 'false', undefined, '', 'For tiered storage: nothing more is uploaded.'],
  ['local.retention.ms', 'long', '-2', atLeast(-2), 'log.local.retention.ms', 'For tiered storage: time kept on the local disk; -2 follows retention.ms.'],
  ['cleanup.policy', 'list', 'delete', someOf('compact', 'delete'), 'log.cleanup.policy', 'What happens to old records: delete them by age and size, compact them by key, both, or (empty) nothing.'],
  ['flush.ms', 'long', LONGEST, atLeast(0), 'log.flush.interval.ms log.flush.scheduler.interval.ms', 'After how long a record at the latest is synced to the disk.'],
  ['follower.replication.throttled.replicas', 'list', '', throttledReplicas, '', 'Replicas whose followers copy at a limited rate; one broker has none.'],
  ['compression.lz4.level', 'int', '9', between(1, 17), 'compression.lz4.level', 'How hard lz4 works where the broker compresses.'],
  ['segment.bytes', 'int', '1073741824', atLeast(1048576), 'log.segment.bytes', 'At which size a segment is closed; whole segments are deleted and compacted.'],
  ['retention.ms', 'long', '604800000', atLeast(-1), 'log.retention.ms log.retention.minutes log.retention.hours', 'How long records are kept before old segments are deleted; -1 is for ever.'],
  ['compression.gzip.level', 'int', '-1', gzipLevel, 'compression.gzip.level', 'How hard gzip works where the broker compresses; -1 is the usual level.'],
  ['flush.messages', 'long', LONGEST, atLeast(1), 'log.flush.interval.messages', 'After how many records the log is synced to the disk; 1 syncs each before it is acknowledged.'],
  ['compression.zstd.level', 'int', '3', between(-131072, 22), 'compression.zstd.level', 'How hard zstd works where the broker compresses.'],
  ['max.compaction.lag.ms', 'long', LONGEST, atLeast(1), 'log.cleaner.max.compaction.lag.ms', 'After how long a record must have been looked at by compaction.'],
  ['file.delete.delay.ms', 'long', '60000', atLeast(0), 'log.segment.delete.delay.ms', 'How long a file taken out of use stays on the disk.'],
  ['max.message.bytes', 'int', '1048588', atLeast(0), 'message.max.bytes', 'The largest batch taken, in bytes, compressed as it comes.'],
  ['min.compaction.lag.ms', 'long', '0', atLeast(0), 'log.cleaner.min.compaction.lag.ms', 'How long a record stays before compaction may remove it.'],
  ['message.timestamp.type', 'string', 'CreateTime', oneOf('CreateTime', 'LogAppendTime'), 'log.message.timestamp.type', 'Whether a record keeps its timestamp or gets the time it was appended.'],
  ['local.retention.bytes', 'long', '-2', atLeast(-2), 'log.local.retention.bytes', 'For tiered storage: bytes kept on the local disk; -2 follows retention.bytes.'],
  ['preallocate', 'boolean', 'false', undefined, 'log.preallocate', 'Whether a new segment takes its full size on the disk at once.'],
  ['index.interval.bytes', 'int', '4096', atLeast(0), 'log.index.interval.bytes', 'About how many bytes of log there are to an index entry.'],
  ['min.cleanable.dirty.ratio', 'double', '0.5', between(0, 1), 'log.cleaner.min.cleanable.ratio', 'Which part of a log must be new before it is compacted again.'],
  ['unclean.leader.election.enable', 'boolean', 'false', undefined, 'unclean.leader.election.enable', 'Whether a replica that lacks records may lead; one broker has no other.'],
  ['retention.bytes', 'long', '-1', undefined, 'log.retention.bytes', 'How many bytes a partition keeps before old segments are deleted; -1 is no limit.'],
  ['delete.retention.ms', 'long', '86400000', atLeast(0), 'log.cleaner.delete.retention.ms', 'How long a tombstone stays in a compacted log, so that readers can see the deletion.'],
  ['message.timestamp.after.max.ms', 'long', '3600000', atLeast(0), 'log.message.timestamp.after.max.ms', "How far a record's timestamp may be ahead of the broker's clock."],
  ['message.timestamp.before.max.ms', 'long', LONGEST, atLeast(0), 'log.message.timestamp.before.max.ms', "How far a record's timestamp may be behind the broker's clock."],
  ['segment.ms', 'long', '604800000', atLeast(1), 'log.roll.ms log.roll.hours', 'After how long a segment is closed even if it is not full.'],
  ['segment.index.bytes', 'int', '10485760', atLeast(4), 'log.index.size.max.bytes', 'How large an index may become before its segment is closed.'],
  ['internal.segment.bytes', 'int', '', undefined, '', 'For tests of Kafka itself.'],
]

export const TOPIC_CONFIGS: ReadonlyMap<string, TopicConfig> = new Map(
  ROWS.map(([name, type, defaultValue, check, synonyms, documentation]) => [
    name,
    { name, type, default: defaultValue, check, synonyms: synonymsOf(synonyms), documentation },
  ]),
)

/** Known, taken and stored, but listed only where it is set, as in Kafka. */
export const HIDDEN_TOPIC_CONFIGS: ReadonlySet<string> = new Set(['internal.segment.bytes'])

function synonymsOf(names: string): Synonym[] {
  return names === '' ? [] : names.split(' ').map((name) => ({ name, factor: factorOf(name) }))
}

function factorOf(name: string): number {
  return name.endsWith('.hours') ? HOUR : name.endsWith('.minutes') ? MINUTE : 1
}
