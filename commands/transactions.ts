// `ktool transactions`: which action, what to ask a person, and how the results look.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { type Belongings, chosenAction } from '../src/cli/actions.ts'
import { changeFlags, ClusterCommand, topicsFlag, watchFlag } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { CliError, errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import { parseDuration } from '../src/cli/formats/times.ts'
import { redraw } from '../src/cli/redraw.ts'
import type { WordRules } from '../src/cli/words.ts'
import * as verbs from '../src/cli/verbs/transactions.ts'

type Cluster = Connection['cluster']

const ACTIONS = ['list', 'describe', 'describe-producers', 'find-hanging', 'abort'] as const
type Action = (typeof ACTIONS)[number]

const BELONGS: Belongings<Action> = {
  'transactional-id': ['describe'],
  'longer-than': ['list'],
  pattern: ['list'],
  topic: ['describe-producers', 'find-hanging', 'abort'],
  partition: ['describe-producers', 'find-hanging', 'abort'],
  'broker-id': ['find-hanging'],
  'max-transaction-timeout': ['find-hanging'],
  'start-offset': ['abort'],
  'producer-id': ['abort'],
  'producer-epoch': ['abort'],
  'coordinator-epoch': ['abort'],
  yes: ['abort'],
  'dry-run': ['abort'],
  watch: ['list', 'describe', 'describe-producers', 'find-hanging'],
}

export default class Transactions extends ClusterCommand {
  static override words: WordRules = {
    actions: ACTIONS,
    argument: (isSaid) => (isSaid('list') ? undefined : isSaid('describe') ? 'transactional-id' : 'topic'),
  }

  static override description =
    'A transaction that hangs is open in a partition while no coordinator knows of it any more; readers of committed records ' +
    'wait for it for ever. `find-hanging` looks for such, and `abort` ends one in its partition. `describe ID` and ' +
    '`--describe --transactional-id ID` are the same.'

  static override usage = [
    'transactions list [--longer-than DURATION] [--pattern REGEX] [--watch]',
    'transactions describe ID… [--watch]',
    'transactions describe-producers TOPIC --partition N [--watch]',
    'transactions find-hanging [TOPIC… [--partition N]] [--broker-id ID] [--max-transaction-timeout DURATION] [--watch]',
    'transactions abort TOPIC --partition N (--start-offset OFFSET | --producer-id ID --producer-epoch N --coordinator-epoch N) [--yes] [--dry-run]',
  ]

  static override examples = [
    { description: 'Which are under way for more than a minute', command: 'ktool transactions list --longer-than 1m' },
    { description: 'What holds up the readers of a topic', command: 'ktool transactions find-hanging orders' },
    { description: 'End it', command: 'ktool transactions abort orders -p 0 --start-offset 1234' },
  ]

  static override flags = {
    list: Flags.boolean({ summary: 'Print the transactional ids that there are.' }),
    describe: Flags.boolean({ summary: 'Show what its coordinator knows of a transactional id.' }),
    'describe-producers': Flags.boolean({ summary: 'Show the producers that a partition remembers.' }),
    'find-hanging': Flags.boolean({ summary: 'Look for transactions that nobody will end.' }),
    abort: Flags.boolean({ summary: 'Abort a transaction in one partition, past its coordinator.' }),
    'transactional-id': Flags.string({ multiple: true, multipleNonGreedy: true, helpValue: 'ID', summary: 'The transactional id.' }),
    'longer-than': Flags.string({ helpValue: 'DURATION', summary: 'Only transactions under way for longer (1m, 500ms).' }),
    pattern: Flags.string({ helpValue: 'REGEX', summary: 'Only transactional ids that match.' }),
    topic: topicsFlag('The topic.'),
    partition: Flags.integer({ char: 'p', min: 0, helpValue: 'N', summary: 'The partition.' }),
    'broker-id': Flags.integer({ min: 0, helpValue: 'ID', summary: 'Only partitions with a replica on this broker.' }),
    'max-transaction-timeout': Flags.string({
      default: '15m',
      helpValue: 'DURATION',
      summary: 'Transactions that were written to since are left alone.',
    }),
    'start-offset': Flags.integer({ min: 0, helpValue: 'OFFSET', summary: 'Where the transaction begins.' }),
    'producer-id': Flags.string({ helpValue: 'ID', summary: 'For brokers before 3.0, with the two epochs.' }),
    'producer-epoch': Flags.integer({ min: 0, helpValue: 'N', summary: "The producer's epoch." }),
    'coordinator-epoch': Flags.integer({ min: 0, helpValue: 'N', summary: "The coordinator's epoch." }),
    ...changeFlags,
    watch: watchFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Transactions)
    // --max-transaction-timeout has a default.
    const isSaid = (name: string): boolean => this.argv.some((word) => word === `--${name}` || word.startsWith(`--${name}=`))
    const action = await chosenAction('transactions', ACTIONS, BELONGS, isSaid, this.output)
    const place = action === 'describe-producers' || action === 'abort' ? placeOf(flags, action) : undefined
    const longerThanMs = flags['longer-than'] === undefined ? undefined : parseDuration('--longer-than', flags['longer-than'])
    const patience = parseDuration('--max-transaction-timeout', flags['max-transaction-timeout'])
    if (action === 'find-hanging' && flags.partition !== undefined && flags.topic === undefined) throw usageError('--partition needs --topic')
    const { 'transactional-id': ids = [] } = flags
    if (action === 'describe' && ids.length === 0) throw usageError('--describe needs --transactional-id')
    if (action === 'abort') checkIdentity(flags)
    const connection = await this.connect(flags)
    const { cluster } = connection
    if (action === 'abort') return place && this.#abort(connection, place, flags)
    const draw = (): Promise<void> => {
      if (action === 'list') return this.#list(cluster, longerThanMs, flags.pattern)
      if (action === 'describe') return this.#describe(cluster, [...new Set(ids)])
      if (place !== undefined) return this.#producers(cluster, place)
      return this.#findHanging(cluster, { ...flags, broker: flags['broker-id'] }, systemClock.now() - patience)
    }
    return flags.watch ? redraw(this.output, draw) : draw()
  }

  async #list(cluster: Cluster, longerThanMs: number | undefined, pattern: string | undefined): Promise<void> {
    const transactions = await verbs.listAllTransactions(cluster, { longerThanMs, pattern })
    if (this.output.isJson) {
      this.output.json({ transactions: transactions.map((each) => ({ ...each, producerId: String(each.producerId) })) })
      return
    }
    await this.output.table(
      [{ heading: 'transactional id' }, { heading: 'state' }, { heading: 'producer', align: 'right' }, { heading: 'coordinator', align: 'right' }],
      transactions.map(({ transactionalId, state, producerId, coordinator }) => [transactionalId, state, String(producerId), String(coordinator)]),
    )
  }

  async #describe(cluster: Cluster, ids: readonly string[]): Promise<void> {
    const described = await eachOf(ids, (id) => verbs.describeTransaction(cluster, id))
    if (ids.length === 1 && described[0].error !== null) throw described[0].error
    if (this.output.isJson) {
      const transactions = described.map(({ name, error, found }) => {
        if (found === undefined) return { transactionalId: name, error: errorJson(error) }
        const startedAt = found.startedAt < 0 ? null : found.startedAt
        return { ...found, producerId: String(found.producerId), startedAt, durationMs: ageOf(found.startedAt) }
      })
      this.output.json(ids.length === 1 ? transactions[0] : { transactions })
    } else {
      for (const [index, { found }] of described.filter((each) => each.found !== undefined).entries()) {
        if (index > 0) this.output.line('')
        if (found !== undefined) this.#describeOne(found)
      }
    }
    this.#complain(described.flatMap(({ error }) => error ?? []))
  }

  #describeOne(found: verbs.TransactionDescription): void {
    const age = ageOf(found.startedAt)
    const { transactionalId, state, producerId, producerEpoch, coordinator, timeoutMs, partitions } = found
    const lines: readonly (readonly [string, string])[] = [
      ['transactional id', transactionalId],
      ['state', state],
      ['producer', `${producerId}, epoch ${producerEpoch}`],
      ['coordinator', `broker ${coordinator}`],
      [this.output.named('time-out', 'ms'), this.output.duration(timeoutMs)],
      [this.output.named('under way', 'ms'), age === null ? '-' : `${this.output.duration(age)}, since ${new Date(found.startedAt).toISOString()}`],
      ['partitions', partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(' ') || '-'],
    ]
    for (const [name, value] of lines) this.output.line(`${name.padEnd(18)}${value}`)
  }

  async #producers(cluster: Cluster, place: Place): Promise<void> {
    const producers = await verbs.describePartitionProducers(cluster, place)
    if (this.output.isJson) {
      const shown = producers.map(({ transactionStart, coordinatorEpoch, ...each }) => ({
        ...each,
        producerId: String(each.producerId),
        coordinatorEpoch: coordinatorEpoch < 0 ? null : coordinatorEpoch,
        transactionStart: transactionStart < 0 ? null : transactionStart,
      }))
      this.output.json({ ...place, producers: shown })
      return
    }
    await this.output.table(
      [
        { heading: 'producer', align: 'right' },
        { heading: 'epoch', align: 'right' },
        { heading: 'coordinator epoch', align: 'right' },
        { heading: 'last sequence', align: 'right' },
        { heading: 'last record' },
        { heading: 'transaction from', align: 'right' },
      ],
      producers.map((each) => [
        String(each.producerId), String(each.producerEpoch), known(each.coordinatorEpoch), known(each.lastSequence), this.output.moment(each.lastTimestamp, systemClock.now()),
        known(each.transactionStart),
      ]), // prettier-ignore
    )
  }

  async #findHanging(cluster: Cluster, { topic: topics, partition, broker }: HangingFlags, olderThan: number): Promise<void> {
    const searched = await eachOf([...new Set(topics ?? [''])], (topic) => {
      return verbs.findHanging(cluster, { topic: topic || undefined, partition, broker }, olderThan)
    })
    if (searched.length === 1 && searched[0].error !== null) throw searched[0].error
    const hanging = searched.flatMap(({ found }) => found ?? [])
    const failures = searched.filter(({ error }) => error !== null)
    if (this.output.isJson) {
      this.output.json({
        hanging: hanging.map((each) => ({ ...each, producerId: String(each.producerId) })),
        ...(failures.length > 0 && { failures: failures.map(({ name, error }) => ({ topic: name, error: errorJson(error) })) }),
      })
    }
    this.#complain(failures.flatMap(({ error }) => error ?? []))
    if (this.output.isJson) return
    if (hanging.length === 0) {
      if (failures.length === 0) this.output.talk('no transaction hangs')
      return
    }
    await this.output.table(
      [
        { heading: 'topic' },
        { heading: 'partition', align: 'right' },
        { heading: 'from offset', align: 'right' },
        { heading: 'producer', align: 'right' },
        { heading: 'epoch', align: 'right' },
        { heading: 'coordinator epoch', align: 'right' },
        { heading: 'last record' },
        { heading: this.output.named('idle', 'ms'), align: 'right' },
      ],
      hanging.map((each) => [
        each.topic, String(each.partition), String(each.startOffset), String(each.producerId), String(each.producerEpoch),
        String(each.coordinatorEpoch), this.output.moment(each.lastTimestamp, systemClock.now()), this.output.duration(systemClock.now() - each.lastTimestamp),
      ]), // prettier-ignore
    )
  }

  #complain(errors: readonly CliError[]): void {
    if (errors.length === 0) return
    // In JSON each is told where the thing itself is.
    if (!this.output.isJson) for (const error of errors) this.output.talk(`ktool: ${failureLine(error)}`)
    process.exitCode = ExitCode.failed
  }

  async #abort(connection: Connection, place: Place, flags: AbortFlags): Promise<void> {
    const { cluster } = connection
    const isDryRun = flags['dry-run']
    const { 'start-offset': startOffset, 'producer-id': producerId, 'producer-epoch': producerEpoch, 'coordinator-epoch': coordinatorEpoch } = flags
    const transaction =
      startOffset === undefined
        ? { ...place, producerId: BigInt(producerId ?? -1), producerEpoch: producerEpoch ?? 0, coordinatorEpoch: coordinatorEpoch ?? 0 }
        : await verbs.openTransactionAt(cluster, place, startOffset)
    const name = `${place.topic}-${place.partition}`
    const question = `Abort the transaction of producer ${transaction.producerId} in ${name}?`
    if (!(await this.mayChange(connection, { question, isSeveral: false, isFinal: true, flags }))) return
    if (!isDryRun) await verbs.abortOpenTransaction(cluster, transaction)
    if (this.output.isJson) {
      this.output.json({ ...(isDryRun && { dryRun: true }), ...transaction, producerId: String(transaction.producerId), aborted: true })
    } else this.output.line(`${isDryRun ? 'would abort' : 'aborted'} the transaction of producer ${transaction.producerId} in ${name}`)
  }
}

