// One classic group: who is in it, which generation it is in, what is to be written and answered. Plain values in, records
// and answers out; time comes as an argument, deadlines are data. An operation works on a copy, which takes the group's
// place when its records are in the log; so an operation that could not be written has not happened. How members come
// together to a generation is in classic-rebalance.ts, which alone moves a group from one state to the next.

import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { GroupRecordInput } from '../../protocol/records/group.ts'
import { answer } from '../coordinator/shard.ts'
import type { Answer, Now, Ticket } from '../coordinator/shard.ts'
import { refusedJoin, refusedSync } from './classic-requests.ts'
import type { Protocol } from './classic-requests.ts'
import type { Committer, Group } from './group.ts'
import { CONSUMER, metadataOf, subscribedTopics } from './member.ts'
import type { Member } from './member.ts'
import { Members } from './members.ts'
import type { CommittedOffset } from './offsets.ts'
import { groupTombstone, metadataRecord } from './stored-group.ts'
import type { GroupMetadata } from './stored-group.ts'

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

export interface ClassicSettings {
  readonly maxSize: number
  /** How long a group that was empty waits for more members, ms. */
  readonly initialDelayMs: number
  /** How long the parked JoinGroup of a new member keeps it in the group, ms. */
  readonly newMemberJoinTimeoutMs: number
}

/** How far a rebalance is. */
export interface RebalanceProgress {
  /** It is the first after the group was empty; ms by which it may still be put off. */
  startedEmpty: boolean
  delayLeftMs: number
  newMemberAdded: boolean
  /** Monotonic ms; Infinity: not waited for. */
  joinEnds: number
  syncEnds: number
}

const SIMPLE = '' // protocol type of a group that only has offsets

export class ClassicGroup implements Group {
  readonly id: string
  readonly type = 'classic'
  readonly settings: ClassicSettings
  readonly roster: Members
  readonly progress: RebalanceProgress
  state: ClassicState = 'Empty'
  /** When it came into this state, ms since 1970; -1 in records of old releases. */
  since: number
  generation = 0
  protocolType = SIMPLE
  protocolName: string | null = null
  #records: GroupRecordInput[] = []
  #answers: Answer[] = []

  private constructor(id: string, settings: ClassicSettings, since: number, roster: Members, progress: RebalanceProgress) {
    this.id = id
    this.settings = settings
    this.since = since
    this.roster = roster
    this.progress = progress
  }

  static empty(id: string, settings: ClassicSettings, now: Now): ClassicGroup {
    const progress = { startedEmpty: false, delayLeftMs: 0, newMemberAdded: false, joinEnds: Infinity, syncEnds: Infinity }
    return new ClassicGroup(id, settings, now.wall, new Members(), progress)
  }

  /**
   * As the log has it: each of its members has one full session from now on to show up. `protocols`: what else members
   * speak besides what is stored, by their ids.
   */
  static stored(
    id: string,
    settings: ClassicSettings,
    stored: GroupMetadata,
    now: Now,
    protocols?: ReadonlyMap<string, readonly Protocol[]>,
  ): ClassicGroup {
    const group = ClassicGroup.empty(id, settings, now)
    group.generation = stored.generation
    group.protocolType = stored.protocolType
    group.protocolName = stored.protocol
    group.since = stored.currentStateTimestamp
    group.state = stored.members.length === 0 ? 'Empty' : 'Stable'
    for (const { memberId, groupInstanceId, clientId, clientHost, ...member } of stored.members) {
      group.roster.add({
        id: memberId,
        instanceId: groupInstanceId,
        clientId,
        clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeout < 0 ? member.sessionTimeout : member.rebalanceTimeout,
        sessionTimeoutMs: member.sessionTimeout,
        protocols: protocols?.get(memberId) ?? [{ name: stored.protocol ?? '', metadata: member.subscription }],
        assignment: member.assignment,
        isNew: false,
        join: undefined,
        sync: undefined,
        owesSync: false,
        sessionEnds: now.monotonic + member.sessionTimeout,
      })
    }
    group.roster.leader = stored.leader ?? undefined
    return group
  }

  /** What an operation is to be tried on. */
  copy(): ClassicGroup {
    const copy = new ClassicGroup(this.id, this.settings, this.since, new Members(this.roster), { ...this.progress })
    copy.state = this.state
    copy.generation = this.generation
    copy.protocolType = this.protocolType
    copy.protocolName = this.protocolName
    return copy
  }

