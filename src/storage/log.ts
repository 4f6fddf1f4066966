// One partition's log: its segments, producers and leader epochs. SKELETON of the face; being filled.

import type { KafkaError } from '../protocol/errors.ts'
import type { LogConfig } from './log-config.ts'

export type AppendOrigin = 'client' | 'coordinator' | 'metadata'

export interface AppendResult {
  readonly baseOffset: number
  readonly lastOffset: number
  /** −1 unless the topic stamps LogAppendTime. */
  readonly logAppendTime: number
  readonly isDuplicate: boolean
}

export interface TimestampOffset {
  readonly offset: number
  readonly timestamp: number
  readonly leaderEpoch: number
}

export interface ProducerDescription {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastTimestamp: number
  readonly coordinatorEpoch: number
  /** −1 when no transaction is open. */
  readonly currentTransactionStartOffset: number
}

/** As described in log.ts; an interface here only until the class stands. */
export interface Log {
  readonly topic: string
  readonly partition: number
  readonly topicId: string
  readonly directory: string
  config: LogConfig
  leaderEpoch: number
  readonly logStartOffset: number
  readonly logEndOffset: number
  readonly highWatermark: number
  readonly lastStableOffset: number
  readonly sizeBytes: number
  readonly failure: KafkaError | undefined
  append(batch: Buffer, origin: AppendOrigin): AppendResult
  safe(offset: number): Promise<void>
  onChange(listener: () => void): () => void
  read(offset: number, maxBytes: number, options: { atLeastOneBatch: boolean; until: number }): Buffer
  offsetForTimestamp(timestamp: number): TimestampOffset | undefined
  maxTimestamp(): TimestampOffset | undefined
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number }
  earliestEpoch(): number
  epochOf(offset: number): number
  deleteRecordsBefore(offset: number): Promise<void>
  describeProducers(): ProducerDescription[]
}
