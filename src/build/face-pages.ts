// The manual pages of the faces: what each is for, its own help, how it ends, and an example that a test runs.

import { loadFace } from '../../commands/kafka/index.ts'
import { FACE_NAMES, type FaceName } from '../cli/apache/face-names.ts'
import { type FaceIo, runFace } from '../cli/apache/face.ts'
import { KAFKA_VERSION } from '../cli/apache/kafka-version.ts'
import { escape, page, paragraph, terms } from './man.ts'

interface FaceFacts {
  readonly summary: string
  /** With localhost:9092 for the cluster. */
  readonly example: string
  /** Its subcommands, which have a help of their own. */
  readonly commands?: readonly string[]
  /** What else there is to say of it. */
  readonly note?: string
  /** Where it ends otherwise than 0 when done and 1 when not. */
  readonly ends?: string
}

const AT = '--bootstrap-server localhost:9092'

const ABOUT_CLUSTERS =
  'It talks to the cluster that its words name and to no other. Spellings of releases since 0.9 are understood; `--zookeeper` with a host of this machine means the broker on it.'

export const FACE_FACTS: Readonly<Record<FaceName, FaceFacts>> = {
  'kafka-topics': { summary: 'create, list, describe, change and delete topics', example: `kafka-topics.sh ${AT} --create --topic events --partitions 3` },
  'kafka-console-consumer': {
    summary: 'print the records of topics',
    example: `kafka-console-consumer.sh ${AT} --topic orders --from-beginning --max-messages 2`,
    ends: '0 also when --timeout-ms is over or reading failed; 130 and 143 for signals.',
  },
  'kafka-console-producer': {
    summary: 'write lines to a topic',
    example: `printf 'one\\ntwo\\n' | kafka-console-producer.sh ${AT} --topic orders`,
    ends: '0 also when a record could not be delivered, which stderr says; 1 with --sync.',
  },
  'kafka-consumer-groups': {
    summary: 'show, reset and delete consumer groups',
    example: `kafka-consumer-groups.sh ${AT} --describe --group billing`,
    ends: '0 also when the cluster refused; stdout says so.',
  },
  'kafka-get-offsets': { summary: 'print the offsets of partitions', example: `kafka-get-offsets.sh ${AT} --topic orders --time latest` },
  'kafka-groups': { summary: 'list groups of all kinds', example: `kafka-groups.sh ${AT} --list` },
  'kafka-broker-api-versions': { summary: 'print what brokers understand', example: `kafka-broker-api-versions.sh ${AT}` },
  'kafka-cluster': { summary: 'show a cluster', example: `kafka-cluster.sh cluster-id ${AT}`, commands: ['cluster-id', 'unregister', 'list-endpoints'] },
  'kafka-features': {
    summary: 'show and change the levels of features',
    example: `kafka-features.sh ${AT} describe`,
    commands: ['describe', 'upgrade', 'downgrade', 'disable', 'version-mapping', 'feature-dependencies'],
  },
  'kafka-metadata-quorum': {
    summary: 'show the quorum of controllers',
    example: `kafka-metadata-quorum.sh ${AT} describe --status`,
    commands: ['describe', 'add-controller', 'remove-controller'],
  },
  'kafka-transactions': {
    summary: 'look at transactions, and end those that hang',
    example: `kafka-transactions.sh ${AT} list`,
    commands: ['list', 'describe', 'describe-producers', 'abort', 'find-hanging', 'forceTerminateTransaction'],
  },
  'kafka-dump-log': {
    summary: 'print logs, indexes and snapshots',
    example: 'kafka-dump-log.sh --print-data-log --files /tmp/kraft-combined-logs/orders-0/00000000000000000000.log',
    ends: '0 also where something does not fit together; stderr says so.',
  },
  'kafka-storage': {
    summary: "format and look at a node's directories",
    example: 'kafka-storage.sh random-uuid',
    commands: ['random-uuid', 'info', 'format', 'version-mapping', 'feature-dependencies'],
  },
  'kafka-server-start': { summary: "start ktool's broker on Kafka's configuration", example: 'kafka-server-start.sh -daemon config/server.properties' },
  'kafka-server-stop': { summary: "stop ktool's brokers on this machine", note: 'It stops those that kafka-server-start has started, and waits until they have stopped.', example: 'kafka-server-stop.sh' },
  'kafka-configs': {
    summary: 'show and change settings, quotas and SCRAM users',
    example: `kafka-configs.sh ${AT} --alter --entity-type topics --entity-name orders --add-config retention.ms=60000`,
  },
  'kafka-acls': { summary: 'list, add and remove rules about who may do what', example: `kafka-acls.sh ${AT} --list` },
  'kafka-delete-records': {
    summary: 'delete the oldest records of partitions',
    example: `echo '{"partitions":[{"topic":"orders","partition":0,"offset":-1}]}' > o.json && kafka-delete-records.sh ${AT} --offset-json-file o.json`,
    ends: '0 also when a partition could not be done; its line says so.',
  },
  'kafka-log-dirs': { summary: 'print how large replicas are', example: `kafka-log-dirs.sh ${AT} --describe --topic-list orders` },
  'kafka-leader-election': { summary: 'elect leaders', example: `kafka-leader-election.sh ${AT} --election-type preferred --all-topic-partitions` },
  'kafka-reassign-partitions': { summary: 'move replicas between brokers and directories', example: `kafka-reassign-partitions.sh ${AT} --list` },
  'kafka-producer-perf-test': {
    summary: 'measure producing',
    example: `kafka-producer-perf-test.sh ${AT} --topic orders --num-records 1000 --record-size 100 --throughput -1`,
  },
  'kafka-consumer-perf-test': { summary: 'measure consuming', example: `kafka-consumer-perf-test.sh ${AT} --topic orders --num-records 1000` },
}

