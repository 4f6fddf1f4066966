// Reads one partition of an internal topic from its start into a shard. What can't be understood fails the load: a
// coordinator that forgot something would hand out wrong offsets.

import { prepareCodec } from '../../protocol/compression/index.ts'
import { decodeControlKey } from '../../protocol/records/control.ts'
import { batchSizeAt, readBatchHeader, recordsOf } from '../../protocol/record-batch.ts'
import type { BatchHeader } from '../../protocol/record-batch.ts'
import { RecordCursor } from '../../protocol/record-cursor.ts'
import type { Log } from '../../storage/log.ts'
import type { CoordinatorShard, Producer } from './shard.ts'

const READ_BYTES = 4 * 1024 * 1024
const MAX_BATCH_BYTES = 1024 * 1024 * 1024 // decompressed

/** Rejects with KafkaError or ProtocolError. Everything appended must be safe, and nothing be appended meanwhile. */
export async function replayLog(log: Log, shard: CoordinatorShard): Promise<void> {
  let offset = log.logStartOffset
  while (offset < log.logEndOffset) {
    const bytes = log.read(offset, READ_BYTES, { atLeastOneBatch: true, until: log.logEndOffset })
    if (bytes.length === 0) return
    for (let at = 0; at < bytes.length; at += batchSizeAt(bytes, at)) {
      const header = readBatchHeader(bytes, at)
      const pending = prepareCodec(header.codec)
      if (pending !== undefined) await pending
      replayBatch(bytes, at, header, shard)
      offset = header.baseOffset + header.lastOffsetDelta + 1
    }
  }
}

function replayBatch(bytes: Buffer, at: number, header: BatchHeader, shard: CoordinatorShard): void {
  const cursor = new RecordCursor(header, recordsOf(bytes, at, header, MAX_BATCH_BYTES))
  const producer: Producer = { id: header.producerId, epoch: header.producerEpoch }
  while (cursor.next()) {
    const key = cursor.key()
    if (key === null) continue
    if (!header.isControl) {
      shard.replay({ key, value: cursor.value() }, cursor.offset, header.isTransactional ? producer : undefined)
      continue
    }
    const type = decodeControlKey(key)
    if (type === 'COMMIT' || type === 'ABORT') shard.endTransaction(producer, type === 'COMMIT')
  }
}
