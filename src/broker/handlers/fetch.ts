// Reads batches out of logs. A fetch that finds less than it asked for waits until there is enough, an error, or its
// deadline, and then reads again. A batch is sent whole or not at all; the first one is sent however large it is, so
// that every consumer gets on.

import { Fetch } from '../../protocol/apis/fetch.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { peekBatchHeader } from '../../protocol/record-batch.ts'
import type { ResponseInput } from '../../protocol/schema.ts'
import type { Log } from '../../storage/log.ts'
import type { FetchContext, FetchRow, FetchTarget } from '../fetch-sessions.ts'
import { itemError, type Answer, type Handler, type RequestContext } from '../handler.ts'
import { park } from '../parked.ts'
import { checkLeaderEpoch, type Partition } from '../partitions.ts'

const FIRST_VERSION_WITH_IDS = 13
const READ_COMMITTED = 1
const NO_RECORDS = Buffer.alloc(0)
// Of one answer, whatever the client would take: consumers are as fast with 1 MB, and memory is for all of them.
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

interface FetchLimits {
  readonly minBytes: number
  readonly maxBytes: number
  readonly isReadCommitted: boolean
}

/** For one partition. */
interface ReadLimits {
  readonly maxBytes: number
  readonly atLeastOneBatch: boolean
  readonly isReadCommitted: boolean
  readonly allocate: (size: number) => Buffer
}

/** What one pass over the partitions found. */
interface Pass {
  /** Emptied when the answer has to wait. */
  readonly rows: FetchRow[]
  readonly bytes: number
  /** An error, or a diverging epoch: the answer leaves at once. */
  readonly isUrgent: boolean
  readonly seen: readonly Seen[]
}

/** A partition as a pass found it. */
interface Seen {
  readonly partition: Partition
  readonly highWatermark: number
  readonly logStartOffset: number
  readonly sizeBytes: number
  /** Whether records were appended that nobody may read yet. */
  readonly hasUnseen: boolean
}

export const handleFetch: Handler<typeof Fetch> = (request, context) => {
  const { broker, apiVersion } = context
  const isFollower = request.replicaId >= 0 || request.replicaState.replicaId >= 0
  const session = broker.fetchSessions.begin(request, apiVersion)
  const maxBytes = Math.min(request.maxBytes, broker.config.fetchMaxBytes, MAX_ANSWER_BYTES)
  const limits: FetchLimits = {
    minBytes: Math.min(request.minBytes, maxBytes),
    maxBytes,
    isReadCommitted: request.isolationLevel === READ_COMMITTED,
  }
  const deadline = broker.clock.monotonic() + request.maxWaitMs
  const pass = isFollower ? refuseAll(session.targets) : readAll(session.targets, limits, context)
  const isDone = request.maxWaitMs <= 0 || session.targets.length === 0 || isEnough(pass, limits)
  if (isDone) return answer(session, pass, apiVersion)
  return waitForMore(session, pass, limits, deadline, context)
}

async function waitForMore(
  session: FetchContext,
  pass: Pass,
  limits: FetchLimits,
  deadline: number,
  context: RequestContext,
): Promise<Answer<typeof Fetch>> {
  const { clock } = context.broker
  while (!isEnough(pass, limits)) {
    const { seen, bytes } = pass
    pass.rows.length = 0 // who waits holds no records
    const end = await park({
      clock,
      connection: context.connection,
      waitMs: deadline - clock.monotonic(),
      sources: seen.map(({ partition }) => (listener: () => void) => partition.log.onChange(listener)),
      isReady: () => bytes + mayHaveCome(seen, context.broker) >= limits.minBytes,
    })
    pass = readAll(session.targets, limits, context)
    if (end !== 'woken') break // at 'closed' the broker stops, or nobody reads the answer
  }
  return answer(session, pass, context.apiVersion)
}

function isEnough(pass: Pass, limits: FetchLimits): boolean {
  return pass.isUrgent || pass.bytes >= limits.minBytes
}

/** At most how many bytes became readable since; Infinity where only a new pass can tell. */
function mayHaveCome(seen: readonly Seen[], { partitions }: RequestContext['broker']): number {
  let bytes = 0
  for (const { partition, highWatermark, logStartOffset, sizeBytes, hasUnseen } of seen) {
    const { log } = partition
    if (!partitions.has(partition) || log.failure !== undefined || log.logStartOffset !== logStartOffset) return Infinity
    if (log.highWatermark === highWatermark) continue
    if (hasUnseen) return Infinity
    bytes += Math.max(0, log.sizeBytes - sizeBytes)
  }
  return bytes
}

