// kafka-configs (ConfigCommand of Apache Kafka 4.3): its words, its checks, and --alter; --describe is beside it.
//
// From older releases: --zookeeper (until 3.9; loopback means the broker here), --zk-tls-config-file and --force.

import { lookup } from 'node:dns/promises'
import { describeConfigs, incrementalAlterConfigs, type ResourceType } from '../../src/client/admin.ts'
import type { Cluster } from '../../src/client/cluster.ts'
import { type Face, FaceExit, type FaceIo, traceOf } from '../../src/cli/apache/face.ts'
import { awaited, executionException, illegalArgument, JavaError, toJava } from '../../src/cli/apache/java-errors.ts'
import { inHashOrder, stringHash } from '../../src/cli/apache/java-hash.ts'
import { checkInvalid, DEFAULT_OPTIONS, integer, type Jopt, maybeHelp, parseJopt } from '../../src/cli/apache/jopt.ts'
import { brokerForZookeeper, loadProperties, openCluster } from '../../src/cli/apache/open-cluster.ts'
import { describe } from './kafka-configs-describe.ts'
import { type Changes, type Entities, RESOURCES } from './kafka-configs-entities.ts'
import { alterIps, alterUsersAndClients } from './kafka-configs-quotas.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const OPTIONS = {
  ...DEFAULT_OPTIONS,
  'bootstrap-server': { arg: 'required', describedAs: 'server to connect to', help: 'The broker to ask first, HOST:PORT.' },
  'bootstrap-controller': { arg: 'required', describedAs: 'controller to connect to', help: 'The controller to ask, HOST:PORT.' },
  'command-config': { arg: 'required', describedAs: 'command config property file', help: 'A file of client properties.' },
  alter: { help: 'Change settings.' },
  describe: { help: 'Show settings.' },
  all: { help: 'With --describe, also what holds by default.' },
  'entity-type': { arg: 'required', help: 'What the settings belong to: topics, clients, users, brokers, broker-loggers, ips, client-metrics, groups.' },
  'entity-name': { arg: 'required', help: 'Its name.' },
  'entity-default': { help: 'Not one of them, but what holds for all clients, users, brokers or ips.' },
  'add-config': { arg: 'required', help: 'Settings to make: k1=v1,k2=[v1,v2],k3=v3.' },
  'add-config-file': { arg: 'required', help: 'A properties file of settings to make.' },
  'delete-config': { arg: 'required', help: 'Settings to take back: k1,k2.' },
  topic: { arg: 'required', help: 'The name of a topic.' },
  client: { arg: 'required', help: 'A client id.' },
  'client-defaults': { help: 'What holds for all clients.' },
  user: { arg: 'required', help: 'The name of a user.' },
  'user-defaults': { help: 'What holds for all users.' },
  broker: { arg: 'required', help: 'The id of a broker.' },
  'broker-defaults': { help: 'What holds for all brokers.' },
  'broker-logger': { arg: 'required', help: 'The id of a broker whose loggers are meant.' },
  'ip-defaults': { help: 'What holds for all addresses.' },
  ip: { arg: 'required', help: 'An address.' },
  group: { arg: 'required', help: 'The id of a group.' },
  'client-metrics': { arg: 'required', help: 'The name of a subscription to client metrics.' },
  zookeeper: { arg: 'required', isHidden: true },
  'zk-tls-config-file': { arg: 'required', isHidden: true },
  force: { isHidden: true },
} as const

type Options = Jopt<keyof typeof OPTIONS>

// ConfigType.values and what the tool adds.
const TYPES = ['topics', 'clients', 'users', 'brokers', 'ips', 'client-metrics', 'groups', 'broker-loggers'] as const

const NAMED = [
  ['topic', 'topics'], ['client', 'clients'], ['user', 'users'], ['broker', 'brokers'], ['broker-logger', 'broker-loggers'],
  ['ip', 'ips'], ['client-metrics', 'client-metrics'], ['group', 'groups'],
] as const // prettier-ignore
const DEFAULTS = [
  ['client-defaults', 'clients'], ['user-defaults', 'users'], ['broker-defaults', 'brokers'], ['ip-defaults', 'ips'],
] as const // prettier-ignore

// What the tool answers with the message alone: IllegalArgumentException, InvalidConfigurationException, and what extends them.
const TERSE =
  /^joptsimple\.|^java\.lang\.(IllegalArgument|NumberFormat)Exception$|\.errors\.(InvalidConfiguration|InvalidTopic|UnsupportedVersion)Exception$/

export const face: Face = async (argv, io) => {
  try {
    const options = parseJopt(OPTIONS, argv)
    maybeHelp(options, argv, 'This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, client-metrics or group')
    await checkOptions(options)
    await run(options, io)
    return 0
  } catch (error) {
    if (error instanceof FaceExit) throw error
    const java = toJava(error)
    if (TERSE.test(java.className)) io.err(`${java.message}\n`)
    else io.err(`Error while executing config command with args '${argv.join(' ')}'\n${traceOf(java)}`)
    return 1
  }
}

