// What the `broker` commands do to the bundled broker: start, find, stop, read its log, delete its data.
// A broker is named by its data directory. Without a name it is the one in the usual place, else the only one that runs.

import { createReadStream } from 'node:fs'
import { access, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { HIDDEN, type BrokerStatus } from '../../base/control-messages.ts'
import { createTopics } from '../../client/admin.ts'
import { clientConfig } from '../../client/client-config.ts'
import { connectCluster } from '../../client/kafka-cluster.ts'
import type { BrokerSettings } from '../broker-flags.ts'
import { addressOf, clientAddress, runningBrokers } from '../control.ts'
import { CliError, ExitCode, operationError, usageError } from '../errors.ts'
import { brokerOn, requestStop, startInBackground, type StartResult } from '../local-broker.ts'
import { brokerLogFile, type LocalPaths } from '../paths.ts'

const SECRET_NAME = /password|jaas|secret|passphrase|keystore\.(key|certificate)/

// A clean stop writes what is left and closes every log.
const STOP_TIMEOUT_MS = 60_000

/** Running already with the same settings is a success; with others, the error says what differs. */
export async function startBroker(
  settings: BrokerSettings,
  flags: readonly string[],
  paths: LocalPaths,
  env: NodeJS.ProcessEnv,
): Promise<StartResult> {
  const dataDirectory = settings.properties.get('log.dirs')
  const running = await alreadyRunning(settings, dataDirectory, paths)
  const result = running ?? (await startInBackground(paths, env, dataDirectory, flags))
  if (!result.started) {
    const difference = differentSetting(settings, result.status)
    if (difference !== undefined) {
      const message = `a broker runs on ${result.status.dataDirectory} already, with other settings: ${difference}`
      throw operationError('BROKER_RUNS', message, 'stop it first, or name another --data-dir')
    }
    await createMissing(settings.topics, result.status)
  }
  return result
}

/** What a broker that starts does itself. */
async function createMissing(topics: BrokerSettings['topics'], status: BrokerStatus): Promise<void> {
  if (topics.length === 0) return
  const cluster = connectCluster(await clientConfig(new Map([['bootstrap.servers', clientAddress(status)]])))
  try {
    for (const result of (await createTopics(cluster, topics)).values()) {
      if (!result.ok && result.error.error !== 'TOPIC_ALREADY_EXISTS') throw result.error
    }
  } finally {
    await cluster.close()
  }
}

/** Throws NO_BROKER, exit 3, when none runs. */
export async function brokerStatus(dataDirectory: string | undefined, paths: LocalPaths): Promise<BrokerStatus> {
  const status = await findBroker(dataDirectory, paths)
  if (status !== undefined) return status
  const where = dataDirectory === undefined ? 'no broker runs' : `no broker runs on ${dataDirectory}`
  throw new CliError({ code: 'NO_BROKER', message: where, hint: 'start one with `ktool broker start`', exitCode: ExitCode.unreachable })
}

/** Of the broker on this machine that has a listener at this address. Throws NO_BROKER, exit 3, when none has. */
export async function directoryOf(address: string, paths: LocalPaths): Promise<string> {
  const running = await runningBrokers(paths.runtimeDirectory)
  const found = running.find(({ listeners }) => listeners.some((listener) => addressOf(listener) === address))
  if (found !== undefined) return found.dataDirectory
  const there = running.length === 1 ? 'the one that runs is at' : 'those that run are at'
  const hint = running.length === 0 ? 'none runs' : `${there} ${running.map(clientAddress).join(', ')}`
  throw new CliError({ code: 'NO_BROKER', message: `no broker of this machine is at ${address}`, hint, exitCode: ExitCode.unreachable })
}

/**
 * The broker that was stopped, undefined when none ran. Without a name only the one in the usual place is meant, whatever else
 * runs: what somebody started beside it, a test's broker perhaps, is named by whoever wants it gone. NO_BROKER, exit 3, says how.
 */
export async function stopBroker(dataDirectory: string | undefined, paths: LocalPaths): Promise<BrokerStatus | undefined> {
  const directory = dataDirectory ?? paths.dataDirectory
  const status = await brokerOn(paths, directory)
  if (status !== undefined) await requestStop(paths, status.dataDirectory, STOP_TIMEOUT_MS)
  else if (dataDirectory === undefined) await mentionOthers(directory, paths)
  return status
}

async function mentionOthers(directory: string, paths: LocalPaths): Promise<void> {
  const others = await runningBrokers(paths.runtimeDirectory)
  if (others.length === 0) return
  const places = others.map((status) => `${clientAddress(status)} (${status.ephemeral ? 'ephemeral' : status.dataDirectory})`).join(', ')
  throw new CliError({
    code: 'NO_BROKER',
    message: `no broker runs on ${directory}, but ${others.length === 1 ? 'another does' : `${others.length} others do`}: ${places}`,
    hint: `\`ktool broker stop -b ${clientAddress(others[0])}\` stops ${others.length === 1 ? 'it' : 'the first'}`,
    exitCode: ExitCode.unreachable,
  })
}

export interface BrokerLog {
  readonly path: string
  bytes(): AsyncIterable<Buffer>
  lines(): AsyncIterable<string>
}

export async function brokerLog(dataDirectory: string | undefined, paths: LocalPaths): Promise<BrokerLog> {
  const status = await findBroker(dataDirectory, paths)
  if (status?.logFile === null) {
    throw operationError('NO_LOG', `the broker on ${status.dataDirectory} runs in the foreground`, 'its log is where its stderr goes')
  }
  const path = status?.logFile ?? brokerLogFile(paths, dataDirectory ?? paths.dataDirectory)
  await access(path).catch(() => {
    throw operationError('NO_LOG', `there is no log at ${path}`, 'it is made by `ktool broker start`')
  })
  return {
    path,
    bytes: () => createReadStream(path) as AsyncIterable<Buffer>,
    lines: () => createInterface({ input: createReadStream(path), crlfDelay: Infinity }),
  }
}

/** The directory that a reset would empty. Refuses what doesn't look like a broker's. */
export async function resettable(dataDirectory: string | undefined, paths: LocalPaths): Promise<string> {
  const directory = resolve(dataDirectory ?? paths.dataDirectory)
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw operationError('UNREADABLE', `can't read ${directory}: ${(error as Error).message}`)
  })
  if (names.length > 0 && !names.includes('meta.properties')) {
    throw usageError(`${directory} is not a broker's data directory`, 'it has no meta.properties; delete it yourself if you mean it')
  }
  return directory
}

