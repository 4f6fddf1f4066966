import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { StreamSink, visible } from '../../src/cli/formats/byte-sink.ts'
import { envelopeFormat } from '../../src/cli/formats/envelope-format.ts'
import { parsePositions } from '../../src/cli/formats/positions.ts'
import { textFormat } from '../../src/cli/formats/record-format.ts'
import { nowIn, parseDuration } from '../../src/cli/formats/times.ts'
import { consumeTopic, type ConsumeOptions } from '../../src/cli/verbs/consume.ts'
import { BatchBuilder } from '../../src/protocol/batch-builder.ts'
import { FakeCluster } from '../support/fake-cluster.ts'

interface Given {
  key?: Buffer | string | null
  value?: Buffer | string | null
  headers?: { key: string; value: Buffer | null }[]
}

const toBytes = (field: Buffer | string | null | undefined) => (typeof field === 'string' ? Buffer.from(field) : (field ?? null))

function brokerWith(...records: Given[]): FakeCluster {
  const broker = new FakeCluster(1)
  const builder = new BatchBuilder(1 << 20)
  for (const { key, value, headers = [] } of records) builder.append(toBytes(key), toBytes(value), headers, 1234)
  broker.append(0, builder.finish({ codec: 'none' }))
  return broker
}

class Collector extends Writable {
  readonly chunks: Buffer[] = []
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(Buffer.from(chunk))
    setImmediate(done)
  }
  get text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

async function consume(broker: FakeCluster, properties: Record<string, string> | 'json' = {}, options: Partial<ConsumeOptions> = {}) {
  const collector = new Collector()
  const format = properties === 'json' ? envelopeFormat() : textFormat(new Map(Object.entries(properties)))
  const result = await consumeTopic(await broker.cluster(), {
    topic: 't',
    start: { at: 'beginning' },
    isolation: 'read_uncommitted',
    untilEnd: true,
    format,
    sink: new StreamSink(collector),
    signal: new AbortController().signal,
    ...options,
  })
  return { ...result, text: collector.text }
}

const all = {
  'print.timestamp': 'true', 'print.partition': 'true', 'print.offset': 'true', 'print.delivery': 'true',
  'print.epoch': 'true', 'print.headers': 'true', 'print.key': 'true',
} // prettier-ignore
const header = { key: 'h', value: Buffer.from('1') }

