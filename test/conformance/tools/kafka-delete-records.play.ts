// kafka-delete-records: reference kafka-tools.md §8 and §32.

import { unusableAddresses } from './addresses.ts'
import { timedOut } from './masks.ts'
import type { Play } from './play.ts'

const before = (offset: number | string, topic = 'orders', partition: number | string = 0) =>
  `{"partitions": [{"topic": "${topic}", "partition": ${partition}, "offset": ${offset}}], "version": 1}`

const FILES = {
  'none.json': '',
  'broken.json': '{"partitions": ',
  'text.json': 'before 5',
  'list.json': '[]',
  'number.json': '5',
  'empty.json': '{}',
  'version.json': '{"version": 2, "partitions": []}',
  'version-text.json': '{"version": "1", "partitions": []}',
  'no-array.json': '{"partitions": {"topic": "orders"}}',
  'no-object.json': '{"partitions": [5]}',
  'no-topic.json': '{"partitions": [{"partition": 0, "offset": 1}]}',
  'no-partition.json': '{"partitions": [{"topic": "orders", "offset": 1}]}',
  'no-offset.json': '{"partitions": [{"topic": "orders", "partition": 0}]}',
  'topic-number.json': '{"partitions": [{"topic": 5, "partition": 0, "offset": 1}]}',
  'partition-text.json': before(1, 'orders', '""'),
  'offset-float.json': before('1.5'),
  'offset-null.json': before('null'),
  'twice.json': '{"partitions": [{"topic": "orders", "partition": 0, "offset": 1}, {"topic": "orders", "partition": 0, "offset": 2}]}',
  'nothing.json': '{"partitions": []}',
  'two.json': before(2),
  'one.json': before(1),
  'beyond.json': before(100),
  'negative.json': before(-2),
  'all.json': before(-1),
  'without-version.json': '{"partitions": [{"topic": "orders", "partition": 1, "offset": 1}]} and more',
  'both.json':
    '{"version":1,"partitions":[{"topic":"orders","partition":0,"offset":-1},{"topic":"orders","partition":1,"offset":50,"extra":true}]}',
  'compacted.json': before(0, 'compacted'),
  'client.properties': 'request.timeout.ms=20000\n',
  'hasty.properties': 'request.timeout.ms=700\ndefault.api.timeout.ms=1200\n',
  'nowhere.json': before(0, 'absent'),
  'no-such.json': before(0, 'orders', 7),
  'some-absent.json': '{"partitions":[{"topic":"orders","partition":0,"offset":0},{"topic":"absent","partition":1,"offset":0}]}',
}

export const play: Play = {
  tool: 'kafka-delete-records',
  files: FILES,
  mask: timedOut,
  steps: [
    { words: '', bare: true },
    '--help',
    '--version',
    { words: '--offset-json-file DIR/two.json', bare: true },
    '--command-config DIR/client.properties',
    '--offset-json-file',
    '--bogus',
    '--offset-json-file DIR/two.json --offset-json-file DIR/one.json',
    '--offset-json-file DIR/absent.json',
    '--offset-json-file DIR/two.json --command-config DIR/absent.properties',
    '--offset-json-file DIR/none.json',
    '--offset-json-file DIR/broken.json',
    '--offset-json-file DIR/text.json',
    '--offset-json-file DIR/list.json',
    '--offset-json-file DIR/number.json',
    '--offset-json-file DIR/empty.json',
    '--offset-json-file DIR/version.json',
    '--offset-json-file DIR/version-text.json',
    '--offset-json-file DIR/no-array.json',
    '--offset-json-file DIR/no-object.json',
    '--offset-json-file DIR/no-topic.json',
    '--offset-json-file DIR/no-partition.json',
    '--offset-json-file DIR/no-offset.json',
    '--offset-json-file DIR/topic-number.json',
    '--offset-json-file DIR/partition-text.json',
    '--offset-json-file DIR/offset-float.json',
    '--offset-json-file DIR/offset-null.json',
    '--offset-json-file DIR/twice.json',
    '--offset-json-file DIR/nothing.json',
    // Records to delete.
    { tool: 'kafka-topics', words: '--create --topic orders --partitions 2' },
    { tool: 'kafka-topics', words: '--create --topic compacted --config cleanup.policy=compact' },
    '--offset-json-file DIR/one.json',
    '--offset-json-file DIR/all.json',
    { act: 'five records', run: ({ address }) => fill(address, 5) },
    '--offset-json-file DIR/two.json',
    '--offset-json-file DIR/one.json',
    '--offset-json-file DIR/beyond.json',
    '--offset-json-file DIR/negative.json',
    '--offset-json-file DIR/without-version.json',
    '--offset-json-file DIR/compacted.json',
    { words: '--offset-json-file DIR/both.json', isUnordered: true },
    '--command-config DIR/client.properties --offset-json-file DIR/all.json',
    // Until its time is up, it asks for a partition that isn't there.
    '--command-config DIR/hasty.properties --offset-json-file DIR/nowhere.json',
    '--command-config DIR/hasty.properties --offset-json-file DIR/no-such.json',
    { words: '--command-config DIR/hasty.properties --offset-json-file DIR/some-absent.json', isUnordered: true },
    ...unusableAddresses('--offset-json-file DIR/two.json'),
  ],
}

async function fill(address: string, count: number): Promise<undefined> {
  const { Kafka, logLevel, Partitioners } = (await import('kafkajs')).default
  const producer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 'orders', messages: Array.from({ length: count }, (_, i) => ({ value: `${i}`, partition: 0 })) })
  await producer.disconnect()
  return undefined
}
