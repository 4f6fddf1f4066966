// One classic group: who is in it, which generation it is in, who waits for what. Plain values in, records and answers
// out; time comes as an argument, deadlines are data. An operation works on a copy, which takes the group's place when
// its records are in the log; so an operation that could not be written has not happened.
// A generation is in the log before its members hear of it (Kafka stores it with the assignment only), so that it is
// never used twice: as that of a group without members, since none has an assignment yet.

import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { GroupRecordInput } from '../../protocol/records/group.ts'
import { answer } from '../coordinator/shard.ts'
import type { Answer, Now, Ticket } from '../coordinator/shard.ts'
import { NO_BYTES, refusedJoin, refusedSync } from './classic-requests.ts'
import type { JoinRequest, JoinResult, MemberIdentity, Protocol, SyncRequest, SyncResult } from './classic-requests.ts'
import { CONSUMER, commonProtocols, electedProtocol, metadataOf, sameProtocols, subscribedTopics } from './member.ts'
import type { Member } from './member.ts'
import { Members } from './members.ts'
import type { GroupMetadata } from './stored-group.ts'
import { metadataRecord } from './stored-group.ts'

/** The assignment has this long to come where no member asks for any time at all; Kafka's timer would race with it. */
const SYNC_MS_UNASKED = 1000

export type ClassicState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable'

export interface ClassicSettings {
  readonly maxSize: number
  /** How long a group that was empty waits for more members, ms. */
  readonly initialDelayMs: number
  /** How long the parked JoinGroup of a new member keeps it in the group, ms. */
  readonly newMemberJoinTimeoutMs: number
}

interface State {
  readonly members: Members
  phase: ClassicState
  /** ms since 1970 */
  since: number
  generation: number
  protocolType: string
  protocolName: string | null
  /** This rebalance is the first after the group was empty; ms by which it may still be put off. */
  startedEmpty: boolean
  delayLeftMs: number
  newMemberAdded: boolean
  /** Monotonic ms. */
  joinEnds: number
  syncEnds: number
}

export class ClassicGroup {
  readonly id: string
  readonly #settings: ClassicSettings
  readonly #state: State
  #records: GroupRecordInput[] = []
  #answers: Answer[] = []

  private constructor(id: string, settings: ClassicSettings, state: State) {
    this.id = id
    this.#settings = settings
    this.#state = state
  }

