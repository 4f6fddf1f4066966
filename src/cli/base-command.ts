// What every command of ktool has: how it prints, how it fails, and (ClusterCommand) how it finds its cluster.
// A command never exits and never prints an error itself; it throws, and `catch` here says it once.

import { Command } from '@oclif/core/command'
import * as Flags from '@oclif/core/flags'
import { canAsk, confirmed } from './ask.ts'
import { openConnection, type Connection, type ConnectionOptions } from './connection.ts'
import { ExitCode, failureOf, type Failure } from './errors.ts'
import { didYouMean } from './nearest.ts'
import { parseProperties } from './formats/properties.ts'
import { askedFormat, FORMATS, Output } from './output.ts'
import { withDashes, type WordRules } from './words.ts'

const outputFlags = {
  output: Flags.option({ options: FORMATS })({
    helpGroup: 'output',
    helpValue: 'table|text|json',
    summary: 'How to print. A table on a terminal and text in a pipe, unless said.',
  }),
  json: Flags.boolean({ helpGroup: 'output', summary: 'The same as --output json.' }),
  verbose: Flags.boolean({ char: 'v', helpGroup: 'output', summary: 'Say on stderr what is being done.' }),
}

const connectionFlags = {
  'bootstrap-server': Flags.string({
    char: 'b',
    aliases: ['brokers', 'bootstrap-servers', 'broker-list'],
    helpGroup: 'connection',
    helpValue: 'HOST:PORT,…',
    summary: 'The cluster to talk to. The bundled broker of this machine, unless said.',
  }),
  'command-config': Flags.string({
    helpGroup: 'connection',
    helpValue: 'FILE',
    summary: "Kafka's client properties: TLS, SASL, time-outs.",
  }),
  context: Flags.string({
    helpGroup: 'connection',
    helpValue: 'NAME',
    summary: 'A cluster that `ktool context` keeps.',
  }),
  'command-property': Flags.string({
    char: 'X',
    multiple: true,
    multipleNonGreedy: true,
    helpGroup: 'connection',
    helpValue: 'NAME=VALUE',
    summary: "A client property by Kafka's name.",
  }),
}

/** For commands that change something. */
export const changeFlags = {
  'dry-run': Flags.boolean({ summary: 'Only say what would be done.' }),
  yes: Flags.boolean({
    char: 'y',
    summary:
      "Don't ask. On a terminal ktool asks before it deletes, and before it changes several things at once; elsewhere one that is " +
      'named goes at once, and several, or a pattern, need --yes.',
  }),
}

/** For commands that take several topics. */
export const topicsFlag = (summary: string) =>
  Flags.string({ char: 't', multiple: true, multipleNonGreedy: true, delimiter: ',', helpValue: 'NAME', summary })

/** For commands about partitions. A comma stands between partitions there. */
export const partitionsFlag = Flags.string({
  char: 't',
  multiple: true,
  multipleNonGreedy: true,
  helpValue: 'NAME[:PARTITION,…]',
  summary: 'The topic, or some of its partitions.',
})

/** For commands that are told times. */
export const zoneFlag = Flags.string({ helpValue: 'ZONE', summary: 'The time zone of times without one: local, or a name such as Europe/Berlin. UTC, unless said.' })

/** For commands that show what changes. */
export const watchFlag = Flags.boolean({ helpGroup: 'output', summary: 'Show it anew each second, until Ctrl-C.' })

export abstract class KtoolCommand extends Command {
  static override baseFlags = outputFlags

  /** What words without a dash mean; without rules they are mistakes. */
  static words: WordRules | undefined

  /** The exit codes it can end with, for its manual page. */
  static exits: readonly string[] = ['0', '1', '2']

  #output: Output | undefined

  /** Ready before the flags are parsed, so that a mistake in them is told in the format asked for. */
  get output(): Output {
    return (this.#output ??= new Output(process, askedFormat(this.argv)))
  }

  override async init(): Promise<void> {
    const { words, flags, baseFlags, id } = this.ctor as typeof KtoolCommand
    this.argv = withDashes(id.replaceAll(':', ' '), this.argv, words ?? {}, { ...baseFlags, ...flags })
    await super.init()
  }

  protected override catch(error: Error): Promise<void> {
    const failure = this.failure(error)
    this.output.fail(failure)
    if (process.env.KTOOL_DEBUG) process.stderr.write(`${error.stack ?? ''}\n`)
    process.exitCode = failure.exitCode
    return Promise.resolve()
  }

  protected failure(error: Error): Failure {
    return withNearestFlag(failureOf(error), error, this.ctor)
  }
}

export interface ConnectionFlags {
  readonly 'bootstrap-server'?: string | undefined
  readonly 'command-config'?: string | undefined
  readonly context?: string | undefined
  readonly 'command-property'?: readonly string[] | undefined
  readonly verbose?: boolean
}

/** Something that a command is about to do to a cluster. */
export interface Change {
  /** `Delete topic orders?` */
  readonly question: string
  /** Several things by name, or whatever a pattern means. */
  readonly isSeveral: boolean
  /** There is no way back: on a terminal it is asked about for one thing, too. */
  readonly isFinal?: boolean
  readonly flags: { readonly yes: boolean; readonly 'dry-run': boolean }
}

export abstract class ClusterCommand extends KtoolCommand {
  static override baseFlags = { ...connectionFlags, ...outputFlags }

  static override exits: readonly string[] = ['0', '1', '2', '3']

  #connection: Connection | undefined

