// franz-go's own tests of its client (pkg/kgo), from the Go module proxy. Counted by top-level tests.
// In two versions: the one that other brokers were measured with, and the newest.

import { pbkdf2Sync } from 'node:crypto'
import { AlterUserScramCredentials } from '../../../src/protocol/apis/alter-user-scram-credentials.ts'
import { RawClient } from '../../support/raw-client.ts'
import { freePorts } from '../support/apache.ts'
import { type Place, type Results, testSuite } from '../support/suite.ts'
import { franzGo, runGoTests } from './franz-go.ts'

const VERSIONS = { kgo: 'v1.21.3', 'kgo-newest': 'v1.22.2' }
const MINUTE = 60_000
const [scramPort] = await freePorts(1)
const scramAddress = `127.0.0.1:${scramPort}`
const SCRAM_SHA_256 = 1

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
  if (place.hasBroker) await addUser(place.address, 'alice', 'secret')
  return runGoTests(home, place, { ...env, KGO_TEST_SCRAM: 'alice:secret:256', KGO_TEST_SCRAM_SEEDS: scramAddress }, 10 * MINUTE)
}

async function addUser(address: string, name: string, password: string): Promise<void> {
  const client = await RawClient.open(Number(address.split(':')[1]))
  const [salt, iterations] = [Buffer.from('salt of the test'), 4096]
  const saltedPassword = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const upsertions = [{ name, mechanism: SCRAM_SHA_256, iterations, salt, saltedPassword }]
  const { results } = await client.call(AlterUserScramCredentials, 0, { deletions: [], upsertions })
  client.close()
  if (results[0].errorCode !== 0) throw new Error(`no SCRAM user: ${results[0].errorMessage ?? results[0].errorCode}`)
}