function readAll(targets: readonly FetchTarget[], limits: FetchLimits, context: RequestContext): Pass {
  const { broker, apiVersion } = context
  const rows: FetchRow[] = []
  const seen: Seen[] = []
  // While slow readers leave replies lying, answers get small.
  let room = Math.min(limits.maxBytes, broker.replyRoom())
  let bytes = 0
  let isUrgent = false
  for (const target of targets) {
    try {
      const usesIds = apiVersion >= FIRST_VERSION_WITH_IDS
      if (usesIds && target.topic === '') throw new KafkaError('UNKNOWN_TOPIC_ID')
      // Asked in every pass: a permission may be taken away while a fetch waits, or between those of a session.
      if (!context.isAllowed('READ', 'TOPIC', target.topic)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
      // By the name that the session remembers: a topic that is gone is no unknown id to it, and one made again is another.
      const partition = broker.partitions.get(target.topic, target.index)
      if (usesIds && partition.topicId !== target.topicId) throw new KafkaError('INCONSISTENT_TOPIC_ID')
      const row = readOne(partition, target, {
        maxBytes: Math.min(room, target.maxBytes),
        atLeastOneBatch: bytes === 0 && room >= 0,
        isReadCommitted: limits.isReadCommitted,
        allocate: (size) => broker.replyBuffer(size),
      })
      const { log } = partition
      const { highWatermark, logStartOffset, sizeBytes } = log
      const readableEnd = limits.isReadCommitted ? log.lastStableOffset : highWatermark
      seen.push({ partition, highWatermark, logStartOffset, sizeBytes, hasUnseen: log.logEndOffset > readableEnd })
      if (row.divergingEpoch !== undefined) isUrgent = true
      const size = row.records?.length ?? 0
      bytes += size
      if (size > 0) room = Math.max(0, room - size)
      rows.push(row)
    } catch (error) {
      isUrgent = true
      rows.push(failedRow(target, itemError(error, broker, `Fetch from ${target.topic || target.topicId}-${target.index}`)))
    }
  }
  return { rows, bytes, isUrgent, seen }
}

function readOne(
  partition: Partition,
  target: FetchTarget,
  { maxBytes, atLeastOneBatch, isReadCommitted, allocate }: ReadLimits,
): FetchRow {
  const { log } = partition
  const { fetchOffset, lastFetchedEpoch } = target
  checkLeaderEpoch(partition, target.currentLeaderEpoch)
  const row = {
    partitionIndex: target.index,
    errorCode: ErrorCode.NONE,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
    abortedTransactions: isReadCommitted ? [] : null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
  }
  if (lastFetchedEpoch >= 0) {
    const { epoch, endOffset } = log.endOffsetForEpoch(lastFetchedEpoch)
    if (epoch < 0 || endOffset < 0) throw new KafkaError('OFFSET_OUT_OF_RANGE')
    if (epoch < lastFetchedEpoch || endOffset < fetchOffset) return { ...row, divergingEpoch: { epoch, endOffset } }
  }
  // Behind the damage nothing is out of range, and nothing will come: who waits or moves elsewhere would never know.
  const isBehindDamage = log.isDamaged && fetchOffset >= log.logEndOffset
  if (isBehindDamage) return { ...row, records: log.read(fetchOffset, 0, { atLeastOneBatch: false, until: 0 }) }
  if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) throw new KafkaError('OFFSET_OUT_OF_RANGE')
  const until = isReadCommitted ? log.lastStableOffset : log.highWatermark
  if (fetchOffset >= until || (maxBytes <= 0 && !atLeastOneBatch)) return row
  const records = log.read(fetchOffset, Math.max(maxBytes, 0), { atLeastOneBatch, until, allocate })
  if (!isReadCommitted || records.length === 0) return { ...row, records }
  return { ...row, records, abortedTransactions: abortedIn(log, fetchOffset, records) }
}

/** The aborted transactions that records in `records`, read from `fetchOffset` on, may belong to. */
function abortedIn(log: Log, fetchOffset: number, records: Buffer): { producerId: bigint; firstOffset: number }[] {
  let upTo = fetchOffset
  for (let at = 0; at < records.length; ) {
    const { baseOffset, lastOffsetDelta, size } = peekBatchHeader(records, at)
    upTo = baseOffset + lastOffsetDelta + 1
    at += size
  }
  return log.abortedTransactions(fetchOffset, upTo).map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
}

/** There are no followers of this broker: whoever says it is one is refused. */
function refuseAll(targets: readonly FetchTarget[]): Pass {
  const rows = targets.map((target) => failedRow(target, new KafkaError('TOPIC_AUTHORIZATION_FAILED')))
  return { rows, bytes: 0, isUrgent: true, seen: [] }
}

function failedRow(target: FetchTarget, error: KafkaError): FetchRow {
  return {
    partitionIndex: target.index,
    errorCode: error.code,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: NO_RECORDS,
  }
}

function answer(session: FetchContext, pass: Pass, apiVersion: number): ResponseInput<typeof Fetch> {
  const { sessionId, shown } = session.finish(pass.rows)
  const responses: { topic: string; topicId: string; partitions: FetchRow[] }[] = []
  for (const at of shown) {
    const { topic, topicId } = session.targets[at]
    const last = responses.at(-1)
    const row = apiVersion >= 12 ? pass.rows[at] : withoutTags(pass.rows[at])
    if (last !== undefined && last.topic === topic && last.topicId === topicId) last.partitions.push(row)
    else responses.push({ topic, topicId, partitions: [row] })
  }
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, sessionId, responses }
}

/** Versions before 12 have no tagged fields. */
function withoutTags(row: FetchRow): FetchRow {
  return row.divergingEpoch === undefined ? row : { ...row, divergingEpoch: undefined }
}
