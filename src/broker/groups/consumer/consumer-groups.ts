// The consumer groups of one partition of __consumer_offsets: those that the log has, changed by `replay` alone, and beside
// each what is not in the log: deadlines of its members, and how fresh its view of the topics is. Operations give records,
// an answer, and what is to follow when the records are in.

import { KafkaError } from '../../../protocol/errors.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import type { GroupRecord, GroupRecordInput } from '../../../protocol/records/group.ts'
import type { Now } from '../../coordinator/shard.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from '../classic-requests.ts'
import { classicMember, isBehind, joinClassic, mustRejoin, syncClassic } from './classic-members.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { MemberState } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'
import { Deadlines } from './deadlines.ts'
import { fencingRecords } from './fencing.ts'
import { heartbeat, leaving } from './heartbeat.ts'
import type { HeartbeatRequest, HeartbeatResult } from './heartbeat.ts'
import { dynamicMember, knownStatic } from './identity.ts'
import type { GroupFreshness, MemberChange } from './member-changes.ts'
import { canDowngrade, downgraded } from './migration.ts'
import type { Downgrade, Draft } from './migration.ts'
import type { RegexLookup } from './regexes.ts'
import type { ConsumerSettings, ConsumerWorld } from './settings.ts'
import type { GroupTopics } from '../topics.ts'

export interface ConsumerOutcome<T> {
  readonly records: readonly GroupRecordInput[]
  readonly result: T
  /** To be called when the records are in the log and replayed. */
  readonly after: () => void
  /** The group becomes this classic one. Its records are not among those above. */
  readonly downgrade?: Downgrade
}

export interface ConsumerGroupsOptions {
  readonly topics: GroupTopics
  readonly settings: (groupId: string) => ConsumerSettings
}

interface Entry {
  readonly group: ConsumerGroup
  readonly deadlines: Deadlines
  readonly regexes: Map<string, RegexLookup>
  /** A topic that it wants may have changed. */
  isStale: boolean
}

const NOTHING = () => undefined

export class ConsumerGroups {
  readonly #options: ConsumerGroupsOptions
  readonly #entries = new Map<string, Entry>()
  /** Grows when topics are created. */
  #topicsVersion = 0
  #nextDeadline = Infinity

  constructor(options: ConsumerGroupsOptions) {
    this.#options = options
  }

  get(id: string): ConsumerGroup | undefined {
    return this.#entries.get(id)?.group
  }

  has(id: string): boolean {
    return this.#entries.has(id)
  }

  ids(): Iterable<string> {
    return this.#entries.keys()
  }

  world(id: string, now: Now): ConsumerWorld {
    const { topics, settings } = this.#options
    return { topics, settings: settings(id), now }
  }

  replay(record: Extract<GroupRecord, { readonly name: `ConsumerGroup${string}` }>): void {
    const { groupId } = record.key
    let entry = this.#entries.get(groupId)
    if (entry === undefined) {
      if (record.value === null) return
      entry = { group: new ConsumerGroup(groupId), deadlines: new Deadlines(), regexes: new Map(), isStale: true }
      this.#entries.set(groupId, entry)
    }
    entry.group.replay(record)
    if (record.name === 'ConsumerGroupMetadata' && record.value === null) this.#entries.delete(groupId)
  }

  /** Every member gets a full session. */
  resume(now: Now): void {
    for (const [id, entry] of this.#entries) {
      this.#sync(id, now)
      entry.isStale = true
    }
  }

  /** `names`: of topics created, deleted or changed. */
  topicsChanged(names: readonly string[], hasNew: boolean): void {
    if (hasNew) this.#topicsVersion++
    for (const entry of this.#entries.values()) {
      if (names.some((name) => entry.group.isSubscribedTo(name))) entry.isStale = true
    }
  }

  get nextDeadline(): number {
    return this.#nextDeadline
  }

