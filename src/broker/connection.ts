// One client's connection: frames in, replies out in the order of their requests. Requests run one after another, as in
// Kafka; a Produce that waits for its flush lets the next one start. Whatever a client makes us hold is bounded: bytes
// it sends while we are busy, requests begun, replies it doesn't take, time for a frame, idle time.

import type { Duplex } from 'node:stream'
import type { Clock, Timer } from '../base/clock.ts'
import type { SaslAuthenticate } from '../protocol/apis/sasl-authenticate.ts'
import type { SaslHandshake } from '../protocol/apis/sasl-handshake.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { ResponseInput } from '../protocol/schema.ts'
import { FrameReader } from './connection-frames.ts'
import type { ReplyMemory, RequestMemory } from './limits.ts'

/** As handlers see it. */
export interface Connection {
  readonly listener: string
  /** `User:NAME`; of a SASL listener only when `login` is done. */
  readonly principal: string
  readonly remoteAddress: string
  /** On a SASL listener; undefined where nobody logs in. */
  readonly login: Login | undefined
  /** Calls `listener` once, when the client is gone or the broker is about to stop; returns how to forget it. */
  onClose(listener: () => void): () => void
  /** No further request is taken for so many ms. */
  throttle(ms: number): void
}

/** The login of a connection, and the gate before it. */
export interface Login {
  /** Serves `frame` itself, or with `next` if the login allows it; throws CloseConnection if not. */
  serve(frame: Buffer, next: () => Reply | Promise<Reply>): Reply | Promise<Reply>
  handshake(mechanism: string, version: number): Promise<ResponseInput<typeof SaslHandshake>>
  authenticate(token: Buffer): Promise<ResponseInput<typeof SaslAuthenticate>>
}

/** Ends the connection in its turn, after the replies before it. `reason` goes to the log, never to the client. */
export class CloseConnection extends Error {
  override readonly name = 'CloseConnection'
}

/** A reply as it goes to the socket; undefined where the protocol has none. */
export type Reply = readonly Buffer[] | undefined

export interface ConnectionSettings {
  readonly stream: Duplex
  readonly listener: string
  /** Who the client is, as far as that is known without a login. */
  readonly principal: string
  readonly remoteAddress: string
  /** On a SASL listener. */
  readonly startLogin?: ((connection: ClientConnection) => Login) | undefined
  /** sasl.server.max.receive.size: of a frame before the login. */
  readonly maxLoginFrameBytes?: number | undefined
  /** Called once, when the login is done. */
  readonly onLogin?: (() => void) | undefined
  readonly clock: Clock
  readonly maxFrameBytes: number
  readonly maxIdleMs: number
  readonly requestMemory: RequestMemory
  readonly replyMemory: ReplyMemory
  /** For lines that strangers can cause. */
  readonly report: (line: string) => void
  /** Serves one request. Throws, or rejects with, CloseConnection or ProtocolError to end the connection. */
  readonly serve: (frame: Buffer, connection: Connection, letNextStart: () => void) => Reply | Promise<Reply>
  /** Called once, when the connection holds nothing any more. */
  readonly onEnd: () => void
}

interface Slot {
  outcome: Reply | CloseConnection
  isDone: boolean
}

const MAX_SLOTS = 64
const MAX_INPUT_WHILE_BUSY = 128 * 1024
const MAX_OUTPUT = 1024 * 1024
const FRAME_DEADLINE_MS = 30_000
const SHORT_FRAME_DEADLINE_MS = 1000
const FRAME_PROGRESS_BYTES = 16 * 1024 // in that time, or the connection ends
const OUTPUT_DEADLINE_MS = 60_000
const SHORT_OUTPUT_DEADLINE_MS = 5000
const OUTPUT_BYTES_PER_MS = 64 // on top of the deadline, for a large reply on a slow line

export class ClientConnection implements Connection {
  readonly listener: string
  readonly remoteAddress: string
  readonly login: Login | undefined
  #principal: string
  readonly #settings: ConnectionSettings
  readonly #stream: Duplex
  readonly #frames: FrameReader
  readonly #slots: Slot[] = []
  readonly #closeListeners = new Set<() => void>()
  #isMuted = false // a request is being served
  #throttled: Timer | undefined // until it fires, no request starts
  #isPumping = false
  #isReading = true
  #isCorked = false
  #inputEnded = false
  #isClosing = false // no further request starts
  #isClosed = false
  #inputHeld = 0 // bytes that requestMemory counts as ours
  #outputHeld = 0 // likewise replyMemory
  #outputSince = -1
  #lastActivity: number
  #frameBytes = 0 // received since `#frameSince`
  #frameSince = -1

