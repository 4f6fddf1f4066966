// kafka-cluster: reference kafka-tools.md §19 and §1.4. A mistake in its options ends the JVM, past Kafka's Exit.

import { unusableAddresses } from './addresses.ts'
import type { Play } from './play.ts'

const alone = (words: string, isBare = false) => ({ words, isAlone: true, bare: isBare })

export const play: Play = {
  tool: 'kafka-cluster',
  address: 'last',
  files: { 'client.properties': 'request.timeout.ms=20000\n' },
  steps: [
    alone('', true),
    alone('--help', true),
    alone('cluster-id', true),
    alone('cluster-id -b ADDRESS -C ADDRESS', true),
    alone('cluster-id -b', true),
    alone('clutser-id'),
    alone('cluster-id --comand-config x'),
    alone('unregister'),
    alone('unregister --id one'),
    'cluster-id',
    { words: 'cluster-id -b ADDRESS', bare: true },
    { words: 'cl --bootstrap-s=ADDRESS', bare: true },
    'cluster-id --command-config DIR/client.properties',
    'cluster-id -c DIR/client.properties',
    'cluster-id -c DIR/absent.properties',
    'cluster-id --config DIR/absent.properties',
    'cluster-id --config DIR/client.properties --command-config DIR/client.properties',
    'list-endpoints',
    'list-endpoints --include-fenced-brokers',
    { words: 'list-endpoints -b nowhere', bare: true },
    ...unusableAddresses('', { before: 'cluster-id' }),
    { words: 'cluster-id --bootstrap-controller ADDRESS', bare: true },
    { words: 'list-endpoints -C ADDRESS --include-fenced-brokers', bare: true },
    'unregister --id 77',
    'unregister -i -3',
    // Spellings of former releases, which 4.3 still knows.
    'cluster-id --config DIR/client.properties',
    'list-endpoints --config DIR/client.properties',
    { words: 'unregister -b ADDRESS --config DIR/client.properties -i 2147483647', bare: true },
  ],
}
