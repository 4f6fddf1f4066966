// librdkafka's own tests: with the classic group protocol, with KIP-848, those for a broker that creates no topics by itself,
// and those about TLS and logins.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { freePorts } from '../support/apache.ts'
import { testSuite } from '../support/suite.ts'
import { makeStores, runSecured, type Secured, securedArgs } from './librdkafka-secured.ts'
import { brokerArgs, librdkafka, runLibrdkafka } from './librdkafka.ts'

const LIMIT_MS = 1_800_000
// With KIP-848 it is the broker that says how soon a member is missed; the tests wait for it no longer than half a minute.
const SHORT_SESSIONS = [
  'group.consumer.min.session.timeout.ms=6000',
  'group.consumer.session.timeout.ms=6000',
  'group.consumer.min.heartbeat.interval.ms=1000',
  'group.consumer.heartbeat.interval.ms=2000',
]

testSuite({
  name: 'librdkafka',
  home: librdkafka,
  brokerArgs: brokerArgs(),
  limitMs: LIMIT_MS,
  run: (tests, place) => runLibrdkafka(tests, place, { protocol: 'classic', scenario: 'default' }),
})

testSuite({
  name: 'librdkafka-consumer',
  home: librdkafka,
  brokerArgs: brokerArgs(...SHORT_SESSIONS),
  limitMs: LIMIT_MS,
  run: (tests, place) => runLibrdkafka(tests, place, { protocol: 'consumer', scenario: 'default' }),
})

testSuite({
  name: 'librdkafka-noautocreate',
  home: librdkafka,
  brokerArgs: brokerArgs('auto.create.topics.enable=false'),
  limitMs: LIMIT_MS,
  run: (tests, place) => runLibrdkafka(tests, place, { protocol: 'classic', scenario: 'noautocreate' }),
})

const [SSL, SASL_PLAINTEXT, SASL_SSL] = await freePorts(3)
const secured: Secured = { stores: mkdtempSync(join(tmpdir(), 'ktool-stores-')), ports: { SSL, SASL_PLAINTEXT, SASL_SSL } }
afterAll(() => rmSync(secured.stores, { recursive: true, force: true }))

testSuite({
  name: 'librdkafka-secured',
  home: () => ({ tests: librdkafka(), env: makeStores(secured.stores) }),
  brokerArgs: securedArgs(secured),
  limitMs: LIMIT_MS,
  run: (home, place) => runSecured(home, place, secured),
})
