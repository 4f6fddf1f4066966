// `ktool topics`: which action, what to ask a person, and how the results look.

import * as Flags from '@oclif/core/flags'
import { type Belongings, chosenAction, saidIn } from '../src/cli/actions.ts'
import { askText, canAsk, chooseTopic } from '../src/cli/ask.ts'
import { changeFlags, ClusterCommand, topicsFlag, watchFlag } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import { redraw } from '../src/cli/redraw.ts'
import { reportOutcomes, showTopics } from '../src/cli/topic-views.ts'
import * as verbs from '../src/cli/verbs/topics.ts'

const ACTIONS = ['create', 'list', 'describe', 'alter', 'delete'] as const
type Action = (typeof ACTIONS)[number]

const BELONGS: Belongings<Action> = {
  partitions: ['create', 'alter'],
  'replication-factor': ['create'],
  'replica-assignment': ['create'],
  config: ['create'],
  'if-not-exists': ['create'],
  'if-exists': ['alter', 'delete', 'describe'],
  'exclude-internal': ['list', 'describe'],
  regex: ['list', 'describe', 'alter', 'delete'],
  yes: ['alter', 'delete'],
  'dry-run': ['create', 'alter', 'delete'],
  watch: ['list', 'describe'],
}

export default class Topics extends ClusterCommand {
  static override words = { actions: ACTIONS, argument: 'topic' }

  static override description =
    'Names are literal; --regex makes them patterns. `create NAME` and `--create --topic NAME` are the same. With no cluster named and no broker running, --create starts the bundled one.'

  static override usage = [
    'topics create [NAME]… [--partitions N] [--replication-factor N] [--config NAME=VALUE]… [--if-not-exists] [--dry-run]',
    'topics list [NAME]… [--exclude-internal] [--watch]',
    'topics describe [NAME]… [--exclude-internal] [--watch]',
    'topics alter NAME… --partitions N [--yes] [--dry-run]',
    'topics delete NAME… [--yes] [--dry-run]',
  ]

  static override examples = [
    { description: 'A topic on the bundled broker', command: 'ktool topics create orders -p 3' },
    { description: 'Compacted, on a cluster', command: 'ktool topics create users -b kafka:9092 --config cleanup.policy=compact' },
    { description: 'What is there, for a program', command: 'ktool topics describe --json' },
    { description: 'See what would go', command: "ktool topics delete --regex 'test-.*' --dry-run" },
    { description: 'Delete all that match, without being asked', command: "ktool topics delete --regex 'test-.*' --yes" },
  ]

