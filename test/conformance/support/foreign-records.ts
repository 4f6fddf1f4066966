// Who writes and reads the records of records.ts, and how: one writer and one reader per client.

import { CompressionTypes, Kafka, logLevel } from 'kafkajs'
import { type Digest, digestOf, canonical, type ConformanceRecord, lineRecordAt, recordAt } from './records.ts'
import { goProgram, javaProgram, kcat, output, outputBytes, type Peer, pythonProgram, tryPeer } from './peers.ts'

export interface Writer {
  readonly name: string
  readonly codecs: readonly string[]
  /** The records it writes, by their index; −1 as their time: the writer's own. */
  readonly recordAt: (index: number) => ConformanceRecord
  write(address: string, topic: string, codec: string, count: number): void | Promise<void>
}

export interface Reader {
  readonly name: string
  read(address: string, topics: readonly string[]): Map<string, Digest>
  /** The canonical lines, to show where two differ. */
  dump(address: string, topic: string): string
}

export const ALL_CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export function foreignWriters(): Writer[] {
  return [
    { name: 'kafkajs', codecs: ['none', 'gzip'], recordAt: withoutNullHeaders, write: writeWithKafkajs },
    ...having('kcat', kcat, kcatWriter),
    ...having('confluent-kafka', () => pythonProgram('records'), (peer) => programWriter('confluent-kafka', peer)),
    ...having('franz-go', goProgram, (peer) => programWriter('franz-go', peer)),
    ...having('java', () => javaProgram('Records'), (peer) => programWriter('java', peer)),
  ]
}

export function foreignReaders(): Reader[] {
  return [
    ...having('kcat', kcat, (peer) => framedReader('kcat', (address, topic) => readWithKcat(peer, address, topic))),
    ...having('confluent-kafka', () => pythonProgram('records'), (peer) => programReader('confluent-kafka', peer)),
    ...having('franz-go', goProgram, (peer) => programReader('franz-go', peer)),
    ...having('java', () => javaProgram('Records'), (peer) => programReader('java', peer)),
  ]
}

function having<T>(name: string, get: () => Peer, make: (peer: Peer) => T): T[] {
  const peer = tryPeer(name, get)
  return peer === undefined ? [] : [make(peer)]
}

/** A program whose first argument is `write`, `read` or `dump`. */
function programWriter(name: string, peer: Peer): Writer {
  const write = (address: string, topic: string, codec: string, count: number) =>
    void output(peer, ['write', address, topic, codec, String(count)])
  return { name, codecs: ALL_CODECS, recordAt, write }
}

function programReader(name: string, peer: Peer): Reader {
  return {
    name,
    read: (address, topics) => {
      const lines = output(peer, ['read', address, ...topics]).trim().split('\n')
      return new Map(
        lines.map((line) => {
          const [topic, count, all, plain] = line.split(' ')
          return [topic, { count: Number(count), all, plain }]
        }),
      )
    },
    dump: (address, topic) => output(peer, ['dump', address, topic]),
  }
}

/** A reader that gives one topic's records at a time. */
export function framedReader(
  name: string,
  records: (address: string, topic: string) => Iterable<readonly [number, ConformanceRecord]>,
): Reader {
  return {
    name,
    read: (address, topics) => new Map(topics.map((topic) => [topic, digestOf(records(address, topic))])),
    dump: (address, topic) => Array.from(records(address, topic), ([offset, record]) => canonical(offset, record)[0]).join(''),
  }
}

/** kafkajs fails on a header without a value. */
function withoutNullHeaders(index: number): ConformanceRecord & { headers: readonly (readonly [string, Buffer])[] } {
  const record = recordAt(index)
  return { ...record, headers: record.headers.map(([key, value]) => [key, value ?? Buffer.alloc(0)] as const) }
}

async function writeWithKafkajs(address: string, topic: string, codec: string, count: number): Promise<void> {
  const producer = kafkajs(address).producer()
  await producer.connect()
  try {
    const compression = codec === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None
    for (let start = 0; start < count; start += 2000) {
      const messages = Array.from({ length: Math.min(2000, count - start) }, (_, at) => {
        const { key, value, headers, timestamp } = withoutNullHeaders(start + at)
        return { key, value, headers: Object.fromEntries(headers), timestamp: String(timestamp), partition: 0 }
      })
      await producer.send({ topic, messages, compression, acks: -1 })
    }
  } finally {
    await producer.disconnect()
  }
}

export function kafkajs(address: string): Kafka {
  return new Kafka({ clientId: 'conformance', brokers: [address], logLevel: logLevel.NOTHING })
}

function kcatWriter(peer: Peer): Writer {
  return {
    name: 'kcat',
    codecs: ALL_CODECS,
    recordAt: lineRecordAt,
    write: (address, topic, codec, count) => {
      // -Z: what is empty is sent as null.
      const args = ['-P', '-b', address, '-t', topic, '-p', '0', '-z', codec, '-Z', '-K', '\t', '-H', 'origin=lines', '-H', 'empty=']
      output(peer, args, { input: recordLines(count) })
    },
  }
}

/** KEY, tab, VALUE on a line each; nothing for null. */
function recordLines(count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const { key, value } = lineRecordAt(index)
    return `${key?.toString() ?? ''}\t${value?.toString() ?? ''}\n`
  }).join('')
}

function* readWithKcat(peer: Peer, address: string, topic: string): Generator<readonly [number, ConformanceRecord]> {
  // Header values are letters, so the text of the headers is unambiguous; key and value come with their lengths.
  const args = ['-C', '-b', address, '-t', topic, '-p', '0', '-o', 'beginning', '-e', '-q', '-f', '%o|%T|%h|%K|%S|%k%s\n']
  const bytes = outputBytes(peer, [...args, '-X', 'check.crcs=true'])
  let at = 0
  const field = () => {
    const end = bytes.indexOf('|', at)
    const text = bytes.toString('utf8', at, end)
    at = end + 1
    return text
  }
  const sized = (size: number) => {
    if (size < 0) return null
    at += size
    return bytes.subarray(at - size, at)
  }
  while (at < bytes.length) {
    const offset = Number(field())
    const timestamp = Number(field())
    const headers = kcatHeaders(field())
    const keySize = Number(field())
    const valueSize = Number(field())
    const key = sized(keySize)
    const value = sized(valueSize)
    at++ // the line feed
    yield [offset, { key, value, headers, timestamp }]
  }
}

function kcatHeaders(text: string): [string, Buffer | null][] {
  if (text === '') return []
  return text.split(',').map((pair) => {
    const [key, value] = pair.split('=')
    return [key, value === 'NULL' ? null : Buffer.from(value)]
  })
}
