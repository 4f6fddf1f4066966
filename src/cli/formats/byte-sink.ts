// Where consumed bytes leave: files and devices are written at once, pipes and sockets while the next bytes are being
// made (on the second core their reader drains them meanwhile), terminals with control characters made visible.
// A reader that went away is a quiet end.

import { fstatSync, writeSync } from 'node:fs'
import { type Writable } from 'node:stream'
import { systemClock } from '../../base/clock.ts'
import { type ByteOutput } from '../../kernels/byte-output.ts'

export interface ByteSink {
  /** Takes what `out` holds, and resolves when `out` may be filled again. Throws what the system says, but for EPIPE. */
  write(out: ByteOutput): Promise<void>
  /** Everything taken has left. */
  end(): Promise<void>
  /** The reader is gone, or was given up: more makes no sense. */
  readonly isClosed: boolean
  /** Bytes of what was written that the system has taken. */
  readonly taken: number
  /** Gives up a reader who reads no more: what waits for it is dropped. */
  abandon(): void
}

/**
 * The best way to write to `stream`, which is stdout. `isExact`: when a pipe breaks it must be known to the byte how much
 * went through, which costs the overlap of writing and making.
 */
export function sinkFor(stream: NodeJS.WriteStream & { readonly fd?: number }, isExact = false): ByteSink {
  if (stream.isTTY) return new StreamSink(stream, visible)
  const { fd } = stream
  if (fd === undefined) return new StreamSink(stream)
  const kind = fstatSync(fd)
  return isExact || kind.isFile() || kind.isCharacterDevice() ? new FileSink(fd) : new StreamSink(stream)
}

// A pipe that is full: a quick reader empties it within a few turns of the event loop, a slow one is looked after seldom.
const QUICK_TRIES = 50
const LONGEST_PAUSE_MS = 16

class FileSink implements ByteSink {
  readonly #fd: number
  isClosed = false
  taken = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  async write(out: ByteOutput): Promise<void> {
    let tries = 0
    for (let at = 0; at < out.at && !this.isClosed; ) {
      try {
        const size = writeSync(this.#fd, out.bytes, at, out.at - at)
        at += size
        this.taken += size
        tries = 0
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EPIPE') this.isClosed = true
        else if (code === 'EAGAIN') await pause(tries++)
        else throw error
      }
    }
    out.at = 0
  }

  abandon(): void {
    this.isClosed = true
  }

  end(): Promise<void> {
    return Promise.resolve()
  }
}

function pause(tries: number): Promise<void> {
  if (tries < QUICK_TRIES) return new Promise((resolve) => setImmediate(resolve))
  const ms = Math.min(2 ** (tries - QUICK_TRIES), LONGEST_PAUSE_MS)
  return new Promise((resolve) => systemClock.after(ms, resolve, true))
}

export class StreamSink implements ByteSink {
  readonly #stream: Writable
  readonly #change: ((bytes: Buffer) => Buffer) | undefined
  #error: Error | undefined
  #pending: Promise<void> = Promise.resolve()
  #spare: Buffer | undefined
  #abandoned: () => void = () => {}
  isClosed = false
  taken = 0

  /** `change`: what is done to the bytes on their way. */
  constructor(stream: Writable, change?: (bytes: Buffer) => Buffer) {
    this.#stream = stream
    this.#change = change
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.isClosed = true
      if (error.code !== 'EPIPE') this.#error = error
    })
    stream.on('close', () => (this.isClosed = true))
  }

  /** Two buffers take turns: one is filled while the other one leaves. */
  async write(out: ByteOutput): Promise<void> {
    if (this.isClosed) out.at = 0
    if (out.at > 0) {
      const before = this.#pending
      const size = out.at
      const bytes = out.swap(this.#spare)
      this.#spare = undefined
      this.#pending = before.then(() => this.#send(bytes, size))
      await before
    }
    if (this.#error !== undefined) throw this.#error
  }

  async end(): Promise<void> {
    await this.#pending
    if (this.#error !== undefined) throw this.#error
  }

  abandon(): void {
    this.isClosed = true
    this.#abandoned()
  }

  #send(bytes: Buffer, size: number): Promise<void> {
    if (this.isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#abandoned = resolve
      const done = (error?: Error | null) => {
        this.#spare = bytes
        if (!error) this.taken += size
        resolve()
      }
      // Also called when the stream fails or is closed.
      const full = bytes.subarray(0, size)
      this.#stream.write(this.#change === undefined ? full : this.#change(full), done)
    })
  }
}

/** C0 and C1 controls but tab and newline, as \x1b and the like: what somebody wrote to a topic must not drive our terminal. */
export function visible(bytes: Buffer): Buffer {
  // eslint-disable-next-line no-control-regex -- control characters are what this looks for
  const controls = /[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]/g
  const text = bytes.toString('latin1')
  if (!controls.test(text)) return bytes
  const escape = (found: string) => `\\x${found.charCodeAt(found.length - 1).toString(16).padStart(2, '0')}`
  return Buffer.from(text.replace(controls, escape), 'latin1')
}
