// A consumer group as the log has it, and what follows from that: who owns which partition, which topics are wanted, in
// which state it is. Changed by `replay` only, which takes any record at any time: after compaction, or a crash in the
// middle, records come in another order than they were written.

import type { GroupRecord, GroupRecordInput } from '../../../protocol/records/group.ts'
import type { Committer, Group, OffsetReader } from '../group.ts'
import { CONSUMER } from '../member.ts'
import type { CommittedOffset, OffsetEntry } from '../offsets.ts'
import { checkCommit, checkFetch } from './commits.ts'
import { MemberState, LEFT, newMember, NO_TARGET, NOTHING_OWNED, withAssignment, withMetadata } from './consumer-member.ts'
import type { ConsumerMember, Owned, Subscription, Target } from './consumer-member.ts'
import { groupTombstones } from './records.ts'

export type ConsumerState = 'Empty' | 'Assigning' | 'Reconciling' | 'Stable'

const FIRST_EPOCH = 1

export class ConsumerGroup implements Group {
  readonly id: string
  readonly type = 'consumer'
  readonly protocolType = CONSUMER
  readonly knowsTopics = true
  /** Of a group that nobody has joined yet: 1, as is that of its assignment. */
  epoch = FIRST_EPOCH
  metadataHash = 0n
  assignmentEpoch = FIRST_EPOCH
  /** ms since 1970; 0: not known. */
  assignmentTimestamp = 0
  /** A record of Kafka 4.0 is to be deleted. */
  hasPartitionMetadata = false
  readonly #members = new Map<string, ConsumerMember>()
  readonly #targets = new Map<string, Target>()
  /** What regexes were resolved to. */
  readonly #regexes = new Map<string, ReadonlySet<string>>()
  /** Member ids by instance id. */
  readonly #statics = new Map<string, string>()
  /** topic id → partition → member id */
  readonly #owners = new Map<string, Map<number, string>>()
  /** How many members have the regex; how many members or resolved regexes want the topic. */
  readonly #regexCounts = new Map<string, number>()
  readonly #topicCounts = new Map<string, number>()
  #classicMembers = 0

  constructor(id: string) {
    this.id = id
  }

  get members(): ReadonlyMap<string, ConsumerMember> {
    return this.#members
  }

  get regexes(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#regexes
  }

  /** How many members speak the classic protocol. */
  get classicMembers(): number {
    return this.#classicMembers
  }