  /** Fences those whose time is over, group by group; each is to be performed before the next is asked for. */
  *expire(now: Now): Generator<readonly [id: string, outcome: ConsumerOutcome<undefined>]> {
    if (this.#nextDeadline > now.monotonic) return
    let next = Infinity
    for (const [id, { group, deadlines }] of [...this.#entries]) {
      const due = deadlines.due(group, now.monotonic)
      if (due.length > 0) yield [id, this.#fence(group, due, undefined, now)]
      next = Math.min(next, this.#entries.get(id)?.deadlines.next ?? Infinity)
    }
    this.#nextDeadline = next
  }

  /** `draft`: what the group would be, when it is not one yet. Throws KafkaError. */
  heartbeat(id: string, request: HeartbeatRequest, now: Now, draft?: Draft): ConsumerOutcome<HeartbeatResult> {
    const group = draft?.group ?? this.#existing(id)
    const found = heartbeat(group, request, this.#freshness(id), this.world(id, now))
    const { records, result } = found
    const after = () => {
      const session = now.monotonic + this.world(id, now).settings.sessionTimeoutMs
      this.#follow(id, found, now).renew(found.member.id, session)
      this.#arm(session)
    }
    return { records: draft === undefined ? records : [...draft.records, ...records], result, after }
  }

  leave(id: string, request: HeartbeatRequest, now: Now): ConsumerOutcome<HeartbeatResult> {
    const group = this.#existing(id)
    const { member, record } = leaving(group, request)
    const result = { memberId: member.id, epoch: request.epoch, heartbeatIntervalMs: 0, assignment: null }
    return record === undefined ? this.#fence(group, [member], result, now) : { records: [record], result, after: NOTHING }
  }

  joinClassic(id: string, request: JoinRequest, now: Now): ConsumerOutcome<JoinResult> {
    const group = this.#existing(id)
    const { result, change, downgrade } = joinClassic(group, request, this.#freshness(id), this.world(id, now))
    if (downgrade !== undefined) return { records: group.tombstones(), result, after: NOTHING, downgrade }
    const after = () => {
      if (change === undefined) return
      const deadlines = this.#follow(id, change, now)
      deadlines.renew(result.memberId, now.monotonic + request.sessionTimeoutMs)
      deadlines.awaitJoin(result.memberId, Infinity)
      deadlines.awaitSync(result.memberId, now.monotonic + request.rebalanceTimeoutMs)
      this.#arm(deadlines.next)
    }
    return { records: change?.records ?? [], result, after }
  }

  /** Throws KafkaError. */
  syncClassic(id: string, request: SyncRequest, now: Now): SyncResult {
    const { group, deadlines } = this.#entry(id)
    const member = classicMember(group, request.memberId, request.instanceId, request.generation)
    const result = syncClassic(member, request, this.#options.topics)
    if (isBehind(group, member)) throw this.#rejoin(deadlines, member, now)
    deadlines.awaitSync(member.id, Infinity)
    deadlines.renew(member.id, now.monotonic + sessionOf(member))
    return result
  }

  /** Throws KafkaError; REBALANCE_IN_PROGRESS renews the session, too. */
  heartbeatClassic(id: string, memberId: string, instanceId: string | null, generation: number, now: Now): void {
    const { group, deadlines } = this.#entry(id)
    const member = classicMember(group, memberId, instanceId, generation)
    deadlines.renew(member.id, now.monotonic + sessionOf(member))
    if (mustRejoin(group, member)) throw this.#rejoin(deadlines, member, now)
  }

  leaveClassic(id: string, members: readonly MemberIdentity[], now: Now): ConsumerOutcome<ErrorName[]> {
    const group = this.#existing(id)
    const gone = new Set<ConsumerMember>()
    const results = members.map(({ memberId, instanceId }): ErrorName => {
      try {
        const byInstance = memberId === '' ? group.staticMember(instanceId) : undefined
        gone.add(byInstance ?? (instanceId === null ? dynamicMember(group, memberId) : knownStatic(group, memberId, instanceId)))
        return 'NONE'
      } catch (error) {
        if (error instanceof KafkaError) return error.error
        throw error
      }
    })
    return this.#fence(group, [...gone], results, now)
  }

  #fence<T>(group: ConsumerGroup, members: readonly ConsumerMember[], result: T, now: Now): ConsumerOutcome<T> {
    const world = this.world(group.id, now)
    const gone = new Set(members)
    if (gone.size > 0 && canDowngrade(group, gone, group.members.size - gone.size, world)) {
      const downgrade = downgraded(group, gone, undefined, group.epoch, world)
      return { records: group.tombstones(), result, after: NOTHING, downgrade }
    }
    const records = fencingRecords(group, members, world.topics)
    return { records, result, after: () => this.#sync(group.id, now) }
  }

  #rejoin(deadlines: Deadlines, member: ConsumerMember, now: Now): KafkaError {
    if (deadlines.joinOf(member.id) === Infinity) deadlines.awaitJoin(member.id, now.monotonic + member.rebalanceTimeoutMs)
    this.#arm(deadlines.next)
    return new KafkaError('REBALANCE_IN_PROGRESS')
  }

  /** The soft state after a member's change. */
  #follow(id: string, { before, member, records, regexLookups }: MemberChange, now: Now): Deadlines {
    const { deadlines, regexes, group } = this.#sync(id, now, member.id)
    for (const [regex, lookup] of regexLookups) regexes.set(regex, lookup)
    for (const regex of regexes.keys()) if (!group.regexes.has(regex)) regexes.delete(regex)
    // Classic members have other deadlines: that they join again, and sync.
    const isUnrevoked = member.state === MemberState.unrevoked && member.classic === null
    if (!isUnrevoked) deadlines.awaitRevocation(member.id, Infinity, member.epoch)
    else if (records.some(({ name }) => name === 'ConsumerGroupCurrentMemberAssignment') || before.classic !== null) {
      deadlines.awaitRevocation(member.id, now.monotonic + member.rebalanceTimeoutMs, member.epoch)
      this.#arm(deadlines.next)
    }
    return deadlines
  }

  /** Members that came have a full session, those that went have no deadlines any more. */
  #sync(id: string, now: Now, memberId?: string): Entry {
    const entry = this.#entry(id)
    const { group, deadlines } = entry
    entry.isStale = false
    if (deadlines.members !== group.members.size || (memberId !== undefined && !deadlines.has(memberId))) {
      const session = this.world(id, now).settings.sessionTimeoutMs
      deadlines.follow(group, now.monotonic, session)
      this.#arm(deadlines.next)
    }
    return entry
  }

  #arm(at: number): void {
    this.#nextDeadline = Math.min(this.#nextDeadline, at)
  }

  #freshness(id: string): GroupFreshness {
    const entry = this.#entries.get(id)
    const isStale = entry?.isStale ?? true
    return { isStale, regexes: entry?.regexes ?? new Map(), topicsVersion: this.#topicsVersion }
  }

  #existing(id: string): ConsumerGroup {
    return this.#entry(id).group
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id)
    if (entry === undefined) throw new KafkaError('GROUP_ID_NOT_FOUND', `Consumer group ${id} not found.`)
    return entry
  }
}

function sessionOf({ classic }: ConsumerMember): number {
  return classic?.sessionTimeoutMs ?? 0
}
