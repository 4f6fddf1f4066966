// librdkafka's own tests, which only its repository has: built once where they were placed, then each number in a process of its own.
// Counted by the lines of their summaries: 0045_subscribe_update is one of those of number 0045.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { java, kafkaLibs, kafkaTool, output, type Peer } from '../support/peers.ts'
import { execute, type Outcome, type Place, placed, type Results } from '../support/suite.ts'

const TAG = 'v2.15.0'
const VERSION = '0x020f00ff'
/** Of configure, make and the tests, on a busy machine. */
const BUILD_MS = 1_200_000
/** The slowest takes five minutes on a busy machine; with no broker some wait longer before they give up. */
const TEST_MS = 600_000
const BROKERLESS_MS = 600_000
/** They mostly wait. */
const AT_ONCE = 4
const BROKERLESS_AT_ONCE = 24
/** In full this one takes a quarter of an hour. */
const QUICK = new Set(['0113'])
/** Their deadlines count the start of Apache's tools, or the client's own pauses of a second (0059). */
const PATIENT = new Set(['0052', '0059', '0077', '0098', '0109', '0115', '0119'])
/** On the client's mock broker alone, but not marked as such (0139, 0150), and share groups, which are not served. */
const LEFT_OUT = /^(0139|0150|01[78]\d|0190)$/
/** Ask for topics with three replicas, without need. */
const THREE_REPLICAS = ['0098-consumer-txn.cpp', '0103-transactions.c', '0107-topic_recreate.c', '0111-delay_create_topics.cpp', '0142-reauthentication.c']
/** Have parts with share groups, called by the test in lines of their own. */
const SHARE_PARTS = ['0135-sasl_credentials.cpp', '0142-reauthentication.c']

// What librdkafka's tests expect of a broker: topics of four partitions, an authorizer that allows what no rule denies, and
// consumers that start together in one generation (with no delay some of the tests fail on Apache Kafka as well).
const PROPERTIES = [
  'num.partitions=4',
  'group.initial.rebalance.delay.ms=300',
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found=true',
]

export function brokerArgs(...more: readonly string[]): string[] {
  return [...PROPERTIES, ...more].flatMap((property) => ['--property', property])
}

export interface Mode {
  /** Of the consumers. */
  readonly protocol: 'classic' | 'consumer'
  /** `noautocreate`: the tests for a broker that creates no topics by itself, and no others. */
  readonly scenario: 'default' | 'noautocreate'
}

/** Directory of the compiled tests. */
export function librdkafka(): string {
  const home = placed('librdkafka', 'confluentinc/librdkafka', TAG)
  if (!readFileSync(join(home, 'src/rdkafka.h'), 'utf8').includes(`RD_KAFKA_VERSION ${VERSION}`)) throw new Error(`${home} is not ${TAG}`)
  const tests = join(home, 'tests')
  for (const file of THREE_REPLICAS) change(tests, file, (source) => source.replace(/(create_topic\w*\(.*), 3(, 5000)?\);/g, '$1, 1$2);'))
  for (const file of SHARE_PARTS) change(tests, file, (source) => source.replace(/^ +do_test_share_(?!oauth)\w+\(.*\);\n/gm, ''))
  if (!existsSync(join(tests, 'test-runner'))) {
    const options = { cwd: home, timeoutMs: BUILD_MS }
    output(['./configure'], [], options)
    output(['make'], ['-j2', 'libs'], options)
    output(['make'], ['-j2', '-C', 'tests', 'build'], options)
  }
  if (!existsSync(join(tests, 'java/TransactionProducerCli.class'))) {
    output(['javac'], ['-cp', `${kafkaLibs()}/*`, 'TransactionProducerCli.java'], { cwd: join(tests, 'java') })
  }
  return tests
}

/** In the source of a test, which is then built anew. */
function change(tests: string, file: string, how: (source: string) => string): void {
  const source = readFileSync(join(tests, file), 'utf8')
  if (how(source) === source) return
  writeFileSync(join(tests, file), how(source))
  rmSync(join(tests, 'test-runner'), { force: true })
}