describe('consumeTopic', () => {
  it('prints values as they are, one a line', async () => {
    const broker = brokerWith({ value: 'a' }, { value: '' }, { value: null }, { value: 'ü' })
    expect(await consume(broker)).toEqual({ messages: 4, reason: 'end', text: 'a\n\nnull\nü\n' })
  })

  it('prints the fields of Kafka in the order of Kafka', async () => {
    const broker = brokerWith({ key: 'k', value: 'v', headers: [header, { key: 'n', value: null }] }, { value: 'w' })
    expect((await consume(broker, all)).text).toBe(
      'CreateTime:1234\tPartition:0\tOffset:0\tDelivery:NOT_PRESENT\tEpoch:0\th:1,n:null\tk\tv\n' +
        'CreateTime:1234\tPartition:0\tOffset:1\tDelivery:NOT_PRESENT\tEpoch:0\tNO_HEADERS\tnull\tw\n',
    )
  })

  it('uses the separators and the literal it is given', async () => {
    const broker = brokerWith({ key: 'k', value: null, headers: [header, header] })
    const properties = { 'print.key': 'true', 'print.headers': 'true', 'key.separator': '|', 'line.separator': '--', 'headers.separator': ';', 'null.literal': 'NIL' }
    expect((await consume(broker, properties)).text).toBe('h:1;h:1|k|NIL--')
  })

  it('prints nothing, not even line ends, when no field is asked for', async () => {
    expect(await consume(brokerWith({ value: 'v' }), { 'print.value': 'false' })).toMatchObject({ messages: 1, text: '' })
  })

  it('prints one JSON object a line, null and empty told apart, what is no text as base64', async () => {
    const broker = brokerWith(
      { key: '', value: 'a"\\\n\u2028', headers: [header, { key: 'b', value: Buffer.from([255]) }, { key: 'n', value: null }] },
      { key: null, value: Buffer.from([0xc3, 0x28]) },
    )
    const { text } = await consume(broker, 'json')
    const [one, two] = text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)
    expect(one).toEqual({
      topic: 't', partition: 0, offset: 0, timestamp: 1234, timestampType: 'CreateTime', key: '', value: 'a"\\\n\u2028',
      headers: [{ key: 'h', value: '1' }, { key: 'b', value: '/w==', valueEncoding: 'base64' }, { key: 'n', value: null }],
    }) // prettier-ignore
    expect(two).toEqual({
      topic: 't', partition: 0, offset: 1, timestamp: 1234, timestampType: 'CreateTime', key: null, value: 'wyg=', headers: [],
      valueEncoding: 'base64',
    }) // prettier-ignore
  })

  it.each<Record<string, string>>([{}, { 'print.offset': 'true' }])('stops after as many as asked for, with %j', async (properties) => {
    const broker = brokerWith({ value: 'a' }, { value: 'b' }, { value: 'c' })
    const result = await consume(broker, properties, { maxMessages: 2, untilEnd: false })
    expect(result).toMatchObject({ messages: 2, reason: 'count' })
    expect(result.text.split('\n')).toHaveLength(3)
  })

  it('stops at the deadline, when idle, and when interrupted', async () => {
    const broker = brokerWith({ value: 'a' })
    expect(await consume(broker, {}, { untilEnd: false, timeoutMs: 30 })).toMatchObject({ messages: 1, reason: 'timeout', text: 'a\n' })
    expect(await consume(broker, {}, { untilEnd: false, idleMs: 30 })).toMatchObject({ messages: 1, reason: 'idle', text: 'a\n' })
    const abort = new AbortController()
    const consuming = consume(broker, {}, { untilEnd: false, signal: abort.signal, onPositioned: () => setImmediate(() => abort.abort()) })
    expect(await consuming).toMatchObject({ reason: 'interrupted' })
  })

  it('ends quietly when nobody reads any more', async () => {
    const broker = brokerWith({ value: 'a' })
    const gone = new Writable({ write: (_chunk, _encoding, done) => done(Object.assign(new Error('broken pipe'), { code: 'EPIPE' })) })
    const sink = new StreamSink(gone)
    // One that comes before the first fetch does not count: only the next write finds the reader gone.
    const more = setInterval(() => broker.append(0, Buffer.from(broker.logs[0].batches[0])), 5)
    const result = await consume(broker, {}, { untilEnd: false, sink })
    clearInterval(more)
    expect(result).toMatchObject({ reason: 'closed' })
  })

  it('says where it starts before it reads', async () => {
    const seen: unknown[] = []
    await consume(brokerWith({ value: 'a' }, { value: 'b' }), {}, { start: { last: 1 }, onPositioned: (positions) => seen.push(...positions.map(({ partition, offset, end }) => [partition, offset, end])) })
    expect(seen).toEqual([[0, 1, 2]])
  })
})

describe('consumeTopic from places', () => {
  const five = () => brokerWith(...['a', 'b', 'c', 'd', 'e'].map((value) => ({ value })))

  it.each([
    ['1:3', 'b\nc\n'], ['-2:end', 'd\ne\n'], ['+1..end-2', 'b\nc\n'], [':2', 'a\nb\n'], ['0=3:', 'd\ne\n'], ['*=end,0=:1', 'a\n'], ['3:3', ''], ['end:2', ''],
  ])('reads %s and stops at its end', async (text, printed) => {
    const start = parsePositions('--offset', text, nowIn(undefined, 0))
    expect(await consume(five(), {}, { start, untilEnd: text === '0=3:' })).toMatchObject({ text: printed, reason: 'end' })
  }) // prettier-ignore

  it('says which partition or offset is not there', async () => {
    const at = (text: string) => consume(five(), {}, { start: parsePositions('--offset', text, nowIn(undefined, 0)), untilEnd: false })
    await expect(at('1=0')).rejects.toThrow('t has no partition 1; it has 1, from 0')
    await expect(at('9:12')).rejects.toThrow('offset 9 of t-0 does not exist yet: the end is 5')
    await expect(at('stored')).rejects.toThrow('stored needs the name of a group')
  })
})

describe('words on the command line', () => {
  it('name durations', () => {
    expect(['500ms', '10s', '2m', '1.5h', '1d'].map((text) => parseDuration('--timeout', text))).toEqual([500, 10_000, 120_000, 5_400_000, 86_400_000])
    for (const wrong of ['', '10', 's', '-1s', '1w', '1e3s']) expect(() => parseDuration('--timeout', wrong)).toThrow(/is no duration/)
  })
})

describe('visible', () => {
  it('shows control characters, and leaves text, tabs and newlines alone', () => {
    expect(visible(Buffer.from('a\x1b[31m\tü\n\x07\u009b')).toString()).toBe('a\\x1b[31m\tü\n\\x07\\x9b')
    expect(visible(Buffer.from('ÂÃ')).toString()).toBe('ÂÃ')
  })
})
