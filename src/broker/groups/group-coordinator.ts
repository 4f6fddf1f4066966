// Groups as handlers use them: each call goes to the shard that keeps the group, and resolves when what it says is safe.

import { randomUUID } from 'node:crypto'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { BrokerConfig } from '../config/broker-configs.ts'
import { CoordinatorRuntime } from '../coordinator/runtime.ts'
import { answering } from '../coordinator/shard.ts'
import type { MetadataController } from '../metadata/controller.ts'
import type { Node } from '../metadata/topics.ts'
import type { Partitions } from '../partitions.ts'
import type { ClassicGroup } from './classic-group.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from './classic-requests.ts'
import { GroupShard } from './group-shard.ts'
import type { Committer, GroupType, OffsetReader } from './group.ts'
import type { ConsumerGroup } from './consumer/consumer-group.ts'
import type { HeartbeatRequest, HeartbeatResult } from './consumer/heartbeat.ts'
import { consumerSettings } from './consumer/surroundings.ts'
import type { CommittedOffset, OffsetEntry, OffsetKey } from './offsets.ts'
import { groupTopics } from './topics.ts'

export interface GroupCoordinatorOptions {
  readonly metadata: MetadataController
  readonly partitions: Partitions
  readonly config: BrokerConfig
  readonly node: Node
  readonly clock: Clock
  readonly logger: Logger
}

/** An offset as a fetch finds it. */
export interface FoundOffset {
  readonly key: OffsetKey
  /** undefined: there is none. */
  readonly offset: CommittedOffset | undefined
  /** An open transaction is about to move it. */
  readonly isPending: boolean
}

export interface ListedGroup {
  readonly id: string
  readonly protocolType: string
  readonly state: string
  readonly type: GroupType
}

export const GROUPS_TOPIC = '__consumer_offsets'
const OUTSIDER = { memberId: null, memberEpoch: -1 }
// Every join compares its protocols with those of all members: clients have one to three.
const MAX_PROTOCOLS = 100
const MAX_ID_PREFIX = 1000
const NEW_MEMBER_JOIN_TIMEOUT_MS = 300_000 // group.new.member.join.timeout.ms, internal in Kafka

export class GroupCoordinator {
  readonly #metadata: MetadataController
  readonly #logger: Logger
  readonly #config: BrokerConfig
  readonly #runtime: CoordinatorRuntime<GroupShard>

