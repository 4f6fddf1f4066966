// Where the cluster is (DECISIONS.md, Which cluster): the flags, then the environment, then the current context, then the
// bundled broker that runs on this machine.

import type { BrokerStatus } from '../base/control-messages.ts'
import { clientConfig } from '../client/client-config.ts'
import type { Cluster } from '../client/cluster.ts'
import { connectCluster } from '../client/kafka-cluster.ts'
import { isKnownKey } from '../client/config-keys.ts'
import { ConfigError } from '../client/errors.ts'
import { readPropertiesFile } from '../client/properties-file.ts'
import { guarded } from './context-guard.ts'
import { type Context, currentContext, readContext } from './contexts.ts'
import { addressOf, clientAddress, listenerAddress, runningBrokers } from './control.ts'
import { CliError, ExitCode, usageError } from './errors.ts'
import { autoStart, autoStartForbidden, realDirectory } from './local-broker.ts'
import { localPaths } from './paths.ts'
import { hasReference, resolveSecrets } from './secrets.ts'

export interface ConnectionOptions {
  /** Addresses, as in Kafka: HOST:PORT[,HOST:PORT…] */
  readonly bootstrapServer?: string | undefined
  /** A file of Kafka's client properties. */
  readonly commandConfig?: string | undefined
  /** By name; goes with neither of the two above. */
  readonly context?: string | undefined
  /** Laid over the file's: `--command-property` and the like. */
  readonly properties?: ReadonlyMap<string, string>
}

export interface Connection {
  readonly cluster: Cluster
  /** Whether the command line itself says which cluster. */
  readonly isNamed: boolean
  /** Whether this is the bundled broker found (or started) on this machine, not a cluster that somebody named. */
  readonly isBundled: boolean
  readonly bootstrapServers: string
  /** What named it, for people: a flag, a variable, a context, the broker on this machine. */
  readonly source: string
  /** The context it comes from, where it does. */
  readonly context: Context | undefined
  /** The client properties in force, `bootstrap.servers` among them. */
  readonly properties: ReadonlyMap<string, string>
}

export interface Target {
  readonly isNamed: boolean
  readonly isBundled: boolean
  readonly source: string
  readonly context: Context | undefined
  readonly properties: ReadonlyMap<string, string>
}

/** What resolveTarget asks the world; tests put their own in. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly readProperties: (path: string) => Promise<ReadonlyMap<string, string>>
  readonly readContext: (name: string) => Promise<Context>
  readonly currentContext: () => Promise<string | undefined>
  /** Of the bundled broker that goes before others. */
  readonly usualDirectory: string
  readonly runningBrokers: () => Promise<readonly BrokerStatus[]>
  /** Starts the bundled broker; absent where the command must not. */
  readonly start?: (() => Promise<BrokerStatus>) | undefined
}

/** Connects lazily: the first call on the cluster dials. `say` gets the line about a broker that had to be started. */
export async function openConnection(
  options: ConnectionOptions,
  env: NodeJS.ProcessEnv,
  start: { say: (line: string) => void } | undefined,
): Promise<Connection> {
  const paths = localPaths(env)
  const target = await resolveTarget(options, {
    env,
    readProperties: readPropertiesFile,
    readContext: (name) => readContext(paths.configDirectory, name),
    currentContext: () => currentContext(paths.configDirectory),
    usualDirectory: await realDirectory(paths.dataDirectory),
    runningBrokers: () => runningBrokers(paths.runtimeDirectory),
    start: start && (() => autoStart(paths, env, start.say)),
  })
  const cluster = connectCluster(await clientConfig(target.properties))
  return {
    cluster: target.context === undefined ? cluster : guarded(cluster, target.context),
    isNamed: target.isNamed,
    isBundled: target.isBundled,
    source: target.source,
    context: target.context,
    bootstrapServers: target.properties.get('bootstrap.servers') ?? '',
    properties: target.properties,
  }
}

export async function resolveTarget(options: ConnectionOptions, around: Surroundings): Promise<Target> {
  const { env } = around
  if (options.context !== undefined) {
    const other = options.bootstrapServer !== undefined ? '--bootstrap-server' : options.commandConfig !== undefined ? '--command-config' : undefined
    // What a context knows of logins is for its own addresses.
    if (other !== undefined) throw usageError(`--context and ${other} both name a cluster`, 'leave one of them out')
    return { ...(await inContext(await around.readContext(options.context), options, env)), isNamed: true }
  }

  const fromFlag = options.commandConfig === undefined ? undefined : await around.readProperties(options.commandConfig)
  const byFlag = addressed([
    ['--bootstrap-server', options.bootstrapServer],
    ['the property bootstrap.servers', options.properties?.get('bootstrap.servers')],
    ['--command-config', fromFlag?.get('bootstrap.servers')],
  ])
  if (byFlag !== undefined) return { ...configured(options, fromFlag, byFlag), isNamed: true }

  // What the environment says is taken whole or, where a flag says it, not at all.
  const file = fromFlag === undefined ? env.KTOOL_COMMAND_CONFIG : undefined
  const properties = file ? await around.readProperties(file).catch(inVariable) : fromFlag
  const byEnvironment = addressed([
    ['KTOOL_BOOTSTRAP_SERVERS', env.KTOOL_BOOTSTRAP_SERVERS || undefined],
    ['KTOOL_COMMAND_CONFIG', file ? properties?.get('bootstrap.servers') : undefined],
  ])
  if (byEnvironment !== undefined) return configured(options, properties, byEnvironment)

  const current = properties === undefined ? await around.currentContext() : undefined
  if (current !== undefined) return inContext(await around.readContext(current), options, env)

  const local = await localBroker(around)
  const wanted = options.properties?.get('security.protocol') ?? properties?.get('security.protocol') ?? 'PLAINTEXT'
  // Somebody's throw-away broker counts, too, if no other runs: it is named as what it is.
  const source = `the ${local.ephemeral ? 'ephemeral ' : ''}broker on this machine`
  const address = localAddress(local, wanted.trim().toUpperCase())
  return { ...configured(options, properties, { source, servers: address }), isBundled: true }
}

