// TxnOffsetCommit (28), versions 0 to 5: a group's offsets as part of a transaction, to count when it commits; until then
// OffsetFetch answers UNSTABLE_OFFSET_COMMIT to those who ask for stable ones. From version 3 on the member says who it
// is, from 5 on the commit itself adds the group's partition to the transaction (KIP-890).

import { TxnOffsetCommit } from '../../protocol/apis/txn-offset-commit.ts'
import { ErrorCode, KafkaError } from '../../protocol/errors.ts'
import type { RequestOf } from '../../protocol/schema.ts'
import { brokerConfigValue } from '../config/resolve.ts'
import { GROUPS_TOPIC } from '../groups/group-coordinator.ts'
import type { CommittedOffset, OffsetKey } from '../groups/offsets.ts'
import { itemError } from '../handler.ts'
import type { Handler, RequestContext } from '../handler.ts'
import { admit } from '../transactions/admission.ts'

type Request = RequestOf<typeof TxnOffsetCommit>
type Partition = Request['topics'][number]['partitions'][number]
type Offsets = (readonly [OffsetKey, CommittedOffset])[]

const LOADING_SINCE = 2
const ABORTABLE_SINCE = 4
const ADDS_SINCE = 5

export const handleTxnOffsetCommit: Handler<typeof TxnOffsetCommit> = async (request, context) => {
  const { broker, apiVersion } = context
  const offsets: Offsets = []
  const refusal = refusalOf(request, context)
  const rows = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((partition) => {
      const error = refusal ?? commitError(name, partition, context)
      if (error === undefined) offsets.push(offsetOf(request.groupId, name, partition, context))
      return { partitionIndex: partition.partitionIndex, errorCode: error?.code ?? ErrorCode.NONE }
    }),
  }))
  if (offsets.length === 0) return { throttleTimeMs: 0, topics: rows }
  const failure = await commit(request, offsets, context).then(
    () => ErrorCode.NONE,
    (error: unknown) => {
      const { error: name, code } = itemError(error, broker, `TxnOffsetCommit of ${request.groupId}`)
      const isNew = name === 'COORDINATOR_LOAD_IN_PROGRESS' && apiVersion < LOADING_SINCE
      return isNew ? ErrorCode.COORDINATOR_NOT_AVAILABLE : code
    },
  )
  const topics = rows.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, errorCode }) => ({ partitionIndex, errorCode: errorCode || failure })),
  }))
  return { throttleTimeMs: 0, topics }
}

function refusalOf({ transactionalId, groupId }: Request, { isAllowed }: RequestContext): KafkaError | undefined {
  if (!isAllowed('WRITE', 'TRANSACTIONAL_ID', transactionalId)) return new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED')
  if (!isAllowed('READ', 'GROUP', groupId)) return new KafkaError('GROUP_AUTHORIZATION_FAILED')
  return undefined
}

function commitError(
  topic: string,
  { partitionIndex, committedMetadata }: Partition,
  { broker, isAllowed }: RequestContext,
): KafkaError | undefined {
  if (!isAllowed('READ', 'TOPIC', topic)) return new KafkaError('TOPIC_AUTHORIZATION_FAILED')
  if (broker.metadata.image.topic(topic)?.partitions.has(partitionIndex) !== true) {
    return new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  }
  // Counted in characters, as Kafka does.
  const isLong = (committedMetadata?.length ?? 0) > broker.config.offsetMetadataMaxBytes
  return isLong ? new KafkaError('OFFSET_METADATA_TOO_LARGE') : undefined
}

function offsetOf(group: string, topic: string, partition: Partition, { broker }: RequestContext): Offsets[number] {
  const key = { group, topic, partition: partition.partitionIndex }
  const value = {
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata ?? '',
    commitTimestamp: broker.clock.now(),
    expireTimestamp: -1,
    topicId: broker.metadata.image.topic(topic)?.id ?? '',
  }
  return [key, value]
}

/** Rejects with the KafkaError that all of the offsets get. */
async function commit(request: Request, offsets: Offsets, { broker, apiVersion }: RequestContext): Promise<void> {
  const { transactionalId, groupId, memberId, groupInstanceId, generationId } = request
  const { groups, transactions } = broker
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
  await groups.ensureTopic()
  const producer = { producerId: request.producerId, epoch: request.producerEpoch }
  const partition = groups.partitionOf(groupId)
  const { log } = broker.partitions.get(GROUPS_TOPIC, partition)
  const mustAdd = apiVersion >= ADDS_SINCE
  const verifies = brokerConfigValue(broker.config, broker.metadata.image, 'transaction.partition.verification.enable')
  const isChecked = mustAdd || verifies !== 'false'
  const isOpen = () => log.hasOpenTransaction(producer.producerId, producer.epoch)
  if (isChecked && !isOpen()) {
    const partitions = new Map([[GROUPS_TOPIC, new Set([partition])]])
    const admission = mustAdd ? 'adds' : apiVersion >= ABORTABLE_SINCE ? 'abortable' : 'old'
    const verdict = await admit(transactions, transactionalId, producer, partitions, admission)
    const error = verdict(GROUPS_TOPIC, partition)
    if (error !== undefined) throw error
    // From here to the append it is one turn: a marker that came meanwhile came before.
    if (!isOpen() && !transactions.isWritable(transactionalId, producer, GROUPS_TOPIC, partition)) {
      throw new KafkaError('INVALID_TXN_STATE')
    }
  }
  const committer = {
    memberId,
    instanceId: groupInstanceId,
    generation: generationId,
    producer: { id: producer.producerId, epoch: producer.epoch },
    knowsGroupNotFound: false,
  }
  await groups.commit(groupId, committer, offsets)
}
