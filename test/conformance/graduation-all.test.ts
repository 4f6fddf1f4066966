// Graduation of everything at once: one directory goes from our broker to Apache Kafka and back, with groups of both protocols
// and their offsets, a transaction that is open, one that is decided and has no markers yet, what a partition knows of its
// producers, SCRAM users, ACLs, quotas, client metrics and settings of groups. Java clients (java/Lives.java) live through it
// all: the same members, the same sequence numbers, the same transaction. Apache's tools say the same before and after.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { startBroker as startInProcess } from '../../src/broker/broker.ts'
import { RawClient } from '../support/raw-client.ts'
import { TransactionClient } from '../support/transaction-client.ts'
import { freePorts, startApache } from './support/apache.ts'
import { ktool, ktoolEnv, startBroker } from './support/broker.ts'
import { decide } from './support/decided-transaction.ts'
import { javaProgram, kafkaTool, kcat, type KafkaTool, output, run, tryPeer } from './support/peers.ts'
import { playTools, type Step } from './support/transcript.ts'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined && tryPeer('kcat', kcat) !== undefined
const WAIT = { timeout: 60_000, interval: 200 }
const LOGIN = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
const PROPERTIES = [
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users=User:ANONYMOUS',
  'sasl.enabled.mechanisms=SCRAM-SHA-256',
  `listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=${LOGIN};`,
]

const SET = [
  ...['plain', 'transactional', 'decided'].map((topic) => `kafka-topics --create --topic ${topic} --partitions 1 --config retention.ms=-1`),
  'kafka-configs --alter --entity-type users --entity-name ann --add-config SCRAM-SHA-256=[password=ann-secret]',
  'kafka-configs --alter --entity-type users --entity-name ann --add-config consumer_byte_rate=2000000',
  'kafka-configs --alter --entity-type users --entity-name ann --entity-type clients --entity-name app --add-config producer_byte_rate=7000',
  'kafka-configs --alter --entity-type clients --entity-default --add-config controller_mutation_rate=5.5',
  'kafka-configs --alter --entity-type ips --entity-name 10.1.2.3 --add-config connection_creation_rate=5',
  'kafka-configs --alter --entity-type client-metrics --entity-name m --add-config interval.ms=60000,metrics=[a.b],match=[client_id=x]',
  'kafka-configs --alter --entity-type groups --entity-name consumer --add-config consumer.session.timeout.ms=50000',
  'kafka-configs --alter --entity-type brokers --entity-default --add-config message.max.bytes=2000000',
  'kafka-acls --add --allow-principal User:ann --operation Read --topic plain',
  'kafka-acls --add --allow-principal User:ann --operation All --topic an --resource-pattern-type prefixed',
]
const CHANGED_BY_APACHE = [
  'kafka-configs --alter --entity-type users --entity-name eve --add-config SCRAM-SHA-256=[password=eve-secret]',
  'kafka-configs --alter --entity-type users --entity-name eve --add-config consumer_byte_rate=3000000',
  'kafka-configs --alter --entity-type ips --entity-name 10.1.2.3 --delete-config connection_creation_rate',
  'kafka-configs --alter --entity-type client-metrics --entity-name n --add-config interval.ms=70000',
  'kafka-configs --alter --entity-type groups --entity-name consumer --add-config consumer.heartbeat.interval.ms=6000',
  'kafka-acls --add --allow-principal User:eve --operation Read --topic plain',
  'kafka-acls --remove --force --topic an --resource-pattern-type prefixed',
]
const ASK = [
  'kafka-topics --describe',
  ...['users', 'users --entity-type clients', 'clients', 'ips', 'client-metrics', 'groups', 'brokers --entity-default', 'topics'].map(
    (what) => `kafka-configs --describe --entity-type ${what}`,
  ),
  'kafka-acls --list',
  ...['classic', 'consumer'].flatMap((group) => ['offsets', 'members', 'state'].map((what) => `kafka-consumer-groups --describe --group ${group} --${what}`)),
  'kafka-transactions describe --transactional-id open',
  'kafka-transactions describe-producers --topic plain --partition 0',
  'kafka-transactions describe-producers --topic transactional --partition 0',
]

/** What the tools say to these commands, all of which succeed. */
function told(address: string, commands: readonly string[]): Record<string, string> {
  const steps = commands.map((name): Step => {
    const [tool, ...rest] = name.split(' ')
    return { name, peer: kafkaTool(tool as KafkaTool), args: ['--bootstrap-server', 'ADDRESS', ...rest], mask, isUnordered: true }
  })
  const answers = playTools(steps, address, 300).map(({ name, exit, stdout, stderr }) => {
    expect([exit, stdout.includes('rror')], `${name}: ${stdout}${stderr}`).toEqual([0, false])
    return [name, stdout] as const
  })
  return Object.fromEntries(answers)
}

/** Columns are as wide as what is in them; the age of a transaction; the order of rules. */
function mask(text: string): string {
  return text
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/^ (?=\S)/gm, '')
    .replaceAll(/(?<=\bOngoing \d+ \d+ )\d+/g, 'AGE')
}