  /** What the operations since the last call want written and answered. */
  take(): { records: readonly GroupRecordInput[]; answers: readonly Answer[] } {
    const taken = { records: this.#records, answers: this.#answers }
    this.#records = []
    this.#answers = []
    return taken
  }

  get leader(): string | undefined {
    return this.roster.leader
  }

  get members(): readonly Member[] {
    return this.roster.all()
  }

  get isEmpty(): boolean {
    return this.state === 'Empty'
  }

  get isVacant(): boolean {
    return this.isEmpty && this.roster.pending.size === 0
  }

  /** Other protocols' metadata is opaque. */
  get knowsTopics(): boolean {
    return this.protocolType === CONSUMER
  }

  /** A consumer group whose subscriptions can't be read uses all. */
  subscription(): (topic: string) => boolean {
    if (!this.knowsTopics || this.roster.size === 0) return () => false
    if (this.protocolName === null || this.isEmpty) return () => true
    const topics = subscribedTopics(this.members, this.protocolName)
    return (topic) => topics?.has(topic) ?? true
  }

  unusedSince({ commitTimestamp }: CommittedOffset): number | undefined {
    if (this.protocolType === SIMPLE) return commitTimestamp
    if (this.isEmpty) return this.since >= 0 ? this.since : commitTimestamp
    // Topics that a consumer group has turned away from; other groups' topics nobody knows.
    return this.state === 'Stable' && this.knowsTopics ? commitTimestamp : undefined
  }

  tombstones(): GroupRecordInput[] {
    return [groupTombstone(this.id)]
  }

  /** Monotonic ms of the first thing that `expire` does; Infinity when there is none. */
  get nextDeadline(): number {
    return Math.min(this.progress.joinEnds, this.progress.syncEnds, this.roster.nextDeadline())
  }

  /** Everybody who is parked: the group goes away under them. */
  abandon(error: ErrorName = 'NOT_COORDINATOR'): readonly Answer[] {
    for (const { id, join, sync } of this.members) {
      if (join !== undefined) this.tell(join, refusedJoin(error, id))
      if (sync !== undefined) this.tell(sync, refusedSync(error))
    }
    return this.take().answers
  }

  /** Renews the session. Throws KafkaError; REBALANCE_IN_PROGRESS renews it, too. No records, no answers. */
  heartbeat(memberId: string, instanceId: string | null, generation: number, now: Now): void {
    this.#checkIdentity(memberId, instanceId, generation)
    this.touch(memberId, now)
    if (this.state === 'PreparingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
  }

  checkCommit({ memberId, instanceId, generation, producer }: Committer): void {
    const isTransactional = producer !== undefined
    // From outside: an administrator, or a consumer without group management.
    if (generation < 0 && this.isEmpty) return
    if (generation >= 0 || memberId !== '' || instanceId !== null) this.#checkIdentity(memberId, instanceId, generation)
    else if (!isTransactional && !this.isEmpty) throw new KafkaError('UNKNOWN_MEMBER_ID')
    // It has heard of the new generation, but has no assignment in it yet.
    if (!isTransactional && this.state === 'CompletingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
  }

  /** Anybody may: members don't say who they are. */
  checkFetch(): void {}

  #checkIdentity(memberId: string, instanceId: string | null, generation: number): void {
    const error = this.roster.identityError(memberId, instanceId)
    if (error !== undefined) throw new KafkaError(error)
    if (generation !== this.generation) throw new KafkaError('ILLEGAL_GENERATION')
  }

  /** Renews the session of a member that has shown itself. */
  touch(memberId: string, now: Now): void {
    const member = this.roster.get(memberId)
    if (member !== undefined && member.join === undefined && member.sync === undefined) this.renew(member, now)
  }

  // ── For classic-rebalance.ts, on a copy

  renew(member: Member, now: Now): void {
    member.sessionEnds = now.monotonic + member.sessionTimeoutMs
  }

  /** Whether it was there. Its parked requests are told that it is not any more. */
  remove(id: string): boolean {
    const member = this.roster.get(id)
    if (member === undefined) return false
    if (member.join !== undefined) this.tell(member.join, refusedJoin('UNKNOWN_MEMBER_ID', id))
    if (member.sync !== undefined) this.tell(member.sync, refusedSync('UNKNOWN_MEMBER_ID'))
    this.roster.remove(member)
    return true
  }

  moveTo(state: ClassicState, now: Now): void {
    this.state = state
    this.since = now.wall
  }

  tell<T>(ticket: Ticket<T>, value: T): void {
    this.#answers.push(answer(ticket, value))
  }

  /** Has the group written as it is, with its members. */
  store(): void {
    const { protocolName } = this
    const members = this.members.map((member) => ({
      memberId: member.id,
      groupInstanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rebalanceTimeout: member.rebalanceTimeoutMs,
      sessionTimeout: member.sessionTimeoutMs,
      subscription: metadataOf(member, protocolName),
      assignment: member.assignment,
    }))
    this.#write(protocolName, this.leader ?? null, members)
  }

  /** Has its generation written, as that of a group without members. */
  storeGeneration(): void {
    this.#write(null, null, [])
  }

  #write(protocol: string | null, leader: string | null, members: GroupMetadata['members']): void {
    const { protocolType, generation, since: currentStateTimestamp } = this
    this.#records.push(metadataRecord(this.id, { protocolType, generation, protocol, leader, currentStateTimestamp, members }))
  }
}
