// kafka-acls (AclCommand of Apache Kafka 4.3). What Java has in hash sets comes in the order it was given.
//
// From older releases: --authorizer, --authorizer-properties (zookeeper.connect of a loopback host means the broker here) and
// --zk-tls-config-file (all until 3.9).

import { createInterface } from 'node:readline/promises'
import {
  ACL_OPERATIONS, type AclEntry, type AclFilter, type AclOperationName, type AclPattern, type AclPatternTypeName,
  type AclResourceTypeName, type AclRule, ANY_ACL, createAcls, deleteAcls, describeAcls,
} from '../../src/client/admin.ts' // prettier-ignore
import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, FaceExit, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { awaited, executionException, illegalArgument, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { checkInvalid, DEFAULT_OPTIONS, type Jopt, maybeHelp, parseOrUsage } from '../../src/cli/apache/jopt.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { CLUSTER_PATTERN, CONVENIENCES, entriesFor, supportedOperations } from '../../src/cli/verbs/acls.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'server to connect to', help: 'The broker to ask first, HOST:PORT.' },
  'bootstrap-controller': { arg: 'required', describedAs: 'controller to connect to', help: 'The controller to ask, HOST:PORT.' },
  'command-config': { arg: 'optional', describedAs: 'command-config', help: 'A file of client properties.' },
  topic: { arg: 'required', describedAs: 'topic', help: "A topic that the rules are about; '*' is all of them." },
  cluster: { help: 'The rules are about the cluster.' },
  group: { arg: 'required', describedAs: 'group', help: "A group that the rules are about; '*' is all of them." },
  'transactional-id': { arg: 'required', describedAs: 'transactional-id', help: "A transactional id that the rules are about; '*' is all of them." },
  idempotent: { help: 'With --producer, also the right to idempotence without a transactional id.' },
  'delegation-token': { arg: 'required', describedAs: 'delegation-token', help: "A delegation token that the rules are about; '*' is all of them." },
  'resource-pattern-type': {
    arg: 'required',
    default: 'LITERAL',
    help: 'How the name of a resource is meant: literal or prefixed; --list and --remove also take any and match.',
  },
  add: { help: 'Add rules.' },
  remove: { help: 'Remove rules.' },
  list: { help: 'Show rules.' },
  operation: { arg: 'required', default: 'All', help: `What is allowed or denied: ${ACL_OPERATIONS.filter((name) => name !== 'ANY').map(pascal).join(', ')}.` },
  'allow-principal': { arg: 'required', describedAs: 'allow-principal', help: 'Who is allowed it, TYPE:NAME.' },
  'deny-principal': { arg: 'required', describedAs: 'deny-principal', help: 'Who is denied it, TYPE:NAME.' },
  principal: { arg: 'optional', describedAs: 'principal', help: 'With --list, only the rules for this one.' },
  'allow-host': { arg: 'required', describedAs: 'allow-host', help: 'The host from which it is allowed; all when left out.' },
  'deny-host': { arg: 'required', describedAs: 'deny-host', help: 'The host from which it is denied; all when left out.' },
  producer: { help: 'All that a producer needs.' },
  consumer: { help: 'All that a consumer needs.' },
  force: { help: 'Ask nothing.' },
  'user-principal': { arg: 'required', describedAs: 'user-principal', help: 'A user that the rules are about.' },
  authorizer: { arg: 'required', isHidden: true },
  'authorizer-properties': { arg: 'required', isHidden: true },
  'zk-tls-config-file': { arg: 'required', isHidden: true },
} as const

type Name = keyof typeof OPTIONS
type Options = Jopt<Name>

/** Rules about one resource, or about all that a filter means. */
interface Rules {
  readonly pattern: AclPattern
  readonly entries: readonly AclEntry[]
}

