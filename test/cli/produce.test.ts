import { Readable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineParser } from '../../src/cli/formats/line-parser.ts'
import { StreamSource } from '../../src/cli/formats/line-source.ts'
import { produceLines, type ProduceOptions } from '../../src/cli/verbs/produce.ts'
import { FakeCluster } from '../support/fake-cluster.ts'

function options(chunks: readonly (string | Buffer)[], properties: Record<string, string> = {}): ProduceOptions {
  const source = new StreamSource(Readable.from(chunks.map((chunk) => Buffer.from(chunk)), { objectMode: false }))
  return { topic: 't', source, parser: new LineParser(new Map(Object.entries(properties))), sync: false }
}

async function produce(broker: FakeCluster, given: ProduceOptions, client: Record<string, string> = {}) {
  return produceLines(await broker.cluster(client), given)
}

const values = (broker: FakeCluster, partition = 0) => broker.records(partition).map(({ value }) => value)

describe('produceLines', () => {
  it('makes each line a record, the last one without a newline too', async () => {
    const broker = new FakeCluster(1)
    const result = await produce(broker, options(['a\nb', 'b\r\n\ncc\rd']))
    expect(values(broker)).toEqual(['a', 'bb', '', 'cc', 'd'])
    expect(result).toMatchObject({ lines: 5, acknowledged: 5, failed: 0, firstFailure: undefined, parseError: undefined })
  })

  it('keeps every line whole and in order, whatever the pieces, the batches and the reader properties', async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'é', '\t', ' ', '€'), maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 60 }), fc.integer({ min: 1, max: 50 }), fc.boolean(), async (lines, piece, isKeyed) => {
        const input = Buffer.from(lines.map((each) => `${each}\n`).join(''))
        const chunks = Array.from({ length: Math.ceil(input.length / piece) }, (_, i) => input.subarray(i * piece, (i + 1) * piece))
        const broker = new FakeCluster(1)
        const properties: Record<string, string> = isKeyed ? { 'parse.key': 'true', 'ignore.error': 'true' } : {}
        await produce(broker, options(chunks, properties), { 'batch.size': '200' })
        const written = broker.records(0).map(({ key, value }) => (key === null ? value : `${key}\t${value ?? ''}`))
        expect(written).toEqual(lines)
      }),
      { numRuns: 60 },
    )
  })

  it('fails a line that is too long, and no other', async () => {
    const broker = new FakeCluster(1)
    const result = await produce(broker, options(['a\n', `${'x'.repeat(3000)}\n`, 'b\n', 'y'.repeat(1000)]), { 'max.request.size': '1000' })
    expect(values(broker)).toEqual(['a', 'b'])
    expect(result).toMatchObject({ acknowledged: 2, failed: 2, firstFailure: { line: 2 } })
    expect(result.firstFailure?.error.message).toBe(
      'The message is 3086 bytes when serialized which is larger than 1000, which is the value of the max.request.size configuration.',
    )
  })

  it('takes a line longer than a batch', async () => {
    const broker = new FakeCluster(1)
    await produce(broker, options(['a\n', `${'x'.repeat(700_000)}\n`, 'b\n']))
    expect(values(broker).map((value) => value?.length)).toEqual([1, 700_000, 1])
  })

  it('stops at a line that cannot be parsed, with what came before it written', async () => {
    const broker = new FakeCluster(1)
    const result = await produce(broker, options(['k\tv\nbad\nk\tw\n'], { 'parse.key': 'true' }))
    expect(broker.records(0)).toEqual([{ key: 'k', value: 'v' }])
    expect(result).toMatchObject({ acknowledged: 1, lines: 2 })
    expect(result.parseError?.message).toBe("No key separator found on line number 2: 'bad'")
  })

  it('stops reading when writing makes no sense any more', async () => {
    const broker = new FakeCluster(1)
    broker.fate = () => 'TOPIC_AUTHORIZATION_FAILED'
    const endless = Readable.from((function* () { for (;;) yield Buffer.from('line\n'.repeat(1000)) })(), { objectMode: false }) // prettier-ignore
    const result = await produce(broker, { ...options([]), source: new StreamSource(endless) }, { 'batch.size': '5000' })
    expect(result.acknowledged).toBe(0)
    expect(result.firstFailure).toMatchObject({ line: 1, error: { error: 'TOPIC_AUTHORIZATION_FAILED' } })
  })

  it('waits for each record with sync, and stops at the first that fails', async () => {
    const broker = new FakeCluster(1)
    let requests = 0
    broker.fate = () => (++requests === 3 ? 'INVALID_RECORD' : 'ok')
    const result = await produce(broker, { ...options(['a\nb\nc\nd\n']), sync: true })
    expect(values(broker)).toEqual(['a', 'b'])
    expect(broker.mostUnderWay).toBe(1)
    expect(result).toMatchObject({ acknowledged: 2, failed: 1, firstFailure: { line: 3 } })
  })

  it('writes to the one partition asked for, or says which there are', async () => {
    const broker = new FakeCluster(3)
    await produce(broker, { ...options(['a\tb\nc\td\n'], { 'parse.key': 'true' }), partition: 2 })
    expect(values(broker, 2)).toEqual(['b', 'd'])
    await expect(produce(broker, { ...options(['a\n']), partition: 3 })).rejects.toMatchObject({
      message: 't has no partition 3',
      exitCode: 1,
    })
  })

  it('sends keys where Java does', async () => {
    const broker = new FakeCluster(3)
    const keys = ['a', 'b', 'key1', 'key2', 'ktool', 'ü', '']
    await produce(broker, options([keys.map((key) => `${key}\t${key}\n`).join('')], { 'parse.key': 'true' }))
    const where = Object.fromEntries(broker.logs.flatMap((_, index) => broker.records(index).map(({ key }) => [key, index])))
    expect(where).toEqual(JAVA_PARTITIONS)
  })

  it('does not take half a line for a whole one when it is interrupted', async () => {
    const broker = new FakeCluster(1)
    const stream = new Readable({ read: () => {} })
    stream.push('whole\nhal')
    const source = new StreamSource(stream)
    const given = { ...options([]), source, onWait: ({ lines }: { lines: number }) => (lines > 0 ? source.close() : undefined) }
    expect(await produce(broker, given)).toMatchObject({ lines: 1, acknowledged: 1 })
    expect(values(broker)).toEqual(['whole'])
  })
})

// Where the console producer of Apache Kafka 4.3 put them.
const JAVA_PARTITIONS = { '': 0, a: 1, ktool: 1, b: 2, key1: 2, key2: 2, ü: 2 }
