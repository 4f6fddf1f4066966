// Consumer groups of foreign clients on our broker: two members share a topic, commit, live through a broker that is
// killed and comes back, and get every record once. And what Apache's kafka-consumer-groups says of our groups.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type ApacheBroker, freePorts, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkajs } from './support/foreign-records.ts'
import { type Join, type Member, program } from './support/members.ts'
import { goProgram, kafkaTool, kcat, output, type Peer, pythonProgram, tryPeer } from './support/peers.ts'
import { expectSame, play, type Step } from './support/transcript.ts'

const apache = tryPeer('Apache Kafka', () => kafkaTool('kafka-console-consumer'))
const kcatPeer = tryPeer('kcat', kcat)
const python = tryPeer('confluent-kafka', () => pythonProgram('group'))
const go = tryPeer('franz-go', goProgram)

const PARTITIONS = 4
const HALF = 200
const WAIT = { timeout: 60_000, interval: 200 }
const directory = mkdtempSync(join(tmpdir(), 'ktool-groups-'))
let broker: OurBroker | undefined
const members = new Set<Member>()

const joinWithKafkajs: Join = async (address) => {
  const consumer = kafkajs(address).consumer({ groupId: 'g' })
  const values: string[] = []
  await consumer.connect()
  await consumer.subscribe({ topics: ['t'], fromBeginning: true })
  const eachMessage = ({ message }: { message: { value: Buffer | null } }): Promise<void> => {
    values.push(message.value?.toString() ?? '')
    return Promise.resolve()
  }
  await consumer.run({ autoCommitThreshold: 1, eachMessage })
  return { values, stop: () => consumer.disconnect() }
}

const joinWithKcat = program(kcatPeer ?? ['kcat'], (address) => {
  const settings = ['auto.offset.reset=earliest', 'auto.commit.interval.ms=200', 'reconnect.backoff.max.ms=500']
  return ['-b', address, '-G', 'g', '-q', '-u', '-E', ...settings.flatMap((line) => ['-X', line]), 't']
})
const joinWithJava = program(apache ?? ['java'], (address) => [
  '--bootstrap-server', address, '--topic', 't', '--group', 'g', '--from-beginning', '--command-property', 'auto.commit.interval.ms=200',
]) // prettier-ignore
const joinWithPython = program(python ?? ['python'], (address) => [address, 'g', 't'])
const joinWithGo = program(go ?? ['go'], (address) => ['member', address, 't', 'g'])

const PAIRS: readonly { readonly name: string; readonly joins: readonly [Join, Join]; readonly isHad: boolean }[] = [
  { name: 'kcat', joins: [joinWithKcat, joinWithKcat], isHad: kcatPeer !== undefined },
  { name: 'confluent-kafka', joins: [joinWithPython, joinWithPython], isHad: python !== undefined },
  { name: 'kafkajs', joins: [joinWithKafkajs, joinWithKafkajs], isHad: true },
  { name: 'franz-go', joins: [joinWithGo, joinWithGo], isHad: go !== undefined },
  { name: "Apache's console consumer and kcat", joins: [joinWithJava, joinWithKcat], isHad: apache !== undefined && kcatPeer !== undefined },
]

afterEach(async () => {
  await Promise.all([...members].map((member) => member.stop()))
  members.clear()
  await broker?.stop()
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe.each(PAIRS.filter(({ isHad }) => isHad))('two members of $name', ({ name, joins }) => {
  test('share the partitions, and get every record once over a kill of the broker', async () => {
    const [port] = await freePorts(1)
    const address = `127.0.0.1:${port}`
    const data = join(directory, name.replaceAll(/\W/g, '-'))
    const start = () => startBroker(['--data-dir', data, '--port', String(port)], ktoolEnv(directory))
    broker = await start()
    const admin = kafkajs(address).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic: 't', numPartitions: PARTITIONS }], waitForLeaders: true })

    const [first, second] = [await joins[0](address), await joins[1](address)]
    members.add(first).add(second)
    const state = async () => {
      const { groups } = await admin.describeGroups(['g'])
      return `${groups[0].state} ${groups[0].members.length}`
    }
    await expect.poll(state, WAIT).toBe('Stable 2')
    const values = () => [...first.values, ...second.values].map(Number).sort((a, b) => a - b)
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)
    const committed = async () => {
      const topics = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] })
      return topics.flatMap(({ partitions }) => partitions).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0)
    }
    await produce(address, 0)
    await expect.poll(() => values().length, WAIT).toBeGreaterThanOrEqual(HALF)
    expect(values()).toEqual(upTo(HALF))
    expect([first.values.length, second.values.length].every((count) => count > 0)).toBe(true)
    await expect.poll(committed, WAIT).toBe(HALF)

    await broker.stop('SIGKILL')
    broker = await start()
    await produce(address, HALF)
    await expect.poll(() => values().length, WAIT).toBeGreaterThanOrEqual(2 * HALF)
    expect(values()).toEqual(upTo(2 * HALF))
    await expect.poll(committed, WAIT).toBe(2 * HALF)
    await Promise.all([first.stop(), second.stop()])
    await expect.poll(state, WAIT).toBe('Empty 0')
    await admin.disconnect()
  })
})