  static empty(id: string, settings: ClassicSettings, now: Now): ClassicGroup {
    return new ClassicGroup(id, settings, {
      members: new Members(),
      phase: 'Empty',
      since: now.wall,
      generation: 0,
      protocolType: '',
      protocolName: null,
      startedEmpty: false,
      delayLeftMs: 0,
      newMemberAdded: false,
      joinEnds: Infinity,
      syncEnds: Infinity,
    })
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
    const state = group.#state
    state.generation = stored.generation
    state.protocolType = stored.protocolType
    state.protocolName = stored.protocol
    state.since = stored.currentStateTimestamp
    state.phase = stored.members.length === 0 ? 'Empty' : 'Stable'
    for (const { memberId, groupInstanceId, clientId, clientHost, ...member } of stored.members) {
      state.members.add({
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
    state.members.leader = stored.leader ?? undefined
    return group
  }

  /** What an operation is to be tried on. */
  copy(): ClassicGroup {
    return new ClassicGroup(this.id, this.#settings, { ...this.#state, members: new Members(this.#state.members) })
  }

  /** What the operations since the last call want written and answered. */
  take(): { records: readonly GroupRecordInput[]; answers: readonly Answer[] } {
    const taken = { records: this.#records, answers: this.#answers }
    this.#records = []
    this.#answers = []
    return taken
  }

  get phase(): ClassicState {
    return this.#state.phase
  }

  get generation(): number {
    return this.#state.generation
  }

  get protocolType(): string {
    return this.#state.protocolType
  }

  get protocolName(): string | null {
    return this.#state.protocolName
  }

  get leader(): string | undefined {
    return this.#state.members.leader
  }

  /** ms since 1970; -1 in records of old releases. */
  get since(): number {
    return this.#state.since
  }

  get members(): readonly Member[] {
    return this.#state.members.all()
  }

  /** Nobody is in it or about to be. */
  get isVacant(): boolean {
    const { phase, members } = this.#state
    return phase === 'Empty' && members.pending.size === 0
  }

  /** Whether offsets of `topic` are in use. A consumer group whose subscriptions can't be read uses all. */
  isSubscribedTo(topic: string): boolean {
    const { protocolType, phase, protocolName, members } = this.#state
    if (protocolType !== CONSUMER || members.size === 0) return false
    if (protocolName === null || phase === 'Empty') return true
    return subscribedTopics(members.all(), protocolName)?.has(topic) ?? true
  }

  /** Monotonic ms of the first thing that `expire` does; Infinity when there is none. */
  get nextDeadline(): number {
    const { members, joinEnds, syncEnds } = this.#state
    return Math.min(joinEnds, syncEnds, members.nextDeadline())
  }

  /** Everybody who is parked: the group goes away under them. */
  abandon(error: ErrorName = 'NOT_COORDINATOR'): readonly Answer[] {
    for (const { id, join, sync } of this.members) {
      if (join !== undefined) this.#tell(join, refusedJoin(error, id))
      if (sync !== undefined) this.#tell(sync, refusedSync(error))
    }
    return this.take().answers
  }

  /** Has everybody join again. */
  rebalance(now: Now): void {
    this.#rebalance(now)
  }

  join(request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
    const { memberId, instanceId } = request
    const refuse = (error: ErrorName, id: string) => this.#tell(ticket, refusedJoin(error, id))
    if (!this.#accepts(memberId)) {
      if (this.#remove(memberId)) this.#rebalance(now)
      refuse('GROUP_MAX_SIZE_REACHED', '')
    } else if (!this.#speaks(request)) refuse('INCONSISTENT_GROUP_PROTOCOL', memberId)
    else if (memberId === '') this.#joinNew(request, now, ticket)
    else if (this.#state.members.pending.has(memberId)) this.#addMember(memberId, request, now, ticket)
    else {
      const error = this.#state.members.identityError(memberId, instanceId)
      const member = this.#state.members.get(memberId)
      if (error !== undefined || member === undefined) refuse(error ?? 'UNKNOWN_MEMBER_ID', memberId)
      else this.#rejoin(member, request, now, ticket)
    }
  }

  /** Room for members is counted by those that wait, while they gather: the last to come stay outside. */
  #accepts(memberId: string): boolean {
    const { phase, members } = this.#state
    const known = members.get(memberId)
    if (phase === 'Empty') return true
    if (phase === 'PreparingRebalance') return known?.join !== undefined || members.joining() < this.#settings.maxSize
    return known !== undefined || members.size < this.#settings.maxSize
  }

  #speaks({ protocolType, protocols }: JoinRequest): boolean {
    const { phase, members } = this.#state
    if (phase === 'Empty') return protocolType !== '' && protocols.length > 0
    if (protocolType !== this.#state.protocolType) return false
    if (members.size === 0) return protocols.length > 0
    const common = new Set(commonProtocols(members.all()))
    return protocols.some(({ name }) => common.has(name))
  }

  #joinNew(request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
    const { instanceId, newMemberId, sessionTimeoutMs } = request
    const former = instanceId === null ? undefined : this.#state.members.ofInstance(instanceId)
    if (former !== undefined) this.#replaceStatic(former, request, now, ticket)
    else if (instanceId === null && request.requiresKnownId) {
      this.#state.members.pending.set(newMemberId, now.monotonic + sessionTimeoutMs)
      this.#tell(ticket, refusedJoin('MEMBER_ID_REQUIRED', newMemberId))
    } else this.#addMember(newMemberId, request, now, ticket)
  }

  #addMember(id: string, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
    const state = this.#state
    if (state.members.size === 0) state.protocolType = request.protocolType
    if (state.phase === 'PreparingRebalance' && state.startedEmpty) state.newMemberAdded = true
    const { instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request
    state.members.add({
      id,
      instanceId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      sessionTimeoutMs,
      protocols,
      assignment: NO_BYTES,
      isNew: true,
      join: ticket,
      sync: undefined,
      owesSync: false,
      // It does not know its id yet, so it can't send heartbeats; and we can't see that it is gone.
      sessionEnds: now.monotonic + this.#settings.newMemberJoinTimeoutMs,
    })
    this.#rebalance(now)
  }

  #rejoin(member: Member, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
    const { phase, members } = this.#state
    const isUnchanged = sameProtocols(member.protocols, request.protocols)
    const repeats =
      (phase === 'CompletingRebalance' && isUnchanged) ||
      // A leader that joins again wants a new assignment: what it looks at besides its metadata has changed.
      (phase === 'Stable' && isUnchanged && member.id !== members.leader)
    if (repeats) {
      // Its answer was lost; or a follower joins although nothing has changed, and may go on to SyncGroup.
      if (member.sync === undefined) this.#renew(member, now)
      this.#tell(ticket, this.#joined(member))
    } else if (phase === 'Empty') this.#tell(ticket, refusedJoin('UNKNOWN_MEMBER_ID', member.id))
    else {
      this.#update(member, request, ticket)
      this.#rebalance(now)
    }
  }

  /** A static member came back with a new process: the new one takes the place of the old one, which is fenced. */
  #replaceStatic(former: Member, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
    const state = this.#state
    const { newMemberId } = request
    const formerLeader = state.members.leader ?? ''
    if (former.join !== undefined) this.#tell(former.join, refusedJoin('FENCED_INSTANCE_ID', former.id))
    if (former.sync !== undefined) this.#tell(former.sync, refusedSync('FENCED_INSTANCE_ID'))
    const member: Member = { ...former, id: newMemberId, join: undefined, sync: undefined }
    state.members.replace(former, member)
    this.#update(member, request, ticket)

    if (state.phase !== 'Stable' || state.protocolName !== electedProtocol(this.members)) {
      this.#rebalance(now)
      return
    }
    member.join = undefined
    this.#renew(member, now)
    this.#store()
    const isLeader = state.members.leader === newMemberId
    const joined = this.#joined(member)
    const told: JoinResult = request.canSkipAssignment
      ? { ...joined, skipAssignment: isLeader }
      : // Under another leader's id it takes itself for a follower, and does not assign anew.
        { ...joined, leader: formerLeader, members: [] }
    this.#tell(ticket, told)
  }

  sync(request: SyncRequest, now: Now, ticket: Ticket<SyncResult>): void {
    const state = this.#state
    const error = this.#syncError(request)
    const member = state.members.get(request.memberId)
    if (error !== undefined || member === undefined) {
      this.#tell(ticket, refusedSync(error ?? 'UNKNOWN_MEMBER_ID'))
      return
    }
    member.owesSync = false
    if (state.members.haveAllSynced()) state.syncEnds = Infinity
    if (member.sync !== undefined) this.#tell(member.sync, refusedSync('REBALANCE_IN_PROGRESS'))
    member.sync = ticket
    member.sessionEnds = Infinity
    if (state.phase === 'Stable') this.#answerSync(member, now)
    else if (member.id === state.members.leader) this.#assign(request.assignments, now)
  }

  #syncError({ memberId, instanceId, generation, protocolType, protocolName }: SyncRequest): ErrorName | undefined {
    const state = this.#state
    const error = this.#state.members.identityError(memberId, instanceId)
    if (error !== undefined) return error
    if (generation !== state.generation) return 'ILLEGAL_GENERATION'
    const differs = (given: string | null, ours: string | null) => given !== null && given !== ours
    if (differs(protocolType, state.protocolType) || differs(protocolName, state.protocolName)) {
      return 'INCONSISTENT_GROUP_PROTOCOL'
    }
    return state.phase === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
  }

  #assign(assignments: SyncRequest['assignments'], now: Now): void {
    const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
    for (const member of this.members) member.assignment = given.get(member.id) ?? NO_BYTES
    this.#moveTo('Stable', now)
    this.#store()
    for (const member of this.members) this.#answerSync(member, now)
  }

  #answerSync(member: Member, now: Now): void {
    if (member.sync === undefined) return
    const { protocolType, protocolName } = this.#state
    this.#tell(member.sync, { error: 'NONE', protocolType, protocolName, assignment: member.assignment })
    member.sync = undefined
    this.#renew(member, now)
  }

  /** Renews the session. Throws KafkaError; REBALANCE_IN_PROGRESS renews it, too. No records, no answers. */
  heartbeat(memberId: string, instanceId: string | null, generation: number, now: Now): void {
    const error = this.#state.members.identityError(memberId, instanceId)
    if (error !== undefined) throw new KafkaError(error)
    if (generation !== this.generation) throw new KafkaError('ILLEGAL_GENERATION')
    this.touch(memberId, now)
    if (this.phase === 'PreparingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
  }

  /** Renews the session of a member that has shown itself. */
  touch(memberId: string, now: Now): void {
    const member = this.#state.members.get(memberId)
    if (member !== undefined && member.join === undefined && member.sync === undefined) this.#renew(member, now)
  }

  /** One error name for each of `leaving`. An instance id without a member id is removed by an administrator. */
  leave(leaving: readonly MemberIdentity[], now: Now): ErrorName[] {
    let hasLost = false
    const results = leaving.map(({ memberId, instanceId }): ErrorName => {
      const id = memberId === '' && instanceId !== null ? this.#state.members.ofInstance(instanceId)?.id : memberId
      if (this.#state.members.pending.delete(memberId)) return 'NONE'
      const error = id === undefined ? 'UNKNOWN_MEMBER_ID' : this.#state.members.identityError(id, instanceId)
      if (error !== undefined || id === undefined) return error ?? 'UNKNOWN_MEMBER_ID'
      hasLost = this.#remove(id) || hasLost
      return 'NONE'
    })
    this.#withoutThem(hasLost, now)
    return results
  }

  /** Throws KafkaError when an offset commit with this identity is not to be taken. */
  checkCommit(memberId: string, instanceId: string | null, generation: number, isTransactional: boolean): void {
    const { phase } = this.#state
    // From outside: an administrator, or a consumer without group management.
    if (generation < 0 && phase === 'Empty') return
    if (generation >= 0 || memberId !== '' || instanceId !== null) {
      const error = this.#state.members.identityError(memberId, instanceId)
      if (error !== undefined) throw new KafkaError(error)
      if (generation !== this.generation) throw new KafkaError('ILLEGAL_GENERATION')
    } else if (!isTransactional && phase !== 'Empty') throw new KafkaError('UNKNOWN_MEMBER_ID')
    // It has heard of the new generation, but has no assignment in it yet.
    if (!isTransactional && phase === 'CompletingRebalance') throw new KafkaError('REBALANCE_IN_PROGRESS')
  }

  /** Does what is due at `now`. */
  expire(now: Now): void {
    const state = this.#state
    const isDue = (at: number) => at <= now.monotonic
    let hasLost = false
    for (const [id, ends] of [...state.members.pending]) if (isDue(ends)) state.members.pending.delete(id)
    for (const member of this.members) {
      if (isDue(member.sessionEnds)) hasLost = this.#remove(member.id) || hasLost
    }
    if (isDue(state.syncEnds)) {
      state.syncEnds = Infinity
      for (const member of this.members) if (member.owesSync) hasLost = this.#remove(member.id) || hasLost
    }
    this.#withoutThem(hasLost, now)
    if (state.phase === 'PreparingRebalance' && isDue(state.joinEnds)) this.#joinTimeIsOver(now)
  }

  /** Members have gone, or ids that were waited for: the latter matter only while the group gathers. */
  #withoutThem(hasLostMembers: boolean, now: Now): void {
    if (hasLostMembers || this.phase === 'PreparingRebalance') this.#rebalance(now)
  }

  #joinTimeIsOver(now: Now): void {
    const state = this.#state
    if (state.startedEmpty && state.newMemberAdded && state.delayLeftMs > 0) {
      const delay = Math.min(this.#settings.initialDelayMs, state.delayLeftMs)
      state.newMemberAdded = false
      state.delayLeftMs = Math.max(state.delayLeftMs - this.#settings.initialDelayMs, 0)
      state.joinEnds = now.monotonic + delay
    } else this.#completeJoin(now)
  }

  /** Members have come, changed or gone: a rebalance begins, or the one under way may be complete. */
  #rebalance(now: Now): void {
    const state = this.#state
    if (state.phase !== 'PreparingRebalance') this.#prepare(now)
    else if (!state.startedEmpty && state.members.haveAllJoined()) this.#completeJoin(now)
  }

  #prepare(now: Now): void {
    const state = this.#state
    for (const member of this.members) {
      if (member.sync !== undefined) {
        this.#tell(member.sync, refusedSync('REBALANCE_IN_PROGRESS'))
        member.sync = undefined
        this.#renew(member, now)
      }
      member.owesSync = false
    }
    state.syncEnds = Infinity
    state.startedEmpty = state.phase === 'Empty'
    state.newMemberAdded = false
    this.#moveTo('PreparingRebalance', now)
    const { initialDelayMs } = this.#settings
    if (state.startedEmpty) {
      state.delayLeftMs = Math.max(state.members.rebalanceTimeoutMs() - initialDelayMs, 0)
      state.joinEnds = now.monotonic + initialDelayMs
      if (initialDelayMs === 0) this.#completeJoin(now)
    } else {
      state.joinEnds = now.monotonic + state.members.rebalanceTimeoutMs()
      if (state.members.haveAllJoined()) this.#completeJoin(now)
    }
  }

  #completeJoin(now: Now): void {
    const state = this.#state
    // Dynamic members that have not joined again are out; static ones stay for as long as their session.
    for (const { id, join, instanceId } of this.members) if (join === undefined && instanceId === null) this.#remove(id)
    const { members } = this
    const leader = state.members.get(state.members.leader ?? '')
    if (members.length > 0 && leader?.join === undefined) {
      state.members.leader = members.find(({ join }) => join !== undefined)?.id ?? state.members.leader
      if (state.members.joining() === 0) {
        state.joinEnds = now.monotonic + state.members.rebalanceTimeoutMs()
        return
      }
    }
    state.joinEnds = Infinity
    state.generation++
    state.protocolName = null
    this.#moveTo(members.length === 0 ? 'Empty' : 'CompletingRebalance', now)
    this.#write(null, null, [])
    if (members.length === 0) return
    state.protocolName = electedProtocol(members)
    state.syncEnds = now.monotonic + (state.members.rebalanceTimeoutMs() || SYNC_MS_UNASKED)
    for (const member of members) {
      member.assignment = NO_BYTES
      member.isNew = false
      member.owesSync = true
      if (member.join !== undefined) this.#tell(member.join, this.#joined(member))
      member.join = undefined
      this.#renew(member, now)
    }
  }

