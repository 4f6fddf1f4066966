// Apache's programs for testing clusters on our broker: what the verifiable producer says was acknowledged is what the
// verifiable consumer gets, in both group protocols and over a kill of the broker; the performance tools count what they sent.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kafkajs } from '../support/foreign-records.ts'
import { MortalBroker, SCALE } from '../support/mortal-broker.ts'
import { java, output, type Peer, tryPeer } from '../support/peers.ts'
import { type Program, start, until } from '../support/program.ts'

const TOOLS = 'org.apache.kafka.tools'
const PARTITIONS = 4
const MINUTE = 60_000
const peer = tryPeer('Apache Kafka', java)
const directory = mkdtempSync(join(tmpdir(), 'ktool-programs-'))
let broker: MortalBroker

function tool(name: string): Peer {
  return [...(peer ?? (['java'] as const)), `${TOOLS}.${name}`]
}

interface Event {
  readonly name: string
  readonly partition?: number
  readonly offset?: number
  readonly value?: string
  readonly acked?: number
}

function events({ lines }: Program, name: string): Event[] {
  return lines.map((line) => JSON.parse(line) as Event).filter((event) => event.name === name)
}

/** `partition offset value` of each, sorted. */
function places(of: readonly Event[]): string[] {
  return of.map(({ partition, offset, value }) => `${partition ?? ''} ${offset ?? ''} ${value ?? ''}`).sort()
}

describe.skipIf(peer === undefined)("Apache's programs", () => {
  beforeAll(async () => {
    broker = await MortalBroker.start(directory)
    const admin = kafkajs(broker.address).admin()
    await admin.connect()
    const names = ['classic', 'consumer', 'killed', 'performance', 'transactional', 'latency']
    const topics = names.map((topic) => ({ topic, numPartitions: topic === 'latency' ? 1 : PARTITIONS }))
    await admin.createTopics({ topics, waitForLeaders: true })
    await admin.disconnect()
  })

  afterAll(async () => {
    await broker.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  const produce = (topic: string, ...more: string[]) =>
    start(tool('VerifiableProducer'), ['--bootstrap-server', broker.address, '--topic', topic, '--acks', '-1', ...more])

  async function consume(topic: string, groupProtocol: string, count: number): Promise<Event[]> {
    const consumer = start(tool('VerifiableConsumer'), [
      '--bootstrap-server', broker.address, '--topic', topic, '--group-id', topic, '--group-protocol', groupProtocol,
      '--max-messages', String(count), '--verbose',
    ]) // prettier-ignore
    await until('the last record', [consumer], 8 * MINUTE, () => consumer.ended() !== undefined)
    expect(events(consumer, 'offsets_committed').length).toBeGreaterThan(0)
    expect(consumer.lines.filter((line) => line.includes('"success":false'))).toEqual([])
    return events(consumer, 'record_data')
  }

  test.each(['classic', 'consumer'])('what was acknowledged is consumed, with the %s protocol', async (protocol) => {
    const producer = produce(protocol, '--max-messages', String(SCALE.records))
    await until('the last acknowledgement', [producer], 8 * MINUTE, () => producer.ended() !== undefined)
    const acked = events(producer, 'producer_send_success')
    expect(events(producer, 'tool_data')).toMatchObject([{ sent: SCALE.records, acked: SCALE.records }])
    expect(acked.map(({ value }) => Number(value)).sort((a, b) => a - b)).toEqual(Array.from({ length: SCALE.records }, (_, at) => at))
    const consumed = await consume(protocol, protocol, SCALE.records)
    expect(places(consumed)).toEqual(places(acked))
    broker.expectHealthy()
  })

  test('what was acknowledged is there after the broker was killed', async () => {
    const producer = produce('killed', '--throughput', '2000')
    for (let kill = 1; kill <= 3; kill++) {
      await until('some records', [producer], MINUTE, () => producer.lines.length >= 4000 * kill)
      await broker.kill()
      await broker.start()
    }
    const before = producer.lines.length
    await until('more records', [producer], MINUTE, () => producer.lines.length >= before + 4000)
    await producer.stop()
    const acked = events(producer, 'producer_send_success')
    const admin = kafkajs(broker.address).admin()
    await admin.connect()
    const offsets = await admin.fetchTopicOffsets('killed')
    await admin.disconnect()
    const consumed = places(await consume('killed', 'consumer', offsets.reduce((sum, { high }) => sum + Number(high), 0)))
    const found = new Set(consumed)
    expect(places(acked).filter((place) => !found.has(place))).toEqual([])
    broker.expectHealthy()
    console.log(`verifiable producer: ${acked.length} acknowledged, ${consumed.length} in the topic, 3 kills`)
  })

  test('the performance tools count what they sent', () => {
    const count = String(SCALE.records)
    for (const [topic, ...more] of [['performance'], ['transactional', '--transactional-id', 'perf', '--transaction-duration-ms', '200']]) {
      const sent = output(tool('ProducerPerformance'), [
        '--topic', topic, '--num-records', count, '--record-size', '100', '--throughput', '-1',
        '--producer-props', `bootstrap.servers=${broker.address}`, 'acks=all', ...more,
      ]) // prettier-ignore
      const summary = sent.trim().split('\n').at(-1) ?? ''
      expect(summary).toMatch(new RegExp(`^${count} records sent, `))
      for (const protocol of ['classic', 'consumer']) {
        const received = output(tool('ConsumerPerformance'), [
          '--bootstrap-server', broker.address, '--topic', topic, '--num-records', count, '--timeout', '60000', '--hide-header',
          '--group', `${topic}-${protocol}`, '--command-property', `group.protocol=${protocol}`,
          '--command-property', 'isolation.level=read_committed',
        ]) // prettier-ignore
        expect(Number(received.trim().split('\n').at(-1)?.split(', ')[4])).toBe(SCALE.records)
        console.log(`${topic}, ${protocol}: ${received.trim()}`)
      }
      console.log(`${topic}: ${summary}`)
    }
    broker.expectHealthy()
  })

  test('the latency tool measures each record from end to end', () => {
    const said = output(tool('EndToEndLatency'), [
      '--bootstrap-server', broker.address, '--topic', 'latency', '--num-records', String(SCALE.records / 50), '--producer-acks', 'all', '--record-size', '100',
    ]) // prettier-ignore
    expect(said).toMatch(/Avg latency: \d+[.,]\d+ ms/)
    expect(said).toMatch(/Percentiles: 50th = \d+, 99th = \d+, 99.9th = \d+/)
    console.log(`latency: ${said.trim().split('\n').slice(-2).join('; ')}`)
    broker.expectHealthy()
  })
})
