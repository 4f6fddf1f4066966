// kafka-console-producer: reference kafka-tools.md §3 and §32. What arrived is read with kafka-console-consumer.

import { unusableAddresses } from './addresses.ts'
import type { Play, Step } from './play.ts'

/** What topic has, with everything that a record has but its time. */
function arrived(topic: string, count: number): Step {
  const shown = ['headers', 'key'].map((name) => `--formatter-property print.${name}=true`).join(' ')
  return {
    tool: 'kafka-console-consumer',
    words: `--topic ${topic} --partition 0 --offset earliest --max-messages ${count} --timeout-ms 8000 ${shown} --formatter-property null.literal=NULL`,
  }
}

function sent(words: string, input: string): Step {
  return { words, input }
}

const SAYS_HOW_LARGE = 'our broker answers a batch over max.message.bytes with its size, Apache without a text, for which the client has one'
const HEADERS = '--reader-property parse.headers=true'
const KEY = '--reader-property parse.key=true'

export const play: Play = {
  tool: 'kafka-console-producer',
  properties: ['group.initial.rebalance.delay.ms=0'],
  files: {
    'client.properties': 'linger.ms=3\nclient.id=someone\n',
    'reader.properties': 'parse.key=true\nkey.separator=\\t\ntopic=from-file\n',
  },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    '--help',
    '--version',
    '',
    '--sync',
    { words: '--topic lines', bare: true },
    { words: '--topic lines --bootstrap-server localhost', bare: true },
    ...unusableAddresses('--topic lines'),
    { words: '--topic lines --bootstrap-server localhost:1,other', bare: true },
    '--topic',
    '--tpic lines',
    '--help --bogus',
    '--topic lines --topic others',
    '--topic lines --request-timeout-ms soon',
    '--topic lines --batch-size 1.5',
    '--topic lines --producer-property a=b --command-property c=d',
    '--topic lines --producer.config DIR/client.properties --command-config DIR/client.properties',
    '--topic lines --property a=b --reader-property c=d',
    '--topic lines --property a=b --reader-property c=d --producer-property a=b',
    '--topic lines --command-config DIR/absent.properties',
    '--topic lines --reader-config DIR/absent.properties',
    '--topic lines --line-reader org.example.Missing',
    '--topic lines --line-reader java.lang.String',
    '--topic lines --compression-codec zip',
    '--topic lines --request-required-acks 7',
    '--topic lines --command-property linger.ms=soon',
    '--topic lines --command-property acks',
    '--topic lines --max-block-ms -1',
    '--topic lines --message-send-max-retries -1',
    '--topic lines --command-property security.protocol=NONE',
    '--topic lines --reader-property headers.delimiter=,',
    '--topic lines --reader-property headers.delimiter=:',
    '--topic lines --reader-property headers.separator=:',
    `--topic lines --reader-property null.marker=$'\\t'`,
    '--topic lines --reader-property null.marker=,',
    '--topic lines --reader-property null.marker=, --reader-property headers.separator=\\;',
    '--topic lines --reader-property null.marker=:',
    // Nothing to send makes no topic; something does.
    sent('--topic nothing', ''),
    { words: '--list', tool: 'kafka-topics' },
    sent('--topic lines', 'one\ntwo\r\nthree\rfour\n\nsix without an end'),
    arrived('lines', 6),
    { words: '--list --exclude-internal', tool: 'kafka-topics' },
    sent('--topic bad/name', 'one\n'),
    // Keys.
    sent(`--topic keys ${KEY}`, 'a\t1\nb\t2\t3\n\t4\nc\t\n'),
    sent(`--topic keys ${KEY} --reader-property key.separator=::`, 'd::5\nmissing\ne::6\n'),
    sent(`--topic keys ${KEY} --reader-property key.separator=:: --reader-property ignore.error=true`, 'missing\ne::7\n'),
    sent(`--topic keys ${KEY} --reader-property null.marker=NULL`, 'NULL\t8\nf\tNULL\ng\tNULLS\n'),
    sent(`--topic keys ${KEY} --reader-property null.marker=`, '\t9\nh\t\n'),
    sent('--topic keys --reader-property parse.key=TRUE --reader-property no.such=1', 'i\t10\n'),
    arrived('keys', 13),
    // Headers.
    { words: '--create --topic headers', tool: 'kafka-topics' },
    sent(`--topic headers ${HEADERS}`, 'a:1,b:2\tvalue\n:\t\n\tno headers?\n'),
    sent(`--topic headers ${HEADERS} ${KEY}`, 'a:1\tkey\tvalue\nb:2:3,c:\tk\tv\n'),
    sent(`--topic headers ${HEADERS} ${KEY}`, 'a:1\tno key here\n'),
    sent(`--topic headers ${HEADERS} ${KEY}`, 'a\tno key here\n'),
    sent(`--topic headers ${HEADERS} ${KEY}`, 'a\tkey\tvalue\n'),
    sent(`--topic headers ${HEADERS}`, 'neither\n'),
    sent(`--topic headers ${HEADERS} --reader-property ignore.error=true`, 'neither\na,b:2\tvalue\n'),
    sent(`--topic headers ${HEADERS} --reader-property null.marker=N`, 'a:N\tN\nN\tnone\n'),
    sent(`--topic headers ${HEADERS} --reader-property null.marker=N`, 'N:1\tv\n'),
    sent(`--topic headers ${HEADERS} --reader-property headers.delimiter=\\| --reader-property headers.separator='[;,]' --reader-property headers.key.separator==`, 'a=1;b=2,c=3|v\n'),
    sent(`--topic headers ${HEADERS} --reader-property headers.separator=.`, 'a:1,b:2\tall separators\n'),
    arrived('headers', 10),
    // Where a record goes, and how.
    sent('--topic lines --reader-property topic=elsewhere', 'redirected\n'),
    arrived('elsewhere', 1),
    sent('--topic lines --reader-config DIR/reader.properties', 'k\tfirst\n'),
    sent(`--topic lines --reader-config DIR/reader.properties --reader-property key.separator=,`, 'k,second\n'),
    arrived('lines', 8),
    sent('--topic codecs --compression-codec', 'gzip\n'),
    sent('--topic codecs --compression-codec snappy', 'snappy\n'),
    sent('--topic codecs --compression-codec=lz4', 'lz4\n'),
    sent('--topic codecs --compression-codec zstd', 'zstd\n'),
    sent('--topic codecs --command-property compression.type=nonsense', 'none\n'),
    arrived('codecs', 5),
    sent('--topic acks --request-required-acks 1', '1\n'),
    sent('--topic acks --request-required-acks all', 'all\n'),
    sent('--topic acks --sync', 'a\nb\n'),
    sent('--topic acks --request-timeout-ms 2000 --timeout 10 --retry-backoff-ms 50 --batch-size 100 --max-memory-bytes 1000000 --socket-buffer-size 50000 --metadata-expiry-ms 1000 --max-block-ms 30000 --message-send-max-retries 5', 'c\nd\n'),
    arrived('acks', 6),
    // What the broker, or the producer itself, refuses.
    { words: '--create --topic small --config max.message.bytes=100', tool: 'kafka-topics' },
    { words: '--create --topic compacted --config cleanup.policy=compact', tool: 'kafka-topics' },
    { ...sent('--topic small', `${'x'.repeat(200)}\n`), allowed: { broker: SAYS_HOW_LARGE } },
    { ...sent('--topic small --sync', `fits too\n${'x'.repeat(200)}\nnever read\n`), allowed: { broker: SAYS_HOW_LARGE } },
    arrived('small', 1),
    sent('--topic lines --sync', `${'x'.repeat(1_100_000)}\n`),
    sent('--topic lines', `${'x'.repeat(1_100_000)}\nafter it\n`),
    arrived('lines', 9),
    sent('--topic compacted --sync', 'no key\n'),
    sent(`--topic compacted --sync ${KEY}`, 'a\tkey\n'),
    // Names that 4.2 replaced.
    sent('--topic former --producer-property linger.ms=1', '1\n'),
    sent('--topic former --property parse.key=true', 'a\t2\n'),
    sent('--topic former --producer.config DIR/client.properties --max-partition-memory-bytes 20000', '3\n'),
    sent('--topic former --command-config DIR/client.properties --command-property client.id=', '4\n'),
    // Spellings of former releases.
    { words: '--broker-list ADDRESS --topic former', bare: true, input: '5\n', old: { sameAs: '--topic former' } },
    { words: '--broker-list ADDRESS', bare: true, old: { sameAs: '' } },
    { words: '--topic former --new-producer --queue-size 10 --queue-enqueuetimeout-ms 100', input: '6\n', old: { sameAs: '--topic former' } },
    { words: '--topic former --old-producer --sync', input: '7\n', old: { sameAs: '--topic former --sync' } },
    { words: '--topic former --key-serializer kafka.serializer.DefaultEncoder --value-serializer kafka.serializer.DefaultEncoder', input: '8\n', old: { sameAs: '--topic former' } },
    { words: '--topic former --line-reader kafka.tools.ConsoleProducer$LineMessageReader', input: '9\n', old: { sameAs: '--topic former' } },
    { words: '--topic former --metadata-fetch-timeout-ms 5000', input: '10\n', old: { sameAs: '--topic former' } },
    arrived('former', 10),
  ],
}