  /**
   * The cluster the flags and the surroundings name; closed when the command ends.
   * `start`: with no broker anywhere, start the bundled one and say so on stderr. `remark`: to be said with it, whenever
   * the cluster is the bundled broker. `properties` go before those of --command-property.
   */
  protected async connect(
    flags: ConnectionFlags,
    options: { start?: boolean; remark?: string | undefined; properties?: ReadonlyMap<string, string> } = {},
  ): Promise<Connection> {
    const said = parseProperties('--command-property', flags['command-property'] ?? [])
    const wanted: ConnectionOptions = {
      bootstrapServer: flags['bootstrap-server'],
      commandConfig: flags['command-config'],
      context: flags.context,
      properties: new Map([...said, ...(options.properties ?? [])]),
    }
    const remarks: string[] = []
    const start = options.start ? { say: (line: string) => remarks.push(line) } : undefined
    this.#connection = await openConnection(wanted, process.env, start)
    if (options.remark !== undefined && this.#connection.isBundled) remarks.push(options.remark)
    if (remarks.length > 0) this.output.talk(remarks.join('; '))
    if (flags.verbose) this.#sayWhere(this.#connection)
    return this.#connection
  }

  /**
   * To be called before anything is changed: says on stderr which cluster that is and what named it, and asks where it must.
   * False: the person said no, which has been told. Usage error where --yes is needed, which is several things off a terminal.
   */
  protected async mayChange(connection: Connection, change: Change): Promise<boolean> {
    const { question, isSeveral, isFinal = false, flags } = change
    const isAsked = !flags['dry-run'] && !flags.yes && (isSeveral || (isFinal && canAsk(this.output)))
    if (isAsked && !canAsk(this.output)) return confirmed(question, this.output, false)
    await this.announce(connection, flags['dry-run'])
    return !isAsked || confirmed(question, this.output, false)
  }

  /** Says on stderr what is about to be acted on, and what named it. */
  protected async announce({ cluster, bootstrapServers: address, source, context }: Connection, isDryRun = false): Promise<void> {
    const { clusterId } = await cluster.metadata([])
    const isRefused = isDryRun && context?.isReadOnly === true
    if (this.output.isJson) {
      this.output.note({ [isDryRun ? 'dryRunOn' : 'actingOn']: { address, clusterId, source, ...(isRefused && { readOnly: true }) } })
      return
    }
    const id = clusterId === null ? 'a cluster without an id' : `cluster ${clusterId}`
    const refused = isRefused ? '; it is read-only: without --dry-run this is refused' : ''
    this.output.talk(`${isDryRun ? 'dry run on' : 'acting on'} ${address}, ${id} (source: ${source})${refused}`)
  }

  #sayWhere({ cluster, bootstrapServers: address, source }: Connection): void {
    const user = cluster.config.sasl?.username ?? null
    if (this.output.isJson) this.output.note({ talkingTo: { address, user, source } })
    else this.output.talk(`talking to ${address}${user === null ? '' : ` as ${user}`} (source: ${source})`)
  }

  protected override failure(error: Error): Failure {
    const failure = super.failure(error)
    return this.#connection === undefined || failure.exitCode !== ExitCode.unreachable ? failure : withSource(failure, this.#connection)
  }

  protected override async finally(): Promise<void> {
    await this.#connection?.cluster.close()
  }
}

/** Of a cluster that can't be reached: what named it, where that was not --bootstrap-server. */
function withSource(failure: Failure, { source, context, isNamed, isBundled }: Connection): Failure {
  if (source === '--bootstrap-server' || isBundled) return failure
  const leave = isNamed ? '' : ', `ktool context use --none` leaves it'
  const shown = context === undefined ? '' : `: \`ktool context show ${context.name}\` shows it${leave}`
  const from = `from ${source.startsWith('KTOOL_') ? 'the environment variable ' : ''}${source}${shown}.`
  const said = failure.hint?.replace('check --bootstrap-server.', `check the address, which is ${from}`).replace(/[^.?]$/, '$&.')
  if (said?.endsWith(from) === true) return { ...failure, hint: said }
  return { ...failure, hint: `${said === undefined ? '' : `${said} `}The address is ${from}` }
}

function withNearestFlag(failure: Failure, error: Error, command: Pick<Command.Class, 'flags' | 'baseFlags' | 'id'>): Failure {
  const flag = firstOf(error, 'flags')?.replace(/=.*/, '')
  const word = firstOf(error, 'args')
  const unknown = flag ?? word
  if (unknown !== undefined) {
    const known = Object.entries({ ...command.baseFlags, ...command.flags }).filter(([, { hidden }]) => !hidden)
    if (flag === '--since' && 'from' in command.flags) return { ...failure, message: `there is no flag ${flag}`, hint: "did you mean '--from @-5m'?" }
    const guess = didYouMean(`--${unknown.replace(/^--?/, '')}`, known.map(([name]) => `--${name}`))
    const message = flag === undefined ? `'${unknown}' belongs to no flag` : `there is no flag ${flag}`
    return { ...failure, message, hint: guess ?? seeHelp(command.id) }
  }
  return failure.exitCode === ExitCode.usage && failure.hint === null ? { ...failure, hint: seeHelp(command.id) } : failure
}

/** oclif's errors for flags and words that it doesn't know list them. */
function firstOf(error: Error, list: 'flags' | 'args'): string | undefined {
  const words: unknown = Reflect.get(error, list)
  const first: unknown = Array.isArray(words) ? words[0] : undefined
  return typeof first === 'string' ? first : undefined
}

function seeHelp(id: string): string {
  return `see \`ktool ${id.replaceAll(':', ' ')} --help\``
}
