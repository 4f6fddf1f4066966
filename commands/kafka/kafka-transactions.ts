// kafka-transactions (TransactionsCommand of Apache Kafka 4.3).

import { systemClock } from '../../src/base/clock.ts'
import {
  abortTransaction, describeProducers, describeTopics, describeTransactions, forceTerminateTransaction, listTopics, listTransactions,
  listTransactionsByBroker,  type OpenTransaction, type ProducerState, type Result, type TopicPartition, type TransactionDescription,
} from '../../src/client/admin.ts' // prettier-ignore
import type { Cluster } from '../../src/client/cluster.ts'
import { ArgparseError, argparseExit, HelpScreen, type Namespace, parseArguments, type Program } from '../../src/cli/apache/argparse.ts'
import { type Face, FaceExit, type FaceIo } from '../../src/cli/apache/face.ts'
import { toJava } from '../../src/cli/apache/java-errors.ts'
import { tableText } from '../../src/cli/apache/java-text.ts'
import { logLine } from '../../src/cli/apache/log4j.ts'
import { untilItIsThere, untilThere } from '../../src/cli/apache/missing-partitions.ts'
import { type Admin, openAdmin } from '../../src/cli/apache/open-admin.ts'
import { loadProperties } from '../../src/cli/apache/open-cluster.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const TOPIC = { flags: ['--topic'], isRequired: true, help: 'The topic.' } as const
const PARTITION = { flags: ['--partition'], type: 'Integer', isRequired: true, help: 'The partition.' } as const
const BROKER = { flags: ['--broker-id'], type: 'Integer' } as const

const PROGRAM: Program = {
  prog: 'kafka-transactions.sh',
  description: 'Show transactions, and end those that hang.',
  commandsTitle: 'commands',
  commandsMetavar: 'COMMAND',
  arguments: [
    { flags: ['-v', '--version'], action: 'version', help: "Print Kafka's version and end." },
    { flags: ['--command-config'], metavar: 'FILE', help: 'A file of client properties.' },
    { flags: ['--bootstrap-server'], metavar: 'host:port', isRequired: true, help: 'Brokers to ask first, HOST:PORT[,…].' },
  ],
  commands: {
    list: {
      help: 'Print the transactional ids.',
      arguments: [
        { flags: ['--duration-filter'], type: 'Long', help: 'Only those under way for more than so many ms.' },
        { flags: ['--transactional-id-pattern'], help: 'Only those that match this regular expression.' },
      ],
    },
    describe: {
      help: 'Show a transactional id.',
      arguments: [{ flags: ['--transactional-id'], isRequired: true, help: 'The transactional id.' }],
    },
    'describe-producers': {
      help: 'Show the producers of a partition.',
      arguments: [{ ...BROKER, help: 'The replica on this broker, not the leader.' }, TOPIC, PARTITION],
    },
    abort: {
      help: 'Abort a transaction in one partition.',
      groups: { new: { title: 'Brokers since 3.0' }, old: { title: 'Brokers before 3.0', description: 'All of these.' } },
      arguments: [
        TOPIC,
        PARTITION,
        { flags: ['--start-offset'], type: 'Long', group: 'new', help: 'Where the transaction begins.' },
        { flags: ['--producer-id'], type: 'Long', group: 'old', help: 'Its producer.' },
        { flags: ['--producer-epoch'], type: 'Short', group: 'old', help: "The producer's epoch." },
        { flags: ['--coordinator-epoch'], type: 'Integer', group: 'old', help: "The coordinator's epoch." },
      ],
    },
    'find-hanging': {
      help: 'Look for transactions that nobody will end.',
      arguments: [
        { ...BROKER, help: 'Only partitions with a replica on this broker.' },
        { flags: ['--max-transaction-timeout'], type: 'Integer', default: 15, help: 'Minutes that a transaction may last.' },
        { flags: ['--topic'], help: 'Only this topic.' },
        { flags: ['--partition'], type: 'Integer', help: 'Only this partition.' },
      ],
    },
    forceTerminateTransaction: {
      help: 'End what is under way by a transactional id.',
      arguments: [{ flags: ['--transactionalId'], isRequired: true, help: 'The transactional id.' }],
    },
  },
}

