// A member of a consumer group, as the log has it: never changed, only replaced. Members of the classic protocol are in
// here, too, with what their JoinGroup said.

import type { GROUP_RECORDS } from '../../../protocol/records/group-schemas.ts'
import type { ValueOf } from '../../../protocol/schema.ts'

/** As records number them. */
export const MemberState = { stable: 0, unrevoked: 1, unreleased: 2 } as const

/** topic id → partition → the member epoch in which it was assigned */
export type Owned = ReadonlyMap<string, ReadonlyMap<number, number>>
/** topic id → partitions */
export type Target = ReadonlyMap<string, ReadonlySet<number>>

export type MemberMetadata = ValueOf<typeof GROUP_RECORDS.ConsumerGroupMemberMetadata.value>
type CurrentAssignment = ValueOf<typeof GROUP_RECORDS.ConsumerGroupCurrentMemberAssignment.value>

export interface Subscription {
  /** Sorted, each once. */
  readonly names: readonly string[]
  /** '' where there is none. */
  readonly regex: string
}

export interface ConsumerMember extends Subscription {
  readonly id: string
  /** LEFT_STATIC: away, its partitions are kept for it. */
  readonly epoch: number
  readonly previousEpoch: number
  readonly state: number
  readonly assigned: Owned
  /** To be given up by the client; nobody else gets them before. */
  readonly revoking: Owned
  readonly instanceId: string | null
  readonly rackId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly rebalanceTimeoutMs: number
  readonly assignor: string | null
  /** Of a member that speaks the classic protocol. */
  readonly classic: MemberMetadata['classicMemberMetadata']
}

export const LEFT = -1
export const LEFT_STATIC = -2

export const NOTHING_OWNED: Owned = new Map()
export const NO_TARGET: Target = new Map()

export function newMember(id: string): ConsumerMember {
  return {
    id,
    epoch: 0,
    previousEpoch: -1,
    state: MemberState.stable,
    assigned: NOTHING_OWNED,
    revoking: NOTHING_OWNED,
    instanceId: null,
    rackId: null,
    clientId: '',
    clientHost: '',
    rebalanceTimeoutMs: -1,
    names: [],
    regex: '',
    assignor: null,
    classic: null,
  }
}

/** `names` as a member keeps them. */
export function sortedNames(names: readonly string[]): string[] {
  return [...new Set(names)].sort()
}

export function withMetadata(member: ConsumerMember, value: MemberMetadata): ConsumerMember {
  return {
    ...member,
    instanceId: value.instanceId,
    rackId: value.rackId,
    clientId: value.clientId,
    clientHost: value.clientHost,
    names: sortedNames(value.subscribedTopicNames),
    regex: value.subscribedTopicRegex ?? '',
    rebalanceTimeoutMs: value.rebalanceTimeoutMs,
    assignor: value.serverAssignor,
    classic: value.classicMemberMetadata,
  }
}

export function withAssignment(member: ConsumerMember, value: CurrentAssignment): ConsumerMember {
  return {
    ...member,
    epoch: value.memberEpoch,
    previousEpoch: value.previousMemberEpoch,
    state: value.state,
    assigned: ownedOf(value.assignedPartitions, value.memberEpoch),
    revoking: ownedOf(value.partitionsPendingRevocation, value.memberEpoch),
  }
}

/** Records of releases before 4.3 have no epochs: then it is the member's. */
function ownedOf(topics: CurrentAssignment['assignedPartitions'], memberEpoch: number): Owned {
  if (topics.length === 0) return NOTHING_OWNED
  return new Map(
    topics.map(({ topicId, partitions, assignmentEpochs }) => {
      return [topicId, new Map(partitions.map((partition, at) => [partition, assignmentEpochs?.[at] ?? memberEpoch]))]
    }),
  )
}

/** Whether a record of the member's metadata would say something else. */
export function sameMetadata(one: ConsumerMember, other: ConsumerMember): boolean {
  return (
    one.instanceId === other.instanceId &&
    one.rackId === other.rackId &&
    one.clientId === other.clientId &&
    one.clientHost === other.clientHost &&
    one.rebalanceTimeoutMs === other.rebalanceTimeoutMs &&
    one.regex === other.regex &&
    one.assignor === other.assignor &&
    sameNames(one.names, other.names) &&
    sameClassic(one.classic, other.classic)
  )
}

export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one === other || (one.length === other.length && one.every((name, at) => name === other[at]))
}

function sameClassic(one: ConsumerMember['classic'], other: ConsumerMember['classic']): boolean {
  if (one === null || other === null) return one === other
  const { supportedProtocols: theirs } = other
  if (one.sessionTimeoutMs !== other.sessionTimeoutMs || one.supportedProtocols.length !== theirs.length) return false
  return one.supportedProtocols.every(({ name, metadata }, at) => name === theirs[at].name && metadata.equals(theirs[at].metadata))
}

/** Partitions alone, or with the epochs they were assigned in. */
export function sameOwned(one: Owned, other: Owned, alsoEpochs: boolean): boolean {
  if (one === other) return true
  if (one.size !== other.size) return false
  for (const [topic, partitions] of one) {
    const theirs = other.get(topic)
    if (theirs?.size !== partitions.size) return false
    for (const [partition, epoch] of partitions) {
      const theirEpoch = theirs.get(partition)
      if (theirEpoch === undefined || (alsoEpochs && theirEpoch !== epoch)) return false
    }
  }
  return true
}

export function sameAssignment(one: ConsumerMember, other: ConsumerMember): boolean {
  return (
    one.epoch === other.epoch &&
    one.previousEpoch === other.previousEpoch &&
    one.state === other.state &&
    sameOwned(one.assigned, other.assigned, true) &&
    sameOwned(one.revoking, other.revoking, true)
  )
}

export function sameTarget(one: Target, other: Target): boolean {
  if (one === other) return true
  if (one.size !== other.size) return false
  for (const [topic, partitions] of one) {
    const theirs = other.get(topic)
    if (theirs?.size !== partitions.size) return false
    for (const partition of partitions) if (!theirs.has(partition)) return false
  }
  return true
}
