// kafka-get-offsets: reference kafka-tools.md §7 and §32.

import { topicsWithRecords } from './acts.ts'
import { unusableAddresses } from './addresses.ts'
import type { Play } from './play.ts'

export const play: Play = {
  tool: 'kafka-get-offsets',
  files: { 'client.properties': 'request.timeout.ms=20000\n', 'hasty.properties': 'request.timeout.ms=500\ndefault.api.timeout.ms=700\n' },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    '--help',
    '--version',
    { words: '--topic orders', bare: true },
    '--tpic orders',
    '--topic',
    '--topic orders --topic wide',
    ...unusableAddresses('--topic orders'),
    { words: '--bootstrap-server 127.0.0.1:1,nonsense', bare: true },
    '--bootstrap-server 127.0.0.1:1 --topic orders',
    '--topic-partitions orders:0 --topic orders',
    '--topic-partitions orders:0 --partitions 0',
    '--topic orders --time LATEST',
    '--topic orders --time soon',
    '--topic orders --time',
    '--topic orders --time latest --time earliest',
    '--topic orders --partitions x',
    '--topic orders --partitions 0,,1',
    '--topic-partitions orders:a',
    '--topic-partitions orders:0:1',
    '--topic-partitions orders:99999999999',
    ...['*', 'or[ders', 'or(ders', 'a{', 'back\\', 'a**', 'ders)'].map((regex) => ['--topic', regex]),
    "--topic-partitions 'or[ders:0'",
    '--command-config DIR/absent.properties --topic orders',
    { words: '--bootstrap-server 127.0.0.1:1 --command-config DIR/hasty.properties', bare: true },
    // Nothing there.
    '',
    '--topic absent',
    '--exclude-internal-topics',
    topicsWithRecords({ orders: [4, 3, 0], wide: Array.from({ length: 12 }, (_, at) => at), 'orders.old': [1] }),
    // Which partitions.
    '--exclude-internal-topics',
    '--topic orders',
    "--topic 'orders.*'",
    '--topic orders,wide --partitions 1,2',
    ...['a\\-b', 'a]', 'a}', 'ord[a-z&&[^x]]rs', 'order\\p{Alpha}', 'o++rders', '(?i)ORDERS', '\\Qorders\\E', '\\Aorders\\z', '(?<name>o)rders'].map((regex) => ['--topic', regex]),
    '--topic wide --partitions 3,11,99',
    '--topic wide --partitions 99',
    "--topic orders --partitions ''",
    "--topic ' orders , absent '",
    '--topic-partitions orders:1',
    '--topic-partitions orders:0-2',
    '--topic-partitions wide:9-',
    '--topic-partitions wide:-3',
    '--topic-partitions orders:0,wide:10-12,orders.old',
    '--topic-partitions :1 --exclude-internal-topics',
    "--topic-partitions 'or.*:0-1'",
    '--topic-partitions orders:2-1',
    '--topic-partitions orders:',
    '--command-config DIR/client.properties --topic orders --partitions 0',
    ...[
      'orders:0', 'orders:2', 'orders:-1', 'orders:0-1', 'orders:1-', 'wide:0', 'wide:11', 'wide:12', 'wide:5-7', 'wide:7-5',
      'wide:-1', 'wide', 'orders,wide:1', 'orders:0,orders:0', 'orders:0,orders:1', '.*:0', 'wide:0-99', 'w.*:1-2,o.*:0',
      'orders\\.old', 'absent:0', 'orders:7', ',orders', 'orders,',
    ].map((partitions) => ['--exclude-internal-topics', '--topic-partitions', partitions]),
    ...['0', '0,1', '2', '0,0', '11,0', '7', '00', '1,2,3,4,5'].map((partitions) => `--topic wide --partitions ${partitions}`),
    ...['-2', '-3', '-4', '1700000060000'].map((time) => `--topic-partitions wide:1-3,orders --time ${time}`),
    // At which time.
    ...['-1', 'latest', '-2', 'earliest', '-3', 'max-timestamp', '-4', 'earliest-local', '-5', 'latest-tiered', '-6', 'earliest-pending-upload', '0', '1700000000000', '1700000000001', '1700000120000', '9999999999999', '-7', '+0'].map(
      (time) => `--topic orders --time ${time}`,
    ),
    // Spellings of former releases.
    { words: '--broker-list ADDRESS --topic orders --time -1', bare: true, old: { sameAs: '--topic orders --time -1' } },
    { words: '--broker-list ADDRESS --topic orders --time -2 --offsets 1 --max-wait-ms 1000', bare: true, old: { sameAs: '--topic orders --time -2' } },
    { words: '--topic orders --partitions 0 --offsets 10', old: { sameAs: '--topic orders --partitions 0' } },
    { words: '--topic orders --offsets many', old: { sameAs: '--topic orders' } },
  ],
}
