// The same 100,000 records, with keys, headers, times and nulls, written by every client with every codec it has, and
// read by every client: all must see the same bytes. Then the codec asked for must be the one on disk.
// KTOOL_RECORDS: another number of records. KTOOL_CONFORMANCE_BROKER=HOST:PORT: against that broker, not our own.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { foreignReaders, foreignWriters, kafkajs } from './support/foreign-records.ts'
import { kafkaTool, output, tryPeer } from './support/peers.ts'
import { type Digest, expectedDigest } from './support/records.ts'
import { ktoolReader, ktoolWriter } from './support/ktool-records.ts'

const COUNT = Number(process.env.KTOOL_RECORDS ?? 100_000)
const given = process.env.KTOOL_CONFORMANCE_BROKER
const writers = [...foreignWriters(), ktoolWriter()]
const readers = [...foreignReaders(), ktoolReader()]
const written = writers.flatMap((writer) => writer.codecs.map((codec) => ({ writer, codec, topic: `${writer.name}-${codec}` })))
const expected = new Map(writers.map(({ name, recordAt }) => [name, expectedDigest(COUNT, recordAt)]))

const directory = mkdtempSync(join(tmpdir(), 'ktool-records-'))
let broker: OurBroker | undefined
let address = given ?? ''

beforeAll(async () => {
  if (given === undefined) {
    broker = await startBroker(['--data-dir', join(directory, 'data')], ktoolEnv(directory))
    address = broker.address
  }
  const admin = kafkajs(address).admin()
  await admin.connect()
  if (given !== undefined) await admin.deleteTopics({ topics: (await admin.listTopics()).filter((name) => !name.startsWith('__')) })
  await admin.createTopics({ topics: written.map(({ topic }) => ({ topic, numPartitions: 1 })) })
  await admin.disconnect()
})

afterAll(async () => {
  await broker?.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('written', () => {
  test.each(written)('by $writer.name with $codec', async ({ writer, codec, topic }) => {
    await writer.write(address, topic, codec, COUNT)
  })
})

const seen = new Map<string, Map<string, Digest>>() // by reader, by topic

describe.each(readers)('read by $name', (reader) => {
  beforeAll(() => {
    seen.set(reader.name, reader.read(address, written.map(({ topic }) => topic)))
  })

  test.each(written)('as $writer.name wrote it with $codec', ({ writer, topic }) => {
    const digest = seen.get(reader.name)?.get(topic)
    const hasOwnTimes = writer.recordAt(0).timestamp < 0
    const compared = hasOwnTimes ? 'plain' : 'all'
    if (digest?.[compared] !== expected.get(writer.name)?.[compared]) {
      const lines = reader.dump(address, topic).slice(0, 2000)
      throw new Error(`${reader.name} reads ${topic} otherwise: ${digest?.count} records.\n${lines}`)
    }
    expect(digest?.count).toBe(COUNT)
    // Times that the writer made up itself must at least be the same for all readers.
    const first = seen.get(readers[0].name)?.get(topic)
    expect(digest).toEqual(first)
  })
})

const dumpLog = given === undefined ? tryPeer('kafka-dump-log', () => kafkaTool('kafka-dump-log')) : undefined

test.skipIf(dumpLog === undefined)('every batch on disk has the codec asked for', () => {
  for (const { codec, topic } of written) {
    const log = join(directory, 'data', `${topic}-0`)
    const files = readdirSync(log).filter((file) => file.endsWith('.log')).map((file) => join(log, file))
    const dump = output(dumpLog ?? [''], ['--files', files.join(',')])
    let records = 0
    for (const [, count, name] of dump.matchAll(/count: (\d+) .* compresscodec: (\S+)/g)) if (name === codec) records += Number(count)
    // librdkafka and franz-go leave a batch as it is that would not get smaller, such as one of few records.
    expect(records, topic).toBeGreaterThan(COUNT * 0.95)
    expect(dump, topic).not.toContain('isvalid: false')
  }
})
