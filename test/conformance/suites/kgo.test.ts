// franz-go's own tests of its client (pkg/kgo), from the Go module proxy. Counted by top-level tests.
// In two versions: the one that other brokers were measured with, and the newest.

import { freePorts } from '../support/apache.ts'
import { addScramUser } from '../support/scram-user.ts'
import { type Place, type Results, testSuite } from '../support/suite.ts'
import { franzGo, runGoTests } from './franz-go.ts'

const VERSIONS = { kgo: 'v1.21.3', 'kgo-newest': 'v1.22.2' }
const MINUTE = 60_000
const [scramPort] = await freePorts(1)
const scramAddress = `127.0.0.1:${scramPort}`

for (const [name, version] of Object.entries(VERSIONS)) {
  testSuite({
    name,
    home: () => franzGo('github.com/twmb/franz-go', version, 'pkg/kgo'),
    brokerArgs: [
      '--property', `listeners=PLAINTEXT://127.0.0.1:0,SASL_PLAINTEXT://${scramAddress}`,
      '--property', 'sasl.enabled.mechanisms=SCRAM-SHA-256',
    ], // prettier-ignore
    limitMs: 12 * MINUTE,
    run,
  })
}

async function run(home: string, place: Place): Promise<Results> {
  const records = process.env.KGO_TEST_RECORDS ?? '10000'
  const env = { KGO_SEEDS: place.address, KGO_TEST_RF: '1', KGO_TEST_RECORDS: records }
  // Another broker would need a listener of its own for these.
  if (process.env.KTOOL_SUITE_ADDRESS !== undefined) return runGoTests(home, place, env, 10 * MINUTE)
  if (place.hasBroker) await addScramUser(place.address, 'alice', { 'SCRAM-SHA-256': 'secret' })
  return runGoTests(home, place, { ...env, KGO_TEST_SCRAM: 'alice:secret:256', KGO_TEST_SCRAM_SEEDS: scramAddress }, 10 * MINUTE)
}
