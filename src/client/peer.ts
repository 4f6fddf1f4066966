// One broker address and our connections to it, one per lane, each with the versions that broker offers.
// Keeps the broker's throttling (KIP-219) and the pauses between attempts to connect (reconnect.backoff.ms).

import type { Clock } from '../base/clock.ts'
import { version as softwareVersion } from '../base/version.ts'
import { ErrorCode, errorName, KafkaError, ProtocolError } from '../protocol/errors.ts'
import { decodeResponsePayload, encodeRequestPayload } from '../protocol/frames.ts'
import { ApiVersions } from '../protocol/apis/api-versions.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { backoffMs } from './backoff.ts'
import type { ClientConfig } from './client-config.ts'
import type { Lane } from './cluster.ts'
import { closedError, silentError } from './connect-errors.ts'
import { ConnectError, TimeoutError } from './errors.ts'
import { formatEndpoint, type Endpoint, type OpenWire, type Wire, type WireOptions } from './wire.ts'

const SOFTWARE_NAME = 'ktool'

export interface Versions {
  readonly apis: ReadonlyMap<number, { readonly minVersion: number; readonly maxVersion: number }>
  readonly answer: ResponseOf<typeof ApiVersions>
}

export interface Connection {
  readonly peer: Peer
  readonly wire: Wire
  readonly versions: Versions
  /** An answer beyond ApiVersions came: the listener takes us. */
  isProven: boolean
  lastUsedAt: number // monotonic ms
  pending: number
}

export interface PeerContext {
  readonly config: ClientConfig
  readonly openWire: () => OpenWire | Promise<OpenWire>
  readonly clock: Clock
  /** Finds a better reason for a failure, or gives back the one it got. */
  readonly diagnose: (error: unknown, endpoint: Endpoint, options: WireOptions) => Promise<unknown>
}

export interface Exchange {
  readonly maxVersion?: number | undefined
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly oneWay?: boolean
}

export class Peer {
  readonly endpoint: Endpoint
  readonly #context: PeerContext
  readonly #lanes = new Map<Lane, Promise<Connection>>()
  readonly #open = new Set<Connection>()
  #failures = 0
  #retryAt = -Infinity
  #mutedUntil = -Infinity
  #isClosed = false
  /** Whether it ever answered: only then is a failure to connect taken for a passing one. */
  hasAnswered = false

  constructor(endpoint: Endpoint, context: PeerContext) {
    this.endpoint = endpoint
    this.#context = context
  }

  get isConnected(): boolean {
    return this.#open.size > 0
  }

