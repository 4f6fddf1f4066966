// Takes batches into logs, all of a request in one step unless that takes long; then the connection's next request
// may start while this one waits for the logs to be as safe as their topics ask. With acks=0 there is no answer: an
// error can only be told by closing the connection. Versions 3 to 13; what is transactional is let in first, from version
// 12 on by joining the transaction itself (produce-admission.ts).

import type { Timer } from '../../base/clock.ts'
import { Produce } from '../../protocol/apis/produce.ts'
import { prepareCodec, type CompressionCodec } from '../../protocol/compression/index.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import { attributesAt, BATCH_OVERHEAD, CODECS, CODEC_MASK } from '../../protocol/record-batch.ts'
import type { RequestOf, ResponseInput } from '../../protocol/schema.ts'
import { RecordValidationError } from '../../storage/batch-validator.ts'
import { CloseConnection } from '../connection.ts'
import { itemError, noReply, type Answer, type Handler, type RequestContext } from '../handler.ts'
import { isInternalTopic } from '../metadata/topics.ts'
import type { Partition } from '../partitions.ts'
import { isOfOneProducer, isTransactional, ProduceAdmission } from '../transactions/produce-admission.ts'
import type { Write } from '../transactions/produce-admission.ts'

type ProduceRequest = RequestOf<typeof Produce>
type TopicData = ProduceRequest['topicData'][number]
type PartitionData = TopicData['partitionData'][number]
type Row = ResponseInput<typeof Produce>['responses'][number]['partitionResponses'][number]

/** One partition's batch, appended or refused. */
interface Outcome {
  readonly index: number
  readonly what: string
  row: Row
  /** The partition's log must be safe up to here; −1 when there is nothing to wait for. */
  readonly waitsFor: number
  readonly partition: Partition | undefined
}

const FIRST_VERSION_WITH_IDS = 13
const FIRST_VERSION_WITH_ZSTD = 7
const ADMIN_CLIENT = '__admin_client' // may write to internal topics, as in Kafka
// A client's timeout is meant for replicas; a disk is given at least this long before the client sends all again.
const LEAST_TIMEOUT_MS = 1000
// Then others have their turn: a request can hold a thousand batches that take half a second each to unpack.
const MAX_APPEND_MS = 50

export const handleProduce: Handler<typeof Produce> = (request, context) => {
  const unprepared = codecsOf(request, context)
  return unprepared === undefined ? produce(request, context) : unprepared.then(() => produce(request, context))
}

function produce(request: ProduceRequest, context: RequestContext): Answer<typeof Produce> | Promise<Answer<typeof Produce>> {
  const isInTransaction = hasTransactional(request)
  const refusal = refusalOf(request, isInTransaction, context)
  if (!isInTransaction || request.transactionalId === null || refusal !== undefined) {
    return appendAll(request, refusal, undefined, context)
  }
  const admission = new ProduceAdmission(request.transactionalId, context)
  const admitted = admission.prepare(writesOf(request, context))
  if (admitted === undefined) return appendAll(request, undefined, admission, context)
  return admitted.then(() => appendAll(request, undefined, admission, context))
}

function appendAll(
  request: ProduceRequest,
  refusal: KafkaError | undefined,
  admission: ProduceAdmission | undefined,
  context: RequestContext,
): Answer<typeof Produce> | Promise<Answer<typeof Produce>> {
  const outcomes: Outcome[][] = request.topicData.map(() => [])
  const work = request.topicData.flatMap((topic, at) => topic.partitionData.map((data) => ({ topic, at, data })))
  let next = 0
  const appendSome = (): boolean => {
    const until = context.broker.clock.monotonic() + MAX_APPEND_MS
    while (next < work.length) {
      const { topic, at, data } = work[next++]
      outcomes[at].push(append(topic, data, refusal, admission, request.acks, context))
      if (context.broker.clock.monotonic() > until) break
    }
    return next === work.length
  }
  if (appendSome()) return respond(request, outcomes, context)
  const appendRest = async (): Promise<Answer<typeof Produce>> => {
    do await new Promise<void>((resolve) => setImmediate(resolve))
    while (!appendSome())
    return respond(request, outcomes, context)
  }
  return appendRest()
}