  constructor(settings: ConnectionSettings) {
    this.#settings = settings
    this.listener = settings.listener
    this.#principal = settings.principal
    this.remoteAddress = settings.remoteAddress
    this.#stream = settings.stream
    this.#frames = new FrameReader(settings.maxFrameBytes)
    this.login = settings.startLogin?.(this)
    const { maxLoginFrameBytes = Infinity } = settings
    if (maxLoginFrameBytes < settings.maxFrameBytes) this.#frames.limit(maxLoginFrameBytes, 'sasl.server.max.receive.size')
    this.#lastActivity = settings.clock.monotonic()
    this.#stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.#stream.on('end', () => this.#onInputEnd())
    this.#stream.on('error', () => undefined) // 'close' follows, and says all there is to know
    this.#stream.on('close', () => this.#onClosed())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get principal(): string {
    return this.#principal
  }

  /** The client has shown who it is. */
  identify(principal: string): void {
    this.#principal = principal
    this.#frames.limit(this.#settings.maxFrameBytes, 'socket.request.max.bytes')
    this.#settings.onLogin?.()
  }

  /** A line for the log that strangers can cause. */
  report(line: string): void {
    this.#settings.report(line)
  }

  onClose(listener: () => void): () => void {
    if (this.#isClosing || this.#isClosed || this.#inputEnded) queueMicrotask(() => this.#tellListeners())
    this.#closeListeners.add(listener)
    return () => this.#closeListeners.delete(listener)
  }

  throttle(ms: number): void {
    this.#throttled?.cancel()
    this.#throttled = this.#settings.clock.after(ms, () => {
      this.#throttled = undefined
      this.#lastActivity = this.#settings.clock.monotonic()
      this.#pump()
    })
  }

  /** Ends the connection now; `reason` goes to the log. */
  close(reason?: string): void {
    if (this.#isClosed) return
    if (reason !== undefined) this.#settings.report(`connection from ${this.remoteAddress} closed: ${reason}`)
    this.#stream.destroy()
    this.#onClosed()
  }

  /** No further request starts; when the ones that have begun are answered, the connection ends. */
  finish(): void {
    this.#isClosing = true
    this.#tellListeners()
    this.#endIfIdle()
  }

  /** Looks at the deadlines; called every second or so. */
  check(now: number): void {
    const waiting = this.#stream.writableLength
    if (waiting === 0) this.#outputSince = -1
    else if (now - this.#outputSince > this.#outputDeadline(waiting)) {
      this.close(`${waiting} bytes of replies were not taken in time`)
      return
    }
    const isMidFrame = this.#frames.isMidFrame && !this.#isMuted && this.#throttled === undefined
    // Memory for requests is short: whoever holds some and sends nothing keeps all the others from being served.
    if (isMidFrame && this.#settings.requestMemory.isOver && now - this.#lastActivity > SHORT_FRAME_DEADLINE_MS) {
      this.close('a request did not arrive in time, while memory for requests was short')
      return
    }
    if (!isMidFrame || !this.#isReading) this.#frameSince = -1
    else if (this.#frameSince === -1) this.#restartFrameDeadline(now)
    else if (now - this.#frameSince > FRAME_DEADLINE_MS) {
      if (this.#frameBytes < FRAME_PROGRESS_BYTES) {
        this.close('a request did not arrive in time')
        return
      }
      this.#restartFrameDeadline(now)
    }
    const isIdle = this.#slots.length === 0 && waiting === 0
    if (isIdle && now - this.#lastActivity > this.#settings.maxIdleMs) this.close()
  }

  /** While slow readers hold too much, those that took nothing for some seconds must go. */
  #outputDeadline(waiting: number): number {
    if (this.#settings.replyMemory.room <= 0) return SHORT_OUTPUT_DEADLINE_MS
    return OUTPUT_DEADLINE_MS + waiting / OUTPUT_BYTES_PER_MS
  }

  #restartFrameDeadline(now: number): void {
    this.#frameSince = now
    this.#frameBytes = 0
  }

  #onData(chunk: Buffer): void {
    if (this.#isClosed) return
    this.#lastActivity = this.#settings.clock.monotonic()
    this.#frameBytes += chunk.length
    this.#settings.requestMemory.take(chunk.length)
    this.#inputHeld += chunk.length
    this.#frames.push(chunk)
    this.#pump()
  }

  #onInputEnd(): void {
    this.#inputEnded = true
    // Whoever says no more can't be waiting for a long poll; what it sent in full is still served.
    this.#tellListeners()
    this.#pump()
  }

  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    try {
      while (this.#mayStart()) {
        const frame = this.#frames.next()
        if (frame === undefined) break
        this.#start(frame)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.close(error.message)
    } finally {
      this.#isPumping = false
    }
    if (this.#isClosed) return
    this.#adjustReading()
    this.#endIfIdle()
  }

  #mayStart(): boolean {
    return (
      !this.#isMuted &&
      this.#throttled === undefined &&
      !this.#isClosing &&
      !this.#isClosed &&
      this.#slots.length < MAX_SLOTS &&
      this.#stream.writableLength < MAX_OUTPUT
    )
  }

  #start(frame: Buffer): void {
    const slot: Slot = { outcome: undefined, isDone: false }
    this.#slots.push(slot)
    this.#isMuted = true
    let holdsConnection = true
    const letNextStart = (): void => {
      if (!holdsConnection) return
      holdsConnection = false
      this.#isMuted = false
      queueMicrotask(() => this.#pump())
    }
    const finish = (outcome: Slot['outcome']): void => {
      slot.outcome = outcome
      slot.isDone = true
      this.#release(frame.length + 4)
      this.#lastActivity = this.#settings.clock.monotonic()
      if (holdsConnection) {
        holdsConnection = false
        this.#isMuted = false
      }
      this.#sendReady()
      this.#pump()
    }
    const fail = (error: unknown): void => {
      const reason = error instanceof Error ? error.message : String(error)
      finish(error instanceof CloseConnection ? error : new CloseConnection(reason))
    }
    try {
      const { serve } = this.#settings
      const reply =
        this.login === undefined
          ? serve(frame, this, letNextStart)
          : this.login.serve(frame, () => serve(frame, this, letNextStart))
      if (reply instanceof Promise) reply.then(finish, fail)
      else finish(reply)
    } catch (error) {
      fail(error)
    }
  }

  #release(bytes: number): void {
    const given = Math.min(bytes, this.#inputHeld) // after the close there is nothing left to give
    this.#inputHeld -= given
    this.#settings.requestMemory.give(given)
    this.#settings.requestMemory.done(this)
  }

  /** Writes the replies at the front of the line that are ready. */
  #sendReady(): void {
    while (this.#slots.length > 0 && this.#slots[0].isDone && !this.#isClosed) {
      const outcome = this.#slots[0].outcome
      this.#slots.shift()
      if (outcome instanceof CloseConnection) {
        if (outcome.message !== '') {
          this.#settings.report(`connection from ${this.remoteAddress} closed: ${outcome.message}`)
        }
        this.#isClosing = true
        this.#slots.length = 0
        this.#end()
      } else if (outcome !== undefined) this.#write(outcome)
    }
  }

  #write(pieces: readonly Buffer[]): void {
    if (!this.#isCorked) {
      // All replies of one turn leave in one write.
      this.#isCorked = true
      this.#stream.cork()
      process.nextTick(() => {
        this.#isCorked = false
        this.#stream.uncork()
        this.#accountOutput()
      })
    }
    if (this.#outputSince === -1) this.#outputSince = this.#settings.clock.monotonic()
    for (let i = 0; i < pieces.length; i++) {
      this.#stream.write(pieces[i], i === pieces.length - 1 ? (error) => this.#onWritten(pieces, error) : undefined)
    }
    this.#accountOutput()
  }

  #onWritten(pieces: readonly Buffer[], error: Error | null | undefined): void {
    // After an error the memory is the collector's: who knows what still reads it.
    if (!error) this.#settings.replyMemory.buffers.give(pieces)
    this.#lastActivity = this.#settings.clock.monotonic()
    this.#accountOutput()
    this.#outputSince = this.#outputHeld === 0 ? -1 : this.#lastActivity
    this.#pump()
  }

  #accountOutput(): void {
    const waiting = this.#isClosed ? 0 : this.#stream.writableLength
    this.#settings.replyMemory.change(waiting - this.#outputHeld)
    this.#outputHeld = waiting
  }

  /** Reading goes on while a request is served, to notice that the client is gone, but not for long. */
  #adjustReading(): void {
    const memory = this.#settings.requestMemory
    const shouldRead = this.#mayStart()
      ? memory.mayRead(this, this.#frames.isMidFrame, () => this.#pump())
      : this.#frames.cost <= MAX_INPUT_WHILE_BUSY && !memory.isOver
    if (shouldRead === this.#isReading) return
    this.#isReading = shouldRead
    if (shouldRead) this.#stream.resume()
    else this.#stream.pause()
  }

  #endIfIdle(): void {
    if (this.#slots.length > 0 || this.#isClosed) return
    if (this.#isClosing || this.#inputEnded) this.#end()
  }

  #end(): void {
    if (this.#isClosed || this.#stream.writableEnded) return
    this.#stream.end(() => this.#stream.destroy())
  }

  #tellListeners(): void {
    const listeners = [...this.#closeListeners]
    this.#closeListeners.clear()
    for (const listener of listeners) listener()
  }

  #onClosed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#throttled?.cancel()
    this.#accountOutput()
    this.#release(this.#inputHeld)
    this.#tellListeners()
    this.#settings.onEnd()
  }
}
