// A cluster in memory, behind the Cluster interface, with the data path of one topic `t`: it checks sequences as Kafka does
// and fails as told. For what lies below Cluster (sockets, versions, routing) there is fake-broker.ts.

import { type Cluster } from '../../src/client/cluster.ts'
import { type ClientConfig, clientConfig } from '../../src/client/client-config.ts'
import { ConnectError } from '../../src/client/errors.ts'
import { ErrorCode, type ErrorName } from '../../src/protocol/errors.ts'
import { batchSizeAt, hasValidCrc, readBatchHeader, recordsOf, stampOffset } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'

/** What becomes of one produce request: 'lost' before it is written, 'silent' after, or refused with an error. */
export type Fate = 'ok' | 'lost' | 'silent' | ErrorName

export interface StoredRecord {
  readonly key: string | null
  readonly value: string | null
}

interface PartitionLog {
  batches: Buffer[]
  end: number
  start: number
  producers: Map<bigint, { epoch: number; next: number; last: number }>
}

export class FakeCluster {
  readonly logs: PartitionLog[]
  /** Asked for each request, in order. */
  fate: () => Fate = () => 'ok'
  maxMessageBytes = 1 << 20
  requests = 0
  /** The partitions of each fetch request. */
  readonly fetched: number[][] = []
  underWay = 0
  mostUnderWay = 0
  invalidations = 0
  /** Awaited before each answer to a fetch request. */
  beforeFetched: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve))
  /** Fates of fetch requests. */
  fetchFate: () => 'ok' | 'lost' | ErrorName = () => 'ok'
  aborted: { producerId: bigint; firstOffset: number }[] = []

  constructor(partitions: number) {
    this.logs = Array.from({ length: partitions }, () => ({ batches: [], end: 0, start: 0, producers: new Map() }))
  }

  async cluster(properties: Record<string, string> = {}): Promise<Cluster> {
    const config = await clientConfig(
      new Map(Object.entries({ 'bootstrap.servers': 'fake:1', 'retry.backoff.ms': '1', 'retry.backoff.max.ms': '2', 'linger.ms': '0', ...properties })),
    )
    return new ClientSide(this, config) as unknown as Cluster
  }

  append(index: number, bytes: Buffer): { errorCode: number; baseOffset: number } {
    const log = this.logs[index]
    const head = readBatchHeader(bytes, 0)
    if (!hasValidCrc(bytes, 0, bytes.length)) return { errorCode: ErrorCode.CORRUPT_MESSAGE, baseOffset: -1 }
    if (bytes.length > this.maxMessageBytes) return { errorCode: ErrorCode.MESSAGE_TOO_LARGE, baseOffset: -1 }
    if (head.producerId >= 0n && !head.isControl) {
      const known = log.producers.get(head.producerId)
      if (known !== undefined && head.producerEpoch < known.epoch) return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, baseOffset: -1 }
      const isNew = known === undefined || head.producerEpoch > known.epoch
      if (!isNew && head.baseSequence < known.next) return { errorCode: ErrorCode.NONE, baseOffset: 0 } // a duplicate
      if (head.baseSequence !== (isNew ? 0 : known.next)) return { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
      log.producers.set(head.producerId, { epoch: head.producerEpoch, next: head.baseSequence + head.recordCount, last: 0 })
    }
    const copy = Buffer.from(bytes)
    stampOffset(copy, 0, log.end, 0)
    log.batches.push(copy)
    log.end += head.recordCount
    return { errorCode: ErrorCode.NONE, baseOffset: log.end - head.recordCount }
  }

  records(index: number): StoredRecord[] {
    const found: StoredRecord[] = []
    for (const batch of this.logs[index].batches) {
      const head = readBatchHeader(batch, 0)
      const cursor = new RecordCursor(head, recordsOf(batch, 0, head, 1 << 24))
      while (cursor.next()) found.push({ key: cursor.key()?.toString() ?? null, value: cursor.value()?.toString() ?? null })
    }
    return found
  }

  read(index: number, offset: number, maxBytes: number): Buffer {
    const taken: Buffer[] = []
    let size = 0
    for (const batch of this.logs[index].batches) {
      const head = readBatchHeader(batch, 0)
      if (head.baseOffset + head.lastOffsetDelta < offset) continue
      if (taken.length > 0 && size + batch.length > maxBytes) {
        taken.push(batch.subarray(0, maxBytes - size)) // Kafka cuts the last one
        break
      }
      taken.push(batch)
      size += batchSizeAt(batch, 0)
    }
    return Buffer.concat(taken)
  }
}

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-call -- one class answers for several APIs */
class ClientSide {
  readonly #fake: FakeCluster
  readonly config: ClientConfig

