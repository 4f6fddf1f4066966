// What the two kinds of group membership have in common: what they tell their consumer, and the broker they talk to.
// A member never touches partitions itself. It says what should happen, and its consumer answers when it has happened.

import { type Clock } from '../../base/clock.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import { findCoordinators, GROUP } from '../admin/coordinators.ts'
import type { TopicPartition } from '../admin/partitions.ts'
import { backoffMs } from '../backoff.ts'
import type { Cluster, Wait } from '../cluster.ts'
import { ConnectError, TimeoutError } from '../errors.ts'
import type { Asker } from './offsets.ts'

/** A partition of one incarnation of its topic: under the same name there may be another one by now. */
export interface AssignedPartition extends TopicPartition {
  /** Left out where the protocol knows names only. */
  readonly topicId?: string
}

export interface Membership {
  /** How the member signs what it sends. */
  readonly asker: Asker
  /** Everything has to be given up before joining again. */
  readonly isEager: boolean
  /** Asks in, or in again, as the holder of `owned`; `onAssigned` follows, or `onLost`, or `onError`. */
  join(owned: readonly AssignedPartition[]): void
  /** What was assigned is held now; `hasRevoked`: something was given up for it. */
  settled(owned: readonly AssignedPartition[], hasRevoked: boolean): void
  /** Says good-bye; failures don't matter any more. Nothing is told after this. */
  leave(wait: Wait): Promise<void>
}

export interface MemberEvents {
  /** The group rebalances: commit, then `join`. */
  onRejoin(): void
  /** All that this member should hold. */
  onAssigned(partitions: readonly AssignedPartition[]): void
  /** The group goes on without us, and what we held may be somebody else's already: forget it, then `join([])`. */
  onLost(reason: string): void
  /** What will not pass. */
  onError(error: Error): void
  /** False when the records given out have not been dealt with for longer than max.poll.interval.ms. */
  isAlive(): boolean
}

export interface MemberOptions {
  readonly cluster: Cluster
  readonly clock: Clock
  readonly coordinator: Coordinator
  readonly groupId: string
  /** As they are now: they change while `join` is about to be called. */
  readonly topics: () => readonly string[]
  readonly events: MemberEvents
}

/** The group's broker, found when needed and found anew when it moved. */
export class Coordinator {
  readonly #cluster: Cluster
  readonly #clock: Clock
  readonly #groupId: string
  readonly #signal: AbortSignal
  #node: number | undefined
  #failingSince = Infinity
  #failures = 0

  constructor(cluster: Cluster, clock: Clock, groupId: string, signal: AbortSignal) {
    this.#cluster = cluster
    this.#clock = clock
    this.#groupId = groupId
    this.#signal = signal
  }

  async node(wait: Wait = {}): Promise<number> {
    if (this.#node !== undefined) return this.#node
    const found = (await findCoordinators(this.#cluster, GROUP, [this.#groupId], { signal: this.#signal, ...wait })).get(this.#groupId)
    if (found?.ok !== true) throw found?.error ?? new KafkaError('COORDINATOR_NOT_AVAILABLE')
    return (this.#node = found.value)
  }

  succeeded(): void {
    this.#failingSince = Infinity
    this.#failures = 0
  }

  /** Rethrows what waiting doesn't mend, or hasn't for default.api.timeout.ms; otherwise the ms to wait. */
  failed(error: unknown): number {
    const { defaultApiTimeoutMs, retryBackoffMs, retryBackoffMaxMs } = this.#cluster.config
    const now = this.#clock.monotonic()
    this.#failingSince = Math.min(this.#failingSince, now)
    const mayPass = error instanceof TimeoutError || ((error instanceof ConnectError || error instanceof KafkaError) && error.retriable)
    if (!mayPass || now - this.#failingSince >= defaultApiTimeoutMs) throw error
    this.#node = undefined
    return backoffMs(this.#failures++, retryBackoffMs, retryBackoffMaxMs)
  }

  /** `failed`, and the wait as well. */
  async pause(error: unknown): Promise<void> {
    const ms = this.failed(error)
    await new Promise<void>((resolve) => this.#clock.after(ms, resolve, true))
    this.#signal.throwIfAborted()
  }
}

/** Answers that end a membership, but not the consumer: it may come back as somebody new. */
export const THROWN_OUT: ReadonlySet<ErrorName> = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_MEMBER_EPOCH'])

/** The error for the user, in words that name what can be changed. */
export function refusal(error: ErrorName, instanceId: string | null, text?: string | null): KafkaError {
  if (error === 'FENCED_INSTANCE_ID' || error === 'UNRELEASED_INSTANCE_ID') {
    return new KafkaError(error, `Another member of the group uses group.instance.id=${instanceId ?? ''}`)
  }
  return new KafkaError(error, text || undefined)
}
