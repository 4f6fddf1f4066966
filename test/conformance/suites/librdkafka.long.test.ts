// librdkafka's own tests: with the classic group protocol, with KIP-848, and those for a broker that creates no topics by itself.

import { testSuite } from '../support/suite.ts'
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