async function run(options: Options, io: FaceIo): Promise<void> {
  const properties = await loadProperties(options.value('command-config'))
  const bootstrapServer =
    options.value('bootstrap-server') ?? options.value('bootstrap-controller') ?? (await brokerForZookeeper(io, options.value('zookeeper') ?? ''))
  const cluster = await openCluster(io, { bootstrapServer, properties, clientId: 'adminclient-1', kind: 'KafkaAdminClient' })
  try {
    const entities = entitiesOf(options)
    if (options.has('describe')) {
      await describe(cluster, entities, options.has('all'), io)
      return
    }
    if (entities.types.length !== entities.names.length) throw illegalArgument('An entity name must be specified for every entity type')
    await alter(cluster, entities, { add: await toBeAdded(options), remove: toBeDeleted(options) }, io)
  } finally {
    await cluster.close()
  }
}

function entitiesOf(options: Options): Entities {
  const named = NAMED.filter(([option]) => options.has(option))
  const defaults = DEFAULTS.filter(([option]) => options.has(option))
  const names = options.all('entity-name').values()
  const paired = options.given.filter((option) => option === 'entity-name' || option === 'entity-default')
  return {
    types: [...options.all('entity-type'), ...[...named, ...defaults].map(([, type]) => type)],
    names: [
      ...paired.map((option) => (option === 'entity-name' ? (names.next().value ?? '') : '')),
      ...named.map(([option]) => options.value(option) ?? ''),
      ...defaults.map(() => ''),
    ],
  }
}

async function checkOptions(options: Options): Promise<void> {
  if (options.has('alter') === options.has('describe')) throw options.usage('Command must include exactly one action: --describe, --alter')
  checkInvalid(options, 'describe', ['alter', 'add-config', 'delete-config'])
  const { types } = entitiesOf(options)
  const twice = types.filter((type, at) => types.indexOf(type) !== at)
  if (twice.length > 0) throw illegalArgument(`Duplicate entity type(s) specified: ${twice.join(',')}`)
  const addresses = [options.has('bootstrap-server'), options.has('bootstrap-controller')].filter(Boolean).length
  if (addresses === 0 && !options.has('zookeeper')) throw illegalArgument('Either --bootstrap-server or --bootstrap-controller must be specified.')
  const unknown = types.find((type) => !TYPES.some((known) => known === type))
  if (unknown !== undefined) {
    const known = TYPES.join(', ')
    throw illegalArgument(
      `Invalid entity type ${unknown}, the entity type must be one of ${known} with a --bootstrap-server or --bootstrap-controller argument`,
    )
  }
  if (types.length === 0) throw illegalArgument('At least one entity type must be specified')
  if (types.length > 1 && !(types.includes('users') && types.includes('clients'))) {
    throw illegalArgument("Only 'users' and 'clients' entity types may be specified together")
  }
  const isLong = options.has('entity-name') || options.has('entity-type') || options.has('entity-default')
  if (isLong && [...NAMED, ...DEFAULTS].some(([option]) => options.has(option))) {
    throw illegalArgument('--entity-{type,name,default} should not be used in conjunction with specific entity flags')
  }
  if (addresses > 1) throw illegalArgument('Only one of --bootstrap-server or --bootstrap-controller can be specified')
  await checkNames(options)
  if (options.has('describe')) checkDescribe(options)
  else checkAlter(options)
}

async function checkNames(options: Options): Promise<void> {
  const { types, names } = entitiesOf(options)
  if (!names.some((name) => name !== '')) return
  const given = (...which: readonly ('entity-name' | 'broker' | 'broker-logger' | 'ip')[]) =>
    which.flatMap((option) => (options.has(option) ? [options.value(option) ?? ''] : []))
  if (types.includes('brokers') || types.includes('broker-loggers')) {
    const wrong = given('entity-name', 'broker', 'broker-logger').find((id) => integer(id, 2n ** 31n) === undefined)
    if (wrong !== undefined) throw illegalArgument(`The entity name for ${types[0]} must be a valid integer broker id, but it is: ${wrong}`)
  }
  if (!types.includes('ips')) return
  for (const ip of given('entity-name', 'ip')) {
    if (!(await isAddress(ip))) throw illegalArgument(`The entity name for ${types[0]} must be a valid IP or resolvable host, but it is: ${ip}`)
  }
}

async function isAddress(text: string): Promise<boolean> {
  try {
    await lookup(text)
    return true
  } catch {
    return false
  }
}

function checkDescribe(options: Options): void {
  const { types, names } = entitiesOf(options)
  if (options.has('entity-default') && !types.some((type) => HAS_DEFAULT.has(type))) {
    throw illegalArgument(`--entity-default must not be specified with --describe of ${types.join(',')}`)
  }
  if (types.includes('broker-loggers') && names.every((name) => name === '')) {
    throw illegalArgument(`An entity name must be specified with --describe of ${types.join(',')}`)
  }
}

const HAS_DEFAULT: ReadonlySet<string> = new Set(['users', 'clients', 'brokers', 'ips'])

