// The classic groups of one partition of __consumer_offsets: those that the log has, changed by `replay` alone, and the
// live groups beside them, in which requests wait. An operation is tried on a copy of its group.

import { KafkaError } from '../../protocol/errors.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { GroupRecord } from '../../protocol/records/group.ts'
import { answer, answering } from '../coordinator/shard.ts'
import type { Answer, Now, Step, Ticket } from '../coordinator/shard.ts'
import { ClassicGroup } from './classic-group.ts'
import type { ClassicSettings } from './classic-group.ts'
import { expire, join, leave, rebalance, sync } from './classic-rebalance.ts'
import { refusedJoin, refusedSync } from './classic-requests.ts'
import type { JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult } from './classic-requests.ts'
import type { Downgrade } from './consumer/migration.ts'
import { groupStep } from './group.ts'
import { metadataRecord } from './stored-group.ts'
import type { GroupMetadata } from './stored-group.ts'

export class ClassicGroups {
  readonly #settings: ClassicSettings
  /** What the log says. */
  readonly #stored = new Map<string, GroupMetadata>()
  /** What goes on; not here after a start: groups that only have offsets. */
  readonly #live = new Map<string, ClassicGroup>()
  #nextDeadline = Infinity

  constructor(settings: ClassicSettings) {
    this.#settings = settings
  }

  replay({ key, value }: Extract<GroupRecord, { readonly name: 'GroupMetadata' }>): void {
    if (value === null) this.#stored.delete(key.group)
    else this.#stored.set(key.group, value)
  }

  /** Every member gets a full session. */
  resume(now: Now): void {
    for (const [id, stored] of this.#stored) this.#put(ClassicGroup.stored(id, this.#settings, stored, now))
  }

  get nextDeadline(): number {
    return this.#nextDeadline
  }

  *expire(now: Now): Generator<Step> {
    if (this.#nextDeadline > now.monotonic) return
    let next = Infinity
    for (const id of [...this.#live.keys()]) {
      const group = this.#live.get(id)
      if (group !== undefined && group.nextDeadline <= now.monotonic) yield this.#change(group, (draft) => expire(draft, now))
      next = Math.min(next, this.#live.get(id)?.nextDeadline ?? Infinity)
    }
    this.#nextDeadline = next
  }

  /** Everybody who is parked. */
  abandon(): readonly Answer[] {
    return [...this.#live.values()].flatMap((group) => group.abandon())
  }

  get(id: string): ClassicGroup | undefined {
    return this.#live.get(id)
  }

  ids(): Iterable<string> {
    return this.#live.keys()
  }

  /** Whether the log has a record of it, which whatever takes its place has to end. */
  isStored(id: string): boolean {
    return this.#stored.has(id)
  }

  /** One that nobody has joined, and that is not kept yet. */
  empty(id: string, now: Now): ClassicGroup {
    return ClassicGroup.empty(id, this.#settings, now)
  }

  /** `found`: undefined when there is none yet. */
  join(id: string, found: ClassicGroup | undefined, request: JoinRequest, now: Now, ticket: Ticket<JoinResult>): Step {
    const { memberId } = request
    const group = found ?? (memberId === '' ? this.empty(id, now) : undefined)
    if (group === undefined) return answering(ticket, refusedJoin('UNKNOWN_MEMBER_ID', memberId))
    return this.#change(group, (draft) => join(draft, request, now, ticket))
  }

  sync(id: string, request: SyncRequest, now: Now, ticket: Ticket<SyncResult>): Step {
    const group = this.#live.get(id)
    if (group === undefined) return answering(ticket, refusedSync('UNKNOWN_MEMBER_ID'))
    return this.#change(group, (draft) => sync(draft, request, now, ticket))
  }

  /** Throws KafkaError. */
  heartbeat(id: string, memberId: string, instanceId: string | null, generation: number, now: Now): void {
    const group = this.#live.get(id)
    if (group === undefined) throw new KafkaError('UNKNOWN_MEMBER_ID')
    group.heartbeat(memberId, instanceId, generation, now)
  }

  /** Answers one error name for each member. */
  leave(id: string, members: readonly MemberIdentity[], now: Now, ticket: Ticket<ErrorName[]>): Step {
    const group = this.#live.get(id)
    if (group === undefined) return answering(ticket, members.map((): ErrorName => 'UNKNOWN_MEMBER_ID'))
    let results: ErrorName[] = []
    const { records, then } = this.#change(group, (draft) => (results = leave(draft, members, now)))
    return { records, then: () => [...then(), answer(ticket, results)] }
  }

  /** What a consumer group goes on as, once its own records are gone. */
  takeOver(id: string, { stored, protocols, rebalances }: Downgrade, now: Now): Step {
    const group = ClassicGroup.stored(id, this.#settings, stored, now, protocols)
    if (rebalances) rebalance(group, now)
    const { records, answers } = group.take()
    return groupStep([metadataRecord(id, stored), ...records], () => {
      this.#put(group)
      return answers
    })
  }

  /** A group that has committed offsets stays when all of them are deleted, until it is, or expires. */
  keep(id: string, now: Now): void {
    if (!this.#live.has(id)) this.#live.set(id, this.empty(id, now))
  }

  /** It is no classic group any more: those who are parked in it hear `error`. */
  drop(id: string, error?: ErrorName): readonly Answer[] {
    const group = this.#live.get(id)
    this.#live.delete(id)
    return group?.abandon(error) ?? []
  }

  /** Tries `action` on a copy, which takes the group's place when its records are in the log. */
  #change(group: ClassicGroup, action: (draft: ClassicGroup) => void): Step {
    const draft = group.copy()
    action(draft)
    const { records, answers } = draft.take()
    return groupStep(records, () => {
      this.#put(draft)
      return answers
    })
  }

  #put(group: ClassicGroup): void {
    // Somebody asked for an id and never came: nothing is left of such a group.
    if (group.isVacant && !this.#stored.has(group.id)) this.#live.delete(group.id)
    else this.#live.set(group.id, group)
    this.#nextDeadline = Math.min(this.#nextDeadline, group.nextDeadline)
  }
}