  #joined(member: Member): JoinResult {
    const { generation, protocolType, protocolName } = this.#state
    const { id: memberId } = member
    const { leader = '' } = this
    const members = memberId !== leader ? [] : this.members.map((each) => {
      return { memberId: each.id, groupInstanceId: each.instanceId, metadata: metadataOf(each, protocolName) }
    }) // prettier-ignore
    return { error: 'NONE', memberId, generation, protocolType, protocolName, leader, skipAssignment: false, members }
  }

  #update(member: Member, request: JoinRequest, ticket: Ticket<JoinResult>): void {
    if (member.join !== undefined) this.#tell(member.join, refusedJoin('REBALANCE_IN_PROGRESS', member.id))
    member.protocols = request.protocols
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    member.sessionTimeoutMs = request.sessionTimeoutMs
    member.join = ticket
    if (!member.isNew) member.sessionEnds = Infinity
  }

  /** Whether it was there. Its parked requests are told that it is not any more. */
  #remove(id: string): boolean {
    const { members } = this.#state
    const member = members.get(id)
    if (member === undefined) return false
    if (member.join !== undefined) this.#tell(member.join, refusedJoin('UNKNOWN_MEMBER_ID', id))
    if (member.sync !== undefined) this.#tell(member.sync, refusedSync('UNKNOWN_MEMBER_ID'))
    members.remove(member)
    return true
  }

  #renew(member: Member, now: Now): void {
    member.sessionEnds = now.monotonic + member.sessionTimeoutMs
  }

  #moveTo(phase: ClassicState, now: Now): void {
    this.#state.phase = phase
    this.#state.since = now.wall
  }

  #tell<T>(ticket: Ticket<T>, value: T): void {
    this.#answers.push(answer(ticket, value))
  }

  /** The group as it is, with its members. */
  #store(): void {
    const { protocolName } = this.#state
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

  #write(protocol: string | null, leader: string | null, members: GroupMetadata['members']): void {
    const { protocolType, generation, since: currentStateTimestamp } = this.#state
    this.#records.push(metadataRecord(this.id, { protocolType, generation, protocol, leader, currentStateTimestamp, members }))
  }
}
