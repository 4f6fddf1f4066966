// `ktool acls`: which rules are meant, what to ask a person, and how they look.

import * as Flags from '@oclif/core/flags'
import { type Belongings, chosenAction, saidIn } from '../src/cli/actions.ts'
import { reportRules, ruleText, showRules } from '../src/cli/acl-views.ts'
import { changeFlags, ClusterCommand } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { ExitCode, usageError } from '../src/cli/errors.ts'
import type { WordRules } from '../src/cli/words.ts'
import * as verbs from '../src/cli/verbs/acls.ts'

const ACTIONS = ['list', 'add', 'remove'] as const
type Action = (typeof ACTIONS)[number]

const BELONGS: Belongings<Action> = {
  'allow-host': ['add'],
  'deny-host': ['add'],
  producer: ['add'],
  consumer: ['add'],
  host: ['list', 'remove'],
  principal: ['list', 'remove'],
  yes: ['add', 'remove'],
  'dry-run': ['add', 'remove'],
}

const name = (what: string) => Flags.string({ multiple: true, multipleNonGreedy: true, helpValue: 'NAME', helpGroup: 'resource', summary: what })
const principal = (what: string) => Flags.string({ multiple: true, multipleNonGreedy: true, helpValue: 'NAME', summary: what })
const host = (what: string) => Flags.string({ multiple: true, multipleNonGreedy: true, helpValue: 'HOST', summary: what })

export default class Acls extends ClusterCommand {
  static override words: WordRules = { actions: ACTIONS }

  static override description =
    'Rules about who may do what: they count where the brokers have an authorizer. Names are literal; with --pattern prefixed they are beginnings of ' +
    "names, and '*' is any. A principal without a type is a user."

  static override usage = [
    'acls list [RESOURCE…] [--pattern TYPE] [--principal NAME…] [--operation WORD…]',
    'acls add RESOURCE… (--allow-principal NAME… | --deny-principal NAME…) [--operation WORD… | --producer | --consumer] [--pattern prefixed]',
    'acls remove [RESOURCE…] [--pattern TYPE] [--principal NAME…] [--operation WORD…] [--yes] [--dry-run]',
  ]

  static override examples = [
    { description: 'Who may do what to a topic', command: 'ktool acls list --topic orders --pattern match' },
    { description: 'All that a consumer needs', command: 'ktool acls add --allow-principal billing --consumer --topic orders --group billing' },
    { description: 'One right to all topics of a prefix', command: 'ktool acls add --allow-principal audit --operation read --topic audit. --pattern prefixed' },
    { description: 'Take everything from a user, but look first', command: 'ktool acls remove --principal billing --dry-run' },
  ]

  static override flags = {
    list: Flags.boolean({ summary: 'Show rules.' }),
    add: Flags.boolean({ summary: 'Add rules.' }),
    remove: Flags.boolean({ summary: 'Remove rules.' }),
    topic: Flags.string({ char: 't', multiple: true, multipleNonGreedy: true, helpGroup: 'resource', helpValue: 'NAME', summary: 'A topic.' }),
    group: Flags.string({ char: 'g', multiple: true, multipleNonGreedy: true, helpGroup: 'resource', helpValue: 'NAME', summary: 'A group.' }),
    'transactional-id': name('A transactional id.'),
    'delegation-token': name('A delegation token.'),
    'user-principal': name('A user, of whom delegation tokens are made.'),
    cluster: Flags.boolean({ helpGroup: 'resource', summary: 'The cluster.' }),
    pattern: Flags.option({ options: ['literal', 'prefixed', 'any', 'match'] as const })({
      aliases: ['resource-pattern-type'],
      default: 'literal',
      helpGroup: 'resource',
      helpValue: 'literal|prefixed|any|match',
      summary: 'How names are meant. any: rules of that name of both kinds; match: all rules that cover the name.',
    }),
    'allow-principal': principal('Who may.'),
    'deny-principal': principal('Who may not, whatever else is allowed.'),
    'allow-host': host('From where they may; from everywhere, unless said.'),
    'deny-host': host('From where they may not; from nowhere, unless said.'),
    operation: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'WORD',
      summary: 'What: read, write, create, delete, alter, describe, describe-configs, …; all, unless said.',
    }),
    producer: Flags.boolean({ summary: 'What a producer needs of --topic and --transactional-id.' }),
    consumer: Flags.boolean({ summary: 'What a consumer needs of --topic and --group.' }),
    principal: principal('Only rules for this one.'),
    host: host('Only rules for this host.'),
    ...changeFlags,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Acls)
    const isGiven = saidIn(flags)
    const action = await chosenAction('acls', ACTIONS, BELONGS, isGiven, this.output)
    if (action === 'add') {
      const rules = rulesOf(flags)
      return this.#add(await this.connect(flags), rules, flags)
    }
    const filters = verbs.filtersFor(selectionOf(flags, action))
    const isAll = action === 'remove' && !['principal', 'allow-principal', 'deny-principal', 'host', 'operation'].some(isGiven) && resourcesOf(flags).length === 0
    if (isAll) throw usageError('say which rules go: a resource, --principal, --host or --operation')
    const connection = await this.connect(flags)
    const rules = await verbs.listRules(connection.cluster, filters)
    if (action === 'list') await showRules(rules, this.output)
    else await this.#remove(connection, rules, flags)
  }

  async #add(connection: Connection, rules: readonly verbs.AclRule[], flags: SafetyFlags): Promise<void> {
    if (!(await this.mayChange(connection, { question: `Add ${rules.length} rules?`, isSeveral: false, flags }))) return
    const outcomes = await verbs.addRules(connection.cluster, rules, { validateOnly: flags['dry-run'] })
    if (!reportRules('added', outcomes, this.output, flags['dry-run'])) process.exitCode = ExitCode.failed
  }

  async #remove(connection: Connection, rules: readonly verbs.AclRule[], flags: SafetyFlags): Promise<void> {
    if (rules.length === 0) {
      if (this.output.isJson) reportRules('removed', [], this.output, flags['dry-run'])
      else this.output.talk('no rule is like that')
      return
    }
    const question = rules.length === 1 ? `Remove the rule that ${ruleText(rules[0])}?` : `Remove ${rules.length} rules?`
    if (rules.length > 1 && !flags.yes && !flags['dry-run'] && !this.output.isJson) for (const rule of rules) this.output.talk(`  ${ruleText(rule)}`)
    if (!(await this.mayChange(connection, { question, isSeveral: rules.length > 1, isFinal: true, flags }))) return
    const outcomes = flags['dry-run'] ? rules.map((rule) => ({ rule, done: true, error: null })) : await verbs.removeRules(connection.cluster, rules)
    if (!reportRules('removed', outcomes, this.output, flags['dry-run'])) process.exitCode = ExitCode.failed
  }
}

