// `ktool groups`: which action, what to ask a person, and how the results look.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { printable } from '../src/base/logger.ts'
import { type Belongings, chosenAction, saidIn } from '../src/cli/actions.ts'
import { canAsk, choose } from '../src/cli/ask.ts'
import { changeFlags, ClusterCommand, partitionsFlag, watchFlag, zoneFlag } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { type CliError, errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import { parsePlace } from '../src/cli/formats/positions.ts'
import { nowIn, parseAnyDuration, parseDateTime } from '../src/cli/formats/times.ts'
import { showMembers, showOffsetRemoval, showOffsets, showResets, showStates } from '../src/cli/group-views.ts'
import { redraw } from '../src/cli/redraw.ts'
import type { WordRules } from '../src/cli/words.ts'
import * as resets from '../src/cli/verbs/group-resets.ts'
import * as verbs from '../src/cli/verbs/groups.ts'

type Cluster = Connection['cluster']

const ACTIONS = ['list', 'describe', 'reset-offsets', 'delete', 'delete-offsets'] as const
type Action = (typeof ACTIONS)[number]

const TARGETS = ['to', 'to-earliest', 'to-latest', 'to-current', 'to-offset', 'shift-by', 'to-datetime', 'by-duration', 'from-file'] as const

const BELONGS: Belongings<Action> = {
  group: ['describe', 'reset-offsets', 'delete', 'delete-offsets'],
  'all-groups': ['describe', 'reset-offsets', 'delete'],
  state: ['list', 'describe'],
  type: ['list'],
  members: ['describe'],
  offsets: ['describe'],
  topic: ['reset-offsets', 'delete-offsets'],
  'all-topics': ['reset-offsets'],
  execute: ['reset-offsets', 'delete-offsets'],
  'dry-run': ['reset-offsets', 'delete-offsets', 'delete'],
  export: ['reset-offsets'],
  tz: ['reset-offsets'],
  yes: ['delete', 'reset-offsets', 'delete-offsets'],
  watch: ['list', 'describe'],
  ...Object.fromEntries(TARGETS.map((target) => [target, ['reset-offsets']])),
}

export default class Groups extends ClusterCommand {
  static override words: WordRules = { actions: ACTIONS, argument: (isSaid) => (isSaid('list') ? undefined : 'group') }

  static override description =
    'Names are literal. `describe` shows how far each group is, its lag, which is how many records it has yet to read, and who reads for it. `reset-offsets` and `delete-offsets` only ' +
    'show what they would do, unless --execute says to do it; a group can be moved while it has no members. `describe NAME` and ' +
    '`--describe --group NAME` are the same.'

  static override usage = [
    'groups list [--state [STATE,…]] [--type TYPE,…] [--watch]',
    'groups describe (NAME… | --all-groups) [--offsets | --members | --state] [--verbose] [--watch]',
    'groups reset-offsets (NAME… | --all-groups) (--topic NAME[:PARTITION,…]… | --all-topics) TARGET [--execute [--yes]] [--export]',
    'groups delete (NAME… | --all-groups) [--yes] [--dry-run]',
    'groups delete-offsets NAME --topic NAME[:PARTITION,…]… [--execute [--yes]]',
  ]

  static override examples = [
    { description: 'How far behind a group is', command: 'ktool groups describe billing' },
    { description: 'The same for a program', command: 'ktool groups describe billing --json' },
    { description: 'An hour back: look first, then do it', command: 'ktool groups reset-offsets billing --topic orders --by-duration 1h --execute' },
    { description: 'Keep the offsets of a group, and bring them back', command: 'ktool groups reset-offsets billing --all-topics --to-current --export > offsets.csv' },
  ]

  static override flags = {
    list: Flags.boolean({ summary: 'Print the groups of consumers, one a line; with --state or --type a table.' }),
    describe: Flags.boolean({ summary: 'Show offsets and lag, or members, or state.' }),
    'reset-offsets': Flags.boolean({ summary: 'Move a group to other offsets.' }),
    delete: Flags.boolean({ summary: 'Delete groups without members, and their offsets.' }),
    'delete-offsets': Flags.boolean({ summary: "Delete a group's offsets for topics that nobody reads for it." }),
    group: Flags.string({ char: 'g', multiple: true, multipleNonGreedy: true, helpValue: 'NAME', summary: 'The group.' }),
    'all-groups': Flags.boolean({ summary: 'All groups of consumers.' }),
    offsets: Flags.boolean({ summary: 'Describe where the group is; so it is, unless said.' }),
    members: Flags.boolean({ summary: 'Describe the members.' }),
    state: Flags.string({ helpValue: '[STATE,…]', summary: `Describe the state; or list groups by state: ${verbs.GROUP_STATES.join(', ')}.` }),
    type: Flags.string({ helpValue: '[TYPE,…]', summary: `List groups by type: ${verbs.GROUP_TYPES.join(', ')}.` }),
    topic: partitionsFlag,
    'all-topics': Flags.boolean({ summary: 'All topics that the group has committed offsets for.' }),
    to: Flags.string({
      helpGroup: 'target',
      helpValue: 'PLACE',
      summary: 'In the words of `ktool consume --offset`: start, end, N, -N, +N, @TIME, now, today, yesterday, stored:GROUP.',
    }),
    'to-earliest': Flags.boolean({ helpGroup: 'target', summary: 'To the first record.' }),
    'to-latest': Flags.boolean({ helpGroup: 'target', summary: 'To the end.' }),
    'to-current': Flags.boolean({ helpGroup: 'target', summary: 'To where it is; to the end where nothing is committed.' }),
    'to-offset': Flags.integer({ helpGroup: 'target', helpValue: 'N', summary: 'To this offset, or the nearest there is.' }),
    'shift-by': Flags.integer({ helpGroup: 'target', helpValue: 'N', summary: 'So many records on, or back when negative.' }),
    'to-datetime': Flags.string({ helpGroup: 'target', helpValue: 'TIME', summary: 'To the first record at or after 2026-03-01T09:00 (or with Z, +02:00).' }),
    'by-duration': Flags.string({ helpGroup: 'target', helpValue: 'DURATION', summary: 'To the first record of the last 1h, or PT1H.' }),
    'from-file': Flags.string({ helpGroup: 'target', helpValue: 'FILE', summary: 'To the offsets in a file as --export prints it.' }),
    tz: { ...zoneFlag, helpGroup: 'target' },
    execute: Flags.boolean({ summary: 'Do it.' }),
    ...changeFlags,
    export: Flags.boolean({ summary: 'Print the plan as lines for --from-file: topic,partition,offset, and the group in front when there are several.' }),
    watch: watchFlag,
  }

  // --state and --type may stand alone, as in kafka-consumer-groups; and --state takes no value where groups are described.
  override async init(): Promise<void> {
    const isDescribe = this.argv.includes('describe') || this.argv.includes('--describe')
    this.argv = withEmptyValues(this.argv, ['--state', '--type'], isDescribe)
    await super.init()
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Groups)
    const action = await chosenAction('groups', ACTIONS, BELONGS, saidIn(flags), this.output)
    if (flags.execute && flags['dry-run']) throw usageError('--execute and --dry-run say different things', 'leave one of them out')
    const target = action === 'reset-offsets' ? targetOf(flags) : undefined
    const connection = await this.connect(flags)
    const { cluster } = connection
    if (action === 'list') return this.#show(flags.watch, () => this.#list(cluster, flags))
    const names = await this.#names(cluster, flags, action)
    if (action === 'describe') return this.#show(flags.watch, () => this.#describe(cluster, names, flags))
    if (action === 'delete') return this.#delete(connection, names, flags)
    if (target !== undefined) return this.#reset(connection, names, flags, target)
    return this.#deleteOffsets(connection, names, flags)
  }

  #show(isWatched: boolean, draw: () => Promise<void>): Promise<void> {
    return isWatched ? redraw(this.output, draw) : draw()
  }

  async #list(cluster: Cluster, flags: ListFlags): Promise<void> {
    const words = (text: string | undefined): string[] => (text ?? '').split(',').filter((word) => word !== '')
    const states = words(flags.state).map((word) => verbs.oneOf('--state', word, verbs.GROUP_STATES))
    const types = words(flags.type).map((word) => verbs.oneOf('--type', word, verbs.GROUP_TYPES))
    const groups = await verbs.listConsumerGroups(cluster, { states, types })
    if (this.output.isJson) this.output.json({ groups })
    else if (flags.state === undefined && flags.type === undefined) for (const { group } of groups) this.output.line(group)
    else {
      const columns = [{ heading: 'group' }, { heading: 'type' }, { heading: 'state' }]
      await this.output.table(columns, groups.map(({ group, type, state }) => [group, type || '-', state || '-'])) // prettier-ignore
    }
  }

  async #describe(cluster: Cluster, names: readonly string[], flags: DescribeFlags): Promise<void> {
    const views = (['offsets', 'members', 'state'] as const).filter(saidIn({ ...flags }))
    if (views.length > 1) throw usageError(`only one of ${views.map((name) => `--${name}`).join(' and ')} can be shown at a time`)
    if (flags.state) throw usageError(`--state takes no value with --describe, not '${flags.state}'`)
    const { groups, failures } = await verbs.describeConsumerGroups(cluster, names)
    if (groups.length === 0 && failures.length === 1) throw failures[0].error
    if (flags.members) await showMembers(groups, failures, this.output, flags.verbose)
    else if (flags.state !== undefined) await showStates(groups, failures, this.output)
    else await showOffsets(await verbs.describeGroupOffsets(cluster, groups), failures, this.output, flags.verbose)
    this.#complain(failures.map(({ error }) => error))
  }

  async #delete(connection: Connection, names: readonly string[], flags: ChangeFlags): Promise<void> {
    const isDryRun = flags['dry-run']
    const change = { question: `Delete ${several(names)}?`, isSeveral: names.length > 1 || flags['all-groups'], isFinal: true, flags }
    if (names.length > 0 && !(await this.mayChange(connection, change))) return
    const outcomes = await (isDryRun ? verbs.tryRemovingGroups : verbs.removeGroups)(connection.cluster, names)
    if (outcomes.length === 1 && outcomes[0].error !== null) throw outcomes[0].error
    if (this.output.isJson) {
      const groups = outcomes.map(({ group, error }) => ({ group, deleted: error === null, error: errorJson(error) }))
      this.output.json({ ...(isDryRun && { dryRun: true }), groups })
    } else for (const { group, error } of outcomes) if (error === null) this.output.line(`${isDryRun ? 'would delete' : 'deleted'} group ${group}`)
    this.#complain(outcomes.flatMap(({ error }) => error ?? []))
  }

  async #reset(connection: Connection, names: readonly string[], flags: ResetFlags, target: resets.ResetTarget): Promise<void> {
    const hasScope = flags['all-topics'] || flags.topic !== undefined
    if (!hasScope && target.to !== 'plan') throw usageError('say which topics: --topic NAME, or --all-topics')
    if (flags['all-topics'] && flags.topic !== undefined) throw usageError('--topic and --all-topics say different things', 'leave one of them out')
    const scope = flags.topic === undefined ? 'committed' : flags.topic.map(verbs.parseTopicScope)
    const { cluster } = connection
    const plans = await resets.planResets(cluster, names, scope, target)
    const [only] = plans
    if (plans.length === 1 && only.error !== null) throw only.error
    if (flags.execute && plans.some(({ rows }) => rows.length > 0)) {
      const isSeveral = names.length > 1 || flags['all-groups']
      if (!(await this.mayChange(connection, { question: `Move ${several(names)}?`, isSeveral, flags }))) return
    }
    const done = flags.execute ? await resets.executeResets(cluster, plans) : plans
    if (flags.export && !this.output.isJson) {
      const text = resets.planText(done, flags['all-groups'] || names.length > 1)
      await this.output.write(this.output.isTerminal ? text.replace(/.+/g, printable) : text)
      this.#complain(done.flatMap(({ error }) => error ?? []))
    } else await showResets(done, this.output, flags.execute)
    const isEmpty = done.every(({ rows }) => rows.length === 0)
    if (!flags.execute && !flags.export && !flags['dry-run'] && !isEmpty) this.output.talk('nothing was changed; add --execute to do it')
    if (isEmpty && plans.length === 1) this.output.talk(`group '${only.group}' has committed no offsets`)
    if (done.some(({ error, rows }) => error !== null || rows.some((row) => row.error !== null))) process.exitCode = ExitCode.failed
  }

  async #deleteOffsets(connection: Connection, names: readonly string[], flags: ResetFlags): Promise<void> {
    if (names.length > 1) throw usageError('--delete-offsets takes one --group')
    if (flags.topic === undefined) throw usageError('--delete-offsets needs --topic')
    const { cluster } = connection
    const planned = await verbs.planOffsetRemoval(cluster, names[0], flags.topic.map(verbs.parseTopicScope))
    const question = `Delete offsets of ${several(names)}?`
    if (flags.execute && !(await this.mayChange(connection, { question, isSeveral: false, isFinal: true, flags }))) return
    const done = flags.execute ? await verbs.removeOffsets(cluster, names[0], planned) : planned
    await showOffsetRemoval(names[0], done, this.output, flags.execute)
    if (!flags.execute && !flags['dry-run']) this.output.talk('nothing was changed; add --execute to do it')
    if (done.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed
  }

  async #names(cluster: Cluster, flags: NameFlags, action: Action): Promise<readonly string[]> {
    if (flags['all-groups'] && flags.group !== undefined) throw usageError('--group and --all-groups say different things', 'leave one of them out')
    if (flags.group !== undefined) return [...new Set(flags.group)]
    const names = flags['all-groups'] || canAsk(this.output) ? (await verbs.listConsumerGroups(cluster)).map(({ group }) => group) : []
    if (flags['all-groups']) return names
    if (!canAsk(this.output)) throw usageError(`--${action} needs --group`, 'see `ktool groups --list` for the names')
    if (names.length === 0) throw usageError('there are no groups')
    return [await choose('Which group?', names)]
  }

  #complain(errors: readonly CliError[]): void {
    if (errors.length === 0) return
    // In JSON each is told where the thing itself is.
    if (!this.output.isJson) for (const error of errors) this.output.talk(`ktool: ${failureLine(error)}`)
    process.exitCode = ExitCode.failed
  }
}