function respond(
  request: ProduceRequest,
  outcomes: readonly (readonly Outcome[])[],
  context: RequestContext,
): Answer<typeof Produce> | Promise<Answer<typeof Produce>> {
  if (request.acks === 0) {
    for (const { row, what } of outcomes.flat()) {
      if (row.errorCode !== ErrorCode.NONE) throw new CloseConnection(`${what} with acks=0: ${row.errorMessage ?? 'error'}`)
    }
    return noReply
  }
  const answer = (): Answer<typeof Produce> => ({
    throttleTimeMs: 0,
    responses: request.topicData.map(({ name, topicId }, at) => ({
      name,
      topicId,
      partitionResponses: outcomes[at].map(({ row }) => row),
    })),
  })
  const waiting = outcomes.flat().filter(({ waitsFor }) => waitsFor >= 0)
  if (waiting.length === 0) return answer()
  context.letNextStart()
  return untilSafe(waiting, request.timeoutMs, context).then(answer)
}

function hasTransactional({ topicData }: ProduceRequest): boolean {
  return topicData.some(({ partitionData }) => partitionData.some(({ records }) => isTransactional(records)))
}

/** What is wrong with the request as a whole: each of its partitions gets it. */
function refusalOf(request: ProduceRequest, isInTransaction: boolean, context: RequestContext): KafkaError | undefined {
  const { transactionalId, acks, topicData } = request
  if (isInTransaction) {
    if (transactionalId === null || !context.isAllowed('WRITE', 'TRANSACTIONAL_ID', transactionalId)) {
      return new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
    }
    if (!isOfOneProducer(topicData.flatMap(({ partitionData }) => partitionData.map(({ records }) => records)))) {
      return new KafkaError('INVALID_PRODUCER_ID_MAPPING', 'Transactional records contained more than one producer ID')
    }
  }
  if (acks < -1 || acks > 1) return new KafkaError('INVALID_REQUIRED_ACKS')
  return undefined
}

/** Those that `append` will come to write; it says what is wrong with the others. */
function writesOf(request: ProduceRequest, context: RequestContext): Write[] {
  const { apiVersion, broker, clientId } = context
  return request.topicData.flatMap((topic) =>
    topic.partitionData.flatMap(({ index, records }) => {
      try {
        const partition = partitionOf(topic, index, context)
        if (isInternalTopic(partition.topic) && clientId !== ADMIN_CLIENT) return []
        return [{ partition, batch: batchIn(records, apiVersion) }]
      } catch (error) {
        itemError(error, broker, 'Produce')
        return []
      }
    }),
  )
}

function partitionOf(topic: TopicData, index: number, { apiVersion, broker, isAllowed }: RequestContext): Partition {
  const usesIds = apiVersion >= FIRST_VERSION_WITH_IDS
  const name = usesIds ? broker.partitions.topicName(topic.topicId) : topic.name
  // Before it is told whether there is such a topic; an id tells nothing.
  if (name !== undefined && !isAllowed('WRITE', 'TOPIC', name)) throw new KafkaError('TOPIC_AUTHORIZATION_FAILED')
  return usesIds ? broker.partitions.byId(topic.topicId, index) : broker.partitions.get(topic.name, index)
}

