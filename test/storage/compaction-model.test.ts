// Random compacted logs against a model: keys, tombstones, transactions, every codec, restarts. What the model keeps is
// what is read, batches keep offsets and sequences, and producers go on where they were. Then the same with a power cut at
// every disk operation of a compaction.

import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import { CODECS, type BatchHeader, readBatchHeader, recordsOf } from '../../src/protocol/record-batch.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import { prepareCodec } from '../../src/protocol/compression/index.ts'
import type { LogConfig } from '../../src/storage/log-config.ts'
import type { LogStore } from '../../src/storage/log-store.ts'
import type { Log } from '../../src/storage/log.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, durable, keyed, manualClock, marker, openStore, openTopic, randomFrom, turn } from './fixtures.ts'

const HOUR = 60 * 60 * 1000
const CONFIG: LogConfig = {
  ...durable,
  cleanupPolicy: new Set(['compact']),
  segmentBytes: 600,
  indexIntervalBytes: 200,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: HOUR,
  segmentMs: Number.MAX_SAFE_INTEGER,
  timestampAfterMaxMs: Number.MAX_SAFE_INTEGER,
  fileDeleteDelayMs: 0,
}

beforeAll(async () => {
  for (const codec of CODECS) await prepareCodec(codec)
})

interface ModelRecord {
  readonly offset: number
  readonly key: string
  readonly value: string | null
}

interface ModelBatch {
  readonly baseOffset: number
  readonly producer: number // −1: none
  readonly isTransactional: boolean
  records: ModelRecord[]
  outcome: 'open' | 'committed' | 'aborted'
  horizonMs: number | undefined
}

/** The rules of compaction, told without files, maps or indexes. */
class Model {
  batches: ModelBatch[] = []
  cleanedTo = 0

  end(producer: number, outcome: 'committed' | 'aborted'): void {
    for (const batch of this.batches) {
      if (batch.producer === producer && batch.isTransactional && batch.outcome === 'open') batch.outcome = outcome
    }
  }

  compact(endOffset: number, nowMs: number): void {
    const last = new Map<string, number>()
    for (const { records, outcome } of this.batches) {
      if (outcome === 'aborted') continue
      for (const { key, offset } of records) if (offset >= this.cleanedTo && offset < endOffset) last.set(key, offset)
    }
    for (const batch of this.batches) {
      if (batch.baseOffset >= endOffset) continue
      const isExpired = batch.horizonMs !== undefined && batch.horizonMs <= nowMs
      batch.records = batch.records.filter(
        ({ key, offset, value }) =>
          batch.outcome !== 'aborted' && offset >= (last.get(key) ?? -1) && (value !== null || !isExpired),
      )
      if (batch.records.some(({ value }) => value === null)) batch.horizonMs ??= nowMs + HOUR
    }
    this.cleanedTo = endOffset
  }

  shown(from: number): [number, string, string | null][] {
    return this.batches.flatMap(({ records }) => records).filter(({ offset }) => offset >= from).map(({ offset, key, value }) => [offset, key, value])
  }

  committed(): number[] {
    return this.batches.filter(({ outcome }) => outcome === 'committed').flatMap(({ records }) => records.map(({ offset }) => offset))
  }
}

interface Stored {
  readonly headers: BatchHeader[]
  readonly records: [number, string, string | null][]
  /** Offset → producer of those in transactions. */
  readonly owners: Map<number, bigint>
}

function stored(log: Log): Stored {
  const result: Stored = { headers: [], records: [], owners: new Map() }
  for (let next = log.logStartOffset; ; ) {
    const bytes = log.read(next, 2000, { atLeastOneBatch: true, until: Infinity })
    if (bytes.length === 0) return result
    for (let at = 0; at < bytes.length; ) {
      const header = readBatchHeader(bytes, at)
      result.headers.push(header)
      const cursor = new RecordCursor(header, recordsOf(bytes, at, header, 1 << 24))
      while (cursor.next()) {
        expect(cursor.timestamp).toBe(NOW + (header.isControl ? 0 : cursor.offset))
        if (header.isControl) continue
        result.records.push([cursor.offset, cursor.key()?.toString() ?? '', cursor.value()?.toString() ?? null])
        if (header.isTransactional) result.owners.set(cursor.offset, header.producerId)
      }
      at += header.size
      next = header.baseOffset + header.lastOffsetDelta + 1
    }
  }
}