  constructor(fake: FakeCluster, config: ClientConfig) {
    this.#fake = fake
    this.config = config
  }

  metadata() {
    const partitions = this.#fake.logs.map((_, partition) => ({ partition, error: undefined, leader: 1, leaderEpoch: 0, replicas: [1], isr: [1], offlineReplicas: [] }))
    return Promise.resolve({ topics: new Map([['t', { name: 't', topicId: 'id', isInternal: false, error: undefined, partitions }]]) })
  }

  versionFor() {
    return Promise.resolve(11)
  }

  leader() {
    return Promise.resolve({ node: 1, leaderEpoch: 0, topicId: 'id' })
  }

  invalidate() {
    this.#fake.invalidations++
  }

  call(api: { name: string }, request: any) {
    if (api.name === 'InitProducerId') return Promise.resolve({ errorCode: 0, producerId: 7n, producerEpoch: 0 })
    const partitions = request.topics[0].partitions.map(({ partitionIndex, timestamp }: any) => {
      const log = this.#fake.logs[partitionIndex]
      return { partitionIndex, errorCode: 0, offset: timestamp === -1 ? log.end : log.start }
    })
    return Promise.resolve({ topics: [{ name: 't', partitions }] })
  }

  async send(api: { name: string }, request: any): Promise<any> {
    this.#fake.requests++
    if (api.name === 'Fetch') {
      this.#fake.fetched.push(request.topics[0].partitions.map(({ partition }: any) => Number(partition)))
      return this.#fetch(request)
    }
    this.#fake.underWay++
    this.#fake.mostUnderWay = Math.max(this.#fake.mostUnderWay, this.#fake.underWay)
    const fate = this.#fake.fate()
    const partitionResponses = request.topicData[0].partitionData.map(({ index, records }: any) => {
      const refused = fate !== 'ok' && fate !== 'silent' && fate !== 'lost'
      const answer = refused || fate === 'lost' ? { errorCode: ErrorCode[refused ? fate : 'NONE'], baseOffset: -1 } : this.#fake.append(index, records)
      return { index, ...answer, recordErrors: [], errorMessage: null }
    })
    await new Promise((resolve) => setImmediate(resolve))
    this.#fake.underWay--
    if (fate === 'lost' || fate === 'silent') throw new ConnectError('closed', 'fake:1', { message: 'connection lost' })
    return { throttleTimeMs: 0, responses: [{ name: '', topicId: 'id', partitionResponses }] }
  }

  async #fetch(request: any) {
    await this.#fake.beforeFetched()
    const fate = this.#fake.fetchFate()
    if (fate === 'lost') throw new ConnectError('closed', 'fake:1', { message: 'connection lost' })
    const partitions = request.topics[0].partitions.map(({ partition, fetchOffset, partitionMaxBytes }: any) => {
      const log = this.#fake.logs[partition]
      const isOut = fetchOffset < log.start || fetchOffset > log.end
      const error: ErrorName = fate !== 'ok' ? fate : isOut ? 'OFFSET_OUT_OF_RANGE' : 'NONE'
      const records = error === 'NONE' ? this.#fake.read(partition, fetchOffset, partitionMaxBytes) : null
      return { partitionIndex: partition, errorCode: ErrorCode[error], records, abortedTransactions: this.#fake.aborted }
    })
    return { errorCode: 0, throttleTimeMs: 0, responses: [{ topic: '', topicId: 'id', partitions }] }
  }

  sendOneWay(api: { name: string }, request: any) {
    return this.send(api, request)
  }
}
