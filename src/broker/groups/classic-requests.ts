// What members ask a classic group, and what they are answered.

import type { ErrorName } from '../../protocol/errors.ts'

export const NO_BYTES = Buffer.alloc(0)

export interface Protocol {
  readonly name: string
  readonly metadata: Buffer
}

export interface JoinRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocolType: string
  readonly protocols: readonly Protocol[]
  /** The id for a member that has none. */
  readonly newMemberId: string
  /** From version 4 on a member must join with the id it is given (KIP-394). */
  readonly requiresKnownId: boolean
  /** From version 9 on a leader can be told that the assignment stands (KIP-814). */
  readonly canSkipAssignment: boolean
}

export interface SyncRequest {
  readonly memberId: string
  readonly instanceId: string | null
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[]
}

export interface MemberIdentity {
  readonly memberId: string
  readonly instanceId: string | null
}

/** What a JoinGroup is answered. */
export interface JoinResult {
  readonly error: ErrorName
  readonly memberId: string
  readonly generation: number
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly leader: string
  readonly skipAssignment: boolean
  /** For the leader: everybody. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly metadata: Buffer }[]
}

export interface SyncResult {
  readonly error: ErrorName
  readonly protocolType: string | null
  readonly protocolName: string | null
  readonly assignment: Buffer
}

export function refusedJoin(error: ErrorName, memberId: string): JoinResult {
  const nothing = { generation: -1, protocolType: null, protocolName: null, leader: '', skipAssignment: false, members: [] }
  return { error, memberId, ...nothing }
}

export function refusedSync(error: ErrorName): SyncResult {
  return { error, protocolType: null, protocolName: null, assignment: NO_BYTES }
}