export const face: Face = async (argv, io) => {
  const options = parseOrUsage(OPTIONS, argv)
  checkOptions(options, argv)
  let cluster: Cluster | undefined
  try {
    cluster = await openedCluster(options, io)
    if (options.has('add')) await add(cluster, options, io)
    else if (options.has('remove')) await remove(cluster, options, io)
    else await list(cluster, options, io)
    return 0
  } catch (error) {
    if (error instanceof FaceExit) throw error
    const java = toJava(error)
    io.out(`Error while executing ACL command: ${java.message}\n${traceOf(java)}\n`)
    return 1
  } finally {
    await cluster?.close()
  }
}

function checkOptions(options: Options, argv: readonly string[]): void {
  maybeHelp(options, argv, 'This tool helps to manage acls on kafka.')
  if (options.has('bootstrap-server') && options.has('bootstrap-controller')) {
    throw options.usage('Only one of --bootstrap-server or --bootstrap-controller must be specified')
  }
  if (!options.has('bootstrap-server') && !options.has('bootstrap-controller') && zookeeperOf(options) === undefined) {
    throw options.usage('One of --bootstrap-server or --bootstrap-controller must be specified')
  }
  if ((['add', 'remove', 'list'] as const).filter((action) => options.has(action)).length !== 1) {
    throw options.usage('Command must include exactly one action: --list, --add, --remove. ')
  }
  checkInvalid(options, 'list', ['producer', 'consumer', 'allow-host', 'allow-principal', 'deny-host', 'deny-principal'])
  checkInvalid(options, 'producer', ['operation', 'deny-principal', 'deny-host'])
  checkInvalid(options, 'consumer', ['operation', 'deny-principal', 'deny-host'])
  if (options.has('principal') && !options.has('list')) throw options.usage('The --principal option is only available if --list is set')
  if (options.has('producer') && !options.has('topic')) throw options.usage('With --producer you must specify a --topic')
  if (options.has('idempotent') && !options.has('producer')) throw options.usage('The --idempotent option is only available if --producer is set')
  const isOfProducers = options.has('producer') || !(options.has('cluster') || options.has('transactional-id'))
  if (options.has('consumer') && !(options.has('topic') && options.has('group') && isOfProducers)) {
    throw options.usage('With --consumer you must specify a --topic and a --group and no --cluster or --transactional-id option should be specified.')
  }
}

function zookeeperOf(options: Options): string | undefined {
  const pairs = options.all('authorizer-properties').map((text) => /^\s*(?:authorizer\.zookeeper\.url|zookeeper\.connect)\s*=(.*)$/.exec(text)?.[1].trim())
  return pairs.find((value) => value !== undefined)
}