/** The file is named there, not on the command line. */
function inVariable(error: unknown): never {
  throw error instanceof ConfigError ? new ConfigError(error.key, `KTOOL_COMMAND_CONFIG: ${error.message}`, { cause: error }) : error
}

interface Address {
  readonly source: string
  readonly servers: string
}

/** The first that is said. */
function addressed(sources: readonly (readonly [source: string, servers: string | undefined])[]): Address | undefined {
  for (const [source, servers] of sources) {
    if (servers === undefined) continue
    if (servers.trim() === '') throw usageError(`${source} names no address`, 'give HOST:PORT')
    return { source, servers }
  }
  return undefined
}

function configured(options: ConnectionOptions, base: ReadonlyMap<string, string> | undefined, { source, servers }: Address): Target {
  const properties = new Map([...(base ?? []), ...(options.properties ?? []), ['bootstrap.servers', servers] as const])
  return { isNamed: false, isBundled: false, source, context: undefined, properties }
}

async function inContext(context: Context, { properties }: ConnectionOptions, env: NodeJS.ProcessEnv): Promise<Target> {
  const source = `context ${context.name}`
  if (properties?.has('bootstrap.servers')) {
    throw usageError(`the property bootstrap.servers and ${source} both name a cluster`, 'leave one of them out')
  }
  const resolved = await resolveSecrets(source, context.properties, env)
  return { isNamed: false, isBundled: false, source, context, properties: new Map([...resolved, ...(properties ?? [])]) }
}

/** What a new context keeps: the file's properties, those said beside it, and its addresses. */
export async function contextProperties(
  commandConfig: string | undefined,
  said: ReadonlyMap<string, string>,
  bootstrapServer: string | undefined,
): Promise<ReadonlyMap<string, string>> {
  const fromFile = commandConfig === undefined ? new Map<string, string>() : await readPropertiesFile(commandConfig)
  const properties = new Map([...fromFile, ...said])
  if (bootstrapServer !== undefined) properties.set('bootstrap.servers', bootstrapServer)
  if (!properties.get('bootstrap.servers')?.trim()) throw usageError('a context needs an address', 'give --bootstrap-server HOST:PORT')
  const strange = [...properties.keys()].find((key) => !isKnownKey(key))
  if (strange !== undefined) {
    const hint = /^sasl\.(username|password)$/.test(strange) ? 'a login is in sasl.jaas.config; see the examples of `ktool context --help`' : null
    throw usageError(`${strange} is not a client property of Kafka`, hint)
  }
  await checkUsable(properties)
  return properties
}

/** Throws the ConfigError that a command would end with later. What only refers to a secret can't be judged before it is used. */
async function checkUsable(properties: ReadonlyMap<string, string>): Promise<void> {
  const later = new Set([...properties].filter(([, value]) => hasReference(value)).map(([key]) => key))
  const known = new Map([...properties].filter(([key]) => !later.has(key) || key === 'sasl.jaas.config'))
  if (later.has('bootstrap.servers')) known.set('bootstrap.servers', 'localhost:9092')
  try {
    await clientConfig(known)
  } catch (error) {
    if (!(error instanceof ConfigError) || error.key === null) throw error
    const isStore = error.key.startsWith('ssl.') && [...later].some((key) => key.startsWith('ssl.'))
    if (!later.has(error.key) && !isStore) throw error
  }
}

/** A broker may have secured listeners only; nobody gets in there without being told how. */
function localAddress(broker: BrokerStatus, protocol: string): string {
  const address = listenerAddress(broker, protocol)
  if (address !== undefined) return address
  const there = broker.listeners.map((listener) => `${listener.protocol} on ${addressOf(listener)}`).join(', ')
  throw new CliError({
    code: 'NO_LISTENER',
    message: `the broker on this machine has no ${protocol} listener, only ${there}`,
    hint: 'give security.protocol and what goes with it in a file: --command-config FILE',
    exitCode: ExitCode.unreachable,
  })
}

async function localBroker(around: Surroundings): Promise<BrokerStatus> {
  const running = await around.runningBrokers()
  const usual = running.find(({ dataDirectory }) => dataDirectory === around.usualDirectory)
  if (usual !== undefined) return usual
  const only = running.at(0)
  if (only !== undefined) {
    if (running.length === 1) return only
    const addresses = running.map(clientAddress).join(', ')
    throw usageError(`${running.length} brokers run on this machine: ${addresses}`, 'say which with --bootstrap-server')
  }
  const forbidden = autoStartForbidden(around.env)
  if (around.start !== undefined && forbidden === undefined) return around.start()
  const hint = 'start one with `ktool broker start`, or name a cluster with --bootstrap-server'
  const why = around.start !== undefined && forbidden !== undefined ? ` and ${forbidden} keeps ktool from starting one` : ''
  throw new CliError({ code: 'NO_BROKER', message: `no broker runs on this machine${why}`, hint, exitCode: ExitCode.unreachable })
}
