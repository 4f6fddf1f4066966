// kafka-python's own tests of a real broker: test/integration of the repository, by pytest.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../support/apache.ts'
import { install, must, PEERS } from '../support/peers.ts'
import { execute, type Outcome, placed, type Place, type Results, testSuite } from '../support/suite.ts'

const MINUTE = 60_000
const LIMIT_MS = 9 * MINUTE
const PACKAGES = ['pytest==9.2.0', 'pytest-mock==3.17.0', 'pytest-timeout==2.4.0', 'lz4', 'zstandard', 'python-snappy', 'crc32c']
const [port] = await freePorts(1)
// What the suite writes into its own broker's server.properties, as far as it matters to one node.
const PROPERTIES = [
  'node.id=0',
  'num.partitions=4',
  'group.min.session.timeout.ms=1000',
  'group.initial.rebalance.delay.ms=0',
  `listeners=PLAINTEXT://127.0.0.1:${port}`,
  `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
  'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'allow.everyone.if.no.acl.found=true',
]
const OUTCOMES: Readonly<Record<string, Outcome>> = { PASSED: 'passed', FAILED: 'failed', ERROR: 'failed', SKIPPED: 'skipped' }

testSuite({
  name: 'kafka-python',
  home: () => ({ directory: placed('kafka-python', 'dpkp/kafka-python', '3.0.11'), python: python() }),
  brokerArgs: PROPERTIES.flatMap((property) => ['--property', property]),
  limitMs: LIMIT_MS + MINUTE,
  run,
})

function python(): string {
  const home = join(PEERS, 'kafka-python-suite')
  install(home, (directory) => {
    must('python3', ['-m', 'venv', directory])
    must(join(directory, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', ...PACKAGES])
  })
  return join(home, 'bin/python')
}

async function run({ directory, python }: { directory: string; python: string }, place: Place): Promise<Results> {
  // It insists on Kafka's directory even where it starts no broker of its own.
  const kafkaRoot = join(place.directory, 'kafka')
  mkdirSync(kafkaRoot, { recursive: true })
  const which = place.only ?? ['test/integration']
  const limit = place.hasBroker ? [] : ['--timeout', '20']
  const said = await execute([python], ['-m', 'pytest', '-v', '--tb=short', '-p', 'no:cacheprovider', ...limit, ...which], {
    cwd: directory,
    env: { ...process.env, KAFKA_VERSION: '4.3.0', KAFKA_URI: `kafka://${place.address}`, KAFKA_ROOT: kafkaRoot, PYTHONDONTWRITEBYTECODE: '1' },
    limitMs: LIMIT_MS,
    log: join(place.directory, 'pytest.log'),
  })
  const results = new Map<string, Outcome>()
  for (const [, name, outcome] of said.matchAll(/^(test\/\S+::\S+) (PASSED|FAILED|ERROR|SKIPPED)\b/gm)) results.set(name, OUTCOMES[outcome])
  return results
}