/** Runs the tests that a broker alone can serve. */
export async function runLibrdkafka(tests: string, place: Place, mode: Mode): Promise<Results> {
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: '../src:../src-cpp',
    TEST_KAFKA_VERSION: '4.3.0',
    TEST_CONSUMER_GROUP_PROTOCOL: mode.protocol,
    KAFKA_PATH: kafkaInstallation(place.directory),
    BROKERS: place.address,
  }
  const wanted = place.only?.map((name) => name.slice(0, 4))
  const waiting = numbersOf(readFileSync(join(tests, 'test.c'), 'utf8'), mode.scenario).filter((number) => wanted?.includes(number) ?? true)
  const results = new Map<string, Outcome>()
  const worker = async () => {
    for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
      const config = join(place.directory, `${number}.conf`)
      const patience = PATIENT.has(number) ? 'test.timeout.multiplier=3\n' : ''
      writeFileSync(config, `bootstrap.servers=${place.address}\n${patience}`)
      const one = await runNumber(tests, place, { ...env, TESTS: number, RDKAFKA_TEST_CONF: config }, mode.scenario)
      for (const result of one) results.set(...result)
    }
  }
  await Promise.all(Array.from({ length: place.hasBroker ? AT_ONCE : BROKERLESS_AT_ONCE }, worker))
  return results
}

/** The numbers with a test for the scenario, by the table in test.c; 8000 and above are run by hand. */
function numbersOf(source: string, scenario: Mode['scenario']): string[] {
  const tests = source.split(/^ +_TEST\(/m).filter((text) => /^\d{4}_/.test(text) && text < '1000')
  const here = tests.filter((text) => text.includes('"noautocreate"') === (scenario === 'noautocreate'))
  return [...new Set(here.map((text) => text.slice(0, 4)))].filter((number) => !LEFT_OUT.test(number))
}

export type Environment = NodeJS.ProcessEnv & { readonly TESTS: string }

/** Each test of a number, in a process that logs to a file of that number. */
export async function runNumber(tests: string, place: Place, env: Environment, scenario: Mode['scenario']): Promise<[string, Outcome][]> {
  // -L leaves out what needs no broker.
  const args = ['-p1', '-L', '-s', scenario, ...(QUICK.has(env.TESTS) ? ['-Q'] : [])]
  const log = join(place.directory, `${env.TESTS}.log`)
  const limitMs = place.hasBroker ? TEST_MS : BROKERLESS_MS
  rmSync(log, { force: true })
  await execute(['./test-runner'], args, { cwd: tests, env, limitMs, log })
  // The summary is on stdout, the rest on stderr.
  // eslint-disable-next-line no-control-regex -- it colours its lines
  const said = readFileSync(log, 'utf8').replace(/\x1b\[[\d;]*m/g, '')
  const summary = [...said.matchAll(/^\| +(\d{4}_\w+) +\| +(PASSED|FAILED|SKIPPED) \|[^|]*\|(.*)$/gm)]
  if (summary.length > 0) {
    // Not meant to run here: tests of another scenario (no reason given), of no broker, or known to fail everywhere.
    const meant = summary.filter(([, , state, why]) => state !== 'SKIPPED' || !/^\s*$|negative test flags/.test(why))
    return meant.map(([, name, state]) => [name, state.toLowerCase() as Outcome])
  }
  // It ended without one: by the limit, by an assertion, or because of threads that were still busy.
  const passed = new Set([...said.matchAll(/= Test (\w+) PASSED =/g)].map(([, name]) => name))
  return [...said.matchAll(/= Running test (\w+) =/g)].map(([, name]) => [name, passed.has(name) ? 'passed' : 'failed'])
}

/** What the tests call of a Kafka installation: Apache's tools under their file names. */
function kafkaInstallation(directory: string): string {
  const home = join(directory, 'kafka')
  mkdirSync(join(home, 'bin'), { recursive: true })
  const script = (name: string, peer: Peer) => {
    writeFileSync(join(home, 'bin', name), `#!/bin/sh\nexec ${peer.map((word) => `"${word}"`).join(' ')} "$@"\n`, { mode: 0o755 })
  }
  script('kafka-topics.sh', kafkaTool('kafka-topics'))
  script('kafka-acls.sh', kafkaTool('kafka-acls'))
  const [command, ...args] = java()
  script('kafka-run-class.sh', [command, ...args.map((word) => (word.endsWith('/*') ? `$CLASSPATH:${word}` : word))])
  return home
}
