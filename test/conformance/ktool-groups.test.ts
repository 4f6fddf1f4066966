// ktool in groups with others: it shares partitions with kcat and Apache's console consumer on both brokers, with members and
// the broker killed, and what `ktool groups` says and plans is what kafka-consumer-groups says and plans.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type ApacheBroker, freePorts, startApache } from './support/apache.ts'
import { ktool, ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkajs } from './support/foreign-records.ts'
import { kafkaTool, kcat, output, type Peer, tryPeer } from './support/peers.ts'

const apache = tryPeer('Apache Kafka', () => kafkaTool('kafka-consumer-groups'))
const kcatPeer = tryPeer('kcat', kcat)

const PARTITIONS = 6
const COUNT = 300
const WAIT = { timeout: 90_000, interval: 200 }
const directory = mkdtempSync(join(tmpdir(), 'ktool-groups-'))
const env = ktoolEnv(directory)
const cleanUp: (() => unknown)[] = []

afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Member {
  readonly values: string[]
  stop(signal?: NodeJS.Signals): Promise<void>
}

function start([command, ...first]: Peer, args: readonly string[]): Member {
  const child: ChildProcess = spawn(command, [...first, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  const values: string[] = []
  if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => values.push(line))
  child.stderr?.resume()
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  cleanUp.push(() => stop('SIGKILL'))
  return { values, stop }
}

const joinWithKtool = (address: string, ...properties: string[]): Member => {
  const given = ['auto.commit.interval.ms=100', 'session.timeout.ms=6000', 'heartbeat.interval.ms=500', ...properties]
  return start(ktool(), ['consume', '-b', address, '--group', 'g', '--topic', 't', '--from-beginning', ...given.flatMap((line) => ['--consumer-property', line])])
}
const joinWithKcat = (address: string): Member => {
  const settings = ['auto.offset.reset=earliest', 'auto.commit.interval.ms=100', 'reconnect.backoff.max.ms=500', 'session.timeout.ms=6000']
  return start(kcatPeer ?? ['kcat'], ['-b', address, '-G', 'g', '-q', '-u', '-E', ...settings.flatMap((line) => ['-X', line]), 't'])
}
const joinWithJava = (address: string, ...properties: string[]): Member => {
  const given = ['auto.commit.interval.ms=100', ...properties]
  const words = ['--bootstrap-server', address, '--topic', 't', '--group', 'g', '--from-beginning', ...given.flatMap((line) => ['--command-property', line])]
  return start(kafkaTool('kafka-console-consumer'), words)
}

/** Topic `t`, and ways to look at it and at group `g`. */
async function world(address: string) {
  const admin = kafkajs(address).admin()
  await admin.connect()
  cleanUp.push(() => admin.disconnect())
  await admin.createTopics({ topics: [{ topic: 't', numPartitions: PARTITIONS }], waitForLeaders: true })
  let produced = 0
  return {
    produce: async () => {
      const producer = kafkajs(address).producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      const messages = Array.from({ length: COUNT }, (_, at) => ({ value: String(produced + at), partition: at % PARTITIONS }))
      await producer.send({ topic: 't', messages })
      await producer.disconnect()
      produced += COUNT
    },
    /** Every record has come to one of the members, once, and is committed. */
    settled: async (...members: Member[]) => {
      const seen = () => members.flatMap(({ values }) => values).map(Number).sort((a, b) => a - b)
      await expect.poll(() => new Set(seen()).size, WAIT).toBe(produced)
      expect(seen()).toEqual(Array.from({ length: produced }, (_, at) => at))
      const committed = () => facts(address, 'g').offsets.reduce((sum, { offset }) => sum + (offset ?? 0), 0)
      await expect.poll(committed, WAIT).toBe(produced)
    },
    /** Of one moment: a group that is stable now may have its third member, and rebalance, a process later. */
    state: () => {
      const { state, memberCount } = facts(address, 'g')
      return `${state} ${memberCount}`
    },
  }
}

interface Facts {
  readonly state: string
  readonly memberCount: number
  readonly assignor: string | null
  readonly coordinator: { readonly nodeId: number; readonly host: string; readonly port: number }
  readonly offsets: readonly {
    readonly topic: string | null
    readonly partition: number | null
    readonly offset: number | null
    readonly logEndOffset: number | null
    readonly lag: number | null
    readonly memberId: string | null
    readonly host: string | null
    readonly clientId: string | null
  }[]
}

function facts(address: string, group: string): Facts {
  const text = output(ktool(), ['groups', '-b', address, '--describe', '--group', group, '--json'], { env })
  return (JSON.parse(text) as { groups: Facts[] }).groups[0]
}

const KINDS: readonly { readonly name: string; readonly peer: Peer | undefined; readonly join: (address: string) => Member; readonly properties: readonly string[] }[] = [
  { name: 'kcat', peer: kcatPeer, join: joinWithKcat, properties: [] },
  { name: "Apache's console consumer", peer: apache, join: (address) => joinWithJava(address), properties: [] },
  { name: "Apache's console consumer with KIP-848", peer: apache, join: (address) => joinWithJava(address, 'group.protocol=consumer'), properties: ['group.protocol=consumer'] },
]

async function share(address: string, { join, properties }: (typeof KINDS)[number], restart?: () => Promise<void>): Promise<void> {
  const { produce, settled, state } = await world(address)
  const [foreign, first, second] = [join(address), joinWithKtool(address, ...properties), joinWithKtool(address, ...properties)]
  await expect.poll(state, WAIT).toBe('Stable 3')
  await produce()
  await settled(foreign, first, second)
  expect([foreign, first, second].every(({ values }) => values.length > 0)).toBe(true)
  await second.stop('SIGKILL')
  await produce()
  await settled(foreign, first, second)
  if (restart !== undefined) {
    await restart()
    await produce()
    await settled(foreign, first, second)
  }
  await foreign.stop()
  await produce()
  await settled(foreign, first, second)
  await first.stop('SIGINT')
  await expect.poll(state, WAIT).toBe('Empty 0')
}


describe.each(KINDS.filter(({ peer }) => peer !== undefined))('ktool shares a group with $name', (kind) => {
  test('on our broker, over kills of a member and of the broker', async () => {
    const [port] = await freePorts(1)
    const data = join(directory, kind.name.replaceAll(/\W/g, '-'))
    const again = () => startBroker(['--data-dir', data, '--port', String(port)], env)
    let broker: OurBroker = await again()
    cleanUp.push(() => broker.stop())
    await share(`127.0.0.1:${port}`, kind, async () => {
      await broker.stop('SIGKILL')
      broker = await again()
    })
  })
})

describe.skipIf(apache === undefined || kcatPeer === undefined)('on Apache Kafka', () => {
  test('ktool shares a group with kcat, over the kill of a member', async () => {
    const theirs: ApacheBroker = await startApache({ directory: join(directory, 'apache-share') })
    cleanUp.push(() => theirs.stop())
    await share(theirs.address, KINDS[0])
  })

  test('`ktool groups` says and plans what kafka-consumer-groups does', async () => {
    const theirs: ApacheBroker = await startApache({ directory: join(directory, 'apache-facts') })
    cleanUp.push(() => theirs.stop())
    const { address } = theirs
    const { produce } = await world(address)
    await produce()
    output(ktool(), ['consume', '-b', address, '--group', 'g', '--topic', 't', '--from-beginning', '-n', '100'], { env })
    const tool = (words: string): string => output(kafkaTool('kafka-consumer-groups'), ['--bootstrap-server', address, ...words.split(' ')])
    const ours = (words: string): string => output(ktool(), ['groups', '-b', address, ...words.split(' ')], { env })
    const sorted = (text: string): string[] => text.split('\n').filter((line) => line.includes(',')).sort()
    const plan = join(directory, 'plan.csv')
    writeFileSync(plan, 't,0,7\nt,3,99999\n')
    for (const target of [
      '--topic t --to-earliest', '--topic t --to-latest', '--all-topics --to-current', '--topic t --to-current', '--topic t:0,1 --to-offset 9',
      '--topic t --to-offset 99999', '--all-topics --shift-by -3', '--all-topics --shift-by 1000', '--topic t --to-datetime 2020-01-01T00:00:00.000',
      '--topic t --to-datetime 2096-01-01T00:00:00.000', '--topic t --by-duration PT1H', `--from-file ${plan}`,
    ]) {
      const words = `--reset-offsets --group g ${target} --export`
      expect([target, sorted(ours(words))]).toEqual([target, sorted(tool(`${words} --dry-run`))])
    } // prettier-ignore

    const rows = (text: string): string[][] => text.split('\n').filter((line) => line.startsWith('g ')).map((line) => line.trim().split(/ +/))
    const described = (): string[][] => {
      return facts(address, 'g').offsets.map((row) => ['g', row.topic, row.partition, row.offset, row.logEndOffset, row.lag, row.memberId, row.host, row.clientId].map((cell) => String(cell ?? '-')))
    }
    expect(described().sort()).toEqual(rows(tool('--describe --group g')).sort())
    for (const protocol of ['classic', 'consumer']) {
      const member = joinWithKtool(address, `group.protocol=${protocol}`)
      await expect.poll(() => facts(address, 'g').state, WAIT).toBe('Stable')
      await expect.poll(() => facts(address, 'g').offsets.every(({ lag }) => lag === 0), WAIT).toBe(true)
      expect(described().sort()).toEqual(rows(tool('--describe --group g')).sort())
      const { state, memberCount, assignor, coordinator } = facts(address, 'g')
      const told = ['g', `${coordinator.host}:${coordinator.port}`, `(${coordinator.nodeId})`, assignor, state, String(memberCount)]
      expect(told).toEqual(rows(tool('--describe --group g --state'))[0])
      const [[, memberId, host, clientId, count]] = rows(tool('--describe --group g --members'))
      const { groups } = JSON.parse(ours('--describe --group g --members --json')) as { groups: { members: { memberId: string; host: string; clientId: string; assignment: unknown[] }[] }[] }
      expect(groups[0].members.map((each) => [each.memberId, each.host, each.clientId, String(each.assignment.length)])).toEqual([[memberId, host, clientId, count]])
      expect(ours('--list --state --type').trim().split(/\s+/).slice(-3)).toEqual(['g', ...rows(tool('--list --state --type'))[0].slice(1)])
      await member.stop('SIGINT')
      await expect.poll(() => facts(address, 'g').state, WAIT).toBe('Empty')
    }
  })
})
