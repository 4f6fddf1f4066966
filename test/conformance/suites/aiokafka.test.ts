// aiokafka's own tests, of the repository, by pytest with a plugin of ours in place of its docker container. Its compiled
// extensions are left out: what is tested is the broker.

import { join } from 'node:path'
import { install, must, PEERS } from '../support/peers.ts'
import { execute, type Outcome, placed, type Place, type Results, testSuite } from '../support/suite.ts'

const MINUTE = 60_000
const LIMIT_MS = 9 * MINUTE
const PACKAGES = ['pytest==9.2.0', 'pytest-asyncio==1.5.0', 'pytest-mock==3.17.0', 'pytest-timeout==2.4.0', 'aiokafka==0.14.0', 'docker', 'cramjam']
const PLUGIN = new URL('aiokafka', import.meta.url).pathname
const OUTCOMES: Readonly<Record<string, Outcome>> = { PASSED: 'passed', FAILED: 'failed', ERROR: 'failed', SKIPPED: 'skipped' }

testSuite({
  name: 'aiokafka',
  home: () => ({ directory: placed('aiokafka', 'aio-libs/aiokafka', 'v0.14.0'), python: python() }),
  brokerArgs: ['--property', 'node.id=0', '--property', 'num.partitions=2', '--property', 'group.initial.rebalance.delay.ms=0'],
  limitMs: LIMIT_MS + MINUTE,
  run,
})

function python(): string {
  const home = join(PEERS, 'aiokafka-suite')
  install(home, (directory) => {
    must('python3', ['-m', 'venv', directory])
    must(join(directory, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', ...PACKAGES])
  })
  return join(home, 'bin/python')
}

async function run({ directory, python }: { directory: string; python: string }, place: Place): Promise<Results> {
  const options = ['-v', '--tb=short', '-p', 'no:cacheprovider', '-p', 'place', '--docker-image', 'kafka:2.13_2.8.1', '--no-pull']
  const settings = ['-o', 'asyncio_default_fixture_loop_scope=function', '-o', 'filterwarnings=default']
  // Its names are random, and it needs no broker.
  const left = ['--ignore', 'tests/coordinator/test_assignors.py']
  const limit = ['--timeout', place.hasBroker ? '60' : '10']
  const said = await execute([python], ['-m', 'pytest', ...options, ...settings, ...left, ...limit, ...(place.only ?? ['tests'])], {
    cwd: directory,
    env: {
      ...process.env,
      AIOKAFKA_NO_EXTENSIONS: '1',
      PYTHONPATH: PLUGIN,
      PYTHONDONTWRITEBYTECODE: '1',
      KTOOL_SUITE_PLACE: place.address,
    },
    limitMs: LIMIT_MS,
    log: join(place.directory, 'pytest.log'),
  })
  const results = new Map<string, Outcome>()
  for (const [, name, outcome] of said.matchAll(/^(tests\/\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED)\b/gm)) results.set(name, OUTCOMES[outcome])
  return results
}
