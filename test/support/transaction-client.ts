// A transactional producer that speaks the protocol by hand, as a client of either protocol would: version 1 names its
// partitions before it writes to them, version 2 has a new epoch for each transaction. For tests of brokers.

import { AddOffsetsToTxn } from '../../src/protocol/apis/add-offsets-to-txn.ts'
import { AddPartitionsToTxn } from '../../src/protocol/apis/add-partitions-to-txn.ts'
import { DescribeTransactions } from '../../src/protocol/apis/describe-transactions.ts'
import { EndTxn } from '../../src/protocol/apis/end-txn.ts'
import { Fetch } from '../../src/protocol/apis/fetch.ts'
import { InitProducerId } from '../../src/protocol/apis/init-producer-id.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { TxnOffsetCommit } from '../../src/protocol/apis/txn-offset-commit.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { ZERO_UUID } from '../../src/protocol/reader.ts'
import { readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import { batchOf } from './raw-client.ts'
import type { RawClient } from './raw-client.ts'

interface Versions {
  readonly produce: number
  readonly end: number
  readonly commit: number
}

export const OLD_PROTOCOL: Versions = { produce: 11, end: 4, commit: 4 }
export const NEW_PROTOCOL: Versions = { produce: 12, end: 5, commit: 5 }

export interface InitOptions {
  readonly timeoutMs?: number
  readonly expected?: { readonly producerId: bigint; readonly epoch: number }
  readonly version?: number
}

export class TransactionClient {
  readonly client: RawClient
  readonly id: string
  readonly versions: Versions
  producerId = -1n
  epoch = -1
  /** Next sequence by partition. */
  readonly #sequences = new Map<string, number>()

  constructor(client: RawClient, id: string, versions = NEW_PROTOCOL) {
    this.client = client
    this.id = id
    this.versions = versions
  }

  get producer() {
    return { producerId: this.producerId, producerEpoch: this.epoch }
  }

  /** Takes over the producer it is given. */
  async init({ timeoutMs = 60_000, expected, version = 5 }: InitOptions = {}) {
    const answer = await this.client.call(InitProducerId, version, {
      transactionalId: this.id,
      transactionTimeoutMs: timeoutMs,
      producerId: expected?.producerId ?? -1n,
      producerEpoch: expected?.epoch ?? -1,
    })
    const error = errorName(answer.errorCode)
    if (error === 'NONE') this.#become(answer.producerId, answer.producerEpoch)
    return error
  }

  async add(topic: string, partitions: readonly number[] = [0], version = 3) {
    const answer = await this.client.call(AddPartitionsToTxn, version, {
      transactions: [],
      v3AndBelowTransactionalId: this.id,
      v3AndBelowProducerId: this.producerId,
      v3AndBelowProducerEpoch: this.epoch,
      v3AndBelowTopics: [{ name: topic, partitions }],
    })
    return answer.resultsByTopicV3AndBelow[0].resultsByPartition.map(({ partitionErrorCode }) => errorName(partitionErrorCode))
  }

  async addOffsets(groupId: string, version = 4) {
    const answer = await this.client.call(AddOffsetsToTxn, version, { transactionalId: this.id, ...this.producer, groupId })
    return errorName(answer.errorCode)
  }

  /** One batch. The sequence counts on when it is taken. */
  async send(
    topic: string,
    values: Parameters<typeof batchOf>[0],
    options: { partition?: number; version?: number; sequence?: number; transactionalId?: string | null } = {},
  ) {
    const { partition = 0, version = this.versions.produce, transactionalId = this.id } = options
    const at = `${topic}-${partition}`
    const baseSequence = options.sequence ?? this.#sequences.get(at) ?? 0
    const records = batchOf(values, { ...this.producer, baseSequence, isTransactional: true })
    const answer = await this.client.call(Produce, version, {
      transactionalId,
      acks: -1,
      timeoutMs: 5000,
      topicData: [{ name: topic, topicId: ZERO_UUID, partitionData: [{ index: partition, records }] }],
    })
    const error = errorName(answer.responses[0].partitionResponses[0].errorCode)
    if (error === 'NONE') this.#sequences.set(at, baseSequence + values.length)
    return error
  }

  /** One batch outside of transactions. */
  async sendPlain(topic: string, values: readonly string[], partition: number) {
    const partitionData = [{ index: partition, records: batchOf(values) }]
    const topicData = [{ name: topic, topicId: ZERO_UUID, partitionData }]
    const answer = await this.client.call(Produce, 12, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
    return errorName(answer.responses[0].partitionResponses[0].errorCode)
  }

  /** The same producer on another connection. */
  on(client: RawClient): TransactionClient {
    const moved = new TransactionClient(client, this.id, this.versions)
    moved.#become(this.producerId, this.epoch)
    for (const [at, sequence] of this.#sequences) moved.#sequences.set(at, sequence)
    return moved
  }

  async commitOffset(
    groupId: string,
    topic: string,
    offset: number,
    options: { version?: number; generationId?: number; memberId?: string; metadata?: string; partition?: number } = {},
  ) {
    const { version = this.versions.commit, partition = 0, metadata = '', generationId = -1, memberId = '' } = options
    const row = { partitionIndex: partition, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: metadata }
    const answer = await this.client.call(TxnOffsetCommit, version, {
      transactionalId: this.id, groupId, ...this.producer, ...(version < 3 ? {} : { generationId, memberId }),
      topics: [{ name: topic, partitions: [row] }],
    }) // prettier-ignore
    return errorName(answer.topics[0].partitions[0].errorCode)
  }

  /** Goes on with the producer that the answer names. */
  async end(committed: boolean, version = this.versions.end) {
    const answer = await this.client.call(EndTxn, version, { transactionalId: this.id, ...this.producer, committed })
    const error = errorName(answer.errorCode)
    if (error === 'NONE' && version >= 5) this.#become(answer.producerId, answer.producerEpoch)
    return error
  }

  async describe() {
    const { transactionStates } = await this.client.call(DescribeTransactions, 0, { transactionalIds: [this.id] })
    const { errorCode, topics, ...rest } = transactionStates[0]
    return { ...rest, error: errorName(errorCode), topics: Object.fromEntries(topics.map(({ topic, partitions }) => [topic, partitions])) }
  }

  async phase() {
    return (await this.describe()).transactionState
  }

  #become(producerId: bigint, epoch: number): void {
    if (producerId === this.producerId && epoch === this.epoch) return
    this.producerId = producerId
    this.epoch = epoch
    this.#sequences.clear()
  }
}

/** The values that a reader finds in a partition: of committed transactions, or all, up to the last stable offset or the end. */
export async function valuesIn(client: RawClient, topic: string, isolation: 'committed' | 'all' = 'committed', partition = 0) {
  const values: string[] = []
  let offset = 0
  for (;;) {
    const answer = await client.call(Fetch, 12, {
      replicaId: -1, maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, isolationLevel: isolation === 'committed' ? 1 : 0,
      sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [], rackId: '',
      topics: [{ topic, topicId: ZERO_UUID, partitions: [{
        partition, currentLeaderEpoch: -1, fetchOffset: offset, lastFetchedEpoch: -1, logStartOffset: -1, partitionMaxBytes: 1 << 20,
      }] }],
    }) // prettier-ignore
    const { records, abortedTransactions, errorCode } = answer.responses[0].partitions[0]
    if (errorCode !== 0) throw new Error(errorName(errorCode))
    if (records === null || records.length === 0) return values
    const aborted = [...(abortedTransactions ?? [])].sort((a, b) => a.firstOffset - b.firstOffset)
    const dropped = new Set<bigint>()
    for (let at = 0; at < records.length; ) {
      const header = readBatchHeader(records, at)
      const end = header.baseOffset + header.lastOffsetDelta + 1
      while (aborted.length > 0 && aborted[0].firstOffset < end) dropped.add(aborted.shift()?.producerId ?? -1n)
      const cursor = new RecordCursor(header, recordsOf(records, at, header, 1 << 20))
      while (cursor.next()) {
        if (header.isControl) {
          if (cursor.key()?.readInt16BE(2) === 0) dropped.delete(header.producerId)
        } else if (!header.isTransactional || !dropped.has(header.producerId)) values.push(String(cursor.value()))
      }
      offset = end
      at += header.size
    }
  }
}
