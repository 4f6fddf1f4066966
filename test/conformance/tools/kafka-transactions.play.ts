// kafka-transactions: reference kafka-tools.md §22 and §32.

import { RawClient } from '../../support/raw-client.ts'
import { TransactionClient } from '../../support/transaction-client.ts'
import { unusableAddresses } from './addresses.ts'
import { timedOut } from './masks.ts'
import type { Play } from './play.ts'

const ABORT = 'abort --topic orders --partition 0'

const hasty = (words: string): string => `--command-config DIR/hasty.properties ${words}`

export const play: Play = {
  tool: 'kafka-transactions',
  files: { 'client.properties': 'request.timeout.ms=20000\n', 'hasty.properties': 'request.timeout.ms=700\ndefault.api.timeout.ms=1200\n' },
  mask: {
    why: 'how long a transaction has been under way',
    apply: (text) => timedOut.apply(text).replaceAll(/(TIME +\t)\d+ *\t/g, '$1N\t'),
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
    ...unusableAddresses('list'),
    '--command-config DIR/absent.properties list',
    // Before there is a transaction.
    'list',
    'describe --transactional-id cart',
    { words: '--create --topic orders --partitions 2', tool: 'kafka-topics' },
    'describe-producers --topic orders --partition 0',
    'find-hanging --topic absent',
    // Until its time is up, it asks for a partition that isn't there.
    hasty('describe-producers --topic absent --partition 0'),
    hasty('describe-producers --topic orders --partition 7'),
    hasty('describe-producers --topic orders --partition 0 --broker-id 9'),
    hasty('find-hanging --topic absent --partition 0'),
    hasty('find-hanging --topic orders --partition 7'),
    hasty('abort --topic absent --partition 0 --start-offset 0'),
    hasty('abort --topic orders --partition 7 --producer-id 1 --producer-epoch 0 --coordinator-epoch 0'),
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