/** What resetBroker would find and do. */
export async function tryReset(directory: string, paths: LocalPaths): Promise<{ existed: boolean; stopped: boolean }> {
  const names = await readdir(directory).catch(() => [])
  return { existed: names.length > 0, stopped: (await brokerOn(paths, directory)) !== undefined }
}

export async function resetBroker(directory: string, paths: LocalPaths): Promise<{ existed: boolean; stopped: boolean }> {
  const running = await brokerOn(paths, directory)
  if (running !== undefined) await requestStop(paths, directory, STOP_TIMEOUT_MS)
  const names = await readdir(directory).catch(() => [])
  // Everything but the directory itself, which may be a mount point.
  for (const name of names) await rm(join(directory, name), { recursive: true, force: true })
  return { existed: names.length > 0, stopped: running !== undefined }
}

async function findBroker(dataDirectory: string | undefined, paths: LocalPaths): Promise<BrokerStatus | undefined> {
  if (dataDirectory !== undefined) return brokerOn(paths, dataDirectory)
  const usual = await brokerOn(paths, paths.dataDirectory)
  if (usual !== undefined) return usual
  const running = await runningBrokers(paths.runtimeDirectory)
  if (running.length > 1) {
    const places = running.map((status) => `${clientAddress(status)} on ${status.dataDirectory}`).join(', ')
    throw usageError(`${running.length} brokers run: ${places}`, 'say which with --data-dir')
  }
  return running.at(0)
}

/** A broker that keeps nothing has no directory to be known by; it is known by its port, if it has a fixed one. */
async function alreadyRunning(
  settings: BrokerSettings,
  dataDirectory: string | undefined,
  paths: LocalPaths,
): Promise<StartResult | undefined> {
  if (dataDirectory !== undefined || settings.properties.get('listeners')?.endsWith(':0')) return undefined
  const running = await runningBrokers(paths.runtimeDirectory)
  const same = running.find((status) => status.ephemeral && differentSetting(settings, status) === undefined)
  return same && { status: same, started: false, warnings: [] }
}

/** `NAME (is A, asked B)` of the first that differs. The directory is the same by how the broker was found. */
function differentSetting(settings: BrokerSettings, status: BrokerStatus): string | undefined {
  if (settings.ephemeral !== status.ephemeral) return `ephemeral (is ${status.ephemeral}, asked ${settings.ephemeral})`
  const names = new Set([...settings.properties.keys(), ...Object.keys(status.settings)])
  names.delete('log.dirs')
  names.delete('log.dir')
  for (const name of [...names].sort()) {
    const asked = settings.properties.get(name)
    const is = name in status.settings ? status.settings[name] : undefined
    if (asked === is || (is === HIDDEN && asked !== undefined)) continue
    const isSecret = is === HIDDEN || SECRET_NAME.test(name)
    return `${name} (is ${is ?? 'not set'}, asked ${asked === undefined ? 'not set' : isSecret ? HIDDEN : asked})`
  }
  return undefined
}