async function produce(address: string, from: number): Promise<void> {
  // A retry must not write twice: Apache needs a moment for a new topic.
  const producer = kafkajs(address).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const messages = Array.from({ length: HALF }, (_, at) => ({ value: String(from + at), partition: at % PARTITIONS }))
  await producer.send({ topic: 't', messages })
  await producer.disconnect()
}

describe.skipIf(apache === undefined || kcatPeer === undefined)("Apache's kafka-consumer-groups", () => {
  let theirs: ApacheBroker | undefined
  afterAll(() => theirs?.stop())

  const tool = apache === undefined ? [''] as Peer : kafkaTool('kafka-consumer-groups')
  const command = (args: string): Step => ({
    name: args,
    peer: tool,
    args: ['--bootstrap-server', 'ADDRESS', ...args.split(' ')],
    // Member ids are random; columns are as wide as the ids in them.
    mask: (text) => text.replaceAll(/[\w-]+-[0-9a-f]{8}-[0-9a-f-]{27}/g, 'MEMBER').replaceAll(/ +/g, ' '),
    isUnordered: true, // of a hash map
  })

  test('says of our groups what it says of its own', async () => {
    broker = await startBroker(['--data-dir', join(directory, 'tools')], ktoolEnv(directory))
    theirs = await startApache({ directory: join(directory, 'apache') })
    const played = []
    for (const address of [broker.address, theirs.address]) {
      const admin = kafkajs(address).admin()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: 't', numPartitions: PARTITIONS }, { topic: 'u', numPartitions: 1 }], waitForLeaders: true })
      await produce(address, 0)
      for (const groupId of ['left', 'outside']) {
        if (groupId === 'outside') {
          const partitions = [{ partition: 0, offset: '7' }, { partition: 3, offset: '11' }]
          await expect.poll(() => admin.setOffsets({ groupId, topic: 't', partitions }).then(() => 'done', String), WAIT).toBe('done')
        } else output(kcatPeer ?? ['kcat'], ['-b', address, '-G', groupId, '-q', '-e', '-X', 'auto.offset.reset=earliest', 't'])
      }
      const live = joinWithKcat(address) as Member
      members.add(live)
      await expect.poll(async () => (await admin.describeGroups(['g'])).groups[0].state, WAIT).toBe('Stable')
      await expect.poll(() => live.values.length, WAIT).toBe(HALF)
      const committed = async () => {
        const [{ partitions }] = await admin.fetchOffsets({ groupId: 'g', topics: ['t'] })
        return partitions.map(({ offset }) => offset)
      }
      await expect.poll(committed, WAIT).toEqual(Array(PARTITIONS).fill(String(HALF / PARTITIONS)))
      const whileLive = play(COMMANDS_WHILE_LIVE.map(command), address)
      await live.stop()
      await expect.poll(async () => (await admin.describeGroups(['g'])).groups[0].state, WAIT).toBe('Empty')
      played.push([...whileLive, ...play(COMMANDS.map(command), address)])
      await admin.disconnect()
    }
    expectSame(played[0], played[1])
  })
})

const COMMANDS_WHILE_LIVE = [
  '--list', '--list --state', '--list --type', '--list --state stable', '--list --type classic',
  '--describe --group g', '--describe --group g --members', '--describe --group g --members --verbose', '--describe --group g --state',
  '--describe --group left', '--describe --group outside', '--describe --all-groups --state',
  '--delete --group g', '--reset-offsets --group g --topic t --to-earliest --execute', '--delete-offsets --group g --topic t',
] // prettier-ignore

const COMMANDS = [
  '--describe --group absent', '--describe --group g --state', '--describe --group g --members',
  '--reset-offsets --group g --topic t --to-earliest --dry-run', '--reset-offsets --group g --topic t:0 --to-offset 3 --execute',
  '--reset-offsets --group g --all-topics --shift-by -2 --execute', '--reset-offsets --group fresh --topic u --to-latest --execute',
  '--describe --group fresh', '--describe --group g --offsets', '--delete-offsets --group outside --topic t:0', '--describe --group outside',
  '--delete --group absent', '--delete --group left --group outside', '--list',
] // prettier-ignore