/** By file name. */
export async function facePages(): Promise<ReadonlyMap<string, string>> {
  const pages = await Promise.all(FACE_NAMES.map(async (name) => [`${name}.1`, await facePage(name)] as const))
  return new Map(pages)
}

async function facePage(name: FaceName): Promise<string> {
  const { summary, example, commands = [], note, ends } = FACE_FACTS[name]
  const helps = await Promise.all([[], ...commands.map((command) => [command])].map((words) => helpOf(name, words)))
  const about =
    `The exact face of ${name} of Apache Kafka ${KAFKA_VERSION}: its options in its order, its texts on its streams, its exit codes; ` +
    `made by \`ktool faces\`, also with .sh. ${note ?? ''} ${example.includes(AT) ? ABOUT_CLUSTERS : ''}`
  return page(name, summary, [
    ['SYNOPSIS', `.B ${escape(name)}\n[\\fIoptions\\fR]`],
    ['DESCRIPTION', paragraph(about)],
    ['OPTIONS', helps.map((help) => `.nf\n${escape(help.trimEnd())}\n.fi`).join('\n.PP\n')],
    ['EXIT STATUS', terms([['0', 'Done.'], ['1', 'It failed, or the command line is wrong.']]) + (ends === undefined ? '' : `\n.PP\nAs with Apache's tool,\n${paragraph(ends)}`)],
    ['EXAMPLES', `.nf\n${escape(example)}\n.fi`],
    ['SEE ALSO', '.BR ktool (1),\n.BR ktool\\-faces (1)'],
  ])
}

/** What it answers to --help, with `words` before. */
async function helpOf(name: FaceName, words: readonly string[]): Promise<string> {
  if (name === 'kafka-server-start') return 'kafka-server-start [-daemon] server.properties [--override property=value]*\n'
  // Like Apache's script it knows no --help: asked for it, it would stop the brokers of whoever builds the pages.
  if (name === 'kafka-server-stop') return 'kafka-server-stop [--process-role=broker|controller] [--node-id=ID]\n'
  let text = ''
  const add = (more: string): void => void (text += more)
  const io: FaceIo = { out: add, err: add, stdin: process.stdin, stdout: process.stdout, env: {} }
  const { face } = await loadFace(name)
  await runFace(face, [...words, '--help'], io)
  return text.replace(/(?<=perf-consumer-)\d+/, 'N') // another in every run
}
