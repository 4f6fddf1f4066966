// The state machine alone, with a clock by hand: no disk, no socket. What it gives is performed as the runtime does it,
// and at any time what it has must be what its records say.

import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../../src/protocol/errors.ts'
import type { RecordBytes } from '../../../src/protocol/records/coordinator.ts'
import { decodeTransactionRecord } from '../../../src/protocol/records/transaction.ts'
import type { Now, Step, Ticket } from '../../../src/broker/coordinator/shard.ts'
import { TransactionShard } from '../../../src/broker/transactions/transaction-shard.ts'
import type { Outcome } from '../../../src/broker/transactions/transaction-shard.ts'
import { transactionRecord } from '../../../src/broker/transactions/transaction-record.ts'
import { newTransaction } from '../../../src/broker/transactions/transaction.ts'
import type { PartitionSet, ProducerIdentity } from '../../../src/broker/transactions/transaction.ts'

const WALL = 1_700_000_000_000
const SETTINGS = { abortIntervalMs: 1000, expirationMs: 10_000, expirationIntervalMs: 5000 }
const T0: PartitionSet = new Map([['t', new Set([0])]])

class World {
  readonly log: RecordBytes[] = []
  readonly resumed: string[] = []
  readonly timedOut: string[] = []
  version = 2
  ms = 0
  shard = this.#fresh()
  nextId = 100n

  get now(): Now {
    return { wall: WALL + this.ms, monotonic: this.ms }
  }

  /** A log that was written before. */
  static on(log: readonly RecordBytes[]): World {
    const world = new World()
    world.log.push(...log)
    world.reload()
    return world
  }

  reload(): void {
    this.shard = this.#fresh()
    for (const record of this.log) this.shard.replay(record)
    this.shard.resume(this.now)
  }

  advance(ms: number): void {
    this.ms += ms
    if (this.shard.nextDeadline <= this.ms) for (const step of this.shard.expire(this.now)) this.#perform(step)
  }

  init(expected?: ProducerIdentity, timeoutMs = 5000): Outcome | string {
    return this.#withId((id, ticket) => this.shard.init('x', expected, timeoutMs, id, this.now, ticket))
  }

  add(producer: ProducerIdentity, partitions = T0): Outcome | string {
    return this.#withId((_id, ticket) => this.shard.add('x', producer, partitions, this.version, this.now, ticket))
  }

  end(producer: ProducerIdentity, isCommit: boolean, version = this.version): Outcome | string {
    return this.#withId((id, ticket) => this.shard.end('x', producer, isCommit, version, id, this.now, ticket))
  }

  abort(producer: ProducerIdentity): Outcome | string {
    return this.#withId((id, ticket) => this.shard.abort('x', producer, id, this.now, ticket))
  }

  complete(): void {
    this.#run<undefined>((ticket) => this.shard.complete('x', this.now, ticket))
  }

  /** A transaction that is over, and the producer that goes on. */
  whole(producer: ProducerIdentity, isCommit = true): ProducerIdentity {
    this.add(producer)
    const ended = this.end(producer, isCommit)
    this.complete()
    if (typeof ended === 'string' || ended.kind !== 'prepared') throw new Error(JSON.stringify(ended))
    return ended.next
  }

  begin(): ProducerIdentity {
    const outcome = this.init()
    if (typeof outcome === 'string' || outcome.kind !== 'done') throw new Error('no producer')
    return identity(outcome.next)
  }

  get phase(): string | undefined {
    return this.shard.get('x')?.phase
  }

