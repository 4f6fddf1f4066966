// The groups kept in one partition of __consumer_offsets, over one map of group ids. A record's type picks the module that
// replays it: classic groups, consumer groups (consumer/), or the offsets of all; records of other kinds of groups are
// carried, so that their ids stay theirs. An id is one kind of group's at a time, and what turns one kind into the other
// is here; what holds for groups of any kind is asked of the `Group`.

import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { decodeGroupRecord, encodeGroupRecord } from '../../protocol/records/group.ts'
import type { RecordBytes } from '../../protocol/records/coordinator.ts'
import { Reader, ZERO_UUID } from '../../protocol/reader.ts'
import { answer, answering } from '../coordinator/shard.ts'
import type { Answer, CoordinatorShard, Now, Producer, Step, Ticket } from '../coordinator/shard.ts'
import type { ClassicGroup, ClassicSettings } from './classic-group.ts'
import { ClassicGroups } from './classic-groups.ts'
import { refusedJoin } from './classic-requests.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from './classic-requests.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import { ConsumerGroups } from './consumer/consumer-groups.ts'
import type { ConsumerGroupsOptions, ConsumerOutcome } from './consumer/consumer-groups.ts'
import type { HeartbeatRequest, HeartbeatResult } from './consumer/heartbeat.ts'
import { upgraded } from './consumer/migration.ts'
import type { Draft } from './consumer/migration.ts'
import { groupStep } from './group.ts'
import type { Committer, Group } from './group.ts'
import { commitRecords, deletable, endOfAll, endOfOld, endOfTopics } from './group-offsets.ts'
import { Offsets, offsetTombstone } from './offsets.ts'
import type { OffsetEntry, OffsetKey } from './offsets.ts'
import { groupTombstone } from './stored-group.ts'

export interface GroupSettings extends ClassicSettings {
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckMs: number
  readonly consumer: ConsumerGroupsOptions
}

const GROUP_METADATA_TYPE = 2

export class GroupShard implements CoordinatorShard {
  readonly offsets = new Offsets()
  readonly consumers: ConsumerGroups
  readonly #classics: ClassicGroups
  readonly #settings: GroupSettings
  /** Keys of records for other modules, in base64, by group. */
  readonly #carried = new Map<string, Set<string>>()
  #retentionCheck = Infinity

  constructor(settings: GroupSettings) {
    this.#settings = settings
    this.#classics = new ClassicGroups(settings)
    this.consumers = new ConsumerGroups(settings.consumer)
  }

  replay({ key, value }: RecordBytes, offset: number, producer: Producer | undefined): void {
    // Only what is kept as bytes is copied: the rest would hold on to all that was read with it.
    const isKept = value !== null && key.readInt16BE(0) === GROUP_METADATA_TYPE
    const record = decodeGroupRecord(key, isKept ? Buffer.from(value) : value)
    switch (record.name) {
      case 'OffsetCommit':
        this.offsets.replay(record.key, record.value, offset, producer?.id)
        return
      case 'LegacyOffsetCommit': {
        const defaults = { leaderEpoch: -1, expireTimestamp: -1, topicId: ZERO_UUID }
        this.offsets.replay(record.key, record.value && { ...defaults, ...record.value }, offset, producer?.id)
        return
      }
      case 'GroupMetadata':
        this.#classics.replay(record)
        return
      case 'Unknown':
        this.#carry(key, value !== null)
        return
      default:
        this.consumers.replay(record)
    }
  }

  endTransaction({ id }: Producer, isCommit: boolean): void {
    this.offsets.endTransaction(id, isCommit)
  }

  resume(now: Now): void {
    this.#classics.resume(now)
    this.consumers.resume(now)
    this.#retentionCheck = now.monotonic + this.#settings.offsetsRetentionCheckMs
  }

