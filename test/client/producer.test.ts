import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextSequence } from '../../src/client/producer-batch.ts'
import { Producer, type ProducerTopic } from '../../src/client/producer.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { type Fate, FakeCluster } from '../support/fake-cluster.ts'

async function append(producer: Producer, topic: ProducerTopic, key: string | null, value: string, line: number): Promise<void> {
  const source = Buffer.from((key ?? '') + value)
  const split = Buffer.byteLength(key ?? '')
  const record = { source, keyStart: key === null ? -1 : 0, keyEnd: split, valueStart: split, valueEnd: source.length, line }
  while (!producer.append(topic, record)) await producer.room()
}

async function produce(broker: FakeCluster, values: readonly (readonly [string | null, string])[], properties: Record<string, string> = {}) {
  const producer = new Producer(await broker.cluster(properties))
  const topic = await producer.topic('t')
  for (const [index, [key, value]] of values.entries()) await append(producer, topic, key, value, index + 1)
  await producer.flush()
  producer.close()
  return producer.totals
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => [null, `value ${i}`] as const)

describe('Producer', () => {
  it('writes each record once and in order, whatever passing trouble there is on the way', async () => {
    const fate = fc.constantFrom<Fate>('ok', 'ok', 'lost', 'silent', 'NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'KAFKA_STORAGE_ERROR')
    await fc.assert(
      fc.asyncProperty(fc.array(fate, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 120 }), async (fates, partitions, count) => {
        const broker = new FakeCluster(partitions)
        const script = [...fates]
        broker.fate = () => script.shift() ?? 'ok'
        const values = Array.from({ length: count }, (_, i) => [`k${i % 5}`, `${i}`] as const)
        const totals = await produce(broker, values, { 'batch.size': '150' })
        expect(totals).toMatchObject({ acknowledged: count, failed: 0 })
        const stored = broker.logs.flatMap((_, index) => broker.records(index))
        for (const key of ['k0', 'k1', 'k2', 'k3', 'k4']) {
          const of = (records: readonly { key: string | null; value: string | null }[]) => records.filter((each) => each.key === key).map(({ value }) => value)
          expect(of(stored)).toEqual(of(values.map(([key, value]) => ({ key, value }))))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('tells of trouble once, and again only after it had passed', async () => {
    const broker = new FakeCluster(1)
    const fates: Fate[] = ['lost', 'silent', 'ok', 'lost']
    broker.fate = () => fates.shift() ?? 'ok'
    const told: string[] = []
    const producer = new Producer(await broker.cluster(), undefined, { onTrouble: ({ message }) => void told.push(message) })
    const topic = await producer.topic('t')
    for (const line of [1, 2]) {
      await append(producer, topic, null, 'x', line)
      await producer.flush()
    }
    producer.close()
    expect(producer.totals).toMatchObject({ acknowledged: 2, failed: 0 })
    expect(told).toEqual(['connection lost', 'connection lost'])
  })

  it('sends up to five requests at once, and no more', async () => {
    const broker = new FakeCluster(1)
    await produce(broker, numbered(500), { 'batch.size': '150' })
    expect(broker.mostUnderWay).toBe(5)
  })

  it('cuts a batch that the broker finds too large, and fails only the record that is', async () => {
    const broker = new FakeCluster(1)
    broker.maxMessageBytes = 300
    const values = [...numbered(40), [null, 'x'.repeat(400)] as const, ...numbered(40)]
    const totals = await produce(broker, values)
    expect(totals).toMatchObject({ acknowledged: 80, failed: 1 })
    expect(totals.firstFailure?.line).toBe(41)
    expect(totals.firstFailure?.error).toMatchObject({ error: 'MESSAGE_TOO_LARGE' })
    expect(broker.records(0).map(({ value }) => value)).toEqual([...numbered(40), ...numbered(40)].map(([, value]) => value))
  })

  it('refuses a record over max.request.size in the words of Java', async () => {
    const totals = await produce(new FakeCluster(1), [[null, 'x'.repeat(1_100_000)], [null, 'fits']])
    expect(totals).toMatchObject({ acknowledged: 1, failed: 1, firstFailure: { line: 1 } })
    expect(totals.firstFailure?.error.message).toBe(
      'The message is 1100088 bytes when serialized which is larger than 1048576, which is the value of the max.request.size configuration.',
    )
  })

  it('goes on behind a batch that can never be written, with a new epoch', async () => {
    const broker = new FakeCluster(1)
    let request = 0
    broker.fate = () => (request++ === 1 ? 'INVALID_RECORD' : 'ok')
    const totals = await produce(broker, numbered(30), { 'batch.size': '150' })
    expect(totals.failed).toBeGreaterThan(0)
    expect(totals.acknowledged + totals.failed).toBe(30)
    const stored = broker.records(0).map(({ value }) => value)
    expect(stored.length).toBe(totals.acknowledged)
    const first = (totals.firstFailure?.line ?? 0) - 1
    expect(stored).toEqual(numbered(30).filter((_, i) => i < first || i >= first + totals.failed).map(([, value]) => value))
  })

  it('gives up after delivery.timeout.ms, and says how many and since when', async () => {
    const broker = new FakeCluster(1)
    broker.fate = () => 'lost'
    const totals = await produce(broker, numbered(3), { 'delivery.timeout.ms': '60', 'request.timeout.ms': '50' })
    expect(totals).toMatchObject({ acknowledged: 0, failed: 3, firstFailure: { line: 1 } })
    expect(totals.firstFailure?.error.message).toMatch(/^Expiring 3 record\(s\) for t-0:\d+ ms has passed since batch creation \(connection lost\)$/)
  })

  it('keeps within buffer.memory and still takes everything', async () => {
    const broker = new FakeCluster(2)
    const values = Array.from({ length: 400 }, (_, i) => [`key ${i}`, 'v'.repeat(500)] as const)
    const totals = await produce(broker, values, { 'buffer.memory': '40000', 'batch.size': '8000' })
    expect(totals).toMatchObject({ acknowledged: 400, failed: 0 })
  })

  it('needs no answer with acks=0, and no producer id with acks=1', async () => {
    const broker = new FakeCluster(1)
    expect(await produce(broker, numbered(10), { acks: '0' })).toMatchObject({ acknowledged: 10, failed: 0 })
    expect(await produce(broker, numbered(10), { acks: '1' })).toMatchObject({ acknowledged: 10, failed: 0 })
    expect(broker.logs[0].producers.size).toBe(0)
    expect(broker.records(0).length).toBe(20)
  })

  it('says what record the broker blames, and counts the whole batch', async () => {
    const broker = new FakeCluster(1)
    broker.fate = () => 'TOPIC_AUTHORIZATION_FAILED'
    const totals = await produce(broker, numbered(5))
    expect(totals).toMatchObject({ acknowledged: 0, failed: 5, firstFailure: { line: 1 } })
    expect(totals.firstFailure?.error).toBeInstanceOf(KafkaError)
  })

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('compresses with %s', async (codec) => {
    const broker = new FakeCluster(1)
    await produce(broker, numbered(1000), { 'compression.type': codec })
    expect(broker.records(0).map(({ value }) => value)).toEqual(numbered(1000).map(([, value]) => value))
    expect(broker.logs[0].batches.reduce((size, batch) => size + batch.length, 0)).toBeLessThan(14_000)
  })
})

describe('sequences', () => {
  it('wrap to 0 behind the largest int32', () => {
    expect(nextSequence(0x7fffffff, 1)).toBe(0)
    expect(nextSequence(0x7ffffffe, 3)).toBe(1)
    expect(nextSequence(5, 3)).toBe(8)
  })
})
