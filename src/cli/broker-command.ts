// The broker flags as oclif sees them; made from the one declaration in broker-flags.ts.

import * as Flags from '@oclif/core/flags'
import { BROKER_FLAGS, type BrokerFlag } from './broker-flags.ts'

function option(flag: BrokerFlag) {
  return { summary: flag.summary, hidden: flag.hidden ?? false, helpValue: flag.value ?? '' }
}

function one(flag: BrokerFlag) {
  return Flags.string(option(flag))
}

function many(flag: BrokerFlag) {
  return Flags.string({ ...option(flag), multiple: true, multipleNonGreedy: true })
}

export const brokerFlags = {
  port: one(BROKER_FLAGS.port),
  host: one(BROKER_FLAGS.host),
  advertise: one(BROKER_FLAGS.advertise),
  'data-dir': one(BROKER_FLAGS['data-dir']),
  ephemeral: Flags.boolean({ summary: BROKER_FLAGS.ephemeral.summary }),
  topic: many(BROKER_FLAGS.topic),
  property: many(BROKER_FLAGS.property),
  config: one(BROKER_FLAGS.config),
}

/** For the commands that look for a running broker. */
export const dataDirectoryFlag = Flags.string({
  helpValue: 'DIR',
  summary: 'The broker whose data is there, when several run.',
})
