// kafka-transactions: reference kafka-tools.md §22 and §32. Apache's tool asks for a partition that isn't there for a minute,
// so nothing here does.

import { RawClient } from '../../support/raw-client.ts'
import { TransactionClient } from '../../support/transaction-client.ts'
import type { Play } from './play.ts'

const ABORT = 'abort --topic orders --partition 0'

export const play: Play = {
  tool: 'kafka-transactions',
  files: { 'client.properties': 'request.timeout.ms=20000\n' },
  mask: {
    why: 'how long a transaction has been under way',
    apply: (text) => text.replaceAll(/(TIME +\t)\d+ *\t/g, '$1N\t'),
  },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    { words: '--help', bare: true },
    { words: '--version', bare: true },
    { words: '-v=1', bare: true },
    { words: 'list', bare: true },
    '',
    'lits',
    'de',
    'list --duration-filter soon',
    'describe',
    'describe-producers --topic orders',
    'describe-producers --partition zero --topic orders',
    'describe --transactional-id cart --topic orders',
    'abort',
    ABORT,
    `${ABORT} --producer-id 5`,
    `${ABORT} --producer-id 5 --producer-epoch 1`,
    `${ABORT} --producer-id 5 --producer-epoch 99999 --coordinator-epoch 0`,
    'find-hanging',
    'find-hanging --broker-id 1 --partition 0',
    'forceTerminateTransaction',
    { words: '--bootstrap-server nowhere list', bare: true },
    '--command-config DIR/absent.properties list',
    // Before there is a transaction.
    'list',
    'describe --transactional-id cart',
    { words: '--create --topic orders --partitions 2', tool: 'kafka-topics' },
    'describe-producers --topic orders --partition 0',
    'find-hanging --topic absent',
    'forceTerminateTransaction --transactionalId cart',
    'list',
    '--command-config DIR/client.properties list --duration-filter -1',
    'describe --transactional-id cart',
    {
      act: 'a transaction that stays open',
      run: async ({ address }) => {
        const client = await RawClient.open(Number(address.split(':')[1]))
        const producer = new TransactionClient(client, 'cart')
        const errors = [await producer.init(), await producer.send('orders', ['a', 'b'])]
        if (errors.some((error) => error !== 'NONE')) throw new Error(`no transaction: ${errors.join()}`)
        return () => {
          client.close()
          return Promise.resolve()
        }
      },
    },
    'list',
    'list --duration-filter 3600000',
    'list --transactional-id-pattern ca.t',
    'list --transactional-id-pattern dog',
    "list --transactional-id-pattern '['",
    'describe --transactional-id cart',
    'describe-producers --topic orders --partition 0',
    'describe-producers --topic orders --partition 0 --broker-id 1',
    'describe-producers --topic orders --partition 1',
    'find-hanging --topic orders --max-transaction-timeout 0',
    'find-hanging --broker-id 1',
    'find-hanging --broker-id 9',
    'find-hanging --topic orders --partition 0 --broker-id 1',
    `${ABORT} --start-offset 7`,
    `${ABORT} --start-offset 0`,
    'describe-producers --topic orders --partition 0',
    'forceTerminateTransaction --transactionalId cart',
    'list',
    `${ABORT} --producer-id 4711 --producer-epoch 0 --coordinator-epoch -1`,
  ],
}
