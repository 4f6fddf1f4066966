import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Consumer, type ConsumerOptions, openConsumer } from '../../src/client/consumer.ts'
import { batchesOf } from '../../src/client/consumer-batches.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { RecordCursor } from '../../src/protocol/record-cursor.ts'
import { FakeCluster } from '../support/fake-cluster.ts'

function batch(values: readonly string[], options: Partial<Parameters<BatchBuilder['finish']>[0]> = {}): Buffer {
  const builder = new BatchBuilder(1 << 20)
  for (const value of values) builder.append(null, Buffer.from(value), [], 1000)
  return builder.finish({ codec: 'none', ...options })
}

/** The end of a transaction: a control record, its key a version and a type. */
function marker(producerId: bigint, isCommit: boolean): Buffer {
  const builder = new BatchBuilder(1 << 20)
  builder.append(Buffer.from([0, 0, 0, isCommit ? 1 : 0]), Buffer.from([0, 0, 0, 0, 0, 0]), [], 1000)
  return builder.finish({ codec: 'none', producerId, producerEpoch: 0, isTransactional: true, isControl: true })
}

const defaults = { topic: 't', start: { at: 'beginning' }, untilEnd: true, isolation: 'read_uncommitted' } as const

/** `partition:value` of everything, in the order it came. */
async function drain(consumer: Consumer): Promise<string[]> {
  const seen: string[] = []
  for (let fetched = await consumer.next(); fetched !== undefined; fetched = await consumer.next()) {
    for (const { header, records } of batchesOf(fetched, true)) {
      const cursor = new RecordCursor(header, records)
      while (cursor.next()) {
        if (cursor.offset >= fetched.from && cursor.offset < fetched.until) seen.push(`${fetched.partition}:${cursor.value()?.toString() ?? ''}`)
      }
    }
  }
  return seen
}

async function consume(broker: FakeCluster, options: Partial<ConsumerOptions> = {}, properties: Record<string, string> = {}): Promise<string[]> {
  return drain(await openConsumer(await broker.cluster(properties), { ...defaults, ...options }))
}

function filled(...sizes: number[]): FakeCluster {
  const broker = new FakeCluster(1)
  let next = 0
  for (const size of sizes) broker.append(0, batch(Array.from({ length: size }, () => String(next++))))
  return broker
}

const expected = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `0:${from + i}`)