  #fresh(): TransactionShard {
    const host = {
      resumed: (id: string) => void this.resumed.push(id),
      timedOut: (id: string) => void this.timedOut.push(id),
      serverVersion: () => this.version,
    }
    return new TransactionShard(host, SETTINGS)
  }

  #withId(operation: (id: bigint | undefined, ticket: Ticket<Outcome>) => Step): Outcome | string {
    const outcome = this.#run<Outcome>((ticket) => operation(undefined, ticket))
    if (typeof outcome === 'string' || outcome.kind !== 'needsProducerId') return outcome
    const id = this.nextId++
    return this.#run<Outcome>((ticket) => operation(id, ticket))
  }

  #run<T>(operation: (ticket: Ticket<T>) => Step): T | string {
    let result: T | undefined
    const ticket = { resolve: (value: T) => (result = value), reject: (error: Error) => { throw error } } // prettier-ignore
    try {
      this.#perform(operation(ticket))
    } catch (error) {
      if (error instanceof KafkaError) return error.error
      throw error
    }
    return result as T
  }

  #perform({ records, then }: Step): void {
    for (const record of records) {
      this.log.push(record)
      this.shard.replay(record)
    }
    for (const each of then()) each.send()
    this.#compare()
  }

  /** But for what is not in the log. */
  #compare(): void {
    const other = new TransactionShard({ resumed: () => undefined, timedOut: () => undefined, serverVersion: () => 2 }, SETTINGS)
    for (const record of this.log) other.replay(record)
    const plain = (shard: TransactionShard) => [...shard.all()].map(([id, one]) => [id, { ...one, lastEpoch: 0, ...(this.version < 1 ? { previousProducerId: 0, clientVersion: 0 } : {}) }])
    expect(plain(this.shard)).toEqual(plain(other))
  }
}

/** A producer that has the last epoch but the one for fencing. */
function exhausted(version: number): { world: World; producer: ProducerIdentity } {
  const producer = { producerId: 100n, epoch: 32_766 }
  const record = transactionRecord('x', { ...newTransaction(100n, 5000, WALL), ...producer }, version)
  const world = World.on([record])
  world.version = version
  world.nextId = 101n
  return { world, producer }
}

function identity({ producerId, epoch }: ProducerIdentity): ProducerIdentity {
  return { producerId, epoch }
}

function next(outcome: Outcome | string): unknown {
  return typeof outcome === 'string' || outcome.kind === 'needsProducerId' ? outcome : [outcome.kind, outcome.next.producerId, outcome.next.epoch]
}

describe('epochs', () => {
  test('each transaction of the new protocol has one; those of the old share theirs', () => {
    const world = new World()
    const producer = world.begin()
    expect(world.whole(world.whole(producer))).toMatchObject({ producerId: 100n, epoch: 2 })
    const old = new World()
    old.version = 0
    expect(old.whole(old.whole(old.begin()))).toMatchObject({ producerId: 100n, epoch: 0 })
  })

  test('that are exhausted at the end of a transaction: a new producer id, which a retry learns, too', () => {
    const { world, producer } = exhausted(2)
    world.add(producer)
    expect(next(world.end(producer, true))).toEqual(['prepared', 101n, 0])
    expect(world.shard.get('x')).toMatchObject({ producerId: 100n, epoch: 32_767, nextProducerId: 101n })
    expect(world.end(producer, true)).toBe('CONCURRENT_TRANSACTIONS')
    world.complete()
    expect(world.shard.get('x')).toMatchObject({ producerId: 101n, epoch: 0, previousProducerId: 100n, nextProducerId: -1n })
    expect(next(world.end(producer, true))).toEqual(['done', 101n, 0])
    expect(world.end(producer, false)).toBe('INVALID_TXN_STATE')
    // One who comes with the last epoch of the old id is the same producer.
    expect(next(world.init(producer))).toEqual(['done', 101n, 0])
  })

  test('that are exhausted when a producer begins: a new producer id', () => {
    const { world, producer } = exhausted(0)
    expect(next(world.init())).toEqual(['done', 101n, 0])
    expect(world.init(producer)).toBe('PRODUCER_FENCED')
  })

  test('that are exhausted when a transaction is fenced: the producer that has the last one is fenced all the same', () => {
    for (const version of [0, 2]) {
      const { world, producer } = exhausted(version)
      world.add(producer)
      expect(next(world.init())).toEqual(version === 2 ? ['prepared', 101n, 0] : ['prepared', 100n, 32_767])
      expect(world.init()).toBe('CONCURRENT_TRANSACTIONS')
      world.complete()
      expect(world.add(producer)).toBe(version === 2 ? 'INVALID_PRODUCER_ID_MAPPING' : 'PRODUCER_FENCED')
      expect(next(world.init())).toEqual(version === 2 ? ['done', 101n, 1] : ['done', 101n, 0])
    }
  })
})

