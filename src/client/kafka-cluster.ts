// The one implementation of Cluster: which broker to ask, over which connection, and whether to ask again.
// Each call has one deadline for everything it does.

import { setMaxListeners } from 'node:events'
import { assert } from '../base/assert.ts'
import { systemClock, type Clock, type Timer } from '../base/clock.ts'
import { silentLogger, type Logger } from '../base/logger.ts'
import { Metadata } from '../protocol/apis/metadata.ts'
import { ErrorCode, KafkaError } from '../protocol/errors.ts'
import { ZERO_UUID } from '../protocol/reader.ts'
import type { Api, RequestInput, ResponseOf } from '../protocol/schema.ts'
import { backoffMs } from './backoff.ts'
import type { ClientConfig } from './client-config.ts'
import type {
  BrokerNode, BrokerVersions, CallOptions, Cluster, ClusterMetadata, ConnectOptions, Lane, Leader,
  MetadataOptions,
  SendOptions, Target, TopicMetadata, Wait,
} from './cluster.ts' // prettier-ignore
import { closedError } from './connect-errors.ts'
import { ConnectError, TimeoutError } from './errors.ts'
import { MetadataCache } from './metadata-cache.ts'
import { commonVersion, Peer, type Connection, type PeerContext } from './peer.ts'
import { Waiting, type Deadline } from './waiting.ts'
import { formatEndpoint, type Endpoint } from './wire.ts'

// A broker that is named by the cluster and refuses us may be restarting; for longer it is a mistake to
// report.
const ADVERTISED_PATIENCE_MS = 1_000
const SHORTEST_IDLE_CHECK_MS = 1_000

/** Lazy: the first call connects. */
export function connectCluster(config: ClientConfig, options: ConnectOptions = {}): Cluster {
  return new KafkaCluster(config, options)
}

class KafkaCluster implements Cluster {
  readonly config: ClientConfig
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #patienceMs: number
  readonly #peers = new Map<string, Peer>() // by endpoint; the bootstrap servers' are never dropped
  readonly #context: PeerContext
  readonly #cache = new MetadataCache()
  readonly #refreshing = new Map<string, Promise<ClusterMetadata>>()
  readonly #closing = new AbortController()
  readonly #waiting: Waiting
  #idleTimer: Timer | undefined
  #turn = 0

  constructor(config: ClientConfig, options: ConnectOptions) {
    const { openWire, clock = systemClock, logger = silentLogger, patienceMs = 0 } = options
    this.config = config
    this.#clock = clock
    this.#logger = logger
    this.#patienceMs = patienceMs
    this.#context = {
      config,
      clock,
      // Loaded on the first call, so that a command that only prints its help doesn't pay for it.
      openWire: () => openWire ?? import('./kafkajs-wire.ts').then((module) => module.openKafkajsWire),
      diagnose: async (error, endpoint, wireOptions) => {
        if (openWire) return error // what it opens need not be sockets
        const module = await import('./diagnose.ts')
        return module.diagnose(error, endpoint, wireOptions)
      },
    }
    setMaxListeners(0, this.#closing.signal) // one for each call that waits
    this.#waiting = new Waiting(clock, this.#closing.signal)
  }

  async call<A extends Api>(
    api: A,
    request: RequestInput<A>,
    options: CallOptions<A> = {},
  ): Promise<ResponseOf<A>> {
    const { node = 'any', lane = 'control', maxVersion, retryIf } = options
    const deadline = this.#deadline(options)
    for (let attempt = 0; ; attempt++) {
      let response: ResponseOf<A> | undefined
      let failure: unknown
      try {
        response = await this.#exchange(
          api,
          request,
          { node, lane, maxVersion, signal: options.signal },
          deadline,
        )
        if (retryIf?.(response) !== true) return response
      } catch (error) {
        if (!this.#mayPass(error, deadline.startedAt)) throw error
        this.#logger.warn(`${api.name}: ${(error as Error).message}`)
        failure = error
      }
      const pause = backoffMs(attempt, this.config.retryBackoffMs, this.config.retryBackoffMaxMs)
      if (attempt >= this.config.retries || this.#clock.monotonic() + pause >= deadline.at) {
        if (response !== undefined) return response
        throw failure
      }
      if (node === 'controller') this.#cache.invalidate()
      await this.#waiting.sleep(pause, options.signal)
    }
  }

