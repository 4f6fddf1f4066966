// How the members of a classic group come together to a generation: they join, the leader assigns, all of them sync; who
// is late is out. Each function changes the copy of the group that it is given (classic-group.ts), and nothing else.
// A generation is in the log before its members hear of it (Kafka stores it with the assignment only), so that it is
// never used twice: as that of a group without members, since none has an assignment yet.

import type { ErrorName } from '../../protocol/errors.ts'
import type { Now, Ticket } from '../coordinator/shard.ts'
import type { ClassicGroup } from './classic-group.ts'
import { NO_BYTES, refusedJoin, refusedSync } from './classic-requests.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from './classic-requests.ts'
import { commonProtocols, electedProtocol, metadataOf, sameProtocols } from './member.ts'
import type { Member } from './member.ts'

/** The assignment has this long to come where no member asks for any time at all; Kafka's timer would race with it. */
const SYNC_MS_UNASKED = 1000
/** Ids given out and not used yet; they are copied with the group. */
const MAX_PENDING = 2000

export function join(group: ClassicGroup, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
  const { roster } = group
  const { memberId, instanceId } = request
  const refuse = (error: ErrorName, id: string) => group.tell(ticket, refusedJoin(error, id))
  if (!accepts(group, memberId)) {
    if (group.remove(memberId)) rebalance(group, now)
    refuse('GROUP_MAX_SIZE_REACHED', '')
  } else if (!speaks(group, request)) refuse('INCONSISTENT_GROUP_PROTOCOL', memberId)
  else if (memberId === '') joinNew(group, request, now, ticket)
  else if (roster.pending.has(memberId)) addMember(group, memberId, request, now, ticket)
  else {
    const error = roster.identityError(memberId, instanceId)
    const member = roster.get(memberId)
    if (error !== undefined || member === undefined) refuse(error ?? 'UNKNOWN_MEMBER_ID', memberId)
    else rejoin(group, member, request, now, ticket)
  }
}

/** Room for members is counted by those that wait, while they gather: the last to come stay outside. */
function accepts({ state, roster, settings }: ClassicGroup, memberId: string): boolean {
  const known = roster.get(memberId)
  if (state === 'Empty') return true
  if (state === 'PreparingRebalance') return known?.join !== undefined || roster.joining() < settings.maxSize
  return known !== undefined || roster.size < settings.maxSize
}

function speaks(group: ClassicGroup, { protocolType, protocols }: JoinRequest): boolean {
  if (group.state === 'Empty') return protocolType !== '' && protocols.length > 0
  if (protocolType !== group.protocolType) return false
  if (group.roster.size === 0) return protocols.length > 0
  const common = new Set(commonProtocols(group.members))
  return protocols.some(({ name }) => common.has(name))
}

function joinNew(group: ClassicGroup, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
  const { roster } = group
  const { instanceId, newMemberId, sessionTimeoutMs } = request
  const former = instanceId === null ? undefined : roster.ofInstance(instanceId)
  if (former !== undefined) replaceStatic(group, former, request, now, ticket)
  else if (instanceId === null && request.requiresKnownId) {
    const { pending } = roster
    pending.set(newMemberId, now.monotonic + sessionTimeoutMs)
    // Whoever is crowded out asks for another.
    const [oldest] = pending.keys()
    if (pending.size > MAX_PENDING) pending.delete(oldest)
    group.tell(ticket, refusedJoin('MEMBER_ID_REQUIRED', newMemberId))
  } else addMember(group, newMemberId, request, now, ticket)
}

function addMember(group: ClassicGroup, id: string, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
  if (group.roster.size === 0) group.protocolType = request.protocolType
  if (group.state === 'PreparingRebalance' && group.progress.startedEmpty) group.progress.newMemberAdded = true
  const { instanceId, clientId, clientHost, rebalanceTimeoutMs, sessionTimeoutMs, protocols } = request
  group.roster.add({
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
    sessionEnds: now.monotonic + group.settings.newMemberJoinTimeoutMs,
  })
  rebalance(group, now)
}

function rejoin(group: ClassicGroup, member: Member, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
  const { state, leader } = group
  const isUnchanged = sameProtocols(member.protocols, request.protocols)
  const repeats =
    (state === 'CompletingRebalance' && isUnchanged) ||
    // A leader that joins again wants a new assignment: what it looks at besides its metadata has changed.
    (state === 'Stable' && isUnchanged && member.id !== leader)
  if (repeats) {
    // Its answer was lost; or a follower joins although nothing has changed, and may go on to SyncGroup.
    if (member.sync === undefined) group.renew(member, now)
    group.tell(ticket, joined(group, member))
  } else if (state === 'Empty') group.tell(ticket, refusedJoin('UNKNOWN_MEMBER_ID', member.id))
  else {
    update(group, member, request, ticket)
    rebalance(group, now)
  }
}