describe('Consumer', () => {
  it('gives each record once and in order from any start, whatever trouble passes by', async () => {
    const trouble = fc.constantFrom('ok', 'ok', 'lost', 'NOT_LEADER_OR_FOLLOWER', 'UNKNOWN_LEADER_EPOCH', 'UNKNOWN_TOPIC_ID') as fc.Arbitrary<'ok'>
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.array(trouble, { maxLength: 20 }), fc.integer({ min: 100, max: 500 }), async (sizes, share, fates, maxBytes) => {
        const broker = filled(...sizes)
        broker.fetchFate = () => fates.shift() ?? 'ok'
        const { end } = broker.logs[0]
        const offset = Math.floor(share * end)
        const seen = await consume(broker, { start: { offset } }, { 'max.partition.fetch.bytes': String(maxBytes) })
        expect(seen).toEqual(expected(offset, end))
      }),
      { numRuns: 60 },
    )
  })

  it('ends at once on an empty topic', async () => {
    const broker = new FakeCluster(3)
    expect(await consume(broker)).toEqual([])
    expect(broker.requests).toBe(0)
  })

  it('asks for all partitions at once: an empty one does not hold up the others', async () => {
    const broker = new FakeCluster(3)
    broker.append(2, batch(['x']))
    const consumer = await openConsumer(await broker.cluster(), { ...defaults, untilEnd: false })
    expect((await consumer.next())?.partition).toBe(2)
    expect(broker.fetched[0]).toEqual([0, 1, 2])
    consumer.stop()
  })

  it('ends by position behind gaps, empty batches and markers at the end', async () => {
    const broker = filled(3)
    broker.append(0, marker(5n, true))
    expect(await consume(broker)).toEqual(expected(0, 3))
  })

  it('does not go beyond the end seen at the start', async () => {
    const broker = filled(3)
    const consumer = await openConsumer(await broker.cluster(), defaults)
    broker.append(0, batch(['late']))
    expect(await drain(consumer)).toEqual(expected(0, 3))
  })

  it('starts so many before the end, but not before the first', async () => {
    expect(await consume(filled(5, 5), { start: { last: 3 } })).toEqual(expected(7, 10))
    expect(await consume(filled(2), { start: { last: 30 } })).toEqual(expected(0, 2))
  })

  it('says that an offset beyond the end does not exist yet', async () => {
    await expect(consume(filled(2), { start: { offset: 3 } })).rejects.toMatchObject({ error: 'OFFSET_OUT_OF_RANGE', message: /the end is 2$/ })
  })

  it('goes on at the first record, and says so, when its own was deleted', async () => {
    const broker = filled(2, 2, 2)
    const notices: string[] = []
    const consumer = await openConsumer(await broker.cluster(), { ...defaults, onNotice: (text) => notices.push(text) })
    broker.logs[0].batches.shift()
    broker.logs[0].start = 2
    expect(await drain(consumer)).toEqual(expected(2, 6))
    expect(notices).toEqual(['offset 0 of t-0 is gone; going on at 2'])
  })

  it('names a partition that is not there', async () => {
    await expect(consume(filled(1), { partitions: [1] })).rejects.toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION', message: 't has no partition 1; it has 1, from 0' })
  })

  it('reads several partitions to their ends', async () => {
    const broker = new FakeCluster(3)
    for (const index of [0, 1, 2]) for (let i = 0; i < 20; i++) broker.append(index, batch([String(i)]))
    const seen = await consume(broker, {}, { 'max.partition.fetch.bytes': '100' })
    for (const index of [0, 1, 2]) {
      expect(seen.filter((each) => each.startsWith(`${index}:`))).toEqual(Array.from({ length: 20 }, (_, i) => `${index}:${i}`))
    }
  })

  it('leaves out aborted transactions when only committed ones are asked for, and keeps them otherwise', async () => {
    const broker = new FakeCluster(1)
    const inTransaction = (id: bigint, value: string, sequence: number) =>
      batch([value], { producerId: id, producerEpoch: 0, baseSequence: sequence, isTransactional: true })
    const write = (bytes: Buffer) => {
      broker.logs[0].producers.clear()
      broker.append(0, bytes)
    }
    write(inTransaction(1n, 'aborted', 0)) // 0
    write(inTransaction(2n, 'committed', 0)) // 1
    write(batch(['plain'])) // 2
    write(marker(1n, false)) // 3
    write(marker(2n, true)) // 4
    write(inTransaction(1n, 'again', 0)) // 5
    write(marker(1n, true)) // 6
    expect(broker.logs[0].end).toBe(7)
    broker.aborted = [{ producerId: 1n, firstOffset: 0 }]
    expect(await consume(broker, { isolation: 'read_committed' })).toEqual(['0:committed', '0:plain', '0:again'])
    expect(await consume(broker)).toEqual(['0:aborted', '0:committed', '0:plain', '0:again'])
  })

  it('refuses a batch whose checksum is wrong, unless told not to look', async () => {
    const broker = filled(3)
    broker.logs[0].batches[0][broker.logs[0].batches[0].length - 2] ^= 1
    await expect(consume(broker)).rejects.toMatchObject({ error: 'CORRUPT_MESSAGE' })
  })

  it('ends with what will not pass', async () => {
    const broker = filled(1)
    broker.fetchFate = () => 'TOPIC_AUTHORIZATION_FAILED'
    await expect(consume(broker)).rejects.toMatchObject({ error: 'TOPIC_AUTHORIZATION_FAILED' })
  })

  it('does not ask again for what is damaged on the broker', async () => {
    const broker = filled(1)
    broker.fetchFate = () => 'CORRUPT_MESSAGE'
    await expect(consume(broker)).rejects.toThrow('The record at offset 0 of t-0 is damaged on the broker')
  })

  it('gives up when trouble lasts longer than default.api.timeout.ms', async () => {
    const broker = filled(1)
    broker.fetchFate = () => 'lost'
    await expect(consume(broker, {}, { 'default.api.timeout.ms': '30' })).rejects.toMatchObject({ reason: 'closed' })
  })

  it('stops where it is when it is closed', async () => {
    const consumer = await openConsumer(await filled().cluster(), { ...defaults, untilEnd: false })
    const next = consumer.next()
    consumer.stop()
    expect(await next).toBe(undefined)
  })

  it('does not fetch far ahead of who reads', async () => {
    const broker = filled(...Array<number>(50).fill(5))
    const consumer = await openConsumer(await broker.cluster({ 'max.partition.fetch.bytes': '100' }), defaults)
    await consumer.next()
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    expect(broker.requests).toBeLessThanOrEqual(4)
    consumer.stop()
  })
})
