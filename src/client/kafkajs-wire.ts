// The wire over kafkajs's Connection, which contributes SASL, response framing and correlation. The only file
// that may import kafkajs at run time. Requests go past kafkajs's encoder, which would copy them twice,
// straight into its queue.
//
// Fenced off here (measured on 2.2.4): a timer that re-arms every ms from the first answer on (kafkajs#1556,
// and #1751: with a warning on Node 24); disconnect() waiting for pending requests; no notice of a socket
// that closes without 'end'; a request timeout below which none can go; the last response pinned in memory;
// unbounded response sizes.

import Connection from 'kafkajs/src/network/connection.js'
import net from 'node:net'
import type tls from 'node:tls'
import { systemClock, type Timer } from '../base/clock.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { frameRequest } from '../protocol/frames.ts'
import {
  authenticationError,
  closedError,
  noAddressError,
  notKafkaError,
  setupTimeoutError,
  socketError,
} from './connect-errors.ts'
import { ConnectError, TimeoutError } from './errors.ts'
import { tlsConnectOptions } from './tls-options.ts'
import {
  formatEndpoint,
  type Endpoint,
  type OpenWire,
  type Wire,
  type WireOptions,
  type WireRequest,
} from './wire.ts'

// Above any fetch (fetch.max.bytes is 50 MiB by default), below what 'HTTP', 'SSH-' or a TLS alert read as a
// length.
const MAX_RESPONSE_BYTES = 300 * 1024 * 1024
const KEEP_ALIVE_DELAY_MS = 60_000
const LONGEST_DELAY_MS = 2 ** 31 - 1

const silent = { namespace: () => silent, debug() {}, info() {}, warn() {}, error() {} }

export const openKafkajsWire: OpenWire = async (endpoint, options) => {
  // What a cluster advertises may be anything. Node takes an empty host for this machine, and throws at such a port.
  if (endpoint.host === '' || !(endpoint.port >= 1 && endpoint.port <= 65_535)) throw noAddressError(endpoint)
  // Loaded where it is used: it takes 5 ms.
  const wire = new KafkajsWire(endpoint, options, options.tls && (await import('node:tls')))
  await wire.open()
  return wire
}

interface Waiting {
  readonly deadline: number
  readonly apiName: string
  readonly timeoutMs: number
  readonly reject: (error: Error) => void
}

class KafkajsWire implements Wire {
  readonly endpoint: Endpoint
  readonly closed: Promise<Error | undefined>
  readonly #options: WireOptions
  readonly #tls: typeof tls | undefined
  readonly #connection: Connection
  readonly #waiting = new Set<Waiting>()
  #socket: net.Socket | undefined
  #failure: Error | undefined
  #setClosed: (failure: Error | undefined) => void = () => {}
  #sweep: { readonly at: number; readonly timer: Timer } | undefined

