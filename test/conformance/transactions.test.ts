// Transactions beside Apache's: the same raw requests answered the same, records in the state log of the same shape, and
// foreign transactional clients against our daemon, also when it is killed in between.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import kafkajs from 'kafkajs'
import { expect, onTestFinished, test } from 'vitest'
import { startBroker as startInProcess } from '../../src/broker/broker.ts'
import { createMissingTopics } from '../../src/broker/startup-topics.ts'
import { FindCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { GroupClient } from '../support/group-client.ts'
import { RawClient } from '../support/raw-client.ts'
import { OLD_PROTOCOL, TransactionClient, valuesIn } from '../support/transaction-client.ts'
import { freePorts, startApache } from './support/apache.ts'
import { ktool, ktoolEnv, startBroker } from './support/broker.ts'
import { decide } from './support/decided-transaction.ts'
import { javaProgram, kafkaTool, kcat, output, pythonProgram, run, tryPeer } from './support/peers.ts'
import { transactionAnswers } from './support/transaction-answers.ts'

const hasApache = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined
const hasPython = tryPeer('confluent-kafka', () => pythonProgram('transactions')) !== undefined

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ktool-transactions-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function ourBroker(directory: string, ...args: string[]) {
  const broker = await startBroker(['--data-dir', join(directory, 'data'), ...args], ktoolEnv(directory))
  onTestFinished(() => broker.stop('SIGKILL'))
  return broker
}

async function apacheBroker(directory: string, ...properties: string[]) {
  const broker = await startApache({ directory, properties: ['transaction.state.log.num.partitions=4', ...properties] })
  onTestFinished(() => broker.stop())
  return broker
}

test.skipIf(!hasApache)('the same requests get the same answers', async () => {
  const ours = await ourBroker(temporaryDirectory())
  const answers = await transactionAnswers(ours.address)
  await ours.stop()
  const apache = await apacheBroker(temporaryDirectory())
  expect(answers).toEqual(await transactionAnswers(apache.address))
  await apache.stop()
})

/** Of committed transactions, as librdkafka reads them by default. */
function read(address: string, topic: string): string[] {
  const text = output(kcat(), ['-C', '-b', address, '-t', topic, '-e', '-q', '-f', '%s\n', '-X', 'check.crcs=true'])
  return text.split('\n').filter((line) => line !== '')
}

async function connect(address: string): Promise<RawClient> {
  const [host, port] = address.split(':')
  const client = await RawClient.open(Number(port), host)
  onTestFinished(() => client.close())
  return client
}

async function begin(client: RawClient, id: string, options: { protocol?: typeof OLD_PROTOCOL; timeoutMs?: number } = {}) {
  const found = () => client.call(FindCoordinator, 4, { keyType: 1, coordinatorKeys: [id] }).then(({ coordinators }) => coordinators[0].errorCode)
  await expect.poll(found, { timeout: 60_000 }).toBe(0) // Apache makes the topic when it is asked for
  const producer = new TransactionClient(client, id, options.protocol)
  await expect.poll(() => producer.init({ timeoutMs: options.timeoutMs ?? 600_000 }), { timeout: 30_000 }).toBe('NONE')
  return producer
}

test.skipIf(!hasPython)('confluent-kafka commits and aborts, in all codecs', async () => {
  const { address } = await ourBroker(temporaryDirectory())
  const rounds = 9
  output(pythonProgram('transactions'), [address, 'python', String(rounds)])
  const committed = Array.from({ length: rounds }, (_, round) => [0, 1, 2, 3, 4].filter((number) => (round + number) % 3 !== 0).length)
  const lines = output(kcat(), ['-C', '-b', address, '-t', 'python', '-e', '-q', '-f', '%k\n']).split('\n')
  expect(lines.length - 1).toBe(40 * committed.reduce((sum, count) => sum + count))
})

test('kafkajs commits and aborts, offsets too', async () => {
  const { address } = await ourBroker(temporaryDirectory())
  const kafka = new kafkajs.Kafka({ brokers: [address], logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  const producer = kafka.producer({ transactionalId: 'js', idempotent: true, maxInFlightRequests: 1 })
  onTestFinished(async () => {
    await admin.disconnect()
    await producer.disconnect()
  })
  await admin.createTopics({ topics: [{ topic: 'js', numPartitions: 2 }] })
  await producer.connect()
  for (const [round, isCommit] of [true, false, true].entries()) {
    const transaction = await producer.transaction()
    await transaction.send({ topic: 'js', messages: [{ partition: 0, value: `a${round}` }, { partition: 1, value: `b${round}` }] })
    await transaction.sendOffsets({
      consumerGroupId: 'js-group',
      topics: [{ topic: 'js', partitions: [{ partition: 0, offset: String(10 + round) }] }],
    })
    await (isCommit ? transaction.commit() : transaction.abort())
  }
  expect(read(address, 'js').sort()).toEqual(['a0', 'a2', 'b0', 'b2'])
  const [{ partitions }] = await admin.fetchOffsets({ groupId: 'js-group', topics: ['js'] })
  expect(partitions.find(({ partition }) => partition === 0)?.offset).toBe('12')
})

test.skipIf(!hasApache)('a Java loop takes everything over exactly once while the broker is killed', async () => {
  const directory = temporaryDirectory()
  const [port] = await freePorts(1)
  const start = async () => ourBroker(directory, '--port', String(port))
  let broker = await start()
  const count = 3000
  await createTopics(broker.address, 'in', 'out')
  const lines = Array.from({ length: count }, (_, n) => `value ${n}\n`).join('')
  output(kcat(), ['-P', '-b', broker.address, '-t', 'in'], { input: lines })
  const [command, ...args] = javaProgram('ExactlyOnce')
  const child = spawn(command, [...args, broker.address, 'in', 'out', String(count)], { stdio: ['ignore', 'pipe', 'ignore'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stdout.on('data', (text: Buffer) => (said += String(text)))
  const ended = once(child, 'exit')
  for (let kill = 0; kill < 5 && child.exitCode === null; kill++) {
    const before = said.length
    await Promise.race([ended, expect.poll(() => said.length > before, { timeout: 120_000 }).toBe(true)])
    await delay(kill * 37)
    await broker.stop('SIGKILL')
    broker = await start()
  }
  await ended
  expect(said).toContain(`done ${count}`)
  const found = read(broker.address, 'out')
  expect(found.length).toBe(count)
  expect(new Set(found).size).toBe(count)
})

async function createTopics(address: string, ...topics: string[]): Promise<void> {
  for (const topic of topics) {
    output(kafkaTool('kafka-topics'), ['--bootstrap-server', address, '--create', '--topic', topic, '--partitions', '2', '--config', 'retention.ms=-1'])
  }
  await Promise.resolve()
}

test.skipIf(!hasApache)('kafka-transactions.sh sees the same, and ends a hanging transaction', async () => {
  const unchecked = 'transaction.partition.verification.enable=false'
  const ours = await ourBroker(temporaryDirectory(), '--property', unchecked)
  const seen = await administered(ours.address)
  await ours.stop()
  const apache = await apacheBroker(temporaryDirectory(), unchecked)
  expect(seen).toEqual(await administered(apache.address))
  await apache.stop()
})

async function administered(address: string): Promise<string[]> {
  await createTopics(address, 't')
  const client = await connect(address)
  await expect.poll(() => new GroupClient(client, 'g').findCoordinator().then(({ errorCode }) => errorCode), { timeout: 30_000 }).toBe(0)
  const first = output(kafkaTool('kafka-transactions'), ['--bootstrap-server', address, 'list'])
  const open = await begin(client, 'open')
  await open.send('t', ['x'], { partition: 1 })
  const hanging = await begin(client, 'hanging', { protocol: OLD_PROTOCOL })
  expect(await hanging.send('t', ['x'])).toBe('NONE')
  const tool = (...args: string[]) => {
    const { stdout, stderr, status } = run(kafkaTool('kafka-transactions'), ['--bootstrap-server', address, ...args])
    const said = String(stdout) + String(stderr).split('\n').filter((line) => !line.includes('WARN')).join('\n')
    const plain = said.replaceAll(/\d{6,}/g, 'TIME').replaceAll(/ +/g, ' ')
    return `${args.join(' ')} (${String(status)}): ${plain.split('\n').sort().join('\n')}`
  }
  const lines = [
    first,
    tool('list'),
    tool('list', '--duration-filter', '600000'),
    tool('list', '--transactional-id-pattern', 'o.*'),
    tool('describe', '--transactional-id', 'hanging'),
    tool('describe', '--transactional-id', 'nobody'),
    tool('describe-producers', '--topic', 't', '--partition', '0'),
    tool('find-hanging', '--broker-id', '1', '--max-transaction-timeout', '1'),
    tool('abort', '--topic', 't', '--partition', '0', '--start-offset', '0'),
    tool('find-hanging', '--broker-id', '1', '--max-transaction-timeout', '1'),
  ]
  expect(await valuesIn(client, 't')).toEqual([])
  return lines
}

test.skipIf(!hasApache)('ktool finds the hanging transactions that kafka-transactions.sh finds, and ends them as it does', async () => {
  const unchecked = 'transaction.partition.verification.enable=false'
  const ours = await ourBroker(temporaryDirectory(), '--property', unchecked)
  const seen = await hangingEnded(ours.address)
  await ours.stop()
  const apache = await apacheBroker(temporaryDirectory(), unchecked)
  expect(seen).toEqual(await hangingEnded(apache.address))
  await apache.stop()
})

/** Ends one hanging transaction with ktool, one with Apache's tool, and one by name of its producer; what was seen. */
async function hangingEnded(address: string) {
  await createTopics(address, 'h', 'k')
  const client = await connect(address)
  // One that its coordinator knows of, which is nobody's concern here.
  const known = await begin(client, 'known')
  expect(await known.send('k', ['open'], { partition: 1 })).toBe('NONE')
  const places = [['h', 0], ['h', 1], ['k', 0]] as const
  const hanging: TransactionClient[] = []
  for (const [topic, partition] of places) {
    const producer = await begin(client, `hanging in ${topic}-${partition}`, { protocol: OLD_PROTOCOL })
    expect(await producer.sendPlain(topic, ['before'], partition)).toBe('NONE')
    expect(await producer.send(topic, ['x', 'y'], { partition })).toBe('NONE')
    expect(await producer.sendPlain(topic, ['after'], partition)).toBe('NONE')
    expect(await valuesIn(client, topic, 'committed', partition), 'held up').toEqual(['before'])
    hanging.push(producer)
  }
  const env = ktoolEnv(temporaryDirectory())
  const withKtool = (...args: string[]) => run(ktool(), ['transactions', '-b', address, ...args], { env })
  const withApache = (...args: string[]) => run(kafkaTool('kafka-transactions'), ['--bootstrap-server', address, ...args])
  const place = ([topic, partition]: (typeof places)[number]) => ['--topic', topic, '--partition', String(partition), '--start-offset', '1']
  const found = () => {
    const { hanging: rows } = JSON.parse(String(withKtool('--find-hanging', '--max-transaction-timeout', '1m', '--json').stdout)) as { hanging: Hanging[] }
    const ours = rows.map((row) => [row.topic, row.partition, row.producerId, row.producerEpoch, row.coordinatorEpoch, row.startOffset].join(' ')).sort()
    const said = String(withApache('find-hanging', '--broker-id', '1', '--max-transaction-timeout', '1').stdout)
    const rowsOfTheirs = said.split('\n').map((line) => line.trim().split(/\s+/).slice(0, 6).join(' '))
    // Where no coordinator ever wrote, Apache's tool says -1 and aborts with 0; ktool says what it will abort with.
    const theirs = rowsOfTheirs.filter((row) => /^[hk] /.test(row)).map((row) => row.replace(' -1 ', ' 0 '))
    expect(ours).toEqual(theirs.sort())
    return ours.map((row) => row.split(' ').slice(0, 2).join('-'))
  }
  const seen: unknown[] = [found()]
  seen.push(withKtool('--abort', ...place(places[0]), '--yes').status, withApache('abort', ...place(places[1])).status, found())
  const { producerId, epoch } = hanging[2]
  const identity = ['--producer-id', String(producerId), '--producer-epoch', String(epoch), '--coordinator-epoch', '0']
  seen.push(withKtool('--abort', ...place(places[2]).slice(0, 4), ...identity, '--yes').status, found())
  seen.push(withKtool('--abort', ...place(places[0]), '--yes').status, withApache('abort', ...place(places[0])).status) // there is none now
  for (const [at, [topic, partition]] of places.entries()) {
    seen.push(await valuesIn(client, topic, 'committed', partition), await valuesIn(client, topic, 'all', partition))
    const producers = String(withApache('describe-producers', '--topic', topic, '--partition', String(partition)).stdout)
    const told = producers.split('\n').filter((line) => line.startsWith(`${hanging[at].producerId}`)).map((line) => line.split(/\s+/))
    seen.push(told.map((columns) => [...columns.slice(1, 4), ...columns.slice(5)].join(' ')))
  }
  expect(await known.end(true)).toBe('NONE')
  await expect.poll(() => valuesIn(client, 'k', 'committed', 1), { timeout: 30_000 }).toEqual(['open'])
  return seen
}

interface Hanging {
  readonly topic: string
  readonly partition: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly startOffset: number
}

test.skipIf(!hasApache)('Apache carries out what ours decided, goes on with what is open, and back', async () => {
  const directory = temporaryDirectory()
  const epochs = await leaveTransactions(join(directory, 'data'))
  const apache = await apacheBroker(directory)
  let client = await connect(apache.address)
  const decided = new TransactionClient(client, 'decided')
  await expect.poll(() => decided.phase(), { timeout: 60_000 }).toBe('CompleteCommit')
  await expect.poll(() => valuesIn(client, 'd'), { timeout: 30_000 }).toEqual(['decided'])
  expect(await new GroupClient(client, 'over').committed('t', 9, true)).toMatchObject({ offset: 3, error: 'NONE' })
  expect(await new GroupClient(client, 'pending').committed('t', 9, true)).toMatchObject({ error: 'UNSTABLE_OFFSET_COMMIT' })
  const open = Object.assign(new TransactionClient(client, 'open'), epochs.open)
  expect(await open.phase()).toBe('Ongoing')
  expect(await open.send('t', ['open 2'], { sequence: 1 })).toBe('NONE')
  expect(await open.end(true)).toBe('NONE')
  await expect.poll(() => valuesIn(client, 't'), { timeout: 30_000 }).toEqual(['over', 'open', 'open 2'])
  await expect.poll(async () => (await new GroupClient(client, 'pending').committed('t', 9, true)).offset, { timeout: 30_000 }).toBe(7)
  const again = await begin(client, 'apache')
  expect(await again.send('t', ['of Apache'])).toBe('NONE')
  await apache.stop()

  const ours = await ourBroker(directory)
  client = await connect(ours.address)
  expect(await valuesIn(client, 't')).toEqual(['over', 'open', 'open 2'])
  const back = Object.assign(new TransactionClient(client, 'apache'), { producerId: again.producerId, epoch: again.epoch })
  expect(await back.phase()).toBe('Ongoing')
  expect(await new TransactionClient(client, 'open').phase()).toBe('CompleteCommit')
  expect(await back.send('t', ['and of ours'], { sequence: 1 })).toBe('NONE')
  expect(await back.end(true)).toBe('NONE')
  expect(await valuesIn(client, 't')).toEqual(['over', 'open', 'open 2', 'of Apache', 'and of ours'])
  await ours.stop()

  const last = await apacheBroker(directory)
  client = await connect(last.address)
  expect((await valuesIn(client, 't')).length).toBe(5)
  await last.stop()
})

/** A directory of ours with a transaction that is over, an open one, and one that is decided and has no markers yet. */
async function leaveTransactions(directory: string) {
  const properties = new Map(Object.entries({ listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': directory }))
  const broker = await startInProcess({ properties })
  await createMissingTopics(broker, [{ name: 't', partitions: 1 }, { name: 'd', partitions: 1 }])
  const client = await connect(`127.0.0.1:${broker.listeners[0].port}`)
  const over = await begin(client, 'over')
  await over.send('t', ['over'])
  await over.commitOffset('over', 't', 3)
  expect(await over.end(true)).toBe('NONE')
  const open = await begin(client, 'open')
  await open.send('t', ['open'])
  expect(await open.commitOffset('pending', 't', 7)).toBe('NONE')
  const decided = await begin(client, 'decided')
  await decided.send('d', ['decided'])
  await decide(broker, directory, 'decided')
  await broker.stop()
  return { open: { producerId: open.producerId, epoch: open.epoch } }
}
