// Where produced lines come from: regular files are read in big pieces, everything else as it comes, one piece at a time,
// so that a fast writer waits for us.

import { fstatSync, readSync } from 'node:fs'
import { type Readable } from 'node:stream'
import type { RecordCutter } from './record-parser.ts'

export interface LineSource {
  /** Hands more bytes to `reader`; false at the end of the input, or once closed. */
  fill(reader: RecordCutter): boolean | Promise<boolean>
  /** Stops reading: a `fill` that waits gives false. */
  close(): void
  /** Whether `close` was called, so that the input may have more. */
  readonly isClosed: boolean
  /** Bytes handed out. */
  readonly bytes: number
  /** Of the whole input, where that is known. */
  readonly size: number | undefined
}

const STDIN = 0

/** The best way to read the process's stdin. */
export function stdinSource(process: { readonly stdin: Readable }): LineSource {
  const kind = fstatSync(STDIN)
  // `process.stdin` makes a stream of whatever it is, when it is first looked at.
  return kind.isFile() ? new FileSource(STDIN, kind.size) : new StreamSource(process.stdin)
}

class FileSource implements LineSource {
  readonly #fd: number
  readonly size: number
  bytes = 0
  isClosed = false

  constructor(fd: number, size: number) {
    this.#fd = fd
    this.size = size
  }

  async fill(reader: RecordCutter): Promise<boolean> {
    // Answers of the broker and Ctrl-C get their turn.
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (this.isClosed) return false
    const space = reader.space()
    const size = readSync(this.#fd, space, 0, space.length, null)
    reader.filled(size)
    this.bytes += size
    return size > 0
  }

  close(): void {
    this.isClosed = true
  }
}

export class StreamSource implements LineSource {
  readonly size = undefined
  bytes = 0
  isClosed = false
  readonly #stream: Readable
  #chunk: Buffer | undefined
  #from = 0 // of the chunk, what was not handed out
  #isOver = false
  #error: Error | undefined
  #wake: (() => void) | undefined

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => {
      stream.pause()
      this.#chunk = chunk
      this.#from = 0
      this.#wake?.()
    })
    stream.on('error', (error) => {
      this.#error = error
      this.#end()
    })
    stream.on('end', () => this.#end())
    stream.on('close', () => this.#end())
    stream.pause()
  }

  async fill(reader: RecordCutter): Promise<boolean> {
    while (this.#chunk === undefined && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        this.#stream.resume()
      })
    }
    if (this.#error !== undefined) throw this.#error
    if (this.#chunk === undefined || this.isClosed) return false
    const size = reader.push(this.#chunk, this.#from)
    this.bytes += size
    this.#from += size
    if (this.#from === this.#chunk.length) this.#chunk = undefined
    return true
  }

  close(): void {
    this.isClosed = true
    this.#stream.pause()
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#wake?.()
  }
}
