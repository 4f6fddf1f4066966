// franz-go's own tests of its client (pkg/kgo), from the Go module proxy. Counted by top-level tests.

import { testSuite } from '../support/suite.ts'
import { franzGo, runGoTests } from './franz-go.ts'

// v1.21.3: the version other brokers were measured with. KTOOL_KGO_VERSION: another one, to compare.
const VERSION = process.env.KTOOL_KGO_VERSION ?? 'v1.21.3'
const MINUTE = 60_000

testSuite({
  name: 'kgo',
  home: () => franzGo('github.com/twmb/franz-go', VERSION, 'pkg/kgo'),
  limitMs: 12 * MINUTE,
  run: (home, place) => {
    const env = { KGO_SEEDS: place.address, KGO_TEST_RF: '1', KGO_TEST_RECORDS: process.env.KGO_TEST_RECORDS ?? '10000' }
    return runGoTests(home, place, env, 10 * MINUTE)
  },
})
