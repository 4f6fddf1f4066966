// kafka-consumer-perf-test: reference kafka-tools.md §13 and §30.

import { unusableAddresses } from './addresses.ts'
import { METRICS, metricNames, play as producer } from './kafka-producer-perf-test.play.ts'
import { ON_THIS_MACHINE, type Play } from './play.ts'

const perfMask = producer.mask ?? { apply: (text: string) => text }

export const play: Play = {
  tool: 'kafka-consumer-perf-test',
  files: { 'client.properties': 'fetch.min.bytes=1\n', 'named.properties': 'client.id=mine\n' },
  mask: {
    why: 'elapsed times, and what is counted by them',
    apply: (text) =>
      perfMask
        .apply(text)
        .replaceAll(/^.*, [^,\n]+, ([\d.]+), (?:[\d.]+|NaN), (\d+), (?:[\d.]+|NaN), \d+, -?\d+, (?:-?[\d.]+|-?Infinity|NaN), (?:-?[\d.]+|-?Infinity|NaN)$/gm, 'START, END, $1, MB/S, $2, N/S, JOIN, FETCH, MB/S, N/S')
        .replaceAll(/^(.*, 0, [\d.]+, [\d.]+, \d+, [\d.]+, \d+, -?\d+, [\d.]+, [\d.]+\n)+/gm, 'TIME, 0, …\n'),
  },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    '',
    '--help',
    '--version',
    { words: '--topic perf --num-records 10', bare: true },
    '--topic perf',
    '--num-records 10',
    '--topic perf --include perf --num-records 10',
    '--topic perf --num-records 10 --messages 10',
    '--topic perf --num-records 10 --consumer.config DIR/client.properties --command-config DIR/client.properties',
    '--topic perf --num-records',
    '--topic perf --num-records many',
    '--topic perf --topic others --num-records 10',
    '--topic perf --num-records 10 --fetch-size big',
    '--topic perf --num-records 10 --socket-buffer-size 1.5',
    '--topic perf --num-records 10 --reporting-interval often',
    '--topic perf --num-records 10 --reporting-interval 0',
    '--topic perf --num-records 0 --timeout soon',
    '--topic perf --num-records 10 --date-format "bb nn"',
    '--topic perf --num-records 10 --command-config DIR/absent.properties',
    '--topic perf --num-records 10 --command-property auto.commit.interval.ms=often',
    '--topic perf --num-records 10 --bogus',
    '--include "(" --num-records 10',
    ...unusableAddresses('--topic perf --num-records 10'),
    ...['*', '[', 'a{', 'a)', 'a\\'].map((regex) => ['--num-records', '10', '--include', regex]),
    // Records.
    { tool: 'kafka-topics', words: '--create --topic perf --partitions 1' },
    { tool: 'kafka-topics', words: '--create --topic perf-more --partitions 1' },
    { tool: 'kafka-producer-perf-test', words: '--topic perf --num-records 50 --throughput -1 --record-size 100' },
    { tool: 'kafka-producer-perf-test', words: '--topic perf-more --num-records 20 --throughput -1 --record-size 1000' },
    '--topic perf --num-records 50',
    '--topic perf --num-records 50 --hide-header',
    '--topic perf --num-records 1 --hide-header',
    '--topic perf --num-records 0',
    '--topic perf --num-records 60 --timeout -1 --hide-header',
    '--topic perf --num-records 60 --timeout 3000',
    '--topic perf --num-records 60 --timeout=3000 --hide-header',
    '--topic perf --num-records 50 --show-detailed-stats',
    '--topic perf --num-records 60 --timeout 3000 --show-detailed-stats --reporting-interval 1',
    '--include "perf.*" --num-records 70',
    '--include perf-m.re --num-records 20',
    '--topic perf --num-records 50 --group readers --fetch-size 2048 --socket-buffer-size 65536',
    '--topic perf --num-records 50 --group readers --timeout 300',
    '--topic perf --num-records 50 --from-latest --timeout 500',
    '--topic perf --num-records 50 --date-format "yyyy/MM/dd"',
    '--topic perf --num-records 50 --command-config DIR/named.properties',
    '--topic perf --num-records 50 --command-property max.poll.records=10 --command-property fetch.min.bytes=1',
    '--topic absent --num-records 50 --timeout 300',
    { words: '--topic perf --num-records 50 --hide-header --print-metrics', mask: metricNames, isAlone: true, allowed: { face: METRICS } },
    // Spellings of former releases.
    { words: '--topic perf --messages 50 --message-size 10 --batch-size 5 --compression-codec 1', old: { sameAs: '--topic perf --messages 50' } },
    { words: '--zookeeper localhost:2181 --topic perf --messages 50', bare: true, old: { sameAs: '--topic perf --messages 50', says: ON_THIS_MACHINE, isLocal: true } },
    '--topic perf --messages 50',
    '--topic perf --num-records 50 --consumer.config DIR/client.properties',
    {
      words: '--broker-list ADDRESS --topic perf --messages 50 --new-consumer --threads 1 --num-fetch-threads 1',
      bare: true,
      old: { sameAs: '--topic perf --messages 50' },
    },
    {
      words: '--zookeeper localhost:2181 --topic perf',
      bare: true,
      old: { sameAs: '--topic perf' },
    },
  ],
}