  constructor(endpoint: Endpoint, options: WireOptions, nodeTls: typeof tls | undefined) {
    this.endpoint = endpoint
    this.#options = options
    this.#tls = nodeTls
    this.closed = new Promise((resolve) => (this.#setClosed = resolve))
    const { sasl } = options
    this.#connection = new Connection({
      host: endpoint.host,
      port: endpoint.port,
      logger: silent,
      socketFactory: ({ onConnect }) => this.#connectSocket(onConnect),
      clientId: options.clientId,
      ssl: options.tls ? {} : null,
      sasl: sasl ? { ...sasl } : null,
      connectionTimeout: LONGEST_DELAY_MS, // ours ends first, and destroying the socket clears theirs
      requestTimeout: LONGEST_DELAY_MS,
      enforceRequestTimeout: false,
    })
    // SaslHandshake and SaslAuthenticate: every broker since 1.0 has both versions.
    this.#connection.setVersions({
      17: { minVersion: 0, maxVersion: 1 },
      36: { minVersion: 0, maxVersion: 1 },
    })
    this.#connection.setSupportAuthenticationProtocol(true)
    this.#guardQueue()
    this.#guardData()
  }

  async open(): Promise<void> {
    const { setupTimeoutMs, sasl } = this.#options
    let phase: 'connect' | 'login' = 'connect'
    const timer = systemClock.after(setupTimeoutMs, () => {
      this.#fail(setupTimeoutError(this.endpoint, setupTimeoutMs, phase))
    }, true) // prettier-ignore
    const gone = this.closed.then((failure) => {
      throw failure ?? closedError(this.endpoint)
    })
    gone.catch(() => {})
    try {
      await Promise.race([gone, this.#connection.connect()])
      phase = 'login'
      if (sasl) await Promise.race([gone, this.#logIn()])
    } catch (error) {
      this.#fail(phase === 'login' && sasl ? authenticationError(this.endpoint, sasl, error) : asError(error))
      throw this.#failure ?? error
    } finally {
      timer.cancel()
    }
  }

  async send(request: WireRequest): Promise<Buffer | undefined> {
    request.signal?.throwIfAborted()
    // Brokers limit a login's life (KIP-368, connections.max.reauth.ms); all senders share one renewal.
    if (this.#options.sasl && this.#failure === undefined && !this.#connection.isAuthenticated()) {
      await this.#renewLogin(this.#options.sasl)
    }
    if (this.#failure) throw this.#gone()
    return this.#sendNow(request)
  }

  async close(): Promise<void> {
    this.#fail(closedError(this.endpoint), true)
    const socket = this.#socket
    if (socket && !socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
  }

  #sendNow(request: WireRequest): Promise<Buffer | undefined> {
    const { apiKey, apiVersion, apiName, payload, oneWay = false, timeoutMs, signal } = request
    const correlationId = this.#connection.nextCorrelationId()
    const frame = frameRequest(
      { apiKey, apiVersion, correlationId, clientId: this.#options.clientId },
      payload,
    )
    return new Promise((resolve, reject) => {
      const onAbort = () => settle(() => reject(asError(signal?.reason as unknown)))
      const settle = (how: () => void) => {
        signal?.removeEventListener('abort', onAbort)
        how()
      }
      const waiting: Waiting = {
        deadline: systemClock.monotonic() + timeoutMs,
        apiName,
        timeoutMs,
        reject: (error) => settle(() => reject(error)),
      }
      const done = (answer?: Buffer) => {
        this.#waiting.delete(waiting)
        settle(() => resolve(answer))
      }
      this.#waiting.add(waiting)
      this.#armSweep(waiting.deadline)
      signal?.addEventListener('abort', onAbort)
      this.#connection.requestQueue.push({
        entry: {
          apiKey,
          apiName,
          apiVersion,
          correlationId,
          // Without an answer to wait for, a full socket buffer is what has to hold up the sender.
          resolve: ({ payload }) => (oneWay ? undefined : done(payload ?? Buffer.alloc(0))),
          reject: () => waiting.reject(this.#gone()),
        },
        expectResponse: !oneWay,
        sendRequest: () => this.#write(frame, oneWay ? () => done() : undefined),
      })
    })
  }

  #write(frame: readonly Buffer[], onFlushed?: () => void): void {
    const socket = this.#socket
    if (!socket) throw this.#gone()
    socket.cork()
    frame.forEach((piece, i) => {
      if (i === frame.length - 1)
        socket.write(piece, (error?: Error | null) => (error ? undefined : onFlushed?.()))
      else socket.write(piece)
    })
    socket.uncork()
  }

  /** kafkajs renews 10 s before the end; brokers refuse a renewal within 1 s of the last, so short lives need less. */
  async #logIn(): Promise<void> {
    await this.#connection.authenticate()
    const lifetimeMs = Number(String(this.#connection.sessionLifetime)) // 0: for ever
    this.#connection.reauthenticationThreshold = Math.min(10_000, lifetimeMs / 10)
  }

  async #renewLogin(sasl: NonNullable<WireOptions['sasl']>): Promise<void> {
    const { setupTimeoutMs } = this.#options
    const timer = systemClock.after(setupTimeoutMs, () => {
      this.#fail(setupTimeoutError(this.endpoint, setupTimeoutMs, 'login'))
    })
    try {
      await this.#logIn()
    } catch (error) {
      this.#fail(authenticationError(this.endpoint, sasl, error))
    } finally {
      timer.cancel()
    }
  }

  #connectSocket(onConnect: () => void): net.Socket {
    const { host, port } = this.endpoint
    const socket = this.#tls && this.#options.tls
      ? this.#tls.connect({ host, port, ...tlsConnectOptions(host, this.#options.tls) }, onConnect)
      : net.connect({ host, port }, onConnect)
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS)
    // First in line, so that everybody who waits hears our reason and not kafkajs's.
    socket.on('error', (error: Error) => this.#fail(socketError(this.endpoint, error, this.#options)))
    socket.on('end', () => this.#fail(closedError(this.endpoint)))
    socket.on('close', () => this.#fail(closedError(this.endpoint)))
    return socket
  }

  /** Ends everything, once. kafkajs clears its timers and rejects what it holds when the socket fails. */
  #fail(failure: Error, isOurs = false): void {
    if (this.#failure) return
    this.#failure = failure
    this.#sweep?.timer.cancel()
    this.#connection.rejectRequests(failure)
    for (const waiting of this.#waiting) waiting.reject(this.#gone()) // aborted, and those not yet written
    this.#waiting.clear()
    this.#socket?.destroy(failure)
    this.#setClosed(isOurs ? undefined : failure)
  }

  /** What everybody but the request at fault hears. */
  #gone(): Error {
    if (this.#failure instanceof ConnectError || this.#failure instanceof ProtocolError) return this.#failure
    return closedError(this.endpoint, this.#failure)
  }

  #armSweep(at: number): void {
    if (this.#sweep && this.#sweep.at <= at) return
    this.#sweep?.timer.cancel()
    const timer = systemClock.after(at - systemClock.monotonic(), () => {
      this.#sweep = undefined
      this.#expire()
    })
    this.#sweep = { at, timer }
  }

  #expire(): void {
    const now = systemClock.monotonic()
    let next = Infinity
    for (const waiting of this.#waiting) {
      if (waiting.deadline <= now) {
        const at = formatEndpoint(this.endpoint)
        const error = new TimeoutError(
          `${at} did not answer ${waiting.apiName} within ${waiting.timeoutMs} ms`,
        )
        waiting.reject(error)
        this.#fail(error)
        return
      }
      next = Math.min(next, waiting.deadline)
    }
    if (next < Infinity) this.#armSweep(next)
  }

  #guardQueue(): void {
    const queue = this.#connection.requestQueue
    queue.scheduleCheckPendingRequests = () => {} // nothing ever waits there: we throttle and limit above
    const fulfill = queue.fulfillRequest.bind(queue)
    queue.fulfillRequest = (answer) => {
      if (!queue.inflight.has(answer.correlationId)) {
        throw new ProtocolError(`an answer to request ${answer.correlationId}, which was not asked`)
      }
      fulfill(answer)
    }
  }

  #guardData(): void {
    const connection = this.#connection
    const process = connection.processData.bind(connection)
    connection.processData = (bytes) => {
      if (this.#failure) return
      try {
        process(bytes)
        if (connection.bytesBuffered === 0) connection.chunks = []
        if (connection.bytesNeeded > MAX_RESPONSE_BYTES) {
          this.#fail(
            notKafkaError(this.endpoint, Buffer.concat(connection.chunks).subarray(0, 64), this.#options),
          )
        }
      } catch (error) {
        const text = `${formatEndpoint(this.endpoint)} sent ${asError(error).message}`
        this.#fail(
          error instanceof ProtocolError ? new ProtocolError(text) : new ProtocolError(`${text} (bad frame)`),
        )
      }
    }
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