  get nextDeadline(): number {
    return Math.min(this.#classics.nextDeadline, this.consumers.nextDeadline, this.#retentionCheck)
  }

  *expire(now: Now): Generator<Step> {
    for (const [id, outcome] of this.consumers.expire(now)) yield this.#settle(id, outcome, now, () => [])
    yield* this.#classics.expire(now)
    if (this.#retentionCheck > now.monotonic) return
    for (const id of this.ids()) yield this.#retain(id, now)
    this.#retentionCheck = now.monotonic + this.#settings.offsetsRetentionCheckMs
  }

  abandon(): readonly Answer[] {
    return this.#classics.abandon()
  }

  /** Ids of all groups there are, simple ones among them. */
  ids(): string[] {
    return [...new Set([...this.#classics.ids(), ...this.consumers.ids(), ...this.offsets.groups()])]
  }

  /** A group of any kind. */
  find(id: string, now: Now): Group | undefined {
    return this.consumers.get(id) ?? this.classic(id, now)
  }

  /** A classic group. One that only has offsets is an empty one. */
  classic(id: string, now: Now): ClassicGroup | undefined {
    if (this.consumers.has(id)) return undefined
    return this.#classics.get(id) ?? (this.offsets.has(id) ? this.#classics.empty(id, now) : undefined)
  }

  topicsChanged(names: readonly string[], hasNew: boolean): void {
    this.consumers.topicsChanged(names, hasNew)
  }

  /** Of a member of a consumer group, or of one that is to be. Throws KafkaError. */
  consumerHeartbeat(id: string, request: HeartbeatRequest, now: Now, ticket: Ticket<HeartbeatResult>): Step {
    const reply = (outcome: ConsumerOutcome<HeartbeatResult>, more: () => readonly Answer[] = () => []) => {
      return this.#settle(id, outcome, now, () => [...more(), answer(ticket, outcome.result)])
    }
    if (this.consumers.has(id)) {
      return reply(request.epoch < 0 ? this.consumers.leave(id, request, now) : this.consumers.heartbeat(id, request, now))
    }
    const classic = this.classic(id, now)
    if (request.epoch !== 0 || this.#carried.has(id)) {
      const isOther = classic !== undefined || this.#carried.has(id)
      const missing = request.epoch < 0 ? `Group ${id} not found.` : `Consumer group ${id} not found.`
      const what = isOther ? `Group ${id} is not a consumer group.` : missing
      throw new KafkaError('GROUP_ID_NOT_FOUND', what)
    }
    // Members that are parked join again, into the group that it is then.
    const takeOver = (): readonly Answer[] => this.#classics.drop(id, 'REBALANCE_IN_PROGRESS')
    return reply(this.consumers.heartbeat(id, request, now, this.#draftOf(id, classic, now)), takeOver)
  }

  /** A consumer group in the place of `classic`. */
  #draftOf(id: string, classic: ClassicGroup | undefined, now: Now): Draft {
    if (classic !== undefined && !classic.isEmpty) return upgraded(classic, this.consumers.world(id, now))
    return { group: new ConsumerGroup(id), records: this.#classics.isStored(id) ? [groupTombstone(id)] : [] }
  }

  join(id: string, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): Step {
    const consumers = this.consumers.get(id)
    if (consumers?.isEmpty === false) {
      const outcome = this.consumers.joinClassic(id, request, now)
      return this.#settle(id, outcome, now, () => [answer(ticket, outcome.result)])
    }
    if (this.#carried.has(id)) return answering(ticket, refusedJoin('INCONSISTENT_GROUP_PROTOCOL', request.memberId))
    const step = this.#classics.join(id, this.classic(id, now), request, now, ticket)
    // An empty group is what its next member makes of it.
    const records = consumers?.tombstones().map(encodeGroupRecord) ?? []
    return { records: [...records, ...step.records], then: step.then }
  }

  sync(id: string, request: SyncRequest, now: Now, ticket: Ticket<SyncResult>): Step {
    if (this.consumers.has(id)) return answering(ticket, this.consumers.syncClassic(id, request, now))
    return this.#classics.sync(id, request, now, ticket)
  }

  /** Throws KafkaError. */
  heartbeat(id: string, memberId: string, instanceId: string | null, generation: number, now: Now): void {
    if (this.consumers.has(id)) this.consumers.heartbeatClassic(id, memberId, instanceId, generation, now)
    else this.#classics.heartbeat(id, memberId, instanceId, generation, now)
  }

  /** Answers one error name for each member. */
  leave(id: string, members: readonly MemberIdentity[], now: Now, ticket: Ticket<ErrorName[]>): Step {
    if (!this.consumers.has(id)) return this.#classics.leave(id, members, now, ticket)
    const outcome = this.consumers.leaveClassic(id, members, now)
    return this.#settle(id, outcome, now, () => [answer(ticket, outcome.result)])
  }

  /** Throws KafkaError when the group does not take them. */
  commit(id: string, committer: Committer, offsets: readonly OffsetEntry[], now: Now, ticket: Ticket<undefined>): Step {
    const { memberId, generation, producer, knowsGroupNotFound } = committer
    const group = this.#carried.has(id) ? this.consumers.get(id) : this.find(id, now)
    if (group === undefined && (generation >= 0 || this.#carried.has(id))) {
      throw new KafkaError(knowsGroupNotFound ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION')
    }
    group?.checkCommit(committer, offsets)
    if (group?.type !== 'consumer') this.#classics.get(id)?.touch(memberId, now)
    const { records } = groupStep(commitRecords(offsets), () => [])
    return {
      records,
      ...(producer === undefined ? {} : { producer }),
      then: () => {
        if (!this.consumers.has(id)) this.#classics.keep(id, now)
        return [answer(ticket, undefined)]
      },
    }
  }

  /** Throws KafkaError GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP. */
  delete(id: string, now: Now, ticket: Ticket<undefined>): Step {
    const group = this.#existing(id, now)
    if (!group.isEmpty) throw new KafkaError('NON_EMPTY_GROUP')
    return groupStep([...endOfAll(this.offsets, id), ...group.tombstones()], () => {
      return [...this.#classics.drop(id), answer(ticket, undefined)]
    })
  }

  /**
   * Deletes offsets of partitions that nobody consumes; answers the keys deleted and those in use. Throws KafkaError
   * GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP.
   */
  deleteOffsets(
    id: string,
    keys: readonly OffsetKey[],
    now: Now,
    ticket: Ticket<{ deleted: OffsetKey[]; inUse: OffsetKey[] }>,
  ): Step {
    const result = deletable(this.offsets, this.#existing(id, now), keys)
    return groupStep(result.deleted.map(offsetTombstone), () => [answer(ticket, result)])
  }

  /** Topics are gone, and with them what was committed for them. `isGone` is asked with each offset's topic. */
  dropOffsets(isGone: (topic: string, topicId: string) => boolean, ticket: Ticket<undefined>): Step {
    return groupStep(endOfTopics(this.offsets, isGone), () => [answer(ticket, undefined)])
  }

  /** What is too old in one group; and the group itself when nothing is left of it. */
  #retain(id: string, now: Now): Step {
    const group = this.find(id, now)
    if (group === undefined) return groupStep([], () => [])
    const { records, isLast } = endOfOld(this.offsets, group, this.#settings.offsetsRetentionMs, now)
    if (!isLast) return groupStep(records, () => [])
    return groupStep([...records, ...group.tombstones()], () => this.#classics.drop(id))
  }

  #existing(id: string, now: Now): Group {
    const group = this.find(id, now)
    if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND')
    return group
  }

  /** What a consumer group's operation comes to; where it ends the group as such, a classic one goes on. */
  #settle(id: string, { records, after, downgrade }: ConsumerOutcome<unknown>, now: Now, then: () => readonly Answer[]): Step {
    const ends = groupStep(records, () => {
      after()
      return then()
    })
    if (downgrade === undefined) return ends
    const begins = this.#classics.takeOver(id, downgrade, now)
    return { records: [...ends.records, ...begins.records], then: () => [...begins.then(), ...ends.then()] }
  }

  #carry(key: Buffer, isThere: boolean): void {
    const from = new Reader(key)
    from.int16()
    const group = from.text(from.int16())
    const text = key.toString('base64')
    const keys = this.#carried.get(group) ?? new Set()
    if (isThere) keys.add(text)
    else keys.delete(text)
    if (keys.size === 0) this.#carried.delete(group)
    else this.#carried.set(group, keys)
  }
}