async function openedCluster(options: Options, io: FaceIo): Promise<Cluster> {
  const properties = await loadProperties(options.value('command-config'))
  const bootstrapServer =
    options.value('bootstrap-server') ?? options.value('bootstrap-controller') ?? (await brokerForZookeeper(io, zookeeperOf(options) ?? ''))
  return openCluster(io, { bootstrapServer, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
}

async function add(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const type = patternType(options)
  if (type === 'ANY' || type === 'MATCH') throw options.usage(`A '--resource-pattern-type' value of '${type}' is not valid when adding acls.`)
  const wanted = rulesOf(options)
  if (wanted.some(({ entries }) => entries.length === 0)) {
    throw options.usage('You must specify one of: --allow-principal, --deny-principal when trying to add ACLs.')
  }
  for (const { pattern, entries } of wanted) {
    const there = new Set((await awaited('describeAcls', describeAcls(cluster, { ...ANY_ACL, ...pattern }))).map(entryText))
    for (const entry of entries.filter((entry) => there.has(entryText(entry)))) {
      io.out(`Acl (pattern=${patternText(pattern)}, entry=${entryText(entry)}) already exists.\n`)
    }
    const missing = entries.filter((entry) => !there.has(entryText(entry)))
    if (missing.length === 0) continue
    io.out(`Adding ACLs for resource \`${patternText(pattern)}\`: \n ${linesOf(missing)}\n\n`)
    for (const result of await awaited('createAcls', createAcls(cluster, missing.map((entry): AclRule => ({ ...pattern, ...entry }))))) {
      if (!result.ok) throw executionException(result.error)
    }
  }
}

async function remove(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  for (const { pattern, entries } of rulesOf(options)) {
    const question =
      entries.length === 0
        ? `Are you sure you want to delete all ACLs for resource filter \`${patternText(pattern)}\`? (y/n)`
        : `Are you sure you want to remove ACLs: \n ${linesOf(entries)}\n from resource filter \`${patternText(pattern)}\`? (y/n)`
    if (!options.has('force') && !(await isConfirmed(question, io))) continue
    const filters: AclFilter[] = entries.length === 0 ? [{ ...ANY_ACL, ...pattern }] : entries.map((entry) => ({ ...pattern, ...entry }))
    for (const result of await awaited('deleteAcls', deleteAcls(cluster, filters))) if (!result.ok) throw executionException(result.error)
  }
}

/** System.console: only of a terminal, in and out. */
async function isConfirmed(question: string, io: FaceIo): Promise<boolean> {
  io.out(`${question}\n`)
  if (!io.stdin.isTTY || !io.stdout.isTTY) {
    const value = 'the return value of "java.lang.System.console()" is null'
    throw new JavaError('java.lang.NullPointerException', `Cannot invoke "java.io.Console.readLine()" because ${value}`)
  }
  const lines = createInterface({ input: io.stdin })
  const answer = await new Promise<string>((resolve) => lines.once('line', resolve).once('close', () => resolve('')))
  lines.close()
  return answer.toLowerCase() === 'y'
}

async function list(cluster: Cluster, options: Options, io: FaceIo): Promise<void> {
  const patterns = patternsOf(options)
  const principals = principalsOf(options, 'principal')
  const filters = patterns.length === 0 ? [ANY_ACL] : patterns.map((pattern): AclFilter => ({ ...ANY_ACL, ...pattern }))
  const rules: AclRule[] = []
  for (const filter of filters) rules.push(...(await awaited('describeAcls', describeAcls(cluster, filter))))
  if (principals.length === 0) show(rules, io)
  for (const principal of principals) {
    io.out(`ACLs for principal \`${principal}\`\n`)
    show(rules.filter((rule) => rule.principal === principal), io) // prettier-ignore
  }
}

function show(rules: readonly AclRule[], io: FaceIo): void {
  for (const resource of new Set(rules.map(patternText))) {
    const entries = rules.filter((rule) => patternText(rule) === resource)
    io.out(`Current ACLs for resource \`${resource}\`:\n${[...new Set(entries.map((entry) => `\t${entryText(entry)}`))].join('\n')}\n\n`)
  }
}

function patternText({ resourceType, name, patternType }: AclPattern): string {
  return `ResourcePattern(resourceType=${resourceType}, name=${name}, patternType=${patternType})`
}

function entryText({ principal, host, operation, permission }: AclEntry): string {
  return `(principal=${principal}, host=${host}, operation=${operation}, permissionType=${permission})`
}

function linesOf(entries: readonly AclEntry[]): string {
  return entries.map((entry) => `\t${entryText(entry)}`).join('\n')
}

/** What the words mean, by resource. */
function rulesOf(options: Options): Rules[] {
  const found = new Map<string, Rules>()
  const put = (patterns: readonly AclPattern[], entries: readonly AclEntry[]): void => {
    for (const pattern of patterns) {
      const before = found.get(patternText(pattern))?.entries ?? []
      const texts = new Set(before.map(entryText))
      found.set(patternText(pattern), { pattern, entries: [...before, ...entries.filter((entry) => !texts.has(entryText(entry)))] })
    }
  }
  const isOf = (type: AclResourceTypeName) => (pattern: AclPattern) => pattern.resourceType === type
  if (!options.has('producer') && !options.has('consumer')) {
    const entries = entriesOf(options, [...new Set(options.all('operation').map((word) => operationOf(word.trim())))])
    put(someResources(options), entries)
  }
  if (options.has('producer')) {
    const patterns = someResources(options)
    put(patterns.filter(isOf('TOPIC')), entriesOf(options, CONVENIENCES.producer.TOPIC))
    put(patterns.filter(isOf('TRANSACTIONAL_ID')), entriesOf(options, CONVENIENCES.producer.TRANSACTIONAL_ID))
    if (options.has('idempotent')) put([CLUSTER_PATTERN], entriesOf(options, ['IDEMPOTENT_WRITE']))
  }
  if (options.has('consumer')) {
    const patterns = someResources(options)
    put(patterns.filter(isOf('TOPIC')), entriesOf(options, CONVENIENCES.consumer.TOPIC))
    put(patterns.filter(isOf('GROUP')), entriesOf(options, CONVENIENCES.consumer.GROUP))
  }
  for (const { pattern, entries } of found.values()) {
    const valid = supportedOperations(pattern.resourceType)
    if (entries.some(({ operation }) => !valid.includes(operation))) {
      throw options.usage(`ResourceType ${pattern.resourceType} only supports operations [${valid.join(', ')}]`)
    }
  }
  return [...found.values()]
}

function entriesOf(options: Options, operations: readonly AclOperationName[]): AclEntry[] {
  const allowed = principalsOf(options, 'allow-principal')
  const denied = principalsOf(options, 'deny-principal')
  return entriesFor(operations, { allowed, denied, allowedHosts: hostsOf(options, 'allow-host'), deniedHosts: hostsOf(options, 'deny-host') })
}

function hostsOf(options: Options, name: 'allow-host' | 'deny-host'): string[] {
  return options.has(name) ? [...new Set(options.all(name).map((host) => host.trim()))] : ['*']
}

function principalsOf(options: Options, name: 'allow-principal' | 'deny-principal' | 'principal'): string[] {
  const texts = options.all(name).map((text) => text.trim())
  const wrong = texts.find((text) => !text.includes(':'))
  if (wrong !== undefined) throw illegalArgument(`expected a string in format principalType:principalName but got ${wrong}`)
  return [...new Set(texts)]
}

/** SecurityUtils.operation: DescribeConfigs, in any case; underscores are none of it. */
function operationOf(word: string): AclOperationName {
  return ACL_OPERATIONS.find((name) => name.replaceAll('_', '') === word.toUpperCase()) ?? 'UNKNOWN'
}

function pascal(name: string): string {
  return name.replaceAll(/_?([A-Z])([A-Z]*)/g, (_, first: string, others: string) => first + others.toLowerCase())
}

function someResources(options: Options): AclPattern[] {
  const patterns = patternsOf(options)
  if (patterns.length > 0) return patterns
  throw options.usage('You must provide at least one resource: --topic <topic> or --cluster or --group <group> or --delegation-token <Delegation Token ID>')
}

function patternsOf(options: Options): AclPattern[] {
  const type = patternType(options)
  const named = (option: Name, resourceType: AclResourceTypeName): AclPattern[] =>
    options.all(option).map((name) => ({ resourceType, name: option === 'transactional-id' ? name : name.trim(), patternType: type }))
  const patterns = [
    ...named('topic', 'TOPIC'),
    ...(type === 'LITERAL' && (options.has('cluster') || options.has('idempotent')) ? [CLUSTER_PATTERN] : []),
    ...named('group', 'GROUP'),
    ...named('transactional-id', 'TRANSACTIONAL_ID'),
    ...named('delegation-token', 'DELEGATION_TOKEN'),
    ...named('user-principal', 'USER'),
  ]
  return [...new Map(patterns.map((pattern) => [patternText(pattern), pattern])).values()]
}

function patternType(options: Options): AclPatternTypeName {
  const text = options.value('resource-pattern-type') ?? ''
  const type = (['ANY', 'MATCH', 'LITERAL', 'PREFIXED'] as const).find((type) => type === text.toUpperCase())
  if (type !== undefined) return type
  throw new JavaError('joptsimple.OptionArgumentConversionException', `Cannot parse argument '${text}' of option resource-pattern-type`)
}
