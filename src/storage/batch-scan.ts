// Walks the batches in a segment file. The one reader of log bytes that trusts nothing: lengths, magic, checksums and
// the order of offsets are checked, and the walk ends at the first batch that is not whole and sound.

import { ProtocolError } from '../protocol/errors.ts'
import { BATCH_OVERHEAD, type BatchHeader, hasValidCrc, peekBatchHeader } from '../protocol/record-batch.ts'
import type { DiskFile } from './disk.ts'

// A request has at most 100 MiB; a length beyond this is damage, and must not be believed when memory is allocated.
export const MAX_BATCH_BYTES = 128 * 1024 * 1024
const SCAN_CHUNK_BYTES = 1024 * 1024
const HEADER_CHUNK_BYTES = 8 * 1024 // more than an index interval: a look-up mostly takes one read

export interface ScanOptions {
  readonly from: number // position in bytes
  readonly to: number
  /** No batch may begin before this offset. */
  readonly minOffset: number
  /** Also reads the records and looks at the checksums; without it only headers are read. */
  readonly checkCrc: boolean
}

/**
 * A batch's header, the bytes it lies in at `at`, and its position in the file. The records are there when checksums are
 * looked at, and those of control batches always. Return false to end the walk.
 */
export type BatchVisitor = (header: BatchHeader, bytes: Buffer, at: number, position: number) => boolean | undefined

export interface ScanResult {
  /** Behind the last sound batch, in bytes. */
  readonly end: number
  /** Why the walk ended before `to`; undefined when it did not, or the visitor ended it. */
  readonly problem: string | undefined
}

export function scanBatches(file: DiskFile, options: ScanOptions, visit: BatchVisitor): ScanResult {
  const walker = new BatchWalker(file, options)
  for (let header = walker.next(); header !== undefined; header = walker.next()) {
    if (visit(header, walker.bytes, walker.at, walker.position) === false) return { end: walker.position, problem: undefined }
  }
  return { end: walker.position, problem: walker.problem }
}

/** The same walk, one batch at a call, for those who let others run in between. */
export class BatchWalker {
  /** Of the batch that `next` gave; behind the last sound one when it gave none. */
  position: number
  at = 0 // where it lies in `bytes`
  /** Why there was no next batch before `to`. */
  problem: string | undefined
  readonly #window: FileWindow
  readonly #options: ScanOptions
  #nextOffset: number
  #nextPosition: number

  constructor(file: DiskFile, options: ScanOptions) {
    this.#options = options
    this.#window = new FileWindow(file, options.to, options.checkCrc ? SCAN_CHUNK_BYTES : HEADER_CHUNK_BYTES)
    this.#nextOffset = options.minOffset
    this.position = this.#nextPosition = options.from
  }

  /** The bytes in memory; others after the next call. */
  get bytes(): Buffer {
    return this.#window.bytes
  }

  next(): BatchHeader | undefined {
    const { to, checkCrc } = this.#options
    const position = (this.position = this.#nextPosition)
    if (position >= to || this.problem !== undefined) return undefined
    const window = this.#window
    try {
      let at = window.load(position, BATCH_OVERHEAD)
      const header = peekBatchHeader(window.bytes, at)
      if (header.size > to - position) throw new ProtocolError(`batch of ${header.size} bytes with ${to - position} left`)
      if (header.size > MAX_BATCH_BYTES) throw new ProtocolError(`batch of ${header.size} bytes`)
      if (checkCrc || header.isControl) at = window.load(position, header.size)
      checkBatch(header, window.bytes, at, this.#nextOffset, checkCrc)
      this.at = at
      this.#nextOffset = header.baseOffset + header.lastOffsetDelta + 1
      this.#nextPosition = position + header.size
      return header
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.problem = error.message
      return undefined
    }
  }
}

/** The part of a file that is in memory while it is walked. */
class FileWindow {
  bytes: Buffer = Buffer.alloc(0)
  readonly #file: DiskFile
  readonly #to: number
  #chunk: Buffer
  #start = 0

  constructor(file: DiskFile, to: number, chunkBytes: number) {
    this.#file = file
    this.#to = to
    this.#chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(to, BATCH_OVERHEAD)))
  }

  /** Where in `bytes` the `size` bytes from `position` lie; ProtocolError when the file has not so many. */
  load(position: number, size: number): number {
    if (position >= this.#start && position + size <= this.#start + this.bytes.length) return position - this.#start
    if (size > this.#to - position) throw new ProtocolError(`batch of ${size} bytes or more with ${this.#to - position} left`)
    if (size > this.#chunk.length) this.#chunk = Buffer.allocUnsafe(size)
    const wanted = Math.min(this.#chunk.length, this.#to - position)
    this.bytes = this.#chunk.subarray(0, this.#file.read(this.#chunk.subarray(0, wanted), position))
    this.#start = position
    if (this.bytes.length < size) throw new ProtocolError('file is shorter than it was')
    return 0
  }
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
