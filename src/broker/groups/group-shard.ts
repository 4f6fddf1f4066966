// The groups kept in one partition of __consumer_offsets. What the log says of them is changed by replay alone; the live
// groups beside it hold who waits for what. The record's type picks the module: classic groups and offsets here, consumer
// groups in consumer/; records of other kinds of groups are carried, so that their ids stay theirs. An id is one kind of
// group's at a time; what turns one kind into the other is here.

import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import { decodeGroupRecord, encodeGroupRecord } from '../../protocol/records/group.ts'
import type { GroupRecordInput } from '../../protocol/records/group.ts'
import type { RecordBytes } from '../../protocol/records/coordinator.ts'
import { Reader, ZERO_UUID } from '../../protocol/reader.ts'
import { answer, answering } from '../coordinator/shard.ts'
import type { Answer, CoordinatorShard, Now, Producer, Step, Ticket } from '../coordinator/shard.ts'
import { ClassicGroup } from './classic-group.ts'
import type { ClassicSettings } from './classic-group.ts'
import { refusedJoin, refusedSync } from './classic-requests.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from './classic-requests.ts'
import { checkCommit } from './consumer/commits.ts'
import { ConsumerGroup } from './consumer/consumer-group.ts'
import { ConsumerGroups, tombstonesOf } from './consumer/consumer-groups.ts'
import type { ConsumerGroupsOptions, ConsumerOutcome } from './consumer/consumer-groups.ts'
import type { HeartbeatRequest, HeartbeatResult } from './consumer/heartbeat.ts'
import { upgraded } from './consumer/migration.ts'
import type { Draft } from './consumer/migration.ts'
import { CONSUMER } from './member.ts'
import { Offsets, offsetRecord, offsetTombstone } from './offsets.ts'
import type { CommittedOffset, OffsetKey } from './offsets.ts'
import { groupTombstone, metadataRecord } from './stored-group.ts'
import type { GroupMetadata } from './stored-group.ts'

export interface GroupSettings extends ClassicSettings {
  readonly offsetsRetentionMs: number
  readonly offsetsRetentionCheckMs: number
  readonly consumer: ConsumerGroupsOptions
}

/** Who commits offsets. */
export interface Committer {
  readonly memberId: string
  readonly instanceId: string | null
  /** -1: from outside the group. */
  readonly generation: number
  readonly producer?: Producer
  /** OffsetCommit from version 9 on: knows of groups that are not there, and of member epochs. */
  readonly knowsGroupNotFound: boolean
}

const GROUP_METADATA_TYPE = 2
const SIMPLE = '' // protocol type of a group that only has offsets

export class GroupShard implements CoordinatorShard {
  readonly offsets = new Offsets()
  readonly consumers: ConsumerGroups
  readonly #settings: GroupSettings
  /** What the log says. */
  readonly #stored = new Map<string, GroupMetadata>()
  /** Keys of records for other modules, in base64, by group. */
  readonly #carried = new Map<string, Set<string>>()
  /** What goes on; not here after a start: groups that only have offsets. */
  readonly #groups = new Map<string, ClassicGroup>()
  #groupDeadline = Infinity
  #retentionCheck = Infinity