function checkAlter(options: Options): void {
  const { types, names } = entitiesOf(options)
  if (types.some((type) => HAS_DEFAULT.has(type))) {
    if (names.length === 0) throw illegalArgument('An entity-name or default entity must be specified with --alter of users, clients, brokers or ips')
  } else if (names.every((name) => name === '')) throw illegalArgument(`An entity name must be specified with --alter of ${types.join(',')}`)
  if (options.has('add-config') && options.has('add-config-file')) {
    throw illegalArgument('Only one of --add-config or --add-config-file must be specified')
  }
  if (!options.has('add-config') && !options.has('add-config-file') && !options.has('delete-config')) {
    throw illegalArgument('At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter')
  }
}

// Commas and equals signs inside brackets don't count: what follows has no ] before the next [.
const COMMA = /,(?=[^\]]*(?:\[|$))/
const EQUALS = /\s*=\s*(?=[^\]]*(?:\[|$))/

async function toBeAdded(options: Options): Promise<ReadonlyMap<string, string>> {
  const found = new Map(options.has('add-config-file') ? await loadProperties(options.value('add-config-file')) : [])
  const pairs = withoutEmptyEnd((options.value('add-config') ?? '').split(COMMA)).map((piece) => piece.split(EQUALS))
  if (options.has('add-config')) {
    if (!pairs.every((pair) => pair.length === 2)) {
      const form = '"key=val" or  "key=[val1,val2]" to group values which contain commas.'
      throw illegalArgument(`requirement failed: Invalid entity config: all configs to be added must be in the format ${form}`)
    }
    for (const [name, value] of pairs) found.set(name.trim(), value.replaceAll(/\[?\]?/g, '').trim())
  }
  const names = inHashOrder([...found.keys()], stringHash)
  const wrong = names.find((name) => !/^[$a-zA-Z0-9._-]*$/.test(name))
  if (wrong !== undefined) throw illegalArgument(`Invalid character found for config key: ${wrong}`)
  return new Map(names.map((name) => [name, found.get(name) ?? '']))
}

/** String.split of Java, which drops empty texts at the end; but an empty text stays one. */
function withoutEmptyEnd(pieces: readonly string[]): readonly string[] {
  if (pieces.length < 2) return pieces
  return pieces.slice(0, pieces.findLastIndex((piece) => piece !== '') + 1)
}

/** Words between commas, as jopt's withValuesSeparatedBy takes them. */
function toBeDeleted(options: Options): string[] {
  return options.all('delete-config').flatMap((text) => {
    const words = text.split(',').filter((word) => word !== '')
    return (words.length === 0 ? [text] : words).map((word) => word.trim())
  })
}

async function alter(cluster: Cluster, { types, names }: Entities, changes: Changes, io: FaceIo): Promise<void> {
  const [type, name] = [types[0], names[0]]
  if (type === 'users' || type === 'clients') await alterUsersAndClients(cluster, { types, names }, changes)
  else if (type === 'ips') await alterIps(cluster, { types, names }, changes)
  else {
    if (type === 'broker-loggers') await checkLoggers(cluster, name, changes)
    await alterResource(cluster, RESOURCES[type as keyof typeof RESOURCES], name, changes)
  }
  io.out(name === '' ? `Completed updating default config for ${type} in the cluster.\n` : `Completed updating config for ${type.slice(0, -1)} ${name}.\n`)
}

async function checkLoggers(cluster: Cluster, name: string, { add, remove }: Changes): Promise<void> {
  const [{ result }] = await awaited('describeConfigs', describeConfigs(cluster, [{ type: 'brokerLogger', name }]))
  if (!result.ok) throw executionException(result.error)
  const known = new Set(result.value.map((entry) => entry.name))
  const wrong = [...remove, ...add.keys()].filter((logger) => !known.has(logger))
  if (wrong.length > 0) {
    throw new JavaError('org.apache.kafka.common.errors.InvalidConfigurationException', `Invalid broker logger(s): ${wrong.join(',')}`)
  }
}

async function alterResource(cluster: Cluster, type: ResourceType, name: string, { add, remove }: Changes): Promise<void> {
  const changes = [
    ...remove.map((key) => ({ name: key, operation: 'delete' as const, value: '' })),
    ...Array.from(add, ([key, value]) => ({ name: key, operation: 'set' as const, value })),
  ]
  try {
    const [{ result }] = await awaited('incrementalAlterConfigs', incrementalAlterConfigs(cluster, [{ type, name, changes }]))
    if (!result.ok) throw executionException(result.error)
  } catch (error) {
    const cause = error instanceof JavaError && error.cause instanceof JavaError ? error.cause.className : ''
    if (!cause.endsWith('.UnsupportedVersionException') || type === 'brokerLogger') throw error
    throw new JavaError(
      cause,
      'The INCREMENTAL_ALTER_CONFIGS API is not supported by the cluster. The API is supported starting from version 2.3.0. You may want to use an ' +
        'older version of this tool to interact with your cluster, or upgrade your brokers to version 2.3.0 or newer to avoid this error.',
    )
  }
}
