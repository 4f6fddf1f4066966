// `ktool configs`: which entity, and how its settings look.

import * as Flags from '@oclif/core/flags'
import { canAsk, choose } from '../src/cli/ask.ts'
import { changeFlags, ClusterCommand, topicsFlag } from '../src/cli/base-command.ts'
import { showConfigs, entityTitle } from '../src/cli/config-views.ts'
import type { Connection } from '../src/cli/connection.ts'
import { errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import { resolveSecrets } from '../src/cli/secrets.ts'
import type { WordRules } from '../src/cli/words.ts'
import * as verbs from '../src/cli/verbs/configs.ts'
import { selectTopics } from '../src/cli/verbs/topics.ts'
import { isPassword, withoutPassword } from '../src/cli/verbs/quotas.ts'

export default class Configs extends ClusterCommand {
  static override words: WordRules = {
    actions: ['describe', 'alter'],
    argument: (isSaid) => (isSaid('entity-type') ? 'entity-name' : 'topic'),
  }

  static override description =
    'Without a name, `describe --entity-type …` shows all of that type that have settings of their own. `alter NAME` and `--alter --topic NAME` are the ' +
    "same. Users, clients and ips have quotas, users also passwords for SCRAM; '' as a name is what holds for all others. In a password " +
    '${env:NAME} is an environment variable and ${command:…} what a command prints: on a command line it would be there for all to see.'

  static override usage = [
    'configs describe TOPIC… [--all]',
    'configs alter TOPIC… --add-config NAME=VALUE,… [--delete-config NAME,…] [--yes] [--dry-run]',
    'configs describe|alter --entity-type topics|brokers|users|clients|ips|groups|client-metrics [NAME]… [OPTIONS]',
    'configs describe|alter --user NAME [--client NAME] [OPTIONS]',
  ]

  static override examples = [
    { description: 'Keep records for a minute', command: 'ktool configs alter orders --add-config retention.ms=60000' },
    { description: 'A value with commas', command: "ktool configs alter orders --add-config 'cleanup.policy=[compact,delete]'" },
    { description: 'Back to the default', command: 'ktool configs alter orders --delete-config retention.ms' },
    { description: 'A quota for a user', command: 'ktool configs alter --user alice --add-config producer_byte_rate=1048576' },
    { description: 'A password, from the environment', command: "ktool configs alter --user alice --add-config 'SCRAM-SHA-256=[password=${env:PW}]'" },
    { description: 'Every setting there is, with where it comes from', command: 'ktool configs describe orders --all' },
  ]

  static override flags = {
    describe: Flags.boolean({ summary: 'Show settings.' }),
    alter: Flags.boolean({ summary: 'Change settings.' }),
    topic: topicsFlag('Short for --entity-type topics --entity-name NAME.'),
    regex: Flags.boolean({ summary: '--topic is a regular expression for whole names.' }),
    user: Flags.string({ helpValue: 'NAME', summary: "A user; '' is what holds for all others." }),
    client: Flags.string({ helpValue: 'NAME', summary: 'A client id; with --user, the user when it is that client.' }),
    ip: Flags.string({ helpValue: 'ADDRESS', summary: 'An address that connections come from.' }),
    group: Flags.string({ char: 'g', helpValue: 'NAME', summary: 'A group.' }),
    'entity-type': Flags.option({ options: verbs.ENTITY_TYPES })({
      helpValue: 'TYPE',
      summary: `What the settings belong to: ${verbs.ENTITY_TYPES.join(', ')}.`,
    }),
    'entity-name': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
      summary: "The name, or the broker's id; '' for what holds for all brokers, users, clients or ips.",
    }),
    'add-config': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE,…',
      summary: 'Settings to make. A value with commas stands in [ ].',
    }),
    'delete-config': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME,…',
      summary: 'Settings to take back, so that the default holds.',
    }),
    all: Flags.boolean({ summary: 'Also what holds by default or for the whole cluster.' }),
    ...changeFlags,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Configs)
    const said = new Map((flags['add-config'] ?? []).flatMap((text) => [...verbs.parseAddConfig(text)]))
    const remove = (flags['delete-config'] ?? []).flatMap(verbs.parseDeleteConfig)
    const changes = said.size + remove.length
    if (flags.describe === flags.alter) throw usageError('say what to do: --describe or --alter', 'see `ktool configs --help`')
    if (flags.describe && changes > 0) throw usageError('--describe changes nothing', 'did you mean --alter?')
    if (flags.alter && flags.all) throw usageError('--all goes with --describe')
    if (flags.alter && changes === 0) throw usageError('--alter needs --add-config or --delete-config')
    const { type, names: given } = entitiesOf(flags)
    if (flags.regex && (type !== 'topics' || given === undefined)) throw usageError('--regex needs --topic', 'it says how the topic is meant')
    const odd = type === 'brokers' ? given?.find((name) => !/^\d*$/.test(name)) : undefined
    if (odd !== undefined) throw usageError(`a broker is named by its number, not '${odd}'`)
    // Other settings may have such references, too, for the broker to look up.
    const passwords = new Map([...said].filter(([name]) => type === 'users' && isPassword(name)))
    const add = new Map([...said, ...(await resolveSecrets('--add-config', passwords, process.env))])
    const connection = await this.connect(flags)
    const names = flags.regex ? (await selectTopics(connection.cluster, { names: given ?? [], isPattern: true, excludeInternal: true }, false)).names : given
    if (flags.describe) return this.#describe(connection, type, names?.map((name) => entityOf(type, name, flags.client)), flags.all)
    const entities = [...new Set(names ?? [await this.#askName(connection, type)])].map((name) => entityOf(type, name, flags.client))
    const question = `Change ${changes} setting${changes === 1 ? '' : 's'} of ${entities.map(entityTitle).join(', ')}?`
    if (!(await this.mayChange(connection, { question, isSeveral: flags.regex || entities.length > 1, flags }))) return
    const isDryRun = flags['dry-run']
    const outcomes = await verbs.alterEntities(connection.cluster, entities, { add, remove, validateOnly: isDryRun })
    if (outcomes.length === 1 && outcomes[0].error !== null) throw outcomes[0].error
    if (outcomes.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed
    if (this.output.isJson) {
      const entities = outcomes.map(({ entity, error }) => ({ ...entity, set: Object.fromEntries(Array.from(add, ([name, text]) => [name, withoutPassword(name, text)])), deleted: remove, error: errorJson(error) }))
      this.output.json({ ...(isDryRun && { dryRun: true }), entities })
      return
    }
    for (const { entity, error } of outcomes) {
      if (error !== null) this.output.talk(`ktool: ${error.message.includes(entity.name) ? '' : `${entityTitle(entity)}: `}${failureLine(error)}`)
      else this.output.line(`${isDryRun ? 'would change' : 'changed'} ${changes} setting${changes === 1 ? '' : 's'} of ${entityTitle(entity)}`)
    }
  }

  async #describe(connection: Connection, type: verbs.EntityType, named: readonly verbs.Entity[] | undefined, all: boolean): Promise<void> {
    const { cluster } = connection
    const entities = named ?? (await verbs.listEntities(cluster, type))
    const described = await verbs.describeEntities(cluster, entities, all)
    if (described.length === 1 && described[0].error !== null) throw described[0].error
    const shown = named === undefined ? described.filter(({ configs, error }) => configs.length > 0 || error !== null) : described
    await showConfigs(shown, this.output)
    if (described.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed
  }

  async #askName(connection: Connection, type: verbs.EntityType): Promise<string> {
    if (!canAsk(this.output)) throw usageError(`--alter needs ${type === 'topics' ? '--topic' : '--entity-name'}`)
    const entities = await verbs.listEntities(connection.cluster, type)
    const names = entities.map(({ name }) => name).filter((name) => name !== '')
    if (names.length === 0) throw usageError(`there are no ${type}`)
    return choose(`Change the settings of which of the ${type}?`, names)
  }
}

interface NameFlags {
  readonly topic: readonly string[] | undefined
  readonly user: string | undefined
  readonly client: string | undefined
  readonly ip: string | undefined
  readonly group: string | undefined
  readonly 'entity-type': verbs.EntityType | undefined
  readonly 'entity-name': readonly string[] | undefined
}

const SHORT = { topic: 'topics', user: 'users', client: 'clients', ip: 'ips', group: 'groups' } as const satisfies Record<string, verbs.EntityType>

/** Without names all of the type. --client beside --user belongs to the user. */
function entitiesOf(flags: NameFlags): { readonly type: verbs.EntityType; readonly names: readonly string[] | undefined } {
  const short = (Object.keys(SHORT) as (keyof typeof SHORT)[]).filter((flag) => flags[flag] !== undefined && !(flag === 'client' && flags.user !== undefined))
  const [flag] = short as readonly (keyof typeof SHORT | undefined)[]
  if (flag === undefined) {
    if (flags['entity-type'] === undefined) throw usageError('say whose settings: --topic, or --entity-type and --entity-name')
    return { type: flags['entity-type'], names: flags['entity-name'] }
  }
  const other = short.at(1) ?? (flags['entity-name'] !== undefined ? 'entity-name' : undefined)
  if (other !== undefined) throw usageError(`--${flag} and --${other} mean different things`, 'give one of them')
  const type = SHORT[flag]
  if (flags['entity-type'] !== undefined && flags['entity-type'] !== type) {
    throw usageError(`--${flag} and --entity-type ${flags['entity-type']} mean different things`, 'give one of them')
  }
  return { type, names: flag === 'topic' ? flags.topic : [flags[flag] ?? ''] }
}

function entityOf(type: verbs.EntityType, name: string, client: string | undefined): verbs.Entity {
  return type === 'users' && client !== undefined ? { type, name, client } : { type, name }
}