  async send<A extends Api>(api: A, request: RequestInput<A>, options: SendOptions): Promise<ResponseOf<A>> {
    return this.#exchange(
      api,
      request,
      options,
      this.#deadline({ timeoutMs: options.timeoutMs ?? this.config.requestTimeoutMs }),
    )
  }

  async sendOneWay<A extends Api>(api: A, request: RequestInput<A>, options: SendOptions): Promise<void> {
    const { node, lane, timeoutMs = this.config.requestTimeoutMs, maxVersion, signal } = options
    const deadline = this.#deadline({ timeoutMs })
    const connection = await this.#connect(node, lane, deadline, signal)
    await connection.peer.exchange(connection, api, request, {
      maxVersion,
      timeoutMs: this.#waiting.left(deadline),
      signal,
      oneWay: true,
    })
  }

  async versionsOf(node: Target, wait: Wait = {}): Promise<BrokerVersions> {
    const { versions } = await this.#connectWithPatience(node, wait)
    const { supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch } = versions.answer
    return { apis: versions.apis, supportedFeatures, finalizedFeatures, finalizedFeaturesEpoch }
  }

  async versionFor(api: Api, node: Target, wait: Wait = {}): Promise<number | undefined> {
    return commonVersion(api, (await this.#connectWithPatience(node, wait)).versions)
  }

  async metadata(topics?: readonly string[], options: MetadataOptions = {}): Promise<ClusterMetadata> {
    if (topics === undefined || options.fresh || options.allowAutoTopicCreation)
      return this.#refresh(topics, options)
    const now = this.#clock.monotonic()
    const known = new Map<string, TopicMetadata>()
    const missing: string[] = []
    for (const name of new Set(topics)) {
      const topic = this.#cache.topic(name, now)
      if (topic) known.set(name, topic)
      else missing.push(name)
    }
    const cluster = this.#cache.cluster(now)
    if (cluster && missing.length === 0) return { ...cluster, topics: known }
    const fresh = await this.#refresh(missing, options)
    return { ...fresh, topics: new Map([...known, ...fresh.topics]) }
  }

  async leader(topic: string, partition: number, wait: Wait = {}): Promise<Leader> {
    const deadline = this.#deadline(wait)
    const leaderless = new KafkaError('LEADER_NOT_AVAILABLE', `There is no leader for ${topic}-${partition}.`)
    for (let attempt = 0; ; attempt++) {
      let topics: ClusterMetadata['topics']
      try {
        topics = (await this.metadata([topic], { ...wait, timeoutMs: this.#waiting.left(deadline) })).topics
      } catch (error) {
        // Out of time while asking again: that there was no leader says more.
        throw error instanceof TimeoutError && attempt > 0 ? leaderless : error
      }
      const described = topics.get(topic)
      const found = described?.partitions.find((candidate) => candidate.partition === partition)
      const error = described?.error ?? (found === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : undefined)
      if (error !== undefined && error !== 'LEADER_NOT_AVAILABLE') throw new KafkaError(error)
      if (described && found && found.leader >= 0) {
        return { node: found.leader, leaderEpoch: found.leaderEpoch, topicId: described.topicId }
      }
      const pause = backoffMs(attempt, this.config.retryBackoffMs, this.config.retryBackoffMaxMs)
      if (this.#clock.monotonic() + pause >= deadline.at) throw leaderless
      await this.#waiting.sleep(pause, wait.signal)
    }
  }

  invalidate(topic?: string): void {
    this.#cache.invalidate(topic)
  }

  async close(): Promise<void> {
    this.#closing.abort(closedError(this.config.bootstrapServers[0]))
    this.#idleTimer?.cancel()
    await Promise.all([...this.#peers.values()].map((peer) => peer.close()))
  }

  async #exchange<A extends Api>(
    api: A,
    request: RequestInput<A>,
    to: { node: Target; lane: Lane; maxVersion?: number | undefined; signal?: AbortSignal | undefined },
    deadline: Deadline,
  ): Promise<ResponseOf<A>> {
    const { maxVersion, signal } = to
    const connection = await this.#connect(to.node, to.lane, deadline, signal)
    const timeoutMs = Math.min(this.#waiting.left(deadline), Math.max(this.config.requestTimeoutMs, 1))
    const response = await connection.peer.exchange(connection, api, request, {
      maxVersion,
      timeoutMs,
      signal,
    })
    assert(response !== undefined, `${api.name} has no answer`)
    return response
  }

  /** A connection to the target, all pauses observed. */
  async #connect(target: Target, lane: Lane, deadline: Deadline, signal?: AbortSignal): Promise<Connection> {
    this.#closing.signal.throwIfAborted()
    signal?.throwIfAborted()
    const connection =
      target === 'any'
        ? await this.#connectAny(lane, deadline, signal)
        : await this.#connectNode(target, lane, deadline, signal)
    while (connection.peer.mutedMs > 0)
      await this.#waiting.sleep(Math.min(connection.peer.mutedMs, this.#waiting.left(deadline)), signal)
    this.#armIdleTimer()
    return connection
  }

  async #connectWithPatience(node: Target, wait: Wait): Promise<Connection> {
    const deadline = this.#deadline(wait)
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#connect(node, 'control', deadline, wait.signal)
      } catch (error) {
        const pause = backoffMs(attempt, this.config.retryBackoffMs, this.config.retryBackoffMaxMs)
        if (!this.#mayPass(error, deadline.startedAt) || this.#clock.monotonic() + pause >= deadline.at)
          throw error
        await this.#waiting.sleep(pause, wait.signal)
      }
    }
  }

  /** Whoever is connected already, else the known brokers in turn, else the bootstrap servers. */
  async #connectAny(lane: Lane, deadline: Deadline, signal?: AbortSignal): Promise<Connection> {
    const known = this.#cache.brokers.map((broker) => this.#peer(broker))
    const turn = this.#turn++ % Math.max(known.length, 1)
    const peers = new Set([
      ...known.slice(turn),
      ...known.slice(0, turn),
      ...this.config.bootstrapServers.map((server) => this.#peer(server)),
    ])
    const sorted = [...peers].sort(
      (a, b) => Number(b.isConnected) - Number(a.isConnected) || a.pauseMs - b.pauseMs,
    )
    const failures: unknown[] = []
    for (const peer of sorted) {
      try {
        return await this.#connectPeer(peer, lane, deadline, signal)
      } catch (error) {
        if (!(error instanceof ConnectError) || this.#closing.signal.aborted || signal?.aborted) throw error
        failures.push(error)
      }
    }
    // One that won't pass by itself says most; among equals the first, which is the user's first server.
    throw failures.find((error) => error instanceof ConnectError && !error.retriable) ?? failures[0]
  }

  async #connectNode(
    target: number | 'controller',
    lane: Lane,
    deadline: Deadline,
    signal?: AbortSignal,
  ): Promise<Connection> {
    let broker = this.#brokerFor(target)
    if (broker === undefined) {
      const cluster = await this.#refresh([], { timeoutMs: this.#waiting.left(deadline), signal })
      if (target === 'controller' && cluster.controllerId < 0) return this.#connectAny(lane, deadline, signal)
      broker = this.#brokerFor(target)
    }
    if (broker === undefined) {
      throw new KafkaError(
        'BROKER_NOT_AVAILABLE',
        `The cluster has no live broker ${target === 'controller' ? 'that leads it' : target}.`,
      )
    }
    try {
      return await this.#connectPeer(this.#peer(broker), lane, deadline, signal)
    } catch (error) {
      throw error instanceof ConnectError ? this.#advertisedError(error, broker) : error
    }
  }

  #brokerFor(target: number | 'controller'): BrokerNode | undefined {
    const id = target === 'controller' ? this.#cache.cluster(this.#clock.monotonic())?.controllerId : target
    return this.#cache.brokers.find(({ nodeId }) => nodeId === id)
  }

  async #connectPeer(peer: Peer, lane: Lane, deadline: Deadline, signal?: AbortSignal): Promise<Connection> {
    if (peer.pauseMs > 0)
      await this.#waiting.sleep(Math.min(peer.pauseMs, this.#waiting.left(deadline)), signal)
    return this.#waiting.within(
      peer.connect(lane),
      deadline,
      signal,
      `connection to ${formatEndpoint(peer.endpoint)}`,
    )
  }

  /** The address came from the cluster, not from the user: both have to be shown. */
  #advertisedError(error: ConnectError, broker: BrokerNode): ConnectError {
    const at = formatEndpoint(broker)
    const servers = this.config.bootstrapServers.map(formatEndpoint)
    if (servers.includes(at) || this.#peer(broker).hasAnswered || this.#closing.signal.aborted) return error
    return new ConnectError(error.reason, at, {
      message:
        `${servers.join(',')} answers and says that broker ${broker.nodeId} is at ${at}, ` +
        `which can't be reached from here: ${error.message}`,
      hint: `Set advertised.listeners on the broker to an address that clients can reach, or make ${at} lead to it.`,
      cause: error,
    })
  }

  #peer(endpoint: Endpoint): Peer {
    const key = formatEndpoint(endpoint)
    let peer = this.#peers.get(key)
    if (peer === undefined) {
      peer = new Peer({ host: endpoint.host, port: endpoint.port }, this.#context)
      this.#peers.set(key, peer)
    }
    return peer
  }

  /** Asks for metadata; the same question is asked once at a time. */
  #refresh(topics: readonly string[] | undefined, options: MetadataOptions): Promise<ClusterMetadata> {
    const key = options.allowAutoTopicCreation || options.signal ? undefined : (topics?.join(',') ?? '*')
    const running = key === undefined ? undefined : this.#refreshing.get(key)
    if (running) return running
    const refreshed = this.#askMetadata(topics, options)
    if (key === undefined) return refreshed
    this.#refreshing.set(key, refreshed)
    const done = () => this.#refreshing.delete(key)
    refreshed.then(done, done)
    return refreshed
  }

  async #askMetadata(
    topics: readonly string[] | undefined,
    options: MetadataOptions,
  ): Promise<ClusterMetadata> {
    const request = {
      topics: topics?.map((name) => ({ topicId: ZERO_UUID, name })) ?? null,
      allowAutoTopicCreation: options.allowAutoTopicCreation ?? false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    }
    const response = await this.call(Metadata, request, {
      ...options,
      retryIf: ({ errorCode }) => {
        if (errorCode === ErrorCode.REBOOTSTRAP_REQUIRED) this.#cache.forget()
        return errorCode === ErrorCode.REBOOTSTRAP_REQUIRED
      },
    })
    if (response.errorCode !== 0) throw KafkaError.from(response.errorCode)
    const metadata = this.#cache.add(response, this.#clock.monotonic() + this.config.metadataMaxAgeMs)
    this.#dropStrangers()
    return metadata
  }

  /** Brokers that left the cluster: their addresses need no memory. */
  #dropStrangers(): void {
    const known = new Set([...this.#cache.brokers, ...this.config.bootstrapServers].map(formatEndpoint))
    for (const [key, peer] of this.#peers) if (!known.has(key) && !peer.isConnected) this.#peers.delete(key)
  }

  /**
   * Whether to try again: transport trouble with a broker that has answered before, or within the patience
   * allowed.
   */
  #mayPass(error: unknown, startedAt: number): boolean {
    if (this.#closing.signal.aborted) return false
    if (error instanceof TimeoutError) return true
    if (!(error instanceof ConnectError) || !error.retriable) return false
    if (this.#peers.get(error.endpoint)?.hasAnswered) return true
    const isBootstrap = this.config.bootstrapServers.some(
      (server) => formatEndpoint(server) === error.endpoint,
    )
    return this.#clock.monotonic() - startedAt < (isBootstrap ? this.#patienceMs : ADVERTISED_PATIENCE_MS)
  }

  #deadline(wait: Wait): Deadline {
    return this.#waiting.deadline(wait.timeoutMs ?? this.config.defaultApiTimeoutMs)
  }

  #armIdleTimer(): void {
    const maxIdleMs = this.config.connectionsMaxIdleMs
    if (this.#idleTimer !== undefined || maxIdleMs < 0) return
    this.#idleTimer = this.#clock.after(Math.max(maxIdleMs, SHORTEST_IDLE_CHECK_MS), () => {
      this.#idleTimer = undefined
      const peers = [...this.#peers.values()]
      for (const peer of peers) void peer.closeIdle(maxIdleMs)
      if (peers.some((peer) => peer.isConnected)) this.#armIdleTimer()
    })
  }
}
