// Foreign clients against our broker, each doing what its users do. What they say is compared with what they say of
// Apache Kafka. Apache's own tools have clients-java.test.ts; the bytes of the records have records.test.ts.

import { CompressionTypes, ConfigResourceTypes } from 'kafkajs'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApacheBroker, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { ALL_CODECS, kafkajs } from './support/foreign-records.ts'
import { kafkaTool, kcat, output, pythonProgram, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

const apache = tryPeer('Apache Kafka', () => kafkaTool('kafka-dump-log'))
const kcatPeer = tryPeer('kcat', kcat)
const python = tryPeer('confluent-kafka', () => pythonProgram('admin'))
const SETTLE_MS = 200
const directory = mkdtempSync(join(tmpdir(), 'ktool-clients-'))
let ours: OurBroker | undefined
let theirs: ApacheBroker | undefined

beforeAll(async () => {
  ours = await startBroker(['--data-dir', join(directory, 'ours')], ktoolEnv(directory))
  if (apache !== undefined) theirs = await startApache({ directory: join(directory, 'apache') })
})

afterAll(async () => {
  await ours?.stop()
  await theirs?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const address = () => ours?.address ?? ''

function same(steps: readonly Step[]): void {
  expectSame(play(steps, address()), play(steps, theirs?.address ?? '', SETTLE_MS))
}

describe.skipIf(kcatPeer === undefined || apache === undefined)('kcat', () => {
  const peer = kcatPeer ?? ['']
  const lines = Array.from({ length: 3000 }, (_, index) => `key ${index}:value ${index} ${'x'.repeat(index % 50)}\n`).join('')
  const kcatStep = (args: string, input?: string): Step => ({
    name: `kcat ${args}`, peer, args: ['-b', 'ADDRESS', '-X', 'allow.auto.create.topics=true', ...args.split(' ')], input,
    isUnordered: args.startsWith('-L'), // topics come from a hash map
  })

  test('-P creates topics and compresses, -C reads', () => {
    const format = '%o|%k|%h|%s\n'
    same(
      ALL_CODECS.flatMap((codec) => [
        kcatStep(`-P -t kcat-${codec} -p 0 -z ${codec} -K : -H one=1 -H two=2`, lines),
        kcatStep(`-C -t kcat-${codec} -p 0 -e -q -o beginning -X check.crcs=true -f ${format.replaceAll(' ', '_')}`),
        kcatStep(`-C -t kcat-${codec} -p 0 -e -q -o 2990`),
        kcatStep(`-C -t kcat-${codec} -p 0 -e -q -o -5 -c 3`),
      ]),
    )
  })

  test('-L lists brokers, topics and partitions', () => {
    same([kcatStep('-L'), kcatStep('-L -t kcat-zstd'), kcatStep('-L -J -t kcat-none'), kcatStep('-L -t absent -X allow.auto.create.topics=false')])
  })

  test('-Q finds offsets by time', () => {
    same([
      kcatStep('-Q -t kcat-gzip:0:-1'), kcatStep('-Q -t kcat-gzip:0:-2'), kcatStep('-Q -t kcat-gzip:0:1000'),
      kcatStep('-Q -t kcat-gzip:0:9999999999999'),
    ])
  })

  test('the codec asked for is on disk', () => {
    for (const codec of ALL_CODECS) {
      const dump = output(apache ?? [''], ['--files', join(directory, 'ours', `kcat-${codec}-0`, '00000000000000000000.log')])
      let records = 0
      for (const [, count, name] of dump.matchAll(/count: (\d+) .* compresscodec: (\S+)/g)) if (name === codec) records += Number(count)
      // librdkafka leaves a batch as it is that would not get smaller, such as one of few records.
      expect(records, codec).toBeGreaterThan(2900)
    }
  })
})

test.skipIf(python === undefined || apache === undefined)("confluent-kafka's admin client, call by call", () => {
  same([{ name: 'admin.py', peer: python ?? [''], args: ['ADDRESS'] }])
})

describe('kafkajs', () => {
  test('producer: keys find their partitions, acks 0, 1 and all, both codecs', async () => {
    const admin = kafkajs(address()).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 3 }], waitForLeaders: true })
    const producer = kafkajs(address()).producer({ idempotent: false })
    await producer.connect()
    let sent = 0
    for (const compression of [CompressionTypes.None, CompressionTypes.GZIP]) {
      for (const acks of [-1, 1, 0]) {
        const messages = Array.from({ length: 100 }, (_, index) => ({ key: `key ${index}`, value: `value ${index}`, headers: { h: 'v' } }))
        await producer.send({ topic: 'js', messages, acks, compression })
        sent += messages.length
      }
    }
    await producer.disconnect()
    const ends = async () => (await admin.fetchTopicOffsets('js')).map(({ offset }) => Number(offset))
    // What is sent without asking for an answer arrives a little later.
    await expect.poll(async () => (await ends()).reduce((sum, end) => sum + end)).toBe(sent)
    expect((await ends()).every((end) => end > 0)).toBe(true)
    await admin.disconnect()
  })

  test('idempotent producer', async () => {
    const producer = kafkajs(address()).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (let round = 0; round < 3; round++) await producer.send({ topic: 'js-idempotent', messages: [{ value: `${round}` }] })
    await producer.disconnect()
  })

  test('admin says what it says of Apache Kafka', async () => {
    const seen = []
    for (const at of [address(), theirs?.address]) {
      if (at !== undefined) seen.push(await adminSession(at))
    }
    expect(seen[0]).toEqual(seen.at(-1))
  })
})

async function adminSession(at: string): Promise<unknown[]> {
  const seen: unknown[] = []
  const failure = (error: unknown) => seen.push(error instanceof Error ? `${error.name}: ${error.message}` : error)
  const topic = 'js-admin'
  const admin = kafkajs(at).admin()
  await admin.connect()
  try {
    seen.push(await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '9000' }] }] }))
    seen.push(await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }))
    await admin.createTopics({ topics: [{ topic: 'js wrong', numPartitions: 2 }] }).catch(failure)
    seen.push(await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }))
    await admin.createPartitions({ topicPartitions: [{ topic, count: 1 }] }).catch(failure)
    seen.push(sorted(await admin.fetchTopicMetadata({ topics: [topic] })))
    const { brokers, controller } = await admin.describeCluster()
    seen.push(brokers.map(({ nodeId }) => nodeId), controller)
    const resource = { type: ConfigResourceTypes.TOPIC, name: topic }
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '8000' }] }] })
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ ...resource, configNames: ['retention.ms', 'cleanup.policy'] }] })
    seen.push(resources[0].configEntries)
    await admin.alterConfigs({ validateOnly: false, resources: [{ ...resource, configEntries: [{ name: 'no.such', value: '1' }] }] }).catch(failure)
    const producer = kafkajs(at).producer()
    await producer.connect()
    await producer.send({ topic, messages: Array.from({ length: 10 }, (_, index) => ({ value: 'v', partition: 1, timestamp: `${Date.now() + index}` })) })
    await producer.disconnect()
    seen.push(sorted(await admin.fetchTopicOffsets(topic)))
    seen.push(sorted(await admin.fetchTopicOffsetsByTimestamp(topic, Date.now() + 1e6)))
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 1, offset: '4' }] })
    seen.push(sorted(await admin.fetchTopicOffsets(topic)))
    await admin.deleteTopics({ topics: [topic] })
    seen.push((await admin.listTopics()).includes(topic))
  } finally {
    await admin.disconnect()
  }
  return seen
}

/** Partitions come in the order of a hash map from Apache, in that of their numbers from us. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]))
}
