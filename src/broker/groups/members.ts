// Who is in a classic group, in the order of joining; who leads it; which ids were given out and not used yet.

import { assert } from '../../base/assert.ts'
import type { ErrorName } from '../../protocol/errors.ts'
import type { Member } from './member.ts'

export class Members {
  readonly #byId: Map<string, Member>
  /** Member ids by instance id. */
  readonly #instances: Map<string, string>
  /** Ids given out that nobody joined with yet, and until when (monotonic ms) they are good. */
  readonly pending: Map<string, number>
  leader: string | undefined

  constructor(from?: Members) {
    this.#byId = new Map(from === undefined ? [] : from.all().map((member) => [member.id, { ...member }]))
    this.#instances = new Map(from === undefined ? [] : from.#instances)
    this.pending = new Map(from?.pending)
    this.leader = from?.leader
  }

  get size(): number {
    return this.#byId.size
  }

  all(): Member[] {
    return [...this.#byId.values()]
  }

  get(id: string): Member | undefined {
    return this.#byId.get(id)
  }

  /** The static member with this instance id. */
  ofInstance(instanceId: string): Member | undefined {
    const id = this.#instances.get(instanceId)
    return id === undefined ? undefined : this.#byId.get(id)
  }

  /** The first member leads. */
  add(member: Member): void {
    assert(!this.#byId.has(member.id), `member ${member.id} is there already`)
    this.#byId.set(member.id, member)
    if (member.instanceId !== null) this.#instances.set(member.instanceId, member.id)
    this.leader ??= member.id
    this.pending.delete(member.id)
  }

  /** Puts `member` where `former` was, with the same instance id; it leads if that one did. */
  replace(former: Member, member: Member): void {
    const all = this.all().map((each) => (each === former ? member : each))
    const { leader } = this
    this.#byId.clear()
    for (const each of all) this.add(each)
    this.leader = leader === former.id ? member.id : leader
  }

  remove({ id, instanceId }: Member): void {
    this.#byId.delete(id)
    if (instanceId !== null) this.#instances.delete(instanceId)
    if (this.leader === id) this.leader = this.all().at(0)?.id
  }

  /** Why somebody with these ids is not a member; undefined when he is. */
  identityError(memberId: string, instanceId: string | null): ErrorName | undefined {
    if (instanceId !== null) {
      const known = this.#instances.get(instanceId)
      if (known === undefined) return 'UNKNOWN_MEMBER_ID'
      if (known !== memberId) return 'FENCED_INSTANCE_ID'
    }
    return this.#byId.has(memberId) ? undefined : 'UNKNOWN_MEMBER_ID'
  }

  /** How many have a JoinGroup parked. */
  joining(): number {
    let count = 0
    for (const { join } of this.#byId.values()) if (join !== undefined) count++
    return count
  }

  /** Whether nobody is missing for the next generation. */
  haveAllJoined(): boolean {
    return this.pending.size === 0 && this.joining() === this.size
  }

  haveAllSynced(): boolean {
    return this.all().every(({ owesSync }) => !owesSync)
  }

  /** The longest that a member takes to join again, ms. */
  rebalanceTimeoutMs(): number {
    return this.all().reduce((longest, { rebalanceTimeoutMs }) => Math.max(longest, rebalanceTimeoutMs), 0)
  }

  /** Monotonic ms when the first session, or id given out, ends. */
  nextDeadline(): number {
    let next = Infinity
    for (const { sessionEnds } of this.#byId.values()) next = Math.min(next, sessionEnds)
    for (const ends of this.pending.values()) next = Math.min(next, ends)
    return next
  }
}