  constructor(settings: GroupSettings) {
    this.#settings = settings
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
        if (record.value === null) this.#stored.delete(record.key.group)
        else this.#stored.set(record.key.group, record.value)
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
    for (const [id, stored] of this.#stored) this.#put(ClassicGroup.stored(id, this.#settings, stored, now))
    this.consumers.resume(now)
    this.#retentionCheck = now.monotonic + this.#settings.offsetsRetentionCheckMs
  }

  get nextDeadline(): number {
    return Math.min(this.#groupDeadline, this.#retentionCheck, this.consumers.nextDeadline)
  }

  *expire(now: Now): Generator<Step> {
    for (const [id, outcome] of this.consumers.expire(now)) yield this.#settle(id, outcome, now, () => [])
    if (Math.min(this.#groupDeadline, this.#retentionCheck) > now.monotonic) return
    let next = Infinity
    for (const { id } of [...this.#groups.values()]) {
      const group = this.#groups.get(id)
      if (group !== undefined && group.nextDeadline <= now.monotonic) yield this.#change(group, (draft) => draft.expire(now))
      next = Math.min(next, this.#groups.get(id)?.nextDeadline ?? Infinity)
    }
    this.#groupDeadline = next
    if (this.#retentionCheck > now.monotonic) return
    for (const id of this.ids()) yield this.#retain(id, now)
    this.#retentionCheck = now.monotonic + this.#settings.offsetsRetentionCheckMs
  }

  abandon(): readonly Answer[] {
    return [...this.#groups.values()].flatMap((group) => group.abandon())
  }

  /** Ids of all groups there are, simple ones among them. */
  ids(): string[] {
    return [...new Set([...this.#groups.keys(), ...this.consumers.ids(), ...this.offsets.groups()])]
  }

  /** A classic group. One that only has offsets is an empty one. */
  find(id: string, now: Now): ClassicGroup | undefined {
    if (this.consumers.has(id)) return undefined
    const found = this.#groups.get(id)
    if (found !== undefined || !this.offsets.has(id)) return found
    return ClassicGroup.empty(id, this.#settings, now)
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
    const classic = this.find(id, now)
    if (request.epoch !== 0 || this.#carried.has(id)) {
      const isOther = classic !== undefined || this.#carried.has(id)
      const missing = request.epoch < 0 ? `Group ${id} not found.` : `Consumer group ${id} not found.`
      const what = isOther ? `Group ${id} is not a consumer group.` : missing
      throw new KafkaError('GROUP_ID_NOT_FOUND', what)
    }
    // Members that are parked join again, into the group that it is then.
    const takeOver = (): readonly Answer[] => {
      this.#groups.delete(id)
      return classic?.abandon('REBALANCE_IN_PROGRESS') ?? []
    }
    return reply(this.consumers.heartbeat(id, request, now, this.#draftOf(id, classic, now)), takeOver)
  }

  /** A consumer group in the place of `classic`. */
  #draftOf(id: string, classic: ClassicGroup | undefined, now: Now): Draft {
    if (classic !== undefined && classic.phase !== 'Empty') return upgraded(classic, this.consumers.world(id, now))
    return { group: new ConsumerGroup(id), records: this.#stored.has(id) ? [groupTombstone(id)] : [] }
  }

  join(id: string, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): Step {
    const { memberId } = request
    const consumers = this.consumers.get(id)
    if (consumers !== undefined && consumers.members.size > 0) {
      const outcome = this.consumers.joinClassic(id, request, now)
      return this.#settle(id, outcome, now, () => [answer(ticket, outcome.result)])
    }
    if (this.#carried.has(id)) return answering(ticket, refusedJoin('INCONSISTENT_GROUP_PROTOCOL', memberId))
    const group = this.find(id, now) ?? (memberId === '' ? ClassicGroup.empty(id, this.#settings, now) : undefined)
    if (group === undefined) return answering(ticket, refusedJoin('UNKNOWN_MEMBER_ID', memberId))
    const step = this.#change(group, (draft) => draft.join(request, now, ticket))
    // An empty group is what its next member makes of it.
    const records = consumers === undefined ? [] : tombstonesOf(consumers).map(encodeGroupRecord)
    return { records: [...records, ...step.records], then: step.then }
  }

  sync(id: string, request: SyncRequest, now: Now, ticket: Ticket<SyncResult>): Step {
    if (this.consumers.has(id)) return answering(ticket, this.consumers.syncClassic(id, request, now))
    const group = this.#groups.get(id)
    if (group === undefined) return answering(ticket, refusedSync('UNKNOWN_MEMBER_ID'))
    return this.#change(group, (draft) => draft.sync(request, now, ticket))
  }

  /** Throws KafkaError. */
  heartbeat(id: string, memberId: string, instanceId: string | null, generation: number, now: Now): void {
    if (this.consumers.has(id)) {
      this.consumers.heartbeatClassic(id, memberId, instanceId, generation, now)
      return
    }
    const group = this.#groups.get(id)
    if (group === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
    group.heartbeat(memberId, instanceId, generation, now)
  }

  /** Answers one error name for each member. */
  leave(id: string, members: readonly MemberIdentity[], now: Now, ticket: Ticket<ErrorName[]>): Step {
    if (this.consumers.has(id)) {
      const outcome = this.consumers.leaveClassic(id, members, now)
      return this.#settle(id, outcome, now, () => [answer(ticket, outcome.result)])
    }
    const group = this.#groups.get(id)
    if (group === undefined) return answering(ticket, members.map((): ErrorName => 'UNKNOWN_MEMBER_ID'))
    let results: ErrorName[] = []
    const { records, then } = this.#change(group, (draft) => (results = draft.leave(members, now)))
    return { records, then: () => [...then(), answer(ticket, results)] }
  }

  /** Throws KafkaError when the group does not take them. */
  commit(
    id: string,
    committer: Committer,
    offsets: readonly (readonly [OffsetKey, CommittedOffset])[],
    now: Now,
    ticket: Ticket<undefined>,
  ): Step {
    const { memberId, instanceId, generation, producer, knowsGroupNotFound } = committer
    const consumers = this.consumers.get(id)
    if (consumers !== undefined) {
      checkCommit(consumers, committer, offsets)
      const records = offsets.map(([key, value]) => encodeGroupRecord(offsetRecord(key, value)))
      return { records, ...(producer === undefined ? {} : { producer }), then: () => [answer(ticket, undefined)] }
    }
    const group = this.#carried.has(id) ? undefined : this.find(id, now)
    if (group === undefined && (generation >= 0 || this.#carried.has(id))) {
      throw new KafkaError(knowsGroupNotFound ? 'GROUP_ID_NOT_FOUND' : 'ILLEGAL_GENERATION')
    }
    group?.checkCommit(memberId, instanceId, generation, producer !== undefined)
    group?.touch(memberId, now)
    const records = offsets.map(([key, value]) => encodeGroupRecord(offsetRecord(key, value)))
    return {
      records,
      ...(producer === undefined ? {} : { producer }),
      then: () => {
        // It stays when all its offsets are deleted, until it is, or expires.
        if (group === undefined || !this.#groups.has(id)) this.#groups.set(id, ClassicGroup.empty(id, this.#settings, now))
        return [answer(ticket, undefined)]
      },
    }
  }

  /** Throws KafkaError GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP. */
  delete(id: string, now: Now, ticket: Ticket<undefined>): Step {
    const consumers = this.consumers.get(id)
    const group = this.find(id, now)
    if (group === undefined && consumers === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND')
    const isEmpty = consumers === undefined ? group?.phase === 'Empty' : consumers.members.size === 0
    if (!isEmpty) throw new KafkaError('NON_EMPTY_GROUP')
    const offsets = [...this.offsets.of(id), ...this.offsets.pendingOf(id)]
    const ends = consumers === undefined ? [groupTombstone(id)] : tombstonesOf(consumers)
    const records = [...offsets.map(([key]) => offsetTombstone(key)), ...ends]
    return this.#step(records, () => {
      this.#groups.delete(id)
      return [answer(ticket, undefined)]
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
    const classic = this.find(id, now)
    const group = this.consumers.get(id) ?? classic
    if (group === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND')
    if (classic !== undefined && classic.phase !== 'Empty' && classic.protocolType !== CONSUMER) throw new KafkaError('NON_EMPTY_GROUP')
    const inUse = keys.filter(({ topic }) => group.isSubscribedTo(topic))
    const deleted = keys.filter((key) => !inUse.includes(key) && this.offsets.get(key) !== undefined)
    return this.#step(deleted.map(offsetTombstone), () => [answer(ticket, { deleted, inUse })])
  }

  /** Topics are gone, and with them what was committed for them. `isGone` is asked with each offset's topic. */
  dropOffsets(isGone: (topic: string, topicId: string) => boolean, ticket: Ticket<undefined>): Step {
    const all = this.offsets.groups().flatMap((id) => [...this.offsets.of(id), ...this.offsets.pendingOf(id)])
    const gone = all.filter(([{ topic }, { topicId }]) => isGone(topic, topicId))
    return this.#step(gone.map(([key]) => offsetTombstone(key)), () => [answer(ticket, undefined)])
  }

  /** What is too old in one group; and the group itself when nothing is left of it. */
  #retain(id: string, now: Now): Step {
    const consumers = this.consumers.get(id)
    if (consumers !== undefined) return this.#retainConsumers(consumers, now)
    const group = this.find(id, now)
    const offsets = this.offsets.of(id)
    const expired = offsets.filter(([key, offset]) => group !== undefined && this.#isExpired(group, key, offset, now))
    const records = expired.map(([key]) => offsetTombstone(key))
    const isLeft = expired.length < offsets.length || this.offsets.pendingOf(id).length > 0 || group?.isVacant !== true
    if (isLeft) return this.#step(records, () => [])
    return this.#step([...records, groupTombstone(id)], () => {
      this.#groups.delete(id)
      return []
    })
  }

  #retainConsumers(group: ConsumerGroup, now: Now): Step {
    const { id } = group
    const offsets = this.offsets.of(id)
    const expired = offsets.filter(([key, { expireTimestamp, commitTimestamp }]) => {
      if (group.isSubscribedTo(key.topic) || this.offsets.isPending(key)) return false
      return (expireTimestamp >= 0 ? expireTimestamp : commitTimestamp + this.#settings.offsetsRetentionMs) <= now.wall
    })
    const isLeft = expired.length < offsets.length || this.offsets.pendingOf(id).length > 0 || group.members.size > 0
    const records = expired.map(([key]) => offsetTombstone(key))
    return this.#step(isLeft ? records : [...records, ...tombstonesOf(group)], () => [])
  }

  #isExpired(group: ClassicGroup, key: OffsetKey, offset: CommittedOffset, now: Now): boolean {
    if (group.isSubscribedTo(key.topic) || this.offsets.isPending(key)) return false
    if (offset.expireTimestamp >= 0) return offset.expireTimestamp <= now.wall
    const { phase, protocolType, since } = group
    const isOld = (from: number) => now.wall - from >= this.#settings.offsetsRetentionMs
    if (protocolType === SIMPLE) return isOld(offset.commitTimestamp)
    if (phase === 'Empty') return isOld(since >= 0 ? since : offset.commitTimestamp)
    // Topics that a consumer group has turned away from; other groups' topics nobody knows.
    return phase === 'Stable' && protocolType === CONSUMER && isOld(offset.commitTimestamp)
  }

  /** What a consumer group's operation comes to; where it ends the group as such, a classic one goes on. */
  #settle(id: string, { records, after, downgrade }: ConsumerOutcome<unknown>, now: Now, then: () => readonly Answer[]): Step {
    if (downgrade === undefined) {
      return this.#step(records, () => {
        after()
        return then()
      })
    }
    const { stored, protocols, rebalances } = downgrade
    const classic = ClassicGroup.stored(id, this.#settings, stored, now, protocols)
    if (rebalances) classic.rebalance(now)
    const more = classic.take()
    return this.#step([...records, metadataRecord(id, stored), ...more.records], () => {
      this.#put(classic)
      return [...more.answers, ...then()]
    })
  }

  /** Tries `action` on a copy, which takes the group's place when its records are in the log. */
  #change(group: ClassicGroup, action: (draft: ClassicGroup) => void): Step {
    const draft = group.copy()
    action(draft)
    const { records, answers } = draft.take()
    return this.#step(records, () => {
      this.#put(draft)
      return answers
    })
  }

  #step(records: readonly GroupRecordInput[], then: () => readonly Answer[]): Step {
    return { records: records.map(encodeGroupRecord), then }
  }

  #put(group: ClassicGroup): void {
    // Somebody asked for an id and never came: nothing is left of such a group.
    if (group.isVacant && !this.#stored.has(group.id)) this.#groups.delete(group.id)
    else this.#groups.set(group.id, group)
    this.#groupDeadline = Math.min(this.#groupDeadline, group.nextDeadline)
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