  static override flags = {
    create: Flags.boolean({ summary: 'Create a topic.' }),
    list: Flags.boolean({ summary: 'Print the names, one a line.' }),
    describe: Flags.boolean({ summary: 'Show partitions, replicas and settings.' }),
    alter: Flags.boolean({ summary: 'Add partitions. Settings are changed with `ktool configs`.' }),
    delete: Flags.boolean({ summary: 'Delete topics and all their records.' }),
    topic: topicsFlag('The topic. --create on the bundled broker takes `messages` if none is named.'),
    partitions: Flags.integer({ char: 'p', min: 1, helpValue: 'N', summary: "How many. The cluster's default, unless said." }),
    'replication-factor': Flags.integer({
      min: 1,
      helpValue: 'N',
      summary: "Copies of each partition. The cluster's default, unless said.",
    }),
    'replica-assignment': Flags.string({
      helpValue: 'ID:ID,…',
      summary: 'Broker ids by partition: 1:2,2:3 is two partitions on two brokers each.',
    }),
    config: Flags.string({ multiple: true, multipleNonGreedy: true, helpValue: 'NAME=VALUE', summary: 'A setting of the new topic.' }),
    'if-exists': Flags.boolean({ summary: 'A topic that is not there is no error.' }),
    'if-not-exists': Flags.boolean({ summary: 'A topic that is there already is no error.' }),
    'exclude-internal': Flags.boolean({ summary: "Leave out Kafka's own topics." }),
    regex: Flags.boolean({ summary: "--topic is a regular expression for whole names. alter and delete take Kafka's own topics by name only." }),
    ...changeFlags,
    watch: watchFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Topics)
    const action = await chosenAction('topics', ACTIONS, BELONGS, saidIn(flags), this.output)
    const isCreate = action === 'create'
    const remark = isCreate && flags.topic === undefined ? `no --topic given: it is '${verbs.DEFAULT_TOPIC}'` : undefined
    const connection = await this.connect(flags, { start: isCreate && !flags['dry-run'], remark })
    const selection = { names: flags.topic ?? [], isPattern: flags.regex, excludeInternal: flags['exclude-internal'] }
    switch (action) {
      case 'list':
        return this.#show(flags.watch, () => this.#list(connection, selection))
      case 'describe':
        return this.#show(flags.watch, () => this.#describe(connection, selection, flags['if-exists']))
      case 'create':
        return this.#create(connection, flags)
      case 'alter':
        return this.#alter(connection, selection, flags)
      case 'delete':
        return this.#delete(connection, selection, flags)
    }
  }

  #show(isWatched: boolean, draw: () => Promise<void>): Promise<void> {
    return isWatched ? redraw(this.output, draw) : draw()
  }

  async #list(connection: Connection, selection: verbs.TopicSelection): Promise<void> {
    // A pattern may match nothing; a name that is nobody's is a mistake.
    const isNamed = selection.names.length > 0 && !selection.isPattern
    const { names, missing } = isNamed
      ? await verbs.selectTopics(connection.cluster, selection, false)
      : { names: await verbs.listTopicNames(connection.cluster, selection), missing: [] }
    if (names.length === 0 && missing.length === 1) throw missing[0].error
    if (missing.length > 0) process.exitCode = ExitCode.failed
    if (this.output.isJson) {
      const failed = missing.map(({ name, error }) => ({ name, error: errorJson(error) }))
      this.output.json({ topics: names, ...(missing.length > 0 && { missing: failed }) })
      return
    }
    for (const name of names) this.output.line(name)
    for (const { error } of missing) this.output.talk(`ktool: ${failureLine(error)}`)
  }

  async #describe(connection: Connection, selection: verbs.TopicSelection, ifExists: boolean): Promise<void> {
    const { names, missing } = await verbs.selectTopics(connection.cluster, selection, ifExists)
    if (names.length === 0 && missing.length === 1) throw missing[0].error
    await showTopics(await verbs.describeTopicDetails(connection.cluster, names), missing, this.output)
    if (missing.length > 0) process.exitCode = ExitCode.failed
  }

  async #create(connection: Connection, flags: CreateFlags): Promise<void> {
    const assignments = flags['replica-assignment'] === undefined ? undefined : verbs.parseReplicaAssignment(flags['replica-assignment'])
    if (assignments !== undefined && (flags.partitions !== undefined || flags['replication-factor'] !== undefined)) {
      throw usageError('--replica-assignment says how many partitions and replicas there are', 'leave out --partitions and --replication-factor')
    }
    const names = flags.topic ?? [await this.#newName(connection)]
    const configs = verbs.parseTopicConfigs(flags.config ?? [])
    const { partitions, 'replication-factor': replicationFactor } = flags
    const topics = names.map((name) => ({ name, partitions, replicationFactor, assignments, configs }))
    // Nothing is lost by a topic more, so nobody is asked.
    await this.mayChange(connection, { question: '', isSeveral: false, flags })
    const change = { ifNotExists: flags['if-not-exists'], validateOnly: flags['dry-run'] }
    const outcomes = await verbs.createNewTopics(connection.cluster, topics, change)
    this.#report('created', flags, outcomes, (name, count) => {
      return `${flags['dry-run'] ? 'would create' : 'created'} topic ${name}${count === null ? '' : ` with ${count} partition${count === 1 ? '' : 's'}`}`
    })
  }

  async #alter(connection: Connection, selection: verbs.TopicSelection, flags: AlterFlags): Promise<void> {
    if (flags.partitions === undefined) throw usageError('--alter needs --partitions', 'settings are changed with `ktool configs --alter`')
    const { names, missing } = await this.#named(connection, selection, flags['if-exists'], 'Add partitions to which topic?')
    const question = `Bring ${several(names)} to ${flags.partitions} partitions?`
    const change = { question, isSeveral: selection.isPattern || names.length > 1, flags }
    if (names.length > 0 && !(await this.mayChange(connection, change))) return
    const outcomes = await verbs.growTopics(connection.cluster, names, flags.partitions, { validateOnly: flags['dry-run'] })
    this.#report('altered', flags, [...outcomes, ...missing.map(failed)], (name, count) => {
      return `topic ${name} ${flags['dry-run'] ? 'would have' : 'now has'} ${count ?? 0} partitions`
    })
  }

  async #delete(connection: Connection, selection: verbs.TopicSelection, flags: DeleteFlags): Promise<void> {
    const { names, missing } = await this.#named(connection, selection, flags['if-exists'], 'Delete which topic?')
    const change = { question: `Delete ${several(names)}?`, isSeveral: selection.isPattern || names.length > 1, isFinal: true, flags }
    if (names.length > 0 && !(await this.mayChange(connection, change))) return
    const outcomes = await verbs.removeTopics(connection.cluster, names, { validateOnly: flags['dry-run'] })
    const verb = flags['dry-run'] ? 'would delete' : 'deleted'
    this.#report('deleted', flags, [...outcomes, ...missing.map(failed)], (name) => `${verb} topic ${name}`)
  }

  async #newName(connection: Connection): Promise<string> {
    if (connection.isBundled) return verbs.DEFAULT_TOPIC
    if (canAsk(this.output)) return askText('Name of the new topic:')
    throw usageError('--create needs --topic', 'only the bundled broker has a default topic')
  }

  async #named(connection: Connection, selection: verbs.TopicSelection, ifExists: boolean, question: string): Promise<verbs.SelectedTopics> {
    // Without Kafka's own topics no group finds its offsets again: they are named in full by whoever means them.
    const excludeInternal = selection.excludeInternal || selection.isPattern
    if (selection.names.length > 0) return verbs.selectTopics(connection.cluster, { ...selection, excludeInternal }, ifExists)
    if (!canAsk(this.output)) throw usageError('--topic is missing', 'see `ktool topics --list` for the names')
    return { names: [await chooseTopic(connection.cluster, question)], missing: [] }
  }

  #report(
    verb: string,
    flags: ChangeFlags,
    outcomes: readonly verbs.TopicOutcome[],
    say: (name: string, partitions: number | null) => string,
  ): void {
    if (!reportOutcomes(verb, outcomes, say, this.output, flags['dry-run'])) process.exitCode = ExitCode.failed
  }
}

function several(names: readonly string[]): string {
  return `${names.length === 1 ? 'topic' : `${names.length} topics:`} ${names.join(', ')}`
}

function failed({ name, error }: verbs.MissingTopic): verbs.TopicOutcome {
  return { name, done: false, partitions: null, error }
}

interface ChangeFlags {
  readonly yes: boolean
  readonly 'dry-run': boolean
}

interface CreateFlags extends ChangeFlags {
  readonly topic: readonly string[] | undefined
  readonly partitions: number | undefined
  readonly 'replication-factor': number | undefined
  readonly 'replica-assignment': string | undefined
  readonly config: readonly string[] | undefined
  readonly 'if-not-exists': boolean
}

interface AlterFlags extends ChangeFlags {
  readonly partitions: number | undefined
  readonly 'if-exists': boolean
}

interface DeleteFlags extends ChangeFlags {
  readonly 'if-exists': boolean
}
