// `ktool configs`: which entity, and how its settings look.

import * as Flags from '@oclif/core/flags'
import { canAsk, choose } from '../src/cli/ask.ts'
import { changeFlags, ClusterCommand } from '../src/cli/base-command.ts'
import { showConfigs, entityTitle } from '../src/cli/config-views.ts'
import type { Connection } from '../src/cli/connection.ts'
import { errorJson, ExitCode, failureLine, usageError } from '../src/cli/errors.ts'
import type { WordRules } from '../src/cli/words.ts'
import * as verbs from '../src/cli/verbs/configs.ts'

export default class Configs extends ClusterCommand {
  static override words: WordRules = {
    actions: ['describe', 'alter'],
    argument: (isSaid) => (isSaid('entity-type') ? 'entity-name' : 'topic'),
  }

  static override description = 'Without a name, `describe --entity-type …` shows every topic or broker that has settings of its own. `alter NAME` and ' +
    '`--alter --topic NAME` are the same.'

  static override usage = [
    'configs describe TOPIC… [--all]',
    'configs alter TOPIC… --add-config NAME=VALUE,… [--delete-config NAME,…] [--yes] [--dry-run]',
    'configs describe|alter --entity-type topics|brokers [NAME]… [OPTIONS]',
  ]

  static override examples = [
    { description: 'Keep records for a minute', command: 'ktool configs alter orders --add-config retention.ms=60000' },
    { description: 'A value with commas', command: "ktool configs alter orders --add-config 'cleanup.policy=[compact,delete]'" },
    { description: 'Back to the default', command: 'ktool configs alter orders --delete-config retention.ms' },
    { description: 'Every setting there is, with where it comes from', command: 'ktool configs describe orders --all' },
  ]

  static override flags = {
    describe: Flags.boolean({ summary: 'Show settings.' }),
    alter: Flags.boolean({ summary: 'Change settings.' }),
    topic: Flags.string({
      char: 't',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'NAME',
      summary: 'Short for --entity-type topics --entity-name NAME.',
    }),
    'entity-type': Flags.option({ options: ['topics', 'brokers'] as const })({
      helpValue: 'topics|brokers',
      summary: 'What the settings belong to.',
    }),
    'entity-name': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME',
      summary: "The topic's name, or the broker's id; '' for what holds for all brokers.",
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
    const add = new Map((flags['add-config'] ?? []).flatMap((text) => [...verbs.parseAddConfig(text)]))
    const remove = (flags['delete-config'] ?? []).flatMap(verbs.parseDeleteConfig)
    const changes = add.size + remove.length
    if (flags.describe === flags.alter) throw usageError('say what to do: --describe or --alter', 'see `ktool configs --help`')
    if (flags.describe && changes > 0) throw usageError('--describe changes nothing', 'did you mean --alter?')
    if (flags.alter && flags.all) throw usageError('--all goes with --describe')
    if (flags.alter && changes === 0) throw usageError('--alter needs --add-config or --delete-config')
    const type = entityType(flags)
    const names = flags.topic ?? flags['entity-name']
    const odd = type === 'brokers' ? names?.find((name) => !/^\d*$/.test(name)) : undefined
    if (odd !== undefined) throw usageError(`a broker is named by its number, not '${odd}'`)
    const connection = await this.connect(flags)
    if (flags.describe) return this.#describe(connection, type, names, flags.all)
    const entities = [...new Set(names ?? [await this.#askName(connection, type)])].map((name) => ({ type, name }))
    const question = `Change ${changes} setting${changes === 1 ? '' : 's'} of ${entities.map(entityTitle).join(', ')}?`
    if (!(await this.mayChange(connection, { question, isSeveral: entities.length > 1, flags }))) return
    const isDryRun = flags['dry-run']
    const outcomes = await verbs.alterEntities(connection.cluster, entities, { add, remove, validateOnly: isDryRun })
    if (outcomes.length === 1 && outcomes[0].error !== null) throw outcomes[0].error
    if (outcomes.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed
    if (this.output.isJson) {
      const entities = outcomes.map(({ entity, error }) => ({ ...entity, set: Object.fromEntries(add), deleted: remove, error: errorJson(error) }))
      this.output.json({ ...(isDryRun && { dryRun: true }), entities })
      return
    }
    for (const { entity, error } of outcomes) {
      if (error !== null) this.output.talk(`ktool: ${error.message.includes(entity.name) ? '' : `${entityTitle(entity)}: `}${failureLine(error)}`)
      else this.output.line(`${isDryRun ? 'would change' : 'changed'} ${changes} setting${changes === 1 ? '' : 's'} of ${entityTitle(entity)}`)
    }
  }

  async #describe(connection: Connection, type: verbs.EntityType, names: readonly string[] | undefined, all: boolean): Promise<void> {
    const { cluster } = connection
    const entities = names?.map((name) => ({ type, name })) ?? (await verbs.listEntities(cluster, type))
    const described = await verbs.describeEntities(cluster, entities, all)
    if (described.length === 1 && described[0].error !== null) throw described[0].error
    const shown = names === undefined ? described.filter(({ configs, error }) => configs.length > 0 || error !== null) : described
    await showConfigs(shown, this.output)
    if (described.some(({ error }) => error !== null)) process.exitCode = ExitCode.failed
  }

  async #askName(connection: Connection, type: verbs.EntityType): Promise<string> {
    if (!canAsk(this.output)) throw usageError(`--alter needs ${type === 'topics' ? '--topic' : '--entity-name'}`)
    const entities = await verbs.listEntities(connection.cluster, type)
    const names = entities.map(({ name }) => name).filter((name) => name !== '')
    if (names.length === 0) throw usageError(`there are no ${type}`)
    return choose(`Change the settings of which ${type === 'topics' ? 'topic' : 'broker'}?`, names)
  }
}

interface NameFlags {
  readonly topic: readonly string[] | undefined
  readonly 'entity-type': verbs.EntityType | undefined
  readonly 'entity-name': readonly string[] | undefined
}

function entityType(flags: NameFlags): verbs.EntityType {
  if (flags.topic === undefined) {
    if (flags['entity-type'] === undefined) throw usageError('say whose settings: --topic, or --entity-type and --entity-name')
    return flags['entity-type']
  }
  if (flags['entity-type'] === 'brokers' || flags['entity-name'] !== undefined) {
    throw usageError('--topic and --entity-name mean different things', 'give one of them')
  }
  return 'topics'
}