function append(
  topic: TopicData,
  { index, records }: PartitionData,
  refusal: KafkaError | undefined,
  admission: ProduceAdmission | undefined,
  acks: number,
  context: RequestContext,
): Outcome {
  const { apiVersion, broker } = context
  let what = `Produce to ${topic.name}-${index}`
  try {
    if (refusal !== undefined && refusal.error !== 'INVALID_REQUIRED_ACKS') throw refusal
    const partition = partitionOf(topic, index, context)
    what = `Produce to ${partition.topic}-${index}`
    const batch = batchIn(records, apiVersion)
    if (refusal !== undefined) throw refusal
    if (isInternalTopic(partition.topic) && context.clientId !== ADMIN_CLIENT) throw new KafkaError('INVALID_TOPIC_EXCEPTION')
    admission?.check({ partition, batch })
    const { log } = partition
    const { baseOffset, lastOffset, logAppendTime } = log.append(batch, 'client')
    const row: Row = {
      index,
      errorCode: ErrorCode.NONE,
      baseOffset,
      logAppendTimeMs: logAppendTime,
      logStartOffset: log.logStartOffset,
    }
    return { index, what, row, waitsFor: acks === 0 || log.highWatermark > lastOffset ? -1 : lastOffset + 1, partition }
  } catch (error) {
    return { index, what, row: failedRow(index, itemError(error, broker, what)), waitsFor: -1, partition: undefined }
  }
}

/** The log says whether these are one sound batch; here is what only the request can tell. */
function batchIn(records: Buffer | null, apiVersion: number): Buffer {
  if (records === null || records.length === 0) {
    throw new KafkaError('INVALID_RECORD', `Produce requests with version ${apiVersion} must have at least one record batch`)
  }
  if (apiVersion < FIRST_VERSION_WITH_ZSTD && codecOf(records) === 'zstd') {
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `Produce requests with version ${apiVersion} may not use zstd`)
  }
  return records
}

/** Waits for the logs; what is not safe by the deadline is answered REQUEST_TIMED_OUT, and may still become so. */
async function untilSafe(waiting: readonly Outcome[], timeoutMs: number, { broker }: RequestContext): Promise<void> {
  let timer: Timer | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    const wait = Math.max(timeoutMs, LEAST_TIMEOUT_MS)
    timer = broker.clock.after(wait, () => reject(new KafkaError('REQUEST_TIMED_OUT')))
  })
  await Promise.all(
    waiting.map(async (outcome) => {
      try {
        await Promise.race([outcome.partition?.log.safe(outcome.waitsFor), timeout])
      } catch (error) {
        outcome.row = failedRow(outcome.index, itemError(error, broker, outcome.what))
      }
    }),
  )
  timer?.cancel()
}

function failedRow(index: number, error: KafkaError): Row {
  return {
    index,
    errorCode: error.code,
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    errorMessage: error.message,
    recordErrors:
      error instanceof RecordValidationError
        ? error.recordErrors.map(({ batchIndex, message }) => ({ batchIndex, batchIndexErrorMessage: message }))
        : [],
  }
}

/** Loads the codecs that this request needs; undefined when they are there, as they nearly always are. */
function codecsOf(request: ProduceRequest, { broker, apiVersion }: RequestContext): Promise<unknown> | undefined {
  let loading: Promise<unknown>[] | undefined
  for (const { name, topicId, partitionData } of request.topicData) {
    const topic = apiVersion >= FIRST_VERSION_WITH_IDS ? broker.partitions.topicName(topicId) : name
    const wanted = topic === undefined ? 'producer' : broker.partitions.compressionOf(topic)
    for (const { records } of partitionData) {
      const codecs = wanted === 'producer' ? [codecOf(records)] : [codecOf(records), wanted]
      for (const codec of codecs) {
        const pending = codec === undefined || codec === 'none' ? undefined : prepareCodec(codec)
        if (pending !== undefined) (loading ??= []).push(pending)
      }
    }
  }
  return loading && Promise.all(loading)
}

function attributesOf(records: Buffer | null): number {
  return records === null || records.length < BATCH_OVERHEAD ? 0 : attributesAt(records, 0)
}

function codecOf(records: Buffer | null): CompressionCodec | undefined {
  return CODECS[attributesOf(records) & CODEC_MASK]
}
