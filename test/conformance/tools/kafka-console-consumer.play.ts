// kafka-console-consumer: reference kafka-tools.md §4 and §32. Topics have one partition where order is looked at.

import { Kafka, logLevel } from 'kafkajs'
import { unusableAddresses } from './addresses.ts'
import { type Mask, ON_THIS_MACHINE, type Play, type Step } from './play.ts'

const READERS_PARTITION = partitionOf('readers')
const TX_PARTITION = partitionOf('tx')
const FIRST_RECORD = 'our broker writes a group down when its first generation ends or is settled, Apache also the empty one that a join makes'
const TOOLS = 'org.apache.kafka.tools.consumer'

/** Of 50: Java's hash of the name. */
function partitionOf(name: string): number {
  let hash = 0
  for (const unit of name) hash = (Math.imul(31, hash) + unit.charCodeAt(0)) | 0
  return (hash & 0x7fffffff) % 50
}

function sent(topic: string, input: string, words = ''): Step {
  return { tool: 'kafka-console-producer', words: `--topic ${topic} ${words}`, input }
}

const KEYED = '--reader-property parse.key=true --reader-property null.marker=NULL'
const ALL = '--topic letters --from-beginning --max-messages 3'
const typed = (type: string, value: string): Step => ({
  words: `--topic ${value} --partition 0 --offset earliest --max-messages 1 --value-deserializer org.apache.kafka.common.serialization.${type}Deserializer`,
})

