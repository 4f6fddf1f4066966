// kafka-producer-perf-test: reference kafka-tools.md §12 and §30.

import { unusableAddresses } from './addresses.ts'
import type { Mask, Play } from './play.ts'

/** Small enough that all latencies are of one run. */
const TEN = '--topic perf --num-records 10 --throughput -1 --record-size 10'

/** Of --print-metrics. */
export const METRICS = "Java's clients keep more than a hundred metrics; ours count records, bytes and failures, and print no others"

export const metricNames: Mask = {
  why: 'what was measured',
  apply: (text) => text.replaceAll(/^([a-z-]+-metrics:.*?) +: .*$/gm, '$1 : N'),
}

export const play: Play = {
  tool: 'kafka-producer-perf-test',
  address: 'none',
  files: {
    'client.properties': 'bootstrap.servers=nowhere.invalid:1\nacks=1\nlinger.ms=0\n',
    'transactional.properties': 'transactional.id=perf-of-a-file\n',
    'payload.txt': 'first\nsecond\nthird\n',
    'payload-bar.txt': 'one|two|three',
    'empty.txt': '',
  },
  mask: {
    why: 'elapsed times, and what is counted by them',
    apply: (text) =>
      text
        .replaceAll(/\d+\.\d+ records\/sec \(\d+\.\d+ MB\/sec\), \d+\.\d+ ms avg latency, \d+\.\d+ ms max latency/g, 'R records/sec (M MB/sec), A ms avg latency, X ms max latency')
        .replaceAll(/\d+ ms (50th|95th|99th|99\.9th)/g, 'L ms $1')
        .replaceAll(/^(\d+ records sent, R records\/sec .* max latency\.\n)+/gm, 'N records sent, …\n'),
  },
  steps: [
    // What is wrong with the command line.
    '',
    '--help',
    '--topic perf',
    '--topic perf --num-records 10',
    '--topic perf --num-records 10 --throughput -1',
    TEN,
    `${TEN} --payload-monotonic --bootstrap-server ADDRESS`,
    `${TEN} --payload-file DIR/payload.txt --bootstrap-server ADDRESS`,
    '--topic perf --num-records 0 --throughput -1 --record-size 10 --bootstrap-server ADDRESS',
    '--topic perf --num-records -5 --throughput -1 --record-size 10 --bootstrap-server ADDRESS',
    '--topic perf --num-records many --throughput -1 --record-size 10 --bootstrap-server ADDRESS',
    '--topic perf --num-records 10 --throughput fast --record-size 10 --bootstrap-server ADDRESS',
    '--topic perf --num-records 10 --throughput -1 --record-size 0 --bootstrap-server ADDRESS',
    '--topic perf --num-records 10 --throughput -1 --record-size 1.5 --bootstrap-server ADDRESS',
    `${TEN} --bootstrap-server ADDRESS --warmup-records 10`,
    `${TEN} --bootstrap-server ADDRESS --warmup-records few`,
    `${TEN} --bootstrap-server ADDRESS --reporting-interval 0`,
    `${TEN} --bootstrap-server ADDRESS --transaction-duration-ms 0`,
    `${TEN} --command-property acks=1 --producer-props bootstrap.servers=ADDRESS`,
    `${TEN} --bootstrap-server ADDRESS --command-config DIR/client.properties --producer.config DIR/client.properties`,
    `${TEN} --bootstrap-server ADDRESS --bogus`,
    `${TEN} --bootstrap-server ADDRESS --topik x`,
    `${TEN} --bootstrap-server ADDRESS --p x`,
    `${TEN} --bootstrap-server`,
    `${TEN} --bootstrap-server ADDRESS --command-property acks`,
    `${TEN} --bootstrap-server ADDRESS --command-property a=b=c`,
    `${TEN} --bootstrap-server ADDRESS --command-config DIR/absent.properties`,
    '--topic perf --num-records 10 --throughput -1 --payload-file DIR/absent.txt --bootstrap-server ADDRESS',
    '--topic perf --num-records 10 --throughput -1 --payload-file DIR/empty.txt --bootstrap-server ADDRESS',
    `${TEN} --bootstrap-server localhost`,
    `${TEN} --bootstrap-server ADDRESS --command-property acks=several`,
    ...unusableAddresses('', { before: TEN }),
    ...['*', '[', '(', 'a{'].map((delimiter) => ['--topic', 'perf', '--num-records', '1', '--throughput', '-1', '--payload-file', 'DIR/payload.txt', '--payload-delimiter', delimiter, '--bootstrap-server', 'ADDRESS']),
    // Records.
    { tool: 'kafka-topics', words: '--bootstrap-server ADDRESS --create --topic perf --partitions 2' },
    `${TEN} --bootstrap-server ADDRESS`,
    `${TEN} --bootstrap-server ADDRESS --command-property acks=1 linger.ms=0`,
    `${TEN} --command-property bootstrap.servers=ADDRESS`,
    `${TEN} --command-config DIR/client.properties --bootstrap-server ADDRESS`,
    '--topic perf --num-records 10 --throughput -1 --payload-monotonic --bootstrap-server ADDRESS',
    '--topic perf --num-rec 10 --thr -1.0 --record-size 10 --boot ADDRESS',
    '--topic perf --num-records 10 --throughput -1 --payload-file DIR/payload.txt --bootstrap-server ADDRESS',
    '--topic perf --num-records 10 --throughput -1 --payload-file DIR/payload-bar.txt --payload-delimiter | --bootstrap-server ADDRESS',
    "--topic perf --num-records 10 --throughput -1 --payload-file DIR/payload-bar.txt --payload-delimiter '[|]' --bootstrap-server ADDRESS",
    '--topic perf --num-records 100 --throughput 200 --record-size 10 --reporting-interval 200 --bootstrap-server ADDRESS',
    '--topic perf --num-records 20 --throughput 100 --record-size 10 --warmup-records 5 --bootstrap-server ADDRESS',
    '--topic made-anew --num-records 3 --throughput -1 --record-size 10 --bootstrap-server ADDRESS',
    `${TEN} --transactional-id perf-one --bootstrap-server ADDRESS`,
    `${TEN} --transaction-duration-ms 100 --bootstrap-server ADDRESS`,
    `${TEN} --command-config DIR/transactional.properties --bootstrap-server ADDRESS`,
    '--topic perf --num-records 2 --throughput -1 --record-size 2000000 --bootstrap-server ADDRESS',
    { words: '--topic none-of-this --num-records 1 --throughput -1 --record-size 5 --bootstrap-server ADDRESS --command-property max.block.ms=500 acks=1 --bogus' },
    { tool: 'kafka-get-offsets', words: '--bootstrap-server ADDRESS --topic made-anew' },
    { words: `${TEN} --bootstrap-server ADDRESS --print-metrics`, mask: metricNames, isAlone: true, allowed: { face: METRICS } },
    // Spellings of former releases.
    `${TEN} --producer-props bootstrap.servers=ADDRESS acks=all`,
    `${TEN} --producer.config DIR/client.properties --bootstrap-server ADDRESS`,
    {
      words: '--topics perf --messages 10 --message-size 10 --broker-list ADDRESS',
      old: { sameAs: `${TEN} --bootstrap-server ADDRESS` },
    },
  ],
}
