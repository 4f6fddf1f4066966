// What groups have committed, and what transactions will commit when they end. Changed by replay only. Of two commits to
// one partition the one later in the log counts, also when it became visible first (KIP-98).

import { GROUP_RECORDS } from '../../protocol/records/group-schemas.ts'
import type { GroupRecordInput } from '../../protocol/records/group.ts'
import { ZERO_UUID } from '../../protocol/reader.ts'
import type { ValueOf } from '../../protocol/schema.ts'

export type OffsetKey = ValueOf<typeof GROUP_RECORDS.OffsetCommit.key>

export interface CommittedOffset {
  readonly offset: bigint
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  /** ms since 1970 */
  readonly commitTimestamp: number
  /** ms since 1970; -1: by the broker's retention. */
  readonly expireTimestamp: number
  /** Zero in records of older releases. */
  readonly topicId: string
}

export type OffsetEntry = readonly [OffsetKey, CommittedOffset]

interface Stored extends CommittedOffset {
  /** Of its record in the log. */
  readonly at: number
}

/** By group, topic and partition. */
class OffsetTable<T> {
  readonly #groups = new Map<string, Map<string, Map<number, T>>>()

  get({ group, topic, partition }: OffsetKey): T | undefined {
    return this.#groups.get(group)?.get(topic)?.get(partition)
  }

  set({ group, topic, partition }: OffsetKey, value: T): void {
    const topics = valueIn(this.#groups, group, () => new Map<string, Map<number, T>>())
    valueIn(topics, topic, () => new Map<number, T>()).set(partition, value)
  }

  delete({ group, topic, partition }: OffsetKey): void {
    const topics = this.#groups.get(group)
    const partitions = topics?.get(topic)
    partitions?.delete(partition)
    if (partitions?.size === 0) topics?.delete(topic)
    if (topics?.size === 0) this.#groups.delete(group)
  }

  has(group: string): boolean {
    return this.#groups.has(group)
  }

  groups(): string[] {
    return [...this.#groups.keys()]
  }

  of(group: string): (readonly [OffsetKey, T])[] {
    return Array.from(this.#groups.get(group) ?? [], ([topic, partitions]) =>
      Array.from(partitions, ([partition, value]) => [{ group, topic, partition }, value] as const),
    ).flat()
  }
}

export class Offsets {
  readonly #committed = new OffsetTable<Stored>()
  /** By producer id. */
  readonly #pending = new Map<bigint, OffsetTable<Stored>>()
  /** Whose open transactions would move an offset: looked up for every offset that is read. */
  readonly #movers = new OffsetTable<Set<bigint>>()

  /** `value` null: a tombstone, which also takes back what transactions would commit. */
  replay(key: OffsetKey, value: CommittedOffset | null, at: number, producerId: bigint | undefined): void {
    if (value === null) {
      this.#committed.delete(key)
      for (const producerId of this.#movers.get(key) ?? []) this.#pending.get(producerId)?.delete(key)
      this.#movers.delete(key)
      return
    }
    // Field by field: spreads took more than half of the time that a log of a million of them takes to load.
    const { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId } = value
    const stored = { offset, leaderEpoch, metadata, commitTimestamp, expireTimestamp, topicId, at }
    if (producerId === undefined) {
      this.#committed.set(key, stored)
      return
    }
    valueIn(this.#pending, producerId, () => new OffsetTable<Stored>()).set(key, stored)
    const movers = this.#movers.get(key)
    if (movers === undefined) this.#movers.set(key, new Set([producerId]))
    else movers.add(producerId)
  }

  endTransaction(producerId: bigint, isCommit: boolean): void {
    const pending = this.#pending.get(producerId)
    if (pending === undefined) return
    this.#pending.delete(producerId)
    for (const [key, offset] of pending.groups().flatMap((group) => pending.of(group))) {
      const movers = this.#movers.get(key)
      movers?.delete(producerId)
      if (movers?.size === 0) this.#movers.delete(key)
      if (isCommit && (this.#committed.get(key)?.at ?? -1) < offset.at) this.#committed.set(key, offset)
    }
  }

  get(key: OffsetKey): CommittedOffset | undefined {
    return this.#committed.get(key)
  }

  /** In the order of their first commit. */
  of(group: string): OffsetEntry[] {
    return this.#committed.of(group)
  }

  /** Those of open transactions. */
  pendingOf(group: string): OffsetEntry[] {
    return this.#movers.of(group).flatMap(([key, movers]) =>
      [...movers].flatMap((producerId): OffsetEntry[] => {
        const offset = this.#pending.get(producerId)?.get(key)
        return offset === undefined ? [] : [[key, offset]]
      }),
    )
  }

  /** Whether an open transaction is about to move this offset. */
  isPending(key: OffsetKey): boolean {
    return this.#movers.get(key) !== undefined
  }

  /** Whether the group has any, committed or pending. */
  has(group: string): boolean {
    return this.#committed.has(group) || this.#movers.has(group)
  }

  /** Groups that have committed offsets. */
  groups(): string[] {
    return this.#committed.groups()
  }
}

/** In the version that holds what there is to say, as Apache writes it. */
export function offsetRecord(key: OffsetKey, value: CommittedOffset): GroupRecordInput {
  const version = value.expireTimestamp >= 0 ? 1 : value.topicId === ZERO_UUID ? 3 : 4
  return { name: 'OffsetCommit', key, version, value }
}

export function offsetTombstone(key: OffsetKey): GroupRecordInput {
  return { name: 'OffsetCommit', key, value: null }
}

function valueIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