interface SafetyFlags {
  readonly yes: boolean
  readonly 'dry-run': boolean
}

type Names = readonly string[] | undefined

interface ResourceFlags {
  readonly topic: Names
  readonly group: Names
  readonly 'transactional-id': Names
  readonly 'delegation-token': Names
  readonly 'user-principal': Names
  readonly cluster: boolean
  readonly pattern: 'literal' | 'prefixed' | 'any' | 'match'
}

interface GrantFlags extends ResourceFlags {
  readonly 'allow-principal': Names
  readonly 'deny-principal': Names
  readonly 'allow-host': Names
  readonly 'deny-host': Names
  readonly operation: Names
  readonly producer: boolean
  readonly consumer: boolean
  readonly principal: Names
  readonly host: Names
}

function resourcesOf(flags: ResourceFlags) {
  const named = (type: verbs.AclRule['resourceType'], names: Names) => (names ?? []).map((name) => ({ resourceType: type, name }))
  return [
    ...named('TOPIC', flags.topic),
    ...named('GROUP', flags.group),
    ...named('TRANSACTIONAL_ID', flags['transactional-id']),
    ...named('DELEGATION_TOKEN', flags['delegation-token']),
    ...named('USER', flags['user-principal']?.map(verbs.parsePrincipal)),
    ...(flags.cluster ? [verbs.CLUSTER_PATTERN] : []),
  ]
}

function rulesOf(flags: GrantFlags): verbs.AclRule[] {
  if (flags.pattern === 'any' || flags.pattern === 'match') throw usageError(`a rule can't be of --pattern ${flags.pattern}`, 'literal or prefixed')
  const patternType = flags.pattern === 'prefixed' ? 'PREFIXED' : 'LITERAL'
  const resources = resourcesOf(flags)
  if (resources.length === 0) throw usageError('say what the rule is about: --topic, --group, --transactional-id, --cluster, …')
  const allowed = (flags['allow-principal'] ?? []).map(verbs.parsePrincipal)
  const denied = (flags['deny-principal'] ?? []).map(verbs.parsePrincipal)
  if (allowed.length + denied.length === 0) throw usageError('say whom the rule is for: --allow-principal or --deny-principal')
  const grants = { allowed, denied, allowedHosts: flags['allow-host'] ?? ['*'], deniedHosts: flags['deny-host'] ?? ['*'] }
  const needed = [...(flags.producer ? [verbs.CONVENIENCES.producer] : []), ...(flags.consumer ? [verbs.CONVENIENCES.consumer] : [])]
  if (needed.length > 0 && flags.operation !== undefined) throw usageError('--producer and --consumer say what the operations are', 'leave out --operation')
  const said = (flags.operation ?? ['all']).map(verbs.parseOperation)
  const rules = resources.flatMap(({ resourceType, name }) => {
    const operations = needed.length === 0 ? said : needed.flatMap((those) => (resourceType in those ? those[resourceType as keyof typeof those] : []))
    if (operations.length === 0) throw usageError(`--${flags.producer ? 'producer' : 'consumer'} has no use for a ${verbs.resourceWord(resourceType)}`)
    const pattern = resourceType === 'CLUSTER' ? verbs.CLUSTER_PATTERN : ({ resourceType, name, patternType } as const)
    const entries = verbs.entriesFor([...new Set(operations)], grants)
    verbs.checkOperations(pattern, entries)
    return entries.map((entry) => ({ ...pattern, ...entry }))
  })
  if (flags.consumer && !resources.some(({ resourceType }) => resourceType === 'GROUP')) throw usageError('--consumer needs --group')
  return rules
}

function selectionOf(flags: GrantFlags, action: Action): verbs.RuleSelection {
  const [allowed, denied] = [flags['allow-principal'], flags['deny-principal']]
  if (allowed !== undefined && denied !== undefined) throw usageError(`--${action} takes one of --allow-principal and --deny-principal`)
  return {
    patterns: resourcesOf(flags),
    patternType: flags.pattern.toUpperCase() as Uppercase<ResourceFlags['pattern']>,
    principals: [...(flags.principal ?? []), ...(allowed ?? denied ?? [])].map(verbs.parsePrincipal),
    hosts: flags.host ?? [],
    operations: (flags.operation ?? []).map(verbs.parseOperation),
    permission: allowed !== undefined ? 'ALLOW' : denied !== undefined ? 'DENY' : 'ANY',
  }
}