type Run = (admin: Admin, options: Namespace, io: FaceIo) => Promise<void>

const COMMANDS: Readonly<Record<string, Run>> = {
  list, describe, 'describe-producers': producers, abort, 'find-hanging': findHanging, forceTerminateTransaction: terminate,
} // prettier-ignore

export const face: Face = async (argv, io) => {
  let options: Namespace
  try {
    options = parseArguments(PROGRAM, argv, io)
  } catch (error) {
    if (error instanceof HelpScreen) throw new FaceExit(1, { out: error.help })
    if (error instanceof ArgparseError) throw argparseExit(error)
    throw error
  }
  const properties = await tried('Failed to load admin client properties', loadProperties(options.string('command_config')))
  const admin = await openAdmin(io, { bootstrapServer: options.string('bootstrap_server'), properties })
  try {
    await COMMANDS[options.command ?? ''](admin, options, io)
    return 0
  } finally {
    await admin.close()
  }
}

async function list(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const duration = options.long('duration_filter')
  const longerThanMs = duration === undefined ? undefined : Number(duration)
  const pattern = options.string('transactional_id_pattern') || undefined
  const found = await tried(
    'Failed to list transactions',
    admin.call('listTransactions', async (cluster) => {
      const results = [...(await listTransactionsByBroker(cluster, { longerThanMs, pattern }))]
      return results.flatMap(([broker, result]) => {
        if (result.ok) return result.value
        const text = `The \`ListTransactions\` request sent to broker ${broker} failed because of an unexpected error ${result.error.error}`
        logLine(io, 'ERROR', `[AdminClient clientId=adminclient-1] ${text}`, 'org.apache.kafka.clients.admin.internals.ListTransactionsHandler')
        throw new Error(`ListTransactions request sent to broker ${broker} failed with an unexpected exception`)
      })
    }),
  )
  const rows = found.map(({ transactionalId, coordinator, producerId, state }) => [transactionalId, String(coordinator), String(producerId), state])
  io.out(tableText(['TransactionalId', 'Coordinator', 'ProducerId', 'TransactionState'], rows))
}

async function describe(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const id = options.string('transactional_id') ?? ''
  const what = `Failed to describe transaction state of transactional-id \`${id}\``
  const found = await tried(what, admin.call('describeTransactions', async (cluster) => valueOf((await describeTransactions(cluster, [id])).get(id), id)))
  const now = systemClock.now()
  const headings = [
    'CoordinatorId', 'TransactionalId', 'ProducerId', 'ProducerEpoch', 'TransactionState', 'TransactionTimeoutMs',
    'CurrentTransactionStartTimeMs', 'TransactionDurationMs', 'TopicPartitions',
  ] // prettier-ignore
  const isOpen = found.startedAt >= 0
  const row = [
    String(found.coordinator), id, String(found.producerId), String(found.producerEpoch), found.state, String(found.timeoutMs),
    isOpen ? String(found.startedAt) : 'None', isOpen ? String(now - found.startedAt) : 'None', found.partitions.map(nameOf).join(','),
  ] // prettier-ignore
  io.out(tableText(headings, [row]))
}

