// Walks the batches in a segment file. The one reader of log bytes that trusts nothing: lengths, magic, checksums and
// the order of offsets are checked, and the walk ends at the first batch that is not whole and sound.

import { ProtocolError } from '../protocol/errors.ts'
import { BATCH_OVERHEAD, type BatchHeader, batchSizeAt, hasValidCrc, readBatchHeader } from '../protocol/record-batch.ts'
import type { DiskFile } from './disk.ts'

// A request has at most 100 MiB; a length beyond this is damage, and must not be believed when memory is allocated.
export const MAX_BATCH_BYTES = 128 * 1024 * 1024
const CHUNK_BYTES = 1024 * 1024

export interface ScanOptions {
  readonly from: number // position in bytes
  readonly to: number
  /** No batch may begin before this offset. */
  readonly minOffset: number
  readonly checkCrc: boolean
  readonly chunkBytes?: number
}

/** A batch's header, the bytes it lies in at `at`, and its position in the file. Return false to end the walk. */
export type BatchVisitor = (header: BatchHeader, bytes: Buffer, at: number, position: number) => boolean | undefined

export interface ScanResult {
  /** Behind the last sound batch, in bytes. */
  readonly end: number
  /** Why the walk ended before `to`; undefined when it did not, or the visitor ended it. */
  readonly problem: string | undefined
}

export function scanBatches(file: DiskFile, options: ScanOptions, visit: BatchVisitor): ScanResult {
  const { to } = options
  let nextOffset = options.minOffset
  let position = options.from
  let chunk = Buffer.allocUnsafe(Math.min(options.chunkBytes ?? CHUNK_BYTES, Math.max(to - position, BATCH_OVERHEAD)))
  while (position < to) {
    const length = file.read(chunk.subarray(0, Math.min(chunk.length, to - position)), position)
    const bytes = chunk.subarray(0, length)
    const start = position
    let wanted = BATCH_OVERHEAD
    for (;;) {
      const at = position - start
      let header: BatchHeader
      try {
        if (batchSizeAt(bytes, at) < 0) {
          wanted = length - at < 12 ? BATCH_OVERHEAD : 12 + bytes.readInt32BE(at + 8)
          break
        }
        header = readBatchHeader(bytes, at)
        checkBatch(header, bytes, at, nextOffset, options.checkCrc)
      } catch (error) {
        if (error instanceof ProtocolError) return { end: position, problem: error.message }
        throw error
      }
      if (visit(header, bytes, at, position) === false) return { end: position, problem: undefined }
      nextOffset = header.baseOffset + header.lastOffsetDelta + 1
      position += header.size
    }
    if (position === to) break
    if (wanted > to - position) return { end: position, problem: `batch of ${wanted} bytes with ${to - position} left` }
    if (wanted > MAX_BATCH_BYTES) return { end: position, problem: `batch of ${wanted} bytes` }
    if (length < Math.min(chunk.length, to - start)) return { end: position, problem: 'file is shorter than it was' }
    if (wanted > chunk.length) chunk = Buffer.allocUnsafe(wanted)
  }
  return { end: position, problem: undefined }
}

function checkBatch(header: BatchHeader, bytes: Buffer, at: number, nextOffset: number, checkCrc: boolean): void {
  if (header.baseOffset < nextOffset) {
    throw new ProtocolError(`batch at offset ${header.baseOffset} where ${nextOffset} or more was expected`)
  }
  if (header.lastOffsetDelta < 0) throw new ProtocolError(`last offset delta ${header.lastOffsetDelta}`)
  if (checkCrc && !hasValidCrc(bytes, at, header.size)) {
    throw new ProtocolError(`checksum of the batch at offset ${header.baseOffset} is wrong`)
  }
}