const lastCommit: Mask = {
  why: 'how many records rebalances leave, and how often a member commits where it stands',
  apply: (text) => text.replace(/a total of \d+/, 'a total of N').replaceAll(/(?:\{"key":\{"type":1,.*?\}\}\})+(?=\{"key":\{"type":1,)/g, ''),
}

export const play: Play = {
  tool: 'kafka-console-consumer',
  properties: ['group.initial.rebalance.delay.ms=0', 'offsets.topic.num.partitions=50', 'transaction.state.log.num.partitions=50'],
  files: {
    'client.properties': 'group.id=a\n',
    'formatter.properties': 'print.key=true\nkey.separator=\\ = \nprint.offset=true\n',
  },
  mask: {
    why: 'ids that a cluster gives out; the exception behind an ERROR, which the general mask takes for a part of the trace',
    apply: (text) =>
      text
        .replaceAll(/"(producerId|previousProducerId)":\d+/g, '"$1":0')
        .replaceAll(/^(ERROR (?:Unknown error when|Error processing message, skipping|Unable to instantiate).*\n)(?:[a-z]\w*\.)+\w+(?:Exception|Error)\b.*\n/gm, '$1'),
  },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    '--help',
    '--version',
    '',
    { words: '--topic letters', bare: true },
    '--topic letters --include .*',
    '--include .* --partition 0',
    '--topic letters --partition 0 --from-beginning --offset 3',
    '--topic letters --offset 3',
    '--topic letters --partition 0 --offset -2',
    '--topic letters --partition 0 --offset soon',
    '--topic letters --partition first',
    '--topic',
    '--tpic letters',
    '--topic letters --bogus',
    '--topic letters --topic others',
    '--topic letters --max-messages many',
    '--topic letters --timeout-ms 1.5',
    '--topic letters --group b --command-config DIR/client.properties',
    '--topic letters --group b --command-property group.id=c --command-config DIR/client.properties',
    '--topic letters --group b --partition 0',
    '--topic letters --command-property group.id=c --partition 0',
    '--topic letters --from-beginning --command-property auto.offset.reset=latest',
    '--topic letters --from-beginning --command-property auto.offset.reset=EARLIEST',
    '--topic letters --command-property auto.offset.reset=sometimes',
    '--topic letters --consumer-property a=b --command-property c=d',
    '--topic letters --consumer.config DIR/client.properties --command-config DIR/client.properties',
    '--topic letters --property a=b --formatter-property c=d',
    '--topic letters --formatter org.example.Missing',
    '--topic letters --formatter-config DIR/absent.properties',
    '--topic letters --command-config DIR/absent.properties',
    '--topic letters --isolation-level sometimes',
    '--topic letters --command-property fetch.min.bytes=few',
    '--topic letters --command-property max.poll.records=0',
    "--include '['",
    // What 4.3 makes of a topic that has to be illegal.
    '--topic bad/name --timeout-ms 6000',
    '--topic letters --max-messages 0',
    // Records to read.
    sent('letters', 'a\nb\nc\n'),
    sent('keyed', 'k1\tv1\nNULL\tv2\nk3\tNULL\n', KEYED),
    sent('headed', 'a:1,b:NULL\tk\tv\nNULL\tk\tv2\n', `${KEYED} --reader-property parse.headers=true`),
    sent('ab', 'ab\n'),
    sent('abcd', 'abcd\n'),
    sent('abcdefgh', 'abcdefgh\n'),
    sent('abcdefghijklmnop', 'abcdefghijklmnop\n'),
    sent('uuid', '00000000-0000-0001-0000-000000000002\n'),
    { words: '--create --topic wide --partitions 3', tool: 'kafka-topics' },
    { words: '--create --topic appended --config message.timestamp.type=LogAppendTime', tool: 'kafka-topics' },
    sent('wide', 'a\t1\nb\t2\nc\t3\nd\t4\ne\t5\n', KEYED),
    sent('appended', 'stamped\n'),
    // Groups, and what they leave in __consumer_offsets.
    '--topic letters --group readers --from-beginning --max-messages 3',
    {
      words: `--topic __consumer_offsets --partition ${READERS_PARTITION} --from-beginning --timeout-ms 4000 --formatter ${TOOLS}.OffsetsMessageFormatter`,
      mask: lastCommit,
    },
    {
      words: `--topic __consumer_offsets --partition ${READERS_PARTITION} --offset 0 --max-messages 1 --formatter ${TOOLS}.GroupMetadataMessageFormatter`,
      allowed: { broker: FIRST_RECORD },
    },
    {
      words: `--topic __consumer_offsets --partition ${READERS_PARTITION} --offset 0 --max-messages 1 --formatter kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter`,
      old: { sameAs: `--topic __consumer_offsets --partition ${READERS_PARTITION} --offset 0 --max-messages 1 --formatter ${TOOLS}.GroupMetadataMessageFormatter` },
      allowed: { broker: FIRST_RECORD },
    },
    {
      words: `--topic __consumer_offsets --partition ${READERS_PARTITION} --offset 0 --max-messages 1 --formatter kafka.coordinator.GroupMetadataManager$GroupMetadataMessageFormatter`,
      old: { sameAs: `--topic __consumer_offsets --partition ${READERS_PARTITION} --offset 0 --max-messages 1 --formatter ${TOOLS}.GroupMetadataMessageFormatter` },
      allowed: { broker: FIRST_RECORD },
    },
    {
      words: `--topic __consumer_offsets --partition ${READERS_PARTITION} --from-beginning --timeout-ms 3000 --formatter kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter`,
      mask: lastCommit,
      old: { sameAs: `--topic __consumer_offsets --partition ${READERS_PARTITION} --from-beginning --timeout-ms 3000 --formatter ${TOOLS}.OffsetsMessageFormatter` },
    },
    { words: '--topic wide --group modern --command-property group.protocol=consumer --from-beginning --max-messages 5', isUnordered: true },
    '--topic wide --group modern --command-property group.protocol=consumer --timeout-ms 6000',
    '--topic letters --group halves --from-beginning --max-messages 2',
    '--topic letters --group halves --max-messages 1',
    '--topic letters --group halves --timeout-ms 6000',
    { words: '--topic letters --command-property group.id=readers --timeout-ms 6000' },
    // Transactions.
    {
      act: 'a transaction that commits and one that aborts',
      run: async ({ address }) => {
        const producer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).producer({ transactionalId: 'tx', maxInFlightRequests: 1, idempotent: true })
        await producer.connect()
        const kept = await producer.transaction()
        await kept.send({ topic: 'ledger', messages: [{ value: 'kept' }] })
        await kept.commit()
        const dropped = await producer.transaction()
        await dropped.send({ topic: 'ledger', messages: [{ value: 'dropped' }] })
        await dropped.abort()
        await producer.disconnect()
        return undefined
      },
    },
    '--topic ledger --partition 0 --offset earliest --max-messages 2',
    '--topic ledger --from-beginning --max-messages 2 --formatter-property print.offset=true',
    '--topic ledger --partition 0 --offset earliest --timeout-ms 4000 --isolation-level read_committed',
    '--topic ledger --partition 0 --offset earliest --timeout-ms 4000 --command-property isolation.level=read_committed',
    `--topic __transaction_state --partition ${TX_PARTITION} --offset earliest --max-messages 1 --formatter ${TOOLS}.TransactionLogMessageFormatter`,
    {
      words: `--topic __transaction_state --partition ${TX_PARTITION} --offset 1 --max-messages 1 --formatter kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter`,
      old: { sameAs: `--topic __transaction_state --partition ${TX_PARTITION} --offset 1 --max-messages 1 --formatter ${TOOLS}.TransactionLogMessageFormatter` },
    },
    // Without a group.
    ALL,
    '--topic letters --from-beginning --max-messages 2',
    '--topic letters --from-beginning --timeout-ms 6000',
    '--topic letters --timeout-ms 6000',
    '--topic letters --partition 0 --timeout-ms 3000',
    '--topic letters --partition 0 --from-beginning --max-messages 3',
    '--topic letters --partition 0 --offset EARLIEST --max-messages 1',
    '--topic letters --partition 0 --offset 2 --max-messages 1',
    '--topic letters --partition 0 --offset 99 --timeout-ms 3000',
    '--topic letters --partition 0 --offset 99 --max-messages 1 --command-property auto.offset.reset=earliest',
    '--topic letters --partition 7 --timeout-ms 3000',
    '--topic letters --partition -1 --timeout-ms 3000',
    { words: '--topic wide --from-beginning --max-messages 5', isUnordered: true },
    { words: "--include 'l.tters|wide' --from-beginning --max-messages 8", isUnordered: true },
    "--include 'letters, wide' --from-beginning --timeout-ms 6000",
    '--topic made-by-reading --timeout-ms 6000',
    { words: '--list --exclude-internal', tool: 'kafka-topics' },
    `${ALL} --enable-systest-events`,
    // How records are printed.
    `${ALL} --formatter-property print.offset=true --formatter-property print.partition=true --formatter-property print.epoch=true --formatter-property print.delivery=true`,
    `${ALL} --formatter-property print.timestamp=true --formatter-property print.headers=true`,
    `${ALL} --formatter-property print.value=false`,
    `${ALL} --formatter-property print.value=false --formatter-property print.offset=true`,
    `${ALL} --formatter-property line.separator=\\; --formatter-property no.such=1`,
    '--topic keyed --from-beginning --max-messages 3 --formatter-property print.key=true',
    '--topic keyed --from-beginning --max-messages 3 --formatter-property print.key=TRUE --formatter-property key.separator=: --formatter-property null.literal=-',
    '--topic keyed --from-beginning --max-messages 3 --formatter-config DIR/formatter.properties',
    '--topic keyed --from-beginning --max-messages 3 --formatter-config DIR/formatter.properties --formatter-property print.offset=no',
    '--topic headed --from-beginning --max-messages 2 --formatter-property print.headers=true --formatter-property headers.separator=\\;',
    '--topic appended --from-beginning --max-messages 1 --formatter-property print.timestamp=true',
    `${ALL} --formatter ${TOOLS}.NoOpMessageFormatter`,
    `${ALL} --formatter ${TOOLS}.LoggingMessageFormatter`,
    `${ALL} --formatter ${TOOLS}.OffsetsMessageFormatter`,
    typed('String', 'abcd'),
    typed('Bytes', 'abcd'),
    typed('ByteArray', 'abcd'),
    typed('Integer', 'abcd'),
    typed('Float', 'abcd'),
    typed('Short', 'ab'),
    typed('Long', 'abcdefgh'),
    typed('Double', 'abcdefgh'),
    typed('UUID', 'uuid'),
    typed('UUID', 'abcd'),
    typed('Void', 'abcd'),
    typed('Missing', 'abcd'),
    typed('Integer', 'ab'),
    { words: '--topic ab --partition 0 --offset earliest --max-messages 1 --skip-message-on-error --formatter-property value.deserializer=org.apache.kafka.common.serialization.LongDeserializer' },
    '--topic keyed --from-beginning --max-messages 3 --formatter-property print.key=true --formatter-property key.deserializer=org.apache.kafka.common.serialization.StringDeserializer --value-deserializer org.apache.kafka.common.serialization.BytesDeserializer',
    '--topic keyed --partition 0 --offset 1 --max-messages 1 --formatter-property print.key=true --key-deserializer org.apache.kafka.common.serialization.IntegerDeserializer',
    '--topic headed --from-beginning --max-messages 2 --formatter-property print.headers=true --formatter-property headers.deserializer=org.apache.kafka.common.serialization.BytesDeserializer',
    ...unusableAddresses('--topic letters --timeout-ms 3000'),
    ...['*', '[', '('].map((regex) => ['--timeout-ms', '3000', '--include', regex]),
    // Names that 4.2 replaced.
    `${ALL} --consumer-property client.id=me`,
    '--topic letters --from-beginning --max-messages 3 --consumer.config DIR/client.properties --property print.offset=true',
    // Spellings of former releases.
    { words: `--zookeeper localhost:2181 ${ALL}`, old: { sameAs: ALL } },
    { words: `--zookeeper localhost:2181 ${ALL}`, bare: true, old: { sameAs: ALL, says: ON_THIS_MACHINE, isLocal: true } },
    { words: `--new-consumer ${ALL}`, old: { sameAs: ALL } },
    { words: `${ALL} --csv-reporter-enabled --metrics-dir /nowhere`, old: { sameAs: ALL } },
    { words: `${ALL} --delete-consumer-offsets`, old: { sameAs: ALL } },
    { words: '--whitelist letters --from-beginning --max-messages 3', old: { sameAs: '--include letters --from-beginning --max-messages 3' } },
    { words: "--blacklist '(?!letters).*' --from-beginning --max-messages 3", old: { sameAs: '--include letters --from-beginning --max-messages 3' } },
    { words: `${ALL} --formatter kafka.tools.DefaultMessageFormatter`, old: { sameAs: ALL } },
    { words: `${ALL} --formatter kafka.tools.LoggingMessageFormatter`, old: { sameAs: `${ALL} --formatter ${TOOLS}.LoggingMessageFormatter` } },
    { words: `${ALL} --formatter kafka.tools.NoOpMessageFormatter`, old: { sameAs: `${ALL} --formatter ${TOOLS}.NoOpMessageFormatter` } },
  ],
}