describe('time', () => {
  test('a transaction that lasts too long is to be aborted, and only that', () => {
    const world = new World()
    expect(world.shard.nextDeadline).toBe(Infinity)
    world.reload()
    const producer = world.begin()
    world.advance(4000)
    expect(world.timedOut).toEqual([])
    world.add(producer)
    world.advance(5000)
    expect(world.timedOut).toEqual([])
    expect(next(world.abort(producer))).toEqual(['done', 100n, 0])
    world.advance(1001)
    expect(world.timedOut).toEqual(['x'])
    expect(next(world.abort({ ...producer, epoch: 7 }))).toEqual(['done', 100n, 7])
    expect(next(world.abort(producer))).toEqual(['prepared', 100n, 1])
    expect(world.phase).toBe('PrepareAbort')
    expect(world.end(producer, true)).toBe('INVALID_TXN_STATE')
    world.advance(60_000)
    expect(world.timedOut).toEqual(['x'])
    world.complete()
    expect(world.end(producer, true)).toBe('INVALID_TXN_STATE')
    expect(next(world.end(producer, false))).toEqual(['done', 100n, 1])
  })

  test('an id that is idle for long is forgotten, one with a transaction is not', () => {
    const world = new World()
    world.reload()
    const producer = world.begin()
    world.advance(5000)
    world.advance(4000)
    expect(world.phase).toBe('Empty')
    world.add(producer)
    world.advance(60_000)
    expect(world.phase).toBe('Ongoing')
    world.end(producer, true)
    world.advance(60_000)
    expect(world.phase).toBe('PrepareCommit')
    world.complete()
    world.advance(10_000)
    world.advance(5000)
    expect(world.phase).toBeUndefined()
    expect(world.log.at(-1)?.value).toBeNull()
    expect(World.on(world.log).phase).toBeUndefined()
  })
})

describe('what the log holds', () => {
  test('a decision before a restart is carried out after it', () => {
    const world = new World()
    const producer = world.begin()
    world.add(producer)
    world.reload()
    expect(world.resumed).toEqual([])
    world.end(producer, true)
    world.reload()
    expect(world.resumed).toEqual(['x'])
    expect(world.shard.get('x')?.partitions).toEqual(T0)
    world.complete()
    world.reload()
    expect(world.resumed).toEqual(['x'])
    // A retry of the end, whose answer was lost with the crash.
    expect(next(world.end(producer, true))).toEqual(['done', 100n, 1])
  })

  test('records are of version 1 from level 1 of the feature on, of version 0 before', () => {
    for (const version of [0, 1, 2]) {
      const world = new World()
      world.version = version
      const producer = world.begin()
      world.add(producer)
      world.end(producer, false)
      world.complete()
      const records = world.log.map(({ key, value }) => decodeTransactionRecord(key, value))
      for (const record of records) expect(record).toMatchObject({ version: version === 0 ? 0 : 1 })
      const values = records.map((record) => ('value' in record && record.value !== null ? record.value : undefined))
      expect(values.map((value) => value?.transactionStatus)).toEqual([0, 1, 3, 5])
      expect(values.map((value) => value?.transactionPartitions?.length)).toEqual([undefined, 1, 1, 0])
    }
  })

  test('a transaction has all partitions that were added, and each change one record', () => {
    const world = new World()
    const producer = world.begin()
    world.add(producer)
    world.add(producer)
    world.add(producer, new Map([['t', new Set([0, 1])], ['u', new Set([5])]])) // prettier-ignore
    expect(world.log.length).toBe(3)
    expect(world.shard.isWritable('x', producer, 't', 1)).toBe(true)
    expect(world.shard.isWritable('x', producer, 't', 2)).toBe(false)
    expect(world.shard.isWritable('x', { ...producer, epoch: 1 }, 't', 1)).toBe(false)
    world.end(producer, true)
    expect(world.shard.isWritable('x', producer, 't', 1)).toBe(false)
  })
})
