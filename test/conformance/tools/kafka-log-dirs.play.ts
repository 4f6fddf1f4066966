// kafka-log-dirs: reference kafka-tools.md §16. Topics are empty, so that the sizes are the same.

import { unusableAddresses } from './addresses.ts'
import type { Play } from './play.ts'

const all = (words: string) => ({ words, json: 'unordered' as const })

export const play: Play = {
  tool: 'kafka-log-dirs',
  files: { 'client.properties': 'request.timeout.ms=20000\n' },
  steps: [
    { words: '', bare: true },
    '--help',
    '--version',
    { words: '--describe', bare: true },
    '--topic-list orders',
    '--bogus',
    '--describe --broker-list',
    '--describe --broker-list one',
    '--describe --broker-list 0,1,2',
    '--describe --broker-list 7 --broker-list 8',
    '--describe --command-config DIR/absent.properties',
    ...unusableAddresses('--describe'),
    all('--describe'),
    { tool: 'kafka-topics', words: '--create --topic orders --partitions 3' },
    { tool: 'kafka-topics', words: '--create --topic others' },
    all('--describe'),
    all('--describe --topic-list orders'),
    all('--describe --topic-list orders,others --broker-list 1'),
    all('--describe --topic-list absent'),
    ...['others', 'others,orders', 'orders,orders', 'orders,absent', ' orders'].map((topics) => all(`--describe --topic-list '${topics}'`)),
    all('--describe --topic-list ,, --broker-list ,1,'),
    all('--describe --broker-list 1,1 --command-config DIR/client.properties'),
  ],
}
