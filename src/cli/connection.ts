// Where the cluster is (DECISIONS.md, Which cluster): the flags, then the environment, then the bundled broker that runs
// on this machine.
// Contexts will stand between --command-config and KTOOL_BOOTSTRAP_SERVERS (--context), and after it (the current one).

import type { BrokerStatus } from '../base/control-messages.ts'
import { clientConfig } from '../client/client-config.ts'
import { connectCluster, type Cluster } from '../client/cluster.ts'
import { readPropertiesFile } from '../client/properties-file.ts'
import { addressOf, clientAddress, listenerAddress, runningBrokers } from './control.ts'
import { CliError, ExitCode, usageError } from './errors.ts'
import { autoStart, autoStartForbidden, realDirectory } from './local-broker.ts'
import { localPaths } from './paths.ts'

export interface ConnectionOptions {
  /** Addresses, as in Kafka: HOST:PORT[,HOST:PORT…] */
  readonly bootstrapServer?: string | undefined
  /** A file of Kafka's client properties. */
  readonly commandConfig?: string | undefined
  /** Laid over the file's: `--command-property` and the like. */
  readonly properties?: ReadonlyMap<string, string>
}

export interface Connection {
  readonly cluster: Cluster
  /** Whether this is the bundled broker found (or started) on this machine, not a cluster that somebody named. */
  readonly isBundled: boolean
  readonly bootstrapServers: string
  /** What named it, for people: a flag, a variable, THE_LOCAL_BROKER. */
  readonly source: string
  /** The client properties in force, `bootstrap.servers` among them. */
  readonly properties: ReadonlyMap<string, string>
}

export interface Target {
  readonly isBundled: boolean
  /** What named it, for people: a flag, a variable, THE_LOCAL_BROKER. */
  readonly source: string
  readonly properties: ReadonlyMap<string, string>
}

export const THE_LOCAL_BROKER = 'the broker on this machine'

/** What resolveTarget asks the world; tests put their own in. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly readProperties: (path: string) => Promise<ReadonlyMap<string, string>>
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
    usualDirectory: await realDirectory(paths.dataDirectory),
    runningBrokers: () => runningBrokers(paths.runtimeDirectory),
    start: start && (() => autoStart(paths, env, start.say)),
  })
  return {
    cluster: connectCluster(await clientConfig(target.properties)),
    isBundled: target.isBundled,
    source: target.source,
    bootstrapServers: target.properties.get('bootstrap.servers') ?? '',
    properties: target.properties,
  }
}

export async function resolveTarget(options: ConnectionOptions, around: Surroundings): Promise<Target> {
  const { env } = around
  const fromFlag = options.commandConfig === undefined ? undefined : await around.readProperties(options.commandConfig)
  const configured = (base: ReadonlyMap<string, string> | undefined, servers: string, source: string): Target => ({
    isBundled: source === THE_LOCAL_BROKER,
    source,
    properties: new Map([...(base ?? []), ...(options.properties ?? []), ['bootstrap.servers', servers]]),
  })

  const named = [
    ['--bootstrap-server', options.bootstrapServer],
    ['the property bootstrap.servers', options.properties?.get('bootstrap.servers')],
    ['--command-config', fromFlag?.get('bootstrap.servers')],
  ] as const
  for (const [source, servers] of named) {
    if (servers === undefined) continue
    if (servers.trim() === '') throw usageError(`${source} names no address`, 'give HOST:PORT')
    return configured(fromFlag, servers, source)
  }

  if (env.KTOOL_BOOTSTRAP_SERVERS) {
    const file = fromFlag === undefined ? env.KTOOL_COMMAND_CONFIG : undefined
    const base = file ? await around.readProperties(file) : fromFlag
    return configured(base, env.KTOOL_BOOTSTRAP_SERVERS, 'KTOOL_BOOTSTRAP_SERVERS')
  }

  const local = await localBroker(around)
  const wanted = options.properties?.get('security.protocol') ?? fromFlag?.get('security.protocol') ?? 'PLAINTEXT'
  return configured(fromFlag, localAddress(local, wanted.trim().toUpperCase()), THE_LOCAL_BROKER)
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
