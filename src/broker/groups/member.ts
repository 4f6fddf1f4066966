// A member of a classic group, and what follows from its members alone: which protocols all of them speak, which one
// wins the vote, which topics a consumer group is subscribed to. Protocols are opaque but for that last question.

import { topicsSubscribed } from '../../protocol/records/consumer-protocol.ts'
import type { Ticket } from '../coordinator/shard.ts'
import { NO_BYTES } from './classic-requests.ts'
import type { JoinResult, Protocol, SyncResult } from './classic-requests.ts'

export interface Member {
  readonly id: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  protocols: readonly Protocol[]
  assignment: Buffer
  /** Was never told its id: its first JoinGroup is parked. */
  isNew: boolean
  /** The parked JoinGroup or SyncGroup. */
  join: Ticket<JoinResult> | undefined
  sync: Ticket<SyncResult> | undefined
  /** Was answered a JoinGroup, and has not sent the SyncGroup yet. */
  owesSync: boolean
  /** Monotonic ms; Infinity while a request of it is parked. */
  sessionEnds: number
}

export const CONSUMER = 'consumer'

/** What is asked of a member here. */
export type Speaker = Pick<Member, 'protocols'>

export function metadataOf(member: Speaker, protocol: string | null): Buffer {
  return member.protocols.find(({ name }) => name === protocol)?.metadata ?? NO_BYTES
}

/** The same protocols, in the same order, with the same metadata. */
export function sameProtocols(one: readonly Protocol[], other: readonly Protocol[]): boolean {
  if (one.length !== other.length) return false
  return one.every(({ name, metadata }, at) => name === other[at].name && metadata.equals(other[at].metadata))
}

/** Names that every one of `members` speaks, in the first member's order. */
export function commonProtocols(members: Iterable<Speaker>): string[] {
  let common: string[] | undefined
  for (const { protocols } of members) {
    const spoken = new Set(protocols.map(({ name }) => name))
    common = common === undefined ? [...spoken] : common.filter((name) => spoken.has(name))
  }
  return common ?? []
}

/** Each member votes for the first of its protocols that all can speak; the first to have most votes wins. */
export function electedProtocol(members: readonly Speaker[]): string {
  const candidates = new Set(commonProtocols(members))
  const votes = new Map<string, number>()
  for (const { protocols } of members) {
    const choice = protocols.find(({ name }) => candidates.has(name))
    if (choice !== undefined) votes.set(choice.name, (votes.get(choice.name) ?? 0) + 1)
  }
  const most = Math.max(...votes.values())
  return [...votes].find(([, count]) => count === most)?.[0] ?? ''
}

/** Topics that some member consumes; undefined when a subscription can't be read, as in Kafka. */
export function subscribedTopics(members: Iterable<Speaker>, protocol: string | null): Set<string> | undefined {
  const topics = new Set<string>()
  try {
    for (const member of members) {
      for (const topic of topicsSubscribed(metadataOf(member, protocol))) topics.add(topic)
    }
  } catch {
    return undefined // not ours to judge: it is opaque
  }
  return topics
}
