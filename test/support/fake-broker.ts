// A scripted broker for tests of the client: real sockets, real frames, and answers that a test sets per API,
// good or bad. For tests above Cluster there is fake-cluster.ts.

import net from 'node:net'
import tls from 'node:tls'
import { ApiVersions } from '../../src/protocol/apis/api-versions.ts'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { encodeResponseFrame, readRequestHeader, skipHeaderTags } from '../../src/protocol/frames.ts'
import { Reader, ZERO_UUID } from '../../src/protocol/reader.ts'
import type { Api, RequestOf, ResponseInput } from '../../src/protocol/schema.ts'

export interface Received {
  readonly api: string
  readonly version: number
  readonly clientId: string | null
  readonly connection: number
}

/** Bytes to send as they are, or what to do instead of answering. */
export type Misbehaviour = 'silence' | 'close' | 'reset' | 'wrongCorrelation' | Buffer

export type Answer<A> = ResponseInput<A> | Misbehaviour
type Script = (request: never, context: { version: number; socket: net.Socket }) => unknown

export interface FakeTopic {
  readonly partitions: number
  readonly leader?: number
  readonly leaderEpoch?: number
}

export class FakeBroker {
  readonly received: Received[] = []
  readonly topics = new Map<string, FakeTopic>()
  /** Others of the cluster, for Metadata. */
  peers: readonly FakeBroker[] = []
  controllerId: number
  readonly nodeId: number
  /** Advertised instead of the address it listens on. */
  advertised: { host: string; port: number } | undefined
  readonly #server: net.Server
  readonly #sockets = new Set<net.Socket>()
  readonly #scripts = new Map<number, { api: Api; script: Script; versions: readonly [number, number] }>()
  #connections = 0

  constructor(nodeId: number, tlsOptions?: tls.TlsOptions) {
    this.nodeId = nodeId
    this.controllerId = nodeId
    const onConnection = (socket: net.Socket) => this.#serve(socket)
    this.#server = tlsOptions ? tls.createServer(tlsOptions, onConnection) : net.createServer(onConnection)
    this.on(ApiVersions, () => this.versionsAnswer())
    this.on(Metadata, ({ topics }) => this.metadataAnswer(topics?.map(({ name }) => name ?? '')))
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return address.port
  }

  get connections(): number {
    return this.#connections
  }

  listen(host = '127.0.0.1', port = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => resolve())
    })
  }

  /** The answer to `api` from now on; `versions` is what ApiVersions advertises. */
  on<A extends Api>(
    api: A,
    script: (
      request: RequestOf<A>,
      context: { version: number; socket: net.Socket },
    ) => Answer<A> | Promise<Answer<A>>,
    versions: readonly [number, number] = api.versions,
  ): this {
    this.#scripts.set(api.key, { api, script: script, versions })
    return this
  }

  versionsAnswer(): ResponseInput<typeof ApiVersions> {
    const apiKeys = [...this.#scripts.values()].map(({ api, versions: [minVersion, maxVersion] }) => ({
      apiKey: api.key,
      minVersion,
      maxVersion,
    }))
    return {
      errorCode: 0,
      apiKeys,
      throttleTimeMs: 0,
      supportedFeatures: [],
      finalizedFeatures: [],
      finalizedFeaturesEpoch: -1,
    }
  }

  metadataAnswer(names?: readonly string[]): ResponseInput<typeof Metadata> {
    const brokers = [this, ...this.peers].map((broker) => ({
      nodeId: broker.nodeId,
      host: broker.advertised?.host ?? '127.0.0.1',
      port: broker.advertised?.port ?? broker.port,
    }))
    const topics = (names ?? [...this.topics.keys()]).map((name) => {
      const topic = this.topics.get(name)
      const partitions = Array.from({ length: topic?.partitions ?? 0 }, (_, partitionIndex) => {
        const leaderId = topic?.leader ?? this.nodeId
        const replicas = leaderId < 0 ? [this.nodeId] : [leaderId]
        const leaderEpoch = topic?.leaderEpoch ?? 0
        return {
          errorCode: leaderId < 0 ? 5 : 0,
          partitionIndex,
          leaderId,
          leaderEpoch,
          replicaNodes: replicas,
          isrNodes: replicas,
          offlineReplicas: [],
        }
      })
      return {
        errorCode: topic ? 0 : 3,
        name,
        topicId: ZERO_UUID.slice(0, 21) + 'Q',
        isInternal: false,
        partitions,
      }
    })
    return {
      throttleTimeMs: 0,
      brokers,
      clusterId: 'fake',
      controllerId: this.controllerId,
      topics,
      errorCode: 0,
    }
  }

  count(api: Api): number {
    return this.received.filter((request) => request.api === api.name).length
  }

  /** Ends the connections there are. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    this.drop()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #serve(socket: net.Socket): void {
    const connection = this.#connections++
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    let buffered: Buffer = Buffer.alloc(0)
    let last: Promise<void> = Promise.resolve()
    socket.on('data', (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk])
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE()) {
        const end = 4 + buffered.readInt32BE()
        const frame = buffered.subarray(4, end)
        buffered = buffered.subarray(end)
        last = last.then(() => this.#answer(socket, frame, connection))
      }
    })
  }

  async #answer(socket: net.Socket, frame: Buffer, connection: number): Promise<void> {
    const from = new Reader(frame)
    const { apiKey, apiVersion, correlationId, clientId } = readRequestHeader(from)
    const known = this.#scripts.get(apiKey)
    if (!known) {
      socket.destroy()
      return
    }
    const { api, script } = known
    if (apiVersion >= api.flexible) skipHeaderTags(from)
    this.received.push({ api: api.name, version: apiVersion, clientId, connection })
    const request = api.request.codec(apiVersion).decode(from) as never
    const answer = (await script(request, { version: apiVersion, socket })) as Answer<Api>
    if (answer === 'silence' || socket.destroyed) return
    if (answer === 'close') socket.end()
    else if (answer === 'reset') socket.resetAndDestroy()
    else if (Buffer.isBuffer(answer)) socket.write(answer)
    else {
      const id = answer === 'wrongCorrelation' ? correlationId + 77 : correlationId
      const body = answer === 'wrongCorrelation' ? this.versionsAnswer() : answer
      const writer = answer === 'wrongCorrelation' ? (ApiVersions as unknown as Api) : api
      const version = answer === 'wrongCorrelation' ? 0 : apiVersion
      for (const piece of encodeResponseFrame(writer, version, id, body as never)) socket.write(piece)
    }
  }
}

/** Listening on a free port of 127.0.0.1. Stop it in the end. */
export async function startFakeBroker(
  nodeId = 1,
  options?: { tls?: tls.TlsOptions; host?: string; port?: number },
): Promise<FakeBroker> {
  const broker = new FakeBroker(nodeId, options?.tls)
  await broker.listen(options?.host, options?.port)
  return broker
}