const put = fc.record({
  kind: fc.constant('put' as const),
  keys: fc.array(fc.tuple(fc.nat(6), fc.boolean()), { minLength: 1, maxLength: 5 }),
  codec: fc.constantFrom(...CODECS),
  producer: fc.integer({ min: -1, max: 2 }),
  isTransactional: fc.boolean(),
})
const step = fc.oneof(
  { weight: 12, arbitrary: put },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), producer: fc.nat(2), outcome: fc.constantFrom('committed' as const, 'aborted' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('clean' as const), hours: fc.constantFrom(0, 0.4, 1.1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), how: fc.constantFrom('clean' as const, 'kill' as const, 'power' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A log and its model, going the same steps. */
class World {
  readonly machine: SimulatedMachine
  readonly clock = manualClock()
  readonly model = new Model()
  readonly originals = new Map<number, BatchHeader>()
  readonly #sequences = new Map<number, number>()
  readonly #inTransaction = new Set<number>()
  store!: LogStore
  log!: Log

  constructor(machine = new SimulatedMachine()) {
    this.machine = machine
  }

  async open(): Promise<void> {
    this.store = await openStore(this.machine, { clock: this.clock, maxOpenSegments: 3 })
    this.log = await openTopic(this.store, CONFIG)
  }

  async take(each: Step): Promise<void> {
    if (each.kind === 'put') {
      await this.#put(each)
    } else if (each.kind === 'end') {
      const kind = each.outcome === 'aborted' ? 'abort' : 'commit'
      const bytes = marker(kind, { producerId: BigInt(each.producer), producerEpoch: 0 })
      const { lastOffset } = this.log.append(bytes, 'coordinator')
      await this.log.safe(lastOffset + 1)
      this.originals.set(lastOffset, readBatchHeader(bytes, 0))
      this.model.end(each.producer, each.outcome)
      this.#inTransaction.delete(each.producer)
    } else if (each.kind === 'clean') {
      this.clock.advance(each.hours * HOUR)
      await this.settled()
      await this.clean()
    } else {
      if (each.how === 'clean') await this.store.close()
      if (each.how === 'power') this.machine.restart()
      else this.machine.kill()
      await this.open()
    }
  }

  async #put({ keys, codec, producer, isTransactional: wanted }: Extract<Step, { kind: 'put' }>): Promise<void> {
    const isTransactional = producer >= 0 && (wanted || this.#inTransaction.has(producer))
    const base = this.log.logEndOffset
    const records = keys.map(([key, isTombstone], index) => ({ offset: base + index, key: `k${key}`, value: isTombstone ? null : `v${base + index}` }))
    const baseSequence = this.#sequences.get(producer) ?? 0
    const of = producer < 0 ? {} : { producerId: BigInt(producer), producerEpoch: 0, baseSequence, isTransactional }
    const bytes = keyed(records.map(({ key, value, offset }) => [key, value, NOW + offset]), { codec, ...of })
    this.log.append(bytes, 'client')
    await this.log.safe(base + keys.length)
    this.originals.set(base, readBatchHeader(bytes, 0))
    this.#sequences.set(producer, baseSequence + keys.length)
    if (isTransactional) this.#inTransaction.add(producer)
    this.model.batches.push({ baseOffset: base, producer, isTransactional, records, outcome: isTransactional ? 'open' : 'committed', horizonMs: undefined })
  }

  /** Waits until everything closed is below the recovery point. */
  async settled(): Promise<void> {
    const closed = () => this.log.cleanable().segments.at(-1)?.endOffset ?? 0
    while (this.log.recoveryPoint < closed()) await turn()
  }

  async clean(): Promise<void> {
    if (await this.cleanFiles()) this.model.compact(this.store.cleaner.cleanedTo(this.log) ?? 0, this.clock.now())
  }

  /** With room for several of the segments in one. */
  async cleanFiles(): Promise<boolean> {
    const { log } = this
    log.config = { ...CONFIG, segmentBytes: 2000 }
    const hasCleaned = await this.store.cleaner.cleanDirtiest([log], 1 << 20)
    log.config = CONFIG
    return hasCleaned
  }

  check(): void {
    const { log, model, originals } = this
    const { headers, records, owners } = stored(log)
    expect(records).toEqual(model.shown(0))
    for (const header of headers) {
      const original = originals.get(header.baseOffset)
      const fields = ({ lastOffsetDelta, producerId, producerEpoch, baseSequence, isTransactional, isControl }: BatchHeader) =>
        ({ lastOffsetDelta, producerId, producerEpoch, baseSequence, isTransactional, isControl })
      expect(original && fields(header)).toEqual(original && fields(original))
    }
    const aborted = log.abortedTransactions(0, log.lastStableOffset)
    const isAborted = (offset: number) =>
      aborted.some((each) => each.producerId === owners.get(offset) && each.firstOffset <= offset && offset < each.lastOffset)
    const readable = records.map(([offset]) => offset).filter((offset) => offset < log.lastStableOffset && !isAborted(offset))
    expect(readable).toEqual(model.committed().filter((offset) => offset < log.lastStableOffset))
    const sequences = log.describeProducers().filter(({ lastSequence }) => lastSequence >= 0)
    for (const { producerId, lastSequence } of sequences) expect(lastSequence).toBe((this.#sequences.get(Number(producerId)) ?? 0) - 1)
    const open = log.describeProducers().filter(({ currentTransactionStartOffset }) => currentTransactionStartOffset >= 0)
    expect(new Set(open.map(({ producerId }) => Number(producerId)))).toEqual(this.#inTransaction)
  }
}

it('keeps exactly what the model keeps', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
      const world = new World()
      await world.open()
      for (const each of steps) {
        await world.take(each)
        if (each.kind !== 'put') world.check()
      }
      // Again from the files alone, without what the snapshots know.
      for (const name of world.machine.names('/data/t-0')) if (name.endsWith('.snapshot')) world.machine.disk.remove(`/data/t-0/${name}`)
      world.machine.kill()
      await world.open()
      world.check()
    }),
    { numRuns: 60 },
  )
})

it('a power cut or a kill at every disk operation loses nothing and brings nothing back that was settled', async () => {
  const steps = fc.sample(fc.array(step, { minLength: 30, maxLength: 35 }), { numRuns: 2, seed: 5 })
  for (const path of steps) {
    for (let cut = 1, isDone = false; !isDone; cut++) {
      const world = new World(new SimulatedMachine({ random: randomFrom(cut), tear: cut % 4 === 1 }))
      await world.open()
      for (const each of path) if (each.kind !== 'reopen') await world.take(each)
      for (let producer = 0; producer < 3; producer++) await world.take({ kind: 'end', producer, outcome: 'aborted' })
      for (let key = 0; key < 12; key++) await world.take({ kind: 'put', keys: [[key, key > 5]], codec: 'gzip', producer: -1, isTransactional: false })
      await world.settled()
      world.clock.advance(2 * HOUR)
      const before = new Map(stored(world.log).records.map(([offset, key, value]) => [offset, `${key}=${value}`]))
      const uncleaned = world.model.shown(0).length
      world.machine.cutAt = world.machine.operations + cut
      const wasCleanedTo = world.store.cleaner.cleanedTo(world.log) ?? 0
      await world.cleanFiles()
      isDone = !world.machine.isOff
      if (cut % 2 === 0) world.machine.kill()
      else world.machine.restart()
      await world.open()
      const { log, model } = world
      expect(log.failure).toBeUndefined()
      const after = stored(log).records
      expect(after.length).toBeLessThanOrEqual(uncleaned)
      for (const [offset, key, value] of after) expect(before.get(offset)).toBe(`${key}=${value}`)
      expect(world.machine.names('/data/t-0').filter((name) => /\.(cleaned|swap|deleted)$|quarantine/.test(name))).toEqual([])
      // What is missing may be missing: the finished compaction has all that the model keeps.
      await world.settled()
      await world.cleanFiles()
      const cleanedTo = world.store.cleaner.cleanedTo(log) ?? 0
      expect(cleanedTo).toBeGreaterThan(wasCleanedTo) // the cut is in a compaction that has something to do
      model.compact(cleanedTo, world.clock.now())
      const kept = new Set(model.shown(0).map(([offset]) => offset))
      const there = new Set(stored(log).records.map(([offset]) => offset))
      for (const offset of kept) expect([cut, offset, there.has(offset)]).toEqual([cut, offset, true])
      for (const offset of there) expect([cut, offset, kept.has(offset)]).toEqual([cut, offset, true])
    }
  }
}, 120_000)
