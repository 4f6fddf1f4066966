// What a coordinator's state is to the runtime that keeps it: replayed from records, asked by operations, with deadlines
// as data. Nothing in here, or in what implements it, knows a disk, a socket or a clock.

import type { KafkaError } from '../../protocol/errors.ts'
import type { RecordBytes } from '../../protocol/records/coordinator.ts'

export interface Now {
  /** ms since 1970: for what is stored. */
  readonly wall: number
  /** ms from any origin: for deadlines. */
  readonly monotonic: number
}

/** Whose transaction a record belongs to. */
export interface Producer {
  readonly id: bigint
  readonly epoch: number
}

/** Where one request's answer goes. A request that parks leaves its ticket in the state. */
export interface Ticket<T> {
  resolve(value: T): void
  reject(error: KafkaError): void
}

/** An answer that is known, and leaves when what it rests on is safe. */
export interface Answer {
  send(): void
  fail(error: KafkaError): void
}

export function answer<T>(to: Ticket<T>, value: T): Answer {
  return { send: () => to.resolve(value), fail: (error) => to.reject(error) }
}

/** What an operation wants done. Until its records are appended and replayed it has changed nothing. */
export interface Step {
  readonly records: readonly RecordBytes[]
  /** Makes the batch part of this producer's transaction. */
  readonly producer?: Producer
  /** Lets the soft state follow; gives the answers that are due. Not called when the records could not be appended. */
  readonly then: () => readonly Answer[]
}

/** A step without records. */
export function answering<T>(to: Ticket<T>, value: T): Step {
  return { records: [], then: () => [answer(to, value)] }
}

/** The state kept in one partition. Durable state changes in `replay` and `endTransaction` only, live and at load. */
export interface CoordinatorShard {
  /** `producer` when the record is part of a transaction; `offset` is the record's. */
  replay(record: RecordBytes, offset: number, producer: Producer | undefined): void
  endTransaction(producer: Producer, isCommit: boolean): void
  /** Called once, when the log is replayed. */
  resume(now: Now): void
  /** Monotonic ms when `expire` has something to do; may be early, never late. Infinity: never. */
  readonly nextDeadline: number
  /** What is due, one step after the other; each is performed before the next is asked for. */
  expire(now: Now): Iterable<Step>
  /** The state goes away: everybody who is parked in it. */
  abandon(): readonly Answer[]
}