/** Java's client has texts of its own for what a coordinator answers. */
function valueOf(result: Result<TransactionDescription> | undefined, id: string): TransactionDescription {
  if (result?.ok === true) return result.value
  const request = `DescribeTransactions request for transactionalId \`${id}\` failed`
  if (result?.error.error === 'TRANSACTIONAL_ID_NOT_FOUND') throw new Error(`${request} because the ID could not be found`)
  if (result?.error.error === 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED') throw new Error(`${request} due to authorization failure`)
  throw result?.error ?? new Error(request)
}

async function producers(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const place = placeIn(options)
  const broker = options.number('broker_id')
  const where = broker === undefined ? 'leader' : `broker ${broker}`
  const states = await tried(`Failed to describe producers for partition ${nameOf(place)} on ${where}`, producersOf(admin, place, broker))
  const headings = ['ProducerId', 'ProducerEpoch', 'LatestCoordinatorEpoch', 'LastSequence', 'LastTimestamp', 'CurrentTransactionStartOffset']
  const rows = states.map(({ producerId, producerEpoch, coordinatorEpoch, lastSequence, lastTimestamp, transactionStart }) => [
    String(producerId), String(producerEpoch), String(coordinatorEpoch), String(lastSequence), String(lastTimestamp),
    transactionStart < 0 ? 'None' : String(transactionStart),
  ]) // prettier-ignore
  io.out(tableText(headings, rows))
}

function producersOf(admin: Admin, place: TopicPartition, broker: number | undefined): Promise<readonly ProducerState[]> {
  return admin.call('describeProducers', async (cluster) => {
    const [{ result }] = await untilThere(cluster, describeCall(broker), [place], (some) => describeProducers(cluster, some, { broker }))
    if (!result.ok) throw result.error
    return result.value
  })
}

/** With a broker named, no leader is looked up. */
function describeCall(broker: number | undefined): string {
  return `describeProducers(api=${broker === undefined ? 'METADATA' : 'DESCRIBE_PRODUCERS'})`
}

async function abort(admin: Admin, options: Namespace): Promise<void> {
  const place = placeIn(options)
  const transaction = await openTransaction(admin, place, options)
  const { producerId, producerEpoch, coordinatorEpoch } = transaction
  const spec = `AbortTransactionSpec(topicPartition=${nameOf(place)}, producerId=${producerId}, producerEpoch=${producerEpoch}, coordinatorEpoch=${coordinatorEpoch})`
  const work = (cluster: Cluster): Promise<void> => untilItIsThere(cluster, 'abortTransaction(api=METADATA)', transaction, () => abortTransaction(cluster, transaction))
  await tried(`Failed to abort transaction ${spec}`, admin.call('abortTransaction', work))
}

async function openTransaction(admin: Admin, place: TopicPartition, options: Namespace): Promise<OpenTransaction> {
  const startOffset = options.long('start_offset')
  const producerId = options.long('producer_id')
  if (startOffset !== undefined) {
    const states = await tried(`Failed to validate producer state for partition ${nameOf(place)}`, producersOf(admin, place, undefined))
    const found = states.find(({ transactionStart }) => transactionStart >= 0 && BigInt(transactionStart) === startOffset)
    if (found === undefined) throw refused(`Could not find any open transactions starting at offset ${startOffset} on partition ${nameOf(place)}`)
    const { producerId, producerEpoch, coordinatorEpoch } = found
    return { ...place, producerId, producerEpoch, coordinatorEpoch: Math.max(0, coordinatorEpoch) }
  }
  if (producerId === undefined) {
    throw refused(
      'The transaction to abort must be identified either with --start-offset (for brokers on 3.0 or above) or with ' +
        '--producer-id, --producer-epoch, and --coordinator-epoch (for older brokers)',
    )
  }
  const producerEpoch = options.number('producer_epoch')
  if (producerEpoch === undefined) throw refused('Missing required argument --producer-epoch')
  const coordinatorEpoch = options.number('coordinator_epoch')
  if (coordinatorEpoch === undefined) throw refused('Missing required argument --coordinator-epoch')
  return { ...place, producerId, producerEpoch, coordinatorEpoch: Math.max(0, coordinatorEpoch) }
}

interface Candidate extends TopicPartition {
  readonly state: ProducerState
}

async function findHanging(admin: Admin, options: Namespace, io: FaceIo): Promise<void> {
  const broker = options.number('broker_id')
  const topic = options.string('topic')
  const partition = options.number('partition')
  if (topic === undefined && broker === undefined) {
    throw refused('The `find-hanging` command requires either --topic or --broker-id to limit the scope of the search')
  }
  if (topic === undefined && partition !== undefined) throw refused('The --partition argument requires --topic to be provided')
  const patienceMs = (options.number('max_transaction_timeout') ?? 0) * 60_000
  const places = topic !== undefined && partition !== undefined ? [{ topic, partition }] : await placesOf(admin, topic, broker)
  const open = await openIn(admin, places, broker, patienceMs)
  const headings = ['Topic', 'Partition', 'ProducerId', 'ProducerEpoch', 'CoordinatorEpoch', 'StartOffset', 'LastTimestamp', 'Duration(min)']
  const now = systemClock.now()
  const rows = (await hangingOf(admin, open)).map(({ topic, partition, state }) => [
    topic, String(partition), String(state.producerId), String(state.producerEpoch), String(state.coordinatorEpoch),
    String(state.transactionStart), String(state.lastTimestamp), String(Math.trunc((now - state.lastTimestamp) / 60_000)),
  ]) // prettier-ignore
  io.out(tableText(headings, rows))
}

async function placesOf(admin: Admin, topic: string | undefined, broker: number | undefined): Promise<TopicPartition[]> {
  const topics = topic === undefined ? (await tried('Failed to list topics', admin.call('listTopics', (cluster) => listTopics(cluster)))).map(({ name }) => name) : [topic]
  if (topics.length === 0) return []
  const found = await tried(
    `Failed to describe ${topics.length} topics`,
    admin.call('describeTopics', async (cluster) =>
      [...(await describeTopics(cluster, topics)).values()].map((result) => {
        if (!result.ok) throw result.error
        return result.value
      }),
    ),
  )
  return found.flatMap(({ name, partitions }) =>
    partitions.filter(({ replicas }) => broker === undefined || replicas.includes(broker)).map(({ partition }) => ({ topic: name, partition })),
  )
}

/** Transactions that were last written to more than `patienceMs` ago. */
async function openIn(admin: Admin, places: readonly TopicPartition[], broker: number | undefined, patienceMs: number): Promise<Candidate[]> {
  if (places.length === 0) return []
  const what = `Failed to describe producers for ${places.length} partitions on broker ${broker === undefined ? 'Optional.empty' : `Optional[${broker}]`}`
  const states = await tried(
    what,
    admin.call('describeProducers', async (cluster) => {
      const results = await untilThere(cluster, describeCall(broker), places, (some) => describeProducers(cluster, some, { broker }))
      return results.flatMap(({ topic, partition, result }) => {
        if (!result.ok) throw result.error
        return result.value.map((state) => ({ topic, partition, state }))
      })
    }),
  )
  const now = systemClock.now()
  return states.filter(({ state }) => state.transactionStart >= 0 && now - state.lastTimestamp > patienceMs)
}

/** Those of which no coordinator knows that it has yet to end them. */
async function hangingOf(admin: Admin, open: readonly Candidate[]): Promise<Candidate[]> {
  if (open.length === 0) return []
  const producerIds = [...new Set(open.map(({ state }) => state.producerId))]
  const listed = await tried(`Failed to list transactions for ${producerIds.length} producers`, admin.call('listTransactions', (cluster) => listTransactions(cluster, { producerIds })))
  const ids = new Map(listed.map(({ producerId, transactionalId }) => [producerId, transactionalId]))
  const described = await tried(`Failed to describe ${ids.size} transactions`, admin.call('describeTransactions', (cluster) => describeTransactions(cluster, [...new Set(ids.values())])))
  return open.filter(({ topic, partition, state }) => {
    const result = described.get(ids.get(state.producerId) ?? '')
    return result?.ok !== true || !result.value.partitions.some((place) => place.topic === topic && place.partition === partition)
  })
}

async function terminate(admin: Admin, options: Namespace): Promise<void> {
  const id = options.string('transactionalId') ?? ''
  await tried(`Failed to force terminate transactionalId \`${id}\``, admin.call('fenceProducer', (cluster) => forceTerminateTransaction(cluster, id)))
}

function placeIn(options: Namespace): TopicPartition {
  return { topic: options.string('topic') ?? '', partition: options.number('partition') ?? 0 }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}

async function tried<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw refused(`${what}: ${toJava(error).message}. Enable debug logging for additional detail.`)
  }
}

function refused(message: string): FaceExit {
  return new FaceExit(1, { err: `${message}\n` })
}
