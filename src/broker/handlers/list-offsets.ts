// Offsets by time, and the ends of a partition. What lies above the high watermark, or for a read_committed reader above
// the last stable offset, is not there yet.

import { ListOffsets } from '../../protocol/apis/list-offsets.ts'
import { prepareCodec, type CompressionCodec } from '../../protocol/compression/index.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { itemError, turns } from '../handler.ts'
import { checkLeaderEpoch, type Partition } from '../partitions.ts'

type Wanted = RequestOf<typeof ListOffsets>['topics'][number]['partitions'][number]
type TopicResult = ResponseInput<typeof ListOffsets>['topics'][number]
interface Found {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

const LATEST = -1
const EARLIEST = -2
const MAX_TIMESTAMP = -3
const EARLIEST_LOCAL = -4
const LATEST_TIERED = -5
const EARLIEST_PENDING_UPLOAD = -6
// From which version on a special timestamp may be asked for.
const SINCE = new Map([[MAX_TIMESTAMP, 7], [EARLIEST_LOCAL, 8], [LATEST_TIERED, 9], [EARLIEST_PENDING_UPLOAD, 11]]) // prettier-ignore
const NOTHING: Found = { offset: -1, timestamp: -1, leaderEpoch: -1 }
const READ_COMMITTED = 1
const CODECS: readonly CompressionCodec[] = ['gzip', 'snappy', 'lz4', 'zstd']

export const handleListOffsets: Handler<typeof ListOffsets> = async (request, context) => {
  const searches = request.topics.some(({ partitions }) =>
    partitions.some(({ timestamp }) => timestamp >= 0 || timestamp === MAX_TIMESTAMP),
  )
  // A record's own timestamp lies in the compressed part of its batch.
  if (searches) for (const codec of CODECS) await prepareCodec(codec)
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name, partitions } of request.topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}:${partitionIndex}`
      if (seen.has(key)) repeated.add(key)
      seen.add(key)
    }
  }
  const topics: TopicResult[] = []
  const letOthers = turns(context.broker.clock)
  for (const { name, partitions } of request.topics) {
    const rows: TopicResult['partitions'][number][] = []
    for (const wanted of partitions) {
      rows.push(answerFor(name, wanted, repeated.has(`${name}:${wanted.partitionIndex}`), request.isolationLevel, context))
      // A search unpacks a batch, which can take half a second.
      await letOthers()
    }
    topics.push({ name, partitions: rows })
  }
  return { throttleTimeMs: 0, topics }
}

function answerFor(
  name: string,
  wanted: Wanted,
  isRepeated: boolean,
  isolationLevel: number,
  context: RequestContext,
): TopicResult['partitions'][number] {
  const { partitionIndex } = wanted
  try {
    if (!context.isAllowed('DESCRIBE', 'TOPIC', name)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
    if (isRepeated) throw new KafkaError('INVALID_REQUEST')
    const partition = context.broker.partitions.get(name, partitionIndex)
    checkLeaderEpoch(partition, wanted.currentLeaderEpoch)
    const found = find(partition, wanted, isolationLevel, context)
    // Version 3 and older have no such field, and refuse one that is set.
    const leaderEpoch = context.apiVersion >= 4 ? found.leaderEpoch : -1
    return { partitionIndex, errorCode: ErrorCode.NONE, timestamp: found.timestamp, offset: found.offset, leaderEpoch }
  } catch (error) {
    const { code } = itemError(error, context.broker, `ListOffsets of ${name}-${partitionIndex}`)
    return { partitionIndex, errorCode: code, timestamp: -1, offset: -1 }
  }
}

function find(partition: Partition, wanted: Wanted, isolationLevel: number, context: RequestContext): Found {
  const { log } = partition
  const { timestamp } = wanted
  const end = isolationLevel === READ_COMMITTED ? log.lastStableOffset : log.highWatermark
  if (timestamp < EARLIEST_PENDING_UPLOAD || (SINCE.get(timestamp) ?? 0) > context.apiVersion) {
    throw new KafkaError('UNSUPPORTED_VERSION')
  }
  switch (timestamp) {
    case LATEST:
      return { offset: log.isDamaged ? log.promisedEndOffset : end, timestamp: -1, leaderEpoch: partition.leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return { offset: log.logStartOffset, timestamp: -1, leaderEpoch: log.epochOf(log.logStartOffset) }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING // nothing is tiered
    case MAX_TIMESTAMP:
      return visible(log.maxTimestamp(), end)
    default:
      return visible(log.offsetForTimestamp(timestamp), end)
  }
}

function visible(found: Found | undefined, end: number): Found {
  return found !== undefined && found.offset < end ? found : NOTHING
}
