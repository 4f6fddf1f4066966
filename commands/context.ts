// `ktool context`: clusters by name.

import * as Flags from '@oclif/core/flags'
import { chosenAction, saidIn } from '../src/cli/actions.ts'
import { KtoolCommand } from '../src/cli/base-command.ts'
import { addContext, currentContext, listContexts, readContext, removeContext, setCurrentContext, type Context as Saved } from '../src/cli/contexts.ts'
import { usageError } from '../src/cli/errors.ts'
import { parseProperties } from '../src/cli/formats/properties.ts'
import { localPaths } from '../src/cli/paths.ts'
import { contextProperties } from '../src/cli/connection.ts'
import { shownValue } from '../src/cli/secrets.ts'
import type { WordRules } from '../src/cli/words.ts'

const ACTIONS = ['add', 'use', 'list', 'show', 'remove'] as const

const BELONGS = {
  'bootstrap-server': ['add'],
  'command-config': ['add'],
  'command-property': ['add'],
  'read-only': ['add'],
  'cluster-id': ['add'],
  none: ['use'],
} as const

export default class Context extends KtoolCommand {
  static override description =
    "A context is a cluster's address with the client properties that go with it, under a name. --context NAME uses it for one " +
    'command, `context use` for all that name no cluster themselves. Its credentials go to its own addresses only. A secret ' +
    'can stay where it is: ${env:NAME} in a property is an environment variable, ${command:…} what a command prints. A read-only ' +
    'context refuses every request that would change something; the cluster may still make its own topics when it is first asked about groups.'

  static override usage = [
    'context add NAME -b HOST:PORT [--command-config FILE] [-X NAME=VALUE]… [--read-only] [--cluster-id ID]',
    'context use NAME | --none',
    'context list',
    'context show [NAME]',
    'context remove NAME',
  ]

  static override examples = [
    { description: 'From a file of client properties that has the addresses, and never to be written to', command: 'ktool context add prod --command-config client.properties --read-only' },
    {
      description: 'With a login whose password is in the environment',
      command:
        "ktool context add staging -b kafka:9092 -X security.protocol=SASL_SSL -X sasl.mechanism=PLAIN -X 'sasl.jaas.config=" +
        'org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="${env:PW}";\'',
    },
    { description: 'Where the commands go from now on', command: 'ktool context use prod' },
    { description: 'And for one command', command: 'ktool topics list --context prod' },
  ]

  static override words: WordRules = { actions: ACTIONS, argument: 'name' }

  static override flags = {
    add: Flags.boolean({ summary: 'Keep a cluster under a name.' }),
    use: Flags.boolean({ summary: 'Make it the current one.' }),
    list: Flags.boolean({ summary: 'Print all; the current one has a star.' }),
    show: Flags.boolean({ summary: 'Print one, the current one unless said, its secrets hidden.' }),
    remove: Flags.boolean({ summary: 'Forget it.' }),
    name: Flags.string({ helpValue: 'NAME', summary: 'Which.' }),
    'bootstrap-server': Flags.string({ char: 'b', helpValue: 'HOST:PORT,…', summary: 'Its addresses, unless the file has them.' }),
    'command-config': Flags.string({ helpValue: 'FILE', summary: "Kafka's client properties; they are copied." }),
    'command-property': Flags.string({
      char: 'X',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=VALUE',
      summary: "A client property by Kafka's name.",
    }),
    'read-only': Flags.boolean({ summary: 'Refuse whatever would change something there.' }),
    'cluster-id': Flags.string({ helpValue: 'ID', summary: 'Change nothing if another cluster is found there.' }),
    none: Flags.boolean({ summary: 'With use: no context is the current one.' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Context)
    const action = await chosenAction('context', ACTIONS, BELONGS, saidIn(flags), this.output)
    const directory = localPaths(process.env).configDirectory
    const name = flags.name ?? (action === 'show' ? await currentContext(directory) : undefined)
    if (action === 'list') return this.#list(directory)
    if (action === 'use' && flags.none) return this.#leave(directory)
    if (name === undefined) {
      throw usageError(action === 'show' ? 'no context is the current one' : `which context? \`ktool context ${action} NAME\``, 'see `ktool context list`')
    }
    switch (action) {
      case 'add': {
        const said = parseProperties('--command-property', flags['command-property'] ?? [])
        const properties = await contextProperties(flags['command-config'], said, flags['bootstrap-server'])
        await addContext(directory, { name, properties, isReadOnly: flags['read-only'], clusterId: flags['cluster-id'] })
        this.#done(name, `added context ${name}; \`ktool context use ${name}\` makes it the current one`)
        return
      }
      case 'use':
        await readContext(directory, name)
        await setCurrentContext(directory, name)
        this.#done(name, `the current context is ${name}`)
        return
      case 'show':
        this.#show(await readContext(directory, name))
        return
      case 'remove':
        await removeContext(directory, name)
        this.#done(name, `removed context ${name}`)
    }
  }

  async #list(directory: string): Promise<void> {
    const [contexts, current] = await Promise.all([listContexts(directory), currentContext(directory)])
    if (this.output.isJson) {
      this.output.json({ current: current ?? null, contexts: contexts.map(asJson) })
      return
    }
    const rows = contexts.map(({ name, properties, isReadOnly }) => [
      name === current ? '*' : '',
      name,
      properties.get('bootstrap.servers') ?? '',
      properties.get('security.protocol') ?? 'PLAINTEXT',
      isReadOnly ? 'read-only' : '',
    ])
    if (rows.length === 0) this.output.talk('there are no contexts; `ktool context add NAME -b HOST:PORT` adds one')
    else await this.output.table([{ heading: '' }, { heading: 'context' }, { heading: 'addresses' }, { heading: 'protocol' }, { heading: '' }], rows)
  }

  async #leave(directory: string): Promise<void> {
    await setCurrentContext(directory, undefined)
    if (this.output.isJson) this.output.json({ current: null })
    else this.output.talk('no context is the current one')
  }

  #show(context: Saved): void {
    if (this.output.isJson) {
      this.output.json(asJson(context))
      return
    }
    for (const [key, value] of Object.entries(asJson(context).properties)) this.output.line(`${key}=${value}`)
    if (context.isReadOnly) this.output.line('# read-only')
    if (context.clusterId !== undefined) this.output.line(`# cluster ${context.clusterId}`)
  }

  #done(name: string, text: string): void {
    if (this.output.isJson) this.output.json({ context: name })
    else this.output.talk(text)
  }
}

function asJson({ name, properties, isReadOnly, clusterId }: Saved) {
  const shown = Object.fromEntries([...properties].map(([key, value]) => [key, shownValue(key, value)]))
  return { name, readOnly: isReadOnly, clusterId: clusterId ?? null, properties: shown }
}
