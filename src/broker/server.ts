// The broker's sockets: binds the listeners, admits connections within the limits, looks after their deadlines, and at
// the end lets what has begun finish in bounded time. The only file of the broker that opens ports for clients.

import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { hostname } from 'node:os'
import type { Clock, Timer } from '../base/clock.ts'
import type { BrokerListener } from '../base/control-messages.ts'
import type { Logger } from '../base/logger.ts'
import type { ListenerConfig } from './config/broker-configs.ts'
import { ClientConnection, type ConnectionSettings } from './connection.ts'
import { ConnectionCounts, ReplyMemory, RequestMemory, Strangers, strangersLog } from './limits.ts'
import { addressesOf, advertisedHostOf, exposureOf } from './listeners.ts'
import { ANONYMOUS } from './security/acl.ts'
import type { ListenerSecurity } from './security/listener-security.ts'
import { SaslLogin } from './security/sasl-login.ts'
import { StartError } from './start-error.ts'
import { TlsDoor } from './tls-door.ts'

export interface ServerOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly maxConnections: number
  readonly maxConnectionsPerIp: number
  readonly maxIdleMs: number
  readonly maxFrameBytes: number
  readonly backlog: number
  /** Requests of all connections together, in bytes. */
  readonly requestMemoryBytes: number
  readonly serve: ConnectionSettings['serve']
}

const REPLY_MEMORY_BYTES = 64 * 1024 * 1024
const CHECK_INTERVAL_MS = 1000
const STOP_TIMEOUT_MS = 5000
const KEEP_ALIVE_MS = 30_000
const PORT_ATTEMPTS = 20 // for a free port on both loopback addresses
const OPEN: ListenerSecurity = { tls: undefined, sasl: undefined }

/** Where a connection came in. */
interface Door {
  readonly name: string
  readonly security: ListenerSecurity
  readonly tls: TlsDoor | undefined
}

export class Server {
  readonly requestMemory: RequestMemory
  readonly replyMemory = new ReplyMemory(REPLY_MEMORY_BYTES)
  readonly #options: ServerOptions
  readonly #counts: ConnectionCounts
  readonly #report: (line: string) => void
  readonly #servers: NetServer[] = []
  readonly #connections = new Set<ClientConnection>()
  readonly #strangers = new Strangers()
  #timer: Timer | undefined
  #isStopping = false
  #onEmpty: (() => void) | undefined

  constructor(options: ServerOptions) {
    this.#options = options
    this.requestMemory = new RequestMemory(options.requestMemoryBytes)
    this.#counts = new ConnectionCounts(options.maxConnections, options.maxConnectionsPerIp)
    this.#report = strangersLog(options.logger, options.clock)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /**
   * Binds the listeners, all or none; `securities` has what is not plaintext, by listener. Throws StartError with the
   * address that could not be had, or the certificate that can't be used.
   */
  async listen(
    configs: readonly ListenerConfig[],
    securities: ReadonlyMap<string, ListenerSecurity> = new Map(),
  ): Promise<BrokerListener[]> {
    try {
      const listeners: BrokerListener[] = []
      const doors = configs.map(({ name }): Door => {
        const security = securities.get(name) ?? OPEN
        return { name, security, tls: security.tls && new TlsDoor(name, security.tls) }
      })
      for (const [i, config] of configs.entries()) listeners.push(await this.#bind(config, doors[i]))
      return listeners
    } catch (error) {
      this.#closeServers()
      throw error
    }
  }

  #accept(socket: Socket, door: Door): void {
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    const remoteAddress = socket.remoteAddress ?? 'unknown'
    const refusal = this.#isStopping ? 'the broker stops' : this.#counts.enter(remoteAddress)
    if (refusal !== undefined) {
      this.#report(`connection from ${remoteAddress} refused: ${refusal}`)
      socket.destroy()
    } else if (door.tls === undefined) this.#serve(socket, door, remoteAddress, ANONYMOUS)
    else this.#shakeHands(socket, door.tls, door, remoteAddress)
  }

  /** `stream` is counted. */
  #serve(stream: ConnectionSettings['stream'], door: Door, remoteAddress: string, principal: string): void {
    const { clock, maxFrameBytes, maxIdleMs, serve } = this.#options
    const { sasl } = door.security
    const connection = new ClientConnection({
      stream,
      listener: door.name,
      principal,
      remoteAddress,
      clock,
      maxFrameBytes,
      maxIdleMs,
      requestMemory: this.requestMemory,
      replyMemory: this.replyMemory,
      report: this.#report,
      serve,
      startLogin: sasl && ((one) => new SaslLogin(one, sasl, clock)),
      maxLoginFrameBytes: sasl?.maxReceiveBytes,
      onLogin: () => this.#strangers.delete(connection),
      onEnd: () => {
        this.#strangers.delete(connection)
        this.#connections.delete(connection)
        this.#left(remoteAddress)
      },
    })
    this.#connections.add(connection)
    if (sasl !== undefined) this.#strangers.add(connection, clock.monotonic())
    this.#watch()
  }