class JavaClients {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>

  constructor(address: string) {
    const [command, ...args] = javaProgram('Lives')
    this.#child = spawn(command, [...args, address], { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  async ask(command: string): Promise<string> {
    this.#child.stdin.write(`${command}\n`)
    return String((await this.#answers.next()).value)
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }
}

test.skipIf(!isThere)('all that a directory holds goes to Apache Kafka and back, under living clients', { timeout: 900_000 }, async () => {
  const home = mkdtempSync(join(tmpdir(), 'ktool-graduation-all-'))
  const data = join(home, 'data')
  const [port, login] = await freePorts(2)
  const address = `127.0.0.1:${port}`
  let life: { stop(signal?: NodeJS.Signals): Promise<void> } | undefined
  onTestFinished(async () => {
    await life?.stop('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })
  const listeners = `listeners=PLAINTEXT://${address},SASL_PLAINTEXT://127.0.0.1:${login}`
  const ours = () => startBroker(['--data-dir', data, ...[listeners, ...PROPERTIES].flatMap((line) => ['--property', line])], ktoolEnv(home))
  const apache = () => startApache({ directory: home, port, listeners: { SASL_PLAINTEXT: login }, properties: PROPERTIES })
  // Not kcat: librdkafka before 2.6 sends a nonce that Apache Kafka refuses from 3.7.2 on.
  const as = (user: string, verb: string, ...args: string[]) => {
    const file = join(home, `${user}.properties`)
    const jaas = `${LOGIN} username="${user}" password="${user}-secret";`
    writeFileSync(file, ['security.protocol=SASL_PLAINTEXT', 'sasl.mechanism=SCRAM-SHA-256', `sasl.jaas.config=${jaas}`].join('\n'))
    const connection = ['-b', `127.0.0.1:${login}`, '--command-config', file, '--topic', 'plain']
    return run(ktool(), [verb, ...connection, ...args], { input: 'not allowed\n', env: ktoolEnv(home) })
  }
  const committed = () => output(kcat(), ['-C', '-b', address, '-t', 'transactional', '-e', '-q'])

  life = await ours()
  told(address, SET)
  const clients = new JavaClients(address)
  onTestFinished(() => clients.end())
  /** Each client goes on where it was; who may read, reads, and nobody who may only read writes. */
  const liveOn = async (round: number, ...users: string[]) => {
    expect(await clients.ask(`idempotent plain${round}`)).toBe(String(round))
    expect(await clients.ask(`transactional open${round}`)).toBe(String(round))
    for (const group of ['classic', 'consumer']) expect(await clients.ask(group), group).toBe(`plain${round}`)
    const all = Array.from({ length: round + 1 }, (_, n) => `plain${n}`)
    for (const user of users) {
      const { stdout, stderr } = as(user, 'consume', '--partition', '0', '--from-beginning', '--exit-at-end')
      expect(String(stdout).trim().split('\n'), `${user}: ${String(stderr)}`).toEqual(all)
      // Of the topic; or already of the producer's id, when nothing may be written at all, as after what Apache's tool removes.
      const refused = as(user, 'produce')
      expect([refused.status, String(refused.stderr)], user).toEqual([1, expect.stringMatching(/(Topic|Cluster) authorization failed/)])
    }
  }
  await liveOn(0, 'ann')
  const raw = await RawClient.open(port)
  const decided = new TransactionClient(raw, 'decided')
  expect(await decided.init({ timeoutMs: 600_000 })).toBe('NONE')
  expect(await decided.send('decided', ['decided'])).toBe('NONE')
  raw.close()
  const first = told(address, ASK)
  expect(first['kafka-transactions describe --transactional-id open']).toContain('Ongoing')
  await life.stop()
  const inProcess = await startInProcess({ properties: new Map(Object.entries({ 'listeners': 'PLAINTEXT://127.0.0.1:0', 'log.dirs': data })) })
  await decide(inProcess, data, 'decided')
  await inProcess.stop()

  life = await apache()
  expect(told(address, ASK)).toEqual(first)
  await expect.poll(() => output(kcat(), ['-C', '-b', address, '-t', 'decided', '-e', '-q']), WAIT).toBe('decided\n')
  expect(Object.values(told(address, ['kafka-transactions describe --transactional-id decided'])).join()).toContain('CompleteCommit')
  await liveOn(1, 'ann')
  told(address, CHANGED_BY_APACHE)
  const second = told(address, ASK)
  expect(readFileSync(join(home, 'server.log'), 'utf8')).not.toMatch(/ ERROR /)
  await life.stop()

  life = await ours()
  expect(told(address, ASK)).toEqual(second)
  await liveOn(2, 'ann', 'eve')
  // The sequence numbers of the one producer of `plain`, from its first record on.
  const producers = Object.values(told(address, ['kafka-transactions describe-producers --topic plain --partition 0']))
  expect(producers.join('\n')).toMatch(/^\d+ 0 -1 2 /m)
  expect(committed()).toBe('')
  expect(await clients.ask('commit')).toBe('committed')
  await expect.poll(committed, WAIT).toBe('open0\nopen1\nopen2\n')
})