/** A static member came back with a new process: the new one takes the place of the old one, which is fenced. */
function replaceStatic(group: ClassicGroup, former: Member, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): void {
  const { newMemberId } = request
  const formerLeader = group.leader ?? ''
  if (former.join !== undefined) group.tell(former.join, refusedJoin('FENCED_INSTANCE_ID', former.id))
  if (former.sync !== undefined) group.tell(former.sync, refusedSync('FENCED_INSTANCE_ID'))
  const member: Member = { ...former, id: newMemberId, join: undefined, sync: undefined }
  group.roster.replace(former, member)
  update(group, member, request, ticket)

  if (group.state !== 'Stable' || group.protocolName !== electedProtocol(group.members)) {
    rebalance(group, now)
    return
  }
  member.join = undefined
  group.renew(member, now)
  group.store()
  const isLeader = group.leader === newMemberId
  const result = joined(group, member)
  const told: JoinResult = request.canSkipAssignment
    ? { ...result, skipAssignment: isLeader }
    : // Under another leader's id it takes itself for a follower, and does not assign anew.
      { ...result, leader: formerLeader, members: [] }
  group.tell(ticket, told)
}

function update(group: ClassicGroup, member: Member, request: JoinRequest, ticket: Ticket<JoinResult>): void {
  if (member.join !== undefined) group.tell(member.join, refusedJoin('REBALANCE_IN_PROGRESS', member.id))
  member.protocols = request.protocols
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs
  member.sessionTimeoutMs = request.sessionTimeoutMs
  member.join = ticket
  if (!member.isNew) member.sessionEnds = Infinity
}

function joined(group: ClassicGroup, member: Member): JoinResult {
  const { generation, protocolType, protocolName, leader = '' } = group
  const { id: memberId } = member
  const members = memberId !== leader ? [] : group.members.map((each) => {
    return { memberId: each.id, groupInstanceId: each.instanceId, metadata: metadataOf(each, protocolName) }
  }) // prettier-ignore
  return { error: 'NONE', memberId, generation, protocolType, protocolName, leader, skipAssignment: false, members }
}

export function sync(group: ClassicGroup, request: SyncRequest, now: Now, ticket: Ticket<SyncResult>): void {
  const { roster } = group
  const error = syncError(group, request)
  const member = roster.get(request.memberId)
  if (error !== undefined || member === undefined) {
    group.tell(ticket, refusedSync(error ?? 'UNKNOWN_MEMBER_ID'))
    return
  }
  member.owesSync = false
  if (roster.haveAllSynced()) group.progress.syncEnds = Infinity
  if (member.sync !== undefined) group.tell(member.sync, refusedSync('REBALANCE_IN_PROGRESS'))
  member.sync = ticket
  member.sessionEnds = Infinity
  if (group.state === 'Stable') answerSync(group, member, now)
  else if (member.id === group.leader) assign(group, request.assignments, now)
}

function syncError(group: ClassicGroup, request: SyncRequest): ErrorName | undefined {
  const { memberId, instanceId, generation, protocolType, protocolName } = request
  const error = group.roster.identityError(memberId, instanceId)
  if (error !== undefined) return error
  if (generation !== group.generation) return 'ILLEGAL_GENERATION'
  const differs = (given: string | null, ours: string | null) => given !== null && given !== ours
  if (differs(protocolType, group.protocolType) || differs(protocolName, group.protocolName)) {
    return 'INCONSISTENT_GROUP_PROTOCOL'
  }
  return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
}

function assign(group: ClassicGroup, assignments: SyncRequest['assignments'], now: Now): void {
  const given = new Map(assignments.map(({ memberId, assignment }) => [memberId, assignment]))
  for (const member of group.members) member.assignment = given.get(member.id) ?? NO_BYTES
  group.moveTo('Stable', now)
  group.store()
  for (const member of group.members) answerSync(group, member, now)
}

function answerSync(group: ClassicGroup, member: Member, now: Now): void {
  if (member.sync === undefined) return
  const { protocolType, protocolName } = group
  group.tell(member.sync, { error: 'NONE', protocolType, protocolName, assignment: member.assignment })
  member.sync = undefined
  group.renew(member, now)
}

