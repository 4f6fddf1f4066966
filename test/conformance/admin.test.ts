// What Apache's administrative tools say of our broker and of Apache's own: the same, with the same exit codes. And what
// they set (quotas, feature levels, client metrics, dynamic brokers) goes with the directory to Apache and back.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ApacheBroker, startApache } from './support/apache.ts'
import { ktoolEnv, type OurBroker, startBroker } from './support/broker.ts'
import { kafkaTool, output, type Peer, tryPeer } from './support/peers.ts'
import { expectSame, playTools, type Step } from './support/transcript.ts'

const isThere = tryPeer('Apache Kafka', () => kafkaTool('kafka-topics')) !== undefined
const SETTLE_MS = 300
const directory = mkdtempSync(join(tmpdir(), 'ktool-admin-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Tool = Parameters<typeof kafkaTool>[0]

const ALTER = '--alter --entity-type'
const DESCRIBE = '--describe --entity-type'

/** Words are split at blanks; `FILE:NAME` is a file beside the test. */
function steps(tool: Tool, lines: readonly string[], mask: (text: string) => string = (text) => text): Step[] {
  const peer: Peer = kafkaTool(tool)
  return lines.map((line) => ({
    name: `${tool} ${line}`,
    peer,
    args: [...(line.includes('--bootstrap-') || line === '' ? [] : ['--bootstrap-server', 'ADDRESS']), ...line.split(' ')].map((word) =>
      word.startsWith('FILE:') ? join(directory, word.slice(5)) : word,
    ),
    mask,
    isUnordered: true, // of hash maps
  }))
}

const QUOTAS = [
  `${ALTER} users --entity-name ann --add-config producer_byte_rate=1024,consumer_byte_rate=2048`,
  `${ALTER} users --entity-default --add-config request_percentage=12.5`,
  `${ALTER} clients --entity-name app --add-config consumer_byte_rate=1`,
  `${ALTER} clients --entity-default --add-config controller_mutation_rate=0.5`,
  `${ALTER} users --entity-name ann --entity-type clients --entity-name app --add-config producer_byte_rate=7`,
  `${ALTER} users --entity-name ann --entity-type clients --entity-default --add-config producer_byte_rate=8`,
  `${ALTER} ips --entity-name 10.1.2.3 --add-config connection_creation_rate=5`,
  `${ALTER} ips --entity-default --add-config connection_creation_rate=6`,
  `${ALTER} users --entity-name ann --add-config producer_byte_rate=-1`,
  `${ALTER} users --entity-name ann --add-config nonsense=1`,
  `${ALTER} users --entity-name ann --add-config producer_byte_rate=1.5`,
  `${ALTER} clients --entity-name app --delete-config consumer_byte_rate`,
  `${ALTER} clients --entity-name app --delete-config consumer_byte_rate`,
  `${DESCRIBE} users`, `${DESCRIBE} users --entity-name ann`, `${DESCRIBE} users --entity-default`, `${DESCRIBE} clients`,
  `${DESCRIBE} users --entity-type clients`, `${DESCRIBE} users --entity-name ann --entity-type clients`,
  `${DESCRIBE} users --entity-name ann --entity-type clients --entity-default`, `${DESCRIBE} ips`, `${DESCRIBE} ips --entity-name 10.1.2.3`,
] // prettier-ignore

const CLIENT_METRICS = [
  `${ALTER} client-metrics --entity-name m --add-config interval.ms=1000,metrics=[a.b,c],match=[client_id=x]`,
  `${ALTER} client-metrics --entity-name m --add-config interval.ms=1`, `${ALTER} client-metrics --entity-name m --add-config nope=1`,
  `${DESCRIBE} client-metrics --entity-name m`, `${DESCRIBE} client-metrics`, `${DESCRIBE} client-metrics --entity-name absent`,
] // prettier-ignore

const GROUPS = [
  `${ALTER} groups --entity-name g --add-config consumer.session.timeout.ms=46000,consumer.heartbeat.interval.ms=6000`,
  `${ALTER} groups --entity-name g --add-config consumer.session.timeout.ms=1`, `${ALTER} groups --entity-name g --add-config nope=1`,
  `${DESCRIBE} groups --entity-name g`, `${DESCRIBE} groups`, `${DESCRIBE} groups --entity-name absent`,
  `${ALTER} groups --entity-name g --delete-config consumer.session.timeout.ms`, `${DESCRIBE} groups --entity-name g`,
] // prettier-ignore

const BROKERS = [
  `${ALTER} brokers --entity-name 1 --add-config log.cleaner.threads=2`, `${ALTER} brokers --entity-default --add-config message.max.bytes=2000000`,
  `${ALTER} brokers --entity-name 1 --add-config num.partitions=2`, `${ALTER} brokers --entity-default --add-config listeners=PLAINTEXT://:1`,
  `${ALTER} brokers --entity-name 1 --add-config num.io.threads=100`, `${ALTER} brokers --entity-name 2 --add-config log.cleaner.threads=2`,
  `${ALTER} brokers --entity-name 1 --add-config min.insync.replicas=2`, `${ALTER} brokers --entity-default --add-config log.retention.ms=abc`,
  `${ALTER} brokers --entity-default --add-config custom.thing=a`,
  `${DESCRIBE} brokers --entity-name 1`, `${DESCRIBE} brokers --entity-default`, `${ALTER} brokers --entity-name 1 --delete-config log.cleaner.threads`,
  `${ALTER} brokers --entity-name 1 --delete-config log.cleaner.threads`, `${DESCRIBE} brokers --entity-name 1`,
  `${ALTER} broker-loggers --entity-name 1 --add-config root=LOUD`, `${ALTER} broker-loggers --entity-name 1 --add-config nope=INFO`,
  `${ALTER} broker-loggers --entity-name 1 --add-config root=WARN`,
] // prettier-ignore

const CLIENT_METRICS_TOOL = [
  '--alter --name n --interval 5000 --metrics a,b --match client_id=z', '--list', '--describe --name n', '--describe',
  '--delete --name n', '--describe --name n', '--list', '--alter --name n --interval 5',
] // prettier-ignore

const ELECTIONS = [
  '--election-type preferred --topic t --partition 0', '--election-type preferred --all-topic-partitions',
  '--election-type unclean --topic t --partition 1', '--election-type preferred --topic absent --partition 0',
  '--election-type preferred --path-to-json-file FILE:election.json', '--election-type sideways --topic t --partition 0',
] // prettier-ignore

const REASSIGNMENTS = [
  '--generate --topics-to-move-json-file FILE:topics.json --broker-list 1', '--execute --reassignment-json-file FILE:stay.json',
  '--verify --reassignment-json-file FILE:stay.json', '--list', '--execute --reassignment-json-file FILE:away.json',
  '--cancel --reassignment-json-file FILE:stay.json', '--verify --reassignment-json-file FILE:absent.json',
  '--generate --topics-to-move-json-file FILE:topics.json --broker-list 1,2',
] // prettier-ignore

const ELR = 'eligible.leader.replicas.version'
const FEATURES = [
  'describe', `downgrade --feature ${ELR}=0 --dry-run`, `downgrade --feature ${ELR}=0`, 'describe', `downgrade --feature ${ELR}=1`,
  `upgrade --feature ${ELR}=1`, `upgrade --feature ${ELR}=2`, 'upgrade --feature nope=1', 'upgrade --release-version 9.9',
  'downgrade --metadata 4.2-IV1', 'downgrade --unsafe --metadata 4.2-IV1', 'upgrade --metadata 4.3', `disable --feature ${ELR}`, 'describe',
  `upgrade --feature ${ELR}=1`, 'version-mapping --release-version 4.3',
] // prettier-ignore

describe.skipIf(!isThere)('both brokers', () => {
  let ours: OurBroker | undefined
  let theirs: ApacheBroker | undefined

  beforeAll(async () => {
    const topic = (name: string, partition: number, replica: number) => ({ topic: name, partition, replicas: [replica] })
    const file = (name: string, content: unknown): void => writeFileSync(join(directory, name), JSON.stringify(content))
    file('topics.json', { version: 1, topics: [{ topic: 't' }] })
    file('stay.json', { version: 1, partitions: [topic('t', 0, 1), topic('t', 1, 1)] })
    file('away.json', { version: 1, partitions: [topic('t', 0, 2)] })
    file('absent.json', { version: 1, partitions: [topic('absent', 0, 1)] })
    file('election.json', { partitions: [{ topic: 't', partition: 0 }, { topic: 't', partition: 1 }] })
    ours = await startBroker(['--data-dir', join(directory, 'ours')], ktoolEnv(directory))
    theirs = await startApache({ directory: join(directory, 'apache') })
    for (const { address } of [ours, theirs]) {
      output(kafkaTool('kafka-topics'), ['--bootstrap-server', address, '--create', '--topic', 't', '--partitions', '2'])
    }
  }, 120_000)
  afterAll(async () => {
    await ours?.stop()
    await theirs?.stop()
  })

  const same = (all: Step[]): void => expectSame(playTools(all, ours?.address ?? ''), playTools(all, theirs?.address ?? '', SETTLE_MS))

  test('kafka-configs: quotas', () => same(steps('kafka-configs', QUOTAS)))
  test('kafka-configs: client metrics', () => same(steps('kafka-configs', CLIENT_METRICS)))
  test('kafka-configs: groups', () => same(steps('kafka-configs', GROUPS)))
  test('kafka-configs: brokers', () => same(steps('kafka-configs', BROKERS)))
  test('kafka-client-metrics', () => same(steps('kafka-client-metrics', CLIENT_METRICS_TOOL, withoutRandom)))
  test('kafka-leader-election', () => same(steps('kafka-leader-election', ELECTIONS)))
  test('kafka-reassign-partitions', () => same(steps('kafka-reassign-partitions', REASSIGNMENTS, withoutDirectories)))
  test('kafka-features', () => same(steps('kafka-features', FEATURES, withoutForeignFeatures)))

  test('kafka-metadata-quorum and kafka-cluster', () => {
    same(steps('kafka-metadata-quorum', ['describe --status', 'describe --replication', 'describe --replication --human-readable'], withoutProgress))
    const cluster = ['cluster-id --bootstrap-server ADDRESS', 'list-endpoints --bootstrap-server ADDRESS', 'unregister --bootstrap-server ADDRESS --id 7']
    same(steps('kafka-cluster', cluster))
  })
})

function withoutDirectories(text: string): string {
  return text.replaceAll(/(?<="log_dirs":\[")\/[^"]*/g, 'DIRECTORY')
}

/** Names that the tool makes up. */
function withoutRandom(text: string): string {
  return text.replaceAll(/[\w-]{22}/g, 'RANDOM')
}

/** Features that are not ours, and how much has been written meanwhile. */
function withoutForeignFeatures(text: string): string {
  return text.replaceAll(/^Feature: (kraft|share|streams)\.version.*\n/gm, '').replaceAll(/Epoch: \d+/g, 'Epoch: N')
}

/** Offsets and times; and the controller's own listener, which we have none of. */
function withoutProgress(text: string): string {
  return text
    .replaceAll(/, "endpoints": \["CONTROLLER:\/\/[^"]*"\]/g, '')
    .replaceAll(/(?<=ClusterId: +)\S+/g, 'ID')
    .replaceAll(/(HighWatermark|LeaderEpoch|MaxFollowerLagTimeMs): +-?\d+/g, '$1: N')
    .replaceAll(/^(1\s+\S+)\s+\d+\s+0\s+\S.*?(?=Leader)/gm, '$1 END 0 TIMES ')
    .replaceAll(/\s+$/gm, '')
}

describe.skipIf(!isThere)('graduation', () => {
  const told = (address: string, all: Step[]): string[] =>
    playTools(all, address, SETTLE_MS).map(({ name, exit, stdout, stderr }) => {
      expect([name, exit, stderr]).toEqual([name, 0, ''])
      return stdout
    })

  const WHAT = ['users', 'clients', 'ips', 'users --entity-type clients', 'client-metrics', 'groups', 'brokers --entity-default'].map((what) => `${DESCRIBE} ${what}`)
  const levels = (text: string): string =>
    withoutForeignFeatures(text).replaceAll(/^Feature: (\S+).*FinalizedVersionLevel: (\S+).*/gm, '$1=$2')
  const everything = (address: string): string[] =>
    told(address, [...steps('kafka-configs', WHAT), ...steps('kafka-features', ['describe'], levels)])

  test('takes what was set to Apache, and back', async () => {
    const home = join(directory, 'graduate')
    const ours = (): Promise<OurBroker> => startBroker(['--data-dir', join(home, 'data')], ktoolEnv(directory))
    const first = await ours()
    onTestFinished(() => first.stop())
    const set = [...QUOTAS.slice(0, 8), CLIENT_METRICS[0], GROUPS[0], BROKERS[1]]
    told(first.address, [...steps('kafka-configs', set), ...steps('kafka-features', [`downgrade --feature ${ELR}=0`])])
    const before = everything(first.address)
    expect(before[0]).toContain('producer_byte_rate=1024')
    await first.stop()

    const apache = await startApache({ directory: home })
    onTestFinished(() => apache.stop())
    expect(everything(apache.address)).toEqual(before)
    const more = [`${ALTER} users --entity-name bob --add-config producer_byte_rate=3`, `${ALTER} ips --entity-default --delete-config connection_creation_rate`]
    told(apache.address, steps('kafka-configs', more))
    const between = everything(apache.address)
    await apache.stop()

    const last = await ours()
    onTestFinished(() => last.stop())
    expect(everything(last.address)).toEqual(between)
  })
})
