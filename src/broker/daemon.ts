// The broker as a process of its own: its log, its signals, its control socket, its end. It has the process to itself,
// so it may end it: after a second signal, and when an error got past everybody.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../base/clock.ts'
import { HIDDEN, runtimeDirectory, type BrokerStatus, type NamesRequest } from '../base/control-messages.ts'
import { createLogger, type Logger, withStack } from '../base/logger.ts'
import { version } from '../base/version.ts'
import { startBroker, type Broker } from './broker.ts'
import { isSensitive } from './config/resolve.ts'
import { openControl } from './control.ts'
import { boundedLog, writeStderr } from './daemon-log.ts'
import { isInternalTopic } from './metadata/topics.ts'
import { createMissingTopics, type WantedTopic } from './startup-topics.ts'

export interface DaemonOptions {
  /** Kafka's names. Without log.dirs an ephemeral broker makes a directory of its own. */
  readonly properties: ReadonlyMap<string, string>
  /** Keeps nothing: the directory, if it was new, goes at the end. */
  readonly ephemeral: boolean
  /** Started by kafka-server-start. */
  readonly isServer?: boolean
  /** Created if they are not there; `partitions` undefined: as many as the broker's default. */
  readonly topics: readonly WantedTopic[]
  /** The file that stderr goes to, if it does: it is kept from growing without end. */
  readonly logFile: string | undefined
  /** Called once, when the broker answers; `warnings` are what was logged as such until then. */
  readonly onReady?: (status: BrokerStatus, warnings: readonly string[]) => void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const CRASHED = 70 // sysexits: EX_SOFTWARE

/** Runs until it is asked to stop, or can't go on. Resolves with the exit code; rejects when it could not start. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  process.umask(0o077)
  const log = createLogger(boundedLog(options.logFile), () => systemClock.now())
  let warnings: string[] | undefined = []
  const logger: Logger = {
    ...log,
    warn: (message) => {
      warnings?.push(message)
      log.warn(message)
    },
  }
  const onReady = (status: BrokerStatus): void => {
    options.onReady?.(status, warnings ?? [])
    warnings = undefined // only a start's warnings have a reader
  }
  const crash = (error: unknown): void => {
    logger.error(`the broker ends, for an error that nobody expected: ${withStack(error)}`)
    process.exit(CRASHED)
  }
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)

  const ownDirectory = options.properties.has('log.dirs') ? undefined : mkdtempSync(join(tmpdir(), 'ktool-ephemeral-'))
  const properties = new Map(options.properties)
  if (ownDirectory !== undefined) properties.set('log.dirs', ownDirectory)
  let broker: Broker | undefined
  let hasEnded: () => void = () => undefined
  const ended = new Promise<void>((resolve) => (hasEnded = resolve))
  try {
    broker = await startBroker({ properties, logger, ephemeral: options.ephemeral })
    return await serve(broker, { ...options, onReady }, logger, ended)
  } finally {
    const isOurs = ownDirectory !== undefined || (options.ephemeral && broker?.store.isNew === true)
    const directory = ownDirectory ?? broker?.store.directory
    if (isOurs && directory !== undefined) rmSync(directory, { recursive: true, force: true })
    hasEnded()
  }
}

/** `ended`: everything is tidied up; who asked for the stop is answered then. */
async function serve(
  broker: Broker,
  options: DaemonOptions & { onReady(status: BrokerStatus): void },
  logger: Logger,
  ended: Promise<void>,
): Promise<number> {
  const startedAt = systemClock.monotonic()
  let hasBeenAsked = false
  const onSignal = (signal: NodeJS.Signals): void => {
    if (hasBeenAsked) process.exit(signal === 'SIGINT' ? 130 : 143)
    hasBeenAsked = true
    logger.info(`${signal}: stopping`)
    broker.stop().catch(() => undefined) // `stopped` tells
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  const status = (): BrokerStatus => statusOf(broker, options, systemClock.monotonic() - startedAt)
  let control: { close(): void } | undefined
  // Node ends when only what doesn't hold it is left; a broker without a client is such a case.
  const holdsProcess = setInterval(() => undefined, 2 ** 30)
  try {
    await createMissingTopics(broker, options.topics)
    control = await openControl({
      runtimeDirectory: runtimeDirectory(process.env, tmpdir(), process.getuid?.() ?? 0),
      dataDirectory: realpathSync(broker.store.directory),
      status,
      names: (request) => namesOf(broker, request),
      stop: () => broker.stop().then(() => ended),
    })
    for (const { name, protocol, host, port } of broker.listeners) {
      logger.info(`listener ${name === protocol ? name : `${name} (${protocol})`} on ${host}:${port}, data in ${broker.store.directory}`)
    }
    const [{ host, port }] = broker.listeners
    writeStderr(`listening on ${host.includes(':') ? `[${host}]` : host}:${port}\n`)
    options.onReady(status())
    const error = await broker.stopped
    if (error === undefined) return 0
    logger.error(`the broker stopped: ${error.message}`)
    return 1
  } finally {
    control?.close()
    await broker.stop().catch(() => undefined) // only when the start failed half-way; otherwise it has stopped
    clearInterval(holdsProcess)
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}

async function namesOf(broker: Broker, { of, beginning }: NamesRequest): Promise<string[]> {
  const names = of === 'groups' ? (await broker.groups.list()).map(({ id }) => id) : [...broker.metadata.image.topics()].map(({ name }) => name)
  return names.filter((name) => name.startsWith(beginning) && (of === 'groups' || beginning.startsWith('_') || !isInternalTopic(name))).sort()
}

function statusOf(broker: Broker, options: DaemonOptions, uptimeMs: number): BrokerStatus {
  return {
    version,
    pid: process.pid,
    clusterId: broker.clusterId,
    nodeId: broker.nodeId,
    dataDirectory: broker.store.directory,
    logFile: options.logFile ?? null,
    ephemeral: options.ephemeral,
    isServer: options.isServer === true,
    uptimeMs: Math.round(uptimeMs),
    listeners: broker.listeners,
    topics: broker.metadata.image.topicCount,
    partitions: [...broker.partitions.all()].length,
    bytes: broker.store.directoryBytes,
    settings: Object.fromEntries([...options.properties].map(([name, value]) => [name, isSecret(name) ? HIDDEN : value])),
  }
}

/** What is not known may be one; cluster.id is ours. */
function isSecret(name: string): boolean {
  return name !== 'cluster.id' && isSensitive(name)
}
