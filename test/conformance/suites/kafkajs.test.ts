// kafkajs's own tests of what talks to brokers: src/{broker,admin,producer,consumer}, of the repository, by its own jest.
// The addresses in them are fixed. One broker of ours stands at the nine ports where theirs are three.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ktool } from '../support/broker.ts'
import { addScramUser } from '../support/scram-user.ts'
import { execute, type Outcome, placed, type Place, type Results, testSuite } from '../support/suite.ts'

const MINUTE = 60_000
const LIMIT_MS = 12 * MINUTE
const OURS = new URL('kafkajs', import.meta.url).pathname
const CERTIFICATES = join(process.env.KTOOL_SUITES ?? '', 'kafkajs', 'testHelpers', 'certs')
const PORTS = { PLAINTEXT: [9092, 9095, 9098], SSL: [9093, 9096, 9099], SASL_SSL: [9094, 9097, 9100] }

const listeners = Object.entries(PORTS).flatMap(([protocol, ports]) =>
  ports.map((port, i) => ({ name: `${protocol}${i === 0 ? '' : i}`, protocol, address: `localhost:${port}` })),
)
const jaas = 'org.apache.kafka.common.security'
const PROPERTIES = [
  'node.id=0',
  'num.partitions=2',
  'group.initial.rebalance.delay.ms=0',
  'transaction.partition.verification.enable=false', // Kafka 2.4, which the tests are for, had none
  `listeners=${listeners.map(({ name, address }) => `${name}://${address}`).join(',')}`,
  `advertised.listeners=${listeners.map(({ name, address }) => `${name}://${address}`).join(',')}`,
  `listener.security.protocol.map=${listeners.map(({ name, protocol }) => `${name}:${protocol}`).join(',')},CONTROLLER:PLAINTEXT`,
  'ssl.keystore.type=JKS',
  `ssl.keystore.location=${join(CERTIFICATES, 'kafka.server.keystore.jks')}`,
  'ssl.keystore.password=testtest',
  'ssl.key.password=testtest',
  'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found=true',
  ...listeners.flatMap(({ name, protocol }) => {
    if (protocol !== 'SASL_SSL') return []
    const key = `listener.name.${name.toLowerCase()}`
    return [
      `${key}.plain.sasl.jaas.config=${jaas}.plain.PlainLoginModule required user_test="testtest" user_bob="bobbob" user_alice="alicealice";`,
      `${key}.scram-sha-256.sasl.jaas.config=${jaas}.scram.ScramLoginModule required;`,
      `${key}.scram-sha-512.sasl.jaas.config=${jaas}.scram.ScramLoginModule required;`,
    ]
  }),
]

testSuite({
  name: 'kafkajs',
  home: () => {
    const home = placed('kafkajs', 'tulios/kafkajs', 'v2.2.4')
    if (!existsSync(join(home, 'node_modules'))) throw new Error(`npm install --ignore-scripts, in ${home}`)
    return home
  },
  brokerArgs: PROPERTIES.flatMap((property) => ['--property', property]),
  // Their certificate is signed with SHA-1, which OpenSSL takes at this level only.
  brokerEnv: { NODE_OPTIONS: '--tls-cipher-list=DEFAULT@SECLEVEL=0' },
  limitMs: LIMIT_MS + MINUTE,
  run,
})

async function run(home: string, place: Place): Promise<Results> {
  if (place.hasBroker) {
    await addScramUser(place.address, 'testscram', { 'SCRAM-SHA-256': 'testtestscram=256', 'SCRAM-SHA-512': 'testtestscram=512' })
  }
  const transform = { 'Acls\\.spec\\.js$': join(OURS, 'one-replica.cjs'), '\\.js$': 'babel-jest' }
  const report = join(place.directory, `jest-${Date.now()}.json`)
  const specs = new Set((place.only ?? []).map((name) => name.slice(0, name.indexOf(' '))))
  const pattern = `src/(${specs.size > 0 ? [...specs].join('|') : '(broker|admin|producer|consumer)/'})`
  const args = ['--forceExit', '--json', '--outputFile', report, '--transform', JSON.stringify(transform)]
  const waiting = place.hasBroker ? [] : ['--setupFilesAfterEnv', './testHelpers/setup.js', join(OURS, 'no-waiting.cjs')]
  await execute(['node_modules/.bin/jest'], [...args, ...waiting, '--testPathPattern', pattern], {
    cwd: home,
    env: {
      ...process.env,
      PATH: `${OURS}:${process.env.PATH}`,
      KTOOL_SUITE_MAIN: ktool()[1],
      KAFKA_VERSION: '2.4',
      NODE_ENV: 'test',
      KAFKAJS_DEBUG_PROTOCOL_BUFFERS: '1',
      JEST_JUNIT_OUTPUT_DIR: place.directory,
    },
    limitMs: LIMIT_MS,
    log: join(place.directory, 'jest.log'),
  })
  return resultsIn(readFileSync(report, 'utf8'), join(home, 'src'))
}

interface JestReport {
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

/** `SPEC NAME OF THE TEST`; several of the same name are one, which passed when all did. */
function resultsIn(report: string, root: string): Results {
  const results = new Map<string, Outcome>()
  for (const { name, assertionResults } of (JSON.parse(report) as JestReport).testResults) {
    for (const { fullName, status } of assertionResults) {
      const key = `${name.slice(root.length + 1)} ${fullName}`
      const outcome = status === 'passed' || status === 'failed' ? status : 'skipped'
      if (results.get(key) !== 'failed') results.set(key, outcome)
    }
  }
  return results
}