/** One error name for each of `leaving`. An instance id without a member id is removed by an administrator. */
export function leave(group: ClassicGroup, leaving: readonly MemberIdentity[], now: Now): ErrorName[] {
  const { roster } = group
  let hasLost = false
  const results = leaving.map(({ memberId, instanceId }): ErrorName => {
    const id = memberId === '' && instanceId !== null ? roster.ofInstance(instanceId)?.id : memberId
    if (roster.pending.delete(memberId)) return 'NONE'
    const error = id === undefined ? 'UNKNOWN_MEMBER_ID' : roster.identityError(id, instanceId)
    if (error !== undefined || id === undefined) return error ?? 'UNKNOWN_MEMBER_ID'
    hasLost = group.remove(id) || hasLost
    return 'NONE'
  })
  withoutThem(group, hasLost, now)
  return results
}

/** Does what is due at `now`. */
export function expire(group: ClassicGroup, now: Now): void {
  const { roster } = group
  const isDue = (at: number) => at <= now.monotonic
  let hasLost = false
  for (const [id, ends] of [...roster.pending]) if (isDue(ends)) roster.pending.delete(id)
  for (const member of group.members) {
    if (isDue(member.sessionEnds)) hasLost = group.remove(member.id) || hasLost
  }
  if (isDue(group.progress.syncEnds)) {
    group.progress.syncEnds = Infinity
    for (const member of group.members) if (member.owesSync) hasLost = group.remove(member.id) || hasLost
  }
  withoutThem(group, hasLost, now)
  if (group.state === 'PreparingRebalance' && isDue(group.progress.joinEnds)) joinTimeIsOver(group, now)
}

/** Members have gone, or ids that were waited for: the latter matter only while the group gathers. */
function withoutThem(group: ClassicGroup, hasLostMembers: boolean, now: Now): void {
  if (hasLostMembers || group.state === 'PreparingRebalance') rebalance(group, now)
}

/** Members have come, changed or gone: a rebalance begins, or the one under way may be complete. */
export function rebalance(group: ClassicGroup, now: Now): void {
  if (group.state !== 'PreparingRebalance') prepare(group, now)
  else if (!group.progress.startedEmpty && group.roster.haveAllJoined()) completeJoin(group, now)
}

function prepare(group: ClassicGroup, now: Now): void {
  const { roster, progress, settings } = group
  for (const member of group.members) {
    if (member.sync !== undefined) {
      group.tell(member.sync, refusedSync('REBALANCE_IN_PROGRESS'))
      member.sync = undefined
      group.renew(member, now)
    }
    member.owesSync = false
  }
  progress.syncEnds = Infinity
  progress.startedEmpty = group.isEmpty
  progress.newMemberAdded = false
  group.moveTo('PreparingRebalance', now)
  const { initialDelayMs } = settings
  if (progress.startedEmpty) {
    progress.delayLeftMs = Math.max(roster.rebalanceTimeoutMs() - initialDelayMs, 0)
    progress.joinEnds = now.monotonic + initialDelayMs
    if (initialDelayMs === 0) completeJoin(group, now)
  } else {
    progress.joinEnds = now.monotonic + roster.rebalanceTimeoutMs()
    if (roster.haveAllJoined()) completeJoin(group, now)
  }
}

function joinTimeIsOver(group: ClassicGroup, now: Now): void {
  const { progress, settings } = group
  if (progress.startedEmpty && progress.newMemberAdded && progress.delayLeftMs > 0) {
    const delay = Math.min(settings.initialDelayMs, progress.delayLeftMs)
    progress.newMemberAdded = false
    progress.delayLeftMs = Math.max(progress.delayLeftMs - settings.initialDelayMs, 0)
    progress.joinEnds = now.monotonic + delay
  } else completeJoin(group, now)
}

function completeJoin(group: ClassicGroup, now: Now): void {
  const { roster, progress } = group
  // Dynamic members that have not joined again are out; static ones stay for as long as their session.
  for (const { id, join: parked, instanceId } of group.members) if (parked === undefined && instanceId === null) group.remove(id)
  const { members } = group
  const leader = roster.get(roster.leader ?? '')
  if (members.length > 0 && leader?.join === undefined) {
    roster.leader = members.find((member) => member.join !== undefined)?.id ?? roster.leader
    if (roster.joining() === 0) {
      progress.joinEnds = now.monotonic + roster.rebalanceTimeoutMs()
      return
    }
  }
  progress.joinEnds = Infinity
  group.generation++
  group.protocolName = null
  group.moveTo(members.length === 0 ? 'Empty' : 'CompletingRebalance', now)
  group.storeGeneration()
  if (members.length === 0) return
  group.protocolName = electedProtocol(members)
  progress.syncEnds = now.monotonic + (roster.rebalanceTimeoutMs() || SYNC_MS_UNASKED)
  for (const member of members) {
    member.assignment = NO_BYTES
    member.isNew = false
    member.owesSync = true
    if (member.join !== undefined) group.tell(member.join, joined(group, member))
    member.join = undefined
    group.renew(member, now)
  }
}