  /** Ms to wait before the next attempt to connect. */
  get pauseMs(): number {
    return this.isConnected ? 0 : Math.max(this.#retryAt - this.#context.clock.monotonic(), 0)
  }

  /** Ms the broker asked us not to send. */
  get mutedMs(): number {
    return Math.max(this.#mutedUntil - this.#context.clock.monotonic(), 0)
  }

  /** The lane's connection, opened if need be; senders share one attempt. Throws ConnectError. */
  connect(lane: Lane): Promise<Connection> {
    let connection = this.#lanes.get(lane)
    if (connection === undefined) {
      connection = this.#connect(lane)
      this.#lanes.set(lane, connection)
      connection.catch(() => this.#lanes.delete(lane))
    }
    return connection
  }

  close(): Promise<void> {
    this.#isClosed = true
    return this.#closeAll([...this.#open])
  }

  /** Closes connections that nobody used for `maxIdleMs`. */
  async closeIdle(maxIdleMs: number): Promise<void> {
    const before = this.#context.clock.monotonic() - maxIdleMs
    await this.#closeAll(
      [...this.#open].filter(({ pending, lastUsedAt }) => pending === 0 && lastUsedAt <= before),
    )
  }

  async #closeAll(connections: readonly Connection[]): Promise<void> {
    await Promise.all(connections.map(({ wire }) => wire.close()))
  }

  async #connect(lane: Lane): Promise<Connection> {
    const { config, clock } = this.#context
    const options: WireOptions = {
      clientId: config.clientId,
      setupTimeoutMs: config.socketConnectionSetupTimeoutMs,
      tls: config.tls,
      sasl: config.sasl,
    }
    let wire: Wire | undefined
    try {
      wire = await (await this.#context.openWire())(this.endpoint, options)
      if (this.#isClosed) throw closedError(this.endpoint)
      const versions = await askVersions(wire, options.setupTimeoutMs)
      const connection: Connection = {
        peer: this,
        wire,
        versions,
        isProven: false,
        lastUsedAt: clock.monotonic(),
        pending: 0,
      }
      this.#keep(connection, lane)
      return connection
    } catch (error) {
      await wire?.close()
      const { reconnectBackoffMs, reconnectBackoffMaxMs } = config
      this.#retryAt =
        clock.monotonic() + backoffMs(this.#failures++, reconnectBackoffMs, reconnectBackoffMaxMs)
      if (this.#isClosed) throw error
      // The only request so far was ApiVersions.
      const failure =
        error instanceof TimeoutError ? silentError(this.endpoint, options.setupTimeoutMs) : error
      throw await this.#context.diagnose(failure, this.endpoint, options)
    }
  }

  #keep(connection: Connection, lane: Lane): void {
    this.#open.add(connection)
    this.hasAnswered = true
    this.#failures = 0
    this.#retryAt = -Infinity
    void connection.wire.closed.then(() => {
      this.#open.delete(connection)
      this.#lanes.delete(lane) // a newer connection can't be there: it would have to be made first
    })
  }

  /**
   * One request on one connection. undefined when `oneWay`. Throws KafkaError UNSUPPORTED_VERSION, or as
   * Wire.send.
   */
  async exchange<A extends Api>(
    connection: Connection,
    api: A,
    request: RequestInput<A>,
    how: Exchange,
  ): Promise<ResponseOf<A> | undefined> {
    const version = commonVersion(api, connection.versions, how.maxVersion)
    if (version === undefined) throw unsupported(api, connection, how.maxVersion)
    connection.pending++
    connection.lastUsedAt = this.#context.clock.monotonic()
    try {
      const answer = await connection.wire.send({
        apiName: api.name,
        apiKey: api.key,
        apiVersion: version,
        payload: encodeRequestPayload(api as Api, version, request),
        timeoutMs: how.timeoutMs,
        signal: how.signal,
        oneWay: how.oneWay ?? false,
      })
      if (answer === undefined) return undefined
      const response = decode(connection, api, version, answer)
      connection.isProven = true
      this.#throttle(response)
      return response
    } catch (error) {
      throw await this.#explain(error, connection)
    } finally {
      connection.pending--
    }
  }

  /**
   * A listener that wants a login answers ApiVersions and then closes: the first real request is when we
   * learn it.
   */
  async #explain(error: unknown, connection: Connection): Promise<unknown> {
    const isUnexplained = error instanceof ConnectError && error.reason === 'closed'
    if (!isUnexplained || connection.isProven || this.#isClosed) return error
    const { config } = this.#context
    const options = { clientId: config.clientId, setupTimeoutMs: config.socketConnectionSetupTimeoutMs }
    return this.#context.diagnose(error, this.endpoint, { ...options, tls: config.tls, sasl: config.sasl })
  }

  #throttle(response: object): void {
    const { throttleTimeMs } = response as { throttleTimeMs?: number }
    if (throttleTimeMs !== undefined && throttleTimeMs > 0) {
      const until = this.#context.clock.monotonic() + throttleTimeMs
      this.#mutedUntil = Math.max(this.#mutedUntil, until)
    }
  }
}

function decode<A extends Api>(
  connection: Connection,
  api: A,
  version: number,
  answer: Buffer,
): ResponseOf<A> {
  try {
    return decodeResponsePayload(api as Api, version, answer) as ResponseOf<A>
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    void connection.wire.close()
    const at = formatEndpoint(connection.wire.endpoint)
    throw new ProtocolError(`${at} answered ${api.name} version ${version} with nonsense: ${error.message}`, {
      cause: error,
    })
  }
}

/** The highest version of `api` that both ends have, at most `maxVersion`; undefined when there is none. */
export function commonVersion(api: Api, versions: Versions, maxVersion = Infinity): number | undefined {
  const range = versions.apis.get(api.key)
  if (range === undefined) return undefined
  const version = Math.min(api.versions[1], range.maxVersion, maxVersion)
  return version >= api.versions[0] && version >= range.minVersion ? version : undefined
}

function unsupported(api: Api, connection: Connection, maxVersion: number | undefined): KafkaError {
  const range = connection.versions.apis.get(api.key)
  const at = formatEndpoint(connection.wire.endpoint)
  if (range === undefined)
    return new KafkaError('UNSUPPORTED_VERSION', `The broker ${at} does not support ${api.name}.`)
  const ours = `${api.versions[0]} to ${Math.min(api.versions[1], maxVersion ?? Infinity)}`
  const theirs = `${range.minVersion} to ${range.maxVersion}`
  return new KafkaError(
    'UNSUPPORTED_VERSION',
    `The broker ${at} has ${api.name} in versions ${theirs}, ktool in ${ours}.`,
  )
}

/**
 * KIP-511: a broker that doesn't know our version answers in version 0, and since 2.4 says which ones it
 * knows.
 */
async function askVersions(wire: Wire, timeoutMs: number): Promise<Versions> {
  let version = ApiVersions.versions[1]
  let answer = await ask(wire, version, timeoutMs)
  if (answer.errorCode === ErrorCode.UNSUPPORTED_VERSION && version > 0) {
    const known = answer.apiKeys.find(({ apiKey }) => apiKey === ApiVersions.key)?.maxVersion ?? 0
    version = Math.min(known, version - 1)
    answer = await ask(wire, version, timeoutMs)
  }
  if (answer.errorCode !== 0) {
    const text = `${formatEndpoint(wire.endpoint)} refused ApiVersions version ${version}`
    throw new KafkaError(errorName(answer.errorCode), text)
  }
  return { apis: new Map(answer.apiKeys.map(({ apiKey, ...range }) => [apiKey, range])), answer }
}

async function ask(wire: Wire, version: number, timeoutMs: number): Promise<ResponseOf<typeof ApiVersions>> {
  const answer = await wire.send({
    apiName: ApiVersions.name,
    apiKey: ApiVersions.key,
    apiVersion: version,
    payload: encodeRequestPayload(ApiVersions, version, {
      clientSoftwareName: SOFTWARE_NAME,
      clientSoftwareVersion: softwareVersion,
    }),
    timeoutMs,
  })
  if (answer === undefined || answer.length < 2)
    throw new ProtocolError(`${formatEndpoint(wire.endpoint)} answered nothing`)
  return decodeResponsePayload(
    ApiVersions,
    answer.readInt16BE() === ErrorCode.UNSUPPORTED_VERSION ? 0 : version,
    answer,
  )
}
