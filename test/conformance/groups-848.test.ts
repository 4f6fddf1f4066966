// Consumer groups of KIP-848: clients with group.protocol=consumer, alone, mixed, and with classic ones in one group, through
// a kill of the broker; what Apache's tools say of them; and a group that goes to Apache Kafka and back with its members.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { ConsumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import { ConsumerGroupHeartbeat } from '../../src/protocol/apis/consumer-group-heartbeat.ts'
import { OffsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { errorName } from '../../src/protocol/errors.ts'
import { RawClient } from '../support/raw-client.ts'
import { type ApacheBroker, freePorts, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkajs } from './support/foreign-records.ts'
import { type Join, type Member, program } from './support/members.ts'
import { goProgram, type KafkaTool, kafkaTool, kcat, output, type Peer, pythonProgram, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

const apache = tryPeer('Apache Kafka', () => kafkaTool('kafka-console-consumer'))
const kcatPeer = tryPeer('kcat', kcat)
const python = tryPeer('confluent-kafka', () => pythonProgram('group'))
const go = tryPeer('franz-go', goProgram)

const PARTITIONS = 4
const HALF = 200
const WAIT = { timeout: 90_000, interval: 200 }
const directory = mkdtempSync(join(tmpdir(), 'ktool-groups-848-'))
let broker: OurBroker | undefined
const members = new Set<Member>()

const withJava = program(apache ?? ['java'], (address) => [
  '--bootstrap-server', address, '--topic', 't', '--group', 'g', '--from-beginning',
  '--command-property', 'group.protocol=consumer', '--command-property', 'auto.commit.interval.ms=200',
]) // prettier-ignore
const withPython = program(python ?? ['python'], (address) => [address, 'g', 't', 'consumer'])
const withGo = program(go ?? ['go'], (address) => ['member', address, 't', 'g', 'consumer'])
const withClassicPython = program(python ?? ['python'], (address) => [address, 'g', 't'])
const withClassicKcat = program(kcatPeer ?? ['kcat'], (address) => {
  const settings = ['auto.offset.reset=earliest', 'auto.commit.interval.ms=200', 'reconnect.backoff.max.ms=500']
  return ['-b', address, '-G', 'g', '-q', '-u', '-E', ...settings.flatMap((line) => ['-X', line]), 't']
})

const has = (...peers: readonly (Peer | undefined)[]) => peers.every((peer) => peer !== undefined)
const MIXES: readonly { readonly name: string; readonly joins: readonly Join[]; readonly isHad: boolean }[] = [
  { name: 'two of confluent-kafka', joins: [withPython, withPython], isHad: has(python) },
  { name: 'two of franz-go', joins: [withGo, withGo], isHad: has(go) },
  { name: 'the Java consumer, confluent-kafka and franz-go', joins: [withJava, withPython, withGo], isHad: has(apache, python, go) },
  { name: 'confluent-kafka, classic first, then not', joins: [withClassicPython, withPython], isHad: has(python) },
  { name: 'franz-go, then kcat as a classic member', joins: [withGo, withClassicKcat], isHad: has(go, kcatPeer) },
  { name: 'kcat as a classic member, then the Java consumer', joins: [withClassicKcat, withJava], isHad: has(apache, kcatPeer) },
]

afterEach(async () => {
  await Promise.all([...members].map((member) => member.stop()))
  members.clear()
  await broker?.stop()
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

async function stateOf(address: string, group = 'g'): Promise<string> {
  const client = await RawClient.open(Number(address.split(':')[1]))
  try {
    const { groups } = await client.call(ConsumerGroupDescribe, 1, { groupIds: [group], includeAuthorizedOperations: false })
    const [{ groupState, members: found, errorCode }] = groups
    return errorCode === 0 ? `${groupState} ${found.length}` : errorName(errorCode)
  } finally {
    client.close()
  }
}

/** All that the group has committed. */
async function committed(address: string, groupId = 'g'): Promise<number> {
  const client = await RawClient.open(Number(address.split(':')[1]))
  try {
    const groups = [{ groupId, memberId: null, memberEpoch: -1, topics: null }]
    const answer = await client.call(OffsetFetch, 9, { groups, requireStable: false } as never)
    const offsets = answer.groups[0].topics.flatMap(({ partitions }) => partitions.map(({ committedOffset }) => Number(committedOffset)))
    return offsets.reduce((sum, offset) => sum + Math.max(0, offset), 0)
  } finally {
    client.close()
  }
}

async function createTopics(address: string): Promise<void> {
  const admin = kafkajs(address).admin()
  await admin.connect()
  const topics = [{ topic: 't', numPartitions: PARTITIONS }, { topic: 'u', numPartitions: 1 }]
  await admin.createTopics({ topics, waitForLeaders: true })
  await admin.disconnect()
}

async function produce(address: string, from: number): Promise<void> {
  const producer = kafkajs(address).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const messages = Array.from({ length: HALF }, (_, at) => ({ value: String(from + at), partition: at % PARTITIONS }))
  await producer.send({ topic: 't', messages })
  await producer.disconnect()
}

describe.each(MIXES.filter(({ isHad }) => isHad))('$name', ({ name, joins }) => {
  test('share the partitions, and get every record once over a kill of the broker', async () => {
    const [port] = await freePorts(1)
    const address = `127.0.0.1:${port}`
    const data = join(directory, name.replaceAll(/\W/g, '-'))
    const start = () => startBroker(['--data-dir', data, '--port', String(port)], ktoolEnv(directory))
    broker = await start()
    await createTopics(address)
    for (const [at, joinGroup] of joins.entries()) {
      members.add(await joinGroup(address))
      // A classic group becomes another when the first consumer joins.
      if (at > 0) await expect.poll(() => stateOf(address), WAIT).toBe(`Stable ${at + 1}`)
      else await expect.poll(() => stateOf(address), WAIT).not.toBe('Empty 0')
    }
    const values = () => [...members].flatMap((member) => member.values.map(Number)).sort((a, b) => a - b)
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)
    await produce(address, 0)
    await expect.poll(() => values().length, WAIT).toBeGreaterThanOrEqual(HALF)
    expect(values()).toEqual(upTo(HALF))
    expect([...members].every((member) => member.values.length > 0)).toBe(true)
    await expect.poll(() => committed(address), WAIT).toBe(HALF)

    await broker.stop('SIGKILL')
    broker = await start()
    await produce(address, HALF)
    await expect.poll(() => values().length, WAIT).toBeGreaterThanOrEqual(2 * HALF)
    expect(values()).toEqual(upTo(2 * HALF))
    await expect.poll(() => committed(address), WAIT).toBe(2 * HALF)

    // The last ones get what the others had; at the end nobody is there.
    const [first, ...rest] = members
    await first.stop()
    await produce(address, 2 * HALF)
    await expect.poll(() => values().length, WAIT).toBe(3 * HALF)
    await expect.poll(() => committed(address), WAIT).toBe(3 * HALF)
    for (const member of rest) await member.stop()
    await expect.poll(() => stateOf(address), WAIT).toMatch(/^Empty 0$|^GROUP_ID_NOT_FOUND$/)
  }, 240_000)
})

describe.skipIf(!has(apache, python))("Apache's tools", () => {
  let theirs: ApacheBroker | undefined
  afterAll(() => theirs?.stop())

  const stepOf = (args: string): Step => {
    const [name, ...rest] = args.split(' ')
    return {
      name: args,
      peer: kafkaTool(name as KafkaTool),
      args: ['--bootstrap-server', 'ADDRESS', ...rest],
      // Member ids are random; columns are as wide as the ids in them.
      mask: (text) => text.replaceAll(/(?<![\w+/-])[\w+/-]{22}(?![\w+/-])/g, 'MEMBER').replaceAll(/ +/g, ' '),
      isUnordered: true, // of a hash map
    }
  }

  test('say of our groups what they say of their own', async () => {
    broker = await startBroker(['--data-dir', join(directory, 'tools')], ktoolEnv(directory))
    theirs = await startApache({ directory: join(directory, 'apache'), properties: ['group.consumer.assignment.interval.ms=0'] })
    const played = []
    for (const { address } of [broker, theirs]) {
      await createTopics(address)
      await produce(address, 0)
      const live = await withPython(address)
      members.add(live)
      await expect.poll(() => live.values.length, WAIT).toBe(HALF)
      await expect.poll(() => committed(address), WAIT).toBe(HALF)
      await expect.poll(() => stateOf(address), WAIT).toBe('Stable 1')
      const whileLive = play(WHILE_LIVE.map(stepOf), address, 300)
      await live.stop()
      await expect.poll(() => stateOf(address), WAIT).toBe('Empty 0')
      played.push([...whileLive, ...play(AFTERWARDS.map(stepOf), address, 300)])
    }
    expectSame(played[0], played[1])
  }, 600_000)
})

const GROUPS = 'kafka-consumer-groups'
const WHILE_LIVE = [
  `${GROUPS} --list --state`, `${GROUPS} --list --type consumer`, `${GROUPS} --describe --group g --offsets --verbose`,
  `${GROUPS} --describe --group g --members --verbose`, `${GROUPS} --describe --group g --state --verbose`,
  `${GROUPS} --delete --group g`, `${GROUPS} --delete-offsets --group g --topic t`, 'kafka-groups --list',
] // prettier-ignore
const AFTERWARDS = [
  `${GROUPS} --describe --group g --state`, `${GROUPS} --describe --group g --offsets`,
  `${GROUPS} --reset-offsets --group g --topic t --to-earliest --execute`, `${GROUPS} --delete-offsets --group g --topic t:0`,
  'kafka-configs --alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=50000',
  'kafka-configs --alter --entity-type groups --entity-name g --add-config consumer.session.timeout.ms=5',
  'kafka-configs --alter --entity-type groups --entity-name g --add-config no.such.config=5',
  'kafka-configs --describe --entity-type groups --entity-name g',
  `${GROUPS} --delete --group g`, `${GROUPS} --list`,
] // prettier-ignore

describe.skipIf(!has(apache))('Graduation', () => {
  test('a group goes to Apache Kafka and back with its members, epochs and assignments', async () => {
    const home = join(directory, 'graduation')
    let life: { readonly address: string; stop(): Promise<void> } | undefined
    onTestFinished(() => life?.stop())
    const ours = () => startBroker(['--data-dir', join(home, 'data')], ktoolEnv(directory))
    const theirs = () => startApache({ directory: home })

    life = await ours()
    await createTopics(life.address)
    const beat = async (memberId: string, memberEpoch: number, more = {}) => {
      const client = await RawClient.open(Number(life?.address.split(':')[1]))
      const { errorCode, memberEpoch: epoch, assignment } = await client.call(ConsumerGroupHeartbeat, 1, { groupId: 'g', memberId, memberEpoch, ...more })
      client.close()
      return { error: errorName(errorCode), epoch, assignment: assignment?.topicPartitions.map(({ partitions }) => partitions) ?? null }
    }
    const full = { rebalanceTimeoutMs: 60_000, topicPartitions: [] }
    await beat('a', 0, { ...full, subscribedTopicNames: ['t'], instanceId: 'i', rackId: 'r' })
    await beat('b', 0, { ...full, subscribedTopicRegex: 't.*' })
    const details = () => {
      const args = ['--bootstrap-server', life?.address ?? '', '--describe', '--group', 'g']
      const described = [['--state'], ['--members', '--verbose']].map((more) => output(kafkaTool('kafka-consumer-groups'), [...args, ...more]))
      return described.map((text) => text.replaceAll(life?.address ?? '', 'ADDRESS').replaceAll(/ +/g, ' ').split('\n').sort())
    }
    const before = details()
    for (const next of [theirs, ours, theirs, ours]) {
      await life.stop()
      life = await next()
      await expect.poll(() => beat('a', 2, { instanceId: 'i' }), WAIT).toMatchObject({ error: 'NONE', epoch: 2 })
      expect(await beat('b', 3)).toMatchObject({ error: 'NONE', epoch: 3 })
      expect(details()).toEqual(before)
    }
    // Everybody goes on where they are.
    expect(await beat('a', 2, { instanceId: 'i', topicPartitions: [] })).toMatchObject({ error: 'NONE', epoch: 3 })
    expect(await beat('b', 3)).toMatchObject({ error: 'NONE', assignment: [[2, 3]] })
  }, 600_000)
})