interface Place {
  readonly topic: string
  readonly partition: number
}

interface IdentityFlags {
  readonly 'start-offset': number | undefined
  readonly 'producer-id': string | undefined
  readonly 'producer-epoch': number | undefined
  readonly 'coordinator-epoch': number | undefined
}

interface AbortFlags extends IdentityFlags {
  readonly yes: boolean
  readonly 'dry-run': boolean
}

interface HangingFlags {
  readonly topic?: readonly string[] | undefined
  readonly partition?: number | undefined
  readonly broker?: number | undefined
}

function placeOf({ topic: topics, partition }: HangingFlags, action: Action): Place {
  if (topics === undefined || partition === undefined) throw usageError(`--${action} needs --topic and --partition`)
  if (topics.length > 1) throw usageError(`--${action} is for one partition of one topic`)
  return { topic: topics[0], partition }
}

interface Outcome<T> {
  readonly name: string
  readonly found: T | undefined
  readonly error: CliError | null
}

/** What each of several is found to be; what goes wrong with one is its own. */
function eachOf<T>(names: readonly string[], find: (name: string) => Promise<T>): Promise<Outcome<T>[]> {
  return Promise.all(
    names.map(async (name) => {
      try {
        return { name, found: await find(name), error: null }
      } catch (error) {
        if (error instanceof CliError) return { name, found: undefined, error }
        throw error
      }
    }),
  )
}

function ageOf(startedAt: number): number | null {
  return startedAt < 0 ? null : Math.max(0, systemClock.now() - startedAt)
}

function checkIdentity(flags: IdentityFlags): void {
  const { 'start-offset': startOffset, 'producer-id': producerId } = flags
  if (startOffset === undefined && producerId === undefined) {
    throw usageError('--abort needs --start-offset, or --producer-id with --producer-epoch and --coordinator-epoch')
  }
  if (startOffset !== undefined) return
  if (!/^\d{1,18}$/.test(producerId ?? '')) throw usageError(`--producer-id '${producerId ?? ''}' is no producer id`)
  if (flags['producer-epoch'] === undefined) throw usageError('--producer-id needs --producer-epoch')
  if (flags['coordinator-epoch'] === undefined) throw usageError('--producer-id needs --coordinator-epoch')
}

function known(value: number): string {
  return value < 0 ? '-' : String(value)
}