interface NameFlags {
  readonly group: readonly string[] | undefined
  readonly 'all-groups': boolean
}

interface ListFlags {
  readonly state: string | undefined
  readonly type: string | undefined
}

interface DescribeFlags {
  readonly offsets: boolean
  readonly members: boolean
  readonly state: string | undefined
  readonly verbose: boolean
}

interface ChangeFlags {
  readonly 'all-groups': boolean
  readonly yes: boolean
  readonly 'dry-run': boolean
}

interface ResetFlags extends ChangeFlags {
  readonly topic: readonly string[] | undefined
  readonly 'all-topics': boolean
  readonly execute: boolean
  readonly export: boolean
}

function several(names: readonly string[]): string {
  return `${names.length === 1 ? 'group' : `${names.length} groups:`} ${names.join(', ')}`
}

interface TargetFlags {
  readonly to: string | undefined
  readonly 'to-earliest': boolean
  readonly 'to-latest': boolean
  readonly 'to-current': boolean
  readonly 'to-offset': number | undefined
  readonly 'shift-by': number | undefined
  readonly 'to-datetime': string | undefined
  readonly 'by-duration': string | undefined
  readonly 'from-file': string | undefined
  readonly tz: string | undefined
}

function targetOf(flags: TargetFlags): resets.ResetTarget {
  const given = TARGETS.filter(saidIn({ ...flags }))
  if (given.length === 0) throw usageError(`say where to: ${TARGETS.map((name) => `--${name}`).join(', ')}`)
  if (given.length > 1) throw usageError(`--${given[0]} and --${given[1]} say different things`, 'leave one of them out')
  if (flags.to !== undefined) return resets.targetAt(parsePlace('--to', flags.to, nowIn(flags.tz, systemClock.now())))
  if (flags['to-earliest']) return { to: 'earliest' }
  if (flags['to-latest']) return { to: 'latest' }
  if (flags['to-offset'] !== undefined) return { to: 'offset', offset: flags['to-offset'] }
  if (flags['shift-by'] !== undefined) return { to: 'shift', by: flags['shift-by'] }
  if (flags['to-datetime'] !== undefined) return { to: 'time', timestamp: parseDateTime('--to-datetime', flags['to-datetime'], nowIn(flags.tz, 0).zone) }
  if (flags['by-duration'] !== undefined) {
    return { to: 'time', timestamp: Math.max(0, systemClock.now() - parseAnyDuration('--by-duration', flags['by-duration'])) }
  }
  if (flags['from-file'] !== undefined) return { to: 'plan', rows: resets.parsePlan(resets.readPlan(flags['from-file'])) }
  return { to: 'current' }
}

/** Gives an empty value to each of `names` that has none; to --state, whatever comes next, where it takes none. */
function withEmptyValues(argv: readonly string[], names: readonly string[], isStateEmpty: boolean): string[] {
  return argv.map((word, index) => {
    const next = argv.at(index + 1)
    if (word === '--state' && isStateEmpty) return '--state='
    return names.includes(word) && (index + 1 === argv.length || next?.startsWith('-') === true) ? `${word}=` : word
  })
}