  get state(): ConsumerState {
    if (this.#members.size === 0) return 'Empty'
    if (this.epoch > this.assignmentEpoch) return 'Assigning'
    for (const { state, epoch } of this.#members.values()) {
      if (state !== MemberState.stable || epoch !== this.assignmentEpoch) return 'Reconciling'
    }
    return 'Stable'
  }

  get isEmpty(): boolean {
    return this.#members.size === 0
  }

  get isVacant(): boolean {
    return this.isEmpty
  }

  staticMember(instanceId: string | null): ConsumerMember | undefined {
    const id = instanceId === null ? undefined : this.#statics.get(instanceId)
    return id === undefined ? undefined : this.#members.get(id)
  }

  target(memberId: string): Target {
    return this.#targets.get(memberId) ?? NO_TARGET
  }

  hasTarget(memberId: string): boolean {
    return this.#targets.has(memberId)
  }

  ownerOf(topicId: string, partition: number): string | undefined {
    return this.#owners.get(topicId)?.get(partition)
  }

  /** How many members are subscribed to `regex`. */
  regexSubscribers(regex: string): number {
    return this.#regexCounts.get(regex) ?? 0
  }

  isSubscribedTo(topic: string): boolean {
    return this.#topicCounts.has(topic)
  }

  subscription(): (topic: string) => boolean {
    return (topic) => this.isSubscribedTo(topic)
  }

  checkCommit(committer: Committer, offsets: readonly OffsetEntry[]): void {
    checkCommit(this, committer, offsets)
  }

  checkFetch(reader: OffsetReader): void {
    checkFetch(this, reader)
  }

  unusedSince({ commitTimestamp }: CommittedOffset): number {
    return commitTimestamp
  }

  tombstones(): GroupRecordInput[] {
    return groupTombstones(this.id, [...this.#members.keys()], this.#regexes.keys())
  }

  /** Topics that are wanted when `members` are replaced by others (undefined: gone), and `regexes` resolve anew. */
  topicsAfter(
    members: Iterable<readonly [before: Subscription | undefined, after: Subscription | undefined]>,
    regexes: ReadonlyMap<string, ReadonlySet<string> | null>,
  ): Iterable<string> {
    const counts = new Map(this.#topicCounts)
    for (const [before, after] of members) {
      if (before?.names === after?.names) continue
      count(counts, before?.names ?? [], -1)
      count(counts, after?.names ?? [], 1)
    }
    for (const [regex, topics] of regexes) {
      count(counts, this.#regexes.get(regex) ?? [], -1)
      count(counts, topics ?? [], 1)
    }
    return counts.keys()
  }

  /** The preferred assignor when `before` becomes `after`: the one that most members name. */
  assignorAfter(before: ConsumerMember | undefined, after: ConsumerMember): string | undefined {
    const votes = new Map<string, number>()
    for (const member of this.#members.values()) if (member.id !== before?.id) vote(votes, member)
    vote(votes, after)
    return mostVoted(votes)
  }

  get assignor(): string | undefined {
    const votes = new Map<string, number>()
    for (const member of this.#members.values()) vote(votes, member)
    return mostVoted(votes)
  }

  /** How many classic members speak each protocol. */
  classicProtocols(): ReadonlyMap<string, number> {
    const spoken = new Map<string, number>()
    for (const { classic } of this.#members.values()) count(spoken, classic?.supportedProtocols.map(({ name }) => name) ?? [], 1)
    return spoken
  }

  replay(record: GroupRecord): void {
    switch (record.name) {
      case 'ConsumerGroupMetadata':
        this.epoch = record.value?.epoch ?? FIRST_EPOCH
        this.metadataHash = record.value?.metadataHash ?? 0n
        return
      case 'ConsumerGroupPartitionMetadata':
        this.hasPartitionMetadata = record.value !== null
        return
      case 'ConsumerGroupMemberMetadata': {
        const { memberId } = record.key
        if (record.value === null) this.#remove(memberId)
        else this.#put(withMetadata(this.#members.get(memberId) ?? newMember(memberId), record.value))
        return
      }
      case 'ConsumerGroupTargetAssignmentMetadata':
        this.assignmentEpoch = record.value?.assignmentEpoch ?? FIRST_EPOCH
        this.assignmentTimestamp = record.value?.assignmentTimestamp ?? 0
        return
      case 'ConsumerGroupTargetAssignmentMember':
        if (record.value === null) this.#targets.delete(record.key.memberId)
        else {
          const target = record.value.topicPartitions.map(({ topicId, partitions }) => [topicId, new Set(partitions)] as const)
          this.#targets.set(record.key.memberId, new Map(target))
        }
        return
      case 'ConsumerGroupCurrentMemberAssignment': {
        const { memberId } = record.key
        const member = this.#members.get(memberId)
        if (record.value !== null) this.#put(withAssignment(member ?? newMember(memberId), record.value))
        else if (member !== undefined) {
          this.#put({ ...member, epoch: LEFT, previousEpoch: LEFT, assigned: NOTHING_OWNED, revoking: NOTHING_OWNED })
        }
        return
      }
      case 'ConsumerGroupRegularExpression': {
        const { regularExpression } = record.key
        count(this.#topicCounts, this.#regexes.get(regularExpression) ?? [], -1)
        if (record.value === null) this.#regexes.delete(regularExpression)
        else this.#regexes.set(regularExpression, new Set(record.value.topics))
        count(this.#topicCounts, this.#regexes.get(regularExpression) ?? [], 1)
        return
      }
      default:
    }
  }

  #put(member: ConsumerMember): void {
    const before = this.#members.get(member.id)
    this.#members.set(member.id, member)
    this.#follow(before, member)
    if (before?.instanceId !== member.instanceId) this.#forget(before)
    if (member.instanceId !== null) this.#statics.set(member.instanceId, member.id)
  }

  #remove(memberId: string): void {
    const before = this.#members.get(memberId)
    this.#members.delete(memberId)
    this.#follow(before, undefined)
    this.#forget(before)
  }

  /** Its instance id may be another member's by now. */
  #forget(before: ConsumerMember | undefined): void {
    const instanceId = before?.instanceId ?? null
    if (instanceId !== null && this.#statics.get(instanceId) === before?.id) this.#statics.delete(instanceId)
  }

  #follow(before: ConsumerMember | undefined, after: ConsumerMember | undefined): void {
    if (before?.names !== after?.names) {
      count(this.#topicCounts, before?.names ?? [], -1)
      count(this.#topicCounts, after?.names ?? [], 1)
    }
    if (before?.regex !== after?.regex) {
      count(this.#regexCounts, regexOf(before), -1)
      count(this.#regexCounts, regexOf(after), 1)
    }
    this.#classicMembers += Number((after?.classic ?? null) !== null) - Number((before?.classic ?? null) !== null)
    if (before !== undefined) for (const owned of [before.assigned, before.revoking]) this.#release(owned, before.id)
    if (after !== undefined) for (const owned of [after.assigned, after.revoking]) this.#claim(owned, after.id)
  }

  #claim(owned: Owned, memberId: string): void {
    for (const [topicId, partitions] of owned) {
      const owners = this.#owners.get(topicId) ?? new Map<number, string>()
      this.#owners.set(topicId, owners)
      for (const partition of partitions.keys()) owners.set(partition, memberId)
    }
  }

  #release(owned: Owned, memberId: string): void {
    for (const [topicId, partitions] of owned) {
      const owners = this.#owners.get(topicId)
      for (const partition of partitions.keys()) if (owners?.get(partition) === memberId) owners.delete(partition)
      if (owners?.size === 0) this.#owners.delete(topicId)
    }
  }
}

function regexOf(member: Subscription | undefined): string[] {
  return member === undefined || member.regex === '' ? [] : [member.regex]
}

function count(counts: Map<string, number>, keys: Iterable<string>, by: 1 | -1): void {
  for (const key of keys) {
    const left = (counts.get(key) ?? 0) + by
    if (left <= 0) counts.delete(key)
    else counts.set(key, left)
  }
}

function vote(votes: Map<string, number>, { assignor }: ConsumerMember): void {
  if (assignor !== null) votes.set(assignor, (votes.get(assignor) ?? 0) + 1)
}

function mostVoted(votes: ReadonlyMap<string, number>): string | undefined {
  return [...votes].sort(([, one], [, other]) => other - one).at(0)?.[0]
}
