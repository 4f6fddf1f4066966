// When members of one consumer group have to have done what (monotonic ms): shown themselves; given up what they are to lose;
// joined again, or synced, when they speak the classic protocol. What is late costs the membership.

import type { ConsumerGroup } from './consumer-group.ts'
import { MemberState } from './consumer-member.ts'
import type { ConsumerMember } from './consumer-member.ts'

interface Times {
  session: number
  revocation: number
  /** The one in which the partitions are to be given up: in a later one they were. */
  revocationEpoch: number
  join: number
  sync: number
}

export class Deadlines {
  readonly #times = new Map<string, Times>()

  get members(): number {
    return this.#times.size
  }

  /** The first of all; Infinity when there is none. */
  get next(): number {
    let next = Infinity
    for (const times of this.#times.values()) next = Math.min(next, firstOf(times))
    return next
  }

  has(memberId: string): boolean {
    return this.#times.has(memberId)
  }

  /** Members that are new here have `sessionMs` from now on, or what they asked for themselves. */
  follow({ members }: ConsumerGroup, now: number, sessionMs: number): void {
    for (const id of this.#times.keys()) if (!members.has(id)) this.#times.delete(id)
    for (const [id, member] of members) {
      if (this.#times.has(id)) continue
      const { state, classic, epoch: revocationEpoch } = member
      const isUnrevoked = state === MemberState.unrevoked && classic === null
      const revocation = isUnrevoked ? now + member.rebalanceTimeoutMs : Infinity
      const session = now + (classic?.sessionTimeoutMs ?? sessionMs)
      this.#times.set(id, { session, revocation, revocationEpoch, join: Infinity, sync: Infinity })
    }
  }

  renew(memberId: string, session: number): void {
    this.#set(memberId, { session })
  }

  awaitRevocation(memberId: string, revocation: number, revocationEpoch: number): void {
    this.#set(memberId, { revocation, revocationEpoch })
  }

  joinOf(memberId: string): number {
    return this.#times.get(memberId)?.join ?? Infinity
  }

  awaitJoin(memberId: string, join: number): void {
    this.#set(memberId, { join })
  }

  awaitSync(memberId: string, sync: number): void {
    this.#set(memberId, { sync })
  }

  /** Members whose time is over at `now`. */
  due({ members }: ConsumerGroup, now: number): ConsumerMember[] {
    const due: ConsumerMember[] = []
    for (const [id, times] of this.#times) {
      const member = members.get(id)
      if (member === undefined || firstOf(times) > now) continue
      if (times.revocation <= now && member.epoch !== times.revocationEpoch) times.revocation = Infinity
      if (firstOf(times) <= now) due.push(member)
    }
    return due
  }

  #set(memberId: string, changed: Partial<Times>): void {
    const times = this.#times.get(memberId)
    if (times !== undefined) Object.assign(times, changed)
  }
}

function firstOf({ session, revocation, join, sync }: Times): number {
  return Math.min(session, revocation, join, sync)
}
