// Idempotent producers and open transactions, as brokers.md §2.3 and Kafka's ProducerStateManagerTest have them.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readBatchHeader } from '../../src/protocol/record-batch.ts'
import type { Log } from '../../src/storage/log.ts'
import { ProducerState } from '../../src/storage/producer-state.ts'
import { SimulatedMachine } from '../support/simulated-disk.ts'
import { NOW, append, batch, durable, keyed, openStore, openTopic, values } from './fixtures.ts'

const PRODUCER = { producerId: 9n, producerEpoch: 0 }

function send(log: Log, baseSequence: number, count = 1, epoch = 0) {
  const letters = Array.from({ length: count }, (_, index) => `${epoch}/${baseSequence + index}`)
  return log.append(batch(letters, { ...PRODUCER, producerEpoch: epoch, baseSequence }), 'client')
}

const refusal = (error: string): unknown => expect.objectContaining({ error })

describe('sequences', () => {
  it('takes the next, answers a retry of the last five with the original offsets, refuses a gap', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    for (let sequence = 0; sequence < 12; sequence += 2) send(log, sequence, 2)
    expect(send(log, 2, 2)).toEqual({ baseOffset: 2, lastOffset: 3, logAppendTime: -1, isDuplicate: true })
    expect(send(log, 10, 2)).toMatchObject({ baseOffset: 10, isDuplicate: true })
    for (const [sequence, count] of [[0, 2], [13, 1], [10, 1], [11, 2]]) {
      expect(() => send(log, sequence, count)).toThrow(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    }
    await log.safe(12)
    expect(log.logEndOffset).toBe(12)
    expect(values(log)).toHaveLength(12)
  })

  it('takes any first sequence of a producer it does not know, and wraps from 2147483647 to 0', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    expect(send(log, 2_147_483_645, 2).isDuplicate).toBe(false)
    expect(send(log, 2_147_483_647, 3).isDuplicate).toBe(false)
    expect(send(log, 2, 1).isDuplicate).toBe(false)
    expect(send(log, 2_147_483_647, 3).isDuplicate).toBe(true)
  })

  it('fences lower epochs and lets a higher one start at 0 only', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    send(log, 0, 1, 3)
    expect(() => send(log, 1, 1, 2)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
    expect(() => send(log, 1, 1, 4)).toThrow(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(send(log, 0, 1, 4).baseOffset).toBe(1)
    expect(() => send(log, 0, 1, 3)).toThrow(refusal('INVALID_PRODUCER_EPOCH'))
  })

  it("holds a duplicate's answer until the original is safe", async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    send(log, 0)
    const again = send(log, 0)
    let isSafe = false
    const waited = log.safe(again.lastOffset + 1).then(() => (isSafe = true))
    await Promise.resolve()
    expect(isSafe).toBe(false)
    await waited
    expect(log.highWatermark).toBe(1)
  })

  it.each(['clean', 'killed', 'power'] as const)('remembers the last batches over a restart: %s', async (how) => {
    const machine = new SimulatedMachine()
    const store = await openStore(machine)
    const log = await openTopic(store, { ...durable, segmentBytes: 200 })
    for (let sequence = 0; sequence < 8; sequence++) await log.safe(send(log, sequence).lastOffset + 1)
    if (how === 'clean') await store.close()
    if (how === 'power') machine.restart()
    else machine.kill()
    const again = await openTopic(await openStore(machine), { ...durable, segmentBytes: 200 })
    // At least those of the active segment: a snapshot has only the last one.
    for (let sequence = 6; sequence < 8; sequence++) {
      expect(send(again, sequence)).toMatchObject({ baseOffset: sequence, isDuplicate: true })
    }
    expect(() => send(again, 9)).toThrow(refusal('OUT_OF_ORDER_SEQUENCE_NUMBER'))
    expect(send(again, 8).baseOffset).toBe(8)
  })

  it('forgets a producer that was silent for long', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    send(log, 5)
    log.expireProducers(Number.MAX_SAFE_INTEGER)
    expect(log.describeProducers()).toEqual([])
    expect(send(log, 77).isDuplicate).toBe(false)
  })
})

describe('transactions', () => {
  it('hold the last stable offset back until their marker is durable', async () => {
    const log = await openTopic(await openStore(new SimulatedMachine()))
    await append(log, ['before'])
    await append(log, ['in'], { ...PRODUCER, baseSequence: 0, isTransactional: true })
    await append(log, ['after'])
    expect([log.lastStableOffset, log.highWatermark]).toEqual([1, 3])
    expect(log.describeProducers()[0].currentTransactionStartOffset).toBe(1)
    expect(() => log.append(batch(['x'], { ...PRODUCER, baseSequence: 1 }), 'client')).toThrow(refusal('INVALID_TXN_STATE'))
    // An end-transaction marker: key version 0, type 1 (commit); value version 0, coordinator epoch 2.
    const marker = keyed([['\0\0\0\u0001', '\0\0\0\0\0\u0002', NOW]], { ...PRODUCER, isTransactional: true, isControl: true })
    const { lastOffset } = log.append(marker, 'coordinator')
    expect(log.lastStableOffset).toBe(1)
    await log.safe(lastOffset + 1)
    expect([log.lastStableOffset, log.highWatermark]).toEqual([4, 4])
    expect(log.describeProducers()[0]).toMatchObject({ coordinatorEpoch: 2, currentTransactionStartOffset: -1, lastSequence: 0 })
  })
})

describe('snapshots', () => {
  it('come back as they were written; other bytes are none', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.nat(20), epoch: fc.nat(5), sequence: fc.nat(), offset: fc.nat() })),
        (rows) => {
          const state = new ProducerState()
          for (const row of rows) {
            const bytes = batch(['x'], { producerId: BigInt(row.id), producerEpoch: row.epoch, baseSequence: row.sequence, baseOffset: row.offset })
            state.update(readBatchHeader(bytes, 0), bytes, 0)
          }
          const bytes = state.snapshot()
          const again = ProducerState.fromSnapshot(bytes)
          expect(again?.describe()).toEqual(state.describe())
          expect(again?.snapshot()).toEqual(bytes)
          if (bytes.length > 10) {
            const bad = Buffer.from(bytes)
            bad[bad.length - 1] ^= 1
            expect(ProducerState.fromSnapshot(bad)).toBeUndefined()
          }
        },
      ),
      { numRuns: 100 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const state = ProducerState.fromSnapshot(Buffer.from(bytes))
        expect(state === undefined || state.size >= 0).toBe(true)
      }),
    )
  })
})