  #left(remoteAddress: string): void {
    this.#counts.leave(remoteAddress)
    if (this.#connections.size === 0) this.#onEmpty?.()
  }

  #shakeHands(socket: Socket, tls: TlsDoor, door: Door, remoteAddress: string): void {
    const handshake = tls.shakeHands(socket, {
      done: (stream, principal) => {
        this.#strangers.delete(handshake)
        this.#serve(stream, door, remoteAddress, principal)
      },
      failed: (reason) => {
        this.#strangers.delete(handshake)
        this.#left(remoteAddress)
        if (reason !== undefined) this.#report(`connection from ${remoteAddress} closed: ${reason}`)
      },
    })
    this.#strangers.add(handshake, this.#options.clock.monotonic())
    this.#watch()
  }

  /** Takes no more connections and requests; what has begun gets some seconds to end. */
  async stop(): Promise<void> {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#closeServers()
    this.#strangers.closeAll('the broker stops')
    const allEnded = new Promise<void>((resolve) => (this.#onEmpty = resolve))
    for (const connection of [...this.#connections]) connection.finish()
    if (this.#connections.size > 0) {
      let timer: Timer | undefined
      const timeout = new Promise<void>((resolve) => (timer = this.#options.clock.after(STOP_TIMEOUT_MS, resolve, true)))
      await Promise.race([allEnded, timeout])
      timer?.cancel()
    }
    for (const connection of [...this.#connections]) connection.close('the broker stops')
    this.#timer?.cancel()
  }

  /** One timer for all deadlines, while there are connections. */
  #watch(): void {
    if (this.#timer !== undefined) return
    this.#timer = this.#options.clock.after(CHECK_INTERVAL_MS, () => {
      this.#timer = undefined
      const now = this.#options.clock.monotonic()
      this.#strangers.check(now)
      for (const connection of [...this.#connections]) connection.check(now)
      const { buffers } = this.replyMemory
      buffers.tidy(now)
      const isIdle = this.#connections.size + this.#strangers.count === 0 && buffers.freeBytes === 0
      if (!isIdle && !this.#isStopping) this.#watch()
    })
  }

  async #bind(config: ListenerConfig, door: Door): Promise<BrokerListener> {
    const addresses = addressesOf(config.host)
    for (let attempt = 1; ; attempt++) {
      let port = config.port
      const bound: NetServer[] = []
      try {
        for (const { address, isOptional } of addresses) {
          const server = await this.#listenOn(address, port, isOptional, door)
          if (server === undefined) continue
          bound.push(server)
          port = portOf(server)
        }
      } catch (error) {
        for (const server of bound) server.close()
        // A port that is free on one address may be taken on the other.
        if (config.port === 0 && attempt < PORT_ATTEMPTS && isInUse(error)) continue
        throw new StartError(describeBindError(config, error), { cause: error })
      }
      this.#servers.push(...bound)
      const exposure = exposureOf(config, door.security)
      if (exposure !== undefined) {
        this.#options.logger.warn(`listener ${config.name} on ${config.host || 'every interface'}:${port} ${exposure}`)
      }
      return {
        name: config.name,
        protocol: config.protocol,
        host: config.host === 'localhost' ? '127.0.0.1' : config.host || '0.0.0.0',
        port,
        advertisedHost: advertisedHostOf(config, hostname()),
        advertisedPort: config.advertisedPort || port,
      }
    }
  }

  async #listenOn(address: string, port: number, isOptional: boolean, door: Door): Promise<NetServer | undefined> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket, door))
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host: address, port, backlog: this.#options.backlog }, resolve)
      })
    } catch (error) {
      const code = codeOf(error)
      const isMissing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
      if (isMissing && address === '::') return this.#listenOn('0.0.0.0', port, false, door)
      if (isMissing && isOptional) return undefined
      throw error
    }
    server.removeAllListeners('error')
    // Want of file descriptors (EMFILE) loses one connection, never the broker.
    server.on('error', (error) => this.#report(`no connection accepted on ${address}:${port}: ${error.message}`))
    server.on('drop', () => this.#report(`no connection accepted on ${address}:${port}: too many are open`))
    return server
  }

  #closeServers(): void {
    for (const server of this.#servers) server.close()
    this.#servers.length = 0
  }
}

function portOf(server: NetServer): number {
  const address = server.address()
  return address !== null && typeof address === 'object' ? address.port : 0
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function isInUse(error: unknown): boolean {
  return codeOf(error) === 'EADDRINUSE'
}

function describeBindError(config: ListenerConfig, error: unknown): string {
  const where = `${config.host || '*'}:${config.port}`
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return `port ${config.port} is in use: another program listens on ${where}`
    case 'EACCES':
      return `not allowed to listen on ${where}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${config.host} is not an address of this machine`
    default:
      return `can't listen on ${where}: ${error instanceof Error ? error.message : String(error)}`
  }
}
