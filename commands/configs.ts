// `ktool configs`: which entity, and how its settings look.

import * as Flags from '@oclif/core/flags'
import { canAsk, choose } from '../src/cli/ask.ts'
import { ClusterCommand } from '../src/cli/base-command.ts'
import { showConfigs, entityTitle } from '../src/cli/config-views.ts'
import type { Connection } from '../src/cli/connection.ts'
import { usageError } from '../src/cli/errors.ts'
import type { WordRules } from '../src/cli/words.ts'
import * as verbs from '../src/cli/verbs/configs.ts'

export default class Configs extends ClusterCommand {
  static override words: WordRules = {
    actions: ['describe', 'alter'],
    argument: (isSaid) => (isSaid('entity-type') ? 'entity-name' : 'topic'),
  }

  static override description = 'Without a name, --describe shows every topic or broker that has settings of its own.'

  static override usage = [
    'configs --describe --topic NAME [--all]',
    'configs --alter --topic NAME --add-config NAME=VALUE,… [--delete-config NAME,…]',
    'configs --describe|--alter --entity-type topics|brokers [--entity-name NAME] [OPTIONS]',
  ]

  static override examples = [
    { description: 'Keep records for a minute', command: 'ktool configs --alter --topic orders --add-config retention.ms=60000' },
    { description: 'A value with commas', command: "ktool configs --alter --topic orders --add-config 'cleanup.policy=[compact,delete]'" },
    { description: 'Back to the default', command: 'ktool configs --alter --topic orders --delete-config retention.ms' },
    { description: 'Every setting there is, with where it comes from', command: 'ktool configs --describe --topic orders --all' },
  ]

  static override flags = {
    describe: Flags.boolean({ summary: 'Show settings.' }),
    alter: Flags.boolean({ summary: 'Change settings.' }),
    topic: Flags.string({ char: 't', helpValue: 'NAME', summary: 'Short for --entity-type topics --entity-name NAME.' }),
    'entity-type': Flags.option({ options: ['topics', 'brokers'] as const })({
      helpValue: 'topics|brokers',
      summary: 'What the settings belong to.',
    }),
    'entity-name': Flags.string({ helpValue: 'NAME', summary: "The topic's name, or the broker's id." }),
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
    const name = flags.topic ?? flags['entity-name']
    if (type === 'brokers' && name !== undefined && !/^\d*$/.test(name)) {
      throw usageError(`a broker is named by its number, not '${name}'`)
    }
    const connection = await this.connect(flags)
    if (flags.describe) return this.#describe(connection, type, name, flags.all)
    const entity = { type, name: name ?? (await this.#askName(connection, type)) }
    await verbs.alterEntity(connection.cluster, entity, add, remove)
    if (this.output.isJson) this.output.json({ ...entity, set: Object.fromEntries(add), deleted: remove })
    else this.output.line(`changed ${changes} setting${changes === 1 ? '' : 's'} of ${entityTitle(entity)}`)
  }

  async #describe(connection: Connection, type: verbs.EntityType, name: string | undefined, all: boolean): Promise<void> {
    const { cluster } = connection
    const entities = name === undefined ? await verbs.listEntities(cluster, type) : [{ type, name }]
    const described = await verbs.describeEntities(cluster, entities, all)
    await showConfigs(name === undefined ? described.filter(({ configs }) => configs.length > 0) : described, this.output)
  }

  async #askName(connection: Connection, type: verbs.EntityType): Promise<string> {
    if (!canAsk(this.output)) throw usageError(`--alter needs ${type === 'topics' ? '--topic' : '--entity-name'}`)
    const entities = await verbs.listEntities(connection.cluster, type)
    const names = entities.map(({ name }) => name).filter((name) => name !== '')
    if (names.length === 0) throw usageError(`there are no ${type}`)
    return choose(`Change the settings of which ${type === 'topics' ? 'topic' : 'broker'}?`, names)
  }
}

function entityType(flags: { topic: string | undefined; 'entity-type': verbs.EntityType | undefined; 'entity-name': string | undefined }) {
  if (flags.topic === undefined) {
    if (flags['entity-type'] === undefined) throw usageError('say whose settings: --topic, or --entity-type and --entity-name')
    return flags['entity-type']
  }
  if (flags['entity-type'] === 'brokers' || flags['entity-name'] !== undefined) {
    throw usageError('--topic and --entity-name mean different things', 'give one of them')
  }
  return 'topics'
}