  constructor({ metadata, partitions, config, node, clock, logger }: GroupCoordinatorOptions) {
    this.#metadata = metadata
    this.#logger = logger
    this.#config = config
    const settings = {
      maxSize: config.groupMaxSize,
      initialDelayMs: config.groupInitialRebalanceDelayMs,
      newMemberJoinTimeoutMs: NEW_MEMBER_JOIN_TIMEOUT_MS,
      offsetsRetentionMs: config.offsetsRetentionMs,
      offsetsRetentionCheckMs: config.offsetsRetentionCheckIntervalMs,
      consumer: {
        topics: groupTopics(metadata),
        settings: (groupId: string) => consumerSettings(config, metadata.image, groupId),
      },
    }
    this.#runtime = new CoordinatorRuntime({
      topic: {
        name: GROUPS_TOPIC,
        partitions: config.offsetsTopicPartitions,
        configs: {
          'cleanup.policy': 'compact',
          'compression.type': 'producer',
          'segment.bytes': String(config.offsetsTopicSegmentBytes),
        },
      },
      makeShard: () => new GroupShard(settings),
      metadata,
      partitions,
      config,
      node,
      clock,
      logger,
    })
  }

  /** Reads what the log says, before anybody is served. */
  async open(): Promise<void> {
    await this.#runtime.open()
    // A crash may have come between a topic's deletion and that of its offsets.
    await this.#dropOffsets((name, id) => {
      const topic = this.#metadata.image.topic(name)
      return topic === undefined || (id !== ZERO_UUID && id !== topic.id)
    })
    this.#metadata.onChange(async ({ createdTopics, deletedTopics, changedPartitions }) => {
      this.#tellOfTopics([...createdTopics, ...deletedTopics, ...changedPartitions.map(({ topic }) => topic)], createdTopics.length > 0)
      const names = new Set(deletedTopics.map(({ name }) => name))
      if (names.size > 0) await this.#dropOffsets((name) => names.has(name))
    })
  }

  close(): void {
    this.#runtime.close()
  }

  /** Makes the topic when it is not there. Rejects with COORDINATOR_NOT_AVAILABLE. */
  ensureTopic(): Promise<void> {
    return this.#runtime.ensureTopic()
  }

  /** The partition of __consumer_offsets that the group is kept in; -1 while there is none. */
  partitionOf(groupId: string): number {
    return this.#runtime.partitionOf(groupId)
  }

  /** Writes the marker that ends a transaction's offset commits. */
  endTransaction(...args: Parameters<CoordinatorRuntime<GroupShard>['endTransaction']>): Promise<void> {
    return this.#runtime.endTransaction(...args)
  }

  /** Resolves when the group is complete. KafkaError where the group could not be asked. */
  async join(groupId: string, request: Omit<JoinRequest, 'newMemberId'>): Promise<JoinResult> {
    checkGroupId(groupId)
    const { sessionTimeoutMs, instanceId, clientId } = request
    const { groupMinSessionTimeoutMs, groupMaxSessionTimeoutMs } = this.#config
    if (sessionTimeoutMs < groupMinSessionTimeoutMs || sessionTimeoutMs > groupMaxSessionTimeoutMs) {
      throw new KafkaError('INVALID_SESSION_TIMEOUT')
    }
    if (request.protocols.length > MAX_PROTOCOLS) throw new KafkaError('INVALID_REQUEST')
    // The id must fit into an answer, whatever it is made from.
    const withId = { ...request, newMemberId: `${(instanceId ?? clientId).slice(0, MAX_ID_PREFIX)}-${randomUUID()}` }
    return this.#runtime.run(groupId, (shard, now, ticket) => shard.join(groupId, withId, now, ticket))
  }

  /** Of a member of a consumer group; the request is known to make sense. KafkaError where it is not answered. */
  consumerHeartbeat(groupId: string, request: HeartbeatRequest): Promise<HeartbeatResult> {
    return this.#runtime.run(groupId, (shard, now, ticket) => shard.consumerHeartbeat(groupId, request, now, ticket))
  }

  async sync(groupId: string, request: SyncRequest): Promise<SyncResult> {
    checkGroupId(groupId)
    return this.#runtime.run(groupId, (shard, now, ticket) => shard.sync(groupId, request, now, ticket))
  }

  async heartbeat(groupId: string, memberId: string, instanceId: string | null, generation: number): Promise<void> {
    checkGroupId(groupId)
    await this.#runtime.run<undefined>(groupId, (shard, now, ticket) => {
      shard.heartbeat(groupId, memberId, instanceId, generation, now)
      return answering(ticket, undefined)
    })
  }

  async leave(groupId: string, members: readonly MemberIdentity[]): Promise<ErrorName[]> {
    checkGroupId(groupId)
    return this.#runtime.run(groupId, (shard, now, ticket) => shard.leave(groupId, members, now, ticket))
  }

  /** Any group id does, also the empty one. */
  async commit(groupId: string, committer: Committer, offsets: readonly OffsetEntry[]): Promise<void> {
    await this.#runtime.run<undefined>(groupId, (shard, now, ticket) => {
      return shard.commit(groupId, committer, offsets, now, ticket)
    })
  }

  /** `keys` undefined: all that the group has. `reader`: a member of a consumer group, or somebody from outside. */
  fetch(groupId: string, keys: readonly OffsetKey[] | undefined, reader: OffsetReader = OUTSIDER): Promise<FoundOffset[]> {
    return this.#runtime.run(groupId, (shard, now, ticket) => {
      shard.find(groupId, now)?.checkFetch(reader)
      const { offsets } = shard
      const wanted = keys ?? offsets.of(groupId).map(([key]) => key)
      const found = wanted.map((key) => ({ key, offset: offsets.get(key), isPending: offsets.isPending(key) }))
      return answering(ticket, found)
    })
  }

  /** Of a consumer group what `look` makes of it. Rejects with GROUP_ID_NOT_FOUND. */
  describeConsumers<T>(groupId: string, look: (group: ConsumerGroup, defaultAssignor: string) => T): Promise<T> {
    return this.#runtime.run<T>(groupId, (shard, now, ticket) => {
      const group = shard.consumers.get(groupId)
      if (group !== undefined) return answering(ticket, look(group, shard.consumers.world(groupId, now).settings.assignors[0]))
      const isOther = shard.find(groupId, now) !== undefined
      throw new KafkaError('GROUP_ID_NOT_FOUND', isOther ? `Group ${groupId} is not a consumer group.` : `Group ${groupId} not found.`)
    })
  }

  /** Of a classic group what `look` makes of it; undefined when there is none. Rejects with GROUP_ID_NOT_FOUND when it is of another kind. */
  describe<T>(groupId: string, look: (group: ClassicGroup) => T): Promise<T | undefined> {
    return this.#runtime.run<T | undefined>(groupId, (shard, now, ticket) => {
      if (shard.consumers.has(groupId)) throw new KafkaError('GROUP_ID_NOT_FOUND', `Group ${groupId} is not a classic group.`)
      const group = shard.classic(groupId, now)
      return answering(ticket, group && look(group))
    })
  }

  async list(): Promise<ListedGroup[]> {
    const lists = this.#runtime.runAll<ListedGroup[]>((shard, now, ticket) => {
      const groups = shard.ids().map((id) => shard.find(id, now)).filter((group) => group !== undefined)
      return answering(ticket, groups.map(({ id, protocolType, state, type }) => ({ id, protocolType, state, type })))
    })
    return (await Promise.all(lists)).flat()
  }

  async delete(groupId: string): Promise<void> {
    await this.#runtime.run<undefined>(groupId, (shard, now, ticket) => shard.delete(groupId, now, ticket))
  }

  /** Of partitions that nobody consumes: the others come back as in use. */
  async deleteOffsets(groupId: string, keys: readonly OffsetKey[]): Promise<{ deleted: OffsetKey[]; inUse: OffsetKey[] }> {
    checkGroupId(groupId)
    return this.#runtime.run(groupId, (shard, now, ticket) => shard.deleteOffsets(groupId, keys, now, ticket))
  }

  /** A shard that is being read hears nothing, and takes all for changed when it is there. */
  #tellOfTopics(topics: readonly { readonly name: string }[], hasNew: boolean): void {
    if (topics.length === 0) return
    const names = [...new Set(topics.map(({ name }) => name))]
    const told = this.#runtime.runAll<undefined>((shard, _now, ticket) => {
      shard.topicsChanged(names, hasNew)
      return answering(ticket, undefined)
    })
    void Promise.allSettled(told)
  }

  /** What can't be dropped now is dropped at the next start. */
  async #dropOffsets(isGone: (topic: string, topicId: string) => boolean): Promise<void> {
    const drops = this.#runtime.runAll<undefined>((shard, _now, ticket) => shard.dropOffsets(isGone, ticket))
    for (const drop of await Promise.allSettled(drops)) {
      if (drop.status === 'rejected') this.#logger.warn(`offsets of deleted topics stay: ${String(drop.reason)}`)
    }
  }
}

function checkGroupId(groupId: string): void {
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID')
}
